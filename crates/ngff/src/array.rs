//! Metadata of one array, one level of an image: its `.zarray` or `zarr.json`, and where its chunks go.

mod info;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

pub use info::ArrayInfo;

use crate::codec::Codec;
use crate::error::{NgffError, Result};
use crate::store;
use crate::version::NgffVersion;
use ome_zarr_convert_geometry::PixelType;

/// An array to be written: little-endian, C order, fill value 0, `/` between chunk indices.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayMetadata {
    /// Elements along each axis.
    pub shape: Vec<u64>,
    /// Elements of one chunk along each axis; of one inner chunk, if there are shards.
    pub chunks: Vec<u64>,
    /// Elements of one shard along each axis, whole multiples of `chunks`; 0.5 only.
    pub shards: Option<Vec<u64>>,
    /// Type of the elements.
    pub data_type: PixelType,
    /// Compressor of the chunks.
    pub codec: Codec,
    /// Names of the axes, which only 0.5 writes; may be empty.
    pub axes: Vec<String>,
}

impl ArrayMetadata {
    /// The content of `.zarray` (0.4) or `zarr.json` (0.5), as zarr-python writes it. It can be handed to zarrs for the
    /// codec chain.
    ///
    /// # Errors
    /// [`NgffError::ShardsIn04`], and [`NgffError::Inconsistent`] if the numbers of axes differ, a chunk is empty or a
    /// shard is not made of whole chunks.
    pub fn document(&self, version: NgffVersion) -> Result<Value, NgffError> {
        self.check(version)?;
        Ok(match version {
            NgffVersion::V04 => json!({
                "shape": self.shape,
                "chunks": self.chunks,
                "dtype": self.data_type.type_string(),
                "fill_value": fill_value(self.data_type),
                "order": "C",
                "filters": null,
                "dimension_separator": "/",
                "compressor": self.codec.zarr2(),
                "zarr_format": 2,
            }),
            NgffVersion::V05 => self.zarr3_document(),
        })
    }

