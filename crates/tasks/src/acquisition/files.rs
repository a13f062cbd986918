//! The image files of an acquisition: where they lie, and what their headers say.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ome_zarr_convert_compute::Cancellation;
use ome_zarr_convert_core::{CoreError, FileHeader};
use ome_zarr_convert_sources::{Header, Headers, LoaderSpec, open_file, resolve_path};

use super::Reading;
use crate::compute::absolute;

/// Finds image files in the acquisition folder, then in its `data/`, asking the system once per folder; and reads each header once.
pub(super) struct Files<'a> {
    bases: [PathBuf; 2],
    listings: HashMap<PathBuf, HashSet<OsString>>,
    headers: HashMap<String, FileHeader>,
    cancellation: &'a Cancellation,
    /// Takes up what is read here, so that nothing reads it again.
    read: &'a Headers,
}

impl<'a> Files<'a> {
    pub(super) fn of(folder: &Path, how: &Reading<'a>) -> Self {
        Self {
            bases: [folder.to_owned(), folder.join("data")],
            listings: HashMap::new(),
            headers: HashMap::new(),
            cancellation: how.cancellation,
            read: how.headers,
        }
    }

    pub(super) fn find(&mut self, file_path: &str) -> Option<PathBuf> {
        if file_path.starts_with('~') {
            return absolute(file_path).ok().filter(|path| path.is_file());
        }
        for base in self.bases.clone() {
            let path = resolve_path(file_path, Some(&base.display().to_string()));
            if self.exists(&path) {
                return Some(path);
            }
        }
        None
    }

    /// What the header of a file says.
    pub(super) fn header(&mut self, file_path: &str) -> Result<FileHeader, CoreError> {
        if let Some(header) = self.headers.get(file_path) {
            return Ok(header.clone());
        }
        if self.cancellation.is_cancelled() {
            return Err(CoreError::Canceled {
                place: file_path.to_owned(),
            });
        }
        let path = self.find(file_path).ok_or_else(|| self.missing(file_path))?;
        let image = open_file(&path).map_err(|source| CoreError::Source {
            tile: format!("file {}", path.display()),
            source: Box::new(source),
        })?;
        let header = FileHeader {
            shape: image.info().shape.clone(),
            metadata: image.metadata(),
        };
        let loaded_from = LoaderSpec::File {
            file_path: path.display().to_string(),
        };
        self.read.insert(&loaded_from, Header::of(&*image));
        self.headers.insert(file_path.to_owned(), header.clone());
        Ok(header)
    }

    fn exists(&mut self, path: &Path) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        let listing = self.listings.entry(parent.to_owned()).or_insert_with(|| {
            let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name()).collect()
        });
        // A file may have a name that the listing spells otherwise (case, Unicode form): the system decides.
        listing.contains(name) || path.is_file()
    }

    pub(super) fn missing(&self, file_path: &str) -> CoreError {
        CoreError::Missing {
            path: PathBuf::from(file_path),
            hint: format!(
                "looked in {} and {}; correct file_path, or put the file there",
                self.bases[0].display(),
                self.bases[1].display()
            ),
        }
    }
}
