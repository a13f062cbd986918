//! Reads a table from a file as people have it: CSV in any dialect, a spreadsheet, or Parquet.

use std::path::Path;

use super::columns::{Column, Origin, typed};
use super::dialect::{header_names, sniff};
use super::encoding::decode;
use super::records::{Record, Records, Written};
use super::{OPTIONAL, REQUIRED, TilesTable, parquet, spreadsheet};
use crate::error::CoreError;
use crate::left_out::{LeftOut, LeftOutKind};
use crate::path::{Found, look_up};

/// Suffixes of files that can hold a table, the likeliest first.
pub const TABLE_SUFFIXES: [&str; 9] = ["csv", "tsv", "txt", "xlsx", "parquet", "xlsm", "xlsb", "xls", "ods"];

/// Columns of the place of an image.
const PLACE: [&str; 5] = ["row", "column", "acquisition", "plate_name", "image_path"];

/// Reads a table of tiles: a text table, a spreadsheet or a Parquet file, told apart by their content.
///
/// Of a text table, encoding (UTF-8, UTF-16), delimiter (comma, semicolon, tab, bar), line ends and decimal sign are found out; lines
/// before the header, comments, empty rows, and columns without name and content are passed over. Columns are typed over their whole
/// length (integers, numbers, booleans, else text; integers with a gap become numbers); codes with leading zeros stay text. Missing values
/// are those that pandas knows.
///
/// # Errors
/// The file is not there or cannot be read, is in another encoding, or holds no table; two columns have the same name; a row has more
/// cells than there are columns.
pub fn read_tiles_table(path: &Path) -> Result<TilesTable, CoreError> {
    read_table(path, &["file_path"])
}

/// Reads a table whose header is the first row with one of `names` (lower case) in it; the first row, where none has.
pub(super) fn read_table(path: &Path, names: &[&str]) -> Result<TilesTable, CoreError> {
    match look_up(path)? {
        Found::File => {}
        Found::Folder => return Err(wrong(path, "it is a folder; give the path of a table".into())),
        Found::Nothing => {
            return Err(CoreError::Missing {
                path: path.to_owned(),
                hint: "a table has one row per image file and is CSV text, a spreadsheet (.xlsx) or Parquet; give the folder \
                       that holds it"
                    .into(),
            });
        }
    }
    let has_suffix = |name| path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case(name));
    if has_suffix("parquet") {
        return parquet::read(path);
    }
    let bytes = std::fs::read(path).map_err(CoreError::io("read", path))?;
    if bytes.starts_with(b"PAR1") {
        return parquet::read(path);
    }
    let table = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        let records = spreadsheet::records(&bytes, names).map_err(|problem| wrong(path, problem))?;
        let mut assembly = Assembly::new(path, "spreadsheets");
        for record in records {
            assembly.add(record)?;
        }
        assembly.table(Origin::Spreadsheet)?
    } else {
        let text = decode(&bytes).map_err(|problem| wrong(path, problem))?;
        let (text, dialect) = sniff(&text, names);
        let mut assembly = Assembly::new(path, dialect.delimiter_words());
        for record in Records::new(text, dialect.delimiter, dialect.padded) {
            let record = record.map_err(|row| {
                let problem = format!(
                    "a double quote in row {row} is not closed; close it, and write a quote inside of quoted text twice"
                );
                wrong(path, problem)
            })?;
            if record.number >= dialect.header {
                assembly.add(record)?;
            } else if !record.is_blank() {
                assembly.pass_over(&record, "it is before the header");
            }
        }
        assembly.table(Origin::Delimited(dialect.delimiter))?
    };
    if table.height() == 0 {
        return Err(wrong(path, "it has no rows; write one row per image file".into()));
    }
    Ok(table)
}

fn wrong(path: &Path, problem: String) -> CoreError {
    CoreError::Table {
        place: path.display().to_string(),
        problem,
    }
}

/// A table that is put together record by record.
struct Assembly<'a> {
    path: &'a Path,
    delimiter: &'static str,
    header: Option<Vec<String>>,
    /// Cells by column.
    columns: Vec<Vec<Written<'a>>>,
    numbers: Vec<usize>,
    left_out: Vec<LeftOut>,
    /// Rows with cells right of the last column.
    too_long: Vec<(usize, usize)>,
}

