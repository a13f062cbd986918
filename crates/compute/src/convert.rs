//! Converts one image: looks at what exists, writes beside it, and makes it visible complete.

use std::sync::LazyLock;

use ome_zarr_convert_core::options::{BadTiles, HiddenTiles, OverwriteMode};
use ome_zarr_convert_ngff::ArrayMetadata;
use ome_zarr_convert_sources::{DefaultImageLoader, Headers, ImageLoader};
use ome_zarr_convert_store::Location;
use rayon::prelude::*;

use crate::bad_tiles::BadTilesFound;
use crate::buffer::BufferPool;
use crate::disk::DiskLevel;
use crate::error::ComputeError;
use crate::event::{Cancellation, Event, Progress, Silent};
use crate::execute::{Arrays, Execution};
use crate::existing::{Wanted, look_at_existing};
use crate::guard::guarded;
use crate::image::{Loading, PlannedImage};
use crate::job::{Counters, Job, MOST_OPEN};
use crate::ledger::{Ledger, Unit};
use crate::mark::Mark;
use crate::metadata;
use crate::plan::Means;
use crate::report::{Outcome, Report};
use crate::staging::{Appearance, Staging, sweep};
use crate::stamps::Stamps;
use crate::tiles::{Failure, Tiles};

/// Where and how an image is converted. [`Conversion::new`] gives the usual; set the fields that differ.
#[derive(Clone, Copy)]
pub struct Conversion<'a> {
    /// Where the image will be.
    pub target: &'a Location,
    /// What to do with an output that exists.
    pub overwrite_mode: OverwriteMode,
    /// Opens the sources of tiles.
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
    /// Cancels the conversion.
    pub cancellation: &'a Cancellation,
    /// A note to be found again in the mark of the finished image.
    pub note: &'a serde_json::Value,
}

impl<'a> Conversion<'a> {
    /// Absolute file paths, the built-in loader, no overwriting, no limit, in silence.
    pub fn new(target: &'a Location) -> Self {
        static NEVER: LazyLock<Cancellation> = LazyLock::new(Cancellation::new);
        static NO_NOTE: serde_json::Value = serde_json::Value::Null;
        Self {
            target,
            overwrite_mode: OverwriteMode::NoOverwrite,
            loader: &DefaultImageLoader,
            resource: None,
            pixel_budget: None,
            open_sources: MOST_OPEN,
            durable: false,
            check: false,
            progress: &Silent,
            cancellation: &NEVER,
            note: &NO_NOTE,
        }
    }

    fn loading(&self) -> Loading<'a> {
        Loading {
            loader: self.loader,
            resource: self.resource,
        }
    }
}

/// Converts an image on the threads of the current rayon pool. It appears at its place complete, or not at all.
pub fn convert_image(image: &PlannedImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    guarded(|| format!("image {}", image.path()), || convert(image, with))
}

fn convert(image: &PlannedImage, with: &Conversion<'_>) -> Result<Report, ComputeError> {
    let stamps = Stamps::read(image, with.loading(), with.cancellation)?;
    let fingerprint = stamps.fingerprint(image);
    if let Some(outcome) = look(image, &fingerprint, with)? {
        if outcome == Outcome::AlreadyComplete {
            sweep(with.target)?;
        }
        return Ok(kept(image, outcome, with));
    }
    let headers = Headers::default();
    let means = image.choose_means(
        with.pixel_budget,
        Loading {
            loader: &headers.remembered_by(with.loader),
            ..with.loading()
        },
    )?;
    with.cancellation.check()?;
    tell_start(image, with);
    let staging = Staging::begin(with.target, &fingerprint)?;
    // Another process may have been at it until now.
    if let Some(outcome) = look(image, &fingerprint, with)? {
        return Ok(kept(image, outcome, with));
    }
    let mut report = Report::new(Outcome::Written, image.plan());
    report.bytes_read = stamps.bytes;
    let mut bad = BadTilesFound::new(image);
    if image.options().bad_tiles != BadTiles::Fail {
        // All that headers tell is found at once: what is found later begins the image anew.
        let loading = Loading {
            loader: &headers.known_to(with.loader),
            ..with.loading()
        };
        for (number, error) in image.check_sources(loading, with.cancellation)? {
            bad.add(number, error)?;
        }
    }
    let written = loop {
        match write(image, &staging, &fingerprint, means, &bad, with, &mut report) {
            Ok(written) => break written,
            Err(Failure { tile, error }) => {
                if error.may_go_on() {
                    staging.keep();
                }
                let Some(number) = tile else { return Err(error) };
                bad.add(number, error)?;
                // The tile, or others of its field, may be in chunks that are finished.
                staging.clear()?;
            }
        }
    };
    report.left_out = bad.left_out;
    let mark = Mark::new(fingerprint, written.files, with.note.clone());
    let how = Appearance {
        replace: with.overwrite_mode != OverwriteMode::NoOverwrite,
        durable: with.durable,
    };
    staging.publish(&mark, &image.plan().levels[0].name, how, |dir| {
        metadata::write_group(dir, image, &written.windows, &report.left_out)
    })?;
    with.progress.on(Event::ImageComplete {
        image: image.path(),
        pixel_bytes: image.plan().pixel_bytes(),
    });
    Ok(report)
}

