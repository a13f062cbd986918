//! Runs the compute tasks of a parallelization list on one machine: one after the other, side by side, or as processes.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_compute::{ComputeError, Threads, run_each};
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
    /// Small images side by side if there are enough of them, then the others one after the other. The bytes of each entry's pixels;
    /// 0 where they are not known, since there is nothing to do.
    BySize(&'a [u64]),
    /// One image after the other, each on all threads: a few large images.
    Sequential,
    /// Images side by side, each on one thread: many small images.
    Threads,
    /// A process per image, some at a time: an image that brings its process down leaves the others alone.
    Processes(&'a Processes),
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
    let with = |context: &ComputeContext<'_>, index: usize| {
        let entry = &entries[index];
        if context.cancellation.is_cancelled() {
            return keep(index, Err(ComputeError::Cancelled.into()));
        }
        let computed = generic_compute_task(&entry.zarr_url, &entry.init_args, context);
        keep(
            index,
            computed.map(|computed| (computed.update.clone(), Summary::of(&computed))),
        );
    };
    let alone = |index: usize| threads.run(|| with(context, index));
    let side_by_side = |indices: &[usize]| -> Result<(), TaskError> {
        let at_once = threads.count().min(indices.len());
        if at_once < 2 {
            indices.iter().copied().for_each(alone);
            return Ok(());
        }
        // They share what the process may take.
        let share = ComputeContext {
            memory_limit: context.memory_limit.map(|limit| limit / at_once as u64),
            open_sources: context.open_sources.map(|sources| sources / at_once),
            ..*context
        };
        run_each(at_once, indices.len(), |number| with(&share, indices[number]))?;
        // An image that is too large for a share may well fit alone.
        let too_large = indices.iter().copied().filter(|index| {
            let result = results[*index].lock().unwrap_or_else(PoisonError::into_inner);
            matches!(&*result, Some(Err(TaskError::MemoryLimit { .. })))
        });
        too_large.collect::<Vec<_>>().into_iter().for_each(alone);
        Ok(())
    };
    match runner {
        Runner::BySize(sizes) => {
            let is_small = |index: &usize| sizes.get(*index).is_none_or(|bytes| *bytes < SMALL_IMAGE_BYTES);
            let (small, large): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(is_small);
            let share = context.memory_limit.map(|limit| limit / threads.count() as u64);
            let roomy = share.is_none_or(|share| share > 4 * SMALL_IMAGE_BYTES);
            // Fewer than there are threads are faster one after the other.
            if roomy && small.len() >= threads.count() {
                side_by_side(&small)?;
            } else {
                small.into_iter().for_each(alone);
            }
            large.into_iter().for_each(alone);
        }
        Runner::Threads => side_by_side(&(0..entries.len()).collect::<Vec<_>>())?,
        Runner::Sequential => (0..entries.len()).for_each(alone),
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
