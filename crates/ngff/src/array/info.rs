//! What the metadata of an existing array says, whoever wrote it: for inspection and verification.

use std::fmt::Display;

use ome_zarr_convert_geometry::PixelType;
use serde_json::Value;

use crate::error::{NgffError, Result};

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
    /// Number of write units (shards, or chunks without shards) along each axis.
    pub fn grid_shape(&self) -> Vec<u64> {
        let units = self.shards.as_ref().unwrap_or(&self.chunks);
        self.shape
            .iter()
            .zip(units)
            .map(|(size, unit)| size.div_ceil((*unit).max(1)))
            .collect()
    }
}

pub(crate) fn lengths(place: &dyn Display, document: &Value, pointer: &str) -> Result<Vec<u64>> {
    let found = document.pointer(pointer);
    let numbers = found
        .and_then(Value::as_array)
        .and_then(|items| items.iter().map(Value::as_u64).collect());
    numbers.ok_or_else(|| NgffError::malformed(place, pointer, "a list of whole numbers", found))
}

pub(crate) fn text(place: &dyn Display, document: &Value, pointer: &str) -> Result<String> {
    let found = document.pointer(pointer);
    found
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| NgffError::malformed(place, pointer, "a text", found))
}

pub(crate) fn data_type(place: &dyn Display, document: &Value, pointer: &str) -> Result<PixelType> {
    let found = document.pointer(pointer);
    let known = found.and_then(Value::as_str).and_then(PixelType::from_name);
    known.ok_or_else(|| {
        NgffError::malformed(
            place,
            pointer,
            "a boolean, integer or float type of 1 to 8 bytes",
            found,
        )
    })
}
