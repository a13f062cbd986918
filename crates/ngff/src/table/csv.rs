//! CSV as Arrow writes it, which ngio uses: header and texts in quotes, missing cells empty, numbers as short as they
//! can be.

use std::fmt::Write as _;

use super::data::{Cell, DataTable};
use crate::error::{NgffError, Result};

/// The bytes of a CSV file.
pub(super) fn encode(table: &DataTable) -> Vec<u8> {
    let mut out = String::new();
    push_row(&mut out, table.columns().map(|(name, _)| name), |out, name| {
        push_text(out, name)
    });
    for row in 0..table.row_count() {
        push_row(&mut out, table.columns().map(|(_, cells)| &cells[row]), push_cell);
    }
    out.into_bytes()
}

fn push_row<T>(out: &mut String, cells: impl Iterator<Item = T>, push: impl Fn(&mut String, T)) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(out, cell);
    }
    out.push('\n');
}

fn push_cell(out: &mut String, cell: &Cell) {
    // Writing to a String cannot fail.
    let _ = match cell {
        Cell::Null => Ok(()),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Int(value) => write!(out, "{value}"),
        Cell::Float(value) => write!(out, "{}", Number(*value)),
        Cell::Text(text) => {
            push_text(out, text);
            Ok(())
        }
    };
}

fn push_text(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

/// A float with the fewest digits that read back as it: `0`, `0.1`, and with an exponent from 1e10 up and below 1e-6,
/// `1e+10`, `1.5e-7`.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.0;
        if value.is_nan() {
            return f.write_str("nan");
        }
        if value == 0.0 || value.is_infinite() || (1e-6..1e10).contains(&value.abs()) {
            return write!(f, "{value}");
        }
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(f, "{digits}e+{exponent}"),
            _ => f.write_str(&text),
        }
    }
}

/// Reads a CSV file, quoted by Arrow or pandas. A column is boolean, whole numbers, floats or text, the first that fits
/// all its cells; empty cells without quotes are null.
pub(super) fn decode(bytes: &[u8], place: &str) -> Result<DataTable> {
    let error = |line: usize, problem: String| NgffError::Csv {
        place: place.to_owned(),
        line,
        problem,
    };
    let text = std::str::from_utf8(bytes).map_err(|e| error(1, format!("not UTF-8: {e}")))?;
    let mut records = Records {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
    };
    let Some(header) = records.next_record().map_err(|(line, problem)| error(line, problem))? else {
        return Ok(DataTable::new());
    };
    let mut columns: Vec<Vec<Field>> = vec![Vec::new(); header.len()];
    loop {
        let line = records.line;
        let Some(record) = records.next_record().map_err(|(line, problem)| error(line, problem))? else {
            break;
        };
        // A blank line is a row of one null, or of nothing.
        if header.len() > 1 && record.len() == 1 && record[0].is_null() {
            continue;
        }
        if record.len() != header.len() {
            return Err(error(
                line,
                format!("{} cells, expected {} as in the header", record.len(), header.len()),
            ));
        }
        columns
            .iter_mut()
            .zip(record)
            .for_each(|(column, field)| column.push(field));
    }
    let mut table = DataTable::new();
    for (name, fields) in header.into_iter().zip(columns) {
        if table.column(&name.text).is_some() {
            return Err(error(
                1,
                format!("column {:?} is twice in the header, expected distinct names", name.text),
            ));
        }
        table.push_column(name.text, typed(fields))?;
    }
    Ok(table)
}

#[derive(Clone)]
struct Field {
    text: String,
    quoted: bool,
}

impl Field {
    fn is_null(&self) -> bool {
        self.text.is_empty() && !self.quoted
    }
}

fn typed(fields: Vec<Field>) -> Vec<Cell> {
    let parsed = |parse: fn(&str) -> Option<Cell>| -> Option<Vec<Cell>> {
        let cell = |field: &Field| match field {
            field if field.is_null() => Some(Cell::Null),
            Field { quoted: true, .. } => None,
            Field { text, .. } => parse(text),
        };
        fields.iter().map(cell).collect()
    };
    let boolean: fn(&str) -> Option<Cell> = |text| match text {
        "true" | "True" | "TRUE" => Some(Cell::Bool(true)),
        "false" | "False" | "FALSE" => Some(Cell::Bool(false)),
        _ => None,
    };
    parsed(boolean)
        .or_else(|| parsed(|text| text.parse().ok().map(Cell::Int)))
        .or_else(|| parsed(|text| text.parse().ok().map(Cell::Float)))
        .unwrap_or_else(|| {
            let cell = |field: Field| {
                if field.is_null() {
                    Cell::Null
                } else {
                    Cell::Text(field.text)
                }
            };
            fields.into_iter().map(cell).collect()
        })
}

