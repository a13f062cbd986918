//! Zarr format 2: what makes a folder a group or an array is one document, its attributes are another.

use std::fmt::Display;

use ome_zarr_convert_store::{Kind, Location};
use serde_json::{Map, Value, json};

use crate::array::{ArrayInfo, ArrayMetadata, data_type, fill_value, lengths, text};
use crate::codec::Codec;
use crate::error::{NgffError, Result};
use crate::json;

pub(super) const GROUP: &str = ".zgroup";
pub(super) const ARRAY: &str = ".zarray";
const ATTRIBUTES: &str = ".zattrs";
const CONSOLIDATED: &str = ".zmetadata";

fn group() -> Value {
    json!({"zarr_format": 2})
}

/// The attributes come last: some readers ask for nothing else. Without any the group is complete with the document that makes it one.
pub(super) fn write_group(dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
    let mut documents = [(GROUP, group()), (ATTRIBUTES, json!(attributes))];
    if attributes.is_empty() {
        documents.reverse();
    }
    let mut documents = documents.iter();
    documents.try_for_each(|(name, document)| json::write(&dir.child(name), document))
}

pub(super) fn create_group(dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
    json::create(&dir.child(GROUP), &group())?;
    json::create(&dir.child(ATTRIBUTES), &json!(attributes))
}

pub(super) fn read_group(dir: &Location) -> Result<Option<Map<String, Value>>> {
    let document = dir.child(GROUP).stat()?;
    if !document.is_some_and(|stat| stat.kind == Kind::File) {
        return Ok(None);
    }
    match json::read(&dir.child(ATTRIBUTES))? {
        None => Ok(Some(Map::new())),
        Some(Value::Object(attributes)) => Ok(Some(attributes)),
        Some(other) => Err(NgffError::malformed(dir, "attributes", "an object", Some(&other))),
    }
}

pub(super) fn replace_attributes(dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
    json::write(&dir.child(ATTRIBUTES), &json!(attributes))?;
    Ok(dir.child(CONSOLIDATED).remove()?)
}

pub(super) fn array(array: &ArrayMetadata) -> Value {
    json!({
        "shape": array.shape,
        "chunks": array.chunks,
        "dtype": array.data_type.type_string(),
        "fill_value": fill_value(array.data_type),
        "order": "C",
        "filters": null,
        "dimension_separator": "/",
        "compressor": compressor(array.codec),
        "zarr_format": 2,
    })
}

fn compressor(codec: Codec) -> Value {
    match codec {
        Codec::Blosc { cname, level, shuffle } => json!({
            "id": "blosc", "cname": cname.name(), "clevel": level, "shuffle": shuffle as u8, "blocksize": 0
        }),
        Codec::Zstd { level } => json!({"id": "zstd", "level": level}),
        Codec::Gzip { level } => json!({"id": "gzip", "level": level}),
        Codec::None => Value::Null,
    }
}

/// Texts are objects with a filter.
pub(super) fn make_text_array(document: &mut Value) {
    document["fill_value"] = json!("");
    document["dtype"] = json!("|O");
    document["filters"] = json!([{"id": "vlen-utf8"}]);
}

pub(super) fn write_array(dir: &Location, document: &Value, attributes: Map<String, Value>) -> Result<()> {
    json::write(&dir.child(ATTRIBUTES), &Value::Object(attributes))?;
    json::write(&dir.child(ARRAY), document)
}

pub(super) fn read_array(place: &dyn Display, document: &Value) -> Result<ArrayInfo> {
    let compressor = match &document["compressor"] {
        Value::Null => "none".to_owned(),
        compressor => text(place, compressor, "/id")?,
    };
    let shape = lengths(place, document, "/shape")?;
    let separator = document["dimension_separator"].as_str().unwrap_or(".");
    Ok(ArrayInfo {
        chunks: lengths(place, document, "/chunks")?,
        shards: None,
        data_type: data_type(place, document, "/dtype")?,
        compressor,
        axes: Vec::new(),
        first_key: if shape.is_empty() {
            "0".to_owned()
        } else {
            vec!["0"; shape.len()].join(separator)
        },
        shape,
    })
}
