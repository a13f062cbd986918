//! Runs the compute tasks of many images on one machine, as a schedule says.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_compute::{ComputeError, Event, Threads, run_each};
use ome_zarr_convert_core::ParallelizationEntry;
use serde_json::Value;
use tracing::info;

use crate::compute::{ComputeContext, Computed, generic_compute_task};
use crate::error::TaskError;
use crate::processes::Processes;
use crate::schedule::{Group, Resources, RunnerKind, alone, schedule};
use crate::summary::Summary;

/// How the compute tasks of a list are run.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// Which images at the same time.
    pub kind: RunnerKind,
    /// What a process per image is started with.
    pub processes: &'a Processes,
}

/// What the compute tasks of a list answered and did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Compound {
    /// The updates of Fractal's image list, in the order of the list.
    pub updates: Vec<Value>,
    /// What they did together.
    pub summary: Summary,
}

/// Images to be converted: in this process, or as entries for others.
pub(crate) trait Images: Sync {
    /// The path of an image, by which events name it.
    fn path(&self, index: usize) -> String;
    /// Where it goes, for messages.
    fn zarr_url(&self, index: usize) -> String;
    /// Converts it on the threads of the current pool.
    fn convert(&self, index: usize, context: &ComputeContext<'_>) -> Result<Computed, TaskError>;
    /// Its entry for another process.
    fn entry(&self, index: usize) -> Result<ParallelizationEntry, TaskError>;
    /// Bytes of the pixels of each; 0 where they are not known, since there is nothing to do.
    fn pixel_bytes(&self) -> &[u64];
}

/// Runs the compute task of every entry that an init task gave; `pixel_bytes` are those of each, 0 where nothing is to do. A failed image does
/// not stop the others: they are finished, then the first that failed is reported. Running the same entries again finishes the rest, since
/// finished ones are known by their mark.
pub fn exec_compound_task(
    entries: &[ParallelizationEntry],
    pixel_bytes: &[u64],
    runner: Runner<'_>,
    threads: &Threads,
    context: &ComputeContext<'_>,
) -> Result<Compound, TaskError> {
    run_images(&Entries { entries, pixel_bytes }, runner, threads, context)
}

struct Entries<'a> {
    entries: &'a [ParallelizationEntry],
    pixel_bytes: &'a [u64],
}

impl Images for Entries<'_> {
    fn path(&self, index: usize) -> String {
        self.entries[index].zarr_url.clone()
    }

    fn zarr_url(&self, index: usize) -> String {
        self.entries[index].zarr_url.clone()
    }

    fn convert(&self, index: usize, context: &ComputeContext<'_>) -> Result<Computed, TaskError> {
        let entry = &self.entries[index];
        generic_compute_task(&entry.zarr_url, &entry.init_args, context)
    }

    fn entry(&self, index: usize) -> Result<ParallelizationEntry, TaskError> {
        Ok(self.entries[index].clone())
    }

    fn pixel_bytes(&self) -> &[u64] {
        self.pixel_bytes
    }
}

type Done = Result<(Value, Summary), TaskError>;

/// The results of images, from any thread.
struct Results<'a> {
    images: &'a dyn Images,
    context: &'a ComputeContext<'a>,
    done: Vec<Mutex<Option<Done>>>,
}

impl Results<'_> {
    /// Converts an image in this process.
    fn run(&self, index: usize, context: &ComputeContext<'_>) {
        if context.cancellation.is_cancelled() {
            return self.keep(index, Err(ComputeError::Cancelled.into()));
        }
        let computed = self.images.convert(index, context);
        self.keep(
            index,
            computed.map(|computed| (computed.update.clone(), Summary::of(&computed))),
        );
    }

    fn keep(&self, index: usize, done: Done) {
        if let Err(error) = &done {
            info!("{} failed: {error}", self.images.zarr_url(index));
            self.context.progress.on(Event::ImageFailed {
                image: &self.images.path(index),
                error: &error.to_string(),
            });
        }
        *self.done[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }

    /// Images whose share of memory was too small.
    fn too_large(&self, images: &[usize]) -> Vec<usize> {
        let is_too_large = |index: &usize| {
            let done = self.done[*index].lock().unwrap_or_else(PoisonError::into_inner);
            matches!(&*done, Some(Err(TaskError::MemoryLimit { .. })))
        };
        images.iter().copied().filter(is_too_large).collect()
    }

    /// Everything that was done, or the first failure in the order of the images.
    fn finish(self) -> Result<Compound, TaskError> {
        let images = self.done.len();
        let mut compound = Compound::default();
        let mut first: Option<(usize, TaskError)> = None;
        let mut failed = 0;
        for (index, done) in self.done.into_iter().enumerate() {
            match done.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(Ok((update, summary))) => {
                    compound.updates.push(update);
                    compound.summary.add(summary);
                }
                Some(Err(error)) => {
                    failed += 1;
                    first.get_or_insert((index, error));
                }
                None => {}
            }
        }
        match first {
            None => Ok(compound),
            Some((_, error)) if images == 1 => Err(error),
            Some((index, source)) => Err(TaskError::Images {
                failed,
                images,
                zarr_url: self.images.zarr_url(index),
                source: Box::new(source),
            }),
        }
    }
}

/// Converts images as [`schedule`] divides them.
pub(crate) fn run_images(
    images: &dyn Images,
    runner: Runner<'_>,
    threads: &Threads,
    context: &ComputeContext<'_>,
) -> Result<Compound, TaskError> {
    let all = Resources {
        threads: threads.count(),
        memory_limit: context.memory_limit,
    };
    let results = Results {
        images,
        context,
        done: images.pixel_bytes().iter().map(|_| Mutex::new(None)).collect(),
    };
    for group in schedule(runner.kind, images.pixel_bytes(), all) {
        run_group(&results, &group, runner.processes, threads)?;
        // An image that is too large for a share may well fit alone.
        let too_large = results.too_large(&group.images);
        if group.at_once > 1 && !group.in_processes && !too_large.is_empty() {
            run_group(&results, &alone(too_large, all), runner.processes, threads)?;
        }
    }
    results.finish()
}

fn run_group(results: &Results<'_>, group: &Group, processes: &Processes, threads: &Threads) -> Result<(), TaskError> {
    let context = results.context;
    let share = ComputeContext {
        memory_limit: group.memory_limit,
        open_sources: context.open_sources.map(|sources| sources / group.at_once),
        ..*context
    };
    if group.in_processes {
        return Ok(run_each(group.at_once, group.images.len(), |number| {
            let index = group.images[number];
            let entry = results.images.entry(index);
            let done = entry.and_then(|entry| processes.run(&entry, &results.images.path(index), group, &share));
            results.keep(index, done);
        })?);
    }
    if group.at_once == 1 {
        group
            .images
            .iter()
            .for_each(|index| threads.run(|| results.run(*index, &share)));
        return Ok(());
    }
    Ok(run_each(group.at_once, group.images.len(), |number| {
        results.run(group.images[number], &share);
    })?)
}
