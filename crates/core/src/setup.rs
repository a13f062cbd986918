//! Sets the outputs of a conversion up: plates with their wells and condition tables, and the parallelization list.

mod plates;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::collection::Collection;
use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::handover::{ConvertParallelInitArgs, ParallelizationEntry, image_to_json};
use crate::options::{ConverterOptions, OverwriteMode, Serialization};
use crate::path::{join, tidy};
use crate::registration::PipelineStep;
use crate::tiled_image::TiledImage;

/// Sets plates up (single images need nothing) and makes the parallelization list, one entry per image.
///
/// `collection_type` is `ImageInPlate` or `SingleImage`, as in the reference; every image must be of it. `zarr_dir` must be
/// absolute. With `Overwrite`, all that is in plates that exist is removed ([`existing_outputs`] says which, before), but for images that
/// are to be converted again: each of them is replaced when the new one is complete.
pub fn setup_images_for_conversion(
    images: &[TiledImage],
    zarr_dir: &str,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    let own = OwnTypes {
        extensions: &Extensions::new(),
        image_loader: None,
        registration_pipeline: None,
    };
    setup_images_with(images, zarr_dir, collection_type, options, overwrite_mode, &own)
}

/// What a converter brings of its own to the set-up: named in the entries, so that the compute task finds it again.
#[derive(Clone, Copy)]
pub struct OwnTypes<'a> {
    /// The program's additions; asked for a collection handler of the collection type.
    pub extensions: &'a Extensions,
    /// Name of the loader of the images; `None` is the built-in one.
    pub image_loader: Option<&'a str>,
    /// Steps of the registration; `None` are the default ones.
    pub registration_pipeline: Option<&'a [PipelineStep]>,
}

/// [`setup_images_for_conversion`] with a converter's own types.
pub fn setup_images_with(
    images: &[TiledImage],
    zarr_dir: &str,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    own.extensions.loader(own.image_loader)?;
    if !Path::new(zarr_dir).is_absolute() {
        return Err(CoreError::Path {
            path: zarr_dir.to_owned(),
            problem: "the output folder must be an absolute path".into(),
        });
    }
    check_same_paths(images)?;
    check_collection_type(images, collection_type)?;
    if overwrite_mode == OverwriteMode::NoOverwrite
        && let Some(path) = existing_outputs(images, zarr_dir)?.into_iter().next()
    {
        return Err(CoreError::OutputExists { path });
    }
    let elsewhere = if matches!(collection_type, "ImageInPlate" | "SingleImage") {
        plates::set_up(images, zarr_dir, options, overwrite_mode)?
    } else {
        let version = options.omezarr_options.ngff_version;
        let handler = own.extensions.collection_handler(collection_type)?;
        handler.set_up(Path::new(zarr_dir), images, version, overwrite_mode)?;
        HashMap::new()
    };
    let mut entries = build_parallelization_list(images, zarr_dir, options, overwrite_mode, own)?;
    for (image, entry) in images.iter().zip(&mut entries) {
        if let Some(path) = elsewhere.get(&image.path) {
            entry.zarr_url = join(zarr_dir, path)?;
        }
    }
    Ok(entries)
}

/// Outputs that are there already: plates, and images that are not part of one.
pub fn existing_outputs(images: &[TiledImage], zarr_dir: &str) -> Result<Vec<PathBuf>, CoreError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for image in images {
        let output = match &*image.collection {
            Collection::ImageInPlate(place) => place.plate_path()?,
            Collection::SingleImage(_) | Collection::Custom(_) => image.path.clone(),
        };
        let path = PathBuf::from(join(zarr_dir, &output)?);
        if path.exists() && !found.contains(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

fn check_same_paths(images: &[TiledImage]) -> Result<(), CoreError> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for image in images {
        *counts.entry(&image.path).or_default() += 1;
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

fn check_collection_type(images: &[TiledImage], collection_type: &str) -> Result<(), CoreError> {
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

/// Makes the entries. Documents go into the entries while they fit `max_in_memory_bytes` together (`Auto`), else into temporary
/// files of their own; other files in that folder are left alone.
fn build_parallelization_list(
    images: &[TiledImage],
    zarr_dir: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    let temp = &options.runtime_settings.temp_json_options;
    let mut documents: Vec<String> = Vec::new();
    let mut in_memory = temp.serialization != Serialization::Json;
    let mut bytes = 0;
    if in_memory {
        for image in images {
            let document = image_to_json(image)?;
            bytes += document.len() as u64;
            if temp.serialization == Serialization::Auto && bytes > temp.max_in_memory_bytes {
                in_memory = false;
                documents.clear();
                break;
            }
            documents.push(document);
        }
    }
    let entry = |image: &TiledImage, url: Option<String>, text: Option<String>| -> Result<_, CoreError> {
        Ok(ParallelizationEntry {
            zarr_url: join(zarr_dir, &image.path)?,
            init_args: ConvertParallelInitArgs {
                tiled_image_json_dump_url: url,
                tiled_image_json_str: text,
                converter_options: options.clone(),
                overwrite_mode,
                image_loader: own.image_loader.map(str::to_owned),
                registration_pipeline: own.registration_pipeline.map(<[PipelineStep]>::to_vec),
            },
        })
    };
    if in_memory {
        return images
            .iter()
            .zip(documents)
            .map(|(image, text)| entry(image, None, Some(text)))
            .collect();
    }
    let folder = temp_folder(&temp.temp_url, zarr_dir)?;
    std::fs::create_dir_all(&folder).map_err(CoreError::io("create", &folder))?;
    let mut entries = Vec::with_capacity(images.len());
    for image in images {
        let url = folder.join(format!("{}.json", uuid::Uuid::new_v4()));
        let mut file = std::fs::File::create_new(&url).map_err(CoreError::io("create", &url))?;
        let text = image_to_json(image)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(CoreError::io("write", &url))?;
        entries.push(entry(image, Some(url.display().to_string()), None)?);
    }
    Ok(entries)
}

/// The folder of temporary files: `{zarr_dir}` is replaced, anything else in braces is refused.
fn temp_folder(template: &str, zarr_dir: &str) -> Result<PathBuf, CoreError> {
    let path = tidy(&template.replace("{zarr_dir}", zarr_dir));
    let wrong = |problem: &str| CoreError::Path {
        path: template.to_owned(),
        problem: problem.to_owned(),
    };
    if path.contains(['{', '}']) {
        return Err(wrong("temp_url knows the placeholder {zarr_dir} only"));
    }
    if path.contains("://") || path.starts_with("s3:") {
        return Err(CoreError::NotSupported {
            option: format!("temp_url {template:?} (object stores)"),
        });
    }
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err(wrong(
            "temp_url must be an absolute path; begin it with {zarr_dir} or /",
        ));
    }
    if path.is_file() {
        return Err(CoreError::Path {
            path: path.display().to_string(),
            problem: format!("temp_url ({template:?}) is a file, but it must be a folder"),
        });
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
