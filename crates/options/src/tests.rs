//! The documents against the reference's: defaults, schemas, spellings and what is refused.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::model::{Dialect, Model, from_json, schema, to_json};

fn check_problems<T: Model + std::fmt::Debug>(document: Value, expected: Expect) {
    let problems = from_json::<T>(&document, "options").expect_err("the document is wrong");
    expected.assert_eq(&problems.to_string());
}

/// Written by the reference: `json.dumps(ConverterOptions().model_dump(), separators=(",", ":"))`.
#[test]
fn defaults_are_those_of_the_reference() {
    expect![[r#"{"writer_mode":"By FOV","grouping":{"mode":"Mosaic","tiling_strategy":{"mode":"Auto","tolerance":1}},"stage_position_corrections":{"remove_xy_offset":"Global","remove_z_offset":"Global","remove_t_offset":"Global","remove_xy_jitter":true,"reindex_channels":true},"omezarr_options":{"levels":{"mode":"Number of Levels","num_levels":5},"chunks":{"mode":"Same as FOV","xy_scaling":"1","z_chunk":10,"c_chunk":1,"t_chunk":1},"shards":{"mode":"None"},"ngff_version":"0.4","table_backend":"csv"},"runtime_settings":{"use_zarrs_codec":false,"dask_scheduler":{"mode":"Default"},"temp_json_options":{"temp_url":"{zarr_dir}/_tmp_json","serialization":"Auto","max_in_memory_bytes":10485760}}}"#]]
    .assert_eq(&to_json(&ConverterOptions::default()).to_string());
    expect![[r#"{"channels":null,"pixel_info":null,"condition_table_path":null,"axes":null,"data_type":"autodetect","stage_orientation":{"flip_x":false,"flip_y":false,"swap_xy":false},"filters":[]}"#]]
    .assert_eq(&to_json(&AcquisitionOptions::default()).to_string());
}

#[test]
fn documents_come_back_as_they_were() {
    let converter = r#"{"writer_mode":"By Tile (Using Dask)","grouping":{"mode":"Mosaic","tiling_strategy":{"mode":"Snap to Grid","tolerance":2.5}},"stage_position_corrections":{"remove_xy_offset":"Keep","remove_z_offset":"Per-FOV","remove_t_offset":"Keep","remove_xy_jitter":false,"reindex_channels":false},"omezarr_options":{"levels":{"mode":"Custom Names","level_names":["s0","s1"]},"chunks":{"mode":"Fixed Size","xy_chunk":512,"z_chunk":1,"c_chunk":2,"t_chunk":3},"shards":{"mode":"Multiple of Chunks","xy_factor":8,"z_factor":2,"c_factor":3,"t_factor":4},"ngff_version":"0.5","table_backend":"parquet"},"runtime_settings":{"use_zarrs_codec":true,"dask_scheduler":{"mode":"Threads","num_workers":3},"temp_json_options":{"temp_url":"/t","serialization":"JSON","max_in_memory_bytes":5}}}"#;
    let acquisition = r##"{"channels":[{"channel_label":"DAPI","wavelength_id":"405","color":"Blue (#0000FF)"},{"channel_label":"GFP","wavelength_id":null,"color":"Auto"}],"pixel_info":{"xy_pixel_size":0.325,"z_spacing":1.0,"t_spacing":2.0},"condition_table_path":"c.csv","axes":"czyx","data_type":"uint16","stage_orientation":{"flip_x":true,"flip_y":true,"swap_xy":true},"filters":[{"name":"Path Regex Filter","mode":"Exclude","regex":"A/01"},{"name":"Well Filter","mode":"Include","wells":["A01"]},{"name":"FOV Name Filter","mode":"Include","regex":"F1"},{"name":"Acquisition Filter","mode":"Include","acquisitions":[0,2]},{"name":"Attribute Filter","mode":"Include","key":"drug","values":[{"type":"Bool","value":true},{"type":"String","value":"a"},{"type":"Integer","value":-3},{"type":"Float","value":0.5},{"type":"Is None"},{"type":"Is Not None"}]},{"name":"Channel Filter","mode":"Exclude","channel_labels":["GFP"]},{"name":"Z Range Filter","min_z":0.5,"max_z":null},{"name":"Time Range Filter","min_t":null,"max_t":3.0}]}"##;
    fn round_trip<T: Model>(text: &str) {
        let document: T = from_json(&serde_json::from_str(text).expect("JSON"), "options").expect("valid");
        assert_eq!(to_json(&document).to_string(), text);
    }
    round_trip::<ConverterOptions>(converter);
    round_trip::<AcquisitionOptions>(acquisition);
}

/// The schema without descriptions, whose wording is ours.
fn shape(value: Value, parent: &str) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(key, value)| key != "description" || parent == "properties" || !value.is_string())
            .map(|(key, value)| {
                let value = shape(value, &key);
                (key, value)
            })
            .collect::<crate::model::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(|element| shape(element, parent)).collect(),
        // One library writes the default 1 of a number as 1, the other as 1.0.
        Value::Number(number) if number.as_f64() == Some(1.0) => json!(1),
        scalar => scalar,
    }
}

/// The schema without what we add to the reference's options.
fn without_additions(value: Value) -> Value {
    const KEYS: [&str; 5] = ["compression", "target_bytes", "overlap", "bad_tiles", "hidden_tiles"];
    const DEFINITIONS: [&str; 10] = [
        "AutoCompression",
        "BadTiles",
        "HiddenTiles",
        "BloscCompression",
        "BloscCompressor",
        "GzipCompression",
        "NoCompression",
        "Overlap",
        "Shuffle",
        "ZstdCompression",
    ];
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(key, _)| !KEYS.contains(&key.as_str()) && !DEFINITIONS.contains(&key.as_str()))
            .map(|(key, value)| (key, without_additions(value)))
            .collect::<crate::model::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(without_additions).collect(),
        scalar => scalar,
    }
}

