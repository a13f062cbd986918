//! Patterns in words, `{well}_s{field}_{channel}`: what people write who do not know regular expressions.

use super::pattern::{GROUPS, Part};

/// Whether a pattern is in words: it has a name in braces and no group of a regular expression.
pub(super) fn is_words(text: &str) -> bool {
    let mut names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    !text.contains("(?") && names.any(|(name, _)| is_name(name))
}

/// The regular expression of a pattern in words. Everything but `{name}` and `*` (any text without `/`) stands for itself; the pattern
/// matches a whole name, from the beginning of a file's or a folder's name to the suffix.
pub(super) fn regex_of_words(text: &str) -> Result<String, String> {
    let mut regex = "(?i)^(?:.*/)?".to_owned();
    let mut rest = text;
    while let Some(place) = rest.find(['{', '*']) {
        regex.push_str(&regex::escape(&rest[..place]));
        if let Some(after) = rest[place..].strip_prefix('*') {
            regex.push_str("[^/]*?");
            rest = after;
            continue;
        }
        let Some((name, after)) = rest[place + 1..].split_once('}') else {
            return Err("a brace { is not closed; write names as {well}".into());
        };
        if !is_name(name) {
            return Err(format!("{{{name}}} is not a name; names have letters, digits and _"));
        }
        if regex.contains(&format!("(?<{name}>")) {
            return Err(format!("it has {{{name}}} twice; write * for the second one"));
        }
        let part = GROUPS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
        let content = match part {
            Some(Part::Well) => "[A-Za-z]{1,2}[-_ ]?[0-9]{1,3}",
            Some(Part::Row) => "[A-Za-z]{1,2}|[0-9]+",
            Some(
                Part::Column
                | Part::RowFrom0
                | Part::ColumnFrom0
                | Part::Acquisition
                | Part::GridX
                | Part::GridY
                | Part::Slice
                | Part::Time,
            ) => "[0-9]+",
            _ => "[^/]+?",
        };
        regex.push_str(&format!("(?<{name}>{content})"));
        rest = after;
    }
    regex.push_str(&regex::escape(rest));
    let last = text.rsplit('/').next().unwrap_or(text);
    regex.push_str(if last.contains('.') {
        "$"
    } else {
        r"(?:\.ome)?\.[^./]+$"
    });
    Ok(regex)
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;

    fn check(pattern: &str, path: &str, expected: &str) {
        let read = Pattern::given(pattern).unwrap().read(path).unwrap();
        let text = read.map_or_else(
            || "no match".to_owned(),
            |read| format!("{:?} {:?}", read.parts, read.others),
        );
        assert_eq!(text, expected, "{pattern} {path}");
    }

    #[test]
    fn words_stand_for_parts() {
        check(
            "{well}_s{field}_{channel}",
            "b3_S12_DAPI high.ome.tif",
            r#"{Well: "b3", Field: "12", Channel: "DAPI high"} {}"#,
        );
        check(
            "{drug}/*_{row}{col}_z{z}.png",
            "scan/DMSO (1)/x_y_C07_z003.png",
            r#"{Row: "C", Column: "07", Slice: "003"} {"drug": "DMSO (1)"}"#,
        );
        check("{well}_s{field}", "run_A01_s1.tif", "no match");
        check("*{well}_s{field}", "run_A01_s1.tif", r#"{Well: "A01", Field: "1"} {}"#);
        check("a+b({t})", "a+b(5).tif", r#"{Time: "5"} {}"#);
    }

    #[test]
    fn words_and_regular_expressions_are_told_apart() {
        assert!(is_words("{well}") && is_words("x{2}_{field}"));
        assert!(!is_words("(?<well>[A-P]{1,2})") && !is_words("[A-P]{2}") && !is_words("plain"));
        let error = |text: &str| Pattern::given(text).err().unwrap().to_string();
        assert!(
            error("{well}_{field").contains("not closed"),
            "{}",
            error("{well}_{field")
        );
        assert!(error("{well}_{well}").contains("twice"));
        assert!(error("{drug}").contains("nothing in it has a name such as {well}"));
    }
}
