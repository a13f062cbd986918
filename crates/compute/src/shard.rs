//! Shards as files: the encoded chunks of a shard in a fixed order, then the index (zarr `sharding_indexed`, index at the end).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::{Grid, Index5, flat_index};

use crate::plan::Level;

/// Puts the shards of one level together, whatever order their chunks come in.
pub(crate) struct ShardWriter {
    /// Shards over the chunks of the level.
    shards: Grid,
    open: Mutex<HashMap<Index5, OpenShard>>,
}

struct OpenShard {
    left: u64,
    encoded: Vec<Option<Vec<u8>>>,
}

impl ShardWriter {
    /// `None` for a level without shards.
    pub(crate) fn new(level: &Level) -> Option<Self> {
        Some(Self {
            shards: level.shards()?,
            open: Mutex::default(),
        })
    }

    /// Adds a chunk (`None`: all zeros, which a shard leaves out). After the shard's last chunk: its index and the parts of its file,
    /// none if all its chunks are zeros.
    pub(crate) fn add(&self, chunk: Index5, encoded: Option<Vec<u8>>) -> Option<(Index5, Vec<Vec<u8>>)> {
        let chunks = self.shards.cell;
        let shard: Index5 = std::array::from_fn(|axis| chunk[axis] / chunks[axis]);
        let inner: Index5 = std::array::from_fn(|axis| chunk[axis] % chunks[axis]);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let state = open.entry(shard).or_insert_with(|| OpenShard {
            left: self.shards.pixels_of(shard).pixels(),
            encoded: vec![None; chunks.iter().product::<u64>() as usize],
        });
        state.encoded[flat_index(inner, chunks)] = encoded;
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
