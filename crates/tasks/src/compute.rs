//! The compute task of any converter: one `{zarr_url, init_args}` becomes one OME-Zarr image.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ome_zarr_convert_compute::{
    Cancellation, Conversion, Event, Footprint, Loading, Mark, Outcome, PlannedImage, Processing, Progress, Report,
    Silent, Threads, convert_image,
};
use ome_zarr_convert_core::options::OverwriteMode;
use ome_zarr_convert_core::{
    ConvertParallelInitArgs, DocumentSource, Extensions, Retries, TiledImage, document_identity, image_from_json_str,
    path, read_document, remove_document,
};
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader, unknown_suffix};
use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};
use tracing::{info, warn};

use crate::error::TaskError;
use crate::update::image_list_update;

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
    /// Cancels the job.
    pub cancellation: &'a Cancellation,
}

impl ComputeContext<'_> {
    /// The built-in loader, absolute file paths, no limit, silence.
    pub fn new() -> Self {
        static NEVER: LazyLock<Cancellation> = LazyLock::new(Cancellation::new);
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

    /// The loader of an entry, and where relative paths start.
    pub(crate) fn loading(&self, named: Option<&str>) -> Result<Loading<'_>, TaskError> {
        Ok(Loading {
            loader: match named {
                Some(name) => self.extensions.loader(Some(name))?,
                None => self.loader,
            },
            resource: self.resource,
        })
    }
}

impl Default for ComputeContext<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// What a compute task gives: Fractal's answer, and what was done.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    let place = locate(zarr_url)?;
    info!("Starting conversion of {zarr_url}");
    let source = init_args.source()?;
    let hand_over = match source {
        DocumentSource::File(url) => Some(url),
        DocumentSource::Inline(_) => None,
    };
    if let Some(url) = hand_over
        && let Some(update) = finished_before(&place, url, zarr_url)?
    {
        info!("{zarr_url} was converted by an earlier run of this task: nothing to do");
        return Ok(Computed { update, report: None });
    }
    let image = planned_entry(zarr_url, init_args, context)?;
    let converted = convert_planned(
        &image,
        &place,
        &Work {
            overwrite_mode: init_args.overwrite_mode,
            image_loader: init_args.image_loader.as_deref(),
            hand_over: hand_over.and_then(document_identity),
            document_bytes: image.document_bytes(),
        },
        zarr_url,
        context,
    )?;
    if let Some(url) = hand_over
        && let Err(error) = remove_document(url)
    {
        warn!("the image is complete, but its hand-over file stays: {error}");
    }
    Ok(converted)
}

/// Reads the document of an entry, waiting until it is there, and plans its image.
fn planned_entry(
    zarr_url: &str,
    init_args: &ConvertParallelInitArgs,
    context: &ComputeContext<'_>,
) -> Result<PlannedImage, TaskError> {
    let source = init_args.source()?;
    let wait = |wait: Duration, attempt: u32| {
        info!(
            "the hand-over file is not there yet (try {attempt}); looking again in {} s",
            wait.as_secs()
        );
        // What stops the wait is reported below.
        context.cancellation.sleep(wait).is_ok()
    };
    let text = read_document(
        source,
        Retries {
            tries: tries()?,
            wait: &wait,
        },
    );
    context.cancellation.check()?;
    let place = document_place(source, zarr_url);
    let mut image = image_from_json_str(&text?, &place)?;
    expand_home(&mut image)?;
    warn_of_unknown_suffixes(&image);
    let processing = Processing {
        options: Arc::new(init_args.converter_options.clone()),
        pipeline: init_args.registration_pipeline.as_deref(),
        extensions: context.extensions,
    };
    Ok(PlannedImage::new(image, &processing)?)
}

/// How messages name the document of an entry.
pub(crate) fn document_place(source: DocumentSource<'_>, zarr_url: &str) -> String {
    match source {
        DocumentSource::File(url) => url.to_owned(),
        DocumentSource::Inline(_) => format!("tiled_image_json_str of {zarr_url}"),
    }
}

/// Warnings of parts of files that are not used, per image at most.
const WARNED: usize = 5;

/// Warns of what does not reach the image, whoever else listens.
struct Warning<'a> {
    to: &'a dyn Progress,
    left_out: AtomicUsize,
}

impl Progress for Warning<'_> {
    fn on(&self, event: Event<'_>) {
        if let Event::HiddenTiles { image, problem } = event {
            warn!("image {image}: {problem}");
        }
        if let Event::LeftOut { what, reason, .. } = event
            && self.left_out.fetch_add(1, Ordering::Relaxed) < WARNED
        {
            warn!("{what}: {reason}");
        }
        if let Event::ImageComplete { image, .. } = event {
            let more = self.left_out.load(Ordering::Relaxed).saturating_sub(WARNED);
            if more > 0 {
                warn!("image {image}: {more} more files hold parts that are not used; `--progress json` names them");
            }
        }
        self.to.on(event);
    }
}

