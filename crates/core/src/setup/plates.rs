//! Plates: made new, replaced or extended; with one condition table per plate.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use ome_zarr_convert_ngff::{
    Cell, DataTable, NgffError, NgffVersion, Plate, PlateImage, Table, TableBackend, add_table, read_table,
};

use crate::collection::{Collection, ImageInPlate};
use crate::error::CoreError;
use crate::options::{ConverterOptions, OverwriteMode};
use crate::path::join;
use crate::tiled_image::TiledImage;

/// Columns that place a row of a plate's condition table; no attribute may be called so.
const PLACE: [&str; 4] = ["row", "column", "acquisition", "path_in_well"];

/// Files that make a folder a zarr.
const ROOT_FILES: [&str; 4] = [".zgroup", ".zattrs", ".zarray", "zarr.json"];

/// An image, its place, and its name inside the well.
struct Placed<'a> {
    image: &'a TiledImage,
    place: &'a ImageInPlate,
    path_in_well: String,
}

/// Sets up every plate of the images. Gives the paths of images that do not lie where their collection says: a plate of another
/// writer may name its columns otherwise (`A/1/0`).
pub(super) fn set_up(
    images: &[TiledImage],
    zarr_dir: &str,
    options: &ConverterOptions,
    mode: OverwriteMode,
) -> Result<HashMap<String, String>, CoreError> {
    let version = options.omezarr_options.ngff_version;
    let mut plates: IndexMap<String, Vec<Placed<'_>>> = IndexMap::new();
    for image in images {
        let Collection::ImageInPlate(place) = &*image.collection else {
            continue;
        };
        let path_in_well = image.path.rsplit('/').next().unwrap_or_default().to_owned();
        plates.entry(place.plate_path()?).or_default().push(Placed {
            image,
            place,
            path_in_well,
        });
    }
    // Everything that can be wrong is found before the first plate is touched.
    let mut tables = Vec::with_capacity(plates.len());
    for (name, placed) in &plates {
        check_existing(Path::new(&join(zarr_dir, name)?), version, mode)?;
        tables.push(condition_table(placed)?);
    }
    let mut elsewhere = HashMap::new();
    for ((name, placed), table) in plates.iter().zip(tables) {
        let dir = PathBuf::from(join(zarr_dir, name)?);
        for (placed, path) in placed
            .iter()
            .zip(write_plate(&dir, name, placed, table, version, mode)?)
        {
            let path = format!("{name}/{path}");
            if path != placed.image.path {
                elsewhere.insert(placed.image.path.clone(), path);
            }
        }
    }
    Ok(elsewhere)
}

/// Whether a plate that exists can be extended, or be removed.
fn check_existing(dir: &Path, version: NgffVersion, mode: OverwriteMode) -> Result<(), CoreError> {
    if !dir.exists() {
        return Ok(());
    }
    if mode != OverwriteMode::Extend {
        return check_removable(dir);
    }
    let found = Plate::open(dir)?.version();
    if found == version {
        return Ok(());
    }
    Err(CoreError::Ngff(NgffError::VersionMismatch {
        path: dir.to_owned(),
        found,
        asked: version,
    }))
}

/// Writes or extends one plate; gives the path of each image within it, if the plate had a say.
fn write_plate(
    dir: &Path,
    name: &str,
    placed: &[Placed<'_>],
    table: Option<DataTable>,
    version: NgffVersion,
    mode: OverwriteMode,
) -> Result<Vec<String>, CoreError> {
    let wells: Vec<PlateImage> = placed
        .iter()
        .map(|placed| PlateImage {
            row: placed.place.row.clone(),
            column: placed.place.column,
            path_in_well: placed.path_in_well.clone(),
            acquisition_id: placed.place.acquisition,
            acquisition_name: placed.place.acquisition.to_string(),
        })
        .collect();
    let mut merged = table;
    let mut paths = Vec::new();
    if dir.exists() && mode == OverwriteMode::Extend {
        paths.extend(
            Plate::open(dir)?
                .extend(version, &wells)?
                .into_iter()
                .map(|image| image.path),
        );
        if let (Some(new), Some(old)) = (&mut merged, read_table(dir, "condition_table")?) {
            *new = merge(old, std::mem::take(new));
        }
    } else {
        if dir.exists() {
            check_removable(dir)?;
            let same_version = Plate::open(dir).is_ok_and(|plate| plate.version() == version);
            let below = placed.iter().filter_map(|placed| placed.image.path.strip_prefix(name));
            let mut kept: Vec<PathBuf> = below
                .filter(|_| same_version)
                .map(|below| dir.join(below.trim_start_matches('/')))
                .collect();
            // What makes the folder a zarr is written over, so that it is one at every moment.
            kept.extend(ROOT_FILES.map(|name| dir.join(name)));
            clear(dir, &kept)?;
        }
        Plate::write_new(dir, version, name, &wells)?;
        let own: &[&str] = match version {
            NgffVersion::V04 => &[".zgroup", ".zattrs"],
            NgffVersion::V05 => &["zarr.json"],
        };
        for name in ROOT_FILES.iter().filter(|name| !own.contains(name)) {
            match std::fs::remove_file(dir.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(CoreError::io("remove", dir.join(name))(error));
                }
                _ => {}
            }
        }
    }
    if let Some(table) = merged {
        add_table(
            dir,
            version,
            "condition_table",
            Table::Condition(table),
            TableBackend::Csv.into(),
        )?;
    }
    Ok(paths)
}

