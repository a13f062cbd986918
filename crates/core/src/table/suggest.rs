//! Guesses a pattern in words from names that share a shape, for messages that ask for one.

use std::collections::HashMap;

use super::channel_words::is_channel_word;

/// A run of characters of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Run {
    Digits,
    Letters,
    /// Any other character, which has to be the same in all names.
    Sign(char),
}

/// What a number means by the word before it.
const WORDS: [(&[&str], &str); 7] = [
    (
        &[
            "f", "fov", "field", "s", "site", "pos", "position", "point", "xy", "tile",
        ],
        "field",
    ),
    (&["c", "ch", "channel", "w", "wv", "wavelength"], "channel"),
    (&["z", "slice", "plane"], "z"),
    (&["t", "tp", "time", "timepoint", "frame"], "t"),
    (&["r", "row"], "row"),
    (&["col", "column"], "column"),
    (&["day", "cycle", "round", "acquisition"], "acquisition"),
];

/// A pattern in words that reads most of the names, if they share a shape and differ in something.
pub(super) fn guess(files: &[&str]) -> Option<String> {
    let mut shapes: HashMap<Vec<Run>, Vec<Vec<&str>>> = HashMap::new();
    for file in files {
        let (shape, texts) = runs(stem(file));
        shapes.entry(shape).or_default().push(texts);
    }
    let (shape, names) = shapes
        .into_iter()
        .max_by(|a, b| (a.1.len(), &b.0).cmp(&(b.1.len(), &a.0)))?;
    let reads_most = names.len() * 2 > files.len() && names.len() > 1;
    let special = shape.iter().any(|run| matches!(run, Run::Sign('{' | '}' | '*')));
    if !reads_most || special {
        return None;
    }
    let column = |index: usize| names.iter().map(move |name| name[index]);
    let varies = |index: usize| column(index).any(|text| text != names[0][index]);
    let is_well = |index: &usize| {
        let index = *index;
        let is_row = |text: &str| matches!(text.as_bytes(), [row] if (b'A'..=b'P').contains(&row.to_ascii_uppercase()));
        let begins = index == 0 || matches!(shape[index - 1], Run::Sign(_));
        let is_capital = names[0][index].bytes().all(|byte| byte.is_ascii_uppercase());
        begins
            && shape[index] == Run::Letters
            && shape.get(index + 1) == Some(&Run::Digits)
            && column(index).all(is_row)
            && column(index + 1).all(|text| (1..=2).contains(&text.len()))
            && (varies(index) || is_capital)
    };
    // Two digits are likelier a column than one is; folders come before.
    let candidates: Vec<usize> = (0..shape.len()).filter(is_well).collect();
    let two_digits = candidates
        .iter()
        .rev()
        .find(|index| column(**index + 1).all(|text| text.len() == 2));
    let well = two_digits.or_else(|| candidates.last()).copied();
    let mut pattern = String::new();
    let mut free = vec!["t", "z", "field"];
    let mut used: Vec<&str> = Vec::new();
    let mut index = 0;
    while index < shape.len() {
        let first = names[0][index];
        if well == Some(index) {
            pattern.push_str("{well}");
            used.push("well");
            index += 2;
            continue;
        }
        if !varies(index) {
            pattern.push_str(first);
            index += 1;
            continue;
        }
        if shape[index] == Run::Digits {
            let before = index
                .checked_sub(1)
                .filter(|before| shape[*before] == Run::Letters && !varies(*before));
            let before = before.map(|before| names[0][before].to_lowercase());
            let known = WORDS
                .iter()
                .find(|(words, _)| before.as_deref().is_some_and(|word| words.contains(&word)));
            let part = known.map(|(_, part)| *part).filter(|part| !used.contains(part));
            free.retain(|name| !used.contains(name));
            let plate = Some("plate").filter(|part| well.is_some_and(|well| index < well) && !used.contains(part));
            let part = part.or(plate);
            let part = part.or_else(|| free.pop())?;
            pattern.push_str(&format!("{{{part}}}"));
            used.push(part);
            index += 1;
        } else {
            // A word and what follows it up to the next sign.
            while shape.get(index + 1).is_some_and(|run| !matches!(run, Run::Sign(_))) {
                index += 1;
            }
            let parts = match well {
                _ if column(index).any(is_channel_word) => ["channel", "plate"],
                None => ["image", "channel"],
                Some(well) if index < well => ["plate", "channel"],
                Some(_) => ["channel", "plate"],
            };
            let part = parts.into_iter().find(|part| !used.contains(part))?;
            pattern.push_str(&format!("{{{part}}}"));
            used.push(part);
            index += 1;
        }
    }
    (!used.is_empty() && used != ["well"] && used != ["image"]).then_some(pattern)
}

/// A path without the suffix of its file.
fn stem(file: &str) -> &str {
    let stem = file.rsplit_once('.').filter(|(_, suffix)| !suffix.contains('/'));
    let stem = stem.map_or(file, |(stem, _)| stem);
    stem.strip_suffix(".ome").unwrap_or(stem)
}

fn runs(name: &str) -> (Vec<Run>, Vec<&str>) {
    let kind = |c: char| {
        if c.is_ascii_digit() {
            Run::Digits
        } else if c.is_alphabetic() {
            Run::Letters
        } else {
            Run::Sign(c)
        }
    };
    let (mut shape, mut texts) = (Vec::new(), Vec::new());
    let mut start = 0;
    let mut last: Option<Run> = None;
    for (place, c) in name.char_indices() {
        let this = kind(c);
        if let Some(run) = last.filter(|run| *run != this || matches!(this, Run::Sign(_))) {
            shape.push(run);
            texts.push(&name[start..place]);
            start = place;
        }
        last = Some(this);
    }
    if let Some(run) = last {
        shape.push(run);
        texts.push(&name[start..]);
    }
    (shape, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &str, expected: &str) {
        let files: Vec<&str> = files.split(", ").collect();
        assert_eq!(guess(&files).as_deref().unwrap_or("none"), expected, "{files:?}");
    }

    #[test]
    fn names_that_share_a_shape() {
        check("A01_s1_DMSO.tif, A02_s2_Taxol.tif", "{well}_s{field}_{channel}");
        check(
            "exp_001_ch00.ome.tif, exp_001_ch01.ome.tif, exp_002_ch00.ome.tif",
            "exp_{field}_ch{channel}",
        );
        check("P1/A01_1.tif, P2/A01_1.tif", "P{plate}/{well}_1");
        check("DMSO_A1.tif, Taxol_A1.tif", "{plate}_{well}");
        check("DAPI/k_1.tif, GFP/k_2.tif", "{channel}/k_{field}");
        check("x001.png, x002.png, notes.png", "x{field}");
        check("embryo.tif, mouse.tif", "none");
        check("one.tif", "none");
        check("a{1}.tif, a{2}.tif", "none");
    }

    #[test]
    fn what_is_guessed_is_a_pattern() {
        let files = ["run 7/B02-s01(DAPI)+1.tif", "run 7/C11-s02(GFP)+1.tif"];
        let pattern = guess(&files).unwrap();
        assert_eq!(pattern, "run 7/{well}-s{field}({channel})+1");
        let pattern = super::super::pattern::Pattern::given(&pattern).unwrap();
        assert!(files.iter().all(|file| pattern.read(file).unwrap().is_some()));
    }
}