/// What the conversion of a planned image needs besides its place and its context.
pub(crate) struct Work<'a> {
    pub(crate) overwrite_mode: OverwriteMode,
    /// Name of the loader of its tiles; `None` is that of the context.
    pub(crate) image_loader: Option<&'a str>,
    /// Identity of the hand-over document, by which a second run of the same entry is known.
    pub(crate) hand_over: Option<String>,
    /// Bytes of the documents of all images that are in memory.
    pub(crate) document_bytes: u64,
}

/// Converts a planned image on the threads of the current pool.
pub(crate) fn convert_planned(
    image: &PlannedImage,
    place: &Location,
    work: &Work<'_>,
    zarr_url: &str,
    context: &ComputeContext<'_>,
) -> Result<Computed, TaskError> {
    let footprint = Footprint::new(work.document_bytes, Threads::current());
    let loading = context.loading(work.image_loader)?;
    let facts = image_list_update(image.tiled(), image.plan());
    let note = json!({ "hand_over": work.hand_over, "update": facts });
    let usual = Conversion::new(place);
    let report = convert_image(
        image,
        &Conversion {
            open_sources: context.open_sources.unwrap_or(usual.open_sources),
            overwrite_mode: work.overwrite_mode,
            loader: loading.loader,
            resource: loading.resource,
            pixel_budget: context.memory_limit.map(|limit| footprint.pixel_budget(limit)),
            durable: context.durable,
            check: context.check,
            progress: &Warning {
                to: context.progress,
                left_out: AtomicUsize::new(0),
            },
            cancellation: context.cancellation,
            note: &note,
            ..usual
        },
    );
    let report = report.map_err(|error| TaskError::of_process(error, &footprint, context.memory_limit))?;
    match report.outcome {
        Outcome::AlreadyComplete => info!("{zarr_url} was converted before from the same files: nothing to do"),
        Outcome::Kept => info!("{zarr_url} exists and is complete: kept"),
        _ => info!("Conversion of {zarr_url} is complete"),
    }
    Ok(Computed {
        update: with_url(zarr_url, facts),
        report: Some(report),
    })
}

/// The entry of an image in the image list: what is known of it, at the place asked for.
fn with_url(zarr_url: &str, facts: Value) -> Value {
    let mut update = Map::new();
    update.insert("zarr_url".into(), json!(zarr_url));
    if let Value::Object(facts) = facts {
        update.extend(facts);
    }
    Value::Object(update)
}

/// The update that a finished image noted, if it was made from the hand-over file `url` and that file is gone.
fn finished_before(place: &Location, url: &str, zarr_url: &str) -> Result<Option<Value>, TaskError> {
    if document_exists(url)? {
        return Ok(None);
    }
    let Some(mark) = Mark::read(place)? else {
        return Ok(None);
    };
    let noted = mark.note.get("hand_over").and_then(Value::as_str);
    let same = document_identity(url).is_some_and(|identity| noted == Some(&identity));
    let facts = mark.note.get("update").cloned();
    Ok(facts.filter(|_| same).map(|facts| with_url(zarr_url, facts)))
}

/// Whether a hand-over file is there.
pub(crate) fn document_exists(url: &str) -> Result<bool, TaskError> {
    Ok(Location::local(Path::new(url))?.exists()?)
}

/// `~` in the file paths of documents that others wrote.
pub(crate) fn expand_home(image: &mut TiledImage) -> Result<(), TaskError> {
    for region in &mut image.regions {
        let home = region.image_loader.file_path().filter(|path| path.starts_with('~'));
        if let Some(path) = home.map(absolute).transpose()? {
            region.image_loader.set_file_path(path.display().to_string());
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

/// The place of an output: an absolute path, or one that is relative or begins with `~`.
pub(crate) fn locate(url: &str) -> Result<Location, TaskError> {
    Ok(Location::local(&absolute(url)?)?)
}

/// An absolute path, from one that may be relative or begin with `~`.
pub fn absolute(given: &str) -> Result<PathBuf, TaskError> {
    let current = std::env::current_dir().map_err(TaskError::io("find", "the current folder"))?;
    let home = std::env::var_os("HOME")
        .or_else(|| std::env::var_os("USERPROFILE"))
        .map(PathBuf::from);
    Ok(path::absolute(given, &current, home.as_deref())?)
}
