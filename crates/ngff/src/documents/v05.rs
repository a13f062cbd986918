//! OME-NGFF 0.5: Zarr 3, OME metadata and its version under `ome`.

mod image;
mod plate;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use crate::documents::{Documents, check_stated};
use crate::error::{NgffError, Result};
use crate::image::ImageMetadata;
use crate::version::NgffVersion;

const VERSION: &str = "0.5";

/// What `ome` must be.
const OME: &str = "an object with the OME metadata";

/// The documents of 0.5.
pub(crate) struct V05;

impl Documents for V05 {
    fn attributes(&self, ome: Map<String, Value>) -> Map<String, Value> {
        let mut inner = Map::new();
        inner.insert("version".to_owned(), json!(VERSION));
        inner.extend(ome);
        [("ome".to_owned(), Value::Object(inner))].into_iter().collect()
    }

    fn ome<'a>(&self, dir: &Location, attributes: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
        let ome = attributes.get("ome");
        let Some(Value::Object(inner)) = ome else {
            return Err(NgffError::malformed(dir, "ome", OME, ome));
        };
        check_stated(dir, NgffVersion::V05, inner.get("version"))?;
        Ok(inner)
    }

    fn ome_mut<'a>(
        &self,
        dir: &Location,
        attributes: &'a mut Map<String, Value>,
    ) -> Result<&'a mut Map<String, Value>> {
        match attributes.entry("ome").or_insert_with(|| json!({"version": VERSION})) {
            Value::Object(inner) => Ok(inner),
            other => Err(NgffError::malformed(dir, "ome", OME, Some(other))),
        }
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
