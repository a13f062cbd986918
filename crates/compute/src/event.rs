//! What happens while images are converted, for a terminal, a log, a service, a test; and how a conversion is canceled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::ComputeError;

/// A stretch of work before the first pixel, or after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The acquisition is read: its table, file names, headers.
    Reading,
    /// Images are registered and planned.
    Planning,
    /// The header of every file is held against its tile.
    Checking,
    /// Plates, wells and condition tables are written.
    SettingUp,
    /// Images are converted.
    Converting,
}

impl Phase {
    /// All of them in their order.
    pub const ALL: [Self; 5] = [
        Self::Reading,
        Self::Planning,
        Self::Checking,
        Self::SettingUp,
        Self::Converting,
    ];

    /// `reading`, `planning`, `checking`, `setting_up` or `converting`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Planning => "planning",
            Self::Checking => "checking",
            Self::SettingUp => "setting_up",
            Self::Converting => "converting",
        }
    }
}

/// Something that happened. `image` is the path of an image below the output folder, such as `Plate.zarr/A/01/0`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A phase begins.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// The acquisition is read and its tiles are aggregated.
    AcquisitionRead {
        /// Number of images.
        images: usize,
        /// Number of tiles of all images.
        tiles: usize,
    },
    /// An image is planned. Comes for every image of a conversion before the first is converted.
    ImagePlanned {
        /// Path of the image.
        image: &'a str,
        /// Row of its well, if it has one.
        row: Option<&'a str>,
        /// Column of its well, if it has one.
        column: Option<u32>,
        /// Number of its tiles.
        tiles: usize,
        /// Bytes of the pixels of its finest level.
        pixel_bytes: u64,
    },
    /// The conversion of an image begins.
    ImageStarted {
        /// Path of the image.
        image: &'a str,
        /// Number of its tiles.
        tiles: usize,
        /// Bytes of the pixels of its finest level.
        pixel_bytes: u64,
    },
    /// Requested levels that could not get smaller are left out.
    LevelsLeftOut {
        /// Path of the image.
        image: &'a str,
        /// Levels written.
        written: usize,
        /// Levels requested.
        requested: usize,
    },
    /// Nothing is left to see of tiles of an image that others set up: where we set up, that is an error before.
    HiddenTiles {
        /// Path of the image.
        image: &'a str,
        /// Which tiles, what hides them and the likely cause.
        problem: &'a str,
    },
    /// A chunk of the finest level is filled with its tiles and encoded, now or by an earlier run.
    ChunkDone {
        /// Path of the image.
        image: &'a str,
        /// Bytes of its pixels inside the image.
        pixel_bytes: u64,
    },
    /// The last chunk that a tile lies in is filled: its file is not needed any more.
    TileRead {
        /// Path of the image.
        image: &'a str,
        /// Field of view of the tile.
        field_of_view: &'a str,
        /// Its file, where it is read from one.
        file: Option<&'a str>,
    },
    /// A file of pixels is written.
    FileWritten {
        /// Path of the image.
        image: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// A part of the input does not reach the output.
    LeftOut {
        /// Path of the image, where one is concerned.
        image: Option<&'a str>,
        /// The tile, plane, row or file.
        what: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// An image is complete and visible.
    ImageComplete {
        /// Path of the image.
        image: &'a str,
        /// Bytes of the pixels of its finest level.
        pixel_bytes: u64,
    },
    /// An image was complete before: this very conversion had finished it, or `Extend` keeps it.
    ImageKept {
        /// Path of the image.
        image: &'a str,
        /// Bytes of the pixels of its finest level.
        pixel_bytes: u64,
    },
    /// An image failed; others go on.
    ImageFailed {
        /// Path of the image.
        image: &'a str,
        /// What went wrong.
        error: &'a str,
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

/// Cancels a job from any thread: its conversions stop at their next plane, its waits within a tenth of a second. Clones belong to the
/// same job.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Not requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests cancellation.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once cancellation was requested.
    pub fn check(&self) -> Result<(), ComputeError> {
        if self.is_cancelled() {
            return Err(ComputeError::Cancelled);
        }
        Ok(())
    }

    /// Waits; an error as soon as cancellation is requested.
    pub fn sleep(&self, duration: Duration) -> Result<(), ComputeError> {
        const LOOK_EVERY: Duration = Duration::from_millis(25);
        let end = Instant::now() + duration;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }
}
