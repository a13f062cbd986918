//! What all parts of one conversion share: its plan and tiles, who listens, who can cancel it, and what it counts.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ome_zarr_convert_core::Region;
use ome_zarr_convert_sources::ImageLoader;

use crate::buffer::BufferPool;
use crate::error::ComputeError;
use crate::event::{Cancellation, Event, Progress, Silent};
use crate::image::PlannedImage;
use crate::plan::{Decoding, ImagePlan, Means};

/// Sources that may stay open unless another number is asked for: systems allow as few as 256 files.
pub(crate) const MOST_OPEN: usize = 128;

/// One image at work.
pub(crate) struct Job<'a> {
    pub(crate) image: &'a PlannedImage,
    pub(crate) loader: &'a dyn ImageLoader,
    pub(crate) resource: Option<&'a str>,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancellation: &'a Cancellation,
    /// Threads, memory, and how planes are decoded.
    pub(crate) means: Means,
    /// Sources that may stay open while no chunk reads them.
    pub(crate) most_open: usize,
    /// Placements that stay empty.
    pub(crate) left_out: BTreeSet<usize>,
    pub(crate) pool: BufferPool,
    pub(crate) counters: Counters,
}

impl<'a> Job<'a> {
    /// A job with ample memory that nobody listens to.
    pub(crate) fn silent(image: &'a PlannedImage, loader: &'a dyn ImageLoader, resource: Option<&'a str>) -> Self {
        static NEVER: LazyLock<Cancellation> = LazyLock::new(Cancellation::new);
        Self {
            image,
            loader,
            resource,
            progress: &Silent,
            cancellation: &NEVER,
            means: Means::ample(),
            most_open: MOST_OPEN,
            left_out: BTreeSet::new(),
            pool: BufferPool::default(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn plan(&self) -> &'a ImagePlan {
        self.image.plan()
    }

    /// The region that a placement puts into the array.
    pub(crate) fn region(&self, placement: usize) -> &'a Region {
        &self.image.tiled().regions[self.plan().placements[placement].region]
    }

    /// How messages name the tile of a placement.
    pub(crate) fn describe(&self, placement: usize) -> String {
        self.region(placement).describe()
    }

    /// Whether decoded planes wait in memory for other chunks.
    pub(crate) fn decodes_once(&self) -> bool {
        self.means.decoding == Decoding::Once
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        self.progress.on(event);
    }

    /// An error once cancellation was requested.
    pub(crate) fn check_cancelled(&self) -> Result<(), ComputeError> {
        self.cancellation.check()
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

    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
