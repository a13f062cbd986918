//! How a conversion ended and what it did.

use crate::job::Counters;
use crate::plan::ImagePlan;

/// How a conversion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The image was written.
    Written,
    /// This very conversion (same document, options and files) had been finished before.
    AlreadyComplete,
    /// `Extend` found a complete image and left it alone.
    Kept,
}

/// What a conversion did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The plan of the image.
    pub plan: ImagePlan,
    /// Tiles of the image.
    pub tiles: usize,
    /// Bytes of the source files.
    pub bytes_read: u64,
    /// Bytes of chunk and shard files.
    pub bytes_written: u64,
    /// Chunks encoded and written; chunks of zeros are not.
    pub chunks_written: u64,
    /// Source files opened for their pixels.
    pub files_opened: u64,
    /// Planes decoded.
    pub planes_decoded: u64,
    /// Units (chunks or shards) that an earlier run had finished.
    pub units_resumed: u64,
    /// Tiles that were left empty, and why.
    pub left_out: Vec<LeftOut>,
}

/// A tile that was left empty because it, or another of its field of view, is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The tile: field of view and file.
    pub tile: String,
    /// What is wrong.
    pub problem: String,
}

impl Report {
    /// The report of an image of which nothing has been done yet.
    pub(crate) fn new(outcome: Outcome, plan: &ImagePlan) -> Self {
        Self {
            outcome,
            tiles: plan.placements.len(),
            plan: plan.clone(),
            bytes_read: 0,
            bytes_written: 0,
            chunks_written: 0,
            files_opened: 0,
            planes_decoded: 0,
            units_resumed: 0,
            left_out: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, counters: &Counters) {
        self.bytes_written += Counters::get(&counters.bytes_written);
        self.chunks_written += Counters::get(&counters.chunks_written);
        self.files_opened += Counters::get(&counters.files_opened);
        self.planes_decoded += Counters::get(&counters.planes_decoded);
    }
}
