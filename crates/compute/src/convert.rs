//! Converts one image: registered, planned, written beside its path, published.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use ome_zarr_convert_core::options::{BadTiles, ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{Extensions, PipelineStep, TiledImage, image_to_json, model, register, register_with};
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::disk::DiskLevel;
use crate::error::ComputeError;
use crate::execute::{Execution, Surroundings};
use crate::guard::guarded;
use crate::ledger::Ledger;
use crate::metadata;
use crate::plan::{Casting, Decoding, ImagePlan, Means};
use crate::progress::{Cancellation, Counters, Event, Progress, Silent};
use crate::publish::{Mark, Staging, is_complete, may_be_replaced};
use crate::tiles::{Failure, MOST_OPEN, Tiles, TilesWith, check_source, required_type};
use crate::verify::is_whole;

/// What a conversion needs besides the image. [`Conversion::new`] gives the usual; set the fields that differ.
#[derive(Clone, Copy)]
pub struct Conversion<'a> {
    /// Absolute path of the output.
    pub target: &'a Path,
    /// Options of the conversion.
    pub options: &'a ConverterOptions,
    /// What to do with an output that exists.
    pub overwrite_mode: OverwriteMode,
    /// Steps of the registration; `None` are the default ones.
    pub pipeline: Option<&'a [PipelineStep]>,
    /// What the program adds by name.
    pub extensions: &'a Extensions,
    /// Loads the tiles.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// Bytes that the pixels in memory may take; `None`: as many as all threads of the pool need.
    pub pixel_budget: Option<u64>,
    /// Sources that may stay open while no chunk reads them; beyond that they are closed, and opened again when a chunk needs them.
    pub open_sources: usize,
    /// Whether files must outlast a loss of power, not only of the process, before the image appears.
    pub durable: bool,
    /// Whether finished units of an earlier run are decoded, besides their size, before they are kept.
    pub check: bool,
    /// Listens to what happens.
    pub progress: &'a dyn Progress,
    /// Asks to stop.
    pub cancellation: &'a Cancellation,
    /// Makes a note to be found again in the mark of the finished image.
    pub note: &'a (dyn Fn(&ImagePlan) -> serde_json::Value + Sync),
}

impl<'a> Conversion<'a> {
    /// Absolute file paths, built-in loader and registration, no overwriting, no limit, in silence.
    pub fn new(target: &'a Path, options: &'a ConverterOptions) -> Self {
        static NO_EXTENSIONS: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        static NEVER: Cancellation = Cancellation::new();
        Self {
            target,
            options,
            overwrite_mode: OverwriteMode::NoOverwrite,
            pipeline: None,
            extensions: &NO_EXTENSIONS,
            loader: &DefaultImageLoader,
            resource: None,
            pixel_budget: None,
            open_sources: MOST_OPEN,
            durable: false,
            check: false,
            progress: &Silent,
            cancellation: &NEVER,
            note: &|_| serde_json::Value::Null,
        }
    }
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
    /// Units (chunks or shards) that an earlier run had finished.
    pub units_kept: u64,
    /// Tiles that were left empty, and why.
    pub left_out: Vec<LeftOut>,
}

/// A tile that was left empty because it, or another of its field of view, is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The tile: field of view and file.
    pub tile: String,
    /// What is wrong.
    pub problem: String,
}

/// Converts an image on the threads of the current rayon pool. It appears at its path complete, or not at all.
pub fn convert_image(image: TiledImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    let path = image.path.clone();
    guarded(|| format!("image {path}"), || convert(image, with))
}

