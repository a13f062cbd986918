//! Plates made new, and extended by us after others wrote them.

use std::sync::Arc;

use expect_test::expect;
use ome_zarr_convert_store::MemoryStore;
use serde_json::json;

use super::*;

fn place() -> Location {
    Location::new(Arc::new(MemoryStore::new()), "P.zarr")
}

fn image(row: &str, column: u32, path: &str, acquisition: u32) -> PlateImage {
    PlateImage {
        row: row.to_owned(),
        column,
        path_in_well: path.to_owned(),
        acquisition_id: acquisition,
        acquisition_name: acquisition.to_string(),
    }
}

fn text(dir: &Location, file: &str) -> String {
    let document = crate::json::read(&dir.join(file)).unwrap().unwrap();
    document.to_string()
}

fn places(placed: &[PlacedImage]) -> Vec<String> {
    placed
        .iter()
        .map(|image| format!("{}{}", image.path, if image.is_new { " new" } else { "" }))
        .collect()
}

#[test]
fn a_new_plate_is_the_one_of_the_reference() {
    let folder = place();
    let images = [image("A", 1, "0", 0), image("A", 2, "0", 0)];
    let v04 = folder.child("v04");
    Plate::write_new(&v04, NgffVersion::V04, "MyPlate.zarr", &images).unwrap();
    expect![[r#"{"plate":{"acquisitions":[{"id":0,"name":"0"}],"columns":[{"name":"01"},{"name":"02"}],"name":"MyPlate.zarr","rows":[{"name":"A"}],"wells":[{"path":"A/01","rowIndex":0,"columnIndex":0},{"path":"A/02","rowIndex":0,"columnIndex":1}],"version":"0.4"},"version":"0.4"}"#]]
        .assert_eq(&text(&v04, ".zattrs"));
    assert_eq!(text(&v04, "A/.zattrs"), "{}");
    expect![[r#"{"well":{"images":[{"path":"0","acquisition":0}],"version":"0.4"}}"#]]
        .assert_eq(&text(&v04, "A/02/.zattrs"));

    let v05 = folder.child("v05");
    Plate::write_new(&v05, NgffVersion::V05, "MyPlate.zarr", &images).unwrap();
    expect![[r#"{"attributes":{"ome":{"version":"0.5","plate":{"acquisitions":[{"id":0,"name":"0"}],"columns":[{"name":"01"},{"name":"02"}],"name":"MyPlate.zarr","rows":[{"name":"A"}],"wells":[{"path":"A/01","rowIndex":0,"columnIndex":0},{"path":"A/02","rowIndex":0,"columnIndex":1}],"version":"0.5"}}},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&text(&v05, "zarr.json"));
    expect![[r#"{"attributes":{"ome":{"version":"0.5","well":{"images":[{"path":"0","acquisition":0}],"version":"0.5"}}},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&text(&v05, "A/01/zarr.json"));
}

#[test]
fn extending_sorts_and_renumbers_and_is_idempotent() {
    for &version in NgffVersion::ALL {
        let folder = place();
        Plate::write_new(
            &folder,
            version,
            "P.zarr",
            &[image("B", 3, "0", 0), image("C", 11, "0", 0)],
        )
        .unwrap();
        let more = [
            image("B", 3, "0", 0),
            image("B", 3, "1", 1),
            image("AA", 100, "1", 1),
            image("A", 3, "1", 1),
        ];
        let mut plate = Plate::open(&folder).unwrap();
        let placed = plate.extend(version, &more).unwrap();
        assert_eq!(places(&placed), ["B/03/0", "B/03/1 new", "AA/100/1 new", "A/03/1 new"]);

        let mut plate = Plate::open(&folder).unwrap();
        assert_eq!(plate.rows(), ["A", "B", "C", "AA"]);
        assert_eq!(plate.columns(), ["03", "11", "100"]);
        assert_eq!(plate.acquisitions(), [(0, Some("0")), (1, Some("1"))]);
        let wells = json!(plate.layout.wells);
        assert_eq!(
            wells,
            json!([
                {"path": "B/03", "rowIndex": 1, "columnIndex": 0},
                {"path": "C/11", "rowIndex": 2, "columnIndex": 1},
                {"path": "AA/100", "rowIndex": 3, "columnIndex": 2},
                {"path": "A/03", "rowIndex": 0, "columnIndex": 0},
            ])
        );
        assert_eq!(
            plate.image_paths().unwrap(),
            ["B/03/0", "B/03/1", "C/11/0", "AA/100/1", "A/03/1"]
        );

        let before = plate.attributes.clone();
        let again = plate.extend(version, &more).unwrap();
        assert!(again.iter().all(|image| !image.is_new));
        assert_eq!(Plate::open(&folder).unwrap().attributes, before);
    }
}

#[test]
fn a_row_in_small_letters_is_the_row_in_capital_ones() {
    let folder = place();
    let version = NgffVersion::V04;
    Plate::write_new(&folder, version, "P.zarr", &[image("b", 3, "0", 0)]).unwrap();
    let mut plate = Plate::open(&folder).unwrap();
    let placed = plate
        .extend(version, &[image("B", 3, "1", 1), image("B", 4, "0", 0)])
        .unwrap();
    assert_eq!(places(&placed), ["b/03/1 new", "b/04/0 new"]);
    assert_eq!(Plate::open(&folder).unwrap().rows(), ["b"]);
}

#[test]
fn a_plate_of_another_writer_keeps_what_it_says() {
    let dir = &place();
    let plate = json!({
        "_creator": {"name": "scope"},
        "plate": {
            "rows": [{"name": "B", "note": 1}], "columns": [{"name": "1"}], "field_count": 4,
            "wells": [{"path": "B/1", "rowIndex": 0, "columnIndex": 0, "id": "w"}], "version": "0.4"
        }
    });
    let well = json!({"well": {"images": [{"path": "0", "name": "first"}]}, "extra": [1]});
    group::write_group(dir, NgffVersion::V04, plate.as_object().unwrap()).unwrap();
    group::write_group(&dir.join("B/1"), NgffVersion::V04, well.as_object().unwrap()).unwrap();
    dir.child(".zmetadata").write_whole(&[b"{}"]).unwrap();

    let mut plate = Plate::open(dir).unwrap();
    assert_eq!(plate.name(), None);
    let placed = plate
        .extend(NgffVersion::V04, &[image("B", 1, "1", 0), image("A", 2, "0", 0)])
        .unwrap();
    assert_eq!(places(&placed), ["B/1/1 new", "A/02/0 new"]);
    expect![[r#"{"_creator":{"name":"scope"},"plate":{"rows":[{"name":"A"},{"name":"B","note":1}],"columns":[{"name":"1"},{"name":"02"}],"field_count":4,"wells":[{"path":"B/1","rowIndex":1,"columnIndex":0,"id":"w"},{"path":"A/02","rowIndex":0,"columnIndex":1}],"version":"0.4","acquisitions":[{"id":0,"name":"0"}]}}"#]]
        .assert_eq(&text(dir, ".zattrs"));
    expect![[r#"{"well":{"images":[{"path":"0","name":"first"},{"path":"1","acquisition":0}]},"extra":[1]}"#]]
        .assert_eq(&text(dir, "B/1/.zattrs"));
    assert!(!dir.child(".zmetadata").exists().unwrap());
}

#[test]
fn what_cannot_be_a_plate_is_refused() {
    let dir = place();
    let error = |result: Result<Plate>| result.unwrap_err().to_string();
    let new = |images: &[PlateImage]| error(Plate::write_new(&dir, NgffVersion::V04, "P.zarr", images));
    assert!(error(Plate::open(&dir)).contains("is not a Zarr group: it has neither .zgroup nor zarr.json"));
    assert!(new(&[image("..", 1, "0", 0)]).starts_with("\"..\" cannot name the row"));
    assert!(new(&[image("A", 1, "../../b", 0)]).starts_with("\"../../b\" cannot name the image"));
    assert!(new(&[image("A", 1, "0", 0), image("A", 1, "0", 1)]).starts_with("image \"A/01/0\" is twice"));
    assert!(!dir.exists().unwrap());

    let mut plate = Plate::write_new(&dir, NgffVersion::V04, "P.zarr", &[]).unwrap();
    let mismatch = plate.extend(NgffVersion::V05, &[]).unwrap_err().to_string();
    assert!(
        mismatch.contains("is OME-NGFF 0.4, the images to be added are 0.5"),
        "{mismatch}"
    );
    let broken = json!({"plate": {"rows": [{"name": "A"}], "columns": [], "wells": [
        {"path": "A/1", "rowIndex": 0, "columnIndex": 0}
    ]}});
    group::write_group(&dir, NgffVersion::V04, broken.as_object().unwrap()).unwrap();
    assert!(error(Plate::open(&dir)).contains("`wells` should be wells whose rowIndex and columnIndex"));
}

#[test]
fn only_one_makes_a_plate() {
    for &version in NgffVersion::ALL {
        let dir = place();
        Plate::write_new(&dir, version, "P.zarr", &[image("A", 1, "0", 0)]).unwrap();
        let before = dir.walk().unwrap();
        let error = Plate::write_new(&dir, version, "P.zarr", &[image("B", 2, "0", 0)]).unwrap_err();
        assert!(
            matches!(&error, NgffError::Store(error) if error.is_already_exists()),
            "{error}"
        );
        assert_eq!(dir.walk().unwrap(), before);
    }
}

#[test]
fn what_began_a_plate_is_told_from_what_is_one() {
    let dir = place();
    let begun = |dir: &Location| Plate::is_hardly_begun(dir).unwrap();
    assert!(begun(&dir), "nothing");
    dir.child("..zgroup.partial").write_whole(&[b"{"]).unwrap();
    assert!(begun(&dir), "a temporary file");
    crate::json::write(&dir.child(".zgroup"), &json!({"zarr_format": 2})).unwrap();
    assert!(begun(&dir), "a group that says nothing");
    dir.child("notes.txt").write_whole(&[b"mine"]).unwrap();
    assert!(!begun(&dir), "a group with something in it");
    dir.child("notes.txt").remove().unwrap();
    Plate::replace(&dir, NgffVersion::V04, "P.zarr").unwrap();
    assert!(!begun(&dir), "an empty plate");
    dir.child(".zattrs").write_whole(&[b"{"]).unwrap();
    assert!(!begun(&dir), "a damaged group");
}

#[test]
fn a_group_of_any_format_becomes_an_empty_plate_of_one() {
    for [old, new] in [
        [NgffVersion::V04, NgffVersion::V05],
        [NgffVersion::V05, NgffVersion::V04],
    ] {
        let dir = place();
        Plate::write_new(&dir, old, "P.zarr", &[image("A", 1, "0", 0)]).unwrap();
        dir.child(".zmetadata").write_whole(&[b"{}"]).unwrap();
        Plate::replace(&dir, new, "P.zarr").unwrap();
        let plate = Plate::open(&dir).unwrap();
        assert_eq!(
            (plate.version(), plate.well_paths().len(), plate.name()),
            (new, 0, Some("P.zarr"))
        );
        let entries = dir.list().unwrap().unwrap().into_iter();
        let names: Vec<_> = entries.map(|entry| entry.os_name.into_string().unwrap()).collect();
        match new.zarr_format() {
            crate::version::ZarrFormat::V2 => assert_eq!(names, [".zattrs", ".zgroup", "A"]),
            crate::version::ZarrFormat::V3 => assert_eq!(names, ["A", "zarr.json"]),
        }
    }
}
