//! Gives columns of written cells their types: those that pandas would, but for codes, which stay as they are written.

use std::borrow::Cow;

use ome_zarr_convert_ngff::Cell;

use super::records::Written;

/// What pandas takes for a missing value. `None` is one too, but not among other texts.
const MISSING: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "n/a", "nan", "null", "",
];

/// Columns that are names: they stay as written, so that a field called `01` does not become `1`.
const NAMES: [&str; 6] = ["file_path", "fov_name", "image_path", "row", "plate_name", "well"];

/// Columns that are numbers whatever their cells look like.
const NUMBERS: [&str; 13] = [
    "start_x",
    "start_y",
    "start_z",
    "start_c",
    "start_t",
    "length_x",
    "length_y",
    "length_z",
    "length_c",
    "length_t",
    "column",
    "col",
    "acquisition",
];

/// A column as it is written.
pub(super) struct Column<'a> {
    pub(super) name: String,
    pub(super) cells: Vec<Written<'a>>,
}

/// Where columns come from: how sure a decimal comma is depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Delimited(char),
    Spreadsheet,
}

/// The columns with their types: integers, numbers, booleans, else text. Integers with a gap become numbers.
pub(super) fn typed(columns: Vec<Column<'_>>, origin: Origin) -> Vec<(String, Vec<Cell>)> {
    let comma = has_decimal_comma(&columns, origin);
    // Quotes tell text from numbers only where not all is quoted.
    let mut cells = columns.iter().flat_map(|column| &column.cells);
    let quotes_tell = origin == Origin::Spreadsheet || cells.any(|cell| !cell.is_text && !is_missing(&cell.text));
    let typed = |column: Column<'_>| {
        let is_text = quotes_tell && column.is_text();
        let cells = column.typed(is_text, comma);
        (column.name, cells)
    };
    columns.into_iter().map(typed).collect()
}

impl Column<'_> {
    /// Whether its writer marks all of its cells as text.
    fn is_text(&self) -> bool {
        let mut filled = self.cells.iter().filter(|cell| !is_missing(&cell.text)).peekable();
        filled.peek().is_some() && filled.all(|cell| cell.is_text)
    }

    fn typed(&self, is_text: bool, comma: bool) -> Vec<Cell> {
        let cells = || self.cells.iter().map(|cell| cell.text.as_ref());
        let text = |cell: &str| {
            if is_missing(cell) {
                Cell::Null
            } else {
                Cell::Text(cell.to_owned())
            }
        };
        let name = self.name.as_str();
        if NUMBERS.contains(&name) {
            return self.numbers(comma);
        }
        let values = || cells().filter(|cell| !is_missing(cell) && *cell != "None");
        let is_code = is_text || values().any(has_leading_zero);
        if NAMES.contains(&name) || (is_code && values().next().is_some()) {
            return cells().map(text).collect();
        }
        if values().next().is_none() {
            return vec![Cell::Null; self.cells.len()];
        }
        if values().all(|cell| number(cell, comma).is_some()) {
            // Too long for a number without loss: a barcode.
            if values().all(is_whole) && !values().all(|cell| cell.trim().parse::<i64>().is_ok()) {
                return cells().map(text).collect();
            }
            return self.numbers(comma);
        }
        if values().all(|cell| boolean(cell).is_some()) {
            return cells()
                .map(|cell| boolean(cell).map_or(Cell::Null, Cell::Bool))
                .collect();
        }
        cells().map(text).collect()
    }

    /// Cells as numbers, whole ones if all are and none is missing. What is not a number stays text, to be named in an error.
    fn numbers(&self, comma: bool) -> Vec<Cell> {
        let whole = |cell: &Written<'_>| number_text(&cell.text, false).parse::<i64>().ok();
        if let Some(numbers) = self.cells.iter().map(whole).collect::<Option<Vec<i64>>>() {
            return numbers.into_iter().map(Cell::Int).collect();
        }
        let cell = |cell: &Written<'_>| match number(&cell.text, comma) {
            Some(value) => Cell::Float(value),
            None if is_missing(&cell.text) || cell.text == "None" => Cell::Null,
            None => Cell::Text(cell.text.as_ref().to_owned()),
        };
        self.cells.iter().map(cell).collect()
    }
}

/// Whether numbers of the table have a decimal comma. Where some have a comma and others a point, or a comma can as well part
/// thousands, none has: such cells are named as errors.
fn has_decimal_comma(columns: &[Column<'_>], origin: Origin) -> bool {
    let (mut commas, mut points, mut sure) = (false, false, false);
    let semicolons = origin == Origin::Delimited(';');
    for column in columns {
        let is_number = NUMBERS.contains(&column.name.as_str());
        // Other columns may hold lists such as 1,2; a table with semicolons comes from where the comma is decimal.
        let all = || {
            column
                .cells
                .iter()
                .all(|cell| is_missing(&cell.text) || number(&cell.text, true).is_some())
        };
        let counts = is_number || (semicolons && all());
        if !counts {
            continue;
        }
        for cell in &column.cells {
            match (cell.text.contains(','), cell.text.contains('.')) {
                (true, false) if number(&cell.text, true).is_some() => {
                    commas = true;
                    sure |= semicolons || !parts_thousands(cell.text.trim());
                }
                (false, true) if is_number && number(&cell.text, false).is_some() => points = true,
                _ => {}
            }
        }
    }
    commas && !points && sure
}

/// Whether a comma could part thousands: `1,234`, `12,345,678`.
fn parts_thousands(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '\u{2212}']);
    let mut parts = digits.split(',');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts
        .next()
        .is_some_and(|first| is_number(first) && first.len() <= 3 && !first.starts_with('0'))
        && parts.all(|part| is_number(part) && part.len() == 3)
}

