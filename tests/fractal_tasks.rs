//! The example tasks, one of each type, called as the platform calls them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use ome_zarr_convert_tasks::Location;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The executable of an example; `cargo test --test fractal_tasks` alone does not build it.
fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<String> = OnceLock::new();
    let messages = BUILT.get_or_init(|| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--offline", "--quiet", "--message-format=json"]);
        cargo.args(["--example", "fractal_tasks", "--example", "prepare_metadata"]);
        cargo.args(["-p", "ome-zarr-convert-workspace"]);
        let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = built.filter(|message| message["target"]["name"] == name);
    found
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap()
}

/// A folder for calls.
struct Calls {
    dir: TempDir,
}

impl Calls {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn output(&self, words: &[&str], arguments: &Value, out: &str) -> Output {
        let args = self.dir.path().join("args.json");
        std::io::Write::write_all(
            &mut std::fs::File::create(&args).unwrap(),
            arguments.to_string().as_bytes(),
        )
        .unwrap();
        let mut command = Command::new(example(words[0]));
        command
            .args(&words[1..])
            .arg("--args-json")
            .arg(args)
            .arg("--out-json")
            .arg(out);
        command
            .env_remove("FRACTAL_TASK_LOG_LEVEL")
            .env_remove("FRACTAL_TASK_LOG_FORMAT");
        command.output().unwrap()
    }

    /// The answer of a task that ends well, and its log.
    #[track_caller]
    fn call(&self, words: &[&str], arguments: &Value) -> (Value, String) {
        let out = self.path("out.json");
        let output = self.output(words, arguments, &out);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        let answer = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
        std::fs::remove_file(out).unwrap();
        (answer, log)
    }

    /// The last line of the log of a task that fails; it leaves no answer.
    #[track_caller]
    fn fail(&self, words: &[&str], arguments: &Value) -> String {
        let out = self.path("out.json");
        let output = self.output(words, arguments, &out);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && !Path::new(&out).exists(), "{log}");
        log[log.rfind("; ERROR; ").unwrap()..].trim_end().to_owned()
    }
}

/// Converts testdata as the platform would, with the init and compute functions of the example's converter.
fn converted(calls: &Calls, ngff_version: &str) -> Vec<Value> {
    let plate = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/hcs_plate");
    let arguments = json!({
        "zarr_dir": calls.path("zarr"),
        "path": plate,
        "converter_options": {"omezarr_options": {"ngff_version": ngff_version}},
    });
    let (list, _) = calls.call(&["fractal_tasks", "init-demo"], &arguments);
    let entries = list["parallelization_list"].as_array().unwrap();
    let update = |entry: &Value| calls.call(&["fractal_tasks", "compute"], entry).0["image_list_updates"][0].take();
    entries.iter().map(update).collect()
}

#[test]
fn prepare_metadata_lists_components() {
    let calls = Calls::new();
    let arguments = json!({"zarr_urls": [], "zarr_dir": "/data", "num_components": null});
    let (answer, log) = calls.call(&["prepare_metadata"], &arguments);
    let updates = answer["image_list_updates"].as_array().unwrap();
    assert_eq!(updates.len(), 10);
    assert_eq!(
        updates[3],
        json!({"zarr_url": "/data/0003", "attributes": {"component": "0003"}, "types": {}})
    );
    let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split("; ").collect()).collect();
    let (levels, messages): (Vec<_>, Vec<_>) = lines.iter().map(|parts| (parts[2], parts[3])).unzip();
    assert_eq!(levels, ["INFO"; 3]);
    assert_eq!(
        messages,
        [
            "START prepare_metadata task",
            "This is a log from prepare_metadata, with 10 components beside 0 images",
            "END prepare_metadata task"
        ]
    );
    // Numbers of forms may be texts or floats.
    let (answer, _) = calls.call(
        &["prepare_metadata"],
        &json!({"zarr_urls": [], "zarr_dir": "/data", "num_components": 2.0}),
    );
    assert_eq!(answer["image_list_updates"].as_array().unwrap().len(), 2);
    let error = calls.fail(&["prepare_metadata"], &json!({"zarr_dir": 1, "num_component": 3}));
    for word in [
        "3 problems",
        "`zarr_urls`: missing",
        "`zarr_dir`: found 1",
        "did you mean `num_components`?",
    ] {
        assert!(error.contains(word), "{error}");
    }
    // An answer that the platform would refuse is refused here.
    let error = calls.fail(
        &["prepare_metadata"],
        &json!({"zarr_urls": [], "zarr_dir": "data", "num_components": 1}),
    );
    assert!(
        error.contains("`image_list_updates[0].zarr_url`: found \"data/0000\", expected an absolute path"),
        "{error}"
    );
}

