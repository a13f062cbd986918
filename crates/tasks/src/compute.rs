//! The compute task of any converter: one `{zarr_url, init_args}` becomes one OME-Zarr image.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ome_zarr_convert_compute::{
    Cancellation, Conversion, ImagePlan, Mark, Outcome, Progress, Report, Silent, convert_image,
};
use ome_zarr_convert_core::{
    ConvertParallelInitArgs, CoreError, DocumentSource, Retries, image_from_json_str, path, read_document,
    remove_document,
};
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::error::TaskError;
use crate::update::{Described, image_list_update};

/// What a compute task needs besides its entry.
#[derive(Clone, Copy)]
pub struct ComputeContext<'a> {
    /// Loads the tiles: the built-in one, or a converter's own.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// Listens to what happens.
    pub progress: &'a dyn Progress,
    /// Asks to stop.
    pub cancellation: &'a Cancellation,
}

impl ComputeContext<'_> {
    /// The built-in loader, absolute file paths, silence.
    pub fn new() -> Self {
        static NEVER: Cancellation = Cancellation::new();
        Self {
            loader: &DefaultImageLoader,
            resource: None,
            progress: &Silent,
            cancellation: &NEVER,
        }
    }
}

impl Default for ComputeContext<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// What a compute task gives: Fractal's answer, and what was done.
#[derive(Clone, Debug)]
pub struct Computed {
    /// `{zarr_url, types, attributes}`.
    pub update: Value,
    /// What was done; `None` when a mark told that this entry had been converted before.
    pub report: Option<Report>,
}

impl Computed {
    /// The task's output: `{"image_list_updates": [...]}`.
    pub fn output(&self) -> Value {
        json!({ "image_list_updates": [self.update] })
    }
}

/// Converts the image of one entry on the threads of the current pool, then deletes its hand-over file.
///
/// A second run of the same entry finds the mark of the first and succeeds without work.
pub fn generic_compute_task(
    zarr_url: &str,
    init_args: &ConvertParallelInitArgs,
    context: &ComputeContext<'_>,
) -> Result<Computed, TaskError> {
    let target = absolute(zarr_url)?;
    info!("Starting conversion of {zarr_url}");
    let source = init_args.source()?;
    let place = match source {
        DocumentSource::File(url) => {
            if let Some(update) = finished_before(&target, url) {
                info!("{zarr_url} was converted by an earlier run of this task: nothing to do");
                return Ok(Computed { update, report: None });
            }
            url.to_owned()
        }
        DocumentSource::Inline(_) => format!("tiled_image_json_str of {zarr_url}"),
    };
    let wait = |wait: Duration, attempt: u32| {
        info!(
            "{place} is not there yet (try {attempt}); looking again in {} s",
            wait.as_secs()
        );
        std::thread::sleep(wait);
    };
    let text = read_document(
        source,
        Retries {
            tries: tries()?,
            wait: &wait,
        },
    )?;
    let image = image_from_json_str(&text, &place)?;
    drop(text);
    let described = Described::new(&image);
    let note = |plan: &ImagePlan| {
        let hand_over = match source {
            DocumentSource::File(url) => Some(url),
            DocumentSource::Inline(_) => None,
        };
        json!({ "hand_over": hand_over, "update": image_list_update(zarr_url, &described, plan) })
    };
    let report = convert_image(
        image,
        &Conversion {
            target: &target,
            options: &init_args.converter_options,
            overwrite_mode: init_args.overwrite_mode,
            loader: context.loader,
            resource: context.resource,
            progress: context.progress,
            cancellation: context.cancellation,
            note: &note,
        },
    )?;
    match report.outcome {
        Outcome::Written => info!("Conversion of {zarr_url} is complete"),
        Outcome::AlreadyComplete => info!("{zarr_url} was converted before from the same files: nothing to do"),
        Outcome::Kept => info!("{zarr_url} exists and is complete: kept"),
    }
    if let DocumentSource::File(url) = source
        && let Err(error) = remove_document(url)
    {
        warn!("the image is complete, but its hand-over file stays: {error}");
    }
    let update = image_list_update(zarr_url, &described, &report.plan);
    Ok(Computed {
        update,
        report: Some(report),
    })
}

/// The update that a finished image noted, if it was made from the hand-over file `url` and that file is gone.
fn finished_before(target: &Path, url: &str) -> Option<Value> {
    if Path::new(url).exists() {
        return None;
    }
    let mark = Mark::read(target)?;
    (mark.note.get("hand_over")?.as_str()? == url).then(|| mark.note.get("update").cloned())?
}

/// How often to look for a hand-over file, from the variable that the reference reads.
fn tries() -> Result<u32, TaskError> {
    const NAME: &str = "CONVERTERS_TOOLS_NUM_RETRIES";
    let Ok(text) = std::env::var(NAME) else { return Ok(5) };
    text.trim()
        .parse()
        .ok()
        .filter(|tries| *tries >= 1)
        .ok_or_else(|| TaskError::Arguments {
            place: format!("the environment variable {NAME}"),
            problem: format!("found {text:?}, expected a whole number of at least 1"),
        })
}

/// An absolute path, from one that may be relative or begin with `~`.
pub fn absolute(given: &str) -> Result<PathBuf, TaskError> {
    let current = std::env::current_dir().map_err(TaskError::io("find", "the current folder"))?;
    let home = std::env::var_os("HOME")
        .or_else(|| std::env::var_os("USERPROFILE"))
        .map(PathBuf::from);
    Ok(path::absolute(given, &current, home.as_deref()).map_err(CoreError::from)?)
}
