//! The hand-over between init and compute: the document of one image, and the entry that carries it, as the reference
//! writes and reads them.

mod file;
mod read;
mod write;

pub(crate) use file::document_name;
pub use file::{Retries, document_identity, read_document, remove_document};
pub use read::{image_from_json, image_from_json_str};
pub use write::image_to_json;

use crate::error::CoreError;
use crate::model;
use crate::options::{ConverterOptions, OverwriteMode};
use crate::registration::PipelineStep;

ome_zarr_convert_options::model::model! {
    /// What the init task hands to one compute task.
    pub struct ConvertParallelInitArgs "ConvertParallelInitArgs" {
        /// Path of the temporary file that describes the image.
        pub tiled_image_json_dump_url: Option<String> = None, title "Tiled Image Json Dump Url";
        /// The description of the image itself, for small conversions.
        pub tiled_image_json_str: Option<String> = None, title "Tiled Image Json Str";
        /// Options of the conversion.
        pub converter_options: ConverterOptions;
        /// What to do with an output that exists.
        pub overwrite_mode: OverwriteMode = OverwriteMode::NoOverwrite;
        /// Name of the loader that a converter added for these images. Left out for the built-in one.
        pub image_loader: Option<String> = None, ours;
        /// Steps of the registration. Left out for the default ones.
        pub registration_pipeline: Option<Vec<PipelineStep>> = None, ours;
    }
}

/// Where the document of an image is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DocumentSource<'a> {
    /// In a temporary file at this path.
    File(&'a str),
    /// In the entry itself.
    Inline(&'a str),
}

impl ConvertParallelInitArgs {
    /// Reads the `init_args` of an entry; every problem is listed.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, CoreError> {
        let args: Self = model::from_json(value, "init_args")?;
        args.source()?;
        Ok(args)
    }

    /// The one source of the document that is given.
    pub fn source(&self) -> Result<DocumentSource<'_>, CoreError> {
        match (&self.tiled_image_json_dump_url, &self.tiled_image_json_str) {
            (Some(url), None) => Ok(DocumentSource::File(url)),
            (None, Some(text)) => Ok(DocumentSource::Inline(text)),
            (given, _) => Err(CoreError::Syntax {
                place: "init_args".into(),
                problem: format!(
                    "exactly one of tiled_image_json_dump_url and tiled_image_json_str must be given, {} are",
                    if given.is_some() { "both" } else { "none" }
                ),
            }),
        }
    }
}

/// One entry of the parallelization list: an image and what its compute task needs.
#[derive(Clone, Debug)]
pub struct ParallelizationEntry {
    /// Absolute path of the image.
    pub zarr_url: String,
    /// Its arguments.
    pub init_args: ConvertParallelInitArgs,
}

impl ParallelizationEntry {
    /// The entry as the list holds it; the source that is not given is left out.
    pub fn to_value(&self) -> serde_json::Value {
        let mut args = model::to_json(&self.init_args);
        if let Some(map) = args.as_object_mut() {
            map.retain(|key, value| !(value.is_null() && key.starts_with("tiled_image_json_")));
        }
        serde_json::json!({ "zarr_url": self.zarr_url, "init_args": args })
    }

    /// Reads an entry of a list, whoever wrote it.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, CoreError> {
        let wrong = |problem: String| CoreError::Syntax {
            place: "an entry of the parallelization list".into(),
            problem,
        };
        let Some(map) = value.as_object() else {
            return Err(wrong(format!(
                "found {value}, expected an object with zarr_url and init_args"
            )));
        };
        if let Some(key) = map.keys().find(|key| *key != "zarr_url" && *key != "init_args") {
            return Err(wrong(format!(
                "unknown key {key:?}; an entry has zarr_url and init_args"
            )));
        }
        let zarr_url = map.get("zarr_url").and_then(|url| url.as_str());
        let zarr_url = zarr_url
            .ok_or_else(|| wrong("zarr_url is missing or no text".into()))?
            .to_owned();
        let args = map
            .get("init_args")
            .ok_or_else(|| wrong("init_args are missing".into()))?;
        Ok(Self {
            zarr_url,
            init_args: ConvertParallelInitArgs::from_value(args)?,
        })
    }
}

#[cfg(test)]
mod tests;
