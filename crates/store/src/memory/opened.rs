//! Open files in memory.

use std::sync::Arc;
use std::time::SystemTime;

use super::MemoryStore;
use super::state::File;
use crate::error::Result;
use crate::handle::{Append, ReadAt};

/// The bytes that a file had when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) location: String,
}

impl ReadAt for Opened {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let bytes = rest.len().min(into.len());
        into[..bytes].copy_from_slice(&rest[..bytes]);
        Ok(bytes)
    }
}

/// A file that grows where it is.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) store: MemoryStore,
    pub(super) key: String,
    pub(super) number: u64,
}

impl Append for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let mut state = self.store.state();
        let is_it = |file: &File| file.number == self.number;
        if !state.files.get(&self.key).is_some_and(is_it) {
            // It was published with the folder it is in, or it is gone; then bytes go nowhere, as those of an open file do.
            let moved = state.files.iter().find(|(_, file)| is_it(file));
            self.key = moved.map_or_else(String::new, |(key, _)| key.clone());
        }
        if let Some(file) = state.files.get_mut(&self.key) {
            Arc::make_mut(&mut file.bytes).extend_from_slice(bytes);
            file.modified = SystemTime::now();
        }
        Ok(())
    }
}
