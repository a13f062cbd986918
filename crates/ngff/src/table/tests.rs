//! The tables group in every backend; what readers of Python make of it is checked by the interoperability tests.

mod replaced;

use std::sync::Arc;

use expect_test::expect;
use ome_zarr_convert_store::MemoryStore;

use super::*;
use crate::json;

fn place() -> Location {
    Location::new(Arc::new(MemoryStore::new()), "image")
}

fn bytes(place: &Location) -> Vec<u8> {
    place.read().unwrap().unwrap()
}

fn text(place: &Location) -> String {
    String::from_utf8(bytes(place)).unwrap()
}

fn rois() -> RoiTable {
    let roi = |name: &str, x: f64, original: f64| RoiRow {
        name: name.to_owned(),
        x: (x, 104.0),
        y: (0.0, 83.2),
        z: (0.0, 10.0),
        t: None,
        label: None,
        extra: vec![
            ("z_micrometer_original".to_owned(), Cell::Float(0.0)),
            ("x_micrometer_original".to_owned(), Cell::Float(original)),
        ],
    };
    RoiTable {
        rois: vec![
            roi("FOV_0", 0.0, -0.0778323376100448),
            roi("FOV_1", 104.0, 93.6581231223648),
        ],
    }
}

fn conditions(drug: &str) -> DataTable {
    let mut table = DataTable::new();
    table.push_column("drug", vec![Cell::Text(drug.to_owned())]).unwrap();
    table
}

fn json_text(path: &Location) -> String {
    json::read(path).unwrap().unwrap().to_string()
}