/// Compares text, so that the order of keys counts as well.
fn check_schema<T: Model>(reference: &str) {
    let reference: Value = serde_json::from_str(reference).expect("JSON");
    let ours = without_additions(shape(schema::<T>(Dialect::Pydantic), ""));
    assert_eq!(format!("{ours:#}"), format!("{reference:#}"));
}

#[test]
fn schemas_have_the_shape_of_the_reference() {
    check_schema::<ConverterOptions>(include_str!("testdata/converter_options.schema.json"));
    check_schema::<AcquisitionOptions>(include_str!("testdata/acquisition_options.schema.json"));
    check_schema::<ChannelInfo>(include_str!("testdata/channel_info.schema.json"));
}

model! {
    /// Arguments of a task with options.
    struct TaskArguments "TaskArguments" {
        /// Output folder.
        pub zarr_dir: String;
        /// Options.
        pub converter_options: ConverterOptions = ConverterOptions::default(), title "Converter Options";
        /// Acquisition.
        pub acquisition: AcquisitionOptions;
        /// Existing output.
        pub overwrite: OverwriteMode = OverwriteMode::NoOverwrite;
    }
}

/// The fixture is what fractal-task-tools makes of a Python function with these arguments.
#[test]
fn manifests_have_the_shape_of_fractal_task_tools() {
    let reference: Value = serde_json::from_str(include_str!("testdata/task_arguments.fractal.json")).expect("JSON");
    let ours = without_additions(shape(schema::<TaskArguments>(Dialect::Fractal), ""));
    assert_eq!(ours, shape(reference, ""));
}

