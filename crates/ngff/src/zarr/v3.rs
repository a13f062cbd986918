//! Zarr format 3: one document makes a folder a group or an array and holds its attributes.

use std::fmt::Display;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use crate::array::{ArrayInfo, ArrayMetadata, data_type, fill_value, lengths};
use crate::codec::{Codec, Shuffle};
use crate::error::{NgffError, Result};
use crate::json;

pub(super) const DOCUMENT: &str = "zarr.json";

pub(super) fn group(attributes: &Map<String, Value>) -> Value {
    json!({"attributes": attributes, "zarr_format": 3, "node_type": "group"})
}

pub(super) fn read_group(dir: &Location) -> Result<Option<Map<String, Value>>> {
    let Some(document) = json::read(&dir.child(DOCUMENT))? else {
        return Ok(None);
    };
    check_node_type(dir, &document, "group", "\"group\"")?;
    match document.get("attributes") {
        None => Ok(Some(Map::new())),
        Some(Value::Object(attributes)) => Ok(Some(attributes.clone())),
        other => Err(NgffError::malformed(dir, "attributes", "an object", other)),
    }
}

fn check_node_type(place: &dyn Display, document: &Value, wanted: &str, expected: &'static str) -> Result<()> {
    let found = document.get("node_type");
    if found.is_some_and(|found| found == wanted) {
        return Ok(());
    }
    Err(NgffError::malformed(place, "node_type", expected, found))
}

pub(super) fn replace_attributes(dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
    let place = dir.child(DOCUMENT);
    let Some(Value::Object(mut document)) = json::read(&place)? else {
        return json::write(&place, &group(attributes));
    };
    document.insert("attributes".to_owned(), json!(attributes));
    document.shift_remove("consolidated_metadata");
    json::write(&place, &Value::Object(document))
}

pub(super) fn is_array(document: &Value) -> bool {
    document["node_type"] == "array"
}

pub(super) fn array(array: &ArrayMetadata) -> Value {
    let size = array.data_type.size_bytes();
    let bytes = match size {
        1 => json!({"name": "bytes"}),
        _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
    };
    let chunk_codecs: Vec<Value> = [bytes].into_iter().chain(compressor(array.codec, size)).collect();
    let codecs = match &array.shards {
        None => chunk_codecs,
        Some(_) => vec![json!({"name": "sharding_indexed", "configuration": {
            "chunk_shape": array.chunks,
            "codecs": chunk_codecs,
            "index_codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "crc32c"},
            ],
            "index_location": "end",
        }})],
    };
    let mut document = json!({
        "shape": array.shape,
        "data_type": array.data_type.name(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": array.unit_shape()}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill_value(array.data_type),
        "codecs": codecs,
        "attributes": {},
        "dimension_names": array.axes,
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    });
    if let Some(fields) = document.as_object_mut().filter(|_| array.axes.is_empty()) {
        fields.shift_remove("dimension_names");
    }
    document
}

/// The codec that follows `bytes`; `None` if there is none.
fn compressor(codec: Codec, element_bytes: usize) -> Option<Value> {
    match codec {
        Codec::Blosc { cname, level, shuffle } => {
            let shuffle = match shuffle {
                Shuffle::None => "noshuffle",
                Shuffle::Byte => "shuffle",
                Shuffle::Bit => "bitshuffle",
            };
            Some(json!({"name": "blosc", "configuration": {
                "typesize": element_bytes, "cname": cname.name(), "clevel": level, "shuffle": shuffle, "blocksize": 0
            }}))
        }
        Codec::Zstd { level } => Some(json!({"name": "zstd", "configuration": {"level": level, "checksum": false}})),
        Codec::Gzip { level } => Some(json!({"name": "gzip", "configuration": {"level": level}})),
        Codec::None => None,
    }
}

pub(super) fn make_text_array(document: &mut Value) {
    document["fill_value"] = json!("");
    document["data_type"] = json!("string");
    document["codecs"] = json!([{"name": "vlen-utf8", "configuration": {}}]);
}

pub(super) fn write_array(dir: &Location, mut document: Value, attributes: Map<String, Value>) -> Result<()> {
    document["attributes"] = Value::Object(attributes);
    json::write(&dir.child(DOCUMENT), &document)
}

pub(super) fn read_array(place: &dyn Display, document: &Value) -> Result<ArrayInfo> {
    check_node_type(place, document, "array", "\"array\"")?;
    let shape = lengths(place, document, "/shape")?;
    let units = lengths(place, document, "/chunk_grid/configuration/chunk_shape")?;
    let sharding = document
        .pointer("/codecs/0")
        .filter(|codec| codec["name"] == "sharding_indexed");
    let (chunks, shards, codecs) = match sharding {
        None => (units, None, &document["codecs"]),
        Some(sharding) => {
            let inner = lengths(place, sharding, "/configuration/chunk_shape")?;
            (inner, Some(units), &sharding["configuration"]["codecs"])
        }
    };
    let names_of_axes = document["dimension_names"].as_array().into_iter().flatten();
    Ok(ArrayInfo {
        chunks,
        shards,
        data_type: data_type(place, document, "/data_type")?,
        compressor: compressors(codecs),
        axes: names_of_axes
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect(),
        first_key: first_key(&document["chunk_key_encoding"], shape.len()),
        shape,
    })
}

/// Names of the codecs that compress: `bytes` and `transpose` arrange the elements.
fn compressors(codecs: &Value) -> String {
    let names = codecs.as_array().into_iter().flatten().filter_map(|codec| {
        codec["name"]
            .as_str()
            .or(codec.as_str())
            .filter(|name| !matches!(*name, "bytes" | "transpose"))
    });
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("+")
    }
}

fn first_key(encoding: &Value, axes: usize) -> String {
    let (prefix, default_separator) = if encoding["name"] == "v2" {
        (None, ".")
    } else {
        (Some("c"), "/")
    };
    let separator = encoding["configuration"]["separator"]
        .as_str()
        .unwrap_or(default_separator);
    let parts: Vec<&str> = prefix.into_iter().chain(std::iter::repeat_n("0", axes)).collect();
    parts.join(separator)
}
