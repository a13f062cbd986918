//! Runs the compute tasks of a parallelization list on one machine: one after the other, side by side, or as processes.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_compute::{Threads, run_each};
use ome_zarr_convert_core::ParallelizationEntry;
use serde_json::Value;
use tracing::info;

use crate::compute::{ComputeContext, generic_compute_task};
use crate::error::TaskError;
use crate::processes::Processes;
use crate::summary::Summary;

/// Images of fewer bytes than this are converted side by side, one thread each.
pub(crate) const SMALL_IMAGE_BYTES: u64 = 256 << 20;

/// How the compute tasks of a list are run. The images are the same whichever is chosen.
#[derive(Clone, Copy)]
pub enum Runner<'a> {
    /// One image after the other, each on all threads: a few large images.
    Sequential,
    /// Images side by side, each on one thread: many small images.
    Threads,
    /// A process per image, some at a time: an image that brings its process down leaves the others alone.
    Processes(&'a Processes),
}

impl Runner<'_> {
    /// The runner for images of that size: side by side where they are small, and the memory limit leaves each thread enough
    /// for a small one.
    pub fn for_images(mean_pixel_bytes: u64, threads: &Threads, context: &ComputeContext<'_>) -> Self {
        let share = context.memory_limit.map(|limit| limit / threads.count() as u64);
        let roomy = share.is_none_or(|share| share > 4 * SMALL_IMAGE_BYTES);
        if mean_pixel_bytes < SMALL_IMAGE_BYTES && roomy {
            Self::Threads
        } else {
            Self::Sequential
        }
    }
}

/// What the compute tasks of a list answered and did.
#[derive(Clone, Debug, Default)]
pub struct Compound {
    /// The updates of Fractal's image list, in the order of the list.
    pub updates: Vec<Value>,
    /// What they did together.
    pub summary: Summary,
}

/// Runs the compute task of every entry that an init task gave. A failed image does not stop the others: they are finished, then the
/// first that failed is told. Running the same entries again finishes the rest, since finished ones are known by their mark.
pub fn exec_compound_task(
    entries: &[ParallelizationEntry],
    runner: Runner<'_>,
    threads: &Threads,
    context: &ComputeContext<'_>,
) -> Result<Compound, TaskError> {
    type Done = Result<(Value, Summary), TaskError>;
    let results: Vec<Mutex<Option<Done>>> = entries.iter().map(|_| Mutex::new(None)).collect();
    let keep = |index: usize, done: Done| {
        if let Err(error) = &done {
            info!("{} failed: {error}", entries[index].zarr_url);
        }
        *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    let here = |index: usize| {
        let entry = &entries[index];
        let computed = generic_compute_task(&entry.zarr_url, &entry.init_args, context);
        keep(
            index,
            computed.map(|computed| (computed.update.clone(), Summary::of(&computed))),
        );
    };
    match runner {
        Runner::Threads if threads.count() > 1 && entries.len() > 1 => run_each(threads.count(), entries.len(), here)?,
        Runner::Sequential | Runner::Threads => (0..entries.len()).for_each(|index| threads.run(|| here(index))),
        Runner::Processes(processes) => {
            let share = processes.share(entries.len(), threads.count(), context.memory_limit);
            run_each(share.count, entries.len(), |index| {
                keep(index, processes.run(&entries[index], &share, context));
            })?;
        }
    }
    let mut compound = Compound::default();
    let mut first: Option<(String, TaskError)> = None;
    let mut failed = 0;
    for (entry, result) in entries.iter().zip(results) {
        match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok((update, summary))) => {
                compound.updates.push(update);
                compound.summary.add(summary);
            }
            Some(Err(error)) => {
                failed += 1;
                first.get_or_insert((entry.zarr_url.clone(), error));
            }
            None => {}
        }
    }
    match first {
        None => Ok(compound),
        Some((_, error)) if entries.len() == 1 => Err(error),
        Some((zarr_url, source)) => Err(TaskError::Images {
            failed,
            images: entries.len(),
            zarr_url,
            source: Box::new(source),
        }),
    }
}
