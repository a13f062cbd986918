//! The AnnData backend: numbers in the matrix `X`, texts and whole numbers in the data frame `obs`, whose index is the
//! first column. Layout and types are those of ngio; arrays are uncompressed and without shards, which readers do not
//! see.

use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::data::{Cell, DataTable};
use crate::array::ArrayMetadata;
use crate::codec::Codec;
use crate::error::Result;
use crate::group;
use crate::version::NgffVersion;

/// What it puts into the folder of a table.
pub(super) const PARTS: [&str; 9] = ["X", "obs", "var", "layers", "obsm", "obsp", "uns", "varm", "varp"];

/// Writes the parts of an AnnData group into `dir`. The first column is the index.
pub(super) fn write(dir: &Location, version: NgffVersion, table: &DataTable) -> Result<()> {
    let writer = Writer { version };
    let rows = table.row_count();
    let mut columns = table.columns();
    let (index_name, index) = columns.next().unwrap_or(("_index", &[]));
    let (mut texts, mut whole, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (name, cells) in columns {
        match kind(cells) {
            Kind::Text => texts.push((name, cells)),
            Kind::Whole => whole.push((name, cells)),
            Kind::Number => numbers.push((name, cells)),
        }
    }

    // Here a name is a folder, the only backend where it is.
    let order: Vec<&str> = texts.iter().chain(&whole).map(|(name, _)| *name).collect();
    order
        .iter()
        .chain([&index_name])
        .try_for_each(|name| group::check_folder_name("column", name))?;

    let matrix = (0..rows).flat_map(|row| {
        numbers
            .iter()
            .flat_map(move |(_, cells)| number(&cells[row]).to_le_bytes())
    });
    let shape = [rows, numbers.len()];
    writer.array(&dir.child("X"), &shape, PixelType::Float64, matrix.collect())?;

    let obs = dir.child("obs");
    writer.data_frame(&obs, index_name, &order)?;
    writer.texts(&obs.child(index_name), &index.iter().map(text).collect::<Vec<_>>())?;
    for (name, cells) in texts {
        writer.text_column(&obs.child(name), cells)?;
    }
    for (name, cells) in whole {
        let bytes = cells
            .iter()
            .flat_map(|cell| if let Cell::Int(value) = cell { *value } else { 0 }.to_le_bytes());
        writer.array(&obs.child(name), &[rows], PixelType::Int64, bytes.collect())?;
    }

    let var = dir.child("var");
    writer.data_frame(&var, "_index", &[])?;
    let names: Vec<String> = numbers.iter().map(|(name, _)| (*name).to_owned()).collect();
    writer.texts(&var.child("_index"), &names)?;
    for part in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
        group::write_group(&dir.child(part), version, &encoding("dict", "0.1.0"))?;
    }
    Ok(())
}

enum Kind {
    Text,
    Whole,
    Number,
}

/// Where ngio puts a column: one with any text, or only nulls, is text; whole numbers without a gap stay whole.
fn kind(cells: &[Cell]) -> Kind {
    let all = |is: fn(&Cell) -> bool| !cells.is_empty() && cells.iter().all(is);
    if cells.iter().any(|cell| matches!(cell, Cell::Text(_))) || all(|cell| matches!(cell, Cell::Null)) {
        Kind::Text
    } else if all(|cell| matches!(cell, Cell::Int(_))) {
        Kind::Whole
    } else {
        Kind::Number
    }
}

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Bool(value) => f64::from(u8::from(*value)),
        Cell::Int(value) => *value as f64,
        Cell::Float(value) => *value,
        Cell::Null | Cell::Text(_) => f64::NAN,
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

fn encoding(kind: &str, version: &str) -> Map<String, Value> {
    [("encoding-type", kind), ("encoding-version", version)]
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .into_iter()
        .collect()
}

struct Writer {
    version: NgffVersion,
}

impl Writer {
    fn data_frame(&self, dir: &Location, index: &str, order: &[&str]) -> Result<()> {
        let mut attributes = Map::new();
        attributes.insert("column-order".to_owned(), json!(order));
        attributes.insert("_index".to_owned(), json!(index));
        attributes.extend(encoding("dataframe", "0.2.0"));
        group::write_group(dir, self.version, &attributes)
    }

    /// A text column with repeats or gaps is categorical: sorted categories and a code per row, -1 for null.
    fn text_column(&self, dir: &Location, cells: &[Cell]) -> Result<()> {
        let categories: BTreeSet<String> = cells
            .iter()
            .filter(|cell| !matches!(cell, Cell::Null))
            .map(text)
            .collect();
        if categories.len() == cells.len() {
            return self.texts(dir, &cells.iter().map(text).collect::<Vec<_>>());
        }
        let categories: Vec<String> = categories.into_iter().collect();
        let mut attributes = Map::new();
        attributes.insert("ordered".to_owned(), json!(false));
        attributes.extend(encoding("categorical", "0.2.0"));
        group::write_group(dir, self.version, &attributes)?;
        self.texts(&dir.child("categories"), &categories)?;
        let code = |cell: &Cell| match cell {
            Cell::Null => -1,
            cell => categories.binary_search(&text(cell)).map_or(-1, |code| code as i32),
        };
        let bytes = cells.iter().flat_map(|cell| code(cell).to_le_bytes()).collect();
        self.array(&dir.child("codes"), &[cells.len()], PixelType::Int32, bytes)
    }

    fn array(&self, dir: &Location, shape: &[usize], data_type: PixelType, bytes: Vec<u8>) -> Result<()> {
        let metadata = one_chunk(shape, data_type);
        let document = metadata.document(self.version)?;
        self.version
            .zarr_format()
            .write_array(dir, document, encoding("array", "0.2.0"))?;
        self.chunk(dir, &metadata, bytes)
    }

    /// An array of texts: Zarr 3 type `string`, in Zarr 2 objects with a `vlen-utf8` filter.
    fn texts(&self, dir: &Location, texts: &[String]) -> Result<()> {
        let metadata = one_chunk(&[texts.len()], PixelType::UInt8);
        let mut document = metadata.document(self.version)?;
        let format = self.version.zarr_format();
        format.make_text_array(&mut document);
        format.write_array(dir, document, encoding("string-array", "0.2.0"))?;
        let mut bytes = (texts.len() as u32).to_le_bytes().to_vec();
        for text in texts {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        self.chunk(dir, &metadata, bytes)
    }

    fn chunk(&self, dir: &Location, metadata: &ArrayMetadata, bytes: Vec<u8>) -> Result<()> {
        if metadata.shape.contains(&0) {
            return Ok(());
        }
        let origin = vec![0; metadata.shape.len()];
        Ok(dir
            .join(&metadata.chunk_key(self.version, &origin))
            .write_whole(&[&bytes])?)
    }
}

fn one_chunk(shape: &[usize], data_type: PixelType) -> ArrayMetadata {
    let shape: Vec<u64> = shape.iter().map(|size| *size as u64).collect();
    let chunks = shape.iter().map(|size| (*size).max(1)).collect();
    ArrayMetadata {
        shape,
        chunks,
        shards: None,
        data_type,
        codec: Codec::None,
        axes: Vec::new(),
    }
}
