//! Finds out how a text table is written: its delimiter, where its header is, and what comes before it.

use super::records::{Record, Records};

/// Delimiters that people and programs use, the likeliest first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// Lines in which a header is looked for.
const HEADER_WITHIN: usize = 100;

/// How a text table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: char,
    /// Whether a blank after each delimiter belongs to it.
    pub(super) padded: bool,
    /// Number of the record that names the columns.
    pub(super) header: usize,
}

impl Dialect {
    /// The delimiter in words.
    pub(super) fn delimiter_words(&self) -> &'static str {
        match self.delimiter {
            ';' => "semicolons",
            '\t' => "tabs",
            '|' => "vertical bars",
            _ => "commas",
        }
    }
}

/// The dialect of a text, and the text after a `sep=` line, which spreadsheet programs do not count as a row. `names` are those that
/// tell the header from lines before it; where no line has one of them, the first that is neither blank nor a comment is the header.
pub(super) fn sniff<'a>(text: &'a str, names: &[&str]) -> (&'a str, Dialect) {
    let (text, given) = separator_line(text);
    let candidates = || {
        DELIMITERS
            .into_iter()
            .filter(|delimiter| given.is_none_or(|given| given == *delimiter))
    };
    let mut best: Option<(usize, Dialect)> = None;
    for delimiter in candidates().chain(given.filter(|given| !DELIMITERS.contains(given))) {
        let mut records = Records::new(text, delimiter, false)
            .map_while(Result::ok)
            .take(HEADER_WITHIN);
        let found = records.find_map(|record| {
            let score = known_names(&record, names);
            (score > 0).then_some((score, record))
        });
        // Without a known name, more columns are better; a known name is better than any number of columns.
        let first = || {
            let mut records = Records::new(text, delimiter, false).map_while(Result::ok);
            let first = records.find(|record| !record.is_blank() && !starts_with_hash(record));
            first.map(|record| (0, record))
        };
        let Some((known, header)) = found.or_else(first) else {
            continue;
        };
        let score = known * 1000 + header.cells.len();
        if best.as_ref().is_none_or(|(least, _)| score > *least) {
            best = Some((score, Dialect::of(delimiter, &header)));
        }
    }
    let dialect = best.map(|(_, dialect)| dialect);
    (
        text,
        dialect.unwrap_or(Dialect {
            delimiter: given.unwrap_or(','),
            padded: false,
            header: 1,
        }),
    )
}

impl Dialect {
    fn of(delimiter: char, header: &Record<'_>) -> Self {
        let later = header.cells.get(1..).unwrap_or(&[]);
        Self {
            delimiter,
            padded: !later.is_empty() && later.iter().all(|cell| cell.text.starts_with(' ')),
            header: header.number,
        }
    }
}

/// Columns of a record that have one of the names, in any case of letters.
pub(super) fn known_names(record: &Record<'_>, names: &[&str]) -> usize {
    header_names(record)
        .filter(|name| names.contains(&name.to_lowercase().as_str()))
        .count()
}

/// The names of a header without blanks around them; a `#` before the first makes a comment of the header for other programs.
pub(super) fn header_names<'a>(record: &'a Record<'_>) -> impl Iterator<Item = &'a str> {
    record.cells.iter().enumerate().map(|(index, cell)| {
        let name = cell.text.trim();
        if index == 0 {
            name.trim_start_matches('#').trim()
        } else {
            name
        }
    })
}

fn starts_with_hash(record: &Record<'_>) -> bool {
    record
        .cells
        .first()
        .is_some_and(|cell| cell.text.trim_start().starts_with('#'))
}

/// A first line such as `sep=;`, taken off.
fn separator_line(text: &str) -> (&str, Option<char>) {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let line = text[..end].trim_matches([' ', '"']);
    let separator = line
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .map(|_| line[4..].chars().collect::<Vec<_>>());
    match separator.as_deref() {
        Some(&[delimiter]) => {
            let rest = &text[end..];
            let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
            (rest.unwrap_or(""), Some(delimiter))
        }
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let (_, dialect) = sniff(text, &["file_path", "row", "start_x"]);
        let padded = if dialect.padded { ", padded" } else { "" };
        assert_eq!(
            format!("{}, header {}{padded}", dialect.delimiter_words(), dialect.header),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn delimiters() {
        check("file_path,row\na,A", "commas, header 1");
        check("file_path;row;start_x\na;A;1,5", "semicolons, header 1");
        check("file_path\trow\na, b\tA", "tabs, header 1");
        check("file_path|row\n", "vertical bars, header 1");
        check("file_path, row, \"start_x\"\n", "commas, header 1, padded");
        check("\"file_path\";\"row\"\n", "semicolons, header 1");
        check("a;b\n1;2", "semicolons, header 1");
        check("", "commas, header 1");
    }

    #[test]
    fn lines_before_the_header() {
        check("sep=;\nfile_path;row\n", "semicolons, header 1");
        check("\"SEP=\t\"\r\nfile_path\trow\n", "tabs, header 1");
        check("# by StageTool, version 3\n\nfile_path;row\n", "semicolons, header 3");
        check("Plate 1,,\nexported,today,\nFile_Path,Row,drug\n", "commas, header 3");
        check("#file_path,row\n", "commas, header 1");
        check("# x\na,b\n1,2", "commas, header 2");
    }
}
