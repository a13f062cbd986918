//! Encodes chunks through the codec chain that the array's metadata declares.

use std::sync::Arc;

use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion, ZarrFormat};
use zarrs::array::{Array, ArrayBytes, ArrayMetadata as ZarrsMetadata, ArrayToBytesCodecTraits, CodecOptions};
use zarrs::metadata::v2::ArrayMetadataV2;
use zarrs::metadata::v3::ArrayMetadataV3;
use zarrs::storage::store::MemoryStore;

use crate::error::ComputeError;

/// The codec chain of one level's chunks (of the chunks inside its shards, where there are shards).
pub(crate) struct ChunkCodec {
    array: Array<MemoryStore>,
    chunk_shape: Vec<std::num::NonZeroU64>,
    options: CodecOptions,
    name: String,
}

impl ChunkCodec {
    pub(crate) fn new(
        metadata: &ArrayMetadata,
        version: NgffVersion,
        array: &dyn std::fmt::Display,
    ) -> Result<Self, ComputeError> {
        let name = array.to_string();
        let failed = |problem: String| ComputeError::Codec {
            array: name.clone(),
            problem,
        };
        let unsharded = ArrayMetadata {
            shards: None,
            ..metadata.clone()
        };
        let document = unsharded.document(version)?;
        let parsed = match version.zarr_format() {
            ZarrFormat::V2 => serde_json::from_value::<ArrayMetadataV2>(document).map(ZarrsMetadata::V2),
            ZarrFormat::V3 => serde_json::from_value::<ArrayMetadataV3>(document).map(ZarrsMetadata::V3),
        };
        let parsed = parsed.map_err(|error| failed(error.to_string()))?;
        let array = Array::new_with_metadata(Arc::new(MemoryStore::new()), "/", parsed);
        let array = array.map_err(|error| failed(error.to_string()))?;
        let chunk_shape = unsharded.chunks.iter().map(|size| std::num::NonZeroU64::new(*size));
        let chunk_shape = chunk_shape
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| failed("an empty chunk".into()))?;
        // One chunk per thread: a wait inside the codec could start another chunk on the same thread.
        let options = CodecOptions::default().with_concurrent_target(1);
        Ok(Self {
            array,
            chunk_shape,
            options,
            name,
        })
    }

    /// The encoded form of a chunk given as native-endian pixels in C order.
    pub(crate) fn encode(&self, pixels: &[u8]) -> Result<Vec<u8>, ComputeError> {
        let encoded = self.array.codecs().encode(
            ArrayBytes::new_flen(pixels),
            &self.chunk_shape,
            self.array.data_type(),
            self.array.fill_value(),
            &self.options,
        );
        let encoded = encoded.map_err(|error| ComputeError::Codec {
            array: self.name.clone(),
            problem: error.to_string(),
        })?;
        Ok(encoded.into_owned())
    }
}
