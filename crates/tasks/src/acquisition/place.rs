//! What the path of an acquisition is: a folder with a table, a table, a folder of image files, or an image file.

use std::path::{Path, PathBuf};

use ome_zarr_convert_core::{CoreError, is_image_name};

use super::ImageNames;
use crate::error::TaskError;

/// Where an acquisition lies.
pub(super) struct Place {
    /// The folder that relative paths start at.
    pub(super) folder: PathBuf,
    /// Its table, if it has one.
    pub(super) table: Option<PathBuf>,
    /// The one image file that was asked for, by its name in the folder.
    pub(super) file: Option<String>,
}

impl Place {
    pub(super) fn of(path: &Path, names: &ImageNames) -> Result<Self, TaskError> {
        let place = if path.is_file() {
            Self::of_file(path)
        } else if path.is_dir() {
            let table = ["tiles.csv", "tiles.parquet"].map(|name| path.join(name)).into_iter();
            Self {
                folder: path.to_owned(),
                table: table.into_iter().find(|table| table.is_file()),
                file: None,
            }
        } else {
            return Err(CoreError::Missing {
                path: path.to_owned(),
                hint: "give the folder of an acquisition, which holds tiles.csv and acquisition_details.toml, or image files; a \
                       table or an image file will do too"
                    .into(),
            }
            .into());
        };
        let Some(table) = &place.table else { return Ok(place) };
        let given = [
            ("--pattern", names.pattern.is_some()),
            ("--write-table", names.write_table.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(place),
            Some((flag, _)) => Err(TaskError::Arguments {
                place: flag.into(),
                problem: format!(
                    "it is for image files without a table, but there is {}; leave {flag} out, or move the table away",
                    table.display()
                ),
            }),
        }
    }

    fn of_file(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let is_table = path
            .extension()
            .is_some_and(|suffix| suffix.eq_ignore_ascii_case("csv") || suffix.eq_ignore_ascii_case("parquet"));
        Self {
            folder,
            table: is_table.then(|| path.to_owned()),
            file: path
                .file_name()
                .filter(|_| !is_table)
                .map(|name| name.to_string_lossy().into_owned()),
        }
    }

    /// Tables that lie in the folder but are not its `tiles.csv`.
    pub(super) fn other_tables(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let is_table = |name: &String| {
            [".csv", ".parquet"]
                .iter()
                .any(|suffix| name.to_lowercase().ends_with(suffix))
        };
        let mut names: Vec<String> = names.filter(is_table).collect();
        names.sort();
        names
    }

    /// The image files: the one that was asked for, or all below the folder, parts of their paths joined by `/`. Hidden folders and OME-Zarr
    /// outputs are passed over.
    pub(super) fn image_files(&self) -> Result<Vec<String>, TaskError> {
        if let Some(file) = &self.file {
            return Ok(vec![file.clone()]);
        }
        let mut files = Vec::new();
        let mut folders = vec![(self.folder.clone(), String::new())];
        while let Some((folder, below)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(TaskError::io("read", &folder))? {
                let entry = entry.map_err(TaskError::io("read", &folder))?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let path = format!("{below}{name}");
                // Links are followed; one that leads nowhere is no file.
                let Ok(metadata) = std::fs::metadata(entry.path()) else {
                    continue;
                };
                let linked = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                if metadata.is_file() && is_image_name(&name) {
                    files.push(path);
                } else if metadata.is_dir() && !linked && !name.starts_with('.') && !name.ends_with(".zarr") {
                    folders.push((entry.path(), format!("{path}/")));
                }
            }
        }
        files.sort();
        Ok(files)
    }
}
