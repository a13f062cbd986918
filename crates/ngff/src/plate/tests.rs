//! Plates made new, and extended by us after others wrote them.

use expect_test::expect;
use serde_json::json;

use super::*;

fn image(row: &str, column: u32, path: &str, acquisition: u32) -> PlateImage {
    PlateImage {
        row: row.to_owned(),
        column,
        path_in_well: path.to_owned(),
        acquisition_id: acquisition,
        acquisition_name: acquisition.to_string(),
    }
}

fn text(dir: &Path, file: &str) -> String {
    let document = crate::store::read_json(&dir.join(file)).unwrap().unwrap();
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
    let folder = tempfile::tempdir().unwrap();
    let images = [image("A", 1, "0", 0), image("A", 2, "0", 0)];
    let v04 = folder.path().join("v04");
    Plate::write_new(&v04, NgffVersion::V04, "MyPlate.zarr", &images).unwrap();
    expect![[r#"{"plate":{"acquisitions":[{"id":0,"name":"0"}],"columns":[{"name":"01"},{"name":"02"}],"name":"MyPlate.zarr","rows":[{"name":"A"}],"wells":[{"path":"A/01","rowIndex":0,"columnIndex":0},{"path":"A/02","rowIndex":0,"columnIndex":1}],"version":"0.4"},"version":"0.4"}"#]]
        .assert_eq(&text(&v04, ".zattrs"));
    assert_eq!(text(&v04, "A/.zattrs"), "{}");
    expect![[r#"{"well":{"images":[{"path":"0","acquisition":0}],"version":"0.4"}}"#]]
        .assert_eq(&text(&v04, "A/02/.zattrs"));

    let v05 = folder.path().join("v05");
    Plate::write_new(&v05, NgffVersion::V05, "MyPlate.zarr", &images).unwrap();
    expect![[r#"{"attributes":{"ome":{"version":"0.5","plate":{"acquisitions":[{"id":0,"name":"0"}],"columns":[{"name":"01"},{"name":"02"}],"name":"MyPlate.zarr","rows":[{"name":"A"}],"wells":[{"path":"A/01","rowIndex":0,"columnIndex":0},{"path":"A/02","rowIndex":0,"columnIndex":1}],"version":"0.5"}}},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&text(&v05, "zarr.json"));
    expect![[r#"{"attributes":{"ome":{"version":"0.5","well":{"images":[{"path":"0","acquisition":0}],"version":"0.5"}}},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&text(&v05, "A/01/zarr.json"));
}

#[test]
fn extending_sorts_and_renumbers_and_is_idempotent() {
    for version in [NgffVersion::V04, NgffVersion::V05] {
        let folder = tempfile::tempdir().unwrap();
        Plate::write_new(
            folder.path(),
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
        let mut plate = Plate::open(folder.path()).unwrap();
        let placed = plate.extend(version, &more).unwrap();
        assert_eq!(places(&placed), ["B/03/0", "B/03/1 new", "AA/100/1 new", "A/03/1 new"]);

        let mut plate = Plate::open(folder.path()).unwrap();
        assert_eq!(plate.rows(), ["A", "AA", "B", "C"]);
        assert_eq!(plate.columns(), ["03", "100", "11"]);
        assert_eq!(plate.acquisitions(), [(0, Some("0")), (1, Some("1"))]);
        let wells = json!(plate.layout.wells);
        assert_eq!(
            wells,
            json!([
                {"path": "B/03", "rowIndex": 2, "columnIndex": 0},
                {"path": "C/11", "rowIndex": 3, "columnIndex": 2},
                {"path": "AA/100", "rowIndex": 1, "columnIndex": 1},
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
        assert_eq!(Plate::open(folder.path()).unwrap().attributes, before);
    }
}

#[test]
fn a_plate_of_another_writer_keeps_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
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
    crate::store::write_file(&dir.join(".zmetadata"), b"{}").unwrap();

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
    assert!(!dir.join(".zmetadata").exists());
}

#[test]
fn what_cannot_be_a_plate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("P.zarr");
    let error = |result: Result<Plate>| result.unwrap_err().to_string();
    let new = |images: &[PlateImage]| error(Plate::write_new(&dir, NgffVersion::V04, "P.zarr", images));
    assert!(error(Plate::open(&dir)).contains("is no Zarr group: it has neither .zgroup nor zarr.json"));
    assert!(new(&[image("..", 1, "0", 0)]).starts_with("\"..\" cannot name the row"));
    assert!(new(&[image("A", 1, "../../b", 0)]).starts_with("\"../../b\" cannot name the image"));
    assert!(new(&[image("A", 1, "0", 0), image("A", 1, "0", 1)]).starts_with("image \"A/01/0\" is twice"));
    assert!(!dir.exists());

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
