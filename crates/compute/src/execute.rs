//! Carries out a plan in one pass: each leaf is filled, encoded and halved while it is warm; the thread that completes the last
//! child of a coarse chunk goes on with that chunk. Nothing written is read back.

mod resume;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::Index5;
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_store::Location;

use self::writer::LevelWriter;
use crate::buffer::Buffer;
use crate::error::ComputeError;
use crate::event::Event;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::plan::{ImagePlan, Leaf, Level, X, Y};
use crate::tiles::{Failure, Tiles};
use crate::window::{Window, Windows};

/// An image while it is written.
pub(crate) struct Execution<'a> {
    job: &'a Job<'a>,
    tiles: &'a Tiles<'a>,
    ledger: &'a Ledger,
    /// Chunks of the coarsest level under which everything was finished by an earlier run.
    finished: Vec<bool>,
    writers: Vec<LevelWriter>,
    windows: Windows,
}

/// What an execution wrote.
pub(crate) struct Written {
    /// Display windows, per channel.
    pub(crate) windows: Vec<Window>,
    /// Files of pixels, per level.
    pub(crate) files: Vec<u64>,
}

/// Where the arrays of an image go, and what they are.
pub(crate) struct Arrays<'a> {
    pub(crate) dir: &'a Location,
    pub(crate) version: NgffVersion,
    /// Per level.
    pub(crate) metadata: &'a [ArrayMetadata],
}

impl<'a> Execution<'a> {
    /// Prepares to write the arrays.
    pub(crate) fn new(
        job: &'a Job<'a>,
        tiles: &'a Tiles<'a>,
        ledger: &'a Ledger,
        arrays: &Arrays<'_>,
    ) -> Result<Self, ComputeError> {
        let plan = job.plan();
        let mut writers: Vec<LevelWriter> = Vec::with_capacity(plan.levels.len());
        for number in 0..plan.levels.len() {
            writers.push(LevelWriter::new(plan, number, arrays, ledger)?);
        }
        let channels = plan.levels[0].shape[1];
        Ok(Self {
            job,
            tiles,
            ledger,
            finished: resume::finished(plan, ledger),
            writers,
            windows: Windows::new(plan.data_type, channels, coarsest_channel(plan)),
        })
    }

    /// Writes every chunk that is not there yet on as many threads of the current pool as the job's means say.
    pub(crate) fn run(self) -> Result<Written, Failure> {
        self.read_finished_windows()?;
        let plan = self.job.plan();
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let first_error: Mutex<Option<(usize, Failure)>> = Mutex::new(None);
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(leaf) = plan.leaves.get(number) else { break };
                let ready = self.job.check_cancelled().map_err(Failure::from);
                if let Err(error) = ready.and_then(|()| self.leaf(leaf)) {
                    stop.store(true, Ordering::Relaxed);
                    let mut first = first_error.lock().unwrap_or_else(PoisonError::into_inner);
                    // Of several errors, the one of the first leaf, so that reruns report the same.
                    if first.as_ref().is_none_or(|(held, _)| number < *held) {
                        *first = Some((number, error));
                    }
                }
            }
        };
        // A worker per thread and no more: a thread that waits for planes that others fill does not begin with another chunk. Threads
        // without a chunk of their own help to fill those of others.
        let workers = self.job.means.workers.min(plan.leaves.len());
        rayon::broadcast(|thread| {
            if thread.index() < workers {
                work();
            }
        });
        match first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(Written {
                files: self.writers.iter().map(LevelWriter::files).collect(),
                windows: self.windows.finish(),
            }),
        }
    }

    fn leaf(&self, leaf: &Leaf) -> Result<(), Failure> {
        let plan = self.job.plan();
        if self.is_finished(leaf.chunk) {
            self.tiles.pass(leaf.chunk, &leaf.placements);
        } else {
            let buffer = self.tiles.fill(leaf.chunk, &leaf.placements)?;
            self.complete(leaf.chunk, buffer)?;
        }
        let valid: u64 = plan.levels[0].valid(leaf.chunk).iter().product();
        self.job.tell(Event::ChunkDone {
            image: self.job.image.path(),
            pixel_bytes: valid * plan.data_type.size_bytes() as u64,
        });
        Ok(())
    }

    /// Writes a chunk of the finest level whose pixels are known and hands it up; goes on with its parent when it was the last child. `None` is
    /// a chunk of zeros.
    fn complete(&self, chunk: Index5, buffer: Option<Buffer>) -> Result<(), ComputeError> {
        let (mut level, mut chunk, mut buffer) = (0, chunk, buffer);
        loop {
            let writer = &self.writers[level];
            writer.write(self.job, self.ledger, chunk, buffer.as_ref())?;
            let Some(coarser) = self.writers.get(level + 1) else {
                self.add_to_windows(&writer.level, chunk, buffer.as_ref());
                return Ok(());
            };
            let parent = coarser.level.parent_of(chunk);
            let finished = coarser
                .node(parent)
                .absorb(&writer.level, chunk, buffer.as_ref(), &self.job.pool);
            match finished {
                None => return Ok(()),
                Some(result) => (level, chunk, buffer) = (level + 1, parent, result),
            }
        }
    }

    fn add_to_windows(&self, level: &Level, chunk: Index5, buffer: Option<&Buffer>) {
        let Some(buffer) = buffer else { return };
        let pixel = self.job.plan().data_type.size_bytes();
        let valid = level.valid(chunk).map(|size| size as usize);
        let size = level.chunk.map(|size| size as usize);
        for c in 0..valid[1] {
            let rows = (0..valid[0])
                .flat_map(|t| (0..valid[2]).map(move |z| (t, z)))
                .flat_map(|(t, z)| {
                    let plane = (t * size[1] + c) * size[2] + z;
                    (0..valid[Y]).map(move |y| {
                        let start = (plane * size[Y] + y) * size[X] * pixel;
                        &buffer.bytes()[start..start + valid[X] * pixel]
                    })
                });
            self.windows.add((chunk[1] as usize) * size[1] + c, rows);
        }
    }
}

/// Pixels of one channel of the coarsest level.
fn coarsest_channel(plan: &ImagePlan) -> u64 {
    let [t, _, z, y, x] = plan.coarsest().shape;
    t * z * y * x
}
