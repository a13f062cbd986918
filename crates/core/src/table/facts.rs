//! What image files say of themselves, for what a table and its acquisition file leave out.

use ome_zarr_convert_sources::FileMetadata;
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use super::{Cell, cell_text, column_cells};
use crate::error::CoreError;

/// What the header of an image file says.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// Shape of its array, slowest axis first.
    pub shape: Vec<u64>,
    /// Everything else.
    pub metadata: FileMetadata,
}

/// Answers what the file at a `file_path` of the table says. Callers ask for as few files as they need.
pub type AskFile<'a> = dyn FnMut(&str) -> Result<FileFacts, CoreError> + 'a;

/// The file of every row.
pub(super) fn files_of(table: &DataFrame) -> Result<Vec<String>, CoreError> {
    let cells = cells_of(table, "file_path")?;
    Ok(cells.iter().map(|cell| cell_text(cell).trim().to_owned()).collect())
}

/// Asks for the file of a row; what goes wrong is told with the row.
pub(super) fn ask_row(ask: &mut AskFile<'_>, row: usize, file: &str) -> Result<FileFacts, CoreError> {
    ask(file).map_err(|error| CoreError::Table {
        place: format!("the table of tiles, row {}, column \"file_path\"", row + 1),
        problem: error.to_string(),
    })
}

/// The cells of a column.
pub(crate) fn cells_of(table: &DataFrame, name: &str) -> Result<Vec<Cell>, CoreError> {
    let column = table.column(name).map_err(|error| in_column(name, &error))?;
    column_cells(column)
}

/// Adds a column, or puts another in its place.
pub(super) fn put_column(table: &mut DataFrame, column: Column) -> Result<(), CoreError> {
    let name = column.name().to_string();
    table.with_column(column).map_err(|error| in_column(&name, &error))?;
    Ok(())
}

/// Adds a column of numbers: of whole ones if all are.
pub(super) fn put_numbers(table: &mut DataFrame, name: &str, values: &[f64]) -> Result<(), CoreError> {
    let whole = values.iter().all(|value| value.fract() == 0.0 && value.abs() < 1e15);
    let series = if whole {
        let values: Vec<i64> = values.iter().map(|value| *value as i64).collect();
        Series::new(name.into(), values)
    } else {
        Series::new(name.into(), values)
    };
    put_column(table, series.into_column())
}

fn in_column(name: &str, error: &dyn std::fmt::Display) -> CoreError {
    CoreError::Table {
        place: format!("the table of tiles, column {name:?}"),
        problem: error.to_string(),
    }
}

/// Whether the cells of a column, without its empty ones, are not all the same text.
pub(super) fn differs(table: &DataFrame, name: &str) -> Result<bool, CoreError> {
    Ok(distinct(table, name)?.len() > 1)
}

/// The different texts of a column, without the empty one; none if there is no such column.
pub(super) fn distinct(table: &DataFrame, name: &str) -> Result<Vec<String>, CoreError> {
    if table.column(name).is_err() {
        return Ok(Vec::new());
    }
    let mut texts: Vec<String> = cells_of(table, name)?.iter().map(cell_text).collect();
    texts.retain(|text| !text.is_empty());
    texts.sort();
    texts.dedup();
    Ok(texts)
}
