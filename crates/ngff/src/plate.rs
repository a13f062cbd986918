//! Plates: their group, row and well groups, made new or extended with images.

mod layout;
mod well;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};
use crate::group;
use crate::store;
use crate::version::NgffVersion;
use layout::Layout;

/// A plate on disk: its rows, columns, wells and acquisitions.
///
/// What its metadata says beyond that is kept as it is, so that extending a plate of another writer loses nothing.
#[derive(Clone, Debug)]
pub struct Plate {
    dir: PathBuf,
    version: NgffVersion,
    attributes: Map<String, Value>,
    layout: Layout,
}

/// An image to be put into a plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlateImage {
    /// Row, `A`.
    pub row: String,
    /// Column, from 1; a new one is named with two digits.
    pub column: u32,
    /// Folder of the image in its well.
    pub path_in_well: String,
    /// Number of the acquisition.
    pub acquisition_id: u32,
    /// Name of the acquisition, used if the plate does not have it yet.
    pub acquisition_name: String,
}

/// Where an image of a plate belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedImage {
    /// Path within the plate, `A/01/0`. A plate of another writer may name its columns otherwise, `A/1/0`.
    pub path: String,
    /// Whether the well did not list it before.
    pub is_new: bool,
}

impl Plate {
    /// Makes a plate with its row and well groups; image groups are left to their writers. The plate's own metadata
    /// comes last.
    ///
    /// Rows and columns are sorted as text (`100` before `11`), wells and acquisitions keep the order of `images`, as in
    /// ngio.
    ///
    /// # Errors
    /// [`NgffError::DuplicateImage`], [`NgffError::InvalidName`], [`NgffError::Io`].
    pub fn write_new(dir: &Path, version: NgffVersion, name: &str, images: &[PlateImage]) -> Result<Self, NgffError> {
        let mut plate = Map::new();
        // The lists are filled in by the layout; they are here for their order, which is the reference's.
        if !images.is_empty() {
            plate.insert("acquisitions".to_owned(), json!([]));
        }
        plate.insert("columns".to_owned(), json!([]));
        plate.insert("name".to_owned(), json!(name));
        plate.insert("rows".to_owned(), json!([]));
        plate.insert("wells".to_owned(), json!([]));
        plate.insert("version".to_owned(), json!(version.as_str()));
        let mut ome = Map::new();
        ome.insert("plate".to_owned(), Value::Object(plate));
        if version == NgffVersion::V04 {
            ome.insert("version".to_owned(), json!(version.as_str()));
        }
        let attributes = group::ome_attributes(version, ome);
        let mut plate = Self {
            dir: dir.to_owned(),
            version,
            attributes,
            layout: Layout::default(),
        };
        plate.add(images)?;
        group::write_group(dir, version, &plate.attributes)?;
        Ok(plate)
    }

    /// Opens the plate in `dir`.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`], [`NgffError::UnsupportedVersion`], [`NgffError::Malformed`] if there is no plate in the
    /// metadata, or it is not as the specification says.
    pub fn open(dir: &Path) -> Result<Self, NgffError> {
        let (attributes, version) = group::read_attributes(dir)?;
        let ome = group::ome_of(dir, version, &attributes)?;
        let Some(Value::Object(plate)) = ome.get("plate") else {
            return Err(NgffError::malformed(
                dir,
                "plate",
                "an object that describes a plate",
                ome.get("plate"),
            ));
        };
        group::check_version(dir, version, plate.get("version"))?;
        let layout = Layout::from_document(dir, plate)?;
        Ok(Self {
            dir: dir.to_owned(),
            version,
            attributes,
            layout,
        })
    }

