//! What the metadata of an existing array says, whoever wrote it: for inspection and verification.

use std::path::Path;

use serde_json::Value;

use crate::error::{NgffError, Result};
use crate::store;
use crate::version::NgffVersion;
use ome_zarr_convert_geometry::PixelType;

/// An array found on disk, in either Zarr format.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayInfo {
    /// Elements along each axis.
    pub shape: Vec<u64>,
    /// Elements of one chunk along each axis; of one inner chunk, if there are shards.
    pub chunks: Vec<u64>,
    /// Elements of one shard along each axis.
    pub shards: Option<Vec<u64>>,
    /// Type of the elements.
    pub data_type: PixelType,
    /// Name of the compressor, `blosc`, `zstd` …; `none` if chunks hold the bytes as they are.
    pub compressor: String,
    /// Names of the axes; empty in Zarr 2, which has none.
    pub axes: Vec<String>,
    /// Path of the unit at the origin, relative to the array's folder; `c/0/0`, `0.0` …
    pub first_key: String,
}

impl ArrayInfo {
    /// Reads the metadata of the array in `dir`, and the version its Zarr format implies.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`] without metadata, [`NgffError::Malformed`] if a field is not as the Zarr specification
    /// says, or the type is none of [`PixelType`].
    pub fn read(dir: &Path) -> Result<(Self, NgffVersion), NgffError> {
        if let Some(document) = store::read_json(&dir.join("zarr.json"))? {
            return Ok((Self::from_zarr3(dir, &document)?, NgffVersion::V05));
        }
        let Some(document) = store::read_json(&dir.join(".zarray"))? else {
            return Err(NgffError::NotZarr {
                path: dir.to_owned(),
                expected: "array",
            });
        };
        Ok((Self::from_zarr2(dir, &document)?, NgffVersion::V04))
    }

    /// Number of write units (shards, or chunks without shards) along each axis.
    pub fn grid_shape(&self) -> Vec<u64> {
        let units = self.shards.as_ref().unwrap_or(&self.chunks);
        self.shape
            .iter()
            .zip(units)
            .map(|(size, unit)| size.div_ceil((*unit).max(1)))
            .collect()
    }

