//! What the headers of image files say, for what a table and its acquisition file leave out.

use std::collections::HashMap;

use ome_zarr_convert_sources::FileMetadata;

use super::bad_cells::{BadCell, BadCells};
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
    Ok(cells.iter().map(cell_text).collect())
}

/// What files that cannot be read mean for a table that lacks what they would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFiles {
    /// They are errors; all are named.
    AreErrors,
    /// They are as other files of their image, or of the table.
    AreAsOthers,
}

/// What every row's file says of itself, by `of`.
///
/// # Errors
/// Files cannot be read and are errors, or none can be read.
pub(super) fn of_rows<T: Clone>(
    table: &TilesTable,
    bad_files: BadFiles,
    read: &mut ReadHeader<'_>,
    of: impl Fn(&FileHeader) -> Result<T, String>,
) -> Result<Vec<T>, CoreError> {
    let files = files_of(table)?;
    let mut bad = BadCells::default();
    let mut found: Vec<Option<T>> = Vec::with_capacity(files.len());
    for (row, file) in files.iter().enumerate() {
        let value = read(file)
            .map_err(|error| error.to_string())
            .and_then(|header| of(&header));
        let value = value.map(Some).map_err(|problem| BadCell {
            row,
            column: Some("file_path".to_owned()),
            problem,
        });
        found.push(bad.keep(value));
    }
    let Some(first) = found
        .iter()
        .flatten()
        .next()
        .cloned()
        .filter(|_| bad.count() == 0 || bad_files == BadFiles::AreAsOthers)
    else {
        bad.into_result(table)?;
        return Ok(Vec::new());
    };
    let images = images_of_rows(table);
    let mut of_images: HashMap<&str, T> = HashMap::new();
    for (image, value) in images.iter().zip(&found) {
        if let Some(value) = value {
            of_images.entry(image).or_insert_with(|| value.clone());
        }
    }
    let other = |row: usize| {
        images
            .get(row)
            .and_then(|image| of_images.get(image.as_str()))
            .unwrap_or(&first)
            .clone()
    };
    let filled = found.into_iter().enumerate();
    Ok(filled.map(|(row, value)| value.unwrap_or_else(|| other(row))).collect())
}

/// Columns that say which image a row belongs to.
const PLACE: [&str; 6] = ["plate_name", "row", "column", "well", "acquisition", "image_path"];

/// The image of each row, by the cells that place it.
pub(super) fn images_of_rows(table: &TilesTable) -> Vec<String> {
    let place: Vec<&[Cell]> = PLACE.into_iter().filter_map(|name| table.column(name)).collect();
    let image = |row: usize| {
        let cells: Vec<String> = place.iter().map(|cells| cell_text(&cells[row])).collect();
        cells.join("\u{1f}")
    };
    (0..table.height()).map(image).collect()
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
