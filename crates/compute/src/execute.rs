//! Carries out a plan in one pass: each leaf is filled, encoded and halved while it is warm; the thread that completes the last
//! child of a coarse chunk goes on with that chunk. Nothing written is read back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};

use crate::buffer::{Buffer, BufferPool};
use crate::codec::ChunkCodec;
use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::ledger::Ledger;
use crate::node::Node;
use crate::plan::{ImagePlan, Index5, Leaf, Level, Means, X, Y, for_each_index};
use crate::progress::{Cancellation, Counters, Event, Progress};
use crate::shard::ShardWriter;
use crate::tiles::{Failure, Tiles};
use crate::window::{Window, Windows};

/// One level while it is written.
struct Writer {
    number: usize,
    level: Level,
    metadata: ArrayMetadata,
    codec: ChunkCodec,
    dir: PathBuf,
    shards: Option<ShardWriter>,
    files: AtomicU64,
    /// Unfinished chunks by their index in the grid; empty for level 0.
    nodes: Vec<Node>,
    grid: Index5,
}

/// An image while it is written.
pub(crate) struct Execution<'a> {
    plan: &'a ImagePlan,
    version: NgffVersion,
    tiles: &'a Tiles<'a>,
    ledger: &'a Ledger,
    /// Chunks of the coarsest level under which everything was finished by an earlier run.
    finished: Vec<bool>,
    writers: Vec<Writer>,
    windows: Windows,
    pool: BufferPool,
    counters: &'a Counters,
    progress: &'a dyn Progress,
    cancellation: &'a Cancellation,
}

/// What an execution wrote.
pub(crate) struct Written {
    /// Display windows, per channel.
    pub(crate) windows: Vec<Window>,
    /// Files of pixels, per level.
    pub(crate) files: Vec<u64>,
}

/// What an execution needs besides its plan.
pub(crate) struct Surroundings<'a> {
    pub(crate) version: NgffVersion,
    pub(crate) tiles: &'a Tiles<'a>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) counters: &'a Counters,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancellation: &'a Cancellation,
    /// Most bytes of buffers, in use or waiting.
    pub(crate) pool_bytes: u64,
}

impl<'a> Execution<'a> {
    /// Prepares to write the arrays described by `arrays` into folders of `image_dir`.
    pub(crate) fn new(
        plan: &'a ImagePlan,
        arrays: Vec<ArrayMetadata>,
        image_dir: &Path,
        with: Surroundings<'a>,
    ) -> Result<Self, ComputeError> {
        let mut writers: Vec<Writer> = Vec::with_capacity(arrays.len());
        for (level, metadata) in plan.levels.iter().zip(arrays) {
            let dir = image_dir.join(&level.name);
            let grid = level.grid();
            let nodes = match writers.last() {
                None => Vec::new(),
                Some(finer) => {
                    let mut nodes = Vec::with_capacity(grid.iter().product::<u64>() as usize);
                    for_each_index([0; 5], grid.map(|count| count - 1), |chunk| {
                        nodes.push(Node::new(&finer.level, level, chunk, plan.data_type));
                    });
                    nodes
                }
            };
            let codec = ChunkCodec::new(&metadata, with.version, &dir)?;
            let shards = level.shard.map(|shard| ShardWriter::new(level, shard));
            writers.push(Writer {
                number: writers.len(),
                level: level.clone(),
                metadata,
                codec,
                dir,
                shards,
                files: AtomicU64::new(with.ledger.files(writers.len())),
                nodes,
                grid,
            });
        }
        let channels = plan.levels[0].shape[1] as usize;
        Ok(Self {
            plan,
            version: with.version,
            tiles: with.tiles,
            ledger: with.ledger,
            finished: finished(plan, with.ledger),
            writers,
            windows: Windows::new(plan.data_type, channels, coarsest_channel(plan)),
            pool: BufferPool::within(with.pool_bytes),
            counters: with.counters,
            progress: with.progress,
            cancellation: with.cancellation,
        })
    }