impl<'a> Assembly<'a> {
    fn new(path: &'a Path, delimiter: &'static str) -> Self {
        Self {
            path,
            delimiter,
            header: None,
            columns: Vec::new(),
            numbers: Vec::new(),
            left_out: Vec::new(),
            too_long: Vec::new(),
        }
    }

    fn pass_over(&mut self, record: &Record<'_>, reason: &str) {
        let name = format!("{}, row {}", self.path.display(), record.number);
        self.left_out.push(LeftOut::new(LeftOutKind::TableRow, name, reason));
    }

    fn add(&mut self, record: Record<'a>) -> Result<(), CoreError> {
        if record.is_blank() {
            return Ok(());
        }
        let Some(header) = &self.header else {
            let names: Vec<String> = header_names(&record).map(str::to_owned).collect();
            self.columns = vec![Vec::new(); names.len()];
            self.header = Some(names);
            return Ok(());
        };
        if header.len() > 1 && record.is_comment() {
            self.pass_over(&record, "it is a comment");
            return Ok(());
        }
        let filled = record.cells.iter().rposition(|cell| !cell.text.trim().is_empty());
        let filled = filled.map_or(0, |last| last + 1);
        if filled > self.columns.len() {
            self.too_long.push((record.number, filled));
        }
        self.numbers.push(record.number);
        let empty = || Written {
            text: "".into(),
            is_text: false,
        };
        let mut cells = record.cells.into_iter();
        for column in &mut self.columns {
            column.push(cells.next().unwrap_or_else(empty));
        }
        Ok(())
    }

    fn table(self, origin: Origin) -> Result<TilesTable, CoreError> {
        let Some(header) = self.header else {
            return Err(wrong(
                self.path,
                "it is empty; write a header and one row per image file".into(),
            ));
        };
        if let [name] = header.as_slice()
            && name.split_whitespace().filter(|word| REQUIRED.contains(word)).count() > 1
        {
            let problem = "blanks are between its cells; write commas, semicolons or tabs there".into();
            return Err(wrong(self.path, problem));
        }
        if !self.too_long.is_empty() {
            let rows: Vec<String> = self
                .too_long
                .iter()
                .take(10)
                .map(|(row, cells)| format!("row {row} has {cells}"))
                .collect();
            let more = self.too_long.len().saturating_sub(rows.len());
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            return Err(wrong(
                self.path,
                format!(
                    "rows have more cells than the header has names ({}): {}{more}; they are read as cells between {}: put text that holds \
                     the delimiter into double quotes, and numbers with a decimal comma too",
                    header.len(),
                    rows.join(", "),
                    self.delimiter
                ),
            ));
        }
        let names = known_spelling(header);
        let mut columns: Vec<Column<'_>> = Vec::with_capacity(names.len());
        for (index, (name, cells)) in names.into_iter().zip(self.columns).enumerate() {
            let is_empty = || cells.iter().all(|cell| cell.text.trim().is_empty());
            let name = match name.as_str() {
                // A spreadsheet leaves empty columns behind; an index without a name has values.
                "" if is_empty() => continue,
                "" => format!("Unnamed: {index}"),
                _ => name,
            };
            if let Some(first) = columns.iter().position(|column| column.name == name) {
                return Err(wrong(
                    self.path,
                    format!(
                        "the header names {name:?} twice (columns {} and {}); rename or remove one of them",
                        first + 1,
                        index + 1
                    ),
                ));
            }
            columns.push(Column { name, cells });
        }
        let table = TilesTable::new(typed(columns, origin))?;
        Ok(table
            .with_name(self.path.display().to_string())
            .with_row_numbers(self.numbers)
            .with_left_out(self.left_out))
    }
}

/// Names of the header, those that have a meaning in the spelling that they have here: `File_Path` and `file path` are `file_path`.
fn known_spelling(header: Vec<String>) -> Vec<String> {
    let tidy = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    // Rows and columns of single images are attributes of any name.
    let place = if header.iter().any(|name| tidy(name) == "image_path") {
        &["image_path"][..]
    } else {
        &PLACE[..]
    };
    let known = |name: &String| {
        let tidy = tidy(name);
        let known = |list: &[&str]| list.contains(&tidy.as_str());
        if known(&REQUIRED) || known(&OPTIONAL) || known(place) {
            tidy
        } else {
            name.clone()
        }
    };
    header.iter().map(known).collect()
}
