//! The committed manifest is what the program says, and Fractal's own models take it (the latter in tests/fractal).
#![cfg(test)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn run(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_ome-zarr-convert"))
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/src/ome_zarr_convert")
}

fn manifest() -> Value {
    serde_json::from_slice(&run(&["manifest"]).stdout).unwrap()
}

/// `UPDATE_DOCS=1` writes what the program says.
#[test]
fn the_committed_manifest_is_what_the_program_says() {
    let said = run(&["manifest"]).stdout;
    let path = package().join("__FRACTAL_MANIFEST__.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(package()).unwrap();
        std::fs::File::create(&path).unwrap().write_all(&said).unwrap();
    }
    let written = std::fs::read(&path).unwrap_or_default();
    assert!(
        written == said,
        "{} is not what `ome-zarr-convert manifest` prints: run this test with UPDATE_DOCS=1 and look at what changed",
        path.display()
    );
}

/// What fractal-server's models of a manifest demand, as far as it is not in the types already.
#[test]
fn every_task_has_what_the_platform_demands() {
    let manifest = manifest();
    assert_eq!(manifest["manifest_version"], "2");
    for task in manifest["task_list"].as_array().unwrap() {
        for half in ["non_parallel", "parallel"] {
            let parts = ["executable", "meta", "args_schema"].map(|part| task.get(format!("{part}_{half}")).is_some());
            assert!(
                parts == [true; 3] || parts == [false; 3],
                "{} {half}: {parts:?}",
                task["name"]
            );
        }
        assert!(task["docs_link"].as_str().unwrap().starts_with("https://"));
    }
}

/// Every reference of a schema is defined in it, and every property has what a form shows.
#[test]
fn schemas_are_whole() {
    for task in manifest()["task_list"].as_array().unwrap() {
        for half in ["args_schema_non_parallel", "args_schema_parallel"] {
            let Some(schema) = task.get(half) else { continue };
            check(schema, schema, "");
        }
    }
}

fn check(part: &Value, root: &Value, at: &str) {
    match part {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let pointer = reference.trim_start_matches('#');
                assert!(root.pointer(pointer).is_some(), "{at} refers to {reference}");
            }
            if let Some(Value::Object(properties)) = object.get("properties") {
                for (name, property) in properties {
                    for key in ["title", "description"] {
                        assert!(property[key].is_string(), "{at}/{name} has no {key}");
                    }
                }
            }
            for (key, value) in object {
                // Defaults and names of properties are no schemas.
                if key != "default" {
                    check(value, root, &format!("{at}/{key}"));
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| check(part, root, at)),
        _ => {}
    }
}

#[test]
fn the_models_of_the_reference_are_there() {
    let models: Value = serde_json::from_slice(&run(&["manifest", "--models"]).stdout).unwrap();
    let models = models.as_object().unwrap();
    assert_eq!(models.len(), 11);
    for (name, schema) in models {
        assert_eq!(schema["type"], "object", "{name}");
        check(schema, schema, name);
    }
}
