//! Plates and wells of 0.5, which state the version besides that of the group.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use super::VERSION;
use crate::documents::check_stated;
use crate::documents::plates;
use crate::error::Result;
use crate::version::NgffVersion;

pub(super) fn new_plate(name: &str) -> Map<String, Value> {
    let mut plate = plates::empty_plate(name);
    plate.insert("version".to_owned(), json!(VERSION));
    [("plate".to_owned(), Value::Object(plate))].into_iter().collect()
}

pub(super) fn plate<'a>(dir: &Location, ome: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
    let plate = plates::plate(dir, ome)?;
    check_stated(dir, NgffVersion::V05, plate.get("version"))?;
    Ok(plate)
}

pub(super) fn new_well() -> Value {
    json!({"images": [], "version": VERSION})
}
