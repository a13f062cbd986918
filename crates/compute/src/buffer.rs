//! Chunk buffers that are used again: touching fresh memory costs more than encoding it.

use std::sync::{Mutex, PoisonError};

/// Bytes aligned for every pixel type.
#[derive(Debug)]
pub(crate) struct Buffer {
    words: Vec<u64>,
    len: usize,
}

impl Buffer {
    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }

    /// Whether every byte is 0. Stops at the first that is not.
    pub(crate) fn is_zero(&self) -> bool {
        let bytes = self.bytes();
        let (head, words, tail) = bytemuck::pod_align_to::<u8, u64>(bytes);
        head.iter().chain(tail).all(|byte| *byte == 0)
            && words
                .chunks(64)
                .all(|block| block.iter().fold(0, |all, word| all | word) == 0)
    }
}

/// Buffers that wait to be used again, whatever their size was.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    free: Mutex<Vec<Vec<u64>>>,
}

impl BufferPool {
    /// A buffer of `len` bytes with whatever content.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        let words = len.div_ceil(8);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough; a larger one than needed is kept for larger chunks.
        let best = (0..free.len())
            .filter(|index| free[*index].len() >= words && free[*index].len() <= words * 2)
            .min_by_key(|index| free[*index].len());
        let reused = best.map(|index| free.swap_remove(index));
        drop(free);
        Buffer {
            words: reused.unwrap_or_else(|| vec![0; words]),
            len,
        }
    }

    /// A buffer of `len` zeros.
    pub(crate) fn take_zeroed(&self, len: usize) -> Buffer {
        let mut buffer = self.take(len);
        buffer.bytes_mut().fill(0);
        buffer
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, buffer: Buffer) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer.words);
    }
}