    /// Adds images with their wells, rows, columns and acquisitions, as far as they are missing, and renumbers the
    /// wells. Returns a place for each image, in the order given.
    ///
    /// Running it again with the same images changes nothing. Consolidated metadata of the plate is dropped: it would
    /// hide what was added.
    ///
    /// # Errors
    /// [`NgffError::VersionMismatch`] if the plate is not of version `asked`; else as [`Self::write_new`].
    pub fn extend(&mut self, asked: NgffVersion, images: &[PlateImage]) -> Result<Vec<PlacedImage>, NgffError> {
        if asked != self.version {
            return Err(NgffError::VersionMismatch {
                path: self.dir.clone(),
                found: self.version,
                asked,
            });
        }
        let placed = self.add(images)?;
        group::replace_attributes(&self.dir, self.version, &self.attributes)?;
        Ok(placed)
    }

    /// Version of the plate.
    pub fn version(&self) -> NgffVersion {
        self.version
    }

    /// Name in the metadata, if it has one.
    pub fn name(&self) -> Option<&str> {
        let ome = group::ome_of(&self.dir, self.version, &self.attributes).ok()?;
        ome.get("plate")?.get("name")?.as_str()
    }

    /// Names of the rows.
    pub fn rows(&self) -> Vec<&str> {
        self.layout.rows.iter().map(|row| row.name.as_str()).collect()
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.layout.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Paths of the wells, `A/01`.
    pub fn well_paths(&self) -> Vec<&str> {
        self.layout.wells.iter().map(|well| well.path.as_str()).collect()
    }

    /// Numbers and names of the acquisitions.
    pub fn acquisitions(&self) -> Vec<(u32, Option<&str>)> {
        self.layout
            .acquisitions
            .iter()
            .map(|entry| (entry.id, entry.name.as_deref()))
            .collect()
    }

    /// Paths of all images that the wells list, `A/01/0`, in the order of the wells.
    pub fn image_paths(&self) -> Result<Vec<String>, NgffError> {
        let mut paths = Vec::new();
        for well in &self.layout.wells {
            let images = well::read_images(&self.dir.join(&well.path))?;
            paths.extend(images.iter().map(|image| format!("{}/{image}", well.path)));
        }
        Ok(paths)
    }

    /// Places the images and writes rows and wells; the plate's own document is changed in memory only.
    fn add(&mut self, images: &[PlateImage]) -> Result<Vec<PlacedImage>> {
        // Names are checked before anything is written.
        for image in images {
            store::check_folder_name("row", &image.row)?;
            store::check_folder_name("image", &image.path_in_well)?;
        }
        let mut layout = self.layout.clone();
        let mut wells: IndexMap<String, IndexMap<&str, u32>> = IndexMap::new();
        let mut places = Vec::with_capacity(images.len());
        for image in images {
            let well = layout.place(image);
            let known = wells
                .entry(well.clone())
                .or_default()
                .insert(&image.path_in_well, image.acquisition_id);
            if known.is_some() {
                return Err(NgffError::DuplicateImage {
                    path: format!("{well}/{}", image.path_in_well),
                });
            }
            places.push((well, image.path_in_well.as_str()));
        }
        if !group::is_group(&self.dir, self.version) {
            // Before the wells too: whatever is interrupted, the folder is a plate that can be extended or replaced.
            group::write_group(&self.dir, self.version, &self.attributes)?;
        }
        let mut added = IndexMap::new();
        for (path, images) in &wells {
            if let Some((row, _)) = path.split_once('/') {
                let row = self.dir.join(row);
                if !group::is_group(&row, self.version) {
                    group::write_group(&row, self.version, &Map::new())?;
                }
            }
            let new = well::add_images(&self.dir.join(path), self.version, images)?;
            added.insert(path.as_str(), new);
        }
        let ome = group::ome_mut(&self.dir, self.version, &mut self.attributes)?;
        if let Some(Value::Object(plate)) = ome.get_mut("plate") {
            layout.write_into(plate);
        }
        self.layout = layout;
        let place = |(well, image): &(String, &str)| PlacedImage {
            path: format!("{well}/{image}"),
            is_new: added
                .get(well.as_str())
                .is_some_and(|new| new.iter().any(|name| name == image)),
        };
        Ok(places.iter().map(place).collect())
    }
}

#[cfg(test)]
mod tests;
