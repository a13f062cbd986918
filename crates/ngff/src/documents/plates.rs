//! What the plate documents of several versions have in common.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};

/// A plate with a name. The lists are filled in later; they are here for their order, which is the reference's.
pub(crate) fn empty_plate(name: &str) -> Map<String, Value> {
    let mut plate = Map::new();
    plate.insert("acquisitions".to_owned(), json!([]));
    plate.insert("columns".to_owned(), json!([]));
    plate.insert("name".to_owned(), json!(name));
    plate.insert("rows".to_owned(), json!([]));
    plate.insert("wells".to_owned(), json!([]));
    plate
}

/// The object that describes a plate.
pub(crate) fn plate<'a>(dir: &Location, ome: &'a Map<String, Value>) -> Result<&'a Map<String, Value>> {
    match ome.get("plate") {
        Some(Value::Object(plate)) => Ok(plate),
        other => {
            let expected = "an object that describes a plate";
            Err(NgffError::malformed(dir, "plate", expected, other))
        }
    }
}
