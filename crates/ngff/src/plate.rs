//! Plates: their group, row and well groups, made new or extended with images.

mod folders;
mod layout;
mod well;

use indexmap::IndexMap;
use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use crate::error::{NgffError, Result};
use crate::group::{self, OmeGroup, is_group_document};
use crate::version::NgffVersion;
use folders::Folders;
use layout::Layout;

/// A plate in a store: its rows, columns, wells and acquisitions.
///
/// What its metadata says beyond that is kept as it is, so that extending a plate of another writer loses nothing.
#[derive(Clone, Debug)]
pub struct Plate {
    dir: Location,
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
    /// Makes a plate where none is, with its row and well groups; image groups are left to their writers.
    ///
    /// Rows are sorted as A…Z, AA, AB… and columns by number: viewers place wells by index. Wells and acquisitions keep the order of
    /// `images`, as in ngio.
    ///
    /// # Errors
    /// [`NgffError::DuplicateImage`] and [`NgffError::InvalidName`] before anything is written; then those of [`Self::create`] and
    /// [`Self::extend`].
    pub fn write_new(
        dir: &Location,
        version: NgffVersion,
        name: &str,
        images: &[PlateImage],
    ) -> Result<Self, NgffError> {
        Placement::new(&Layout::default(), images)?;
        let mut plate = Self::create(dir, version, name)?;
        plate.extend(version, images)?;
        Ok(plate)
    }

    /// Makes a plate without wells where no group is. Its document comes first, so that whatever is interrupted later, the folder is a
    /// plate that can be extended or replaced.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`](ome_zarr_convert_store::StoreError::AlreadyExists) if another was there, or came first.
    pub fn create(dir: &Location, version: NgffVersion, name: &str) -> Result<Self, NgffError> {
        let plate = Self::empty(dir, version, name);
        version.zarr_format().create_group(dir, &plate.attributes)?;
        Ok(plate)
    }

    /// Makes the group in `dir`, of whatever kind and Zarr format it is, a plate without wells. What lies in the folder stays.
    ///
    /// # Errors
    /// Those of the store.
    pub fn replace(dir: &Location, version: NgffVersion, name: &str) -> Result<Self, NgffError> {
        let plate = Self::empty(dir, version, name);
        let format = version.zarr_format();
        format.write_group(dir, &plate.attributes)?;
        group::remove_other_formats(dir, format)?;
        Ok(plate)
    }

    fn empty(dir: &Location, version: NgffVersion, name: &str) -> Self {
        let documents = version.documents();
        Self {
            dir: dir.clone(),
            version,
            attributes: documents.attributes(documents.new_plate(name)),
            layout: Layout::default(),
        }
    }

    /// Opens the plate in `dir`.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`], [`NgffError::UnsupportedVersion`], [`NgffError::Malformed`] if there is no plate in the
    /// metadata, or it is not as the specification says.
    pub fn open(dir: &Location) -> Result<Self, NgffError> {
        let group = OmeGroup::read(dir)?;
        let plate = group.version.documents().plate(dir, group.ome(dir)?)?;
        let layout = Layout::from_document(dir, plate)?;
        Ok(Self {
            dir: dir.clone(),
            version: group.version,
            layout,
            attributes: group.attributes,
        })
    }

    /// Whether there is nothing in `dir`, not even the folder; or nothing but what a process left that was killed when it began a
    /// plate: a group that says nothing, temporary files.
    ///
    /// # Errors
    /// Those of the store.
    pub fn is_hardly_begun(dir: &Location) -> Result<bool, NgffError> {
        for entry in dir.list()?.into_iter().flatten() {
            let name = entry.os_name.to_string_lossy();
            let temporary_of = name.strip_prefix('.').and_then(|name| name.strip_suffix(".partial"));
            if !is_group_document(temporary_of.unwrap_or(&name)) {
                return Ok(false);
            }
        }
        match group::read_attributes(dir) {
            Ok((attributes, _)) => Ok(attributes.is_empty()),
            Err(NgffError::NotZarr { .. }) => Ok(true),
            Err(error @ NgffError::Store(_)) => Err(error),
            // A document that is broken says something.
            Err(_) => Ok(false),
        }
    }

