//! What happens while images are converted, told to whoever wants to know: a terminal, a log, a test.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::ComputeError;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An image has been planned and its conversion begins.
    Planned {
        /// Path of the image.
        image: &'a str,
        /// Number of its tiles.
        tiles: usize,
        /// Bytes of the pixels of its finest level.
        pixel_bytes: u64,
    },
    /// Levels asked for that would not shrink any more are left out.
    LevelsLeftOut {
        /// Path of the image.
        image: &'a str,
        /// Levels written.
        written: usize,
        /// Levels asked for.
        asked: usize,
    },
    /// A chunk of the finest level is filled with its tiles and encoded.
    ChunkDone {
        /// Bytes of its pixels inside the image.
        pixel_bytes: u64,
    },
    /// The last chunk that a tile lies in is filled: its file is not needed any more.
    TileRead {
        /// Field of view of the tile.
        field_of_view: &'a str,
        /// Its file, where it is read from one.
        file: Option<&'a str>,
    },
    /// A file of pixels is written.
    FileWritten {
        /// Its size.
        bytes: u64,
    },
    /// An image is complete and visible.
    ImageComplete {
        /// Where it is.
        path: &'a Path,
    },
    /// This very conversion had been finished before, or `Extend` keeps a complete image; nothing was done.
    AlreadyComplete {
        /// Where it is.
        path: &'a Path,
    },
}

/// Listens to events, from any thread.
pub trait Progress: Send + Sync {
    /// Called for every event; must be quick.
    fn on(&self, event: Event<'_>);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn on(&self, _: Event<'_>) {}
}

/// Asks running conversions to stop, from any thread: each stops at its next plane.
#[derive(Debug, Default)]
pub struct Cancellation(AtomicBool);

impl Cancellation {
    /// Not cancelled.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// An error once somebody asked to stop.
    pub(crate) fn check(&self) -> Result<(), ComputeError> {
        match self.is_cancelled() {
            true => Err(ComputeError::Cancelled),
            false => Ok(()),
        }
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one conversion did, counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) files_opened: AtomicU64,
    pub(crate) planes_decoded: AtomicU64,
    pub(crate) chunks_written: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}
