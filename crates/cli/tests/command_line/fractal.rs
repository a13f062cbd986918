//! `task`: our Fractal tasks from argument files to answers, and what they say to calls that cannot be.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::acquisition::{Acquisition, Ended, output};

/// Runs a task with these arguments; the answer is `answer.json`, which must not exist.
fn task(here: &Acquisition, name: &str, arguments: &Value) -> Ended {
    here.write("args.json", arguments.to_string());
    here.run(&format!("task {name} --args-json args.json --out-json answer.json"))
}

/// The answer of a task that ended well; it is taken away, so that the next may write its own.
fn answer(here: &Acquisition, name: &str, arguments: &Value) -> Value {
    let ended = task(here, name, arguments).well();
    assert!(!ended.stderr.to_lowercase().contains("warning"), "{}", ended.stderr);
    let answer = serde_json::from_str(&here.read("answer.json")).unwrap();
    fs::remove_file(here.path("answer.json")).unwrap();
    answer
}

/// Init, then compute for every entry: what the platform does. Gives the image list.
fn compound(here: &Acquisition, init: &str, arguments: &Value) -> Vec<Value> {
    let list = answer(here, init, arguments);
    assert_eq!(list.as_object().unwrap().len(), 1, "no other key");
    let entries = list["parallelization_list"].as_array().unwrap();
    let update = |entry: &Value| answer(here, "compute", entry)["image_list_updates"][0].clone();
    entries.iter().map(update).collect()
}

fn plate(here: &Acquisition, acquisitions: Value) -> Value {
    json!({"zarr_dir": here.path("out"), "acquisitions": acquisitions})
}

