//! Plates: made new, replaced or extended, one process at a time; with one condition table per plate.
//!
//! What is done with a plate is decided once, while its lock is held, and `Overwrite` alone removes anything. The plate's document comes
//! first and says that it is an empty plate, so that after a kill the folder is one that can be extended or replaced; the condition table
//! comes last.

use indexmap::IndexMap;
use ome_zarr_convert_ngff::{
    DataTable, ImageMetadata, NgffError, NgffVersion, Plate, PlateImage, Table, TableBackend, add_table,
    is_group_document, read_table,
};
use ome_zarr_convert_store::{Entry, Kind, Location, Lock, StoreError};

use super::{conditions, output_exists};
use crate::collection::{Collection, ImageInPlate};
use crate::error::CoreError;
use crate::options::{ConverterOptions, OverwriteMode};
use crate::path::below;
use crate::tiled_image::TiledImage;

/// Says that a plate is being replaced, so that what is left of it after a kill is known to be meant for removal.
pub(super) const REPLACING: &str = ".ome-zarr-convert.replacing";

/// An image, its place, and its name inside the well.
pub(super) struct Placed<'a> {
    pub(super) image: &'a TiledImage,
    pub(super) place: &'a ImageInPlate,
    pub(super) path_in_well: String,
    /// Its number among all images.
    index: usize,
}

/// A plate that is set up.
struct Job<'a> {
    name: String,
    dir: Location,
    images: Vec<Placed<'a>>,
    /// The conditions of the images, if they have any.
    conditions: Option<DataTable>,
}

/// What is done with a plate.
enum Way {
    /// It is made where nothing is.
    Create,
    /// It is made over a group that says nothing.
    Finish,
    /// Images are added to it.
    Extend {
        plate: Box<Plate>,
        conditions: Option<DataTable>,
    },
    /// Everything in it is removed, but what belongs to images that are converted again.
    Clear,
}

/// Sets up every plate of the images, and corrects the places of images that a plate has elsewhere.
pub(super) fn set_up(
    images: &[&TiledImage],
    places: &mut [Location],
    zarr_dir: &Location,
    options: &ConverterOptions,
    mode: OverwriteMode,
    stop: &dyn Fn() -> bool,
) -> Result<(), CoreError> {
    let version = options.omezarr_options.ngff_version;
    let jobs = jobs(images, zarr_dir)?;
    let _locks = lock_all(&jobs, stop)?;
    // Everything that can be wrong is found before the first plate is touched.
    let mut ways = Vec::with_capacity(jobs.len());
    for job in &jobs {
        ways.push(way(job, version, mode)?);
    }
    for (job, way) in jobs.iter().zip(ways) {
        for (placed, path) in job.images.iter().zip(write(job, way, version)?) {
            places[placed.index] = job.dir.join(&path);
        }
    }
    Ok(())
}

/// The plates of the images, in the order of their first image.
fn jobs<'a>(images: &[&'a TiledImage], zarr_dir: &Location) -> Result<Vec<Job<'a>>, CoreError> {
    let mut plates: IndexMap<String, Vec<Placed<'a>>> = IndexMap::new();
    for (index, &image) in images.iter().enumerate() {
        if let Collection::ImageInPlate(place) = &*image.collection {
            plates.entry(place.plate_path()?).or_default().push(Placed {
                image,
                place,
                path_in_well: image.path.rsplit('/').next().unwrap_or_default().to_owned(),
                index,
            });
        }
    }
    let job = |(name, images): (String, Vec<Placed<'a>>)| {
        Ok(Job {
            dir: below(zarr_dir, &name)?,
            conditions: conditions::condition_table(&images)?,
            name,
            images,
        })
    };
    plates.into_iter().map(job).collect()
}

