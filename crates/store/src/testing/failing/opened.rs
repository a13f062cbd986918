//! Open files whose calls are counted, too.

use super::{Call, FailingStore, first_half};
use crate::error::Result;
use crate::handle::{Append, ReadAt};

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) store: FailingStore,
    pub(super) key: String,
    pub(super) file: Box<dyn ReadAt>,
}

impl ReadAt for Opened {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn location(&self) -> &str {
        self.file.location()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        self.store
            .call(Call::ReadAt, &self.key, || self.file.read_at(offset, into))
    }
}

#[derive(Debug)]
pub(super) struct Growing {
    pub(super) store: FailingStore,
    pub(super) key: String,
    pub(super) file: Box<dyn Append>,
}

impl Append for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let Self { store, key, file } = self;
        // One of the two closures runs.
        let file = std::cell::RefCell::new(file);
        store.torn(
            Call::Append,
            key,
            || file.borrow_mut().append(bytes),
            || file.borrow_mut().append(&first_half(&[bytes])),
        )
    }
}
