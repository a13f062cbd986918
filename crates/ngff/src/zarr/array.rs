//! Arrays in a store: their documents written and read, and where their chunks go.

use ome_zarr_convert_store::{Kind, Location};
use serde_json::{Map, Value};

use super::{v2, v3};
use crate::array::{ArrayInfo, ArrayMetadata};
use crate::error::NgffError;
use crate::json;
use crate::version::{NgffVersion, ZarrFormat};

impl ArrayMetadata {
    /// The content of `.zarray` (Zarr 2) or `zarr.json` (Zarr 3), as zarr-python writes it. It can be handed to zarrs for the codec
    /// chain.
    ///
    /// # Errors
    /// [`NgffError::ShardsIn04`], and [`NgffError::Inconsistent`] if the numbers of axes differ, a chunk is empty or a
    /// shard is not made of whole chunks.
    pub fn document(&self, version: NgffVersion) -> Result<Value, NgffError> {
        let format = version.zarr_format();
        self.check(format)?;
        Ok(format.array(self))
    }

    /// Writes the array's metadata into the folder `dir`, in Zarr 2 with empty `.zattrs`.
    ///
    /// # Errors
    /// Those of [`Self::document`], and of the store.
    pub fn write(&self, dir: &Location, version: NgffVersion) -> Result<(), NgffError> {
        version
            .zarr_format()
            .write_array(dir, self.document(version)?, Map::new())
    }

    /// File of a write unit, relative to the array's folder: `0/1/2` (Zarr 2) or `c/0/1/2` (Zarr 3).
    ///
    /// `index` counts write units ([`Self::unit_shape`]) along each axis.
    pub fn chunk_key(&self, version: NgffVersion, index: &[u64]) -> String {
        version.zarr_format().chunk_key(index)
    }
}

impl ArrayInfo {
    /// Reads the metadata of the array in `dir`, and its Zarr format.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`] without metadata, [`NgffError::Malformed`] if a field is not as the Zarr specification
    /// says, or the type is none of [`PixelType`](ome_zarr_convert_geometry::PixelType).
    pub fn read(dir: &Location) -> Result<(Self, ZarrFormat), NgffError> {
        if let Some(document) = json::read(&dir.child(v3::DOCUMENT))? {
            return Ok((v3::read_array(dir, &document)?, ZarrFormat::V3));
        }
        match json::read(&dir.child(v2::ARRAY))? {
            Some(document) => Ok((v2::read_array(dir, &document)?, ZarrFormat::V2)),
            None => Err(NgffError::not_zarr(dir, "array")),
        }
    }
}

/// Whether there is an array of either Zarr format in a folder.
///
/// # Errors
/// The store cannot tell, or the document is not JSON.
pub fn is_array(dir: &Location) -> Result<bool, NgffError> {
    if let Some(document) = json::read(&dir.child(v3::DOCUMENT))? {
        return Ok(v3::is_array(&document));
    }
    let document = dir.child(v2::ARRAY).stat()?;
    Ok(document.is_some_and(|stat| stat.kind == Kind::File))
}

#[cfg(test)]
mod tests;
