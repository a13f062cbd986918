//! What a whole conversion did, added up over its images and over the processes that made them.

use std::time::Duration;

use ome_zarr_convert_compute::{LeftOut, Outcome};
use serde_json::{Value, json};

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
    pub units_kept: u64,
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
                units_kept: report.units_kept,
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
        self.units_kept += other.units_kept;
        self.left_out.extend(other.left_out);
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
    }

    /// The summary as a document.
    pub fn to_json(&self) -> Value {
        let left_out = self.left_out.iter();
        let left_out = left_out.map(|out| json!({"tile": out.tile, "problem": out.problem}));
        json!({
            "images_written": self.written,
            "images_kept": self.kept,
            "tiles": self.tiles,
            "pixel_bytes": self.pixel_bytes,
            "bytes_read": self.bytes_read,
            "bytes_written": self.bytes_written,
            "units_kept": self.units_kept,
            "seconds": self.duration.as_secs_f64(),
            "tiles_left_out": left_out.collect::<Vec<_>>(),
            "peak_memory_bytes": self.peak_memory_bytes,
        })
    }

    /// The summary that another process of this program wrote; what it does not say is none.
    pub(crate) fn from_json(document: &Value) -> Self {
        let number = |key: &str| document[key].as_u64().unwrap_or(0);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let left_out = document["tiles_left_out"].as_array().into_iter().flatten();
        Self {
            written: number("images_written") as usize,
            kept: number("images_kept") as usize,
            tiles: number("tiles") as usize,
            pixel_bytes: number("pixel_bytes"),
            bytes_read: number("bytes_read"),
            bytes_written: number("bytes_written"),
            units_kept: number("units_kept"),
            left_out: left_out
                .map(|out| LeftOut {
                    tile: text(&out["tile"]),
                    problem: text(&out["problem"]),
                })
                .collect(),
            peak_memory_bytes: document["peak_memory_bytes"].as_u64(),
            duration: Duration::try_from_secs_f64(document["seconds"].as_f64().unwrap_or(0.0)).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_writes_is_read_as_it_was() {
        let summary = Summary {
            written: 1,
            kept: 2,
            tiles: 3,
            pixel_bytes: 4,
            bytes_read: 5,
            bytes_written: 6,
            units_kept: 7,
            left_out: vec![LeftOut {
                tile: "t".into(),
                problem: "p".into(),
            }],
            peak_memory_bytes: Some(8),
            duration: Duration::from_millis(1500),
        };
        assert_eq!(Summary::from_json(&summary.to_json()), summary);
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
