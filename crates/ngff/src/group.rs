//! Zarr groups of either format: their attributes, and the OME metadata among them.

mod image;

use ome_zarr_convert_store::{Kind, Location};
use serde_json::{Map, Value};

use crate::error::{NgffError, Result};
use crate::version::{NgffVersion, ZarrFormat};
use crate::zarr;

/// Documents of groups and arrays, in the order in which they are removed: what readers prefer first.
const DOCUMENTS: [&str; 5] = [".zmetadata", ".zattrs", "zarr.json", ".zgroup", ".zarray"];

/// Whether a file of that name makes its folder a Zarr group or array, or describes one.
pub fn is_group_document(name: &str) -> bool {
    DOCUMENTS.contains(&name)
}

/// Creates or replaces a Zarr group with the given attributes, and the folders above it.
///
/// Zarr 2 gets `.zgroup` and then `.zattrs` (`{}` too), Zarr 3 a `zarr.json`: with the last document written the group is what its
/// attributes say. `attributes` are taken as they are: for OME metadata of 0.5 they hold `ome`.
///
/// # Errors
/// Those of the store.
pub fn write_group(dir: &Location, version: NgffVersion, attributes: &Map<String, Value>) -> Result<(), NgffError> {
    version.zarr_format().write_group(dir, attributes)
}

/// The attributes of a Zarr group as they are, and its Zarr format.
///
/// # Errors
/// [`NgffError::NotZarr`] where there is no group, [`NgffError::Json`] and [`NgffError::Malformed`] for a broken one.
pub fn read_attributes(dir: &Location) -> Result<(Map<String, Value>, ZarrFormat), NgffError> {
    zarr::read_group(dir)
}

/// Removes the documents that make a folder a group or an array, so that readers see nothing there. What is in it stays.
///
/// # Errors
/// Those of the store; what describes the group to readers is gone before what makes it one.
pub fn remove_group(dir: &Location) -> Result<(), NgffError> {
    for name in DOCUMENTS {
        dir.child(name).remove()?;
    }
    Ok(())
}

/// Whether a folder has the document that makes it a group of that format.
pub(crate) fn is_group(dir: &Location, format: ZarrFormat) -> Result<bool> {
    let document = dir.child(format.group_document()).stat()?;
    Ok(document.is_some_and(|stat| stat.kind == Kind::File))
}

/// Removes the documents of other formats than `kept`: a folder is a group of one format.
pub(crate) fn remove_other_formats(dir: &Location, kept: ZarrFormat) -> Result<()> {
    let others: &[&str] = match kept {
        ZarrFormat::V2 => &["zarr.json"],
        ZarrFormat::V3 => &[".zattrs", ".zgroup"],
    };
    for name in others.iter().chain(&[".zmetadata", ".zarray"]) {
        dir.child(name).remove()?;
    }
    Ok(())
}

/// A group with OME metadata of a known version.
pub(crate) struct OmeGroup {
    pub(crate) attributes: Map<String, Value>,
    pub(crate) version: NgffVersion,
}

impl OmeGroup {
    /// Reads the group in a folder.
    pub(crate) fn read(dir: &Location) -> Result<Self> {
        let (attributes, format) = read_attributes(dir)?;
        let version = NgffVersion::of_group(dir, format, &attributes)?;
        Ok(Self { attributes, version })
    }

    /// Its OME metadata.
    pub(crate) fn ome(&self, dir: &Location) -> Result<&Map<String, Value>> {
        self.version.documents().ome(dir, &self.attributes)
    }
}

/// Names become folders: one that climbs out of its parent, or nests, is refused.
pub(crate) fn check_folder_name(what: &'static str, name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', '\\', '\0']) || name.chars().all(|c| c == '.') {
        return Err(NgffError::InvalidName {
            what,
            name: name.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ome_zarr_convert_store::MemoryStore;

    use super::*;

    #[test]
    fn without_its_documents_nothing_is_a_group_and_what_is_in_it_stays() {
        for &version in NgffVersion::ALL {
            let dir = Location::new(Arc::new(MemoryStore::new()), "image");
            write_group(&dir, version, &Map::new()).unwrap();
            dir.join("0/0").write_whole(&[b"pixels"]).unwrap();
            remove_group(&dir).unwrap();
            assert!(matches!(read_attributes(&dir), Err(NgffError::NotZarr { .. })));
            let left: Vec<String> = dir.walk().unwrap().unwrap().into_iter().map(|file| file.key).collect();
            assert_eq!(left, ["0/0"]);
        }
        assert!(is_group_document(".zarray") && !is_group_document("zarr.json.bak"));
    }
}
