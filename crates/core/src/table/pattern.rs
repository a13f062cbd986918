//! Patterns of file names: which part of a name says well, field, channel, slice or time.

use std::collections::BTreeMap;

use super::CoreError;
use super::built_in::{BUILT_IN, EACH_FILE, EACH_FILE_PATTERN};
use super::words::{is_words, regex_of_words};

/// What a named group of a pattern says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Plate,
    /// Row and column in one.
    Well,
    Row,
    /// A number that counts from 0.
    RowFrom0,
    Column,
    /// A number that counts from 0.
    ColumnFrom0,
    Acquisition,
    Image,
    Field,
    /// Column and row of a field in a grid of fields.
    GridX,
    GridY,
    Channel,
    /// The name of a channel that has a number too.
    ChannelName,
    Slice,
    Time,
}

/// The groups with what they mean. Groups with other names become columns of their own.
pub(super) const GROUPS: [(&str, Part); 30] = [
    ("plate", Part::Plate),
    ("well", Part::Well),
    ("row", Part::Row),
    ("row_from_0", Part::RowFrom0),
    ("column", Part::Column),
    ("col", Part::Column),
    ("column_from_0", Part::ColumnFrom0),
    ("acquisition", Part::Acquisition),
    ("image", Part::Image),
    ("image_path", Part::Image),
    ("field", Part::Field),
    ("fov", Part::Field),
    ("fov_name", Part::Field),
    ("site", Part::Field),
    ("position", Part::Field),
    ("f", Part::Field),
    ("s", Part::Field),
    ("grid_x", Part::GridX),
    ("grid_y", Part::GridY),
    ("channel", Part::Channel),
    ("c", Part::Channel),
    ("wavelength", Part::Channel),
    ("channel_name", Part::ChannelName),
    ("z", Part::Slice),
    ("slice", Part::Slice),
    ("plane", Part::Slice),
    ("t", Part::Time),
    ("time", Part::Time),
    ("timepoint", Part::Time),
    ("frame", Part::Time),
];

/// What a name says: parts that have a meaning, and groups that become columns.
#[derive(Clone, Debug, Default)]
pub(super) struct NameParts {
    pub(super) parts: BTreeMap<Part, String>,
    pub(super) others: BTreeMap<String, String>,
}

impl NameParts {
    /// Whether they name a well.
    pub(super) fn in_wells(&self) -> bool {
        let has = |part: Part| self.parts.contains_key(&part);
        has(Part::Well) || (has(Part::Row) && has(Part::Column)) || (has(Part::RowFrom0) && has(Part::ColumnFrom0))
    }
}

/// A pattern of file names.
pub(super) struct Pattern {
    pub(super) name: String,
    regex: Regex,
    groups: Vec<(String, Option<Part>)>,
}

/// A regular expression of ours takes time in proportion to the length of a name; those of users may look around.
enum Regex {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

impl Pattern {
    /// The pattern of a user: words in braces, or a regular expression.
    pub(super) fn given(text: &str) -> Result<Self, CoreError> {
        let name = format!("--pattern {text:?}");
        let pattern = if is_words(text) {
            let regex = regex_of_words(text).map_err(|problem| wrong(text, &problem))?;
            Self::linear(name, &regex)?
        } else {
            let regex = fancy_regex::Regex::new(text).map_err(|error| wrong(text, &error.to_string()))?;
            Self::new(name, Regex::Backtracking(regex))
        };
        let parts: Vec<Part> = pattern.groups.iter().filter_map(|(_, part)| *part).collect();
        let names = GROUPS.map(|(name, _)| name).join(", ");
        if parts.is_empty() {
            return Err(wrong(
                text,
                &format!(
                    "nothing in it has a name such as {{well}} or, in a regular expression, (?<well>[A-P][0-9]+); the names are {names}"
                ),
            ));
        }
        if let Some((index, _)) = (1..parts.len())
            .zip(&parts[1..])
            .find(|(index, part)| parts[..*index].contains(part))
        {
            let same: Vec<&str> = pattern
                .groups
                .iter()
                .filter(|(_, part)| *part == Some(parts[index]))
                .map(|(name, _)| name.as_str())
                .collect();
            return Err(wrong(
                text,
                &format!("its groups {} mean the same; leave one of them out", same.join(" and ")),
            ));
        }
        Ok(pattern)
    }

