//! Options on the command line: every word reaches the hand-over, wrong ones are one clear error, and docs/ says what the
//! program says.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ome-zarr-convert"));
    command.args(words).output().unwrap()
}

/// Sets the test plate up in a new folder with some more words; gives the list.
fn init(words: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    let (plate, out) = (root().join("testdata/hcs_plate"), folder.path().join("list.json"));
    let zarr_dir = folder.path().join("out");
    let fixed = [
        "init",
        plate.to_str().unwrap(),
        "--zarr-dir",
        zarr_dir.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let output = run(&[&fixed, words].concat());
    let list = std::fs::read(&out).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    (output, list["parallelization_list"].clone())
}

/// The ConverterOptions that some words make, at a path of them.
#[track_caller]
fn check(words: &[&str], pointer: &str, expected: Value) {
    let (output, list) = init(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let options = &list[0]["init_args"]["converter_options"];
    assert_eq!(options.pointer(pointer), Some(&expected), "{words:?}: {options}");
}

/// Words that are refused with one error and exit code 2, before anything is written.
#[track_caller]
fn check_error(words: &[&str], expected: Expect) {
    let (output, list) = init(words);
    expected.assert_eq(&String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), list), (Some(2), Value::Null));
}

/// The description of the first image that some words hand over, and the number of images.
fn handed_over(words: &[&str]) -> (Value, usize) {
    let (output, list) = init(
        &[
            words,
            &["--set", "runtime_settings.temp_json_options.serialization=Memory"],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = list[0]["init_args"]["tiled_image_json_str"].as_str().unwrap();
    (serde_json::from_str(text).unwrap(), list.as_array().unwrap().len())
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_bytes()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_shortcut_reaches_the_hand_over() {
    check(
        &["--ngff-version", "0.5"],
        "/omezarr_options/ngff_version",
        json!("0.5"),
    );
    check(
        &["--levels", "3"],
        "/omezarr_options/levels",
        json!({"mode": "Number of Levels", "num_levels": 3}),
    );
    check(
        &["--chunk-xy", "64"],
        "/omezarr_options/chunks",
        json!({"mode": "Fixed Size", "xy_chunk": 64, "z_chunk": 10, "c_chunk": 1, "t_chunk": 1}),
    );
    for backend in ["anndata", "json", "csv", "parquet"] {
        check(
            &["--table-backend", backend],
            "/omezarr_options/table_backend",
            json!(backend),
        );
    }
    for (word, mode) in [
        ("auto", "Auto"),
        ("grid", "Snap to Grid"),
        ("corners", "Snap to Corners"),
        ("inplace", "Inplace"),
        ("Snap to Grid", "Snap to Grid"),
    ] {
        check(&["--tiling", word], "/grouping/tiling_strategy/mode", json!(mode));
    }
    check(&["--per-fov"], "/grouping", json!({"mode": "Per-FOV"}));
}

#[test]
fn single_options_win_over_shortcuts_and_these_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[grouping]\nmode = \"Per-FOV\"\n[omezarr_options]\nngff_version = \"0.5\"\ntable_backend = \"json\"\n";
    let file = write(folder.path(), "options.toml", text);
    let words = [
        "--options",
        &file,
        "--set",
        "omezarr_options.levels.num_levels=2",
        "--levels",
        "4",
        "--tiling",
        "grid",
    ];
    check(&words, "/omezarr_options/levels/num_levels", json!(2));
    check(&words, "/omezarr_options/ngff_version", json!("0.5"));
    check(&words, "/omezarr_options/table_backend", json!("json"));
    check(
        &words,
        "/grouping",
        json!({"mode": "Mosaic", "tiling_strategy": {"mode": "Snap to Grid", "tolerance": 1}}),
    );
}

#[test]
fn any_option_can_be_set_by_its_path() {
    check(
        &["--set", "stage_position_corrections.remove_xy_jitter=false"],
        "/stage_position_corrections/remove_xy_jitter",
        json!(false),
    );
    check(
        &[
            "--set",
            "omezarr_options.ngff_version=0.5",
            "--set",
            "omezarr_options.shards.xy_factor=8",
        ],
        "/omezarr_options/shards/xy_factor",
        json!(8),
    );
    check(
        &[
            "--set",
            r#"omezarr_options.levels={"mode": "Custom Names", "level_names": ["s0", "s1"]}"#,
        ],
        "/omezarr_options/levels/level_names",
        json!(["s0", "s1"]),
    );
    check(
        &["--set", "omezarr_options.compression.mode=zstd"],
        "/omezarr_options/compression",
        json!({"mode": "zstd", "level": 3}),
    );
}

#[test]
fn acquisition_options_and_filters_reach_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"pixel_info": {"xy_pixel_size": 0.325, "z_spacing": 2, "t_spacing": 1}, "data_type": "uint32",
        "filters": [{"name": "Channel Filter", "channel_labels": ["GFP"]}]}"#;
    let file = write(folder.path(), "acquisition.json", text);
    let wells = r#"{"name": "Well Filter", "wells": ["C05"]}"#;
    let (image, images) = handed_over(&["--acquisition-options", &file, "--filter", wells]);
    assert_eq!(
        (&image["xy_pixel_size"], &image["data_type"]),
        (&json!(0.325), &json!("uint32"))
    );
    assert_eq!((image["regions"].as_array().unwrap().len(), images), (8, 1));
    assert!(image["path"].as_str().unwrap().ends_with("C/05/0"), "{}", image["path"]);
    assert_eq!(handed_over(&[]).1, 2);
}

