//! Patterns of file names: which part of a name says well, field, channel, slice or time.

use std::collections::BTreeMap;

use fancy_regex::Regex;

use super::CoreError;

/// What a named group of a pattern says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Plate,
    /// Row and column in one.
    Well,
    Row,
    Column,
    Acquisition,
    Image,
    Field,
    /// Column and row of a field in a grid of fields.
    GridX,
    GridY,
    Channel,
    Slice,
    Time,
}

/// The groups with what they mean. Groups with other names become columns of their own.
pub(super) const GROUPS: [(&str, Part); 27] = [
    ("plate", Part::Plate),
    ("well", Part::Well),
    ("row", Part::Row),
    ("column", Part::Column),
    ("col", Part::Column),
    ("acquisition", Part::Acquisition),
    ("image", Part::Image),
    ("image_path", Part::Image),
    ("field", Part::Field),
    ("fov", Part::Field),
    ("fov_name", Part::Field),
    ("site", Part::Field),
    ("position", Part::Field),
    ("grid_x", Part::GridX),
    ("grid_y", Part::GridY),
    ("channel", Part::Channel),
    ("c", Part::Channel),
    ("wavelength", Part::Channel),
    ("z", Part::Slice),
    ("slice", Part::Slice),
    ("plane", Part::Slice),
    ("t", Part::Time),
    ("time", Part::Time),
    ("timepoint", Part::Time),
    ("frame", Part::Time),
    ("f", Part::Field),
    ("s", Part::Field),
];

/// Patterns of microscopes and of habit, tried in this order. They are matched against the path below the folder, parts joined by
/// `/`; capital letters count only where it says so.
const KNOWN: [(&str, &str); 12] = [
    (
        "Yokogawa CellVoyager (…_A01_T0001F001L01A01Z01C01)",
        r"(?:^|/)(?:(?<plate>[^/]+)_)?(?<well>[A-Z]{1,2}\d{2})_T(?<t>\d+)F(?<field>\d+)L\d+A\d+Z(?<z>\d+)C(?<channel>\d+)\.[^./]+$",
    ),
    (
        "Opera Phenix, Operetta (r01c01f01p01-ch1sk1fk1fl1)",
        r"(?i)(?:^|/)r(?<row>\d+)c(?<column>\d+)f(?<field>\d+)p(?<z>\d+)(?:rc\d+)?-ch(?<channel>\d+)(?:sk(?<t>\d+))?(?:fk\d+)?(?:fl\d+)?\.[^./]+$",
    ),
    (
        "ScanR (A1--W00001--P00001--Z00000--T00000--DAPI)",
        r"(?i)(?:^|/)(?<well>[A-Z]{1,2}-?\d+)--W\d+--P(?<field>\d+)--Z(?<z>\d+)--T(?<t>\d+)--(?<channel>[^/]+?)(?:\.ome)?\.[^./]+$",
    ),
    (
        "IN Cell Analyzer (A - 01(fld 01 wv DAPI - DAPI))",
        r"(?i)(?:^|/)(?<row>[A-Z]{1,2}) - (?<column>\d+)\(fld (?<field>\d+)(?: wv (?<channel>[^)]*?))?(?: z (?<z>\d+))?(?: time (?<t>\d+)[^)]*)?\)\.[^./]+$",
    ),
    (
        "Cellomics (…_A01f00d0)",
        r"(?i)(?:^|/)(?<plate>[^/]+)_(?<well>[A-Z]{1,2}\d{2})f(?<field>\d+)d(?<channel>\d+)\.[^./]+$",
    ),
    (
        "Nikon JOBS (WellA01_PointA01_0000_ChannelDAPI_Seq0000)",
        r"(?i)(?:^|/)Well(?<well>[A-Z]{1,2}\d+)_Point[^_/]*_(?<field>\d+)_(?:ZStack\d+_)?Channel(?<channel>[^_/]+)_Seq\d+\.[^./]+$",
    ),
    (
        "MetaXpress, ImageXpress (…_A01_s1_w1, TimePoint_1/ZStep_1)",
        r"(?i)(?:^|/)(?:TimePoint_(?<t>\d+)/)?(?:ZStep_(?<z>\d+)/)?(?<plate>[^/]+)_(?<well>[A-Z]{1,2}\d{2})(?=_[sw]\d)(?:_s(?<field>\d+))?(?:_w(?<channel>\d+))?(?:[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})?\.[^./]+$",
    ),
    (
        "Micro-Manager 2 (img_channel000_position000_time000000000_z000)",
        r"(?i)(?:^|/)img_channel(?<channel>\d+)_position(?<field>\d+)_time(?<t>\d+)_z(?<z>\d+)\.[^./]+$",
    ),
    (
        "Micro-Manager 1.4 (Pos0/img_000000000_DAPI_000)",
        r"(?i)(?:(?:^|/)(?<field>[^/]*Pos[^/]*)/|(?:^|/))img_(?<t>\d{9})_(?<channel>[^/]+)_(?<z>\d{3})\.[^./]+$",
    ),
    // In the next two, letters before the numbers may come in any order.
    (
        "a well with numbers (A01_f1_c1_z1_t1)",
        r"(?i)^(?=(?:.*?[/_\- ])??(?:well[_\-]?)?(?![CF]\d+[_\-][TZ]\d)(?<well>(?-i:[A-P])(?:0[1-9]|[1-9]\d?))(?=[/_\-. ]))(?:.*/)?(?=(?:(?:[^/]*[_\- ])?(?!\k<well>[_\-. ])(?:f|fov|field|s|site|pos|position|point)[_\-]?(?<field>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?!\k<well>[_\-. ])(?:c|ch|channel|w)[_\-]?(?<channel>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?:z|slice)[_\-]?(?<z>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?:t|time|timepoint)[_\-]?(?<t>\d+)(?=[_\-. ]))?)[^/]+$",
    ),
    (
        "an image with numbers (sample_f1_c1_z1_t1)",
        r"(?i)^(?:.*/)?(?<image>[^/]*?[^/_\- ])[_\- ]+(?=(?:f|fov|field|s|site|pos|position|point|c|ch|channel|w|z|slice|t|time|timepoint)[_\-]?\d+[_\-. ])(?=(?:(?:[^/]*[_\- ])?(?:f|fov|field|s|site|pos|position|point)[_\-]?(?<field>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?:c|ch|channel|w)[_\-]?(?<channel>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?:z|slice)[_\-]?(?<z>\d+)(?=[_\-. ]))?)(?=(?:(?:[^/]*[_\- ])?(?:t|time|timepoint)[_\-]?(?<t>\d+)(?=[_\-. ]))?)(?:(?:f|fov|field|s|site|pos|position|point|c|ch|channel|w|z|slice|t|time|timepoint)[_\-]?\d+[_\- ]*)+(?:\.ome)?\.[^./]+$",
    ),
    (EACH_FILE, r"^(?<image>.+?)(?:\.ome)?\.[^./]+$"),
];

