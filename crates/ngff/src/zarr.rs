//! The two Zarr formats: names of documents, how groups and arrays are written and read, where chunks go.

mod array;
mod v2;
mod v3;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

pub use array::is_array;

use crate::array::ArrayMetadata;
use crate::error::{NgffError, Result};
use crate::json;
use crate::version::ZarrFormat;

impl ZarrFormat {
    /// The document that makes a folder a group.
    pub(crate) const fn group_document(self) -> &'static str {
        match self {
            Self::V2 => v2::GROUP,
            Self::V3 => v3::DOCUMENT,
        }
    }

    /// The document that makes a folder an array.
    pub(crate) const fn array_document(self) -> &'static str {
        match self {
            Self::V2 => v2::ARRAY,
            Self::V3 => v3::DOCUMENT,
        }
    }

    /// Writes a group, in place of one that is there. What describes the group comes last.
    pub(crate) fn write_group(self, dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
        match self {
            Self::V2 => v2::write_group(dir, attributes),
            Self::V3 => json::write(&dir.child(v3::DOCUMENT), &v3::group(attributes)),
        }
    }

    /// Writes a group where none is: of several who do, one succeeds, and the others get
    /// [`StoreError::AlreadyExists`](ome_zarr_convert_store::StoreError::AlreadyExists).
    pub(crate) fn create_group(self, dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
        match self {
            Self::V2 => v2::create_group(dir, attributes),
            Self::V3 => json::create(&dir.child(v3::DOCUMENT), &v3::group(attributes)),
        }
    }

    /// Replaces the attributes of an existing group and keeps what else its document says.
    ///
    /// Consolidated metadata goes: it repeats the old attributes and children, and readers prefer it.
    pub(crate) fn replace_attributes(self, dir: &Location, attributes: &Map<String, Value>) -> Result<()> {
        match self {
            Self::V2 => v2::replace_attributes(dir, attributes),
            Self::V3 => v3::replace_attributes(dir, attributes),
        }
    }

    /// The document of an array, which has been checked.
    pub(crate) fn array(self, array: &ArrayMetadata) -> Value {
        match self {
            Self::V2 => v2::array(array),
            Self::V3 => v3::array(array),
        }
    }

    /// Makes the document of an array one of texts, whose chunks are encoded as `vlen-utf8`.
    pub(crate) fn make_text_array(self, document: &mut Value) {
        match self {
            Self::V2 => v2::make_text_array(document),
            Self::V3 => v3::make_text_array(document),
        }
    }

    /// Writes the document of an array with attributes.
    pub(crate) fn write_array(self, dir: &Location, document: Value, attributes: Map<String, Value>) -> Result<()> {
        match self {
            Self::V2 => v2::write_array(dir, &document, attributes),
            Self::V3 => v3::write_array(dir, document, attributes),
        }
    }

    /// The file of a write unit, relative to the folder of its array.
    pub(crate) fn chunk_key(self, index: &[u64]) -> String {
        match self {
            Self::V2 => keys_joined(None, index),
            Self::V3 => keys_joined(Some("c"), index),
        }
    }
}

fn keys_joined(prefix: Option<&str>, index: &[u64]) -> String {
    let prefix = prefix.map(str::to_owned);
    let parts: Vec<String> = prefix.into_iter().chain(index.iter().map(u64::to_string)).collect();
    parts.join("/")
}

/// The attributes of the group in a folder, and its format.
pub(crate) fn read_group(dir: &Location) -> Result<(Map<String, Value>, ZarrFormat)> {
    if let Some(attributes) = v3::read_group(dir)? {
        return Ok((attributes, ZarrFormat::V3));
    }
    match v2::read_group(dir)? {
        Some(attributes) => Ok((attributes, ZarrFormat::V2)),
        None => Err(NgffError::not_zarr(dir, "group")),
    }
}

#[cfg(test)]
mod tests;
