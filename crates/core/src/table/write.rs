//! Writes a table of tiles as CSV, as [`read_tiles_table`](super::read_tiles_table) reads it again.

use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::resolve_path;

use super::headers::files_of;
use super::{TilesTable, cell_text};
use crate::error::CoreError;

/// The table in CSV form, a line per tile; text with commas, quotes or line ends in double quotes.
pub fn tiles_csv(table: &TilesTable) -> String {
    let mut lines = vec![Vec::new(); table.height() + 1];
    for name in table.names() {
        lines[0].push(quoted(name));
        for (row, line) in lines[1..].iter_mut().enumerate() {
            line.push(quoted(&cell_text(table.cell(name, row))));
        }
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.join(","));
        text.push('\n');
    }
    text
}

/// The table for another folder: relative paths start at `folder`, and a plate keeps its name.
pub fn with_absolute_files(table: &TilesTable, folder: &str, plate: Option<&str>) -> Result<TilesTable, CoreError> {
    let mut table = table.clone();
    let absolute = |file: &String| Cell::Text(resolve_path(file, Some(folder)).display().to_string());
    let files = files_of(&table)?.iter().map(absolute).collect();
    table.put("file_path", files);
    if let Some(plate) = plate.filter(|_| !table.has("plate_name")) {
        let names = vec![Cell::Text(plate.to_owned()); table.height()];
        table.put("plate_name", names);
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
