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
#[derive(Debug)]
pub(crate) struct BufferPool {
    state: Mutex<Pool>,
    /// Most words in use and waiting: what waits is let go of before that is passed.
    most_words: usize,
}

#[derive(Debug, Default)]
struct Pool {
    free: Vec<Vec<u64>>,
    /// Words of the buffers that wait, and of those that are in use.
    free_words: usize,
    used_words: usize,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::within(u64::MAX)
    }
}

impl BufferPool {
    /// A pool that lets go of what waits rather than hold more than so many bytes.
    pub(crate) fn within(bytes: u64) -> Self {
        Self {
            state: Mutex::default(),
            most_words: match bytes {
                u64::MAX => usize::MAX,
                bytes => usize::try_from(bytes / 8).unwrap_or(usize::MAX),
            },
        }
    }

    /// A buffer of `len` bytes with whatever content.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        let words = len.div_ceil(8);
        let mut state = self.lock();
        // The smallest that is large enough and not much too large. Where memory is short not a byte too large: the plan did not
        // count on that.
        let spare = if self.most_words == usize::MAX { words / 4 } else { 0 };
        let suits = |index: &usize| (words..=words + spare).contains(&state.free[*index].len());
        let best = (0..state.free.len())
            .filter(suits)
            .min_by_key(|index| state.free[*index].len());
        let mut dropped = Vec::new();
        let reused = match best {
            Some(index) => {
                let reused = state.free.swap_remove(index);
                state.free_words -= reused.len();
                Some(reused)
            }
            None => {
                while state.used_words + state.free_words + words > self.most_words
                    && let Some(oldest) = (!state.free.is_empty()).then(|| state.free.remove(0))
                {
                    state.free_words -= oldest.len();
                    dropped.push(oldest);
                }
                None
            }
        };
        state.used_words += reused.as_ref().map_or(words, Vec::len);
        debug_assert!(
            state.used_words <= self.most_words,
            "{} words are in use, the plan said at most {}",
            state.used_words,
            self.most_words
        );
        drop(state);
        // Given back to the system outside the lock, and before as much is asked for.
        drop(dropped);
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
        let mut state = self.lock();
        state.used_words = state.used_words.saturating_sub(buffer.words.len());
        state.free_words += buffer.words.len();
        state.free.push(buffer.words);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_never_hold_more_than_allowed() {
        let pool = BufferPool::within(1000);
        let (a, b) = (pool.take(400), pool.take(400));
        pool.give(a);
        let again = pool.take(399);
        assert_eq!(again.bytes().len(), 399);
        assert_eq!(pool.lock().free_words, 0);
        pool.give(again);
        pool.give(b);
        // 800 bytes wait; 300 fit none of them and the rest only without one of them.
        let other = pool.take(300);
        let held = {
            let state = pool.lock();
            (state.free.len(), state.used_words)
        };
        assert_eq!(held, (1, 38));
        pool.give(other);
        let zeroed = pool.take_zeroed(300);
        assert!(zeroed.is_zero());
    }
}
