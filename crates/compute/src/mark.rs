//! The mark of a finished image: what it was made from, so that a second run of the same conversion knows that it is done.

use ome_zarr_convert_ngff::{ImageMetadata, NgffError};
use ome_zarr_convert_store::Location;
use serde::{Deserialize, Serialize};

use crate::error::ComputeError;

/// Name of the mark, in the folder of the finest level: readers list groups, and warn about what they do not know there, but look chunks
/// of an array up by name.
const NAME: &str = ".ome-zarr-convert.json";

/// What a finished image says about its conversion. Nothing of where it lies: a copy or a moved image is as good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mark {
    /// Hash of the image's document, the options, and size and time of every source file.
    pub fingerprint: String,
    /// Number of files of pixels per level, so that one that goes missing is noticed.
    #[serde(default)]
    pub files: Vec<u64>,
    /// Whatever the caller of the conversion wanted to find again.
    pub note: serde_json::Value,
}

impl Mark {
    /// A mark.
    pub fn new(fingerprint: String, files: Vec<u64>, note: serde_json::Value) -> Self {
        Self {
            fingerprint,
            files,
            note,
        }
    }

    /// The mark of an image; `None` if it has none that this version can read.
    ///
    /// # Errors
    /// The image's metadata or its mark cannot be read from the store.
    pub fn read(image: &Location) -> Result<Option<Self>, ComputeError> {
        match ImageMetadata::read(image) {
            Ok((metadata, _)) => Self::read_beside(image, &metadata),
            Err(error @ NgffError::Store(_)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// As [`Self::read`], for an image whose metadata has been read.
    pub(crate) fn read_beside(image: &Location, metadata: &ImageMetadata) -> Result<Option<Self>, ComputeError> {
        let Some(finest) = metadata.levels.first() else {
            return Ok(None);
        };
        let bytes = image.join(&finest.path).child(NAME).read()?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) fn write(&self, image: &Location, finest: &str) -> Result<(), ComputeError> {
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        Ok(image.child(finest).child(NAME).write_whole(&[&text])?)
    }
}
