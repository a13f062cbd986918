//! `inspect` on what `convert` writes, in both versions, whole and damaged.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ome-zarr-convert"));
    command.args(words).output().unwrap()
}

/// Converts the test plate into a new folder; gives it and the plate.
fn plate(words: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let acquisition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hcs_plate");
    let zarr_dir = folder.path().to_str().unwrap();
    let fixed = [
        "convert",
        acquisition.to_str().unwrap(),
        "--zarr-dir",
        zarr_dir,
        "--plate",
        "P",
    ];
    let output = run(&[&fixed, words].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plate = folder.path().join("P.zarr");
    (folder, plate)
}

fn inspect(path: &Path, words: &[&str]) -> Output {
    run(&[&["inspect", path.to_str().unwrap()], words].concat())
}

/// The JSON report with bytes masked, as they depend on the compressors' versions, and the folder as `DIR`.
fn report(folder: &Path, path: &Path) -> (Value, Output) {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    if key == "bytes" && value.as_u64().is_some_and(|bytes| bytes > 0) {
                        *value = json!("N");
                    }
                    mask(value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(mask),
            _ => {}
        }
    }
    let output = inspect(path, &["--json"]);
    let text = String::from_utf8_lossy(&output.stdout).replace(folder.to_str().unwrap(), "DIR");
    let mut value = serde_json::from_str(&text).unwrap();
    mask(&mut value);
    (value, output)
}

