//! What a store hands out: open files and held locks.

use std::fmt::Debug;
use std::io;

use crate::error::{Result, StoreError};

/// A file that is open for reading. It stays readable as it was opened when another replaces or removes it, where the system can.
pub trait ReadAt: Debug + Send + Sync {
    /// Its size in bytes when it was opened.
    fn len(&self) -> u64;

    /// Whether it was empty when it was opened.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads from byte `offset` on until `into` is full or the file ends; gives the number of bytes read.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize>;

    /// The full path or URL, for messages.
    fn location(&self) -> &str;

    /// Fills `into` from byte `offset` on. A file that ends before is an error with [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        if self.read_at(offset, into)? == into.len() {
            return Ok(());
        }
        Err(StoreError::io("read", self.location())(
            io::ErrorKind::UnexpectedEof.into(),
        ))
    }
}

/// A file that grows. What was appended is there after a kill; a kill or a failure may tear the last piece.
pub trait Append: Debug + Send {
    /// Adds bytes at its end.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;
}

/// A lock that is held; dropping it lets go of it.
pub struct Lock {
    release: Option<Box<dyn FnOnce() + Send>>,
}

impl Lock {
    /// A lock that is let go of by `release`.
    pub fn new(release: impl FnOnce() + Send + 'static) -> Self {
        Self {
            release: Some(Box::new(release)),
        }
    }
}

impl Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}
