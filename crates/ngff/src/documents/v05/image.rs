//! Images of 0.5: as in 0.4, the version is stated once for the group.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use crate::documents::{images, multiscale};
use crate::error::Result;
use crate::image::ImageMetadata;

pub(super) fn document(image: &ImageMetadata) -> Map<String, Value> {
    multiscale::image(image, multiscale::with_axes(image))
}

pub(super) fn read(dir: &Location, ome: &Map<String, Value>) -> Result<ImageMetadata> {
    images::with_axes(dir, ome, images::first_multiscale(dir, ome)?)
}