/// A refused call: its exit code, one ERROR line that has all of `words` in it, no answer.
#[track_caller]
fn refused(here: &Acquisition, ended: &Ended, code: i32, words: &[&str]) {
    let errors = ended.stderr.lines().filter(|line| line.contains("; ERROR; ")).count();
    assert_eq!((ended.code, errors), (code, 1), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is not in: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert!(!here.path("answer.json").exists());
}

#[test]
fn a_plate_is_what_convert_makes_of_it() {
    let here = Acquisition::plate();
    let images = compound(
        &here,
        "init-hcs-plate",
        &plate(&here, json!([{"path": here.path("plate")}])),
    );
    here.run("convert plate --zarr-dir whole").well();
    assert_eq!(output(&here.path("out")), output(&here.path("whole")));
    assert_eq!(
        images[1],
        json!({
            "zarr_url": here.path("out/plate.zarr/C/05/0"),
            "types": {"is_3D": true},
            "attributes": {"drug": "Nocodazole", "plate": "plate.zarr", "well": "C05", "acquisition": 0},
        })
    );
}

#[test]
fn acquisitions_of_one_plate_share_it_and_more_can_be_added() {
    let here = Acquisition::plate();
    here.write("conditions.csv", "row,col,dose\nB,3, \nC,5,high\n");
    let acquisition = |id: u32, advanced: Value| json!({"advanced": advanced, "acquisition_id": id, "plate_name": "P", "path": here.path("plate")});
    let conditions = here.path("conditions.csv");
    let only_c = json!({"filters": [{"name": "Well Filter", "wells": ["C05"], "mode": "Include"}], "condition_table_path": conditions});
    let arguments = plate(
        &here,
        json!([
            acquisition(0, json!({"condition_table_path": conditions})),
            acquisition(2, only_c)
        ]),
    );
    // Nulls arrive, and mean the default.
    let mut first = arguments.clone();
    first["overwrite"] = Value::Null;
    let images = compound(&here, "init-hcs-plate", &first);
    let urls: Vec<&str> = images.iter().map(|image| image["zarr_url"].as_str().unwrap()).collect();
    let url = |below: &str| here.path("out/P.zarr").join(below).display().to_string();
    assert_eq!(urls, [url("B/03/0"), url("C/05/0"), url("C/05/2")]);
    assert_eq!(images[2]["attributes"]["dose"], "high");
    assert_eq!(images[2]["attributes"]["acquisition"], 2);
    assert_eq!(images[0]["attributes"]["dose"], Value::Null, "a blank cell is missing");

    // The same again is refused, unless it is to be extended: then what is there stays, and what is missing is made.
    let again = task(&here, "init-hcs-plate", &arguments);
    refused(&here, &again, 1, &["P.zarr exists already", "Extend"]);
    fs::remove_dir_all(here.path("out/P.zarr/C/05/2")).unwrap();
    let all = json!({"condition_table_path": conditions});
    let mut more = plate(&here, json!([acquisition(2, all.clone()), acquisition(7, all)]));
    more["overwrite"] = json!("Extend");
    assert_eq!(compound(&here, "init-hcs-plate", &more).len(), 4);
    let inspected = here.run("inspect out/P.zarr --json").well();
    let inspected: Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(inspected["problems"], json!([]));
    let images = inspected["wells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|well| well["images"].as_array().unwrap().len());
    assert_eq!(images.collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn an_acquisition_without_images_is_told_and_the_others_go_on() {
    let here = Acquisition::plate();
    let none = json!({"filters": [{"name": "Well Filter", "wells": ["A01"], "mode": "Include"}]});
    let empty = json!({"path": here.path("plate"), "acquisition_id": 1, "advanced": none});
    let ended = task(
        &here,
        "init-hcs-plate",
        &plate(&here, json!([empty, {"path": here.path("plate")}])),
    )
    .well();
    assert!(ended.stderr.contains("; WARNING; "), "{}", ended.stderr);
    fs::remove_file(here.path("answer.json")).unwrap();
    fs::remove_dir_all(here.path("out")).unwrap();
    let alone = task(&here, "init-hcs-plate", &plate(&here, json!([empty])));
    refused(&here, &alone, 2, &["no tiles to convert"]);
    assert!(!here.path("out").exists());
}

#[test]
fn images_have_the_name_that_is_given_or_their_own() {
    let here = Acquisition::images();
    let named = |name: &str, image_name: Value| {
        let images = compound(
            &here,
            "init-images",
            &json!({"zarr_dir": here.path(name), "acquisitions": [{"path": here.path("images"), "image_name": image_name}]}),
        );
        let url = |image: &Value| {
            image["zarr_url"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        images.iter().map(url).collect::<Vec<_>>()
    };
    let own = named("own", Value::Null);
    here.run("convert images --zarr-dir whole --collection image").well();
    assert_eq!(output(&here.path("own")), output(&here.path("whole")));
    assert!(own.len() > 1, "{own:?}");

    // A table without names makes one image, called as its folder.
    let table = here.read("images/tiles.csv");
    let header: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let names = header.iter().position(|name| *name == "image_path").unwrap();
    let keep = |line: &str| {
        let cells = line.split(',').enumerate().filter(|(index, _)| *index != names);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    };
    let first = table.lines().nth(1).unwrap();
    here.write(
        "images/tiles.csv",
        format!("{}\n{}\n", keep(table.lines().next().unwrap()), keep(first)),
    );
    assert_eq!(named("folder", Value::Null), ["images.zarr"]);
    assert_eq!(named("given", json!("one")), ["one.zarr"]);
}

#[test]
fn the_tasks_have_names() {
    let here = Acquisition::plate();
    assert_eq!(
        here.run("task --list").well().stdout,
        "init-hcs-plate\ninit-images\ncompute\n"
    );
    let unknown = task(&here, "compute-image", &json!({}));
    refused(
        &here,
        &unknown,
        2,
        &["no task \"compute-image\"", "init-hcs-plate, init-images, compute"],
    );
}

#[test]
fn the_environment_says_how_the_log_looks() {
    let here = Acquisition::plate();
    here.write(
        "args.json",
        plate(&here, json!([{"path": here.path("plate")}])).to_string(),
    );
    let run = |level: &str, format: &str, out: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ome-zarr-convert"));
        command
            .current_dir(here.path(""))
            .args(["task", "init-hcs-plate", "-j", "args.json", "--metadata-out", out]);
        command
            .env("FRACTAL_TASK_LOG_LEVEL", level)
            .env("FRACTAL_TASK_LOG_FORMAT", format);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, log) = run("INFO", "%(levelname)-8s|%(message)s", "a.json");
    assert_eq!(
        (code, log.lines().next()),
        (Some(0), Some("INFO    |START init-hcs-plate task"))
    );
    fs::remove_dir_all(here.path("out")).unwrap();
    assert_eq!(run("ERROR", "", "b.json"), (Some(0), String::new()));
    for (level, format, word) in [
        ("LOUD", "", "\"LOUD\", expected DEBUG"),
        ("", "%(colour)s", "\"colour\""),
    ] {
        let (code, log) = run(level, format, "c.json");
        assert_eq!(code, Some(2));
        assert!(
            log.contains(word) && log.contains("; ERROR; the environment variable FRACTAL_TASK_LOG_"),
            "{log}"
        );
        assert!(!here.path("c.json").exists());
    }
}

#[test]
fn argument_files_that_cannot_be_used() {
    let here = Acquisition::plate();
    let run = |args: &str| here.run(&format!("task compute --args-json {args} --out-json answer.json"));
    refused(&here, &run("nowhere.json"), 2, &["nowhere.json", "does not exist"]);
    refused(&here, &run("plate"), 1, &["cannot read the arguments", "plate"]);
    for (content, word) in [
        (&b""[..], "not valid JSON"),
        (b"{\"zarr_url\": ", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[1, 2]", "found [1,2], expected an object"),
        (b"null", "found null, expected an object"),
    ] {
        here.write("args.json", content);
        refused(&here, &run("args.json"), 2, &["args.json", word]);
    }
}

#[test]
fn every_bad_key_is_told_at_once() {
    let here = Acquisition::plate();
    let arguments = json!({
        "acquisitions": [
            {"path": 3, "plate_nam": "P", "acquisition_id": -1},
            {"path": "p", "advanced": {"filters": [{"name": "Well Filtre"}], "data_type": "uint9"}},
        ],
        "converter_options": {"omezarr_options": {"levels": {"mode": "Number of Levels", "num_levels": "many"}}},
        "overwrite": "Overwrit",
        "zarr_urls": [],
    });
    let ended = task(&here, "init-hcs-plate", &arguments);
    let words = [
        "args.json: 9 problems",
        "`zarr_dir`: missing",
        "`acquisitions[0].path`: found 3, expected a text",
        "`acquisitions[0].plate_nam`: found an unknown key",
        "did you mean `plate_name`?",
        "`acquisitions[0].acquisition_id`: found -1",
        "`acquisitions[1].advanced.filters[0].name`: found \"Well Filtre\"",
        "did you mean `Well Filter`?",
        "`acquisitions[1].advanced.data_type`: found \"uint9\"",
        "num_levels`: found \"many\"",
        "`overwrite`: found \"Overwrit\"",
        "`zarr_urls`: found an unknown key",
    ];
    refused(&here, &ended, 2, &words);
    let none = task(&here, "init-hcs-plate", &plate(&here, json!([])));
    refused(
        &here,
        &none,
        2,
        &["`acquisitions`: found [], expected a list of at least 1"],
    );
    let nothing = task(&here, "compute", &json!({}));
    refused(&here, &nothing, 2, &["`zarr_url`: missing", "`init_args`: missing"]);
    assert!(!here.path("out").exists());
}

#[test]
fn an_answer_needs_a_place_before_work_is_begun() {
    let here = Acquisition::plate();
    here.write(
        "args.json",
        plate(&here, json!([{"path": here.path("plate")}])).to_string(),
    );
    here.write("taken.json", "another task's answer");
    let run = |out: &str| here.run(&format!("task init-hcs-plate --args-json args.json --out-json {out}"));
    refused(&here, &run("taken.json"), 2, &["taken.json", "exists already"]);
    assert_eq!(here.read("taken.json"), "another task's answer");
    // Even an administrator cannot make a folder of a file.
    refused(&here, &run("taken.json/answer.json"), 1, &["cannot", "taken.json"]);
    refused(&here, &run("plate"), 2, &["exists already"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", here.path("link.json")).unwrap();
        refused(&here, &run("link.json"), 2, &["exists already"]);
    }
    assert!(!here.path("out").exists(), "nothing was begun");
    assert!(!here.path("nowhere").exists());
}

#[test]
fn a_path_that_is_not_tidy_is_made_so() {
    let here = Acquisition::plate();
    let list = answer(
        &here,
        "init-hcs-plate",
        &plate(&here, json!([{"path": here.path("plate")}])),
    );
    let mut entry = list["parallelization_list"][0].clone();
    entry["zarr_url"] = json!("out/../elsewhere//image.zarr/");
    let update = answer(&here, "compute", &entry)["image_list_updates"][0].clone();
    assert_eq!(update["zarr_url"], json!(here.path("elsewhere/image.zarr")));
    assert!(here.path("elsewhere/image.zarr/.zattrs").is_file());
}

#[test]
fn images_that_cannot_be_where_they_should() {
    let here = Acquisition::plate();
    let list = answer(
        &here,
        "init-hcs-plate",
        &plate(&here, json!([{"path": here.path("plate")}])),
    );
    let entry = &list["parallelization_list"][0];
    for (url, words) in [
        ("", &["empty"][..]),
        ("/", &["/"]),
        (
            "s3://bucket/image.zarr",
            &["s3://bucket/image.zarr", "not supported yet"],
        ),
        ("https://example.org/image.zarr", &["https:// is not a local path"]),
        ("/dev/null/image.zarr", &["/dev/null"]),
        ("a\u{0}b", &["NUL"]),
    ] {
        let mut entry = entry.clone();
        entry["zarr_url"] = json!(url);
        let ended = task(&here, "compute", &entry);
        assert_ne!(ended.code, 0, "{url}");
        refused(&here, &ended, ended.code, words);
    }
    for (change, words) in [
        (
            json!({"zarr_dir": "ftp://host/out"}),
            &["ftp:// is not a local path"][..],
        ),
        (json!({"zarr_dir": ""}), &["empty"]),
        (
            json!({"acquisitions": [{"path": here.path("nowhere")}]}),
            &["nowhere does not exist"],
        ),
        (
            json!({"acquisitions": [{"path": here.path("plate"), "plate_name": "../P"}]}),
            &["\"../P\""],
        ),
    ] {
        let mut arguments = plate(&here, json!([{"path": here.path("plate"), "plate_name": "Q"}]));
        arguments
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let ended = task(&here, "init-hcs-plate", &arguments);
        assert_ne!(ended.code, 0);
        refused(&here, &ended, ended.code, words);
    }
}
