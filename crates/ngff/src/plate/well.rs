//! Well groups: the list of images in a well.

use indexmap::IndexMap;
use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};
use crate::group::{self, OmeGroup};
use crate::version::NgffVersion;

/// What `well.images` must be.
const EXPECTED: &str = "a list of objects with a path";

/// Folders of the images that a well lists.
pub(super) fn read_images(dir: &Location) -> Result<Vec<String>> {
    let group = OmeGroup::read(dir)?;
    let found = group.ome(dir)?.get("well").and_then(|well| well.get("images"));
    names(found).ok_or_else(|| NgffError::malformed(dir, "well.images", EXPECTED, found))
}

/// Adds images (folder and acquisition) that the well does not list yet; makes the well if there is none. Returns the
/// folders added. `is_there` tells whether there is such a folder.
pub(super) fn add_images(
    dir: &Location,
    version: NgffVersion,
    images: &IndexMap<&str, u32>,
    is_there: bool,
) -> Result<Vec<String>> {
    let (format, documents) = (version.zarr_format(), version.documents());
    let exists = is_there && group::is_group(dir, format)?;
    let mut attributes = if exists {
        group::read_attributes(dir)?.0
    } else {
        Map::new()
    };
    let ome = documents.ome_mut(dir, &mut attributes)?;
    let well = ome.entry("well").or_insert_with(|| documents.new_well());
    let known = names(well.get("images"));
    let (Some(known), Some(Value::Array(list))) = (known, well.get_mut("images")) else {
        return Err(NgffError::malformed(dir, "well.images", EXPECTED, well.get("images")));
    };
    let mut added = Vec::new();
    for (path, acquisition) in images {
        if !known.iter().any(|name| name == path) {
            list.push(json!({"path": path, "acquisition": acquisition}));
            added.push((*path).to_owned());
        }
    }
    if !exists {
        format.write_group(dir, &attributes)?;
    } else if !added.is_empty() {
        format.replace_attributes(dir, &attributes)?;
    }
    Ok(added)
}

fn names(images: Option<&Value>) -> Option<Vec<String>> {
    let name = |image: &Value| image.get("path").and_then(Value::as_str).map(str::to_owned);
    images?.as_array()?.iter().map(name).collect()
}