fn convert(mut image: TiledImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    let sources = Sources::stat(&image, with)?;
    let fingerprint = sources.fingerprint(&image, with)?;
    register_with(&mut image, with.options, with.pipeline, with.extensions)?;
    let plan = ImagePlan::new(&image, with.options)?;
    let mut report = Report {
        outcome: Outcome::Written,
        tiles: image.regions.len(),
        bytes_read: 0,
        bytes_written: 0,
        chunks_written: 0,
        files_opened: 0,
        planes_decoded: 0,
        units_kept: 0,
        left_out: Vec::new(),
        plan,
    };
    if let Some(outcome) = look_at_existing(&image, &fingerprint, with)? {
        with.progress.on(Event::AlreadyComplete { path: with.target });
        return Ok(Report { outcome, ..report });
    }
    let means = choose_means(&image, &report.plan, with)?;
    with.cancellation.check()?;
    tell(&image, &report.plan, with);
    let staging = Staging::begin(with.target)?;
    // Another process may have been at it until now.
    if let Some(outcome) = look_at_existing(&image, &fingerprint, with)? {
        with.progress.on(Event::AlreadyComplete { path: with.target });
        return Ok(Report { outcome, ..report });
    }
    let counters = Counters::default();
    let mut bad = BadTilesFound::default();
    if with.options.bad_tiles != BadTiles::Fail {
        // All that can be told from headers is found at once: what is found later begins the image anew.
        for (number, error) in bad_sources(&image, &report.plan, with.loader, with.resource) {
            bad.add(number, &error, &image, &report.plan, with.options.bad_tiles);
            if bad.all.len() == report.plan.placements.len() {
                return Err(error);
            }
        }
    }
    let files = loop {
        let written = write(
            &image,
            &report.plan,
            &staging,
            &fingerprint,
            means,
            &counters,
            &bad,
            with,
        );
        match written {
            Ok((files, kept)) => {
                report.units_kept = report.units_kept.max(kept);
                break files;
            }
            Err(Failure {
                tile: Some(number),
                error,
            }) if with.options.bad_tiles != BadTiles::Fail && error.is_of_a_tile() => {
                bad.add(number, &error, &image, &report.plan, with.options.bad_tiles);
                if bad.all.len() == report.plan.placements.len() {
                    return Err(error);
                }
                // The tile, or others of its field, may be in chunks that are finished.
                staging.clear()?;
            }
            Err(Failure { error, .. }) => {
                if error.is_interruption() {
                    staging.keep();
                }
                return Err(error);
            }
        }
    };
    report.left_out = bad.told;
    let mark = Mark {
        fingerprint,
        files,
        note: (with.note)(&report.plan),
    };
    let replace = with.overwrite_mode != OverwriteMode::NoOverwrite;
    staging.publish(&mark, replace, with.durable)?;
    with.progress.on(Event::ImageComplete { path: with.target });
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    report.bytes_read = sources.bytes;
    report.bytes_written = count(&counters.bytes_written);
    report.chunks_written = count(&counters.chunks_written);
    report.files_opened = count(&counters.files_opened);
    report.planes_decoded = count(&counters.planes_decoded);
    Ok(report)
}

/// Tells what is about to happen.
fn tell(image: &TiledImage, plan: &ImagePlan, with: &Conversion<'_>) {
    if plan.levels_left_out > 0 {
        let written = plan.levels.len();
        let asked = written + plan.levels_left_out;
        with.progress.on(Event::LevelsLeftOut {
            image: &image.path,
            written,
            asked,
        });
    }
    with.progress.on(Event::Planned {
        image: &image.path,
        tiles: image.regions.len(),
        pixel_bytes: plan.pixel_bytes(),
    });
}

/// What the budget allows on the threads of the current rayon pool; too little is an error that says what is needed. Where memory is
/// short, the first tile is looked at: if parts of its planes can be read on their own, nothing need wait in memory.
pub fn choose_means(image: &TiledImage, plan: &ImagePlan, with: &Conversion<'_>) -> Result<Means, ComputeError> {
    let threads = rayon::current_num_threads();
    let ample = plan.means_with(with.pixel_budget, threads, false, Casting::Yes);
    if let Some(means) = ample.filter(|means| means.workers == threads && means.decoding == Decoding::Once) {
        return Ok(means);
    }
    let first = &image.regions[plan.placements[0].region];
    let open = || Ok(with.loader.open(&first.image_loader, with.resource).ok());
    // A tile that cannot be opened is told of when the tiles are read.
    let opened = guarded(|| first.describe(), open).ok().flatten();
    let cheap_windows = opened.as_ref().is_some_and(|opened| opened.cheap_windows());
    let casting = match opened.as_deref().map(|opened| opened.info().pixel_type) {
        Some(found) if found == plan.data_type => Casting::No,
        _ => Casting::Yes,
    };
    let means = plan.means_with(with.pixel_budget, threads, cheap_windows, casting);
    means.ok_or_else(|| ComputeError::Memory {
        image: image.path.clone(),
        budget: with.pixel_budget.unwrap_or_default(),
        needed: plan.least_bytes(cheap_windows, casting),
    })
}

