//! The image files of an acquisition: where they lie, and what their headers say.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ome_zarr_convert_compute::Cancellation;
use ome_zarr_convert_core::path::{Found, look_up};
use ome_zarr_convert_core::{CoreError, FileHeader, is_image_name, safe_name};
use ome_zarr_convert_sources::{Header, Headers, LoaderSpec, open_file, resolve_path};

use crate::compute::absolute;

/// Finds image files in the acquisition folder, then in its `data/`, listing each folder once; and reads each header once.
pub(super) struct Files<'a> {
    bases: [PathBuf; 2],
    listings: HashMap<PathBuf, HashSet<OsString>>,
    headers: HashMap<String, FileHeader>,
    cancellation: &'a Cancellation,
    /// Takes up what is read here, so that nothing reads it again.
    read: &'a Headers,
}

impl<'a> Files<'a> {
    pub(super) fn of(folder: &Path, cancellation: &'a Cancellation, read: &'a Headers) -> Self {
        Self {
            bases: [folder.to_owned(), folder.join("data")],
            listings: HashMap::new(),
            headers: HashMap::new(),
            cancellation,
            read,
        }
    }

    /// Where the file of a cell lies: as it is written, without blanks around it, or with the slashes of this system.
    ///
    /// # Errors
    /// The system cannot tell whether there is such a file.
    pub(super) fn find(&mut self, file_path: &str) -> Result<Option<PathBuf>, CoreError> {
        let trimmed = file_path.trim();
        let local = trimmed.strip_prefix("file://").unwrap_or(trimmed);
        let turned = local.replace('\\', "/");
        let mut tried: Vec<&str> = Vec::with_capacity(4);
        for spelling in [file_path, trimmed, local, &turned] {
            if tried.contains(&spelling) {
                continue;
            }
            tried.push(spelling);
            if spelling == "~" || spelling.starts_with("~/") {
                if let Ok(path) = absolute(spelling)
                    && look_up(&path)? == Found::File
                {
                    return Ok(Some(path));
                }
                continue;
            }
            let places = self
                .bases
                .each_ref()
                .map(|base| resolve_path(spelling, Some(&base.display().to_string())));
            for path in &places {
                if self.is_listed(path)? {
                    return Ok(Some(path.clone()));
                }
            }
            // A file may have a name that the listing spells otherwise (case, Unicode form): the system decides.
            for path in places {
                if look_up(&path)? == Found::File {
                    return Ok(Some(path));
                }
            }
        }
        Ok(None)
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
        let path = self.find(file_path)?.ok_or_else(|| self.missing(file_path))?;
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

    fn is_listed(&mut self, path: &Path) -> Result<bool, CoreError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(false);
        };
        if !self.listings.contains_key(parent) {
            self.listings.insert(parent.to_owned(), list(parent)?);
        }
        Ok(self.listings.get(parent).is_some_and(|listing| listing.contains(name)))
    }

    /// Where a file that is not there would lie.
    pub(super) fn place_of_missing(&self, file_path: &str) -> PathBuf {
        resolve_path(
            &file_path.trim().replace('\\', "/"),
            Some(&self.bases[0].display().to_string()),
        )
    }

    /// That a file of the table is not there, with what may be meant.
    pub(super) fn missing(&self, file_path: &str) -> CoreError {
        let looked = format!("looked in {} and {}", self.bases[0].display(), self.bases[1].display());
        let text = file_path.trim();
        let is_drive = |text: &str| {
            let bytes = text.as_bytes();
            bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
        };
        let hint = if text.contains("://") {
            "it is an address, not a path; copy the file to this machine and write its path".to_owned()
        } else if is_drive(text) || text.starts_with(r"\\") {
            "it is a path of another computer; write it relative to the folder of the table, such as data/image.tif"
                .to_owned()
        } else {
            match self.closest(text) {
                Some(name) => format!("{looked}; there is {name:?}, is that meant?"),
                None => format!("{looked}; correct file_path, or put the file there"),
            }
        };
        CoreError::Missing {
            path: PathBuf::from(file_path),
            hint,
        }
    }

    /// A file in the listed folders whose name differs in case, suffix or the way in which letters are encoded only.
    fn closest(&self, file_path: &str) -> Option<String> {
        let turned = file_path.replace('\\', "/");
        let wanted = Path::new(&turned);
        let stem = |path: &Path| safe_name(&path.file_stem().unwrap_or_default().to_string_lossy()).to_lowercase();
        let mut names: Vec<&OsString> = self
            .listings
            .values()
            .flatten()
            .filter(|name| stem(Path::new(name)) == stem(wanted) && is_image_name(&name.to_string_lossy()))
            .collect();
        names.sort();
        names.first().map(|name| name.to_string_lossy().into_owned())
    }

    /// Image files beside those that are used, by their names: files of sets (`.ome.tif`) may be part of one that is used.
    pub(super) fn unused(&self, used: &HashSet<PathBuf>) -> Vec<String> {
        let is_of_set = |name: &str| {
            let name = name.to_lowercase();
            name.ends_with(".ome.tif") || name.ends_with(".ome.tiff")
        };
        let mut unused = Vec::new();
        for (folder, listing) in &self.listings {
            for name in listing {
                let path = folder.join(name);
                let name = name.to_string_lossy();
                if is_image_name(&name) && !is_of_set(&name) && !used.contains(&path) {
                    let below = path.strip_prefix(&self.bases[0]).unwrap_or(&path);
                    unused.push(below.display().to_string());
                }
            }
        }
        unused.sort();
        unused
    }
}

/// The names in a folder; none where there is no such folder.
fn list(folder: &Path) -> Result<HashSet<OsString>, CoreError> {
    let failed = |source: std::io::Error| CoreError::Io {
        action: "list",
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(HashSet::new());
        }
        entries => entries.map_err(failed)?,
    };
    entries.map(|entry| Ok(entry.map_err(failed)?.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_people_write_them() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.tif", " lead.tif", "~tilde.tif", "ü+#1.tif"];
        std::fs::create_dir(folder.path().join("data")).unwrap();
        for name in names {
            std::fs::File::create(folder.path().join("data").join(name)).unwrap();
        }
        let (cancellation, headers) = (Cancellation::new(), Headers::default());
        let mut files = Files::of(folder.path(), &cancellation, &headers);
        let mut find = |path: &str| {
            let found = files.find(path).unwrap();
            found.map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        };
        for name in names {
            assert_eq!(find(name).as_deref(), Some(name));
        }
        for path in ["data/a.tif", r"data\a.tif", r".\data\a.tif", " a.tif ", "./a.tif"] {
            assert_eq!(find(path).as_deref(), Some("a.tif"), "{path}");
        }
        let address = format!("file://{}/data/a.tif", folder.path().display());
        assert_eq!(find(&address).as_deref(), Some("a.tif"));
        for path in ["b.tif", r"C:\scan\a.tif", "s3://bucket/a.tif", "A.TIF", "a"] {
            assert_eq!(find(path), None, "{path}");
        }
        let missing = |path: &str| files.missing(path).to_string();
        assert!(
            missing("A.TIFF").contains("there is \"a.tif\", is that meant?"),
            "{}",
            missing("A.TIFF")
        );
        assert!(missing(r"C:\scan\a.tif").contains("a path of another computer"));
        assert!(missing("s3://bucket/a.tif").contains("it is an address"));
        assert_eq!(
            files.unused(&HashSet::from([folder.path().join("data/a.tif")])).len(),
            3
        );
    }
}
