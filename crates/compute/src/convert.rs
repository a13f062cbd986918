//! Converts one image: registered, planned, written beside its path, published.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{TiledImage, image_to_json, model, register};
use ome_zarr_convert_sources::ImageLoader;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::ComputeError;
use crate::execute::{Execution, Surroundings};
use crate::guard::guarded;
use crate::metadata;
use crate::plan::ImagePlan;
use crate::progress::{Cancellation, Counters, Event, Progress};
use crate::publish::{Mark, Staging, is_complete};
use crate::tiles::{Tiles, check_source, required_type};

/// What a conversion needs besides the image.
#[derive(Clone, Copy)]
pub struct Conversion<'a> {
    /// Absolute path of the output.
    pub target: &'a Path,
    /// Options of the conversion.
    pub options: &'a ConverterOptions,
    /// What to do with an output that exists.
    pub overwrite_mode: OverwriteMode,
    /// Loads the tiles.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// Listens to what happens.
    pub progress: &'a dyn Progress,
    /// Asks to stop.
    pub cancellation: &'a Cancellation,
    /// Makes a note to be found again in the mark of the finished image.
    pub note: &'a (dyn Fn(&ImagePlan) -> serde_json::Value + Sync),
}

/// How a conversion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The image was written.
    Written,
    /// This very conversion (same document, options and files) had been finished before.
    AlreadyComplete,
    /// `Extend` found a complete image and left it alone.
    Kept,
}

/// What a conversion did.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The plan of the image.
    pub plan: ImagePlan,
    /// Tiles of the image.
    pub tiles: usize,
    /// Bytes of the source files.
    pub bytes_read: u64,
    /// Bytes of chunk and shard files.
    pub bytes_written: u64,
    /// Chunks encoded and written; chunks of zeros are not.
    pub chunks_written: u64,
    /// Source files opened for their pixels.
    pub files_opened: u64,
    /// Planes decoded.
    pub planes_decoded: u64,
}

/// Converts an image on the threads of the current rayon pool. It appears at its path complete, or not at all.
pub fn convert_image(image: TiledImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    let path = image.path.clone();
    guarded(|| format!("image {path}"), || convert(image, with))
}

fn convert(mut image: TiledImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    let sources = Sources::stat(&image, with)?;
    let fingerprint = sources.fingerprint(&image, with.options)?;
    register(&mut image, with.options)?;
    let plan = ImagePlan::new(&image, with.options)?;
    let mut report = Report {
        outcome: Outcome::Written,
        tiles: image.regions.len(),
        bytes_read: 0,
        bytes_written: 0,
        chunks_written: 0,
        files_opened: 0,
        planes_decoded: 0,
        plan,
    };
    if let Some(outcome) = look_at_existing(&image, &fingerprint, with)? {
        with.progress.on(Event::AlreadyComplete { path: with.target });
        return Ok(Report { outcome, ..report });
    }
    if report.plan.levels_left_out > 0 {
        let written = report.plan.levels.len();
        let asked = written + report.plan.levels_left_out;
        with.progress.on(Event::LevelsLeftOut {
            image: &image.path,
            written,
            asked,
        });
    }
    with.progress.on(Event::Planned {
        image: &image.path,
        tiles: report.tiles,
        pixel_bytes: report.plan.pixel_bytes(),
    });
    let counters = Counters::default();
    let tiles = Tiles::new(&report.plan, &image.regions, with.loader, with.resource, &counters)?;
    let staging = Staging::begin(with.target)?;
    let files = write(&image, &report.plan, staging.dir(), &tiles, &counters, with)?;
    let mark = Mark {
        fingerprint,
        files,
        note: (with.note)(&report.plan),
    };
    staging.publish(&mark, with.overwrite_mode != OverwriteMode::NoOverwrite)?;
    with.progress.on(Event::ImageComplete { path: with.target });
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    report.bytes_read = sources.bytes;
    report.bytes_written = count(&counters.bytes_written);
    report.chunks_written = count(&counters.chunks_written);
    report.files_opened = count(&counters.files_opened);
    report.planes_decoded = count(&counters.planes_decoded);
    Ok(report)
}

/// Whether what is at the output's path already makes the conversion unnecessary, or forbids it.
fn look_at_existing(
    image: &TiledImage,
    fingerprint: &str,
    with: &Conversion<'_>,
) -> Result<Option<Outcome>, ComputeError> {
    if !with.target.exists() {
        return Ok(None);
    }
    if Mark::read(with.target).is_some_and(|mark| mark.fingerprint == fingerprint) {
        return Ok(Some(Outcome::AlreadyComplete));
    }
    match with.overwrite_mode {
        OverwriteMode::NoOverwrite => Err(ComputeError::OutputExists {
            path: with.target.to_owned(),
        }),
        OverwriteMode::Overwrite => Ok(None),
        OverwriteMode::Extend => Ok(is_complete(with.target, !image.attributes.is_empty()).then_some(Outcome::Kept)),
    }
}

