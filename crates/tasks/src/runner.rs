//! Runs a whole conversion in one process: init, then the compute task of every image, with one summary.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ome_zarr_convert_compute::{LeftOut, Outcome, Threads, plan_image, preflight, run_each};
use ome_zarr_convert_core::options::{AcquisitionOptions, BadTiles, ConverterOptions, Grouping, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, Collection, FilterStep, ParallelizationEntry, TiledImage, ValidatorStep, differing_attributes,
    existing_outputs, setup_images_for_conversion, tiles_aggregation_pipeline,
};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::acquisition::{Acquisition, CollectionKind, ImageNames, Reading, read_acquisition};
use crate::compute::{ComputeContext, Computed, generic_compute_task};
use crate::error::TaskError;

/// Images of fewer bytes than this are converted side by side, one thread each.
const SMALL_IMAGE_BYTES: u64 = 256 << 20;

/// An acquisition to be converted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folder with the table, the acquisition file and the images; or a table, a folder of images, an image.
    pub acquisition: PathBuf,
    /// Absolute path of the output folder.
    pub zarr_dir: PathBuf,
    /// Plate or single images.
    pub kind: CollectionKind,
    /// How image files without a table become one.
    pub names: ImageNames,
    /// Options of the conversion.
    pub options: ConverterOptions,
    /// What goes before the acquisition's files, and which of its tiles are converted.
    pub acquisition_options: AcquisitionOptions,
    /// Checks of the images before anything is written.
    pub validators: Vec<ValidatorStep>,
    /// What to do with outputs that exist.
    pub overwrite_mode: OverwriteMode,
}

/// The images of a request, aggregated but nothing written yet.
pub struct Prepared {
    request: Request,
    notes: Vec<String>,
    images: Vec<TiledImage>,
    /// Planning every image is worth doing once.
    pixel_bytes: OnceLock<u64>,
}

/// What a whole conversion did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Images written.
    pub written: usize,
    /// Images that were complete before.
    pub kept: usize,
    /// Tiles of the images written.
    pub tiles: usize,
    /// Bytes of source files read.
    pub bytes_read: u64,
    /// Bytes of pixel files written.
    pub bytes_written: u64,
    /// Chunks and shards that an earlier, unfinished run had written.
    pub units_kept: u64,
    /// Tiles that were left empty, and why.
    pub left_out: Vec<LeftOut>,
    /// Wall time.
    pub duration: Duration,
}

impl Summary {
    /// The summary as a document.
    pub fn to_json(&self) -> Value {
        json!({
            "images_written": self.written,
            "images_kept": self.kept,
            "tiles": self.tiles,
            "bytes_read": self.bytes_read,
            "bytes_written": self.bytes_written,
            "units_kept": self.units_kept,
            "seconds": self.duration.as_secs_f64(),
            "tiles_left_out": self.left_out.iter().map(|out| json!({"tile": out.tile, "problem": out.problem})).collect::<Vec<_>>(),
        })
    }
}

impl Request {
    /// Reads the acquisition and aggregates its tiles.
    pub fn prepare(mut self) -> Result<Prepared, TaskError> {
        let reading = Reading {
            kind: &self.kind,
            options: &self.acquisition_options,
            names: &self.names,
            field_is_image: matches!(self.options.grouping, Grouping::PerFov(_)),
        };
        let Acquisition { tiles, kind, notes } = read_acquisition(&self.acquisition, &reading)?;
        self.kind = kind;
        let differing = differing_attributes(&tiles);
        if let Some((image, key)) = differing.first() {
            warn!(
                "tiles of one image differ in an attribute; the image takes that of its first tile ({key:?} of {image}{})",
                if differing.len() > 1 {
                    format!(", and {} more", differing.len() - 1)
                } else {
                    String::new()
                }
            );
        }
        let filters: Vec<FilterStep> = self
            .acquisition_options
            .filters
            .iter()
            .cloned()
            .map(FilterStep::from)
            .collect();
        let aggregation = Aggregation {
            filters: &filters,
            validators: &self.validators,
            warn: &|text| warn!("{text}"),
            ..Aggregation::default()
        };
        let images = tiles_aggregation_pipeline(tiles, &self.options, &aggregation)?;
        Ok(Prepared {
            request: self,
            notes,
            images,
            pixel_bytes: OnceLock::new(),
        })
    }
}

impl Prepared {
    /// The images.
    pub(crate) fn tiled_images(&self) -> &[TiledImage] {
        &self.images
    }

    /// The options of the conversion.
    pub(crate) fn options(&self) -> &ConverterOptions {
        &self.request.options
    }

