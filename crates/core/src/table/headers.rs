//! What the headers of image files say, for what a table and its acquisition file leave out.

use ome_zarr_convert_sources::FileMetadata;

use super::{Cell, TilesTable, cell_text, missing_column};
use crate::error::CoreError;

/// What the header of an image file says.
#[derive(Clone, Debug, Default)]
pub struct FileHeader {
    /// Shape of its array, slowest axis first.
    pub shape: Vec<u64>,
    /// Everything else.
    pub metadata: FileMetadata,
}

/// Reads the header of the file at a `file_path` of the table. It is called for as few files as needed.
pub type ReadHeader<'a> = dyn FnMut(&str) -> Result<FileHeader, CoreError> + 'a;

/// The file of every row.
pub(crate) fn files_of(table: &TilesTable) -> Result<Vec<String>, CoreError> {
    let cells = cells_of(table, "file_path")?;
    Ok(cells.iter().map(|cell| cell_text(cell).trim().to_owned()).collect())
}

/// Reads the header of a row's file; an error names the row.
pub(super) fn header_of_row(
    read: &mut ReadHeader<'_>,
    table: &TilesTable,
    row: usize,
    file: &str,
) -> Result<FileHeader, CoreError> {
    read(file).map_err(|error| table.wrong_row(row, Some("file_path"), error.to_string()))
}

/// The cells of a column that must be there.
pub(crate) fn cells_of<'a>(table: &'a TilesTable, name: &str) -> Result<&'a [Cell], CoreError> {
    let cells = table.column(name);
    cells.ok_or_else(|| table.wrong(missing_column(name, table.names())))
}

/// Whether the cells of a column, without its empty ones, are not all the same text.
pub(super) fn differs(table: &TilesTable, name: &str) -> bool {
    distinct(table, name).len() > 1
}

/// The different texts of a column, without the empty one; none if there is no such column.
pub(super) fn distinct(table: &TilesTable, name: &str) -> Vec<String> {
    let mut texts: Vec<String> = table.column(name).unwrap_or(&[]).iter().map(cell_text).collect();
    texts.retain(|text| !text.is_empty());
    texts.sort();
    texts.dedup();
    texts
}