fn write(
    image: &TiledImage,
    plan: &ImagePlan,
    dir: &Path,
    tiles: &Tiles<'_>,
    counters: &Counters,
    with: &Conversion<'_>,
) -> Result<Vec<u64>, ComputeError> {
    let version = with.options.omezarr_options.ngff_version.version();
    let arrays = metadata::arrays(plan, with.options);
    for (level, array) in plan.levels.iter().zip(&arrays) {
        let dir = dir.join(&level.name);
        fs::create_dir_all(&dir).map_err(ComputeError::io("create", &dir))?;
        array.write(&dir, version)?;
    }
    let surroundings = Surroundings {
        version,
        tiles,
        counters,
        progress: with.progress,
        cancellation: with.cancellation,
    };
    let written = Execution::new(plan, arrays, dir, surroundings)?.run(&image.path)?;
    metadata::write_image(dir, version, image, plan, &written.windows)?;
    metadata::write_image_tables(dir, version, image, plan, with.options)?;
    Ok(written.files)
}

/// Size and modification time of every source file.
struct Sources {
    stamps: Vec<(u64, u128)>,
    bytes: u64,
}

impl Sources {
    fn stat(image: &TiledImage, with: &Conversion<'_>) -> Result<Self, ComputeError> {
        let mut seen = std::collections::HashSet::new();
        let mut sources = Self {
            stamps: Vec::with_capacity(image.regions.len()),
            bytes: 0,
        };
        for region in &image.regions {
            let Some(path) = with.loader.source_file(&region.image_loader, with.resource) else {
                continue;
            };
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    let checked = with.loader.preflight(&region.image_loader, with.resource);
                    return Err(match checked {
                        Err(source) => ComputeError::Source {
                            tile: region.describe(),
                            source,
                        },
                        Ok(()) => ComputeError::Io {
                            action: "look at",
                            path,
                            source: error,
                        },
                    });
                }
            };
            let modified = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            sources
                .stamps
                .push((metadata.len(), modified.map_or(0, |time| time.as_nanos())));
            if seen.insert(path) {
                sources.bytes += metadata.len();
            }
        }
        Ok(sources)
    }

    /// Hash of all that decides the output.
    fn fingerprint(&self, image: &TiledImage, options: &ConverterOptions) -> Result<String, ComputeError> {
        let mut hash = Sha256::new();
        hash.update(image_to_json(image)?);
        hash.update(model::to_json(options).to_string());
        hash.update(env!("CARGO_PKG_VERSION"));
        for (len, modified) in &self.stamps {
            hash.update(len.to_le_bytes());
            hash.update(modified.to_le_bytes());
        }
        Ok(hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
}

/// The plan of an image, as [`convert_image`] would carry it out.
pub fn plan_image(image: &TiledImage, options: &ConverterOptions) -> Result<ImagePlan, ComputeError> {
    let mut registered = image.clone();
    register(&mut registered, options)?;
    ImagePlan::new(&registered, options)
}

/// Opens the header of every tile of an image, on the threads of the current rayon pool, and holds it against what the tile
/// declares. Gives every problem, in the order of the tiles.
pub fn preflight(
    image: &TiledImage,
    options: &ConverterOptions,
    loader: &dyn ImageLoader,
    resource: Option<&str>,
) -> Result<Vec<ComputeError>, ComputeError> {
    let mut registered = image.clone();
    register(&mut registered, options)?;
    let plan = ImagePlan::new(&registered, options)?;
    let open = |region: &ome_zarr_convert_core::Region| {
        loader
            .open(&region.image_loader, resource)
            .map_err(|source| ComputeError::Source {
                tile: region.describe(),
                source,
            })
    };
    let Some(first) = image.regions.first() else {
        return Ok(Vec::new());
    };
    let required_type = match guarded(|| first.describe(), || open(first)) {
        Ok(opened) => required_type(&*opened, &plan),
        Err(_) => None,
    };
    let problems = plan.placements.par_iter().filter_map(|placement| {
        let region = &registered.regions[placement.region];
        let check = || open(region).and_then(|opened| check_source(&*opened, region, placement, &plan, required_type));
        let checked = guarded(|| region.describe(), check);
        checked.err()
    });
    Ok(problems.collect())
}