/// JSON with one line per object of plain values, to be read here.
fn lines(value: &Value, indent: usize, out: &mut String) {
    let is_plain = |value: &Value| match value {
        Value::Array(items) => !items.iter().any(Value::is_object),
        Value::Object(object) => object.is_empty(),
        _ => true,
    };
    let margin = "  ".repeat(indent);
    match value {
        Value::Object(object) => {
            let plain = object.iter().filter(|(_, value)| is_plain(value));
            let plain: Vec<_> = plain.map(|(key, value)| format!("{key}={value}")).collect();
            out.push_str(&format!("{margin}{}\n", plain.join(" ")));
            for (key, value) in object.iter().filter(|(_, value)| !is_plain(value)) {
                out.push_str(&format!("{margin}{key}:\n"));
                lines(value, indent + 1, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| lines(item, indent, out)),
        scalar => out.push_str(&format!("{margin}{scalar}\n")),
    }
}

fn check(folder: &Path, path: &Path, expected: Expect) {
    let (report, output) = report(folder, path);
    let mut text = String::new();
    lines(&report, 0, &mut text);
    expected.assert_eq(&text);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_plate_of_version_0_4() {
    let (folder, plate) = plate(&["--levels", "2"]);
    check(
        folder.path(),
        &plate,
        expect![[r#"
            path="DIR/P.zarr" ngff_version="0.4" zarr_format=2 writer="ome-zarr-convert" files=71 bytes="N" kind="plate" name="P.zarr" rows=["B","C"] columns=["03","05"] problems=[]
            acquisitions:
              id=0 name="0"
            wells:
              path="B/03"
              images:
                path="0" acquisition=0 files=28 bytes="N"
                image:
                  translation=null
                  axes:
                    name="c" type="channel" unit=null
                    name="z" type="space" unit="micrometer"
                    name="y" type="space" unit="micrometer"
                    name="x" type="space" unit="micrometer"
                  levels:
                    path="0" scale=[1.0,5.0,0.65,0.65] files=11 bytes="N"
                    array:
                      shape=[2,2,240,320] chunks=[1,2,120,160] shards=null data_type="uint16" codec="blosc"
                    path="1" scale=[1.0,5.0,1.3,1.3] files=4 bytes="N"
                    array:
                      shape=[2,2,120,160] chunks=[1,2,120,160] shards=null data_type="uint16" codec="blosc"
                  channels:
                    label="DAPI" wavelength_id="405" color="0000FF" active=true window=[99.0,3307.0]
                    label="GFP" wavelength_id="488" color="00FFFF" active=true window=[96.0,2893.0]
                  tables:
                    name="FOV_ROI_table" kind="roi_table" backend="csv" rows=4
                    name="well_ROI_table" kind="roi_table" backend="csv" rows=1
                    name="condition_table" kind="condition_table" backend="csv" rows=1
              path="C/05"
              images:
                path="0" acquisition=0 files=28 bytes="N"
                image:
                  translation=null
                  axes:
                    name="c" type="channel" unit=null
                    name="z" type="space" unit="micrometer"
                    name="y" type="space" unit="micrometer"
                    name="x" type="space" unit="micrometer"
                  levels:
                    path="0" scale=[1.0,5.0,0.65,0.65] files=11 bytes="N"
                    array:
                      shape=[2,2,240,320] chunks=[1,2,120,160] shards=null data_type="uint16" codec="blosc"
                    path="1" scale=[1.0,5.0,1.3,1.3] files=4 bytes="N"
                    array:
                      shape=[2,2,120,160] chunks=[1,2,120,160] shards=null data_type="uint16" codec="blosc"
                  channels:
                    label="DAPI" wavelength_id="405" color="0000FF" active=true window=[99.0,3212.0]
                    label="GFP" wavelength_id="488" color="00FFFF" active=true window=[103.0,4009.0]
                  tables:
                    name="FOV_ROI_table" kind="roi_table" backend="csv" rows=4
                    name="well_ROI_table" kind="roi_table" backend="csv" rows=1
                    name="condition_table" kind="condition_table" backend="csv" rows=1
            tables:
              name="condition_table" kind="condition_table" backend="csv" rows=2
        "#]],
    );
}

#[test]
fn an_image_and_a_well_of_version_0_5() {
    let words = [
        "--ngff-version",
        "0.5",
        "--levels",
        "2",
        "--table-backend",
        "anndata",
        "--set",
    ];
    let (folder, plate) = plate(&[&words[..], &["omezarr_options.shards.xy_factor=2"]].concat());
    check(
        folder.path(),
        &plate.join("C/05/0"),
        expect![[r#"
            path="DIR/P.zarr/C/05/0" ngff_version="0.5" zarr_format=3 writer="ome-zarr-convert" files=41 bytes="N" kind="image" translation=null problems=[]
            axes:
              name="c" type="channel" unit=null
              name="z" type="space" unit="micrometer"
              name="y" type="space" unit="micrometer"
              name="x" type="space" unit="micrometer"
            levels:
              path="0" scale=[1.0,5.0,0.65,0.65] files=4 bytes="N"
              array:
                shape=[2,2,240,320] chunks=[1,2,120,160] shards=[1,2,240,320] data_type="uint16" codec="blosc"
              path="1" scale=[1.0,5.0,1.3,1.3] files=3 bytes="N"
              array:
                shape=[2,2,120,160] chunks=[1,2,120,160] shards=[1,2,120,160] data_type="uint16" codec="blosc"
            channels:
              label="DAPI" wavelength_id="405" color="0000FF" active=true window=[99.0,3212.0]
              label="GFP" wavelength_id="488" color="00FFFF" active=true window=[103.0,4009.0]
            tables:
              name="FOV_ROI_table" kind="roi_table" backend="anndata" rows=4
              name="well_ROI_table" kind="roi_table" backend="anndata" rows=1
              name="condition_table" kind="condition_table" backend="csv" rows=1
        "#]],
    );
    let (well, _) = report(folder.path(), &plate.join("C/05"));
    let (image, _) = report(folder.path(), &plate.join("C/05/0"));
    assert_eq!(well["kind"], "well");
    assert_eq!(well["images"][0]["image"]["levels"], image["levels"]);
}

#[test]
fn every_table_backend_is_counted() {
    for backend in ["csv", "json", "anndata", "parquet"] {
        let (folder, plate) = plate(&["--levels", "1", "--table-backend", backend]);
        let (image, _) = report(folder.path(), &plate.join("B/03/0"));
        let tables = image["tables"].as_array().unwrap().iter();
        let tables: Vec<_> = tables
            .map(|table| json!([table["name"], table["backend"], table["rows"]]))
            .collect();
        let expected = json!([
            ["FOV_ROI_table", backend, 4],
            ["well_ROI_table", backend, 1],
            ["condition_table", "csv", 1],
        ]);
        assert_eq!(json!(tables), expected);
    }
}

#[test]
fn people_get_tables() {
    let (folder, plate) = plate(&["--ngff-version", "0.5", "--set", "omezarr_options.shards.xy_factor=2"]);
    let said = |path: &Path| {
        let output = inspect(path, &[]);
        assert!(output.stderr.is_empty() && output.status.success());
        let text = String::from_utf8(output.stdout)
            .unwrap()
            .replace(folder.path().to_str().unwrap(), "DIR");
        // Bytes depend on the compressors' versions, and so does the width of their column, which is the last.
        let line = |line: &str| match line.rsplit_once(' ') {
            Some((rest, "B" | "kB" | "MB")) => {
                let rest = rest.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
                format!("{} N", rest.trim_end())
            }
            Some((rest, "Bytes")) => format!("{} Bytes", rest.trim_end()),
            Some((_, "files")) => "On disk ...".to_owned(),
            _ => line.to_owned(),
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let text = format!("{}\n\n{}\n", said(&plate), said(&plate.join("B/03/0")));
    expect![[r#"
        Plate         DIR/P.zarr
        Format        OME-NGFF 0.5, Zarr 3
        Writer        ome-zarr-convert
        On disk ...
        Name          P.zarr
        Layout        2 rows × 2 columns
        Rows          B C
        Columns       03 05
        Wells         2 with 2 images
        Acquisitions  0 (0)

        Image   Acquisition  Axes     Size               Type    Levels  Channels   Tables  Files Bytes
        B/03/0            0  c z y x  2 × 2 × 240 × 320  uint16       5  DAPI, GFP       3     24 N
        C/05/0            0  c z y x  2 × 2 × 240 × 320  uint16       5  DAPI, GFP       3     24 N

        Table            Kind             Backend  Rows
        condition_table  condition_table  csv         2

        Image    DIR/P.zarr/B/03/0
        Format   OME-NGFF 0.5, Zarr 3
        Writer   ome-zarr-convert
        On disk ...
        Axes     c, z (micrometer), y (micrometer), x (micrometer)

        Level  Size               Chunks             Shards             Type    Codec  Scale             Files Bytes
        0      2 × 2 × 240 × 320  1 × 2 × 120 × 160  1 × 2 × 240 × 320  uint16  blosc  1, 5, 0.65, 0.65      4 N
        1      2 × 2 × 120 × 160  1 × 2 × 120 × 160  1 × 2 × 120 × 160  uint16  blosc  1, 5, 1.3, 1.3        3 N
        2      2 × 2 × 60 × 80    1 × 2 × 60 × 80    1 × 2 × 60 × 80    uint16  blosc  1, 5, 2.6, 2.6        3 N
        3      2 × 2 × 30 × 40    1 × 2 × 30 × 40    1 × 2 × 30 × 40    uint16  blosc  1, 5, 5.2, 5.2        3 N
        4      2 × 2 × 15 × 20    1 × 2 × 15 × 20    1 × 2 × 15 × 20    uint16  blosc  1, 5, 10.4, 10.4      3 N

        Channel  Label  Wavelength  Colour  Window
        0        DAPI   405         0000FF  102 to 2673
        1        GFP    488         00FFFF  101 to 1863

        Table            Kind             Backend  Rows
        FOV_ROI_table    roi_table        csv         4
        well_ROI_table   roi_table        csv         1
        condition_table  condition_table  csv         1
    "#]]
    .assert_eq(&text);
}

#[test]
fn missing_and_broken_parts_are_named() {
    let (folder, plate) = plate(&["--levels", "2"]);
    fs::remove_dir_all(plate.join("B/03/0/1")).unwrap();
    fs::remove_dir_all(plate.join("B/03/0/tables/FOV_ROI_table")).unwrap();
    fs::remove_file(plate.join("B/03/0/tables/well_ROI_table/table.csv")).unwrap();
    fs::rename(plate.join("C/05/0"), plate.join("C/05/1")).unwrap();
    fs::File::create(plate.join("tables/condition_table/.zattrs")).unwrap();
    let (report, output) = report(folder.path(), &plate);
    assert_eq!(output.status.code(), Some(1));
    let problems = report["problems"].as_array().unwrap().iter();
    let problems = problems.map(|fault| format!("{}: {}\n", fault["path"], fault["problem"]));
    expect![[r#"
        "B/03/0/1": "DIR/P.zarr/B/03/0/1 is listed, but it is not there"
        "B/03/0/tables/FOV_ROI_table": "DIR/P.zarr/B/03/0/tables/FOV_ROI_table is listed, but it is not there"
        "B/03/0/tables/well_ROI_table": "DIR/P.zarr/B/03/0/tables/well_ROI_table/table.csv does not exist, but the metadata of its table says that it does; write the table again, or remove it"
        "C/05/0": "DIR/P.zarr/C/05/0 is listed, but it is not there"
        "tables/condition_table": "DIR/P.zarr/tables/condition_table/.zattrs is not valid JSON: EOF while parsing a value at line 1 column 0; the file may be damaged or half-written"
    "#]].assert_eq(&problems.collect::<String>());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 5, "{stderr}");
    assert!(stderr.lines().all(|line| line.starts_with("error: ")), "{stderr}");
    // What is there is told all the same.
    assert_eq!(
        report["wells"][0]["images"][0]["image"]["levels"][0]["array"]["shape"],
        json!([2, 2, 240, 320])
    );
    assert_eq!(report["wells"][1]["images"][0]["image"], Value::Null);
}

#[test]
fn other_folders_are_refused_with_a_hint() {
    let (folder, plate) = plate(&["--levels", "1"]);
    let check = |path: &Path, expected: Expect| {
        let output = inspect(path, &[]);
        let text = String::from_utf8(output.stderr).unwrap();
        expected.assert_eq(&text.replace(folder.path().to_str().unwrap(), "DIR"));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    };
    check(
        folder.path(),
        expect![[r#"
            error: DIR: this is not an OME-Zarr plate, well or image: it holds P.zarr; give one of these
        "#]],
    );
    check(
        &plate.join("B"),
        expect![[r#"
            error: DIR/P.zarr/B: this is not an OME-Zarr plate, well or image: it holds 03; give one of these
        "#]],
    );
    check(
        &plate.join("B/03/0/0"),
        expect![[r#"
            error: DIR/P.zarr/B/03/0/0: this is not an OME-Zarr plate, well or image: it is a part of DIR/P.zarr/B/03/0; give that
        "#]],
    );
    check(
        &folder.path().join("nothing.zarr"),
        expect![[r#"
            error: DIR/nothing.zarr: this is not an OME-Zarr plate, well or image: it does not exist; give the folder of a plate, a well or an image
        "#]],
    );
    check(
        &plate.join(".zattrs"),
        expect![[r#"
            error: DIR/P.zarr/.zattrs: this is not an OME-Zarr plate, well or image: it is a file; give the folder of a plate, a well or an image
        "#]],
    );
}
