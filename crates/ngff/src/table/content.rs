//! Writes what is in the folder of one table, so that a kill at any moment leaves the old table or the new one.
//!
//! A table is what its group's document says, which names the backend and comes last: until then the files of the new backend lie
//! unseen beside those of the old one. Where the backend stays the same its one file is replaced whole. Only AnnData has many files: such
//! a table is made beside the old one, at a name derived from it, and takes its place in one step. Stores that cannot rename are the
//! exception: there the files of an AnnData table that replaces another are replaced one by one.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ome_zarr_convert_store::{Kind, Location, MemoryStore, Publishing};
use serde_json::{Map, Value, json};

use super::{RoiTable, Table, TableBackend, TableWriter, anndata, csv};
use crate::error::{NgffError, Result};
use crate::group;
use crate::table::data::{Cell, DataTable};
use crate::version::NgffVersion;

pub(super) const CSV: &str = "table.csv";
pub(super) const JSON: &str = "table";
const PARQUET: &str = "table.parquet";

/// Everything that the backends put into the folder of a table besides its group's documents.
const CONTENT: [(TableBackend, &[&str]); 4] = [
    (TableBackend::Csv, &[CSV]),
    (TableBackend::Json, &[JSON]),
    (TableBackend::Parquet, &[PARQUET]),
    (TableBackend::AnnData, &anndata::PARTS),
];

/// What is in the `tables` folder, which must not be a link; nothing if there is none.
pub(super) fn list(tables: &Location) -> Result<HashMap<String, Kind>> {
    match tables.stat()? {
        None => return Ok(HashMap::new()),
        Some(stat) if stat.link => return Err(link(tables)),
        Some(_) => {}
    }
    let entries = tables.list()?.into_iter().flatten();
    Ok(entries
        .filter_map(|entry| Some((entry.os_name.into_string().ok()?, entry.kind)))
        .collect())
}

fn link(place: &Location) -> NgffError {
    NgffError::Link {
        place: place.to_string(),
    }
}

/// Writes a table to its place; `there` is what is in the folder of all tables.
pub(super) fn write(
    place: &Location,
    version: NgffVersion,
    table: &Table,
    writer: TableWriter<'_>,
    there: &HashMap<String, Kind>,
) -> Result<()> {
    let description = Description::of(table, writer);
    let backend = description.writer.backend;
    let found = there.get(place.name());
    if found == Some(&Kind::Link) {
        return Err(link(place));
    }
    let [partial, replaced] = ["partial", "replaced"].map(|what| place.beside(what));
    if there.contains_key(partial.name()) {
        // A kill left it.
        partial.remove_all()?;
    }
    match found {
        None => description.write(place, version)?,
        Some(_) if backend == TableBackend::AnnData && place.publishing() == Publishing::Rename => {
            description.write(&partial, version)?;
            if let Some(old) = partial.publish_to(place.key(), true)? {
                old.remove_all()?;
            }
        }
        Some(_) => {
            description.write(place, version)?;
            remove_content_of_others(place, backend)?;
            if backend == TableBackend::AnnData {
                remove_old_parts(place, &description, version)?;
            }
        }
    }
    if there.contains_key(replaced.name()) {
        // A kill left it, and perhaps no other table; now there is one.
        replaced.remove_all()?;
    }
    Ok(())
}

/// Removes files of an AnnData table that the one that was written over it does not have.
fn remove_old_parts(place: &Location, description: &Description<'_>, version: NgffVersion) -> Result<()> {
    let scratch = Location::new(Arc::new(MemoryStore::new()), place.name());
    description.write(&scratch, version)?;
    let written = scratch.walk()?.into_iter().flatten();
    let written: HashSet<String> = written.map(|file| file.key).collect();
    for file in place.walk()?.into_iter().flatten() {
        let is_part = file
            .key
            .split('/')
            .next()
            .is_some_and(|part| anndata::PARTS.contains(&part));
        if is_part && !written.contains(&file.key) {
            place.join(&file.key).remove()?;
        }
    }
    Ok(())
}

/// Removes what a table of another backend left. What no backend writes is not ours, and stays.
fn remove_content_of_others(place: &Location, kept: TableBackend) -> Result<()> {
    for entry in place.list()?.into_iter().flatten() {
        let of = CONTENT
            .iter()
            .find(|(_, names)| names.iter().any(|name| entry.os_name == *name));
        if let (Some((backend, _)), Ok(name)) = (of, entry.name())
            && *backend != kept
        {
            place.child(name).remove_all()?;
        }
    }
    Ok(())
}

/// A table as it is written.
struct Description<'a> {
    data: Cow<'a, DataTable>,
    kind: &'static str,
    index: &'static [(&'static str, &'static str)],
    writer: TableWriter<'a>,
}

impl<'a> Description<'a> {
    fn of(table: &'a Table, writer: TableWriter<'a>) -> Self {
        match table {
            Table::Roi(rois) => Self {
                data: Cow::Owned(rois.to_data()),
                kind: "roi_table",
                index: &[("index_key", RoiTable::INDEX_KEY), ("index_type", "str")],
                writer,
            },
            Table::Condition(data) => Self {
                data: Cow::Borrowed(data),
                kind: "condition_table",
                index: &[],
                writer: TableBackend::Csv.into(),
            },
        }
    }

    /// Writes the content, then the document of the group.
    fn write(&self, dir: &Location, version: NgffVersion) -> Result<()> {
        self.write_content(dir, version)?;
        group::write_group(dir, version, &self.attributes())
    }

    fn attributes(&self) -> Map<String, Value> {
        let mut attributes = Map::new();
        if self.writer.backend == TableBackend::AnnData {
            attributes.insert("encoding-type".to_owned(), json!("anndata"));
            attributes.insert("encoding-version".to_owned(), json!("0.1.0"));
        }
        attributes.insert("backend".to_owned(), json!(self.writer.backend.name()));
        let index = self.index.iter().map(|(key, value)| ((*key).to_owned(), json!(value)));
        attributes.extend(index);
        attributes.insert("table_version".to_owned(), json!("1"));
        attributes.insert("type".to_owned(), json!(self.kind));
        attributes
    }

    fn write_content(&self, dir: &Location, version: NgffVersion) -> Result<()> {
        let data = &*self.data;
        match self.writer.backend {
            TableBackend::Csv => Ok(dir.child(CSV).write_whole(&[&csv::encode(data)])?),
            TableBackend::Json => {
                let list = |(name, cells): (&str, &[Cell])| (name.to_owned(), cells.iter().map(Value::from).collect());
                group::write_group(&dir.child(JSON), version, &data.columns().map(list).collect())
            }
            TableBackend::AnnData => anndata::write(dir, version, data),
            TableBackend::Parquet => {
                let place = dir.child(PARQUET);
                let encode = self.writer.parquet.ok_or_else(|| NgffError::NoParquet {
                    place: place.to_string(),
                })?;
                let bytes = encode(data).map_err(|source| NgffError::Parquet {
                    place: place.to_string(),
                    source,
                })?;
                Ok(place.write_whole(&[&bytes])?)
            }
        }
    }
}
