//! The `tables` group of an image or plate: ROI and condition tables in the backends that ngio reads.

mod anndata;
mod csv;
mod data;
mod roi;

use std::error::Error as StdError;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

pub use data::{Cell, DataTable};
pub use roi::{RoiRow, RoiTable};

use crate::error::{NgffError, Result};
use crate::group;
use crate::store;
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
/// others. No tables: nothing is written.
///
/// # Errors
/// [`NgffError::Io`]; [`NgffError::Parquet`]; [`NgffError::Malformed`] if there is a `tables` group without a list.
pub fn write_tables(
    dir: &Path,
    version: NgffVersion,
    tables: &[(&str, Table)],
    writer: TableWriter<'_>,
) -> Result<(), NgffError> {
    if tables.is_empty() {
        return Ok(());
    }
    let dir = dir.join("tables");
    let mut attributes = if group::is_group(&dir, version) {
        group::read_attributes(&dir)?.0
    } else {
        Map::new()
    };
    let mut names = names(&dir, &attributes)?;
    store::create_folder(&dir)?;
    for (name, table) in tables {
        write_table(&dir, version, name, table, writer)?;
        if !names.iter().any(|known| known == name) {
            names.push((*name).to_owned());
        }
    }
    attributes.insert("tables".to_owned(), json!(names));
    if group::is_group(&dir, version) {
        group::replace_attributes(&dir, version, &attributes)
    } else {
        group::write_group(&dir, version, &attributes)
    }
}

/// Adds or replaces one table of an image or plate.
pub fn add_table(
    dir: &Path,
    version: NgffVersion,
    name: &str,
    table: Table,
    writer: TableWriter<'_>,
) -> Result<(), NgffError> {
    write_tables(dir, version, &[(name, table)], writer)
}

/// The tables that the image or plate in `dir` lists; none if it has no `tables` group.
pub fn list_tables(dir: &Path) -> Result<Vec<TableInfo>, NgffError> {
    let dir = dir.join("tables");
    let attributes = match group::read_attributes(&dir) {
        Ok((attributes, _)) => attributes,
        Err(NgffError::NotZarr { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let info = |name: String| {
        let (attributes, _) = group::read_attributes(&dir.join(&name))?;
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
/// [`NgffError::UnreadableBackend`] unless it is CSV or JSON; [`NgffError::Csv`], [`NgffError::Json`] if it is damaged.
pub fn read_table(dir: &Path, name: &str) -> Result<Option<DataTable>, NgffError> {
    let dir = dir.join("tables").join(name);
    let attributes = match group::read_attributes(&dir) {
        Ok((attributes, _)) => attributes,
        Err(NgffError::NotZarr { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match attributes.get("backend").and_then(Value::as_str) {
        Some("csv") => {
            let path = dir.join("table.csv");
            let bytes = fs::read(&path).map_err(NgffError::io("read", &path))?;
            csv::decode(&bytes, &path).map(Some)
        }
        Some("json") => {
            let dir = dir.join("table");
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
            path: dir,
            found: other.unwrap_or_default().to_owned(),
        }),
    }
}

fn names(dir: &Path, attributes: &Map<String, Value>) -> Result<Vec<String>> {
    let Some(found) = attributes.get("tables") else {
        return Ok(Vec::new());
    };
    let names = found
        .as_array()
        .and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.ok_or_else(|| NgffError::malformed(dir, "tables", "a list of names", Some(found)))
}

/// Writes one table beside its place and moves it there, so that it is never half of one backend and half of another.
fn write_table(tables: &Path, version: NgffVersion, name: &str, table: &Table, writer: TableWriter<'_>) -> Result<()> {
    store::check_folder_name("table", name)?;
    let place = tables.join(name);
    let partial = tables.join(format!(".{name}.partial"));
    store::remove(&partial)?;
    match table {
        Table::Roi(rois) => {
            let index = [("index_key", RoiTable::INDEX_KEY), ("index_type", "str")];
            write_content(&partial, version, &rois.to_data(), writer, "roi_table", &index)?;
        }
        Table::Condition(data) => write_content(
            &partial,
            version,
            data,
            TableBackend::Csv.into(),
            "condition_table",
            &[],
        )?,
    }
    store::remove(&place)?;
    fs::rename(&partial, &place).map_err(NgffError::io("create", &place))
}

fn write_content(
    dir: &Path,
    version: NgffVersion,
    data: &DataTable,
    writer: TableWriter<'_>,
    kind: &str,
    index: &[(&str, &str)],
) -> Result<()> {
    let mut attributes = Map::new();
    if writer.backend == TableBackend::AnnData {
        attributes.insert("encoding-type".to_owned(), json!("anndata"));
        attributes.insert("encoding-version".to_owned(), json!("0.1.0"));
    }
    attributes.insert("backend".to_owned(), json!(writer.backend.name()));
    attributes.extend(index.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
    attributes.insert("table_version".to_owned(), json!("1"));
    attributes.insert("type".to_owned(), json!(kind));
    group::write_group(dir, version, &attributes)?;
    match writer.backend {
        TableBackend::Csv => store::write_file(&dir.join("table.csv"), &csv::encode(data)),
        TableBackend::Json => {
            let list = |(name, cells): (&str, &[Cell])| (name.to_owned(), cells.iter().map(Value::from).collect());
            group::write_group(&dir.join("table"), version, &data.columns().map(list).collect())
        }
        TableBackend::AnnData => anndata::write(dir, version, data),
        TableBackend::Parquet => {
            let path = dir.join("table.parquet");
            let encode = writer
                .parquet
                .ok_or_else(|| NgffError::NoParquet { path: path.clone() })?;
            let bytes = encode(data).map_err(|source| NgffError::Parquet {
                path: path.clone(),
                source,
            })?;
            store::write_file(&path, &bytes)
        }
    }
}

#[cfg(test)]
mod tests;
