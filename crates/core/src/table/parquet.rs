//! Parquet: tables of tiles read from it, and tables of OME-Zarr images written as it (polars is named in this crate only).

use std::error::Error;
use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use ome_zarr_convert_ngff::{Cell, DataTable};
use polars::prelude::{
    Column, DataFrame, IntoColumn, NamedFrom, ParquetCompression, ParquetReader, ParquetWriter, SerReader, Series,
};

use super::TilesTable;
use crate::error::CoreError;

/// Reads a table of tiles from a Parquet file, columns typed as they are stored.
pub(super) fn read(path: &Path) -> Result<TilesTable, CoreError> {
    let file = File::open(path).map_err(CoreError::io("read", path))?;
    let table = ParquetReader::new(file).finish();
    let table = table.map_err(|error| CoreError::Table {
        place: path.display().to_string(),
        problem: format!("it is not a Parquet table that can be read: {error}"),
    })?;
    Ok(TilesTable::try_from(table)?.with_name(path.display().to_string()))
}

/// The bytes of a Parquet file that holds the table: the encoder of [`ome_zarr_convert_ngff::TableBackend::Parquet`].
pub fn parquet_bytes(table: &DataTable) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let columns: Vec<Column> = table.columns().map(|(name, cells)| column(name, cells)).collect();
    let mut frame = DataFrame::new(table.row_count(), columns)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Uncompressed)
        .finish(&mut frame)?;
    Ok(bytes)
}

/// Number of rows of a Parquet file, from its bytes.
pub fn parquet_rows(bytes: &[u8]) -> Result<u64, Box<dyn Error + Send + Sync>> {
    Ok(ParquetReader::new(Cursor::new(bytes)).num_rows()? as u64)
}

fn column(name: &str, cells: &[Cell]) -> Column {
    let any = |test: fn(&Cell) -> bool| cells.iter().any(test);
    let series = if any(|cell| matches!(cell, Cell::Text(_))) {
        let texts = cells.iter().map(|cell| match cell {
            Cell::Null => None,
            cell => Some(super::cell_text(cell)),
        });
        Series::new(name.into(), texts.collect::<Vec<_>>())
    } else if any(|cell| matches!(cell, Cell::Float(_))) {
        let numbers = cells.iter().map(|cell| match cell {
            Cell::Float(value) => Some(*value),
            Cell::Int(value) => Some(*value as f64),
            Cell::Bool(value) => Some(f64::from(u8::from(*value))),
            Cell::Null | Cell::Text(_) => None,
        });
        Series::new(name.into(), numbers.collect::<Vec<_>>())
    } else if any(|cell| matches!(cell, Cell::Int(_))) {
        let numbers = cells.iter().map(|cell| match cell {
            Cell::Int(value) => Some(*value),
            Cell::Bool(value) => Some(i64::from(*value)),
            Cell::Null | Cell::Float(_) | Cell::Text(_) => None,
        });
        Series::new(name.into(), numbers.collect::<Vec<_>>())
    } else {
        let truths = cells.iter().map(|cell| match cell {
            Cell::Bool(value) => Some(*value),
            _ => None,
        });
        Series::new(name.into(), truths.collect::<Vec<_>>())
    };
    series.into_column()
}
