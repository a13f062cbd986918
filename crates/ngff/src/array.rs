//! Metadata of one array, one level of an image, as a value.

mod info;

use ome_zarr_convert_geometry::PixelType;
use serde_json::{Value, json};

pub use info::ArrayInfo;
pub(crate) use info::{data_type, lengths, text};

use crate::codec::Codec;
use crate::error::{NgffError, Result};
use crate::version::ZarrFormat;

/// An array to be written: little-endian, C order, fill value 0, `/` between chunk indices.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayMetadata {
    /// Elements along each axis.
    pub shape: Vec<u64>,
    /// Elements of one chunk along each axis; of one inner chunk, if there are shards.
    pub chunks: Vec<u64>,
    /// Elements of one shard along each axis, whole multiples of `chunks`; Zarr 3 only.
    pub shards: Option<Vec<u64>>,
    /// Type of the elements.
    pub data_type: PixelType,
    /// Compressor of the chunks.
    pub codec: Codec,
    /// Names of the axes, which only Zarr 3 writes; may be empty.
    pub axes: Vec<String>,
}

impl ArrayMetadata {
    /// Elements of one write unit along each axis: of a shard, or of a chunk if there are no shards.
    pub fn unit_shape(&self) -> &[u64] {
        self.shards.as_ref().unwrap_or(&self.chunks)
    }

    /// Number of write units along each axis.
    pub fn grid_shape(&self) -> Vec<u64> {
        self.shape
            .iter()
            .zip(self.unit_shape())
            .map(|(size, unit)| size.div_ceil((*unit).max(1)))
            .collect()
    }

    /// Whether its parts fit each other and the format.
    pub(crate) fn check(&self, format: ZarrFormat) -> Result<()> {
        let inconsistent = |what: &str, found: &dyn std::fmt::Debug, expected: String| NgffError::Inconsistent {
            what: format!("{what} of the array with shape {:?}", self.shape),
            found: format!("{found:?}"),
            expected,
        };
        let count = self.shape.len();
        if self.chunks.len() != count || self.chunks.contains(&0) {
            return Err(inconsistent(
                "chunk shape",
                &self.chunks,
                format!("{count} numbers of at least 1"),
            ));
        }
        if !self.axes.is_empty() && self.axes.len() != count {
            return Err(inconsistent("axes", &self.axes, format!("{count} names")));
        }
        let Some(shards) = &self.shards else { return Ok(()) };
        if format == ZarrFormat::V2 {
            return Err(NgffError::ShardsIn04);
        }
        let whole = shards
            .iter()
            .zip(&self.chunks)
            .all(|(shard, chunk)| *shard > 0 && shard % chunk == 0);
        if shards.len() != count || !whole {
            return Err(inconsistent(
                "shard shape",
                shards,
                format!("whole multiples of the chunks {:?}", self.chunks),
            ));
        }
        Ok(())
    }
}

/// Zero as Zarr metadata writes it for a type: `false`, `0` or `0.0`.
pub(crate) fn fill_value(data_type: PixelType) -> Value {
    match data_type {
        PixelType::Bool => json!(false),
        PixelType::Float32 | PixelType::Float64 => json!(0.0),
        _ => json!(0),
    }
}
