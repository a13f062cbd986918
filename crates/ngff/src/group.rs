//! Zarr groups of both formats: their attributes, and which version of OME-NGFF they state.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};
use crate::store;
use crate::version::NgffVersion;

/// Creates or replaces a Zarr group with the given attributes, and the folders above it.
///
/// 0.4 writes `.zattrs` (`{}` too) and `.zgroup`, 0.5 a `zarr.json`. `attributes` are taken as they are: for OME
/// metadata of 0.5 they hold `ome`.
pub fn write_group(dir: &Path, version: NgffVersion, attributes: &Map<String, Value>) -> Result<(), NgffError> {
    match version {
        NgffVersion::V04 => {
            store::write_json(&dir.join(".zattrs"), &json!(attributes))?;
            store::write_json(&dir.join(".zgroup"), &json!({"zarr_format": 2}))
        }
        NgffVersion::V05 => store::write_json(
            &dir.join("zarr.json"),
            &json!({"attributes": attributes, "zarr_format": 3, "node_type": "group"}),
        ),
    }
}

/// The attributes of a Zarr group as they are on disk, and the version that its Zarr format implies.
pub fn read_attributes(dir: &Path) -> Result<(Map<String, Value>, NgffVersion), NgffError> {
    if let Some(document) = store::read_json(&dir.join("zarr.json"))? {
        if document["node_type"] != "group" {
            return Err(NgffError::malformed(
                dir,
                "node_type",
                "\"group\"",
                document.get("node_type"),
            ));
        }
        let attributes = match document.get("attributes") {
            None => Map::new(),
            Some(Value::Object(attributes)) => attributes.clone(),
            other => return Err(NgffError::malformed(dir, "attributes", "an object", other)),
        };
        return Ok((attributes, NgffVersion::V05));
    }
    if !dir.join(".zgroup").is_file() {
        return Err(NgffError::NotZarr {
            path: dir.to_owned(),
            expected: "group",
        });
    }
    match store::read_json(&dir.join(".zattrs"))? {
        None => Ok((Map::new(), NgffVersion::V04)),
        Some(Value::Object(attributes)) => Ok((attributes, NgffVersion::V04)),
        Some(other) => Err(NgffError::malformed(dir, "attributes", "an object", Some(&other))),
    }
}

/// Whether a folder is a Zarr group of that version.
pub(crate) fn is_group(dir: &Path, version: NgffVersion) -> bool {
    dir.join(match version {
        NgffVersion::V04 => ".zgroup",
        NgffVersion::V05 => "zarr.json",
    })
    .is_file()
}

/// Replaces the attributes of an existing group and keeps what else its document says.
///
/// Consolidated metadata goes: it repeats the old attributes and children, and readers prefer it.
pub(crate) fn replace_attributes(dir: &Path, version: NgffVersion, attributes: &Map<String, Value>) -> Result<()> {
    match version {
        NgffVersion::V04 => {
            store::write_json(&dir.join(".zattrs"), &json!(attributes))?;
            store::remove(&dir.join(".zmetadata"))
        }
        NgffVersion::V05 => {
            let path = dir.join("zarr.json");
            let Some(Value::Object(mut document)) = store::read_json(&path)? else {
                return write_group(dir, version, attributes);
            };
            document.insert("attributes".to_owned(), json!(attributes));
            document.shift_remove("consolidated_metadata");
            store::write_json(&path, &Value::Object(document))
        }
    }
}

/// Puts OME metadata where the version wants it: at the top in 0.4, under `ome`, after `version`, in 0.5.
pub(crate) fn ome_attributes(version: NgffVersion, ome: Map<String, Value>) -> Map<String, Value> {
    match version {
        NgffVersion::V04 => ome,
        NgffVersion::V05 => {
            let mut inner = Map::new();
            inner.insert("version".to_owned(), json!(version.as_str()));
            inner.extend(ome);
            [("ome".to_owned(), Value::Object(inner))].into_iter().collect()
        }
    }
}

/// Where the OME metadata is in the attributes of a group; in 0.5 the version it states must be 0.5.
pub(crate) fn ome_of<'a>(
    dir: &Path,
    version: NgffVersion,
    attributes: &'a Map<String, Value>,
) -> Result<&'a Map<String, Value>> {
    match version {
        NgffVersion::V04 => Ok(attributes),
        NgffVersion::V05 => {
            let ome = attributes.get("ome");
            let Some(Value::Object(inner)) = ome else {
                return Err(NgffError::malformed(dir, "ome", "an object with the OME metadata", ome));
            };
            check_version(dir, version, inner.get("version"))?;
            Ok(inner)
        }
    }
}

/// The OME metadata in attributes that are to be changed; in 0.5 `ome` is made if there is none.
pub(crate) fn ome_mut<'a>(
    dir: &Path,
    version: NgffVersion,
    attributes: &'a mut Map<String, Value>,
) -> Result<&'a mut Map<String, Value>> {
    match version {
        NgffVersion::V04 => Ok(attributes),
        NgffVersion::V05 => {
            match attributes
                .entry("ome")
                .or_insert_with(|| json!({"version": version.as_str()}))
            {
                Value::Object(inner) => Ok(inner),
                other => Err(NgffError::malformed(
                    dir,
                    "ome",
                    "an object with the OME metadata",
                    Some(other),
                )),
            }
        }
    }
}

/// Compares a stated version with the one that the Zarr format implies; none stated is fine.
pub(crate) fn check_version(dir: &Path, implied: NgffVersion, stated: Option<&Value>) -> Result<()> {
    match stated {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text == implied.as_str() => Ok(()),
        Some(Value::String(text)) => Err(NgffError::UnsupportedVersion {
            path: dir.to_owned(),
            found: text.clone(),
        }),
        Some(other) => Err(NgffError::malformed(dir, "version", "a text like \"0.5\"", Some(other))),
    }
}