/// Splits the text into records; quotes may hold separators and line ends.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Records<'_> {
    fn next_record(&mut self) -> Result<Option<Vec<Field>>, (usize, String)> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut record = Vec::new();
        loop {
            record.push(if self.rest.starts_with('"') {
                self.quoted()?
            } else {
                self.plain()
            });
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
            return match rest {
                Some(rest) => {
                    self.rest = rest;
                    self.line += 1;
                    Ok(Some(record))
                }
                None if self.rest.is_empty() => Ok(Some(record)),
                None => Err((
                    self.line,
                    "text after a closing quote, expected ',' or the end of the line".to_owned(),
                )),
            };
        }
    }

    fn plain(&mut self) -> Field {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let (text, _) = self.rest.split_at(end);
        let text = if self.rest[end..].starts_with(',') {
            text
        } else {
            text.strip_suffix('\r').unwrap_or(text)
        };
        let field = Field {
            text: text.to_owned(),
            quoted: false,
        };
        self.rest = &self.rest[text.len()..];
        field
    }

    fn quoted(&mut self) -> Result<Field, (usize, String)> {
        let mut text = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some(end) = rest.find('"') else {
                return Err((self.line, "a quote is opened and never closed".to_owned()));
            };
            text.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    text.push('"');
                    rest = after;
                }
                None => break,
            }
        }
        self.line += text.matches('\n').count();
        self.rest = rest;
        Ok(Field { text, quoted: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every right-hand side was written by pyarrow's CSV writer.
    #[test]
    fn numbers_look_like_arrows() {
        for (value, expected) in [
            (1e10, "1e+10"),
            (9999999999.9, "9999999999.9"),
            (12345678901.5, "1.23456789015e+10"),
            (-1e10, "-1e+10"),
            (1.25e15, "1.25e+15"),
            (1e300, "1e+300"),
            (1e-6, "0.000001"),
            (1.5e-6, "0.0000015"),
            (9.9e-7, "9.9e-7"),
            (-1e-7, "-1e-7"),
            (5e-324, "5e-324"),
            (0.1, "0.1"),
            (100.0, "100"),
            (1.0 / 3.0, "0.3333333333333333"),
            (93.6581231223648, "93.6581231223648"),
            (-0.0, "-0"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(Number(value).to_string(), expected);
        }
    }

    fn odd_table() -> DataTable {
        let text = |text: &str| Cell::Text(text.to_owned());
        let mut table = DataTable::new();
        let ints = [Cell::Int(1), Cell::Int((1 << 53) + 1), Cell::Int(i64::MIN), Cell::Null];
        table.push_column("i", ints.to_vec()).unwrap();
        let bools = [Cell::Bool(true), Cell::Bool(false), Cell::Null, Cell::Bool(true)];
        table.push_column("b", bools.to_vec()).unwrap();
        table.push_column("n", vec![Cell::Null; 4]).unwrap();
        table
            .push_column("s", vec![text("a\"b"), text("x\ny"), text(""), Cell::Null])
            .unwrap();
        table
            .push_column("h\"x,", vec![text("a,b"), text("é"), text(" "), text("1")])
            .unwrap();
        table
    }

    #[test]
    fn text_and_gaps_look_like_arrows_and_are_read_back() {
        let expected = "\"i\",\"b\",\"n\",\"s\",\"h\"\"x,\"\n\
                        1,true,,\"a\"\"b\",\"a,b\"\n\
                        9007199254740993,false,,\"x\ny\",\"é\"\n\
                        -9223372036854775808,,,\"\",\" \"\n\
                        ,true,,,\"1\"\n";
        let bytes = encode(&odd_table());
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
        assert_eq!(decode(&bytes, "table.csv").unwrap(), odd_table());
    }

    #[test]
    fn tables_of_pandas_are_read() {
        let text = "well,dose,on,code,gap\r\nA01,1,True,7,\r\nB02,0.5,False,x,1\r\n\r\n";
        let table = decode(text.as_bytes(), "table.csv").unwrap();
        assert_eq!(table.column("dose").unwrap(), [Cell::Float(1.0), Cell::Float(0.5)]);
        assert_eq!(table.column("on").unwrap(), [Cell::Bool(true), Cell::Bool(false)]);
        assert_eq!(
            table.column("code").unwrap(),
            [Cell::Text("7".into()), Cell::Text("x".into())]
        );
        assert_eq!(table.column("gap").unwrap(), [Cell::Null, Cell::Int(1)]);
        let gaps = decode(b"\"a\"\n\n\"\"\n", "table.csv").unwrap();
        assert_eq!(gaps.column("a").unwrap(), [Cell::Null, Cell::Text(String::new())]);
    }

    #[test]
    fn damaged_tables_name_file_and_line() {
        let message = |text: &str| decode(text.as_bytes(), "P/table.csv").unwrap_err().to_string();
        assert_eq!(
            message("\"a\",\"b\"\n1,2\n1\n"),
            "P/table.csv, line 3: 1 cells, expected 2 as in the header"
        );
        assert_eq!(
            message("\"a\"\n\"x\ny\"\n\"z\n"),
            "P/table.csv, line 4: a quote is opened and never closed"
        );
        assert!(message("a,a\n1,2\n").starts_with("P/table.csv, line 1: column \"a\" is twice"));
        assert!(message("\"a\"b\n").starts_with("P/table.csv, line 1: text after a closing quote"));
    }
}
