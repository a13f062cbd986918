//! The `tables` group of an image or plate: ROI and condition tables in the backends that ngio reads.

mod anndata;
mod content;
mod csv;
mod data;
mod roi;

use std::error::Error as StdError;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

pub use data::{Cell, DataTable};
pub use roi::{RoiRow, RoiTable};

use crate::error::{NgffError, Result};
use crate::group;
use crate::version::NgffVersion;

/// A table with its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Table {
    /// Regions of an image, `roi_table`, indexed by name.
    Roi(RoiTable),
    /// What was done to the samples, `condition_table`. Always written as CSV, whatever backend is asked for, as in the
    /// reference.
    Condition(DataTable),
}

/// Encodes a table as the bytes of a Parquet file.
pub type ParquetEncoder = dyn Fn(&DataTable) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;

/// How a table is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TableBackend {
    /// `table.csv`, as Arrow writes it.
    Csv,
    /// The attributes of a group `table`, a list per column.
    Json,
    /// Arrays in the layout of AnnData 0.1.0, uncompressed.
    AnnData,
    /// `table.parquet`, by the encoder that the caller brings: no Parquet library is named here.
    Parquet,
}

impl TableBackend {
    /// Name in the metadata: `csv`, `json`, `anndata` or `parquet`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::AnnData => "anndata",
            Self::Parquet => "parquet",
        }
    }
}

/// A backend, with what it needs to encode.
#[derive(Clone, Copy)]
pub struct TableWriter<'a> {
    /// How tables are stored.
    pub backend: TableBackend,
    /// Encodes Parquet; only asked by that backend.
    pub parquet: Option<&'a ParquetEncoder>,
}

impl From<TableBackend> for TableWriter<'_> {
    fn from(backend: TableBackend) -> Self {
        Self { backend, parquet: None }
    }
}

/// What a table on disk says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableInfo {
    /// Name, the folder in `tables`.
    pub name: String,
    /// `roi_table`, `condition_table` …, if stated.
    pub kind: Option<String>,
    /// `csv`, `json`, `anndata` …, if stated.
    pub backend: Option<String>,
}

/// Writes the tables of an image or plate: the group `tables` in `dir`, replacing tables of the same names and keeping
/// others. No tables: nothing is written. A table that is replaced is there at every moment, as it was or as it will be.
///
/// # Errors
/// Those of the store; [`NgffError::Parquet`]; [`NgffError::Malformed`] if there is a `tables` group without a list;
/// [`NgffError::Link`] if the group or one of the tables is a symbolic link.
pub fn write_tables(
    dir: &Location,
    version: NgffVersion,
    tables: &[(&str, Table)],
    writer: TableWriter<'_>,
) -> Result<(), NgffError> {
    if tables.is_empty() {
        return Ok(());
    }
    for (name, _) in tables {
        group::check_folder_name("table", name)?;
    }
    let (dir, format) = (dir.child("tables"), version.zarr_format());
    let there = content::list(&dir)?;
    let is_group = !there.is_empty() && group::is_group(&dir, format)?;
    let mut attributes = if is_group {
        group::read_attributes(&dir)?.0
    } else {
        Map::new()
    };
    let mut names = names(&dir, &attributes)?;
    for (name, table) in tables {
        content::write(&dir.child(name), version, table, writer, &there)?;
        if !names.iter().any(|known| known == name) {
            names.push((*name).to_owned());
        }
    }
    attributes.insert("tables".to_owned(), json!(names));
    if is_group {
        format.replace_attributes(&dir, &attributes)
    } else {
        format.write_group(&dir, &attributes)
    }
}

/// Adds or replaces one table of an image or plate, as [`write_tables`] does.
///
/// # Errors
/// Those of [`write_tables`].
pub fn add_table(
    dir: &Location,
    version: NgffVersion,
    name: &str,
    table: Table,
    writer: TableWriter<'_>,
) -> Result<(), NgffError> {
    write_tables(dir, version, &[(name, table)], writer)
}

/// The tables that the image or plate in `dir` lists; none if it has no `tables` group.
///
/// # Errors
/// Those of the store; groups that are broken, or listed and not there.
pub fn list_tables(dir: &Location) -> Result<Vec<TableInfo>, NgffError> {
    let dir = dir.child("tables");
    let attributes = match group::read_attributes(&dir) {
        Ok((attributes, _)) => attributes,
        Err(NgffError::NotZarr { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let info = |name: String| {
        let (attributes, _) = group::read_attributes(&dir.child(&name))?;
        let text = |key: &str| attributes.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(TableInfo {
            kind: text("type"),
            backend: text("backend"),
            name,
        })
    };
    names(&dir, &attributes)?.into_iter().map(info).collect()
}

/// Reads a table of the image or plate in `dir`; `None` if it has no table of that name.
///
/// # Errors
/// [`NgffError::UnreadableBackend`] unless it is CSV or JSON; [`NgffError::Csv`], [`NgffError::Json`],
/// [`NgffError::MissingTableFile`] if it is damaged; those of the store.
pub fn read_table(dir: &Location, name: &str) -> Result<Option<DataTable>, NgffError> {
    let dir = dir.child("tables").child(name);
    let attributes = match group::read_attributes(&dir) {
        // A table that says nothing of itself was only begun.
        Ok((attributes, _)) if attributes.is_empty() => return Ok(None),
        Ok((attributes, _)) => attributes,
        Err(NgffError::NotZarr { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match attributes.get("backend").and_then(Value::as_str) {
        Some("csv") => {
            let place = dir.child(content::CSV);
            let bytes = place.read()?.ok_or_else(|| NgffError::MissingTableFile {
                place: place.to_string(),
            })?;
            csv::decode(&bytes, &place.to_string()).map(Some)
        }
        Some("json") => {
            let dir = dir.child(content::JSON);
            let (columns, _) = group::read_attributes(&dir)?;
            let mut table = DataTable::new();
            for (name, cells) in columns {
                let Value::Array(cells) = &cells else {
                    return Err(NgffError::malformed(&dir, name, "a list of cells", Some(&cells)));
                };
                table.push_column(name, cells.iter().map(Cell::from).collect())?;
            }
            Ok(Some(table))
        }
        other => Err(NgffError::UnreadableBackend {
            place: dir.to_string(),
            found: other.unwrap_or_default().to_owned(),
        }),
    }
}

fn names(dir: &Location, attributes: &Map<String, Value>) -> Result<Vec<String>> {
    let Some(found) = attributes.get("tables") else {
        return Ok(Vec::new());
    };
    let names = found
        .as_array()
        .and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.ok_or_else(|| NgffError::malformed(dir, "tables", "a list of names", Some(found)))
}

#[cfg(test)]
mod tests;