/// Locks all plates, in the order of their names, so that two set-ups never wait for each other. A store without locks does without.
fn lock_all(jobs: &[Job<'_>], stop: &dyn Fn() -> bool) -> Result<Vec<Lock>, CoreError> {
    let mut in_order: Vec<&Job<'_>> = jobs.iter().collect();
    in_order.sort_by(|a, b| a.name.cmp(&b.name));
    let mut locks = Vec::with_capacity(jobs.len());
    for job in in_order {
        let place = job.dir.beside("lock");
        match place.lock_when_free(stop) {
            Ok(Some(lock)) => locks.push(lock),
            Ok(None) => {
                return Err(CoreError::Canceled {
                    place: place.to_string(),
                });
            }
            Err(error) if error.is_not_supported() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(locks)
}

/// Decides what is done with a plate.
fn way(job: &Job<'_>, version: NgffVersion, mode: OverwriteMode) -> Result<Way, CoreError> {
    let dir = &job.dir;
    let Some(found) = dir.stat()? else {
        return Ok(Way::Create);
    };
    match mode {
        OverwriteMode::NoOverwrite => Err(CoreError::OutputExists { place: dir.to_string() }),
        _ if found.is_folder() && Plate::is_hardly_begun(dir)? => Ok(Way::Finish),
        OverwriteMode::Extend => extend(job, version),
        OverwriteMode::Overwrite if has_group_document(dir)? => Ok(Way::Clear),
        // A folder that holds something else than a zarr is not ours to remove.
        OverwriteMode::Overwrite => Err(CoreError::NotOurs { place: dir.to_string() }),
    }
}

/// Opens a plate that images of a version are to be added to, and merges the condition tables.
fn extend(job: &Job<'_>, version: NgffVersion) -> Result<Way, CoreError> {
    let plate = Plate::open(&job.dir)?;
    if plate.version() != version {
        return Err(CoreError::Ngff(NgffError::VersionMismatch {
            place: job.dir.to_string(),
            found: plate.version(),
            asked: version,
        }));
    }
    let conditions = match &job.conditions {
        None => None,
        Some(new) => Some(match read_table(&job.dir, conditions::NAME)? {
            Some(old) => conditions::merge(old, new.clone()),
            None => new.clone(),
        }),
    };
    Ok(Way::Extend {
        plate: Box::new(plate),
        conditions,
    })
}

fn has_group_document(dir: &Location) -> Result<bool, StoreError> {
    let entries = dir.list()?.unwrap_or_default();
    let is_one = |entry: &Entry| entry.kind == Kind::File && entry.os_name.to_str().is_some_and(is_group_document);
    Ok(entries.iter().any(is_one))
}

/// Writes one plate; gives the path of each image within it.
fn write(job: &Job<'_>, way: Way, version: NgffVersion) -> Result<Vec<String>, CoreError> {
    let (dir, name) = (&job.dir, job.name.as_str());
    let may_be_replacing = matches!(way, Way::Clear | Way::Extend { .. });
    let (mut plate, conditions) = match way {
        Way::Create => (create(job, version)?, job.conditions.clone()),
        Way::Finish => (Plate::replace(dir, version, name)?, job.conditions.clone()),
        Way::Extend { plate, conditions } => (*plate, conditions),
        Way::Clear => {
            let kept = converted_again(job, version)?;
            dir.child(REPLACING).write_whole(&[])?;
            // Readers see a plate at every moment, and none that lists what is gone.
            let plate = Plate::replace(dir, version, name)?;
            clear(dir, "", &kept)?;
            (plate, job.conditions.clone())
        }
    };
    let images: Vec<PlateImage> = job.images.iter().map(in_plate).collect();
    let placed = plate.extend(version, &images)?;
    if let Some(table) = conditions {
        let table = Table::Condition(table);
        add_table(dir, version, conditions::NAME, table, TableBackend::Csv.into())?;
    }
    if may_be_replacing {
        dir.child(REPLACING).remove()?;
    }
    Ok(placed.into_iter().map(|image| image.path).collect())
}

fn create(job: &Job<'_>, version: NgffVersion) -> Result<Plate, CoreError> {
    let created = Plate::create(&job.dir, version, &job.name);
    created.map_err(|error| match error {
        NgffError::Store(error) => output_exists(&job.dir)(error),
        other => other.into(),
    })
}

fn in_plate(placed: &Placed<'_>) -> PlateImage {
    PlateImage {
        row: placed.place.row.clone(),
        column: placed.place.column,
        path_in_well: placed.path_in_well.clone(),
        acquisition_id: placed.place.acquisition,
        acquisition_name: placed.place.acquisition.to_string(),
    }
}

/// Paths in the plate of what stays while it is cleared: images of the plate's version that are converted again, each of which is
/// replaced by its conversion once the new one is complete.
fn converted_again(job: &Job<'_>, version: NgffVersion) -> Result<Vec<String>, CoreError> {
    let mut kept = Vec::new();
    for placed in &job.images {
        let path = placed.image.path.strip_prefix(&job.name).unwrap_or_default();
        let path = path.trim_start_matches('/');
        let place = job.dir.join(path);
        let stays = match ImageMetadata::read(&place) {
            Ok((_, found)) => found == version,
            // What is in the making is no image yet.
            Err(NgffError::NotZarr { .. }) => !has_group_document(&place)?,
            Err(NgffError::Store(error)) => return Err(error.into()),
            Err(_) => false,
        };
        if stays {
            kept.push(path.to_owned());
        }
    }
    Ok(kept)
}

/// Removes everything in a folder of a plate but the images that stay, what interrupted conversions of them left beside them, and the
/// documents of the plate itself. Links are removed, never followed.
fn clear(plate: &Location, folder: &str, kept: &[String]) -> Result<(), StoreError> {
    for entry in plate.join(folder).list()?.into_iter().flatten() {
        let name = entry.name()?;
        let path = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        let is_document = folder.is_empty() && (is_group_document(name) || name == REPLACING);
        let stays = kept.iter().any(|image| path == *image || is_beside(&path, image));
        if entry.kind != Kind::Link && (is_document || stays) {
            continue;
        }
        let place = plate.join(&path);
        let leads_to_kept = kept.iter().any(|image| image.starts_with(&format!("{path}/")));
        if entry.kind == Kind::Folder && leads_to_kept {
            clear(plate, &path, kept)?;
        } else {
            place.remove_all()?;
        }
    }
    Ok(())
}

/// Whether a path is `.{name}.{anything}` beside an image: where it is being converted.
fn is_beside(path: &str, image: &str) -> bool {
    let split = |path: &str| {
        path.rsplit_once('/')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap_or_default()
    };
    let ((folder, name), (of_image, image)) = (split(path), split(image));
    folder == of_image && name.starts_with(&format!(".{image}."))
}
