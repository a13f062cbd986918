//! The parallelization list: an entry per image, with its document inside or in a file of its own.

use std::path::Path;

use ome_zarr_convert_store::Location;

use super::OwnTypes;
use crate::error::CoreError;
use crate::handover::{ConvertParallelInitArgs, ParallelizationEntry, document_name, image_to_json};
use crate::options::{ConverterOptions, OverwriteMode, Serialization};
use crate::path::{below, text_of, tidy};
use crate::registration::PipelineStep;
use crate::tiled_image::TiledImage;

/// The placeholder of the output folder in `temp_url`.
const ZARR_DIR: &str = "{zarr_dir}";

/// Makes the entries of images at their places. Documents go into the entries while they fit `max_in_memory_bytes` together (`Auto`),
/// else into temporary files of their own; other files in that folder are left alone.
///
/// # Errors
/// [`CoreError::Path`] if the path of an image is not text, or `temp_url` cannot be used; those of the store. Files that were
/// written before an error are removed again.
pub fn parallelization_list(
    images: &[&TiledImage],
    places: &[Location],
    zarr_dir: &Location,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    own: &OwnTypes<'_>,
) -> Result<Vec<ParallelizationEntry>, CoreError> {
    let mut entries = Vec::with_capacity(images.len());
    for place in places {
        entries.push(ParallelizationEntry {
            zarr_url: text_of(place)?,
            init_args: ConvertParallelInitArgs {
                tiled_image_json_dump_url: None,
                tiled_image_json_str: None,
                converter_options: options.clone(),
                overwrite_mode,
                image_loader: own.image_loader.map(str::to_owned),
                registration_pipeline: own.registration_pipeline.map(<[PipelineStep]>::to_vec),
            },
        });
    }
    let temp = &options.runtime_settings.temp_json_options;
    let limit = match temp.serialization {
        Serialization::Memory => Some(u64::MAX),
        Serialization::Auto => Some(temp.max_in_memory_bytes),
        Serialization::Json => None,
    };
    if let Some(documents) = limit
        .map(|limit| documents_within(images, limit))
        .transpose()?
        .flatten()
    {
        for (entry, text) in entries.iter_mut().zip(documents) {
            entry.init_args.tiled_image_json_str = Some(text);
        }
        return Ok(entries);
    }
    let folder = temp_folder(&temp.temp_url, zarr_dir)?;
    let mut written = Vec::new();
    match write_documents(images, &mut entries, &folder, &mut written) {
        Ok(()) => Ok(entries),
        Err(error) => {
            // The error that led here is the one to report.
            for place in written {
                let _ = place.remove();
            }
            let _ = folder.remove_empty_folder();
            Err(error)
        }
    }
}

/// The documents of all images, unless they are larger than `limit` together.
fn documents_within(images: &[&TiledImage], limit: u64) -> Result<Option<Vec<String>>, CoreError> {
    let mut documents = Vec::with_capacity(images.len());
    let mut bytes = 0;
    for image in images {
        let document = image_to_json(image)?;
        bytes += document.len() as u64;
        if bytes > limit {
            return Ok(None);
        }
        documents.push(document);
    }
    Ok(Some(documents))
}

fn write_documents(
    images: &[&TiledImage],
    entries: &mut [ParallelizationEntry],
    folder: &Location,
    written: &mut Vec<Location>,
) -> Result<(), CoreError> {
    folder.create_folder()?;
    for (image, entry) in images.iter().zip(entries) {
        let text = image_to_json(image)?;
        let place = folder.child(&document_name(&text, &entry.init_args));
        let url = text_of(&place)?;
        written.push(place.clone());
        place.create(&[text.as_bytes()])?;
        entry.init_args.tiled_image_json_dump_url = Some(url);
    }
    Ok(())
}

/// The folder of temporary files: `{zarr_dir}` is replaced, anything else in braces is refused.
fn temp_folder(template: &str, zarr_dir: &Location) -> Result<Location, CoreError> {
    let wrong = |path: &str, problem: String| CoreError::Path {
        path: path.to_owned(),
        problem,
    };
    let inside = template.strip_prefix(ZARR_DIR);
    let inside = inside.filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
    let rest = inside.unwrap_or(template).replace(ZARR_DIR, "");
    if rest.contains(['{', '}']) {
        let problem = "temp_url knows the placeholder {zarr_dir} only";
        return Err(wrong(template, problem.into()));
    }
    let folder = match inside {
        Some(rest) if !rest.contains(ZARR_DIR) => below(zarr_dir, rest.trim_start_matches(['/', '\\']))?,
        _ => outside(template, zarr_dir)?,
    };
    if folder.stat()?.is_some_and(|stat| !stat.is_folder()) {
        let problem = format!("temp_url ({template:?}) is a file, but it must be a folder");
        return Err(wrong(&folder.to_string(), problem));
    }
    Ok(folder)
}

/// A folder of temporary files that does not lie in the output folder.
fn outside(template: &str, zarr_dir: &Location) -> Result<Location, CoreError> {
    let path = match template.contains(ZARR_DIR) {
        true => template.replace(ZARR_DIR, &text_of(zarr_dir)?),
        false => template.to_owned(),
    };
    if path.contains("://") || path.starts_with("s3:") {
        return Err(CoreError::NotSupported {
            option: format!("temp_url {template:?} (object stores)"),
        });
    }
    let path = tidy(&path);
    if !Path::new(&path).is_absolute() {
        return Err(CoreError::Path {
            path: template.to_owned(),
            problem: "temp_url must be an absolute path; begin it with {zarr_dir} or /".into(),
        });
    }
    Ok(Location::local(Path::new(&path))?)
}