/// The last resort.
pub(super) const EACH_FILE: &str = "each file an image of its own";

/// What a name says: parts that a pattern knows, and groups that become columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) parts: BTreeMap<Part, String>,
    pub(super) others: BTreeMap<String, String>,
}

/// A pattern of file names.
pub(super) struct Pattern {
    pub(super) name: String,
    regex: Regex,
    groups: Vec<(String, Option<Part>)>,
}

impl Pattern {
    /// The pattern of a user.
    pub(super) fn given(text: &str) -> Result<Self, CoreError> {
        let pattern = Self::new(format!("--pattern {text:?}"), text)?;
        let parts: Vec<Part> = pattern.groups.iter().filter_map(|(_, part)| *part).collect();
        let names = GROUPS.map(|(name, _)| name).join(", ");
        if parts.is_empty() {
            return Err(wrong(
                text,
                &format!("it has no named group such as (?<well>[A-P][0-9]+); the names are {names}"),
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

    /// Those that are tried where none is given.
    pub(super) fn known() -> Result<Vec<Self>, CoreError> {
        KNOWN
            .iter()
            .map(|(name, text)| Self::new((*name).to_owned(), text))
            .collect()
    }

    fn new(name: String, text: &str) -> Result<Self, CoreError> {
        let regex = Regex::new(text).map_err(|error| wrong(text, &error.to_string()))?;
        let part = |name: &str| GROUPS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        let groups = regex
            .capture_names()
            .flatten()
            .map(|name| (name.to_owned(), part(name)))
            .collect();
        Ok(Self { name, regex, groups })
    }

    /// What the path of a file says; `None` if the pattern does not match it.
    pub(super) fn read(&self, path: &str) -> Result<Option<Said>, CoreError> {
        let found = self
            .regex
            .captures(path)
            .map_err(|error| wrong(self.regex.as_str(), &format!("{path}: {error}")))?;
        let Some(found) = found else { return Ok(None) };
        let mut said = Said::default();
        for (name, part) in &self.groups {
            let Some(text) = found
                .name(name)
                .map(|group| group.as_str().trim())
                .filter(|text| !text.is_empty())
            else {
                continue;
            };
            match part {
                Some(part) => said.parts.insert(*part, text.to_owned()),
                None => said.others.insert(name.clone(), text.to_owned()),
            };
        }
        Ok(Some(said))
    }
}

fn wrong(pattern: &str, problem: &str) -> CoreError {
    CoreError::Syntax {
        place: format!("the pattern {pattern:?}"),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect_file;

    use super::*;

    /// `docs/patterns.md` is written from the list.
    #[test]
    fn the_document_is_up_to_date() {
        let mut text = "\
# Patterns of file names

Tried in this order on the paths of image files below their folder ([how](tables.md#file-names)). Generated from the list in
`crates/core/src/table/pattern.rs`; write it anew with `UPDATE_EXPECT=1 cargo test -p ome-zarr-convert-core pattern`.
"
        .to_owned();
        for (name, pattern) in KNOWN {
            let _ = write!(text, "\n## {name}\n\n```text\n{pattern}\n```\n");
        }
        expect_file!["../../../../docs/patterns.md"].assert_eq(&text);
    }

    /// The pattern that is the first to match, and what it reads.
    fn check(path: &str, expected: &str) {
        let patterns = Pattern::known().unwrap();
        let (pattern, said) = patterns
            .iter()
            .find_map(|pattern| Some((pattern, pattern.read(path).unwrap()?)))
            .unwrap();
        let parts: Vec<String> = said
            .parts
            .iter()
            .map(|(part, text)| format!("{part:?} {text}"))
            .collect();
        let name = pattern.name.split(" (").next().unwrap();
        assert_eq!(format!("{name}: {}", parts.join(", ")), expected, "{path}");
    }

    #[test]
    fn names_of_microscopes() {
        check(
            "20200812-Cycle1_B03_T0001F036L01A01Z18C02.png",
            "Yokogawa CellVoyager: Plate 20200812-Cycle1, Well B03, Field 036, Channel 02, Slice 18, Time 0001",
        );
        check(
            "Images/r02c11f07p03-ch4sk1fk1fl1.tiff",
            "Opera Phenix, Operetta: Row 02, Column 11, Field 07, Channel 4, Slice 03, Time 1",
        );
        check(
            "A1--W00001--P00002--Z00003--T00004--DAPI.tif",
            "ScanR: Well A1, Field 00002, Channel DAPI, Slice 00003, Time 00004",
        );
        check(
            "B - 03(fld 02 wv UV - DAPI z 05).tif",
            "IN Cell Analyzer: Row B, Column 03, Field 02, Channel UV - DAPI, Slice 05",
        );
        check(
            "A - 1(fld 1 wv Green - dsRed time 3 - 0 ms).tif",
            "IN Cell Analyzer: Row A, Column 1, Field 1, Channel Green - dsRed, Time 3",
        );
        check(
            "MFGTMP_150101120001_C05f02d1.TIF",
            "Cellomics: Plate MFGTMP_150101120001, Well C05, Field 02, Channel 1",
        );
        check(
            "WellC03_PointC03_0004_ChannelDAPI_Seq0012.tif",
            "Nikon JOBS: Well C03, Field 0004, Channel DAPI",
        );
        check(
            "TimePoint_2/ZStep_1/my_plate_A01_s3_w1D4BA53B7-3A5B-4A1F-9C3E-0123456789AB.tif",
            "MetaXpress, ImageXpress: Plate my_plate, Well A01, Field 3, Channel 1, Slice 1, Time 2",
        );
        check(
            "exp_H12_w2.TIF",
            "MetaXpress, ImageXpress: Plate exp, Well H12, Channel 2",
        );
        check(
            "Pos0/img_channel000_position001_time000000002_z003.tif",
            "Micro-Manager 2: Field 001, Channel 000, Slice 003, Time 000000002",
        );
        check(
            "1-Pos_000_001/img_000000000_GFP wide_004.tif",
            "Micro-Manager 1.4: Field 1-Pos_000_001, Channel GFP wide, Slice 004, Time 000000000",
        );
        check(
            "img_000000000_GFP_004.tif",
            "Micro-Manager 1.4: Channel GFP, Slice 004, Time 000000000",
        );
    }

    #[test]
    fn names_of_habit() {
        check(
            "A01_f1_c2_z3_t4.tif",
            "a well with numbers: Well A01, Field 1, Channel 2, Slice 3, Time 4",
        );
        check(
            "run7/B2/t4_z3-ch02 site_9.ome.tif",
            "a well with numbers: Well B2, Field 9, Channel 02, Slice 3, Time 4",
        );
        check("F02_f03.tif", "a well with numbers: Well F02, Field 03");
        check("scan_C12.tif", "a well with numbers: Well C12");
        check("A01_F1_C2.tif", "a well with numbers: Well A01, Field 1, Channel 2");
        check(
            "cells_C01_Z02.tif",
            "an image with numbers: Image cells, Channel 01, Slice 02",
        );
        check(
            "mouse 3_c0_z12.tif",
            "an image with numbers: Image mouse 3, Channel 0, Slice 12",
        );
        check("day1/embryo_T001.tif", "an image with numbers: Image embryo, Time 001");
        check("embryo.ome.tif", "each file an image of its own: Image embryo");
        check("sub/Z1.tif", "each file an image of its own: Image sub/Z1");
    }

    #[test]
    fn patterns_of_users() {
        let pattern = Pattern::given(r"(?P<drug>\w+)/(?<row>[A-H])(?<col>\d+)_(?<fov>\d+)").unwrap();
        let said = pattern.read("DMSO/B07_3.tif").unwrap().unwrap();
        assert_eq!(
            format!("{:?} {:?}", said.parts, said.others),
            r#"{Row: "B", Column: "07", Field: "3"} {"drug": "DMSO"}"#
        );
        assert!(pattern.read("B07.tif").unwrap().is_none());
        let error = |text: &str| Pattern::given(text).err().unwrap().to_string();
        assert!(error("(?<a>.)").contains("no named group"), "{}", error("(?<a>.)"));
        assert!(error("(?<fov>.)(?<site>.)").contains("fov and site mean the same"));
        assert!(error("(?<fov>.").starts_with("the pattern"), "{}", error("(?<fov>."));
    }
}
