//! Sets the outputs of a conversion up: plates with their wells and condition tables, and the parallelization list.

mod conditions;
mod entries;
mod foreign;
mod plates;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ome_zarr_convert_store::{Location, StoreError};

pub use entries::parallelization_list;
pub use foreign::foreign_content;

use crate::collection::Collection;
use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::handover::ParallelizationEntry;
use crate::options::{ConverterOptions, OverwriteMode};
use crate::path::below;
use crate::registration::PipelineStep;
use crate::review::Reviews;
use crate::tiled_image::TiledImage;

/// Sets plates up (single images need nothing) and makes the parallelization list, one entry per image.
///
/// `collection_type` is `ImageInPlate` or `SingleImage`, as in the reference; every image must be of it. `zarr_dir` must be
/// absolute. With `Overwrite`, all that is in plates that exist is removed ([`existing_outputs`] says which, before, and
/// [`foreign_content`] what of them no conversion wrote), but for images that are to be converted again: each of them is replaced
/// when the new one is complete.
///
/// # Errors
/// Those of [`set_up_outputs`] and of [`parallelization_list`].
pub fn setup_images_for_conversion(
    images: &[TiledImage],
    zarr_dir: &Location,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    let own = OwnTypes::default();
    setup_images_with(images, zarr_dir, collection_type, options, overwrite_mode, &own)
}

/// What a converter brings of its own to the set-up: named in the entries, so that the compute task finds it again. By default nothing.
#[derive(Clone, Copy)]
pub struct OwnTypes<'a> {
    /// The program's additions; asked for a collection handler of the collection type.
    pub extensions: &'a Extensions,
    /// Name of the loader of the images; `None` is the built-in one.
    pub image_loader: Option<&'a str>,
    /// Steps of the registration; `None` are the default ones.
    pub registration_pipeline: Option<&'a [PipelineStep]>,
    /// Told what deserves a word but is no error.
    pub warn: &'a dyn Fn(String),
    /// Whether the caller has made [`Reviews`] of the images and acted on them, so that it need not be done again.
    pub reviewed: bool,
}

impl Default for OwnTypes<'_> {
    fn default() -> Self {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        Self {
            extensions: &NONE,
            image_loader: None,
            registration_pipeline: None,
            warn: &|_| {},
            reviewed: false,
        }
    }
}

/// [`setup_images_for_conversion`] with a converter's own types.
///
/// # Errors
/// As there.
pub fn setup_images_with(
    images: &[TiledImage],
    zarr_dir: &Location,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    let images: Vec<&TiledImage> = images.iter().collect();
    let places = set_up_outputs(&images, zarr_dir, collection_type, options, overwrite_mode, own)?;
    parallelization_list(&images, &places, zarr_dir, options, overwrite_mode, own)
}

/// Sets plates up (single images need nothing) and gives the place of each image, in the order given. A plate of another writer may
/// name its columns otherwise (`A/1/0`), and its images lie there.
///
/// While a plate is read, merged and written, `.{plate}.lock` beside it is locked; another that has it is waited for. Whatever is
/// interrupted is finished by the same call, with `Extend` in place of `NoOverwrite`.
///
/// # Errors
/// [`CoreError::OutputExists`] with `NoOverwrite`, also when another makes the plate at the same time; [`CoreError::NotOurs`] with
/// `Overwrite`; a plate of another version with `Extend`; images of another collection, or two with one path; attributes that
/// make no condition table. All of them come before anything is written. Those of the store.
pub fn set_up_outputs(
    images: &[&TiledImage],
    zarr_dir: &Location,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
) -> Result<Vec<Location>, CoreError> {
    set_up_outputs_unless(images, zarr_dir, collection_type, options, overwrite_mode, own, &|| {
        false
    })
}

