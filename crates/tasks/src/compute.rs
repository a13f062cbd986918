//! The compute task of any converter: one `{zarr_url, init_args}` becomes one OME-Zarr image.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use ome_zarr_convert_compute::{
    Cancellation, Conversion, Footprint, ImagePlan, Mark, Outcome, Progress, Report, Silent, Threads, convert_image,
};
use ome_zarr_convert_core::{
    ConvertParallelInitArgs, DocumentSource, Extensions, Retries, TiledImage, image_from_json_str, path, read_document,
    remove_document,
};
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader, LoaderSpec, unknown_suffix};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::error::TaskError;
use crate::update::{Described, image_list_update};

/// What a compute task needs besides its entry. [`ComputeContext::new`] gives the usual; set the fields that differ.
#[derive(Clone, Copy)]
pub struct ComputeContext<'a> {
    /// Loads the tiles of entries that name no loader.
    pub loader: &'a dyn ImageLoader,
    /// What the program adds by name: loaders and registration steps that entries may name.
    pub extensions: &'a Extensions,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// Bytes of memory that the whole process may take.
    pub memory_limit: Option<u64>,
    /// Image files that may stay open while nothing reads them.
    pub open_sources: Option<usize>,
    /// Whether files must outlast a loss of power before an image appears.
    pub durable: bool,
    /// Whether finished chunks of an earlier run are decoded before they are kept.
    pub check: bool,
    /// Listens to what happens.
    pub progress: &'a dyn Progress,
    /// Asks to stop.
    pub cancellation: &'a Cancellation,
}

impl ComputeContext<'_> {
    /// The built-in loader, absolute file paths, no limit, silence.
    pub fn new() -> Self {
        static NEVER: Cancellation = Cancellation::new();
        static NOTHING: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        Self {
            loader: &DefaultImageLoader,
            extensions: &NOTHING,
            resource: None,
            memory_limit: None,
            open_sources: None,
            durable: false,
            check: false,
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
    let mut image = image_from_json_str(&text, &place)?;
    expand_home(&mut image)?;
    let footprint = Footprint::new(text.len() as u64, Threads::current());
    drop(text);
    warn_of_unknown_suffixes(&image);
    let described = Described::new(&image);
    let note = |plan: &ImagePlan| {
        let hand_over = match source {
            DocumentSource::File(url) => Some(url),
            DocumentSource::Inline(_) => None,
        };
        json!({ "hand_over": hand_over, "update": image_list_update(zarr_url, &described, plan) })
    };
    let usual = Conversion::new(&target, &init_args.converter_options);
    let report = convert_image(
        image,
        &Conversion {
            open_sources: context.open_sources.unwrap_or(usual.open_sources),
            overwrite_mode: init_args.overwrite_mode,
            pipeline: init_args.registration_pipeline.as_deref(),
            extensions: context.extensions,
            loader: match &init_args.image_loader {
                Some(name) => context.extensions.loader(Some(name))?,
                None => context.loader,
            },
            resource: context.resource,
            pixel_budget: context.memory_limit.map(|limit| footprint.pixel_budget(limit)),
            durable: context.durable,
            check: context.check,
            progress: context.progress,
            cancellation: context.cancellation,
            note: &note,
            ..usual
        },
    );
    let report = report.map_err(|error| TaskError::of_process(error, &footprint, context.memory_limit))?;
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

/// `~` in the file paths of documents that others wrote.
fn expand_home(image: &mut TiledImage) -> Result<(), TaskError> {
    for region in &mut image.regions {
        if let LoaderSpec::File { file_path } = &mut region.image_loader
            && file_path.starts_with('~')
        {
            *file_path = absolute(file_path)?.display().to_string();
        }
    }
    Ok(())
}

/// Says once per suffix that files with it are tried as TIFF.
fn warn_of_unknown_suffixes(image: &TiledImage) {
    let files = image
        .regions
        .iter()
        .filter_map(|region| region.image_loader.file_path());
    let suffixes: BTreeSet<String> = files.filter_map(|file| unknown_suffix(Path::new(file))).collect();
    for suffix in suffixes {
        warn!("the file type {suffix:?} is not known: such files are read as TIFF");
    }
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
    Ok(path::absolute(given, &current, home.as_deref())?)
}
