//! Writes a table of tiles as CSV, as [`read_tiles_table`](super::read_tiles_table) reads it again.

use ome_zarr_convert_sources::resolve_path;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::facts::{files_of, put_column};
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

/// The table for another folder: relative paths start at `folder`, and a plate keeps its name.
pub fn with_absolute_files(table: &DataFrame, folder: &str, plate: Option<&str>) -> Result<DataFrame, CoreError> {
    let mut table = table.clone();
    let files = files_of(&table)?;
    let files: Vec<String> = files
        .iter()
        .map(|file| resolve_path(file, Some(folder)).display().to_string())
        .collect();
    put_column(&mut table, Series::new("file_path".into(), files).into_column())?;
    if let Some(plate) = plate.filter(|_| table.column("plate_name").is_err()) {
        let names = vec![plate; table.height()];
        put_column(&mut table, Series::new("plate_name".into(), names).into_column())?;
    }
    Ok(table)
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