/// Placements whose sources are bad, with the fields of view that are left out for it.
#[derive(Default)]
struct BadTilesFound {
    all: BTreeSet<usize>,
    told: Vec<LeftOut>,
}

impl BadTilesFound {
    fn add(&mut self, number: usize, error: &ComputeError, image: &TiledImage, plan: &ImagePlan, policy: BadTiles) {
        let region = |number: usize| &image.regions[plan.placements[number].region];
        let field = &region(number).roi.name;
        for other in 0..plan.placements.len() {
            let out = other == number || (policy == BadTiles::SkipFov && region(other).roi.name == *field);
            if out && self.all.insert(other) {
                let problem = match other == number {
                    true => error.to_string(),
                    false => format!("another tile of its field of view is bad: {error}"),
                };
                self.told.push(LeftOut {
                    tile: region(other).describe(),
                    problem,
                });
            }
        }
    }
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
    let same = Mark::read(with.target).filter(|mark| mark.fingerprint == fingerprint);
    // What may be replaced is kept only if nothing is missing from it, or damaged as far as was asked.
    let kept =
        |mark: &Mark| with.overwrite_mode == OverwriteMode::NoOverwrite || is_whole(with.target, mark, with.check);
    let damaged = match same {
        Some(mark) if kept(&mark) => return Ok(Some(Outcome::AlreadyComplete)),
        other => other.is_some(),
    };
    match with.overwrite_mode {
        OverwriteMode::NoOverwrite => Err(ComputeError::OutputExists {
            path: with.target.to_owned(),
        }),
        _ if !may_be_replaced(with.target) => Err(ComputeError::Foreign {
            path: with.target.to_owned(),
        }),
        OverwriteMode::Overwrite => Ok(None),
        OverwriteMode::Extend if damaged => Ok(None),
        OverwriteMode::Extend => Ok(is_complete(with.target, !image.attributes.is_empty()).then_some(Outcome::Kept)),
    }
}

/// Files of pixels per level, and units that an earlier run had finished.
type Files = (Vec<u64>, u64);

/// Writes the image into the staging folder.
#[allow(clippy::too_many_arguments)]
fn write(
    image: &TiledImage,
    plan: &ImagePlan,
    staging: &Staging,
    fingerprint: &str,
    means: Means,
    counters: &Counters,
    bad: &BadTilesFound,
    with: &Conversion<'_>,
) -> Result<Files, Failure> {
    let (version, dir) = (with.options.omezarr_options.ngff_version, staging.dir());
    let arrays = metadata::arrays(plan, with.options);
    let file_of = |level: usize, unit: crate::plan::Index5| {
        let array = arrays.get(level)?;
        Some(
            dir.join(&plan.levels[level].name)
                .join(array.chunk_key(version, &plan.own_axes(unit))),
        )
    };
    let mut ledger = Ledger::open(dir, fingerprint, file_of, || staging.clear())?;
    staging.clear_all_but_chunks(plan)?;
    write_arrays(plan, &arrays, dir, version)?;
    if with.check {
        forget_damaged(&mut ledger, plan, dir)?;
    }
    let kept = ledger.units().count() as u64;
    let tiles_with = TilesWith {
        progress: with.progress,
        cancellation: with.cancellation,
        left_out: bad.all.clone(),
        decoding: means.decoding,
        most_open: with.open_sources,
        most_kept: means.spare_bytes,
        parallel: means.workers == rayon::current_num_threads(),
        ..TilesWith::new(with.loader, with.resource, counters)
    };
    let tiles = Tiles::new(plan, &image.regions, tiles_with)?;
    let surroundings = Surroundings {
        version,
        tiles: &tiles,
        ledger: &ledger,
        counters,
        progress: with.progress,
        cancellation: with.cancellation,
        pool_bytes: means.pool_bytes,
    };
    let written = Execution::new(plan, arrays, dir, surroundings)?.run(means)?;
    metadata::write_image(dir, version, image, plan, &written.windows, &bad.told)?;
    metadata::write_image_tables(dir, version, image, plan, with.options)?;
    Ok((written.files, kept))
}

