//! Parallelization lists in files, as init tasks write them and schedulers' jobs read them.

use std::path::Path;

use ome_zarr_convert_compute::{ImagePlan, plan_image};
use ome_zarr_convert_core::{
    DocumentSource, ParallelizationEntry, Retries, TiledImage, image_from_json_str, read_document,
};
use serde_json::Value;

use crate::error::TaskError;
use crate::fractal::read_arguments;

/// The entries of a list.
pub fn read_list(path: &Path) -> Result<Vec<ParallelizationEntry>, TaskError> {
    let entries = entries(path)?;
    Ok(entries
        .iter()
        .map(ParallelizationEntry::from_value)
        .collect::<Result<_, _>>()?)
}

/// One entry of a list, counted from 0. The others are not looked at: lists are long, and every job reads its own entry.
pub fn read_entry(path: &Path, index: usize) -> Result<ParallelizationEntry, TaskError> {
    let entries = entries(path)?;
    let entry = entries.get(index).ok_or_else(|| TaskError::Arguments {
        place: path.display().to_string(),
        problem: format!("there is no entry {index}; its {} entries count from 0", entries.len()),
    })?;
    Ok(ParallelizationEntry::from_value(entry)?)
}

/// An entry's plan, and the bytes of the document that it is made from.
pub fn plan_entry(entry: &ParallelizationEntry) -> Result<(ImagePlan, u64), TaskError> {
    let (image, bytes) = image_of(entry)?;
    Ok((plan_image(&image, &entry.init_args.converter_options)?, bytes))
}

/// The image that an entry describes, and the bytes of its document. Nothing is waited for, nothing is used up.
pub(crate) fn image_of(entry: &ParallelizationEntry) -> Result<(TiledImage, u64), TaskError> {
    let source = entry.init_args.source()?;
    let place = match source {
        DocumentSource::File(url) => url.to_owned(),
        DocumentSource::Inline(_) => format!("tiled_image_json_str of {}", entry.zarr_url),
    };
    let once = Retries {
        tries: 1,
        wait: &|_, _| {},
    };
    let text = read_document(source, once)?;
    Ok((image_from_json_str(&text, &place)?, text.len() as u64))
}

fn entries(path: &Path) -> Result<Vec<Value>, TaskError> {
    match read_arguments(path)?.remove("parallelization_list") {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "it holds no parallelization_list; give the file that `init` wrote".into(),
        }),
    }
}