    /// Those of microscopes.
    pub(super) fn built_in() -> Result<Vec<Self>, CoreError> {
        let pattern = |known: &super::built_in::BuiltIn| {
            let example = known.example.0.rsplit('/').next().unwrap_or(known.example.0);
            Self::linear(format!("{} ({example})", known.name), known.pattern)
        };
        BUILT_IN.iter().map(pattern).collect()
    }

    /// The last resort.
    pub(super) fn each_file() -> Result<Self, CoreError> {
        Self::linear(EACH_FILE.to_owned(), EACH_FILE_PATTERN)
    }

    fn linear(name: String, text: &str) -> Result<Self, CoreError> {
        let regex = regex::Regex::new(text).map_err(|error| wrong(text, &error.to_string()))?;
        Ok(Self::new(name, Regex::Linear(regex)))
    }

    fn new(name: String, regex: Regex) -> Self {
        let part = |name: &str| GROUPS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        let names: Vec<String> = match &regex {
            Regex::Linear(regex) => regex.capture_names().flatten().map(str::to_owned).collect(),
            Regex::Backtracking(regex) => regex.capture_names().flatten().map(str::to_owned).collect(),
        };
        let groups = names.into_iter().map(|name| {
            let part = part(&name);
            (name, part)
        });
        Self {
            name,
            groups: groups.collect(),
            regex,
        }
    }

    /// What the path of a file says; `None` if the pattern does not match it.
    pub(super) fn read(&self, path: &str) -> Result<Option<NameParts>, CoreError> {
        match &self.regex {
            Regex::Linear(regex) => {
                let found = regex.captures(path);
                Ok(found.map(|found| self.parts(|name| found.name(name).map(|group| group.as_str()))))
            }
            Regex::Backtracking(regex) => {
                let found = regex
                    .captures(path)
                    .map_err(|error| wrong(regex.as_str(), &format!("{path}: {error}")))?;
                Ok(found.map(|found| self.parts(|name| found.name(name).map(|group| group.as_str()))))
            }
        }
    }

    fn parts<'a>(&self, group: impl Fn(&str) -> Option<&'a str>) -> NameParts {
        let mut parts = NameParts::default();
        for (name, part) in &self.groups {
            let Some(text) = group(name).map(str::trim).filter(|text| !text.is_empty()) else {
                continue;
            };
            match part {
                Some(part) => parts.parts.insert(*part, text.to_owned()),
                None => parts.others.insert(name.clone(), text.to_owned()),
            };
        }
        parts
    }
}

