//! Writes a table of tiles as CSV, as [`read_tiles_table`](super::read_tiles_table) reads it again.

use polars::prelude::DataFrame;

use super::{cell_text, column_cells};
use crate::error::CoreError;

/// The table in CSV form, a line per tile; text with commas, quotes or line ends in double quotes.
pub fn tiles_csv(table: &DataFrame) -> Result<String, CoreError> {
    let mut lines = vec![Vec::with_capacity(table.width()); table.height() + 1];
    for column in table.columns() {
        lines[0].push(quoted(column.name()));
        for (line, cell) in lines[1..].iter_mut().zip(column_cells(column)?) {
            line.push(quoted(&cell_text(&cell)));
        }
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.join(","));
        text.push('\n');
    }
    Ok(text)
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
