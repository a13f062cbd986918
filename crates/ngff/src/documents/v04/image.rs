//! Images of 0.4: the multiscale states the version.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use super::VERSION;
use crate::documents::check_stated;
use crate::documents::{images, multiscale};
use crate::error::Result;
use crate::image::ImageMetadata;
use crate::version::NgffVersion;

pub(super) fn document(image: &ImageMetadata) -> Map<String, Value> {
    let mut scales = multiscale::with_axes(image);
    scales.insert("version".to_owned(), json!(VERSION));
    multiscale::image(image, scales)
}

pub(super) fn read(dir: &Location, ome: &Map<String, Value>) -> Result<ImageMetadata> {
    let scales = images::first_multiscale(dir, ome)?;
    check_stated(dir, NgffVersion::V04, scales.get("version"))?;
    images::with_axes(dir, ome, scales)
}
