//! Splits text into the records of a table: cells between delimiters, quoted cells, any line ends.

use std::borrow::Cow;

/// A cell as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether its writer marks it as text: it is in quotes, or a text cell of a spreadsheet.
    pub(super) is_text: bool,
}

/// A record and its number, from 1, as a spreadsheet counts rows: blank ones count, line ends inside of quotes do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) number: usize,
    pub(super) cells: Vec<Written<'a>>,
}

impl Record<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.trim().is_empty())
    }

    /// Whether it is a line such as `# exported by …`, in a table of several columns.
    pub(super) fn is_comment(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.next().is_some_and(|cell| cell.text.trim_start().starts_with('#'))
            && cells.all(|cell| cell.text.trim().is_empty())
    }
}

/// The records of a text, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    rest: &'a str,
    delimiter: char,
    /// Whether blanks after a delimiter belong to it: `a, "b"`.
    padded: bool,
    number: usize,
    ended: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, delimiter: char, padded: bool) -> Self {
        Self {
            rest: text,
            delimiter,
            padded,
            number: 0,
            ended: text.is_empty(),
        }
    }

    /// The next cell, and whether it is the last of its record; `None` where a quote is not closed.
    fn cell(&mut self) -> Option<(Written<'a>, bool)> {
        let rest = if self.padded {
            self.rest.trim_start_matches(' ')
        } else {
            self.rest
        };
        let ends = |c: char| c == self.delimiter || c == '\n' || c == '\r';
        let mut text = Cow::Borrowed("");
        let mut rest = rest;
        let is_text = rest.starts_with('"');
        if is_text {
            rest = &rest[1..];
            loop {
                let quote = rest.find('"')?;
                text += &rest[..quote];
                rest = &rest[quote + 1..];
                // A quote inside of quotes is written twice.
                match rest.strip_prefix('"') {
                    Some(after) => {
                        text += "\"";
                        rest = after;
                    }
                    None => break,
                }
            }
        }
        let end = rest.find(ends).unwrap_or(rest.len());
        if !is_text || !rest[..end].trim().is_empty() {
            text += &rest[..end];
        }
        let mut after = rest[end..].chars();
        let last = match after.next() {
            Some('\r') => {
                let after = after.as_str();
                self.rest = after.strip_prefix('\n').unwrap_or(after);
                true
            }
            Some('\n') => {
                self.rest = after.as_str();
                true
            }
            Some(_) => {
                self.rest = after.as_str();
                false
            }
            None => {
                self.rest = "";
                self.ended = true;
                true
            }
        };
        self.ended |= last && self.rest.is_empty();
        Some((Written { text, is_text }, last))
    }
}

impl<'a> Iterator for Records<'a> {
    /// The number of the record whose quote is not closed.
    type Item = Result<Record<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.number += 1;
        let mut cells = Vec::new();
        loop {
            match self.cell() {
                Some((cell, last)) => {
                    cells.push(cell);
                    if last {
                        return Some(Ok(Record {
                            number: self.number,
                            cells,
                        }));
                    }
                }
                None => {
                    self.ended = true;
                    return Some(Err(self.number));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, delimiter: char, padded: bool, expected: &str) {
        let record = |record: Result<Record<'_>, usize>| match record {
            Err(number) => format!("{number}: open quote"),
            Ok(record) => {
                let cell = |cell: &Written<'_>| format!("{}{:?}", if cell.is_text { "q" } else { "" }, cell.text);
                let cells: Vec<String> = record.cells.iter().map(cell).collect();
                format!("{}: {}", record.number, cells.join(" "))
            }
        };
        let records: Vec<String> = Records::new(text, delimiter, padded).map(record).collect();
        assert_eq!(records.join(" | "), expected, "{text:?}");
    }

    #[test]
    fn cells_between_delimiters() {
        check("a,b\n1,\n", ',', false, r#"1: "a" "b" | 2: "1" """#);
        check("a;b,c", ';', false, r#"1: "a" "b,c""#);
        check("a\tb\r\n\r\n1\t2", '\t', false, r#"1: "a" "b" | 2: "" | 3: "1" "2""#);
        check("a,b\r1,2\r", ',', false, r#"1: "a" "b" | 2: "1" "2""#);
        check("", ',', false, "");
    }

    #[test]
    fn quotes() {
        check(
            "\"a,\"\"b\"\"\n\",2\n3",
            ',',
            false,
            "1: q\"a,\\\"b\\\"\\n\" \"2\" | 2: \"3\"",
        );
        check("5\" wide,\"\"", ',', false, r#"1: "5\" wide" q"""#);
        check("\"a\" ,b", ',', false, r#"1: q"a" "b""#);
        check("\"a\"b,c", ',', false, r#"1: q"ab" "c""#);
        check("a\n\"b", ',', false, r#"1: "a" | 2: open quote"#);
        check("a, \"b, c\", d", ',', true, r#"1: "a" q"b, c" "d""#);
    }

    #[test]
    fn comments_have_one_cell() {
        let first = |text| Records::new(text, ',', false).next().unwrap().unwrap();
        assert!(first("# A02 was dropped,,").is_comment());
        assert!(!first("#1.tif,A").is_comment());
        assert!(first(" ,,").is_blank());
    }
}