fn write_arrays(
    plan: &ImagePlan,
    arrays: &[ArrayMetadata],
    dir: &Path,
    version: NgffVersion,
) -> Result<(), ComputeError> {
    for (level, array) in plan.levels.iter().zip(arrays) {
        let dir = dir.join(&level.name);
        fs::create_dir_all(&dir).map_err(ComputeError::io("create", &dir))?;
        array.write(&dir, version)?;
    }
    Ok(())
}

/// Decodes what an earlier run finished; what does not decode is written again.
fn forget_damaged(ledger: &mut Ledger, plan: &ImagePlan, dir: &Path) -> Result<(), ComputeError> {
    let mut damaged = Vec::new();
    for (number, level) in plan.levels.iter().enumerate() {
        let units: Vec<_> = ledger
            .units()
            .filter(|(of, _)| *of == number)
            .map(|(_, unit)| unit)
            .collect();
        if units.is_empty() {
            continue;
        }
        let disk = DiskLevel::open(&dir.join(&level.name)).map_err(|finding| ComputeError::Io {
            action: "check",
            path: finding.path,
            source: std::io::Error::other(finding.problem),
        })?;
        let bad = |unit: &crate::plan::Index5| disk.decode_own(&plan.own_axes(*unit)).is_some();
        damaged.extend(
            units
                .into_par_iter()
                .filter(bad)
                .map(|unit| (number, unit))
                .collect::<Vec<_>>(),
        );
    }
    damaged.into_iter().for_each(|(level, unit)| ledger.forget(level, unit));
    Ok(())
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
                // Whether the image can do without it is decided when it is read.
                Err(_) if with.options.bad_tiles != BadTiles::Fail => {
                    sources.stamps.push((0, 0));
                    continue;
                }
                Err(error) => {
                    let checked = with.loader.preflight(&region.image_loader, with.resource);
                    return Err(match checked {
                        Err(source) => ComputeError::Source {
                            tile: region.describe(),
                            source: Box::new(source),
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
    fn fingerprint(&self, image: &TiledImage, with: &Conversion<'_>) -> Result<String, ComputeError> {
        let mut hash = Sha256::new();
        hash.update(image_to_json(image)?);
        hash.update(model::to_json(with.options).to_string());
        for step in with.pipeline.into_iter().flatten() {
            hash.update(model::to_json(step).to_string());
        }
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

/// The plan of an image with the built-in registration.
pub fn plan_image(image: &TiledImage, options: &ConverterOptions) -> Result<ImagePlan, ComputeError> {
    plan_image_with(image, &Conversion::new(Path::new(&image.path), options))
}

/// The plan of an image, as [`convert_image`] would carry it out.
pub fn plan_image_with(image: &TiledImage, with: &Conversion<'_>) -> Result<ImagePlan, ComputeError> {
    let mut registered = image.clone();
    register_with(&mut registered, with.options, with.pipeline, with.extensions)?;
    ImagePlan::new(&registered, with.options)
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
    let bad = bad_sources(&registered, &plan, loader, resource);
    Ok(bad.into_iter().map(|(_, error)| error).collect())
}

/// Placements whose sources cannot be opened, or are not what their tiles declare, in their order. The first that opens decides on the data
/// type.
fn bad_sources(
    image: &TiledImage,
    plan: &ImagePlan,
    loader: &dyn ImageLoader,
    resource: Option<&str>,
) -> Vec<(usize, ComputeError)> {
    let open = |number: usize| {
        let region = &image.regions[plan.placements[number].region];
        let open = || {
            let opened = loader.open(&region.image_loader, resource);
            opened.map_err(|source| ComputeError::Source {
                tile: region.describe(),
                source: Box::new(source),
            })
        };
        (region, guarded(|| region.describe(), open))
    };
    let first = (0..plan.placements.len()).find_map(|number| open(number).1.ok());
    let required_type = first.and_then(|first| required_type(&*first, plan));
    let bad = (0..plan.placements.len()).into_par_iter().filter_map(|number| {
        let (region, opened) = open(number);
        let checked = opened.and_then(|opened| {
            let check = || check_source(&*opened, region, &plan.placements[number], plan, required_type);
            guarded(|| region.describe(), check)
        });
        checked.err().map(|error| (number, error))
    });
    bad.collect()
}