#[test]
fn a_converter_an_edit_and_a_compound() {
    for version in ["0.4", "0.5"] {
        let calls = Calls::new();
        let images = converted(&calls, version);
        assert_eq!(images.len(), 2);
        let url = images[0]["zarr_url"].as_str().unwrap();

        let task = ["fractal_tasks", "threshold-image"];
        let (answer, log) = calls.call(&task, &json!({"zarr_url": url, "threshold": 1e-07, "channel": 1}));
        assert_eq!(
            answer,
            json!({"image_list_updates": [{"zarr_url": url, "attributes": {}, "types": {"has_threshold_label": true}}]})
        );
        assert!(log.contains("are labelled"), "{log}");
        let label = Path::new(url).join("labels/bright");
        let (metadata, found) = ome_zarr_convert_ngff::ImageMetadata::read(&Location::local(&label).unwrap()).unwrap();
        assert_eq!(found.as_str(), version);
        let axes: Vec<&str> = metadata.axes.iter().map(|axis| axis.name.as_str()).collect();
        assert_eq!(axes, ["z", "y", "x"]);
        let (labels, _) =
            ome_zarr_convert_ngff::read_attributes(&Location::local(label.parent().unwrap()).unwrap()).unwrap();
        assert_eq!(
            labels.get("labels").or_else(|| labels["ome"].get("labels")),
            Some(&json!(["bright"]))
        );
        let again = calls.fail(&task, &json!({"zarr_url": url, "threshold": 3}));
        assert!(again.contains("exists; set `overwrite`"), "{again}");
        calls.call(&task, &json!({"zarr_url": url, "threshold": 3, "overwrite": true}));
        let none = calls.fail(
            &task,
            &json!({"zarr_url": url, "threshold": 3, "label_name": "x", "channel": 9}),
        );
        assert!(none.contains("there is no channel 9"), "{none}");

        let urls: Vec<&Value> = images.iter().map(|image| &image["zarr_url"]).collect();
        let given = json!({"zarr_urls": urls, "zarr_dir": calls.path("zarr")});
        let (list, _) = calls.call(&["fractal_tasks", "group-by-well"], &given);
        let entries = list["parallelization_list"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        let (answer, _) = calls.call(&["fractal_tasks", "count-in-well"], &entries[0]);
        assert_eq!(
            answer["image_list_updates"][0]["attributes"],
            json!({"images_in_well": 1})
        );
    }
}

#[test]
fn a_converter_that_runs_once() {
    let calls = Calls::new();
    let images = converted(&calls, "0.4");
    let zarr_dir = calls.path("single");
    std::fs::create_dir(&zarr_dir).unwrap();
    std::fs::rename(images[0]["zarr_url"].as_str().unwrap(), format!("{zarr_dir}/a.zarr")).unwrap();
    let (answer, _) = calls.call(
        &["fractal_tasks", "import-images"],
        &json!({"zarr_dir": zarr_dir, "only_3d": "yes"}),
    );
    let update = json!({"zarr_url": format!("{zarr_dir}/a.zarr"), "attributes": {"ngff_version": "0.4"}, "types": {"is_3D": true}});
    assert_eq!(answer, json!({"image_list_updates": [update]}));
    let error = calls.fail(&["fractal_tasks", "import-images"], &json!({"zarr_dir": "/nowhere"}));
    assert!(error.contains("No such file"), "{error}");
}

#[test]
fn the_package_has_a_manifest() {
    let run = |word: &str| Command::new(example("fractal_tasks")).arg(word).output().unwrap();
    let manifest: Value = serde_json::from_slice(&run("manifest").stdout).unwrap();
    let types: Vec<&Value> = manifest["task_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["type"])
        .collect();
    assert_eq!(
        types,
        ["parallel", "compound", "converter_non_parallel", "converter_compound"]
    );
    assert_eq!(
        manifest["task_list"][0]["meta_parallel"],
        json!({"cpus_per_task": 1, "mem": 8000})
    );
    let names = String::from_utf8(run("--list").stdout).unwrap();
    assert_eq!(names.lines().count(), 6, "{names}");
    let unknown = run("nothing");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("ERROR; the command line: there is no task \"nothing\""));
}