    /// Adds images with their wells, rows, columns and acquisitions, as far as they are missing, and renumbers the
    /// wells. Returns a place for each image, in the order given. The plate's own document is written last.
    ///
    /// Running it again with the same images changes nothing, and finishes what was interrupted. Consolidated metadata of the plate is
    /// dropped: it would hide what was added.
    ///
    /// # Errors
    /// [`NgffError::VersionMismatch`] if the plate is not of version `asked`, [`NgffError::DuplicateImage`],
    /// [`NgffError::InvalidName`], [`NgffError::Link`] if a row or a well is a symbolic link: nothing has been written then.
    pub fn extend(&mut self, asked: NgffVersion, images: &[PlateImage]) -> Result<Vec<PlacedImage>, NgffError> {
        if asked != self.version {
            return Err(NgffError::VersionMismatch {
                place: self.dir.to_string(),
                found: self.version,
                asked,
            });
        }
        let placement = Placement::new(&self.layout, images)?;
        let mut folders = Folders::of(&self.dir);
        let mut there = Vec::with_capacity(placement.wells.len());
        for path in placement.wells.keys() {
            let row = path.split_once('/').map(|(row, _)| row);
            let row_is_there = row.map(|row| folders.is_there(row)).transpose()?.unwrap_or(true);
            there.push((row, row_is_there, folders.is_there(path)?));
        }
        let mut added = IndexMap::new();
        for ((path, images), (row, row_is_there, well_is_there)) in placement.wells.iter().zip(there) {
            if let Some(row) = row {
                self.write_row(row, row_is_there)?;
            }
            let new = well::add_images(&self.dir.join(path), self.version, images, well_is_there)?;
            added.insert(path.as_str(), new);
        }
        let ome = self.version.documents().ome_mut(&self.dir, &mut self.attributes)?;
        if let Some(Value::Object(plate)) = ome.get_mut("plate") {
            placement.layout.write_into(plate);
        }
        self.version
            .zarr_format()
            .replace_attributes(&self.dir, &self.attributes)?;
        let is_new = |well: &str, image: &str| added.get(well).is_some_and(|new| new.iter().any(|name| name == image));
        let place = |(well, image): &(String, &str)| PlacedImage {
            path: format!("{well}/{image}"),
            is_new: is_new(well, image),
        };
        let placed = placement.places.iter().map(place).collect();
        self.layout = placement.layout;
        Ok(placed)
    }

    fn write_row(&self, row: &str, is_there: bool) -> Result<()> {
        let (row, format) = (self.dir.child(row), self.version.zarr_format());
        if is_there && group::is_group(&row, format)? {
            return Ok(());
        }
        format.write_group(&row, &Map::new())
    }

    /// Version of the plate.
    pub fn version(&self) -> NgffVersion {
        self.version
    }

    /// Name in the metadata, if it has one.
    pub fn name(&self) -> Option<&str> {
        let ome = self.version.documents().ome(&self.dir, &self.attributes).ok()?;
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
    ///
    /// # Errors
    /// A well that is not there or broken.
    pub fn image_paths(&self) -> Result<Vec<String>, NgffError> {
        let mut paths = Vec::new();
        for well in &self.layout.wells {
            let images = well::read_images(&self.dir.join(&well.path))?;
            paths.extend(images.iter().map(|image| format!("{}/{image}", well.path)));
        }
        Ok(paths)
    }
}

/// Names of the images that the well in `dir` lists, in their order.
///
/// # Errors
/// [`NgffError::NotZarr`], [`NgffError::UnsupportedVersion`], [`NgffError::Malformed`] without such a list.
pub fn well_images(dir: &Location) -> Result<Vec<String>, NgffError> {
    well::read_images(dir)
}

/// Where images come to lie in a plate.
struct Placement<'a> {
    /// The plate's lists with them.
    layout: Layout,
    /// The images of each well with their acquisitions.
    wells: IndexMap<String, IndexMap<&'a str, u32>>,
    /// Well and name of each image, in the order given.
    places: Vec<(String, &'a str)>,
}

impl<'a> Placement<'a> {
    fn new(layout: &Layout, images: &'a [PlateImage]) -> Result<Self> {
        for image in images {
            group::check_folder_name("row", &image.row)?;
            group::check_folder_name("image", &image.path_in_well)?;
        }
        let mut layout = layout.clone();
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
        Ok(Self { layout, wells, places })
    }
}

#[cfg(test)]
mod tests;