    /// Writes every chunk that is not there yet on as many threads of the current pool as `means` says.
    pub(crate) fn run(self, means: Means) -> Result<Written, Failure> {
        self.read_finished_windows()?;
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let first_error: Mutex<Option<(usize, Failure)>> = Mutex::new(None);
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(leaf) = self.plan.leaves.get(number) else {
                    break;
                };
                let done = self.cancellation.check().map_err(Failure::from);
                let done = done.and_then(|()| self.leaf(leaf));
                if let Err(error) = done {
                    stop.store(true, Ordering::Relaxed);
                    let mut first = first_error.lock().unwrap_or_else(PoisonError::into_inner);
                    // Of several errors, the one of the first leaf, so that reruns tell the same.
                    if first.as_ref().is_none_or(|(held, _)| number < *held) {
                        *first = Some((number, error));
                    }
                }
            }
        };
        // A worker per thread and no more: a thread that waits for planes that others fill does not begin with another chunk. Threads
        // without a chunk of their own help to fill those of others.
        let workers = means.workers.min(self.plan.leaves.len());
        rayon::broadcast(|thread| {
            if thread.index() < workers {
                work();
            }
        });
        match first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(Written {
                files: self
                    .writers
                    .iter()
                    .map(|writer| writer.files.load(Ordering::Relaxed))
                    .collect(),
                windows: self.windows.finish(),
            }),
        }
    }

    fn leaf(&self, leaf: &Leaf) -> Result<(), Failure> {
        if self.is_finished(leaf.chunk) {
            self.tiles.pass(leaf.chunk, &leaf.placements, &self.pool);
        } else {
            let buffer = self.tiles.fill(leaf.chunk, &leaf.placements, &self.pool)?;
            self.complete(0, leaf.chunk, buffer)?;
        }
        let valid: u64 = self.plan.levels[0].valid(leaf.chunk).iter().product();
        self.progress.on(Event::ChunkDone {
            pixel_bytes: valid * self.plan.data_type.size_bytes() as u64,
        });
        Ok(())
    }

    /// Writes a chunk whose pixels are known and hands it up; goes on with its parent when it was the last child. `None` is a
    /// chunk of zeros.
    fn complete(&self, level: usize, chunk: Index5, buffer: Option<Buffer>) -> Result<(), ComputeError> {
        let (mut level, mut chunk, mut buffer) = (level, chunk, buffer);
        loop {
            let writer = &self.writers[level];
            self.write(writer, chunk, buffer.as_ref())?;
            let Some(coarser) = self.writers.get(level + 1) else {
                self.add_to_windows(&writer.level, chunk, buffer.as_ref());
                if let Some(buffer) = buffer {
                    self.pool.give(buffer);
                }
                return Ok(());
            };
            let parent = coarser.level.parent_of(chunk);
            let node = &coarser.nodes[flat_index(parent, coarser.grid)];
            let finished = node.absorb(&writer.level, chunk, buffer.as_ref(), &self.pool);
            if let Some(buffer) = buffer {
                self.pool.give(buffer);
            }
            match finished {
                None => return Ok(()),
                Some(result) => (level, chunk, buffer) = (level + 1, parent, result),
            }
        }
    }

    fn write(&self, writer: &Writer, chunk: Index5, buffer: Option<&Buffer>) -> Result<(), ComputeError> {
        // An earlier run finished this unit: its pixels are needed for coarser levels only.
        if self.ledger.done(writer.number, writer.level.unit_of(chunk)).is_some() {
            return Ok(());
        }
        let encoded = match buffer {
            Some(buffer) if !buffer.is_zero() => Some(writer.codec.encode(buffer.bytes())?),
            _ => None,
        };
        if encoded.is_some() {
            Counters::add(&self.counters.chunks_written, 1);
        }
        let (unit, parts) = match &writer.shards {
            // A chunk of zeros is the fill value: it is not written.
            None => (chunk, Vec::from_iter(encoded)),
            Some(shards) => match shards.add(chunk, encoded) {
                Some(complete) => complete,
                None => return Ok(()),
            },
        };
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        if !parts.is_empty() {
            let key = writer.metadata.chunk_key(self.version, &self.plan.own_axes(unit));
            write_file(&writer.dir.join(key), &parts)?;
            writer.files.fetch_add(1, Ordering::Relaxed);
            Counters::add(&self.counters.bytes_written, bytes);
            self.progress.on(Event::FileWritten { bytes });
        }
        self.ledger.note(writer.number, unit, bytes)
    }

    /// Whether an earlier run finished everything that a leaf ends in.
    fn is_finished(&self, leaf: Index5) -> bool {
        !self.finished.is_empty() && self.finished[root_of(self.plan, 0, leaf)]
    }

    /// Display windows need the coarsest level: what an earlier run finished of it is read again.
    fn read_finished_windows(&self) -> Result<(), ComputeError> {
        let Some(writer) = self.writers.last().filter(|_| self.finished.contains(&true)) else {
            return Ok(());
        };
        let broken = |finding: Finding| ComputeError::Io {
            action: "read again",
            path: finding.path,
            source: std::io::Error::other(finding.problem),
        };
        let disk = DiskLevel::open(&writer.dir).map_err(broken)?;
        let pixel = self.plan.data_type.size_bytes();
        let mut failed = Ok(());
        for_each_index([0; 5], writer.grid.map(|count| count - 1), |chunk| {
            if failed.is_err() || !self.finished[flat_index(chunk, writer.grid)] {
                return;
            }
            let valid = writer.level.valid(chunk);
            let start: Index5 = std::array::from_fn(|axis| chunk[axis] * writer.level.chunk[axis]);
            match disk.read_own(&self.plan.own_axes(start), &self.plan.own_axes(valid)) {
                Err(finding) => failed = Err(broken(finding)),
                Ok(pixels) => {
                    let row = (valid[2] * valid[Y] * valid[X]) as usize * pixel;
                    for (number, row) in pixels.chunks(row.max(1)).enumerate() {
                        let channel = start[1] + number as u64 % valid[1];
                        // Bytes read from disk need not be aligned for their pixels.
                        let mut aligned = self.pool.take(row.len());
                        aligned.bytes_mut().copy_from_slice(row);
                        self.windows.add(channel as usize, std::iter::once(aligned.bytes()));
                        self.pool.give(aligned);
                    }
                }
            }
        });
        failed
    }

    fn add_to_windows(&self, level: &Level, chunk: Index5, buffer: Option<&Buffer>) {
        let Some(buffer) = buffer else { return };
        let pixel = self.plan.data_type.size_bytes();
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
    let [t, _, z, y, x] = plan.levels[plan.levels.len() - 1].shape;
    t * z * y * x
}