    fn zarr3_document(&self) -> Value {
        let size = self.data_type.size_bytes();
        let bytes = match size {
            1 => json!({"name": "bytes"}),
            _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        };
        let chunk_codecs: Vec<Value> = [bytes].into_iter().chain(self.codec.zarr3(size)).collect();
        let codecs = match &self.shards {
            None => chunk_codecs,
            Some(_) => vec![json!({"name": "sharding_indexed", "configuration": {
                "chunk_shape": self.chunks,
                "codecs": chunk_codecs,
                "index_codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}},
                    {"name": "crc32c"},
                ],
                "index_location": "end",
            }})],
        };
        let mut document = json!({
            "shape": self.shape,
            "data_type": self.data_type.name(),
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": self.unit_shape()}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill_value(self.data_type),
            "codecs": codecs,
            "attributes": {},
            "dimension_names": self.axes,
            "zarr_format": 3,
            "node_type": "array",
            "storage_transformers": [],
        });
        if let Some(fields) = document.as_object_mut().filter(|_| self.axes.is_empty()) {
            fields.shift_remove("dimension_names");
        }
        document
    }

    /// Writes the array's metadata into the folder `dir`, for 0.4 with empty `.zattrs`.
    pub fn write(&self, dir: &Path, version: NgffVersion) -> Result<(), NgffError> {
        self.write_with_attributes(dir, version, Map::new())
    }

    /// Writes the array's metadata with attributes.
    pub(crate) fn write_with_attributes(
        &self,
        dir: &Path,
        version: NgffVersion,
        attributes: Map<String, Value>,
    ) -> Result<()> {
        write_document(dir, version, self.document(version)?, attributes)
    }

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

    /// File of a write unit, relative to the array's folder: `0/1/2` (0.4) or `c/0/1/2` (0.5).
    ///
    /// `index` counts write units ([`Self::unit_shape`]) along each axis.
    pub fn chunk_key(&self, version: NgffVersion, index: &[u64]) -> String {
        let mut key = match version {
            NgffVersion::V04 => String::new(),
            NgffVersion::V05 => "c".to_owned(),
        };
        for position in index {
            let separator = if key.is_empty() { "" } else { "/" };
            // Writing to a String cannot fail.
            let _ = write!(key, "{separator}{position}");
        }
        key
    }

    fn check(&self, version: NgffVersion) -> Result<()> {
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
        if version == NgffVersion::V04 {
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
fn fill_value(data_type: PixelType) -> Value {
    match data_type {
        PixelType::Bool => json!(false),
        PixelType::Float32 | PixelType::Float64 => json!(0.0),
        _ => json!(0),
    }
}

/// Writes an array's document with attributes: beside it in 0.4, inside it in 0.5.
pub(crate) fn write_document(
    dir: &Path,
    version: NgffVersion,
    mut document: Value,
    attributes: Map<String, Value>,
) -> Result<()> {
    match version {
        NgffVersion::V04 => {
            store::write_json(&dir.join(".zattrs"), &Value::Object(attributes))?;
            store::write_json(&dir.join(".zarray"), &document)
        }
        NgffVersion::V05 => {
            document["attributes"] = Value::Object(attributes);
            store::write_json(&dir.join("zarr.json"), &document)
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn level() -> ArrayMetadata {
        ArrayMetadata {
            shape: vec![2, 2, 256, 320],
            chunks: vec![1, 2, 128, 160],
            shards: None,
            data_type: PixelType::UInt16,
            codec: Codec::default(),
            axes: ["c", "z", "y", "x"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn zarr_2_document_is_the_one_of_the_reference() {
        expect![[r#"
            {"shape":[2,2,256,320],"chunks":[1,2,128,160],"dtype":"<u2","fill_value":0,"order":"C","filters":null,"dimension_separator":"/","compressor":{"id":"blosc","cname":"lz4","clevel":5,"shuffle":1,"blocksize":0},"zarr_format":2}"#]]
        .assert_eq(&level().document(NgffVersion::V04).unwrap().to_string());
    }

    #[test]
    fn zarr_3_document_is_the_one_of_the_reference() {
        let zstd = ArrayMetadata {
            codec: Codec::Zstd { level: 0 },
            ..level()
        };
        expect![[r#"
            {"shape":[2,2,256,320],"data_type":"uint16","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[1,2,128,160]}},"chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":0,"codecs":[{"name":"bytes","configuration":{"endian":"little"}},{"name":"zstd","configuration":{"level":0,"checksum":false}}],"attributes":{},"dimension_names":["c","z","y","x"],"zarr_format":3,"node_type":"array","storage_transformers":[]}"#]]
        .assert_eq(&zstd.document(NgffVersion::V05).unwrap().to_string());
    }

    #[test]
    fn sharded_bytes_as_zarr_python_writes_them() {
        let sharded = ArrayMetadata {
            shape: vec![4, 40],
            chunks: vec![2, 10],
            shards: Some(vec![4, 20]),
            data_type: PixelType::UInt8,
            codec: Codec::default(),
            axes: vec!["y".to_owned(), "x".to_owned()],
        };
        expect![[r#"
            {"shape":[4,40],"data_type":"uint8","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[4,20]}},"chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":0,"codecs":[{"name":"sharding_indexed","configuration":{"chunk_shape":[2,10],"codecs":[{"name":"bytes"},{"name":"blosc","configuration":{"typesize":1,"cname":"lz4","clevel":5,"shuffle":"shuffle","blocksize":0}}],"index_codecs":[{"name":"bytes","configuration":{"endian":"little"}},{"name":"crc32c"}],"index_location":"end"}}],"attributes":{},"dimension_names":["y","x"],"zarr_format":3,"node_type":"array","storage_transformers":[]}"#]]
        .assert_eq(&sharded.document(NgffVersion::V05).unwrap().to_string());
        assert_eq!(sharded.grid_shape(), [1, 2]);
        assert_eq!(sharded.chunk_key(NgffVersion::V05, &[0, 1]), "c/0/1");
        assert!(matches!(sharded.document(NgffVersion::V04), Err(NgffError::ShardsIn04)));
        let ragged = ArrayMetadata {
            shards: Some(vec![4, 25]),
            ..sharded
        };
        expect![
            "shard shape of the array with shape [4, 40] is [4, 25], expected whole multiples of the chunks [2, 10]"
        ]
        .assert_eq(&ragged.document(NgffVersion::V05).unwrap_err().to_string());
    }

    #[test]
    fn keys_of_chunks() {
        assert_eq!(level().chunk_key(NgffVersion::V04, &[1, 0, 0, 12]), "1/0/0/12");
        assert_eq!(level().chunk_key(NgffVersion::V05, &[1, 0, 0, 12]), "c/1/0/0/12");
        assert_eq!(level().grid_shape(), [2, 1, 2, 2]);
    }
}
