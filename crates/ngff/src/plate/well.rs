//! Well groups: the list of images in a well.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};
use crate::group;
use crate::version::NgffVersion;

/// Folders of the images that a well lists.
pub(super) fn read_images(dir: &Path) -> Result<Vec<String>> {
    let (attributes, version) = group::read_attributes(dir)?;
    let ome = group::ome_of(dir, version, &attributes)?;
    let found = ome.get("well").and_then(|well| well.get("images"));
    names(found).ok_or_else(|| NgffError::malformed(dir, "well.images", "a list of objects with a path", found))
}

/// Adds images (folder and acquisition) that the well does not list yet; makes the well if there is none. Returns the
/// folders added.
pub(super) fn add_images(dir: &Path, version: NgffVersion, images: &IndexMap<&str, u32>) -> Result<Vec<String>> {
    let exists = group::is_group(dir, version);
    let mut attributes = if exists {
        group::read_attributes(dir)?.0
    } else {
        Map::new()
    };
    let ome = group::ome_mut(dir, version, &mut attributes)?;
    let well = ome
        .entry("well")
        .or_insert_with(|| json!({"images": [], "version": version.as_str()}));
    let known = names(well.get("images"));
    let (Some(known), Some(Value::Array(list))) = (known, well.get_mut("images")) else {
        let expected = "a list of objects with a path";
        return Err(NgffError::malformed(dir, "well.images", expected, well.get("images")));
    };
    let mut added = Vec::new();
    for (path, acquisition) in images {
        if !known.iter().any(|name| name == path) {
            list.push(json!({"path": path, "acquisition": acquisition}));
            added.push((*path).to_owned());
        }
    }
    if !exists {
        group::write_group(dir, version, &attributes)?;
    } else if !added.is_empty() {
        group::replace_attributes(dir, version, &attributes)?;
    }
    Ok(added)
}

fn names(images: Option<&Value>) -> Option<Vec<String>> {
    let name = |image: &Value| image.get("path").and_then(Value::as_str).map(str::to_owned);
    images?.as_array()?.iter().map(name).collect()
}
