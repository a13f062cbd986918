//! Shards as files: the encoded chunks of a shard in a fixed order, then the index (zarr `sharding_indexed`, index at the end).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::execute::flat_index;
use crate::plan::{Index5, Level};

/// Puts the shards of one level together, whatever order their chunks come in.
pub(crate) struct ShardWriter {
    /// Chunks per shard, chunks of the level, along each axis.
    chunks: Index5,
    grid: Index5,
    open: Mutex<HashMap<Index5, OpenShard>>,
}

struct OpenShard {
    left: u64,
    encoded: Vec<Option<Vec<u8>>>,
}

impl ShardWriter {
    pub(crate) fn new(level: &Level, shard: Index5) -> Self {
        let chunks = std::array::from_fn(|axis| shard[axis] / level.chunk[axis]);
        Self {
            chunks,
            grid: level.grid(),
            open: Mutex::default(),
        }
    }

    /// Adds a chunk (`None`: all zeros, which a shard leaves out). After the shard's last chunk: its index and the parts of its file,
    /// none if all its chunks are zeros.
    pub(crate) fn add(&self, chunk: Index5, encoded: Option<Vec<u8>>) -> Option<(Index5, Vec<Vec<u8>>)> {
        let shard: Index5 = std::array::from_fn(|axis| chunk[axis] / self.chunks[axis]);
        let inner: Index5 = std::array::from_fn(|axis| chunk[axis] % self.chunks[axis]);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let state = open.entry(shard).or_insert_with(|| OpenShard {
            left: (0..5)
                .map(|axis| (self.grid[axis] - shard[axis] * self.chunks[axis]).min(self.chunks[axis]))
                .product(),
            encoded: vec![None; self.chunks.iter().product::<u64>() as usize],
        });
        state.encoded[flat_index(inner, self.chunks)] = encoded;
        state.left -= 1;
        if state.left > 0 {
            return None;
        }
        let complete = open.remove(&shard)?;
        drop(open);
        Some((shard, parts(complete.encoded)))
    }
}

/// The chunks that are not all zeros, then the index of all.
fn parts(encoded: Vec<Option<Vec<u8>>>) -> Vec<Vec<u8>> {
    let mut index = Vec::with_capacity(16 * encoded.len() + 4);
    let mut end = 0;
    for chunk in &encoded {
        let (offset, size) = match chunk {
            Some(bytes) => (end, bytes.len() as u64),
            None => (u64::MAX, u64::MAX),
        };
        end += chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        index.extend(offset.to_le_bytes());
        index.extend(size.to_le_bytes());
    }
    index.extend(crc32c::crc32c(&index).to_le_bytes());
    let mut parts: Vec<Vec<u8>> = encoded.into_iter().flatten().collect();
    if !parts.is_empty() {
        parts.push(index);
    }
    parts
}
