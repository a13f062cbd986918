//! Saves a table that was made from file names, so that it can be corrected and converted again.

use std::io::Write;
use std::path::Path;

use ome_zarr_convert_core::acquisition::{AcquisitionDetails, AcquisitionFile};
use ome_zarr_convert_core::path::{Found, look_up};
use ome_zarr_convert_core::{TilesTable, tiles_csv, with_absolute_files};

use super::CollectionKind;
use super::place::Place;
use crate::compute::absolute;
use crate::error::TaskError;

/// Writes the table, and `acquisition_details.toml` beside it unless the acquisition has its own there. In another folder than the images',
/// the paths of the files become absolute and the plate's name a column. Nothing is overwritten.
pub(super) fn save(
    path: &Path,
    table: &TilesTable,
    details: &AcquisitionDetails,
    kind: &CollectionKind,
    place: &Place,
) -> Result<String, TaskError> {
    let path = absolute(&path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let beside = folder == place.folder;
    let table = match kind {
        _ if beside => table.clone(),
        CollectionKind::Plate { name, .. } => {
            with_absolute_files(table, &place.folder.display().to_string(), Some(name))?
        }
        CollectionKind::Images | CollectionKind::NamedImages { .. } => {
            with_absolute_files(table, &place.folder.display().to_string(), None)?
        }
    };
    std::fs::create_dir_all(folder).map_err(TaskError::io("create", folder))?;
    write_new(&path, &tiles_csv(&table))?;
    let details_path = folder.join("acquisition_details.toml");
    let mut details = details.clone();
    if let Some(table) = details.condition_table_path.as_mut().filter(|_| !beside) {
        *table = place.folder.join(&*table).display().to_string();
    }
    let shown = path.display();
    if beside && look_up(&details_path)? == Found::File {
        return Ok(format!("The table is saved as {shown}"));
    }
    write_new(&details_path, &AcquisitionFile::of_details(&details).to_toml()?)?;
    Ok(format!(
        "The table is saved as {shown}, what it belongs to as {}: correct them and convert {shown}",
        details_path.display()
    ))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), TaskError> {
    let file = std::fs::File::options().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => TaskError::Arguments {
            place: "--write-table".into(),
            problem: format!(
                "{} exists already; remove it, or give a path in another folder",
                path.display()
            ),
        },
        _ => TaskError::io("create", path)(error),
    })?;
    file.write_all(text.as_bytes()).map_err(TaskError::io("write", path))
}
