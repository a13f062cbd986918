//! Groups and arrays of both formats, our own and those of others.

use std::sync::Arc;

use ome_zarr_convert_store::MemoryStore;
use serde_json::json;

use super::*;

fn place() -> Location {
    Location::new(Arc::new(MemoryStore::new()), "P.zarr/0")
}

#[test]
fn foreign_and_broken_arrays() {
    let dir = "P.zarr/0";
    let big_endian = json!({"shape": [4, 4], "chunks": [2, 2], "dtype": ">u2", "compressor": {"id": "zlib"}});
    let info = v2::read_array(&dir, &big_endian).unwrap();
    assert_eq!((info.first_key.as_str(), info.compressor.as_str()), ("0.0", "zlib"));
    let text = json!({"shape": [4], "chunks": [2], "dtype": "|S7", "compressor": null});
    assert_eq!(
        v2::read_array(&dir, &text).unwrap_err().to_string(),
        "P.zarr/0: `/dtype` should be a boolean, integer or float type of 1 to 8 bytes, found \"|S7\""
    );
    let group = json!({"node_type": "group", "zarr_format": 3});
    assert_eq!(
        v3::read_array(&dir, &group).unwrap_err().to_string(),
        "P.zarr/0: `node_type` should be \"array\", found \"group\""
    );
}

#[test]
fn groups_are_written_read_and_changed() {
    for format in ZarrFormat::ALL {
        let dir = place();
        let error = read_group(&dir).unwrap_err().to_string();
        assert_eq!(
            error,
            "memory:///P.zarr/0 is not a Zarr group: it has neither .zgroup nor zarr.json"
        );
        let attributes = |value: u8| [("a".to_owned(), json!(value))].into_iter().collect::<Map<_, _>>();
        format.create_group(&dir, &attributes(1)).unwrap();
        assert_eq!(read_group(&dir).unwrap(), (attributes(1), format));
        let error = format.create_group(&dir, &attributes(2)).unwrap_err();
        assert!(
            matches!(&error, NgffError::Store(error) if error.is_already_exists()),
            "{error}"
        );
        dir.child(".zmetadata").write_whole(&[b"{}"]).unwrap();
        format.replace_attributes(&dir, &attributes(3)).unwrap();
        assert_eq!(read_group(&dir).unwrap(), (attributes(3), format));
        assert_eq!(dir.child(".zmetadata").exists().unwrap(), format == ZarrFormat::V3);
        assert!(!is_array(&dir).unwrap());
    }
}

#[test]
fn what_the_document_of_a_group_says_besides_is_kept() {
    let dir = place();
    let document = json!({
        "zarr_format": 3, "node_type": "group", "consolidated_metadata": {"metadata": {}}, "extra": 1, "attributes": {"a": 1},
    });
    json::write(&dir.child("zarr.json"), &document).unwrap();
    ZarrFormat::V3.replace_attributes(&dir, &Map::new()).unwrap();
    assert_eq!(
        json::read(&dir.child("zarr.json")).unwrap().unwrap(),
        json!({"zarr_format": 3, "node_type": "group", "extra": 1, "attributes": {}})
    );
}

#[test]
fn a_folder_of_a_name_that_documents_have_is_nothing() {
    let dir = place();
    dir.join(".zarray/x").write_whole(&[b""]).unwrap();
    assert!(!is_array(&dir).unwrap());
    json::write(&dir.child("zarr.json"), &json!({"node_type": "array"})).unwrap();
    assert!(is_array(&dir).unwrap());
}