/// [`set_up_outputs`], whose wait for other set-ups ends when `stop` says so.
///
/// # Errors
/// [`CoreError::Canceled`] if it was stopped; else as there.
pub fn set_up_outputs_unless(
    images: &[&TiledImage],
    zarr_dir: &Location,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Location>, CoreError> {
    own.extensions.loader(own.image_loader)?;
    if zarr_dir.local_path().is_some_and(|path| !path.is_absolute()) {
        return Err(CoreError::Path {
            path: zarr_dir.to_string(),
            problem: "the output folder must be an absolute path".into(),
        });
    }
    check_same_paths(images)?;
    check_collection_type(images, collection_type)?;
    if !own.reviewed {
        let reviews = Reviews::of(
            images.iter().copied(),
            options,
            own.registration_pipeline,
            own.extensions,
        );
        reviews.check(options)?;
        reviews.warnings(options).into_iter().for_each(own.warn);
    }
    let mut places = Vec::with_capacity(images.len());
    for image in images {
        places.push(below(zarr_dir, &image.path)?);
    }
    match collection_type {
        "ImageInPlate" => plates::set_up(images, &mut places, zarr_dir, options, overwrite_mode, stop)?,
        "SingleImage" => check_absent(images, zarr_dir, overwrite_mode)?,
        _ => {
            check_absent(images, zarr_dir, overwrite_mode)?;
            let version = options.omezarr_options.ngff_version;
            let handler = own.extensions.collection_handler(collection_type)?;
            handler.set_up(zarr_dir, images, version, overwrite_mode)?;
        }
    }
    Ok(places)
}

fn check_absent(images: &[&TiledImage], zarr_dir: &Location, mode: OverwriteMode) -> Result<(), CoreError> {
    if mode != OverwriteMode::NoOverwrite {
        return Ok(());
    }
    match existing_outputs(images.iter().copied(), zarr_dir)?.first() {
        Some(place) => Err(CoreError::OutputExists {
            place: place.to_string(),
        }),
        None => Ok(()),
    }
}

/// Outputs that are there already: plates, and images that are not part of one.
///
/// # Errors
/// Names that cannot be paths; a store that cannot tell.
pub fn existing_outputs<'a>(
    images: impl IntoIterator<Item = &'a TiledImage>,
    zarr_dir: &Location,
) -> Result<Vec<Location>, CoreError> {
    let mut looked_at = HashSet::new();
    let mut found = Vec::new();
    for image in images {
        let output = match &*image.collection {
            Collection::ImageInPlate(place) => place.plate_path()?,
            Collection::SingleImage(_) | Collection::Custom(_) => image.path.clone(),
        };
        let place = below(zarr_dir, &output)?;
        if looked_at.insert(output) && place.exists()? {
            found.push(place);
        }
    }
    Ok(found)
}

fn check_same_paths(images: &[&TiledImage]) -> Result<(), CoreError> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for image in images {
        *counts.entry(image.path.as_str()).or_default() += 1;
    }
    match images
        .iter()
        .map(|image| (&image.path, counts[image.path.as_str()]))
        .find(|(_, count)| *count > 1)
    {
        Some((path, count)) => Err(CoreError::SamePath {
            path: path.clone(),
            count,
        }),
        None => Ok(()),
    }
}

fn check_collection_type(images: &[&TiledImage], collection_type: &str) -> Result<(), CoreError> {
    for image in images {
        let is = match &*image.collection {
            Collection::ImageInPlate(_) => "ImageInPlate",
            Collection::SingleImage(_) => "SingleImage",
            Collection::Custom(_) => collection_type,
        };
        if is != collection_type {
            return Err(CoreError::Syntax {
                place: format!("image {}", image.path),
                problem: format!("its collection is {is}, but the conversion is set up for {collection_type:?}"),
            });
        }
    }
    Ok(())
}

/// Turns the refusal to overwrite into the error that names the output.
fn output_exists(place: &Location) -> impl Fn(StoreError) -> CoreError {
    move |error| match error.is_already_exists() {
        true => CoreError::OutputExists {
            place: place.to_string(),
        },
        false => error.into(),
    }
}

#[cfg(test)]
mod tests;