fn wrong(pattern: &str, problem: &str) -> CoreError {
    CoreError::Syntax {
        place: format!("the pattern {pattern:?}"),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write;

    use expect_test::expect_file;

    use super::super::habits::EXAMPLES;
    use super::*;

    /// `docs/patterns.md` is written from the lists.
    #[test]
    fn the_document_is_up_to_date() {
        let mut text = "\
# Patterns of file names

Tried in this order on the paths of image files below their folder ([how](tables.md#file-names)); small and capital letters are the same
where a pattern begins with `(?i)`. Generated from the lists in `crates/core/src/table/built_in.rs` and `habits.rs`; write it anew with
`UPDATE_EXPECT=1 cargo test -p ome-zarr-convert-core pattern`.
"
        .to_owned();
        for known in BUILT_IN {
            let (path, read) = known.example;
            let _ = write!(
                text,
                "\n## {}\n\n`{path}`: {read}\n\n```text\n{}\n```\n",
                known.name, known.pattern
            );
        }
        let _ = write!(
            text,
            "\n## Wells, letters and numbers of habit\n\nOther names are taken apart at `/`, `_`, `-`, blanks and dots. A part such as \
             `B03` is a well; a word with a number is a field\n(`f`, `fov`, `field`, `s`, `site`, `pos`, `position`, `point`, `xy`, `tile`), \
             a channel (`c`, `ch`, `channel`, `w`, `wv`, `wavelength`), a slice (`z`, `slice`),\na time point (`t`, `tp`, `time`, \
             `timepoint`, `frame`), a row (`r`, `row`) or a column (`col`, `column`, beside a row also `c`), in any order. Fluorophores \
             and\nother names of channels (`DAPI`, `488`, `BF`) are channels, in a name or as its folder. Small letters are rows of wells \
             where they can be nothing else.\n\n| name | read as |\n|---|---|\n"
        );
        for (path, read) in EXAMPLES {
            let _ = writeln!(text, "| `{path}` | {read} |");
        }
        let _ = write!(text, "\n## {EACH_FILE}\n\n```text\n{EACH_FILE_PATTERN}\n```\n");
        expect_file!["../../../../docs/patterns.md"].assert_eq(&text);
    }

    /// What was read of a name, in words.
    pub(in super::super) fn words(read: &NameParts) -> String {
        let part = |(part, text): (&Part, &String)| {
            let name = match part {
                Part::RowFrom0 => "Row from 0".to_owned(),
                Part::ColumnFrom0 => "Column from 0".to_owned(),
                Part::GridX => "Grid x".to_owned(),
                Part::GridY => "Grid y".to_owned(),
                Part::ChannelName => "Channel name".to_owned(),
                part => format!("{part:?}"),
            };
            format!("{name} {text}")
        };
        read.parts.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// The pattern that is the first to match a name, and what it reads.
    fn first(path: &str) -> Option<(String, String)> {
        let patterns = Pattern::built_in().unwrap();
        let read = |pattern: &Pattern| Some((pattern.name.clone(), words(&pattern.read(path).unwrap()?)));
        patterns.iter().find_map(read)
    }

    #[test]
    fn every_example_is_read_by_its_own_pattern() {
        for known in BUILT_IN {
            let (path, expected) = known.example;
            let (name, read) = first(path).unwrap();
            assert_eq!(
                (name.split(" (").next().unwrap(), read.as_str()),
                (known.name, expected),
                "{path}"
            );
        }
    }

    #[test]
    fn other_names_of_microscopes() {
        let check = |path: &str, expected: &str| {
            let (name, read) = first(path).unwrap();
            assert_eq!(
                format!("{}: {read}", name.split(" (").next().unwrap()),
                expected,
                "{path}"
            );
        };
        check(
            "A - 1(fld 1 wv Green - dsRed time 3 - 0 ms).tif",
            "IN Cell Analyzer: Row A, Column 1, Field 1, Channel Green - dsRed, Time 3",
        );
        check(
            "exp_H12_w2.TIF",
            "MetaXpress, ImageXpress: Plate exp, Well H12, Channel 2",
        );
        check(
            "plate_A01_f00d0.tif",
            "Cellomics: Plate plate, Well A01, Field 00, Channel 0",
        );
        check(
            "VID12_G7_2_2021y03m05d_12h00m.tif",
            "Incucyte: Plate VID12, Well G7, Field 2, Time 2021y03m05d_12h00m",
        );
        check(
            "img_000000000_GFP_004.tif",
            "Micro-Manager 1.4: Channel GFP, Slice 004, Time 000000000",
        );
        assert_eq!(first("A01_s1_w1.tif"), None);
    }

    #[test]
    fn a_long_name_takes_no_time() {
        let long = format!("{}.tif", "A01_s1_w1_A01f".repeat(20_000));
        for pattern in Pattern::built_in().unwrap() {
            assert!(pattern.read(&long).unwrap().is_none(), "{}", pattern.name);
        }
    }

    #[test]
    fn patterns_of_users() {
        let pattern = Pattern::given(r"(?P<drug>\w+)/(?<row>[A-H])(?<col>\d+)_(?<fov>\d+)").unwrap();
        let read = pattern.read("DMSO/B07_3.tif").unwrap().unwrap();
        assert_eq!(
            format!("{:?} {:?}", read.parts, read.others),
            r#"{Row: "B", Column: "07", Field: "3"} {"drug": "DMSO"}"#
        );
        assert!(pattern.read("B07.tif").unwrap().is_none());
        let error = |text: &str| Pattern::given(text).err().unwrap().to_string();
        assert!(
            error("(?<a>.)").contains("nothing in it has a name"),
            "{}",
            error("(?<a>.)")
        );
        assert!(error("(?<fov>.)(?<site>.)").contains("fov and site mean the same"));
        assert!(error("(?<fov>.").starts_with("the pattern"), "{}", error("(?<fov>."));
    }
}
