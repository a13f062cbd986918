//! Reads an acquisition folder: `tiles.csv`, `acquisition_details.toml`, and image files in it or in its `data/`.

use std::collections::HashMap;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ome_zarr_convert_core::acquisition::read_acquisition_file;
use ome_zarr_convert_core::options::AcquisitionOptions;
use ome_zarr_convert_core::{
    CoreError, Tile, add_image_pages, add_image_sizes, apply_condition_table, hcs_images_from_dataframe,
    read_tiles_table, single_images_from_dataframe, table_has_time, with_image_path,
};
use ome_zarr_convert_sources::{LoaderSpec, open_file, resolve_path};

use crate::compute::absolute;
use crate::error::TaskError;

/// What the images of an acquisition become.
#[derive(Clone, Debug, PartialEq)]
pub enum CollectionKind {
    /// Wells of a plate.
    Plate {
        /// Name of the plate.
        name: String,
        /// Number of the acquisition within the plate.
        acquisition_id: u32,
    },
    /// Images on their own, named in the table's column `image_path`.
    Images,
    /// Images on their own.
    NamedImages {
        /// The name of the image where the table names none.
        name: String,
        /// Whether it is the name of all, whatever the table says.
        of_all: bool,
    },
}

impl CollectionKind {
    /// The name that the reference knows it by.
    pub fn collection_type(&self) -> &'static str {
        match self {
            Self::Plate { .. } => "ImageInPlate",
            Self::Images | Self::NamedImages { .. } => "SingleImage",
        }
    }
}

/// Reads the tiles of an acquisition folder; their file paths are absolute. What `options` say goes before what
/// `acquisition_details.toml` says; their filters are left to the aggregation.
/// A `condition_table_path` is read, from the folder if it is relative.
pub fn read_acquisition(
    folder: &Path,
    kind: &CollectionKind,
    options: &AcquisitionOptions,
) -> Result<Vec<Tile>, TaskError> {
    if !folder.is_dir() {
        return Err(CoreError::Missing {
            path: folder.to_owned(),
            hint: "give the folder of an acquisition, which holds tiles.csv and acquisition_details.toml".into(),
        }
        .into());
    }
    let table_path = match folder.join("tiles.parquet") {
        parquet if parquet.is_file() && !folder.join("tiles.csv").is_file() => parquet,
        _ => folder.join("tiles.csv"),
    };
    let details_path = folder.join("acquisition_details.toml");
    let in_table = |error: CoreError| match error {
        CoreError::Table { place, problem } => CoreError::Table {
            place: place.replacen("the table of tiles", &table_path.display().to_string(), 1),
            problem,
        },
        other => other,
    };
    let table = read_tiles_table(&table_path)?;
    let mut files = Files::of(folder);
    let mut shape_of = |file_path: &str| {
        let path = files.find(file_path).ok_or_else(|| files.missing(file_path))?;
        let image = open_file(&path).map_err(|source| CoreError::Source {
            tile: format!("file {}", path.display()),
            source: Box::new(source),
        })?;
        Ok(image.info().shape.clone())
    };
    let table = add_image_sizes(table, &mut shape_of).map_err(in_table)?;
    let file = read_acquisition_file(&details_path)?;
    let details = file.details(
        &details_path.display().to_string(),
        table_has_time(&table).map_err(in_table)?,
    )?;
    let details = options.update_acquisition_details(&details)?;
    let table = add_image_pages(table, &details.axes, &mut shape_of).map_err(in_table)?;
    let tiles = match kind {
        CollectionKind::Plate { name, acquisition_id } => {
            hcs_images_from_dataframe(&table, &details, Some(name), *acquisition_id)
        }
        CollectionKind::Images => single_images_from_dataframe(&table, &details),
        CollectionKind::NamedImages { name, of_all } => {
            single_images_from_dataframe(&with_image_path(table, name, *of_all)?, &details)
        }
    };
    let mut tiles = tiles.map_err(in_table)?;
    for (row, tile) in tiles.iter_mut().enumerate() {
        if let LoaderSpec::File { file_path } = &mut tile.image_loader {
            let found = files.find(file_path).ok_or_else(|| CoreError::Table {
                place: format!("{}, row {}, column \"file_path\"", table_path.display(), row + 1),
                problem: files.missing(file_path).to_string(),
            })?;
            *file_path = found.display().to_string();
        }
    }
    if let Some(path) = &details.condition_table_path {
        let path = absolute(path)
            .ok()
            .filter(|path| path.is_file())
            .unwrap_or_else(|| folder.join(path));
        apply_condition_table(&path, &mut tiles)?;
    }
    Ok(tiles)
}

/// Finds image files in the acquisition folder, then in its `data/`, asking the system once per folder.
struct Files {
    bases: [PathBuf; 2],
    listings: HashMap<PathBuf, HashSet<std::ffi::OsString>>,
}

impl Files {
    fn of(folder: &Path) -> Self {
        Self {
            bases: [folder.to_owned(), folder.join("data")],
            listings: HashMap::new(),
        }
    }

    fn find(&mut self, file_path: &str) -> Option<PathBuf> {
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

    fn missing(&self, file_path: &str) -> CoreError {
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
