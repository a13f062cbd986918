//! Reads `tiles.csv` with the types that pandas would give its columns: the reference's users write their tables for it.

use std::path::Path;

use polars::prelude::{Column, CsvReadOptions, DataFrame, IntoColumn, NamedFrom, NullValues, SerReader, Series};

use super::TilesTable;
use crate::error::CoreError;

/// What pandas takes for a missing value.
const MISSING: [&str; 17] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a",
];

/// Columns that are names: they stay as written, so that a field called `01` does not become `1`.
const NAMES: [&str; 5] = ["file_path", "fov_name", "image_path", "row", "plate_name"];

/// Reads a table of tiles from a Parquet file (told by its suffix) or a CSV file. In CSV, blank lines are passed over,
/// columns are typed over their whole length (integers, numbers, booleans, else text; integers with a gap become
/// numbers), and missing values are those that pandas knows.
pub fn read_tiles_table(path: &Path) -> Result<TilesTable, CoreError> {
    if !path.is_file() {
        return Err(CoreError::Missing {
            path: path.to_owned(),
            hint: "the table of tiles must be a CSV or Parquet file with one row per image file; give the folder that holds it"
                .into(),
        });
    }
    if path
        .extension()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("parquet"))
    {
        return super::parquet::read(path);
    }
    let failed = |problem: String| CoreError::Table {
        place: path.display().to_string(),
        problem,
    };
    let bytes = std::fs::read(path).map_err(CoreError::io("read", path))?;
    if std::str::from_utf8(&bytes).is_err() {
        return Err(failed(
            "it is not UTF-8 text; save it as CSV with UTF-8 encoding".into(),
        ));
    }
    if ends_in_quotes(&bytes) {
        return Err(failed(
            "a double quote is not closed; close it, and write a quote inside of quoted text twice".into(),
        ));
    }
    let mut missing: Vec<_> = MISSING.iter().map(|text| (*text).into()).collect();
    missing.extend(["nan".into(), "null".into()]);
    let options = CsvReadOptions::default()
        .with_infer_schema_length(Some(0))
        .with_n_threads(Some(1))
        .map_parse_options(|parse| parse.with_null_values(Some(NullValues::AllColumns(missing.clone()))));
    let table = options
        .into_reader_with_file_handle(std::io::Cursor::new(bytes))
        .finish();
    let table = table.map_err(|error| failed(format!("it is no table in CSV form: {}", csv_problem(&error))))?;
    let columns: Vec<Vec<Option<&str>>> = table
        .columns()
        .iter()
        .map(|column| Ok(column.str()?.iter().collect()))
        .collect::<polars::prelude::PolarsResult<_>>()
        .map_err(|error| failed(error.to_string()))?;
    let filled: Vec<usize> = (0..table.height())
        .filter(|row| {
            columns
                .iter()
                .any(|cells| cells[*row].is_some_and(|cell| !cell.trim().is_empty()))
        })
        .collect();
    let typed = table.columns().iter().zip(&columns).enumerate();
    let typed = typed.filter_map(|(index, (column, cells))| {
        let cells: Vec<Option<&str>> = filled.iter().map(|row| cells[*row]).collect();
        match column.name().trim() {
            // A spreadsheet leaves empty columns behind; an index without a name has values.
            "" if cells.iter().all(Option::is_none) => None,
            "" => Some(typed_column(&format!("Unnamed: {index}"), &cells)),
            name => Some(typed_column(&second_name(name), &cells)),
        }
    });
    let typed: Vec<Column> = typed.collect();
    let table = DataFrame::new(filled.len(), typed).map_err(|error| failed(error.to_string()))?;
    if table.height() == 0 {
        return Err(failed("it has no rows; write one row per image file".into()));
    }
    Ok(TilesTable::try_from(table)?.with_name(path.display().to_string()))
}

/// Whether the last cell is in double quotes that are not closed. polars 0.55 reads beyond its buffer there.
fn ends_in_quotes(bytes: &[u8]) -> bool {
    let (mut quoted, mut cell_begins) = (None, true);
    for byte in bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) {
        match (byte, quoted) {
            (b'"', None) if cell_begins => quoted = Some(true),
            (b'"', Some(open)) => quoted = Some(!open),
            (b',' | b'\n', None | Some(false)) => {
                (quoted, cell_begins) = (None, true);
                continue;
            }
            _ => {}
        }
        cell_begins = false;
    }
    quoted == Some(true)
}

fn typed_column(name: &str, cells: &[Option<&str>]) -> Column {
    let name_column = || {
        let texts: Vec<Option<String>> = cells.iter().map(|cell| cell.map(str::to_owned)).collect();
        Series::new(name.into(), texts)
    };
    if NAMES.contains(&name) {
        return name_column().into_column();
    }
    let gaps = cells.iter().any(Option::is_none);
    let all = |test: fn(&str) -> bool| cells.iter().flatten().any(|_| true) && cells.iter().flatten().all(|t| test(t));
    let integers = all(is_integer);
    if integers && !gaps {
        let values: Vec<i64> = cells
            .iter()
            .flatten()
            .filter_map(|text| text.trim().parse().ok())
            .collect();
        Series::new(name.into(), values).into_column()
    } else if all(is_whole) && !integers {
        // Too long for a number without loss: a barcode.
        name_column().into_column()
    } else if all(is_number) {
        let values: Vec<Option<f64>> = cells
            .iter()
            .map(|cell| cell.and_then(|text| text.trim().parse().ok()))
            .collect();
        Series::new(name.into(), values).into_column()
    } else if all(|text| boolean(text).is_some()) {
        let values: Vec<Option<bool>> = cells.iter().map(|cell| cell.and_then(boolean)).collect();
        Series::new(name.into(), values).into_column()
    } else {
        name_column().into_column()
    }
}

/// Decimal numbers and infinities; `nan` never arrives here, being a missing value, and in capitals is text.
fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(|number| !number.is_nan())
}

fn is_integer(text: &str) -> bool {
    text.trim().parse::<i64>().is_ok()
}

/// Digits only: whole numbers of any size.
fn is_whole(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// A column whose name an earlier one has: `dose.1`, as pandas calls it.
fn second_name(name: &str) -> String {
    let numbered = name.rsplit_once("_duplicated_");
    let number = numbered.and_then(|(name, number)| Some((name, number.parse::<usize>().ok()?)));
    number.map_or_else(|| name.to_owned(), |(name, number)| format!("{name}.{}", number + 1))
}

/// What the parser says, without the advice that it has for programmers.
fn csv_problem(error: &polars::prelude::PolarsError) -> String {
    let text = error.to_string();
    if text.contains("more fields than defined") {
        return "a row has more cells than the header has names; put text that holds commas into double quotes".into();
    }
    text.lines().next().unwrap_or_default().to_owned()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    }
}
