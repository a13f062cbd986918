//! The documents of arrays as zarr-python writes them, and what is read back.

use std::sync::Arc;

use expect_test::expect;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_store::MemoryStore;

use super::*;
use crate::codec::Codec;

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
    expect!["shard shape of the array with shape [4, 40] is [4, 25], expected whole multiples of the chunks [2, 10]"]
        .assert_eq(&ragged.document(NgffVersion::V05).unwrap_err().to_string());
}

#[test]
fn keys_of_chunks() {
    assert_eq!(level().chunk_key(NgffVersion::V04, &[1, 0, 0, 12]), "1/0/0/12");
    assert_eq!(level().chunk_key(NgffVersion::V05, &[1, 0, 0, 12]), "c/1/0/0/12");
    assert_eq!(level().grid_shape(), [2, 1, 2, 2]);
}

#[test]
fn what_is_written_is_read() {
    let folder = Location::new(Arc::new(MemoryStore::new()), "P.zarr");
    let array = ArrayMetadata {
        shape: vec![3, 50],
        chunks: vec![1, 8],
        shards: Some(vec![1, 16]),
        data_type: PixelType::Float32,
        codec: Codec::Gzip { level: 6 },
        axes: vec!["y".to_owned(), "x".to_owned()],
    };
    let expected = ArrayInfo {
        shape: vec![3, 50],
        chunks: vec![1, 8],
        shards: Some(vec![1, 16]),
        data_type: PixelType::Float32,
        compressor: "gzip".to_owned(),
        axes: vec!["y".to_owned(), "x".to_owned()],
        first_key: "c/0/0".to_owned(),
    };
    let dir = folder.child("v3");
    array.write(&dir, NgffVersion::V05).unwrap();
    assert_eq!(ArrayInfo::read(&dir).unwrap(), (expected.clone(), ZarrFormat::V3));
    assert_eq!(expected.grid_shape(), array.grid_shape());

    let dir = folder.child("v2");
    let plain = ArrayMetadata {
        shards: None,
        codec: Codec::None,
        ..array
    };
    plain.write(&dir, NgffVersion::V04).unwrap();
    let expected = ArrayInfo {
        shards: None,
        compressor: "none".to_owned(),
        axes: Vec::new(),
        first_key: "0/0".to_owned(),
        ..expected
    };
    assert_eq!(ArrayInfo::read(&dir).unwrap(), (expected, ZarrFormat::V2));
}
