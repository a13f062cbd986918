//! One level while it is written: encodes chunks, puts shards together, and writes each as soon as it is complete.

use std::sync::atomic::{AtomicU64, Ordering};

use ome_zarr_convert_geometry::{Grid, Index5};
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_store::Location;

use super::Arrays;
use crate::buffer::Buffer;
use crate::codec::ChunkCodec;
use crate::error::ComputeError;
use crate::event::Event;
use crate::job::{Counters, Job};
use crate::ledger::Ledger;
use crate::node::Node;
use crate::plan::{ImagePlan, Level};
use crate::shard::ShardWriter;

/// Writes one level.
pub(super) struct LevelWriter {
    number: usize,
    pub(super) level: Level,
    pub(super) dir: Location,
    version: NgffVersion,
    metadata: ArrayMetadata,
    codec: ChunkCodec,
    shards: Option<ShardWriter>,
    files: AtomicU64,
    /// Unfinished chunks in C order of the grid; empty for the finest level.
    nodes: Vec<Node>,
    chunks: Grid,
}

impl LevelWriter {
    pub(super) fn new(
        plan: &ImagePlan,
        number: usize,
        arrays: &Arrays<'_>,
        ledger: &Ledger,
    ) -> Result<Self, ComputeError> {
        let level = plan.levels[number].clone();
        let dir = arrays.dir.child(&level.name);
        let metadata = arrays.metadata[number].clone();
        let chunks = level.chunks();
        let mut nodes = Vec::new();
        if let Some(finer) = number.checked_sub(1).map(|finer| &plan.levels[finer]) {
            nodes.reserve(chunks.len() as usize);
            chunks.each_cell(|chunk| nodes.push(Node::new(finer, &level, chunk, plan.data_type)));
        }
        Ok(Self {
            number,
            codec: ChunkCodec::new(&metadata, arrays.version, &dir)?,
            shards: ShardWriter::new(&level),
            files: AtomicU64::new(ledger.files(number)),
            version: arrays.version,
            metadata,
            nodes,
            chunks,
            level,
            dir,
        })
    }

    /// Files of pixels of the level, those of an earlier run included.
    pub(super) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// The node of a chunk; not of the finest level, which has none.
    pub(super) fn node(&self, chunk: Index5) -> &Node {
        &self.nodes[self.chunks.position(chunk)]
    }

    /// Encodes a chunk (`None`: all zeros) and writes the unit that it completes.
    pub(super) fn write(
        &self,
        job: &Job<'_>,
        ledger: &Ledger,
        chunk: Index5,
        buffer: Option<&Buffer>,
    ) -> Result<(), ComputeError> {
        // An earlier run finished this unit: its pixels are needed for coarser levels only.
        if ledger.done((self.number, self.level.unit_of(chunk))).is_some() {
            return Ok(());
        }
        let encoded = match buffer {
            Some(buffer) if !buffer.is_zero() => Some(self.codec.encode(buffer.bytes())?),
            _ => None,
        };
        Counters::add(&job.counters.chunks_written, u64::from(encoded.is_some()));
        let (unit, parts) = match &self.shards {
            // A chunk of zeros is the fill value: it is not written.
            None => (chunk, Vec::from_iter(encoded)),
            Some(shards) => match shards.add(chunk, encoded) {
                Some(complete) => complete,
                None => return Ok(()),
            },
        };
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        if !parts.is_empty() {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            self.place_of(job.plan(), unit).write(&parts)?;
            self.files.fetch_add(1, Ordering::Relaxed);
            Counters::add(&job.counters.bytes_written, bytes);
            job.tell(Event::FileWritten {
                image: job.image.path(),
                bytes,
            });
        }
        ledger.note((self.number, unit), bytes)
    }

    fn place_of(&self, plan: &ImagePlan, unit: Index5) -> Location {
        let key = self.metadata.chunk_key(self.version, &plan.own_axes(unit));
        self.dir.join(&key)
    }
}
