//! Reused buffers: touching fresh memory costs more than most decoding, so each thread keeps what it used last.

use std::cell::RefCell;

/// Buffers above this size are given back at once instead of being kept by the thread.
const KEEP_BYTES: usize = 64 << 20;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A byte buffer of exactly the length asked for, of unspecified content, returned to its thread when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// At least as long as asked for, and never shortened: growing again would fill it with zeros.
    buffer: Vec<u8>,
    length: usize,
}

impl Scratch {
    pub(crate) fn new(length: usize) -> Self {
        let mut buffer = FREE.with(|free| free.borrow_mut().pop()).unwrap_or_default();
        if buffer.len() < length {
            // Zeroed pages of the system, untouched until written: growing in place would copy the old content.
            buffer = vec![0; length];
        }
        Self { buffer, length }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.len() <= KEEP_BYTES {
            // At thread exit the list may be gone already.
            let _ = FREE.try_with(|free| {
                let mut free = free.borrow_mut();
                if free.len() < 3 {
                    free.push(buffer);
                }
            });
        }
    }
}

impl std::ops::Deref for Scratch {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl std::ops::DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.length]
    }
}
