//! Data frames of polars as tables of tiles.

use ome_zarr_convert_ngff::Cell;
use polars::prelude::{Column, DataFrame, DataType};

use super::TilesTable;
use crate::error::CoreError;

impl TryFrom<DataFrame> for TilesTable {
    type Error = CoreError;

    /// # Errors
    /// A column holds neither text, numbers nor booleans, or two have the same name but for blanks around it.
    fn try_from(frame: DataFrame) -> Result<Self, CoreError> {
        let mut columns = Vec::with_capacity(frame.width());
        for column in frame.columns() {
            columns.push((column.name().to_string(), column_cells(column)?));
        }
        Self::new(columns)
    }
}

/// The cells of a column of any type that a table of tiles can hold. NaN is a missing value, as in pandas.
fn column_cells(column: &Column) -> Result<Vec<Cell>, CoreError> {
    let failed = |error: &dyn std::fmt::Display| CoreError::Table {
        place: format!("the table of tiles, column {:?}", column.name().as_str()),
        problem: format!("its type {} cannot be read: {error}", column.dtype()),
    };
    let cells = |dtype: &DataType| -> polars::prelude::PolarsResult<Option<Vec<Cell>>> {
        Ok(match dtype {
            DataType::Boolean => Some(
                column
                    .bool()?
                    .iter()
                    .map(|cell| cell.map_or(Cell::Null, Cell::Bool))
                    .collect(),
            ),
            DataType::String => {
                let texts = column.str()?.iter();
                Some(
                    texts
                        .map(|cell| cell.map_or(Cell::Null, |text| Cell::Text(text.to_owned())))
                        .collect(),
                )
            }
            DataType::Null => Some(vec![Cell::Null; column.len()]),
            dtype if dtype.is_integer() => {
                let wide = column.cast(&DataType::Int64)?;
                Some(
                    wide.i64()?
                        .iter()
                        .map(|cell| cell.map_or(Cell::Null, Cell::Int))
                        .collect(),
                )
            }
            dtype if dtype.is_float() => {
                let wide = column.cast(&DataType::Float64)?;
                let cell = |value: Option<f64>| value.filter(|v| !v.is_nan()).map_or(Cell::Null, Cell::Float);
                Some(wide.f64()?.iter().map(cell).collect())
            }
            _ => None,
        })
    };
    match cells(column.dtype()) {
        Ok(Some(cells)) => Ok(cells),
        Ok(None) => Err(failed(&"use text, numbers or booleans")),
        Err(error) => Err(failed(&error)),
    }
}