#[test]
fn descriptions_list_the_values_of_a_choice_and_the_members_of_a_union() {
    let schema = schema::<StagePositionCorrections>(Dialect::Pydantic);
    expect![[r#"
        Where the image starts in z.

        - `Keep`: Positions stay as they are: a negative one is an error, and what lies before the first tile is empty.
        - `Per-FOV`: Each field of view moves by itself, so that its smallest position becomes 0.
        - `Global`: All positions move together, so that the smallest becomes 0."#]]
    .assert_eq(
        schema["properties"]["remove_z_offset"]["description"]
            .as_str()
            .unwrap_or_default(),
    );
}

#[test]
fn nulls_and_empty_unions_are_defaults() {
    let document = json!({
        "writer_mode": null,
        "grouping": {},
        "stage_position_corrections": null,
        "omezarr_options": {"levels": {}, "chunks": null, "shards": {}, "ngff_version": null},
        "runtime_settings": {"dask_scheduler": {}, "temp_json_options": {"temp_url": null}},
    });
    assert_eq!(from_json(&document, "options"), Ok(ConverterOptions::default()));
}

#[test]
fn every_problem_is_reported_with_its_path() {
    check_problems::<ConverterOptions>(
        json!({
            "writer_mode": "by fov",
            "grouping": "Mosaic",
            "omezarr_options": {
                "chunk": 3,
                "levels": {"num_levels": 3},
                "chunks": {"mode": "Fixed Size", "xy_chunk": 0, "z_chunk": 5.5},
                "shards": {"mode": "Multiples of Chunks"},
            },
        }),
        expect![[r#"
            invalid options: 7 problems
              `writer_mode`: found "by fov", expected one of `By Tile`, `By FOV`, `By FOV (Using Dask)`, `By Tile (Using Dask)`, `In Memory`; did you mean `By FOV`?
              `grouping`: found "Mosaic", expected an object whose `mode` is one of `Mosaic`, `Per-FOV`; write {"mode":"Mosaic"}
              `omezarr_options.levels.mode`: missing, expected one of `Number of Levels`, `Custom Names`, which says what the other keys mean
              `omezarr_options.chunks.xy_chunk`: found 0, expected at least 1
              `omezarr_options.chunks.z_chunk`: found 5.5, expected a whole number
              `omezarr_options.shards.mode`: found "Multiples of Chunks", expected one of `None`, `Multiple of Chunks`; did you mean `Multiple of Chunks`?
              `omezarr_options.chunk`: found an unknown key, expected one of the keys `levels`, `chunks`, `shards`, `ngff_version`, `table_backend`, `compression`; did you mean `chunks`?"#]],
    );
}

#[test]
fn contradictions_are_problems() {
    check_problems::<OmeZarrOptions>(
        json!({"shards": {"mode": "Multiple of Chunks"}}),
        expect![[
            r#"invalid options: `shards`: found `Multiple of Chunks` with `ngff_version` 0.4, expected shards only in NGFF 0.5; set `ngff_version` to "0.5", or `shards` to {"mode": "None"}"#
        ]],
    );
    check_problems::<OmeZarrOptions>(
        json!({"chunks": {"mode": "Same as FOV", "xy_scaling": 1}}),
        expect![[
            r#"invalid options: `chunks.xy_scaling`: found 1, expected one of `0.25`, `0.5`, `1`, `2`, `4`; write it in quotes: "1""#
        ]],
    );
    check_problems::<PyramidLevels>(
        json!({"mode": "Custom Names", "level_names": ["s0", "a/b", "..", "tables", "s0", ""]}),
        expect![[r#"
            invalid options: 5 problems
              `level_names[1]`: found "a/b", expected a name of letters, digits, `_`, `.`, `-` and inner spaces, without `__` in front
              `level_names[2]`: found "..", expected a name with a letter or digit in it
              `level_names[3]`: found "tables", expected a name without a meaning in OME-Zarr, such as `s0`
              `level_names[4]`: found "s0", expected a name that no other level has
              `level_names[5]`: found "", expected a name with a letter or digit in it"#]],
    );
    check_problems::<PyramidLevels>(
        json!({"mode": "Custom Names", "level_names": []}),
        expect!["invalid options: `level_names`: found [], expected a list of at least 1"],
    );
}

#[test]
fn older_filters_become_those_of_today() {
    let check = |older: Value, expected: Expect| {
        let filter: Filter = from_json(&older, "filter").expect("understood");
        expected.assert_eq(&to_json(&filter).to_string());
    };
    check(
        json!({"name": "Path Regex Include Filter", "regex": "A"}),
        expect![[r#"{"name":"Path Regex Filter","mode":"Include","regex":"A"}"#]],
    );
    check(
        json!({"name": "Path Regex Exclude Filter", "regex": "A"}),
        expect![[r#"{"name":"Path Regex Filter","mode":"Exclude","regex":"A"}"#]],
    );
    check(
        json!({"name": "Well Filter", "wells_to_remove": ["A01"]}),
        expect![[r#"{"name":"Well Filter","mode":"Exclude","wells":["A01"]}"#]],
    );
    check(
        json!({"type": "RegexIncludeFilter", "field": "fov_name", "pattern": "FOV_[12]"}),
        expect![[r#"{"name":"FOV Name Filter","mode":"Include","regex":"FOV_[12]"}"#]],
    );
    check(
        json!({"name": "RegexExcludeFilter", "field": "path", "pattern": "A/01"}),
        expect![[r#"{"name":"Path Regex Filter","mode":"Exclude","regex":"A/01"}"#]],
    );
}

#[test]
fn filters_that_say_too_little_or_too_much_are_problems() {
    check_problems::<Vec<Filter>>(
        json!([
            {},
            {"name": "Well filter", "wells": []},
            {"name": "Path Regex Include Filter", "mode": "Exclude", "regex": "A"},
            {"name": "RegexIncludeFilter", "field": "well", "pattern": "A"},
            {"name": "Attribute Filter", "key": "k", "values": ["a", {"type": "Integer"}]},
        ]),
        expect![[r#"
            invalid options: 6 problems
              `[0].name`: missing, expected one of `Path Regex Filter`, `Well Filter`, `FOV Name Filter`, `Acquisition Filter`, `Attribute Filter`, `Channel Filter`, `Z Range Filter`, `Time Range Filter`, which says what the other keys mean
              `[1].name`: found "Well filter", expected one of `Path Regex Filter`, `Well Filter`, `FOV Name Filter`, `Acquisition Filter`, `Attribute Filter`, `Channel Filter`, `Z Range Filter`, `Time Range Filter`; did you mean `Well Filter`?
              `[2].mode`: found "Exclude", expected `Include`, which this older filter means
              `[3].field`: found "well", expected one of `path`, `fov_name`
              `[4].values[0]`: found "a", expected an object whose `type` is one of `Bool`, `String`, `Integer`, `Float`, `Is None`, `Is Not None`
              `[4].values[1].value`: missing, expected a value: this key has no default"#]],
    );
}

#[test]
fn colors_are_read_in_every_spelling() {
    let written = |color: Value| {
        let channel = json!({"channel_label": "c", "color": color});
        from_json::<ChannelInfoUI>(&channel, "channel").map(|channel| to_json(&channel.color))
    };
    for color in ["Blue (#0000FF)", "Blue", "#0000FF", "#0000ff", "#00f"] {
        assert_eq!(written(json!(color)), Ok(json!("Blue (#0000FF)")), "{color}");
    }
    assert_eq!(written(json!(null)), Ok(json!("Auto")));
    assert_eq!(written(json!("#12abEF")), Ok(json!("#12abEF")));
    check_problems::<ChannelInfoUI>(
        json!({"channel_label": "c", "color": "blu"}),
        expect![[
            r##"invalid options: `color`: found "blu", expected Blue, Red, Yellow, Magenta, Cyan, Gray, Green, Orange, Purple, Teal, Lime, Amber, Pink, Navy, Maroon, Olive, Coral, Violet, Auto, or a color like "#FF8000"; did you mean `Blue`?"##
        ]],
    );
}

#[test]
fn the_pixel_size_has_an_older_key() {
    let older = json!({"pixelsize": 0.325, "z_spacing": 1, "t_spacing": "2"});
    let read: PixelSizeModel = from_json(&older, "pixel_info").expect("understood");
    assert_eq!(
        read,
        PixelSizeModel {
            xy_pixel_size: 0.325,
            z_spacing: 1.0,
            t_spacing: 2.0
        }
    );
}

/// Paths of all objects in a document.
fn objects(value: &Value, at: String, found: &mut Vec<String>) {
    if let Some(object) = value.as_object() {
        found.push(at.clone());
        for (key, value) in object {
            objects(value, format!("{at}/{key}"), found);
        }
    }
}

proptest::proptest! {
    /// Whatever it is called and wherever it stands, an unknown key is refused by its name.
    #[test]
    fn unknown_keys_are_always_refused(key in "[a-z_]{1,12}", place in 0..1000_usize, number in 0..9_i64) {
        let mut document = to_json(&ConverterOptions::default());
        let mut places = Vec::new();
        objects(&document, String::new(), &mut places);
        let place = &places[place % places.len()];
        let object = document.pointer_mut(place).and_then(Value::as_object_mut).expect("an object");
        let known = ["compression", "target_bytes", "overlap", "bad_tiles"].contains(&key.as_str());
        if !known && !object.contains_key(&key) {
            object.insert(key.clone(), json!(number));
            let problems = from_json::<ConverterOptions>(&document, "options").expect_err("an unknown key");
            proptest::prop_assert!(problems.to_string().contains(&format!("{key}`: found an unknown key")), "{}", problems);
        }
    }
}