    fn from_zarr2(dir: &Path, document: &Value) -> Result<Self> {
        let compressor = match &document["compressor"] {
            Value::Null => "none".to_owned(),
            compressor => text(dir, compressor, "/id")?,
        };
        let shape = lengths(dir, document, "/shape")?;
        let separator = document["dimension_separator"].as_str().unwrap_or(".");
        Ok(Self {
            chunks: lengths(dir, document, "/chunks")?,
            shards: None,
            data_type: data_type(dir, document, "/dtype")?,
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

    fn from_zarr3(dir: &Path, document: &Value) -> Result<Self> {
        if document["node_type"] != "array" {
            return Err(NgffError::malformed(
                dir,
                "node_type",
                "\"array\"",
                document.get("node_type"),
            ));
        }
        let shape = lengths(dir, document, "/shape")?;
        let units = lengths(dir, document, "/chunk_grid/configuration/chunk_shape")?;
        let sharding = document
            .pointer("/codecs/0")
            .filter(|codec| codec["name"] == "sharding_indexed");
        let (chunks, shards, codecs) = match sharding {
            None => (units, None, &document["codecs"]),
            Some(sharding) => {
                let inner = lengths(dir, sharding, "/configuration/chunk_shape")?;
                (inner, Some(units), &sharding["configuration"]["codecs"])
            }
        };
        // `bytes` and `transpose` arrange the elements; what is left compresses.
        let names = codecs.as_array().into_iter().flatten().filter_map(|codec| {
            codec["name"]
                .as_str()
                .or(codec.as_str())
                .filter(|name| !matches!(*name, "bytes" | "transpose"))
        });
        let names: Vec<&str> = names.collect();
        let names_of_axes = document["dimension_names"].as_array().into_iter().flatten();
        let keys = &document["chunk_key_encoding"];
        let (prefix, default_separator) = if keys["name"] == "v2" {
            (None, ".")
        } else {
            (Some("c"), "/")
        };
        let separator = keys["configuration"]["separator"].as_str().unwrap_or(default_separator);
        let parts: Vec<&str> = prefix.into_iter().chain(shape.iter().map(|_| "0")).collect();
        Ok(Self {
            chunks,
            shards,
            data_type: data_type(dir, document, "/data_type")?,
            compressor: if names.is_empty() {
                "none".to_owned()
            } else {
                names.join("+")
            },
            axes: names_of_axes
                .map(|name| name.as_str().unwrap_or_default().to_owned())
                .collect(),
            first_key: parts.join(separator),
            shape,
        })
    }
}

fn lengths(dir: &Path, document: &Value, pointer: &str) -> Result<Vec<u64>> {
    let found = document.pointer(pointer);
    let numbers = found
        .and_then(Value::as_array)
        .and_then(|items| items.iter().map(Value::as_u64).collect());
    numbers.ok_or_else(|| NgffError::malformed(dir, pointer, "a list of whole numbers", found))
}

fn text(dir: &Path, document: &Value, pointer: &str) -> Result<String> {
    let found = document.pointer(pointer);
    found
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| NgffError::malformed(dir, pointer, "a text", found))
}

fn data_type(dir: &Path, document: &Value, pointer: &str) -> Result<PixelType> {
    let found = document.pointer(pointer);
    let known = found.and_then(Value::as_str).and_then(PixelType::from_name);
    known.ok_or_else(|| NgffError::malformed(dir, pointer, "a boolean, integer or float type of 1 to 8 bytes", found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::array::ArrayMetadata;
    use crate::codec::Codec;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let array = ArrayMetadata {
            shape: vec![3, 50],
            chunks: vec![1, 8],
            shards: Some(vec![1, 16]),
            data_type: PixelType::Float32,
            codec: Codec::Gzip { level: 6 },
            axes: vec!["y".to_owned(), "x".to_owned()],
        };
        let expected = ArrayInfo {
            shape: vec![3, 50],
            chunks: vec![1, 8],
            shards: Some(vec![1, 16]),
            data_type: PixelType::Float32,
            compressor: "gzip".to_owned(),
            axes: vec!["y".to_owned(), "x".to_owned()],
            first_key: "c/0/0".to_owned(),
        };
        let dir = folder.path().join("v3");
        array.write(&dir, NgffVersion::V05).unwrap();
        assert_eq!(ArrayInfo::read(&dir).unwrap(), (expected.clone(), NgffVersion::V05));
        assert_eq!(expected.grid_shape(), array.grid_shape());

        let dir = folder.path().join("v2");
        let plain = ArrayMetadata {
            shards: None,
            codec: Codec::None,
            ..array
        };
        plain.write(&dir, NgffVersion::V04).unwrap();
        let expected = ArrayInfo {
            shards: None,
            compressor: "none".to_owned(),
            axes: Vec::new(),
            first_key: "0/0".to_owned(),
            ..expected
        };
        assert_eq!(ArrayInfo::read(&dir).unwrap(), (expected, NgffVersion::V04));
    }

    #[test]
    fn foreign_and_broken_arrays() {
        let dir = Path::new("P.zarr/0");
        let big_endian = json!({"shape": [4, 4], "chunks": [2, 2], "dtype": ">u2", "compressor": {"id": "zlib"}});
        let info = ArrayInfo::from_zarr2(dir, &big_endian).unwrap();
        assert_eq!((info.first_key.as_str(), info.compressor.as_str()), ("0.0", "zlib"));
        let text = json!({"shape": [4], "chunks": [2], "dtype": "|S7", "compressor": null});
        assert_eq!(
            ArrayInfo::from_zarr2(dir, &text).unwrap_err().to_string(),
            "P.zarr/0: `/dtype` should be a boolean, integer or float type of 1 to 8 bytes, found \"|S7\""
        );
        let group = json!({"node_type": "group", "zarr_format": 3});
        assert_eq!(
            ArrayInfo::from_zarr3(dir, &group).unwrap_err().to_string(),
            "P.zarr/0: `node_type` should be \"array\", found \"group\""
        );
    }
}
