//! Runs a whole conversion in one process: init, then the compute task of every image, with one summary.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ome_zarr_convert_compute::{Outcome, Threads, plan_image, preflight, run_each};
use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, Collection, ParallelizationEntry, TiledImage, differing_attributes, existing_outputs,
    setup_images_for_conversion, tiles_aggregation_pipeline,
};
use tracing::{info, warn};

use crate::acquisition::{CollectionKind, read_acquisition};
use crate::compute::{ComputeContext, Computed, generic_compute_task};
use crate::error::TaskError;

/// Images of fewer bytes than this are converted side by side, one thread each.
const SMALL_IMAGE_BYTES: u64 = 256 << 20;

/// An acquisition to be converted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folder with the table, the acquisition file and the images.
    pub acquisition: PathBuf,
    /// Absolute path of the output folder.
    pub zarr_dir: PathBuf,
    /// Plate or single images.
    pub kind: CollectionKind,
    /// Options of the conversion.
    pub options: ConverterOptions,
    /// What to do with outputs that exist.
    pub overwrite_mode: OverwriteMode,
}

/// The images of a request, aggregated but nothing written yet.
pub struct Prepared {
    request: Request,
    images: Vec<TiledImage>,
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
    /// Wall time.
    pub duration: Duration,
}

impl Request {
    /// Reads the acquisition and aggregates its tiles.
    pub fn prepare(self) -> Result<Prepared, TaskError> {
        let tiles = read_acquisition(&self.acquisition, &self.kind)?;
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
        let images = tiles_aggregation_pipeline(tiles, &self.options, &Aggregation::default())?;
        Ok(Prepared { request: self, images })
    }
}

impl Prepared {
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
        let mut bytes = 0;
        for image in &self.images {
            bytes += plan_image(image, &self.request.options)?.pixel_bytes();
        }
        Ok(bytes)
    }

    /// Opens every image file and holds it against what its tile declares, before anything is written.
    pub fn check_files(&self, threads: &Threads) -> Result<(), TaskError> {
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
    if side_by_side && threads.count() > 1 && entries.len() > 1 {
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
            }
            _ => summary.kept += 1,
        }
    }
    summary
}

/// The number of threads to use: what was asked for, else the processors that this process may use (affinity and cgroup quota),
/// bounded by what SLURM gave the task. `workers` of the options bounds both.
pub fn thread_count(asked: Option<usize>, options: &ConverterOptions) -> usize {
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let slurm = std::env::var("SLURM_CPUS_PER_TASK")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok());
    let own = slurm.map_or(available, |slurm| slurm.min(available));
    let count = asked.unwrap_or(own);
    options
        .runtime_settings
        .dask_scheduler
        .max_workers()
        .map_or(count, |workers| count.min(workers))
        .max(1)
}
