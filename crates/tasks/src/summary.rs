//! What a whole conversion did, added up over its images and over the processes that made them.

use std::time::Duration;

use ome_zarr_convert_compute::{LeftOut, Outcome};

use crate::compute::Computed;

/// What a whole conversion did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Images written.
    pub written: usize,
    /// Images that were complete before.
    pub kept: usize,
    /// Tiles of the images written.
    pub tiles: usize,
    /// Bytes of the pixels of the finest levels of the images written.
    pub pixel_bytes: u64,
    /// Bytes of source files read.
    pub bytes_read: u64,
    /// Bytes of pixel files written.
    pub bytes_written: u64,
    /// Chunks and shards that an earlier, unfinished run had written.
    pub units_resumed: u64,
    /// Tiles that were left empty, and why.
    pub left_out: Vec<LeftOut>,
    /// Most memory that a process of its own took, where images were converted in such.
    pub peak_memory_bytes: Option<u64>,
    /// Wall time.
    pub duration: Duration,
}

impl Summary {
    /// What one compute task did.
    pub fn of(computed: &Computed) -> Self {
        match &computed.report {
            Some(report) if report.outcome == Outcome::Written => Self {
                written: 1,
                tiles: report.tiles,
                pixel_bytes: report.plan.pixel_bytes(),
                bytes_read: report.bytes_read,
                bytes_written: report.bytes_written,
                units_resumed: report.units_resumed,
                left_out: report.left_out.clone(),
                ..Self::default()
            },
            _ => Self {
                kept: 1,
                ..Self::default()
            },
        }
    }

    /// Adds what another part of the conversion did; parts may run at the same time, so their times are not added.
    pub(crate) fn add(&mut self, other: Self) {
        self.written += other.written;
        self.kept += other.kept;
        self.tiles += other.tiles;
        self.pixel_bytes += other.pixel_bytes;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        self.units_resumed += other.units_resumed;
        self.left_out.extend(other.left_out);
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let summary = Summary {
            written: 1,
            left_out: vec![LeftOut {
                tile: "t".into(),
                problem: "p".into(),
            }],
            peak_memory_bytes: Some(8),
            duration: Duration::from_millis(1500),
            ..Summary::default()
        };
        let mut sum = summary.clone();
        sum.add(Summary::default());
        assert_eq!(sum, summary);
        sum.add(summary);
        assert_eq!(
            (sum.written, sum.left_out.len(), sum.peak_memory_bytes),
            (2, 2, Some(8))
        );
    }
}
