//! Plates of other writers, whole and broken.

use std::sync::Arc;

use expect_test::expect;
use ome_zarr_convert_store::MemoryStore;
use serde_json::{Value, json};

use super::*;
use crate::array::ArrayMetadata;
use crate::codec::Codec;
use crate::group::write_group;
use crate::image::{AxisMetadata, ImageMetadata, Level};
use crate::version::NgffVersion;
use ome_zarr_convert_geometry::PixelType;

fn place() -> Location {
    Location::new(Arc::new(MemoryStore::new()), "P.zarr")
}

fn group(dir: &Location, version: NgffVersion, ome: Value) {
    let ome = ome.as_object().unwrap().clone();
    write_group(dir, version, &version.documents().attributes(ome)).unwrap();
}

fn image(dir: &Location, version: NgffVersion) {
    let image = ImageMetadata {
        axes: ["y", "x"].map(AxisMetadata::named).to_vec(),
        levels: vec![Level {
            path: "s0".to_owned(),
            scale: vec![0.5, 0.5],
        }],
        translation: None,
        channels: None,
    };
    image.write_group(dir, version).unwrap();
    let array = ArrayMetadata {
        shape: vec![30, 40],
        chunks: vec![30, 40],
        shards: None,
        data_type: PixelType::UInt8,
        codec: Codec::Gzip { level: 1 },
        axes: Vec::new(),
    };
    array.write(&dir.join("s0"), version).unwrap();
}

/// A plate as OMERO exports it: columns without zeros, wells in any order, a creator.
fn plate(dir: &Location, version: NgffVersion) {
    let well = |path: &str, row: u8| json!({"path": path, "rowIndex": row, "columnIndex": 0});
    let plate = json!({
        "rows": [{"name": "A"}, {"name": "B"}], "columns": [{"name": "7"}],
        "wells": [well("B/7", 1), well("A/7", 0)], "field_count": 1,
    });
    let creator = json!({"name": "omero-zarr", "version": "0.5.2"});
    group(dir, version, json!({"_creator": creator, "plate": plate}));
    for row in ["A", "B"] {
        write_group(&dir.join(row), version, &Default::default()).unwrap();
        let place = dir.join(row).join("7");
        group(&place, version, json!({"well": {"images": [{"path": "raw"}]}}));
        image(&place.join("raw"), version);
    }
}

fn look(dir: &Location) -> Inspection {
    inspect(dir, &|_| Ok(0)).unwrap().unwrap()
}

#[test]
fn plates_of_others_are_read() {
    for &version in NgffVersion::ALL {
        let folder = place();
        plate(&folder, version);
        let found = look(&folder);
        assert_eq!((found.problems.as_slice(), found.ngff_version), (&[][..], version));
        assert_eq!(found.writer.as_deref(), Some("omero-zarr 0.5.2"));
        let images: Vec<_> = found.images().into_iter().map(|(dir, _)| dir).collect();
        assert_eq!(images, ["B/7/raw", "A/7/raw"].map(|path| folder.join(path)));
        let level = &found.images()[0].1.levels[0];
        let array = level.array.as_ref().unwrap();
        assert_eq!((array.codec.as_str(), array.shape.as_slice()), ("gzip", &[30, 40][..]));
        // Metadata only: as many files as the Zarr format has per node.
        assert_eq!(level.usage.files, if version == NgffVersion::V04 { 2 } else { 1 });
        let of_images: u64 = [0, 1].map(|_| level.usage.bytes).iter().sum();
        assert!(found.usage.bytes > of_images && of_images > 0);
    }
}

#[test]
fn every_broken_part_is_a_problem_and_hides_no_other() {
    let root = &place();
    plate(root, NgffVersion::V05);
    root.join("A/zarr.json").remove().unwrap();
    root.join("A/notes.txt").write_whole(&[b"the folder stays"]).unwrap();
    root.join("A/7").remove_all().unwrap();
    write_group(&root.join("B/7/raw/s0"), NgffVersion::V05, &Default::default()).unwrap();
    let tables = [("tables".to_owned(), json!("roi"))].into_iter().collect();
    write_group(&root.join("B/7/raw/tables"), NgffVersion::V05, &tables).unwrap();
    let problems = look(root).problems.into_iter();
    let shown = problems.map(|fault| format!("{}: {}\n", fault.path, fault.problem).replace(&root.to_string(), "P"));
    expect![[r#"
        A: P/A is not a Zarr group: it has neither .zgroup nor zarr.json
        B/7/raw/s0: P/B/7/raw/s0: `node_type` should be "array", found "group"
        B/7/raw/tables: P/B/7/raw/tables: `tables` should be a list of names, found "roi"
        A/7: P/A/7 is listed, but it is not there
    "#]]
    .assert_eq(&shown.collect::<String>());
}

#[test]
fn other_groups_are_none_and_broken_ones_errors() {
    let root = &place();
    assert_eq!(kind_of(root).unwrap(), None);
    write_group(root, NgffVersion::V05, &Default::default()).unwrap();
    assert_eq!(kind_of(root).unwrap(), None);
    image(root, NgffVersion::V05);
    assert_eq!(kind_of(root).unwrap(), Some(Kind::Image));
    assert_eq!(kind_of(&root.join("s0")).unwrap(), None);
    group(root, NgffVersion::V05, json!({"version": "0.9", "plate": {}}));
    assert!(matches!(kind_of(root), Err(NgffError::UnsupportedVersion { .. })));
}
