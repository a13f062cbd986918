//! `init`, `compute` and `ome-zarr-compute`: a conversion taken apart for a scheduler.

use serde_json::{Value, json};

use crate::acquisition::{Acquisition, output};

/// Sets the plate up in `out` and gives the parallelization list, which is also in `list.json`.
fn init(here: &Acquisition, arguments: &str) -> Vec<Value> {
    here.run(&format!("init plate --zarr-dir out --out list.json {arguments}"))
        .well();
    let document: Value = serde_json::from_str(&here.read("list.json")).unwrap();
    assert_eq!(document.as_object().unwrap().len(), 1, "Fractal allows no other key");
    document["parallelization_list"].as_array().unwrap().clone()
}

fn json_file(here: &Acquisition, path: &str) -> Value {
    serde_json::from_str(&here.read(path)).unwrap()
}

#[test]
fn init_and_compute_write_what_convert_writes() {
    let here = Acquisition::plate();
    let entries = init(&here, "");
    assert_eq!(entries.len(), 2);
    assert!(here.path("out/plate.zarr/.zattrs").is_file());
    assert!(
        !here.path("out/plate.zarr/B/03/0").exists(),
        "images are for the compute task"
    );
    let zarr_url = here.path("out/plate.zarr/B/03/0").display().to_string();
    assert_eq!(
        entries[0]["zarr_url"],
        json!(zarr_url),
        "relative paths become absolute"
    );

    let update = json!({"image_list_updates": [{
        "zarr_url": zarr_url,
        "types": {"is_3D": true},
        "attributes": {"drug": "DMSO", "plate": "plate.zarr", "well": "B03", "acquisition": 0},
    }]});
    let first = here
        .run("compute --list list.json --index 0 --out-json first.json")
        .well();
    assert_eq!(first.stdout, "");
    assert_eq!(json_file(&here, "first.json"), update);

    // The same entry again: finished before, the same answer.
    let second = here.run("compute --list list.json --index 0").well();
    assert_eq!(serde_json::from_str::<Value>(&second.stdout).unwrap(), update);

    here.run("compute --list list.json --index 1 --threads 2").well();
    here.run("convert plate --zarr-dir whole").well();
    assert_eq!(output(&here.path("out")), output(&here.path("whole")));
}

#[test]
fn an_answer_is_never_overwritten() {
    let here = Acquisition::plate();
    let entries = init(&here, "");
    here.write("args.json", entries[1].to_string());
    here.write("taken.json", "another task's answer");
    let refused = here.run("compute --list list.json --index 0 --out-json taken.json");
    refused.with_error(2, &["taken.json", "exists already"]);
    let refused = here.run_task("--args-json args.json --out-json taken.json");
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("ERROR; taken.json"), "{}", refused.stderr);
    assert_eq!(here.read("taken.json"), "another task's answer");
    assert!(!here.path("out/plate.zarr/B/03/0").exists());
    assert!(!here.path("out/plate.zarr/C/05/0").exists());
}

#[test]
fn the_task_of_a_scheduler() {
    let here = Acquisition::plate();
    let entries = init(&here, "");
    here.write("args.json", entries[1].to_string());
    let ended = here.run_task("--args-json args.json --out-json answer.json").well();
    assert_eq!(ended.stdout, "");
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(lines.len() >= 2, "{lines:?}");
    for line in lines {
        assert_eq!(
            line.split("; ").nth(2),
            Some("INFO"),
            "time; name; LEVEL; message: {line}"
        );
        assert!(!line.to_lowercase().contains("warning"), "{line}");
    }
    let answer = json_file(&here, "answer.json");
    assert_eq!(answer["image_list_updates"][0]["attributes"]["well"], "C05");

    // Older servers call it so.
    let again = here.run_task("-j args.json --metadata-out again.json").well();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(json_file(&here, "again.json"), answer);
}

#[test]
fn a_hand_over_in_files_is_used_up_and_still_a_second_run_ends_well() {
    let here = Acquisition::plate();
    here.write(
        "options.json",
        r#"{"runtime_settings": {"temp_json_options": {"serialization": "JSON"}}}"#,
    );
    let entries = init(&here, "--options options.json");
    let file = |entry: &Value| {
        entry["init_args"]["tiled_image_json_dump_url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(std::path::Path::new(&file(&entries[0])).is_file());
    here.run("compute --list list.json --index 0 --out-json first.json")
        .well();
    assert!(!std::path::Path::new(&file(&entries[0])).exists());
    assert!(
        std::path::Path::new(&file(&entries[1])).is_file(),
        "other documents are left alone"
    );

    here.run("compute --list list.json --index 0 --out-json second.json")
        .well();
    assert_eq!(json_file(&here, "first.json"), json_file(&here, "second.json"));

    here.run("compute --list list.json --index 1").well();
    assert!(!here.path("out/_tmp_json").exists(), "an empty folder is removed");
}

#[test]
fn wrong_usage_says_what_is_wrong() {
    let here = Acquisition::plate();
    init(&here, "");
    here.run("compute --list list.json --index 2")
        .with_error(2, &["list.json", "no entry 2", "2 entries count from 0"]);
    here.run("compute --list plate/tiles.csv --index 0")
        .with_error(2, &["plate/tiles.csv", "not valid JSON"]);
    here.run("convert plate").with_error(2, &["--zarr-dir"]);
    here.run("convert plate --zarr-dir out2 --threads 0")
        .with_error(2, &["--threads"]);
    here.run("convert plate --zarr-dir out2 --collection image --plate P")
        .with_error(2, &["--collection image", "leave --plate"]);
    here.run("compute --list list.json --all --runner processes --command x --durable")
        .with_error(2, &["--command \"x\"", "leave them out"]);
    here.run("convert plate --zarr-dir s3://bucket/out")
        .with_error(2, &["s3://bucket/out", "is not supported yet"]);
    here.write(
        "args.json",
        r#"{"zarr_url": "/x", "init_args": {"tiled_image_json": "{}"}}"#,
    );
    let ended = here.run_task("--args-json args.json --out-json answer.json");
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("tiled_image_json_str"),
        "the key that was meant: {}",
        ended.stderr
    );
    assert!(!here.path("answer.json").exists());
}