/// An output folder that holds something else than a zarr is not ours to remove.
fn check_removable(dir: &Path) -> Result<(), CoreError> {
    let is_zarr = ROOT_FILES.iter().any(|name| dir.join(name).is_file());
    let is_empty = || std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    if !is_zarr && !is_empty() {
        return Err(CoreError::Path {
            path: dir.display().to_string(),
            problem: "it should be replaced, but it holds no zarr; move it away, or choose another output folder"
                .into(),
        });
    }
    Ok(())
}

/// Removes everything in a folder but the images that are to be converted again, and what interrupted conversions of them left beside
/// them: each is replaced by its conversion, once the new one is complete.
fn clear(folder: &Path, kept: &[PathBuf]) -> Result<(), CoreError> {
    for entry in std::fs::read_dir(folder).map_err(CoreError::io("read", folder))? {
        let entry = entry.map_err(CoreError::io("read", folder))?;
        let path = entry.path();
        let is_dir = entry.file_type().map_err(CoreError::io("look at", &path))?.is_dir();
        if kept.iter().any(|image| path == *image || is_beside(&path, image)) {
            continue;
        }
        if is_dir && kept.iter().any(|image| image.starts_with(&path)) {
            clear(&path, kept)?;
        } else if is_dir {
            std::fs::remove_dir_all(&path).map_err(CoreError::io("remove", &path))?;
        } else {
            std::fs::remove_file(&path).map_err(CoreError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Whether a path is `.{name}.{anything}` beside an image: where it is being converted.
fn is_beside(path: &Path, image: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    match (name(path), name(image)) {
        (Some(name), Some(of)) => path.parent() == image.parent() && name.starts_with(&format!(".{of}.")),
        _ => false,
    }
}

/// The condition table of a plate: place columns, then the attributes; images without attributes are left out. `None` without
/// any attribute.
fn condition_table(placed: &[Placed<'_>]) -> Result<Option<DataTable>, CoreError> {
    let described: Vec<_> = placed
        .iter()
        .filter(|placed| !placed.image.attributes.is_empty())
        .collect();
    let Some(first) = described.first() else {
        return Ok(None);
    };
    let wrong = |image: &TiledImage, problem: String| {
        Err(CoreError::Table {
            place: format!("the condition table, image {}", image.path),
            problem,
        })
    };
    if let Some(reserved) = PLACE.iter().find(|name| first.image.attributes.contains_key(**name)) {
        return wrong(
            first.image,
            format!("an attribute is called {reserved:?}, which places a row; rename the column"),
        );
    }
    let mut columns: IndexMap<&str, Vec<Cell>> = PLACE.iter().map(|name| (*name, Vec::new())).collect();
    for placed in &described {
        let attributes = &placed.image.attributes;
        let mut keys: Vec<_> = attributes.keys().collect();
        let mut expected: Vec<_> = first.image.attributes.keys().collect();
        keys.sort();
        expected.sort();
        if keys != expected {
            return wrong(
                placed.image,
                format!(
                    "its attributes are {keys:?}, but those of image {} are {expected:?}; give all images the same attributes \
                     (cells may be empty)",
                    first.image.path
                ),
            );
        }
        let rows = match placed.image.attribute_rows() {
            Ok(rows) => rows,
            Err(problem) => return wrong(placed.image, problem),
        };
        let place = [
            Cell::Text(placed.place.row.clone()),
            Cell::Int(i64::from(placed.place.column)),
            Cell::Int(i64::from(placed.place.acquisition)),
            Cell::Text(placed.path_in_well.clone()),
        ];
        for (name, cell) in PLACE.into_iter().zip(place) {
            columns.entry(name).or_default().extend(std::iter::repeat_n(cell, rows));
        }
        for (key, values) in attributes {
            columns.entry(key).or_default().extend(values.iter().cloned());
        }
    }
    let mut table = DataTable::new();
    for (name, cells) in columns {
        table.push_column(name, cells)?;
    }
    Ok(Some(table))
}

/// The rows of `old` whose images are not in `new`, then those of `new`.
fn merge(mut old: DataTable, new: DataTable) -> DataTable {
    // Read back from CSV, `0` is a number where it was text.
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Int(int) => int.to_string(),
        other => format!("{other:?}"),
    };
    let key = |table: &DataTable, row: usize| -> Vec<String> {
        PLACE
            .iter()
            .map(|name| table.column(name).map_or_else(String::new, |cells| text(&cells[row])))
            .collect()
    };
    let replaced: std::collections::HashSet<_> = (0..new.row_count()).map(|row| key(&new, row)).collect();
    let keep: Vec<bool> = (0..old.row_count())
        .map(|row| !replaced.contains(&key(&old, row)))
        .collect();
    old.retain_rows(|row| keep[row]);
    old.append(new);
    old
}
