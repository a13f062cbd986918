//! What a plate holds that no conversion wrote: labels, tables of analyses, notes, images of other programs.

use std::collections::{BTreeMap, BTreeSet};

use ome_zarr_convert_ngff::{ImageMetadata, NgffError, Plate, is_group_document, well_images};
use ome_zarr_convert_store::{Entry, Kind, Location};

use super::{conditions, plates};
use crate::error::CoreError;

/// What the names of our own files in an image begin with: the mark of a finished one, the claim of one in the making.
const OWN_FILES: &str = ".ome-zarr-convert";

/// Tables that conversions write.
const OWN_TABLES: [&str; 3] = ["FOV_ROI_table", "well_ROI_table", conditions::NAME];

/// Everything in a plate that replacing it would remove and that no conversion wrote, as paths in the plate with `/`. An image that
/// another program wrote is one path, and so is a folder that is not of the plate. Nothing if there is no plate, nor while it is being
/// replaced: what a kill left of it then is meant for removal.
///
/// # Errors
/// A store that cannot tell; a plate that is broken.
pub fn foreign_content(plate: &Location) -> Result<Vec<String>, CoreError> {
    let mut look = Look {
        plate,
        found: Vec::new(),
    };
    if plate.child(plates::REPLACING).exists()? {
        return Ok(look.found);
    }
    match Plate::open(plate) {
        Ok(opened) => look.plate(&opened)?,
        // Another kind of Zarr, or none: nothing in it is of a plate.
        Err(NgffError::NotZarr { .. } | NgffError::Malformed { .. }) => look.folder("", |_| false)?,
        Err(error) => return Err(error.into()),
    }
    Ok(look.found)
}

struct Look<'a> {
    plate: &'a Location,
    found: Vec<String>,
}

impl Look<'_> {
    fn plate(&mut self, plate: &Plate) -> Result<(), CoreError> {
        let mut wells: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for path in plate.well_paths() {
            let (row, column) = path.split_once('/').unwrap_or((path, ""));
            wells.entry(row).or_default().insert(column);
        }
        self.folder("", |name| wells.contains_key(name) || name == "tables")?;
        self.folder("tables", |name| is_of(conditions::NAME, name))?;
        for (row, columns) in &wells {
            self.folder(row, |name| columns.contains(name))?;
            for column in columns.iter().filter(|column| !column.is_empty()) {
                self.well(&format!("{row}/{column}"))?;
            }
        }
        Ok(())
    }

    fn well(&mut self, path: &str) -> Result<(), CoreError> {
        let images = match well_images(&self.plate.join(path)) {
            Ok(images) => images,
            // Listed and not there: nothing to remove.
            Err(NgffError::NotZarr { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let is_own = |name: &str| images.iter().any(|image| is_of(image, name));
        self.folder(path, is_own)?;
        for image in &images {
            self.image(&format!("{path}/{image}"))?;
        }
        Ok(())
    }

    fn image(&mut self, path: &str) -> Result<(), CoreError> {
        let place = self.plate.join(path);
        let metadata = match ImageMetadata::read(&place) {
            Ok((metadata, _)) => metadata,
            // In the making, or not there.
            Err(NgffError::NotZarr { .. }) => return self.unfinished(path),
            Err(NgffError::Store(error)) => return Err(error.into()),
            Err(_) => {
                self.found.push(path.to_owned());
                return Ok(());
            }
        };
        let mark = |level: &str| place.join(level).child(&format!("{OWN_FILES}.json")).exists();
        let finest = metadata.levels.first().map(|level| level.path.as_str());
        if !finest.map(mark).transpose()?.unwrap_or(false) {
            self.found.push(path.to_owned());
            return Ok(());
        }
        let is_level = |name: &str| {
            metadata
                .levels
                .iter()
                .any(|level| level.path.split('/').next() == Some(name))
        };
        let is_own = |name: &str| name == "tables" || name == ".ledger" || name.starts_with(OWN_FILES);
        self.folder(path, |name| is_own(name) || is_level(name))?;
        let is_table = |name: &str| OWN_TABLES.iter().any(|table| is_of(table, name));
        self.folder(&format!("{path}/tables"), is_table)
    }

    /// A folder at the place of an image that is no image yet.
    fn unfinished(&mut self, path: &str) -> Result<(), CoreError> {
        let entries = self.plate.join(path).list()?.unwrap_or_default();
        let claims = |entry: &Entry| entry.os_name.to_string_lossy().starts_with(OWN_FILES);
        if !entries.is_empty() && !entries.iter().any(claims) {
            self.found.push(path.to_owned());
        }
        Ok(())
    }

    /// Notes what is foreign in a folder; a link is, whatever it is called.
    fn folder(&mut self, path: &str, is_own: impl Fn(&str) -> bool) -> Result<(), CoreError> {
        for entry in self.plate.join(path).list()?.into_iter().flatten() {
            let name = entry.os_name.to_string_lossy();
            let temporary_of = name.strip_prefix('.').and_then(|name| name.strip_suffix(".partial"));
            let is_document = is_group_document(temporary_of.unwrap_or(&name));
            if entry.kind == Kind::Link || (!is_document && !is_own(&name)) {
                self.found.push(match path {
                    "" => name.into_owned(),
                    path => format!("{path}/{name}"),
                });
            }
        }
        Ok(())
    }
}

/// Whether a name is that of an image or a table, or one that conversions use beside it while they replace it.
fn is_of(thing: &str, name: &str) -> bool {
    let beside = name.strip_prefix('.').and_then(|name| name.strip_prefix(thing));
    name == thing || matches!(beside, Some(".partial" | ".replaced" | ".lock"))
}