    /// What was decided that the user should see: how file names were read, what was saved.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.images.iter().map(|image| image.regions.len()).sum()
    }

    /// Outputs that exist and, with `Overwrite`, will be removed.
    pub fn existing_outputs(&self) -> Result<Vec<PathBuf>, TaskError> {
        Ok(existing_outputs(&self.images, &self.zarr_dir())?)
    }

    /// Bytes of the pixels of the finest levels.
    pub fn pixel_bytes(&self) -> Result<u64, TaskError> {
        if let Some(bytes) = self.pixel_bytes.get() {
            return Ok(*bytes);
        }
        let mut bytes = 0;
        for image in &self.images {
            bytes += plan_image(image, &self.request.options)?.pixel_bytes();
        }
        Ok(*self.pixel_bytes.get_or_init(|| bytes))
    }

    /// Opens every image file and holds it against what its tile declares, before anything is written. Where the options say that
    /// images can do without bad tiles, nothing is checked here.
    pub fn check_files(&self, threads: &Threads) -> Result<(), TaskError> {
        if self.request.options.bad_tiles != BadTiles::Fail {
            return Ok(());
        }
        let mut problems = Vec::new();
        for image in &self.images {
            let context = ComputeContext::new();
            problems.extend(threads.run(|| preflight(image, &self.request.options, context.loader, None))?);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(TaskError::Files {
                problems,
                tiles: self.tiles(),
            })
        }
    }

    /// The init task: sets the outputs up and gives the parallelization list.
    pub fn init(&self) -> Result<Vec<ParallelizationEntry>, TaskError> {
        let request = &self.request;
        Ok(setup_images_for_conversion(
            &self.images,
            &self.zarr_dir(),
            request.kind.collection_type(),
            &request.options,
            request.overwrite_mode,
        )?)
    }

    /// Init, then the compute task of every image. When everything fails, a plate that this made is taken away again.
    pub fn convert(&self, threads: &Threads, context: &ComputeContext<'_>) -> Result<Summary, TaskError> {
        let start = Instant::now();
        let before = match self.request.overwrite_mode {
            OverwriteMode::Overwrite => Vec::new(),
            OverwriteMode::NoOverwrite | OverwriteMode::Extend => self.existing_outputs()?,
        };
        let entries = self.init()?;
        let small = self.pixel_bytes()? / (self.images.len().max(1) as u64) < SMALL_IMAGE_BYTES;
        let done = exec_compound_task(&entries, threads, small, context);
        let failed = done.as_ref().err().is_some();
        if failed {
            self.remove_empty_plates(&before);
        }
        let mut summary = summarize(&done?);
        summary.duration = start.elapsed();
        Ok(summary)
    }

    /// Removes plates that this conversion made and that hold no image.
    fn remove_empty_plates(&self, before: &[PathBuf]) {
        let mut plates: Vec<PathBuf> = Vec::new();
        for image in &self.images {
            if let Collection::ImageInPlate(place) = &*image.collection
                && let Ok(plate) = place.plate_path()
            {
                let plate = self.request.zarr_dir.join(plate);
                if !plates.contains(&plate) && !before.contains(&plate) {
                    plates.push(plate);
                }
            }
        }
        for plate in plates {
            let holds_image = self.images.iter().any(|image| {
                let path = self.request.zarr_dir.join(&image.path);
                path.starts_with(&plate) && path.exists()
            });
            if !holds_image && let Err(error) = std::fs::remove_dir_all(&plate) {
                info!("{} could not be removed: {error}", plate.display());
            }
        }
    }

    fn zarr_dir(&self) -> String {
        self.request.zarr_dir.display().to_string()
    }
}

/// Runs the compute task of every entry: side by side when the images are small, else one after the other with all threads each.
/// A failed image does not stop the others.
pub fn exec_compound_task(
    entries: &[ParallelizationEntry],
    threads: &Threads,
    side_by_side: bool,
    context: &ComputeContext<'_>,
) -> Result<Vec<Computed>, TaskError> {
    let results: Vec<Mutex<Option<Result<Computed, TaskError>>>> = entries.iter().map(|_| Mutex::new(None)).collect();
    let one = |index: usize| {
        let entry = &entries[index];
        let result = generic_compute_task(&entry.zarr_url, &entry.init_args, context);
        if let Err(error) = &result {
            info!("{} failed: {error}", entry.zarr_url);
        }
        *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    };
    // Side by side, images share the memory limit: that is worth it while each gets enough for a small image.
    let share = context.memory_limit.map(|limit| limit / threads.count() as u64);
    let roomy = share.is_none_or(|share| share > 4 * SMALL_IMAGE_BYTES);
    if side_by_side && roomy && threads.count() > 1 && entries.len() > 1 {
        run_each(threads.count(), entries.len(), one)?;
    } else {
        (0..entries.len()).for_each(|index| threads.run(|| one(index)));
    }
    let mut computed = Vec::with_capacity(entries.len());
    let mut first: Option<(String, TaskError)> = None;
    let mut failed = 0;
    for (entry, result) in entries.iter().zip(results) {
        match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(done)) => computed.push(done),
            Some(Err(error)) => {
                failed += 1;
                first.get_or_insert((entry.zarr_url.clone(), error));
            }
            None => {}
        }
    }
    match first {
        None => Ok(computed),
        Some((_, error)) if entries.len() == 1 => Err(error),
        Some((zarr_url, source)) => Err(TaskError::Images {
            failed,
            images: entries.len(),
            zarr_url,
            source: Box::new(source),
        }),
    }
}

fn summarize(done: &[Computed]) -> Summary {
    let mut summary = Summary::default();
    for computed in done {
        match &computed.report {
            Some(report) if report.outcome == Outcome::Written => {
                summary.written += 1;
                summary.tiles += report.tiles;
                summary.bytes_read += report.bytes_read;
                summary.bytes_written += report.bytes_written;
                summary.units_kept += report.units_kept;
                summary.left_out.extend(report.left_out.iter().cloned());
            }
            _ => summary.kept += 1,
        }
    }
    summary
}
