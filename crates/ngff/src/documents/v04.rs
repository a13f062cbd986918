//! OME-NGFF 0.4: Zarr 2, OME metadata at the top of the attributes, the version stated in every part.

mod image;
mod plate;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use crate::documents::Documents;
use crate::error::Result;
use crate::image::ImageMetadata;

const VERSION: &str = "0.4";

/// The documents of 0.4.
pub(crate) struct V04;

impl Documents for V04 {
    fn attributes(&self, ome: Map<String, Value>) -> Map<String, Value> {
        ome
    }

    fn ome<'a>(&self, _: &Location, attributes: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
        Ok(attributes)
    }

    fn ome_mut<'a>(&self, _: &Location, attributes: &'a mut Map<String, Value>) -> Result<&'a mut Map<String, Value>> {
        Ok(attributes)
    }

    fn image(&self, image: &ImageMetadata) -> Map<String, Value> {
        image::document(image)
    }

    fn read_image(&self, dir: &Location, ome: &Map<String, Value>) -> Result<ImageMetadata> {
        image::read(dir, ome)
    }

    fn new_plate(&self, name: &str) -> Map<String, Value> {
        plate::new_plate(name)
    }

    fn plate<'a>(&self, dir: &Location, ome: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
        plate::plate(dir, ome)
    }

    fn new_well(&self) -> Value {
        plate::new_well()
    }
}