#[test]
fn the_probe_finds_tables_that_files_contradict() {
    let folder = tempfile::tempdir().unwrap();
    let acquisition = root().join("testdata/single_images");
    let table = std::fs::read_to_string(acquisition.join("tiles.csv")).unwrap();
    write(folder.path(), "tiles.csv", &table.replace(",80,64,", ",80,60,"));
    let details = std::fs::read_to_string(acquisition.join("acquisition_details.toml")).unwrap();
    write(folder.path(), "acquisition_details.toml", &details);
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for entry in std::fs::read_dir(acquisition.join("data")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join("data").join(path.file_name().unwrap())).unwrap();
    }
    let (zarr_dir, list) = (folder.path().join("out"), folder.path().join("list.json"));
    let words = [
        "init",
        folder.path().to_str().unwrap(),
        "--collection",
        "image",
        "--zarr-dir",
    ];
    let words = [
        &words[..],
        &[zarr_dir.to_str().unwrap(), "--out", list.to_str().unwrap()],
    ]
    .concat();
    assert!(run(&words).status.success());
    let output = run(&[&words[..], &["--overwrite", "replace", "--probe"]].concat());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("declares shape [1, 60, 80]") && text.contains("[64, 80]"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn wrong_words_are_one_clear_error() {
    check_error(
        &["--set", "omezarr_options.ngf_version=0.5"],
        expect![[r#"
            error: --set omezarr_options.ngf_version=0.5: there is no option `omezarr_options.ngf_version`; did you mean `omezarr_options.ngff_version`? (`ome-zarr-convert options` lists all)
        "#]],
    );
    check_error(
        &["--set", "ngff_version=0.5"],
        expect![[r#"
            error: --set ngff_version=0.5: there is no option `ngff_version`; did you mean `omezarr_options.ngff_version`? (`ome-zarr-convert options` lists all)
        "#]],
    );
    check_error(
        &["--set", "omezarr_options.ngff_version"],
        expect![[r#"
            error: --set omezarr_options.ngff_version: expected PATH=VALUE, such as omezarr_options.ngff_version=0.5
        "#]],
    );
    check_error(
        &[
            "--set",
            "omezarr_options.chunks.mode=Fixd Size",
            "--set",
            "omezarr_options.levels.num_levels=0",
        ],
        expect![[r#"
            error: the command line: invalid options: 2 problems
              `omezarr_options.levels.num_levels`: found 0, expected at least 1
              `omezarr_options.chunks.mode`: found "Fixd Size", expected one of `Same as FOV`, `Fixed Size`; did you mean `Fixed Size`?
        "#]],
    );
    check_error(
        &["--set", "omezarr_options.shards.xy_factor=2"],
        expect![[r#"
            error: the command line: invalid options: `omezarr_options.shards`: found `Multiple of Chunks` with `ngff_version` 0.4, expected shards only in NGFF 0.5; set `ngff_version` to "0.5", or `shards` to {"mode": "None"}
        "#]],
    );
    check_error(
        &["--filter", r#"{"name": "Well filter", "wells": []}"#],
        expect![[r#"
            error: --filter {"name": "Well filter", "wells": []}: invalid filter: `name`: found "Well filter", expected one of `Path Regex Filter`, `Well Filter`, `FOV Name Filter`, `Acquisition Filter`, `Attribute Filter`, `Channel Filter`, `Z Range Filter`, `Time Range Filter`; did you mean `Well Filter`?
        "#]],
    );
    for words in [
        &["--ngff-version", "0.6"][..],
        &["--levels", "0"],
        &["--chunk-xy", "many"],
        &["--tiling", "hexagons"],
        &["--tiling", "grid", "--per-fov"],
    ] {
        assert_eq!(init(words).0.status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn a_condition_table_gives_wells_their_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let conditions = write(folder.path(), "conditions.csv", "row,column,dose\nB,3,0.5\nC,5,NA\n");
    let file = write(
        folder.path(),
        "acquisition.toml",
        &format!("condition_table_path = {conditions:?}\n"),
    );
    let (output, list) = init(&["--acquisition-options", &file]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let attributes = |image: usize| {
        let text = list[image]["init_args"]["tiled_image_json_str"].as_str().unwrap();
        serde_json::from_str::<Value>(text).unwrap()["attributes"].clone()
    };
    assert_eq!(attributes(0)["dose"], serde_json::json!([0.5]));
    assert_eq!(attributes(1)["dose"], serde_json::json!([null]));
}

#[test]
fn the_defaults_are_a_document_that_is_understood() {
    let output = run(&["options", "--defaults"]);
    let defaults: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let converter = write(
        folder.path(),
        "converter.json",
        &defaults["converter_options"].to_string(),
    );
    let acquisition = write(
        folder.path(),
        "acquisition.json",
        &defaults["acquisition_options"].to_string(),
    );
    let words = ["--options", &converter, "--acquisition-options", &acquisition];
    check(&words, "", defaults["converter_options"].clone());
}

/// `UPDATE_DOCS=1` writes what the program says.
#[test]
fn docs_say_what_the_program_says() {
    for (word, file) in [("--markdown", "options.md"), ("--schema", "options.schema.json")] {
        let said = run(&["options", word]).stdout;
        let path = root().join("docs").join(file);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            write(&root().join("docs"), file, std::str::from_utf8(&said).unwrap());
        }
        let written = std::fs::read(&path).unwrap_or_default();
        assert!(
            written == said,
            "docs/{file} is not what `ome-zarr-convert options {word}` prints: run this test with UPDATE_DOCS=1 and look at \
             what changed"
        );
    }
}