#[test]
fn csv_tables_are_those_of_the_reference() {
    let dir = &place();
    let tables = [
        ("FOV_ROI_table", Table::Roi(rois())),
        ("condition_table", Table::Condition(conditions("Drug"))),
    ];
    write_tables(dir, NgffVersion::V04, &tables, TableBackend::Csv.into()).unwrap();
    expect![[r#"{"tables":["FOV_ROI_table","condition_table"]}"#]].assert_eq(&json_text(&dir.join("tables/.zattrs")));
    let table = dir.join("tables/FOV_ROI_table");
    expect![[
        r#"{"backend":"csv","index_key":"FieldIndex","index_type":"str","table_version":"1","type":"roi_table"}"#
    ]]
    .assert_eq(&json_text(&table.join(".zattrs")));
    expect![[r#"
        "FieldIndex","x_micrometer","y_micrometer","z_micrometer","len_x_micrometer","len_y_micrometer","len_z_micrometer","z_micrometer_original","x_micrometer_original"
        "FOV_0",0,0,0,104,83.2,10,0,-0.0778323376100448
        "FOV_1",104,0,0,104,83.2,10,0,93.6581231223648
    "#]]
    .assert_eq(&text(&table.join("table.csv")));
    let table = dir.join("tables/condition_table");
    expect![[r#"{"backend":"csv","table_version":"1","type":"condition_table"}"#]]
        .assert_eq(&json_text(&table.join(".zattrs")));
    assert_eq!(text(&table.join("table.csv")), "\"drug\"\n\"Drug\"\n");
}

#[test]
fn a_table_is_replaced_and_others_are_kept() {
    let dir = &place();
    let version = NgffVersion::V05;
    assert_eq!(read_table(dir, "condition_table").unwrap(), None);
    assert_eq!(list_tables(dir).unwrap(), []);
    write_tables(
        dir,
        version,
        &[("condition_table", Table::Condition(conditions("a")))],
        TableBackend::Csv.into(),
    )
    .unwrap();
    add_table(dir, version, "rois", Table::Roi(rois()), TableBackend::Csv.into()).unwrap();
    add_table(dir, version, "rois", Table::Roi(rois()), TableBackend::Json.into()).unwrap();
    // A condition table is CSV whatever is asked for.
    add_table(
        dir,
        version,
        "condition_table",
        Table::Condition(conditions("b")),
        TableBackend::Json.into(),
    )
    .unwrap();

    let info = |name: &str, kind: &str, backend: &str| TableInfo {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        backend: Some(backend.to_owned()),
    };
    let expected = [
        info("condition_table", "condition_table", "csv"),
        info("rois", "roi_table", "json"),
    ];
    assert_eq!(list_tables(dir).unwrap(), expected);
    assert_eq!(read_table(dir, "condition_table").unwrap().unwrap(), conditions("b"));
    assert_eq!(read_table(dir, "rois").unwrap().unwrap(), rois().to_data());
    assert!(!dir.join("tables/rois/table.csv").exists().unwrap());
    let entries = dir.join("tables").list().unwrap().unwrap().into_iter();
    let files: Vec<_> = entries.map(|entry| entry.os_name).collect();
    assert_eq!(files, ["condition_table", "rois", "zarr.json"]);
}

#[test]
fn json_backend_holds_columns_as_attributes() {
    let folder = place();
    add_table(
        &folder,
        NgffVersion::V04,
        "t",
        Table::Roi(rois()),
        TableBackend::Json.into(),
    )
    .unwrap();
    expect![[r#"{"FieldIndex":["FOV_0","FOV_1"],"x_micrometer":[0.0,104.0],"y_micrometer":[0.0,0.0],"z_micrometer":[0.0,0.0],"len_x_micrometer":[104.0,104.0],"len_y_micrometer":[83.2,83.2],"len_z_micrometer":[10.0,10.0],"z_micrometer_original":[0.0,0.0],"x_micrometer_original":[-0.0778323376100448,93.6581231223648]}"#]]
    .assert_eq(&json_text(&folder.join("tables/t/table/.zattrs")));
}

#[test]
fn parquet_comes_from_the_encoder_given() {
    let dir = &place();
    let rows = |table: &DataTable| Ok(vec![table.row_count() as u8]);
    add_table(
        dir,
        NgffVersion::V05,
        "t",
        Table::Roi(rois()),
        TableWriter {
            backend: TableBackend::Parquet,
            parquet: Some(&rows),
        },
    )
    .unwrap();
    assert_eq!(bytes(&dir.join("tables/t/table.parquet")), [2]);
    let fails = |_: &DataTable| Err("no such type".into());
    let error = add_table(
        dir,
        NgffVersion::V05,
        "t",
        Table::Roi(rois()),
        TableWriter {
            backend: TableBackend::Parquet,
            parquet: Some(&fails),
        },
    )
    .unwrap_err();
    assert!(
        error.to_string().ends_with("table.parquet as Parquet: no such type"),
        "{error}"
    );
    // The former table is still there, and readable by nobody but its own library.
    assert_eq!(bytes(&dir.join("tables/t/table.parquet")), [2]);
    let error = read_table(dir, "t").unwrap_err().to_string();
    assert!(
        error.ends_with("has the backend \"parquet\", only \"csv\" and \"json\" are read"),
        "{error}"
    );
}

#[test]
fn anndata_puts_numbers_into_x_and_texts_into_obs() {
    let folder = place();
    let mut rois = rois();
    rois.rois[0].extra.push(("note".to_owned(), Cell::Text("é".to_owned())));
    rois.rois.iter_mut().for_each(|roi| roi.label = Some(7));
    add_table(
        &folder,
        NgffVersion::V05,
        "t",
        Table::Roi(rois),
        TableBackend::AnnData.into(),
    )
    .unwrap();
    let dir = folder.join("tables/t");
    expect![[r#"{"attributes":{"encoding-type":"anndata","encoding-version":"0.1.0","backend":"anndata","index_key":"FieldIndex","index_type":"str","table_version":"1","type":"roi_table"},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&json_text(&dir.join("zarr.json")));
    expect![[r#"{"attributes":{"column-order":["note","label"],"_index":"FieldIndex","encoding-type":"dataframe","encoding-version":"0.2.0"},"zarr_format":3,"node_type":"group"}"#]]
        .assert_eq(&json_text(&dir.join("obs/zarr.json")));
    expect![[r#"{"shape":[2],"data_type":"string","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2]}},"chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":"","codecs":[{"name":"vlen-utf8","configuration":{}}],"attributes":{"encoding-type":"string-array","encoding-version":"0.2.0"},"zarr_format":3,"node_type":"array","storage_transformers":[]}"#]]
        .assert_eq(&json_text(&dir.join("obs/FieldIndex/zarr.json")));
    assert_eq!(
        bytes(&dir.join("obs/FieldIndex/c/0")),
        b"\x02\0\0\0\x05\0\0\0FOV_0\x05\0\0\0FOV_1"
    );
    assert_eq!(
        bytes(&dir.join("obs/note/categories/c/0")),
        b"\x01\0\0\0\x02\0\0\0\xc3\xa9"
    );
    assert_eq!(bytes(&dir.join("obs/note/codes/c/0")), [0, 0, 0, 0, 255, 255, 255, 255]);
    let matrix = bytes(&dir.join("X/c/0/0"));
    assert_eq!(matrix.len(), 2 * 8 * 8);
    assert_eq!(matrix[8 * 8..9 * 8], 104f64.to_le_bytes());
}