/// The text of a number as programs write it: without blanks around it, with a hyphen for a minus sign, and a decimal point.
fn number_text(text: &str, comma: bool) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text.trim());
    if text.contains('\u{2212}') {
        text = Cow::Owned(text.replace('\u{2212}', "-"));
    }
    if comma && text.contains(',') && !text.contains('.') {
        text = Cow::Owned(text.replace(',', "."));
    }
    text
}

/// Decimal numbers and infinities; NaN is a missing value, and in other spellings text.
fn number(text: &str, comma: bool) -> Option<f64> {
    let value: f64 = number_text(text, comma).parse().ok()?;
    (!value.is_nan()).then_some(value)
}

/// Digits only: whole numbers of any size.
fn is_whole(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether text is digits with a zero before them: a code such as `007`.
fn has_leading_zero(text: &str) -> bool {
    let text = text.trim();
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_missing(text: &str) -> bool {
    MISSING.contains(&text) || text.trim().is_empty()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns as `name: cell cell`; a cell in quotes is marked as text, `_` is an empty one.
    fn check(columns: &str, origin: Origin, expected: &str) {
        let column = |line: &str| {
            let (name, cells) = line.split_once(": ").unwrap();
            let cell = |cell: &str| {
                let text = cell.trim_matches('"').replace('_', "");
                Written {
                    is_text: cell.starts_with('"'),
                    text: Cow::Owned(text),
                }
            };
            Column {
                name: name.trim().to_owned(),
                cells: cells.split(' ').map(cell).collect(),
            }
        };
        let columns = columns.lines().map(column).collect();
        let typed: Vec<String> = typed(columns, origin)
            .iter()
            .map(|(name, cells)| format!("{name} {cells:?}"))
            .collect();
        assert_eq!(typed.join("; "), expected);
    }

    const COMMAS: Origin = Origin::Delimited(',');
    const SEMICOLONS: Origin = Origin::Delimited(';');

    #[test]
    fn codes_stay_text() {
        check(
            "code: 001 1E5 12",
            COMMAS,
            r#"code [Text("001"), Text("1E5"), Text("12")]"#,
        );
        check(
            "code: \"1E5\" \"2\"\ndose: 1 2",
            COMMAS,
            r#"code [Text("1E5"), Text("2")]; dose [Int(1), Int(2)]"#,
        );
        // Where everything is quoted, quotes tell nothing.
        check(
            "dose: \"1\" \"2\"\nnote: _ _",
            COMMAS,
            "dose [Int(1), Int(2)]; note [Null, Null]",
        );
        check(
            "code: \"1\" \"2\"",
            Origin::Spreadsheet,
            r#"code [Text("1"), Text("2")]"#,
        );
        check(
            "drug: None DMSO NA",
            COMMAS,
            r#"drug [Text("None"), Text("DMSO"), Null]"#,
        );
        check("dose: None 2", COMMAS, "dose [Null, Float(2.0)]");
        check("start_c: 00 01", COMMAS, "start_c [Int(0), Int(1)]");
        check("dose: 0.5 0", COMMAS, "dose [Float(0.5), Float(0.0)]");
    }

    #[test]
    fn decimal_commas() {
        check("start_x: 0,25 24,5", SEMICOLONS, "start_x [Float(0.25), Float(24.5)]");
        check(
            "start_x: 0 10\ndose: 0,5 1",
            SEMICOLONS,
            "start_x [Int(0), Int(10)]; dose [Float(0.5), Float(1.0)]",
        );
        check("start_x: 1,234 10", SEMICOLONS, "start_x [Float(1.234), Float(10.0)]");
        check("start_x: \"0,25\" 10", COMMAS, "start_x [Float(0.25), Float(10.0)]");
        // A comma that can part thousands, and one among points, is for the user to decide.
        check(
            "start_x: \"1,234\" 10",
            COMMAS,
            r#"start_x [Text("1,234"), Float(10.0)]"#,
        );
        check("start_x: 1,5 2.5", SEMICOLONS, r#"start_x [Text("1,5"), Float(2.5)]"#);
        check(
            "start_x: 1.234,5 2,5",
            SEMICOLONS,
            r#"start_x [Text("1.234,5"), Float(2.5)]"#,
        );
        check(
            "near: \"1,2\" \"3,4\"\nstart_x: 1 2",
            COMMAS,
            r#"near [Text("1,2"), Text("3,4")]; start_x [Int(1), Int(2)]"#,
        );
    }

    #[test]
    fn signs_of_numbers() {
        check("start_y: −16.5 +2", COMMAS, "start_y [Float(-16.5), Float(2.0)]");
        check("start_y: _ x", COMMAS, r#"start_y [Null, Text("x")]"#);
    }
}
