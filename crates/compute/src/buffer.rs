//! Chunk buffers that are used again: touching fresh memory costs more than encoding it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes aligned for every pixel type. A buffer that is dropped goes back to its pool, on every way out of a function.
#[derive(Debug)]
pub(crate) struct Buffer {
    words: Vec<u64>,
    len: usize,
    home: BufferPool,
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
        let (head, words, tail) = bytemuck::pod_align_to::<u8, u64>(self.bytes());
        head.iter().chain(tail).all(|byte| *byte == 0)
            && words
                .chunks(64)
                .all(|block| block.iter().fold(0, |all, word| all | word) == 0)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let words = std::mem::take(&mut self.words);
        let mut state = self.home.lock();
        state.used_words = state.used_words.saturating_sub(words.len());
        state.free_words += words.len();
        state.free.push(words);
    }
}

/// Buffers that wait to be used again, whatever their size was. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct BufferPool {
    state: Arc<Mutex<Pool>>,
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
            state: Arc::default(),
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
        let reused = state.take_fitting(words, self.spare(words));
        let dropped = match reused {
            Some(_) => Vec::new(),
            None => state.make_room(words, self.most_words),
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
            home: self.clone(),
        }
    }

    /// A buffer of `len` zeros.
    pub(crate) fn take_zeroed(&self, len: usize) -> Buffer {
        let mut buffer = self.take(len);
        buffer.bytes_mut().fill(0);
        buffer
    }

    /// A copy of bytes, aligned for every pixel type.
    pub(crate) fn copy_of(&self, bytes: &[u8]) -> Buffer {
        let mut buffer = self.take(bytes.len());
        buffer.bytes_mut().copy_from_slice(bytes);
        buffer
    }

    /// How much larger than asked for a buffer may be. Where memory is short not a byte: the plan did not count on that.
    fn spare(&self, words: usize) -> usize {
        if self.most_words == usize::MAX { words / 4 } else { 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// The smallest buffer that is large enough and not much too large.
    fn take_fitting(&mut self, words: usize, spare: usize) -> Option<Vec<u64>> {
        let suits = |index: &usize| (words..=words + spare).contains(&self.free[*index].len());
        let best = (0..self.free.len())
            .filter(suits)
            .min_by_key(|index| self.free[*index].len())?;
        let reused = self.free.swap_remove(best);
        self.free_words -= reused.len();
        Some(reused)
    }

    /// Takes out the oldest buffers that wait until so many words more fit.
    fn make_room(&mut self, words: usize, most_words: usize) -> Vec<Vec<u64>> {
        let mut dropped = Vec::new();
        while self.used_words + self.free_words + words > most_words && !self.free.is_empty() {
            let oldest = self.free.remove(0);
            self.free_words -= oldest.len();
            dropped.push(oldest);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_never_hold_more_than_allowed() {
        let pool = BufferPool::within(1000);
        let (a, b) = (pool.take(400), pool.take(400));
        drop(a);
        let again = pool.take(399);
        assert_eq!(again.bytes().len(), 399);
        assert_eq!(pool.lock().free_words, 0);
        drop((again, b));
        // 800 bytes wait; 300 fit none of them and the rest only without one of them.
        let other = pool.take(300);
        let held = {
            let state = pool.lock();
            (state.free.len(), state.used_words)
        };
        assert_eq!(held, (1, 38));
        drop(other);
        let zeroed = pool.take_zeroed(300);
        assert!(zeroed.is_zero());
    }

    #[test]
    fn a_buffer_goes_back_on_an_error_too() {
        let pool = BufferPool::within(1000);
        let fails = || -> Result<(), ()> {
            let _buffer = pool.take(800);
            Err(())
        };
        assert!(fails().is_err());
        assert_eq!(pool.lock().used_words, 0);
    }
}
