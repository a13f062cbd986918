//! Image groups in a store: the metadata of an image written and read.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use super::{OmeGroup, write_group};
use crate::error::NgffError;
use crate::image::ImageMetadata;
use crate::version::NgffVersion;

impl ImageMetadata {
    /// Attributes of the image's group: `multiscales` and `omero`, where the version has them.
    ///
    /// # Errors
    /// [`NgffError::Inconsistent`] if scale or translation have not one finite number per axis, or a window is not
    /// finite.
    pub fn attributes(&self, version: NgffVersion) -> Result<Map<String, Value>, NgffError> {
        self.check()?;
        let documents = version.documents();
        Ok(documents.attributes(documents.image(self)))
    }

    /// Creates the image's group in `dir`, without its arrays.
    ///
    /// # Errors
    /// Those of [`Self::attributes`], and of the store.
    pub fn write_group(&self, dir: &Location, version: NgffVersion) -> Result<(), NgffError> {
        write_group(dir, version, &self.attributes(version)?)
    }

    /// Reads the first multiscale of the image group in `dir` and the version it is in.
    ///
    /// `translation` is that of the finest level. What a channel lacks is filled as ngio does: the label `channel_0`
    /// …, `active` true; a missing color is white.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`], [`NgffError::UnsupportedVersion`], [`NgffError::Malformed`] for axes or levels that are
    /// not as the specification says.
    pub fn read(dir: &Location) -> Result<(Self, NgffVersion), NgffError> {
        let group = OmeGroup::read(dir)?;
        let image = group.version.documents().read_image(dir, group.ome(dir)?)?;
        Ok((image, group.version))
    }
}

#[cfg(test)]
mod tests;
