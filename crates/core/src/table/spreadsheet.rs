//! Tables in spreadsheet files: Excel (`.xlsx`, `.xlsm`, `.xlsb`, `.xls`) and OpenDocument (`.ods`).

use std::borrow::Cow;
use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx, open_workbook_auto_from_rs};

use super::dialect::known_names;
use super::records::{Record, Written};

/// Rows in which a header is looked for.
const HEADER_WITHIN: usize = 100;

/// The records of the sheet that holds the table, from its header on. `names` are those that tell the header from other rows.
pub(super) fn records(bytes: &[u8], names: &[&str]) -> Result<Vec<Record<'static>>, String> {
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| {
        // Trying one format after the other hides what is wrong with the most likely one.
        let why = Xlsx::new(Cursor::new(bytes))
            .err()
            .map_or_else(|| error.to_string(), |error| error.to_string());
        format!("it is not a spreadsheet that can be read: {why}; save it as CSV")
    })?;
    let mut found: Vec<(String, Vec<Record<'static>>)> = Vec::new();
    let mut other = Vec::new();
    for name in book.sheet_names() {
        let range = book
            .worksheet_range(&name)
            .map_err(|error| format!("its sheet {name:?} cannot be read: {error}"))?;
        let mut records = records_of(&range);
        let header = records
            .iter()
            .take(HEADER_WITHIN)
            .position(|record| known_names(record, names) > 0);
        match header {
            Some(header) => found.push((name, records.split_off(header))),
            None if !records.is_empty() => other.push(records),
            None => {}
        }
    }
    if found.len() > 1 {
        let sheets: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!(
            "{} of its sheets look like tables of this kind: {}; keep one of them, or save it as CSV",
            found.len(),
            sheets.join(", ")
        ));
    }
    let table = found.pop().map(|(_, records)| records);
    Ok(table.or_else(|| other.into_iter().next()).unwrap_or_default())
}

fn records_of(range: &Range<Data>) -> Vec<Record<'static>> {
    let (first, left) = range.start().unwrap_or((0, 0));
    let rows = range.rows().enumerate();
    let record = |(index, row): (usize, &[Data])| {
        // Columns left of the first one with content count, so that unnamed ones are numbered as the sheet shows them.
        let empty = (0..left).map(|_| &Data::Empty);
        Record {
            number: first as usize + index + 1,
            cells: empty.chain(row).map(written).collect(),
        }
    };
    rows.map(record).filter(|record| !record.is_blank()).collect()
}

fn written(cell: &Data) -> Written<'static> {
    let (text, is_text) = match cell {
        Data::Empty => (String::new(), false),
        Data::String(text) => (text.clone(), true),
        Data::Float(value) => (value.to_string(), false),
        Data::Int(value) => (value.to_string(), false),
        Data::Bool(value) => (value.to_string(), false),
        // What a formula gives in place of a value; in a column of numbers it is named as an error.
        Data::Error(error) => (error.to_string(), true),
        Data::DateTime(date) => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            let time = if (hour, minute, second) == (0, 0, 0) {
                String::new()
            } else {
                format!(" {hour:02}:{minute:02}:{second:02}")
            };
            (format!("{year:04}-{month:02}-{day:02}{time}"), true)
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => (text.clone(), true),
    };
    Written {
        text: Cow::Owned(text),
        is_text,
    }
}
