//! What a table does not say: sizes from the image files, and whether there is time.

use ome_zarr_convert_ngff::Cell;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::{cell_text, column_cells};
use crate::error::CoreError;

/// Adds the columns `length_x` and `length_y` where they are missing, from the shape of each row's image file.
///
/// `shape_of` is given a `file_path` and answers the shape of that file's array; its last two sizes are y and x.
pub fn add_image_sizes(
    mut table: DataFrame,
    shape_of: &mut dyn FnMut(&str) -> Result<Vec<u64>, CoreError>,
) -> Result<DataFrame, CoreError> {
    let has = |table: &DataFrame, name: &str| table.column(name).is_ok();
    let missing: Vec<(&str, usize)> = [("length_y", 2), ("length_x", 1)]
        .into_iter()
        .filter(|(name, _)| !has(&table, name))
        .collect();
    if missing.is_empty() || !has(&table, "file_path") {
        return Ok(table);
    }
    let mut shapes = Vec::with_capacity(table.height());
    for (row, cell) in cells_of(&table, "file_path")?.iter().enumerate() {
        let place = || format!("the table of tiles, row {}, column \"file_path\"", row + 1);
        let shape = shape_of(cell_text(cell).trim()).map_err(|error| CoreError::Table {
            place: place(),
            problem: error.to_string(),
        })?;
        if shape.len() < 2 {
            return Err(CoreError::Table {
                place: place(),
                problem: format!("the file's shape is {shape:?}, but an image has at least y and x"),
            });
        }
        shapes.push(shape);
    }
    for (name, from_end) in missing {
        let sizes: Vec<i64> = shapes
            .iter()
            .map(|shape| shape[shape.len() - from_end] as i64)
            .collect();
        let column = Series::new(name.into(), sizes).into_column();
        table.with_column(column).map_err(|error| CoreError::Table {
            place: format!("the table of tiles, column {name:?}"),
            problem: error.to_string(),
        })?;
    }
    Ok(table)
}

/// Whether a table has time: starts along t that differ, or a tile longer than one time point.
pub fn table_has_time(table: &DataFrame) -> Result<bool, CoreError> {
    let distinct = |name: &str| -> Result<Vec<String>, CoreError> {
        if table.column(name).is_err() {
            return Ok(Vec::new());
        }
        let mut texts: Vec<String> = cells_of(table, name)?
            .iter()
            .map(cell_text)
            .filter(|t| !t.is_empty())
            .collect();
        texts.sort();
        texts.dedup();
        Ok(texts)
    };
    Ok(distinct("start_t")?.len() > 1 || distinct("length_t")?.iter().any(|text| text != "1"))
}

fn cells_of(table: &DataFrame, name: &str) -> Result<Vec<Cell>, CoreError> {
    let column = table.column(name).map_err(|error| CoreError::Table {
        place: format!("the table of tiles, column {name:?}"),
        problem: error.to_string(),
    })?;
    column_cells(column)
}