/// Position in the grid of the coarsest level of the chunk that `chunk` of a level ends in.
fn root_of(plan: &ImagePlan, level: usize, chunk: Index5) -> usize {
    let coarser = plan.levels[level + 1..].iter();
    let root = coarser.fold(chunk, |chunk, level| level.parent_of(chunk));
    flat_index(root, plan.levels[plan.levels.len() - 1].grid())
}

/// For every chunk of the coarsest level whether the ledger has all units that end in it; empty when it has none at all.
fn finished(plan: &ImagePlan, ledger: &Ledger) -> Vec<bool> {
    if ledger.is_new() {
        return Vec::new();
    }
    let roots = plan.levels[plan.levels.len() - 1].grid().iter().product::<u64>() as usize;
    let mut finished = vec![true; roots];
    for (number, level) in plan.levels.iter().enumerate() {
        for_each_index([0; 5], level.grid().map(|count| count - 1), |chunk| {
            if ledger.done(number, level.unit_of(chunk)).is_none() {
                finished[root_of(plan, number, chunk)] = false;
            }
        });
    }
    finished
}

/// Position of an index in a grid in C order.
pub(crate) fn flat_index(index: Index5, grid: Index5) -> usize {
    (0..5).fold(0, |flat, axis| flat * grid[axis] as usize + index[axis] as usize)
}

/// Writes a new file, making its folder if that is not there yet.
fn write_file(path: &Path, parts: &[Vec<u8>]) -> Result<(), ComputeError> {
    use std::io::Write;
    let file = match std::fs::File::create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(ComputeError::io("create", folder))?;
            }
            std::fs::File::create(path)
        }
        other => other,
    };
    let mut file = file.map_err(ComputeError::io("create", path))?;
    let written = parts.iter().try_for_each(|part| file.write_all(part));
    written.map_err(ComputeError::io("write", path))
}