fn look(image: &PlannedImage, fingerprint: &str, with: &Conversion<'_>) -> Result<Option<Outcome>, ComputeError> {
    let wanted = Wanted {
        fingerprint,
        mode: with.overwrite_mode,
        check: with.check,
        has_conditions: !image.tiled().attributes.is_empty(),
    };
    look_at_existing(with.target, &wanted)
}

/// The report of an image that needs no work.
fn kept(image: &PlannedImage, outcome: Outcome, with: &Conversion<'_>) -> Report {
    with.progress.on(Event::ImageKept {
        image: image.path(),
        pixel_bytes: image.plan().pixel_bytes(),
    });
    Report::new(outcome, image.plan())
}

/// Says what is about to happen.
fn tell_start(image: &PlannedImage, with: &Conversion<'_>) {
    let (plan, path) = (image.plan(), image.path());
    if plan.levels_left_out > 0 {
        let written = plan.levels.len();
        with.progress.on(Event::LevelsLeftOut {
            image: path,
            written,
            requested: written + plan.levels_left_out,
        });
    }
    // With `Warn` the set-up has said it.
    if image.options().hidden_tiles == HiddenTiles::Fail
        && let Some(problem) = &image.review().hidden
    {
        with.progress.on(Event::HiddenTiles { image: path, problem });
    }
    with.progress.on(Event::ImageStarted {
        image: path,
        tiles: plan.placements.len(),
        pixel_bytes: plan.pixel_bytes(),
    });
}

/// Writes everything of the image but its group's document.
fn write(
    image: &PlannedImage,
    staging: &Staging,
    fingerprint: &str,
    means: Means,
    bad: &BadTilesFound<'_>,
    with: &Conversion<'_>,
    report: &mut Report,
) -> Result<crate::execute::Written, Failure> {
    let (plan, dir) = (image.plan(), staging.dir());
    let version = image.options().omezarr_options.ngff_version;
    let metadata = metadata::arrays(plan, image.options());
    let arrays = Arrays {
        dir,
        version,
        metadata: &metadata,
    };
    let mut ledger = open_ledger(image, staging, fingerprint, &arrays)?;
    staging.clear_all_but_chunks(plan)?;
    write_arrays(image, &arrays)?;
    if with.check {
        forget_damaged(&mut ledger, image, dir)?;
    }
    report.units_resumed = report.units_resumed.max(ledger.units().count() as u64);
    let job = Job {
        image,
        loader: with.loader,
        resource: with.resource,
        progress: with.progress,
        cancellation: with.cancellation,
        means,
        most_open: with.open_sources,
        left_out: bad.placements.clone(),
        pool: BufferPool::within(means.pool_bytes),
        counters: Counters::default(),
    };
    let tiles = Tiles::new(&job)?;
    let written = Execution::new(&job, &tiles, &ledger, &arrays)?.run()?;
    metadata::write_tables(dir, image)?;
    report.add(&job.counters);
    Ok(written)
}

fn open_ledger(
    image: &PlannedImage,
    staging: &Staging,
    fingerprint: &str,
    arrays: &Arrays<'_>,
) -> Result<Ledger, ComputeError> {
    let plan = image.plan();
    let place_of = |(level, unit): Unit| {
        let (array, level) = (arrays.metadata.get(level)?, plan.levels.get(level)?);
        let key = array.chunk_key(arrays.version, &plan.own_axes(unit));
        Some(arrays.dir.child(&level.name).join(&key))
    };
    let units = |visit: &mut dyn FnMut(Unit)| {
        for (number, level) in plan.levels.iter().enumerate() {
            level.units().each_cell(|unit| visit((number, unit)));
        }
    };
    Ledger::open(arrays.dir, fingerprint, place_of, units, || staging.clear())
}

fn write_arrays(image: &PlannedImage, arrays: &Arrays<'_>) -> Result<(), ComputeError> {
    let levels = image.plan().levels.iter().zip(arrays.metadata);
    let mut written = levels
        .map(|(level, array): (_, &ArrayMetadata)| Ok(array.write(&arrays.dir.child(&level.name), arrays.version)?));
    written.try_for_each(|written| written)
}

/// Decodes what an earlier run finished; what does not decode is written again.
fn forget_damaged(ledger: &mut Ledger, image: &PlannedImage, dir: &Location) -> Result<(), ComputeError> {
    let plan = image.plan();
    let mut damaged: Vec<Unit> = Vec::new();
    for (number, level) in plan.levels.iter().enumerate() {
        let units: Vec<Unit> = ledger.units().filter(|(of, _)| *of == number).collect();
        if units.is_empty() {
            continue;
        }
        let disk = DiskLevel::open(&dir.child(&level.name)).map_err(|finding| ComputeError::Resume {
            path: finding.path,
            problem: finding.problem,
        })?;
        let bad = |(_, unit): &Unit| disk.decode_own(&plan.own_axes(*unit)).is_some();
        damaged.extend(units.into_par_iter().filter(bad).collect::<Vec<_>>());
    }
    damaged.into_iter().for_each(|unit| ledger.forget(unit));
    Ok(())
}
