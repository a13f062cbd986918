//! How Fractal calls an executable: arguments from one JSON file, the answer into another that must not exist yet.

use std::fs;
use std::path::Path;

use ome_zarr_convert_core::{ConvertParallelInitArgs, model};
use serde_json::{Map, Value};

use crate::compute::{ComputeContext, generic_compute_task};
use crate::error::TaskError;

/// Reads the arguments of a task: a JSON object.
pub fn read_arguments(path: &Path) -> Result<Map<String, Value>, TaskError> {
    let text = fs::read_to_string(path).map_err(TaskError::io("read the arguments", path))?;
    let wrong = |problem: String| TaskError::Arguments {
        place: path.display().to_string(),
        problem,
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => Err(wrong(format!("found {other}, expected an object of arguments"))),
        Err(error) => Err(wrong(format!("it is no JSON: {error}"))),
    }
}

/// Refuses an output file that exists: it would be another task's answer.
pub fn check_output(path: &Path) -> Result<(), TaskError> {
    if path.exists() {
        return Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "the output file exists already; give a path that does not".into(),
        });
    }
    Ok(())
}

/// Writes the answer of a task, whole, to a file that does not exist yet.
pub fn write_output(path: &Path, output: &Value) -> Result<(), TaskError> {
    write_json(path, output, false)
}

/// Writes JSON to a file: under another name first, so that nobody reads half of it.
pub fn write_json(path: &Path, value: &Value, replace: bool) -> Result<(), TaskError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(TaskError::io("create", folder))?;
    let mut file = tempfile::Builder::new()
        .prefix(".ome-zarr-convert-")
        .tempfile_in(folder)
        .map_err(TaskError::io("write into", folder))?;
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(TaskError::io("write", path))?;
    let moved = if replace {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    moved.map_err(|error| TaskError::io("write", path)(error.error))?;
    Ok(())
}

/// The compute task as Fractal calls it: `{zarr_url, init_args}`.
pub fn compute_from_arguments(
    arguments: &Map<String, Value>,
    place: &str,
    context: &ComputeContext<'_>,
) -> Result<Value, TaskError> {
    let entry = ComputeArguments::read(arguments, place)?;
    Ok(generic_compute_task(&entry.zarr_url, &entry.init_args, context)?.output())
}

model::model! {
    /// Arguments of the compute task.
    pub struct ComputeArguments "ComputeArguments" {
        /// Absolute path of the image to write.
        pub zarr_url: String;
        /// What the init task handed over.
        pub init_args: ConvertParallelInitArgs;
    }
}

impl ComputeArguments {
    /// Reads the arguments; every problem is listed.
    pub fn read(arguments: &Map<String, Value>, place: &str) -> Result<Self, TaskError> {
        let value = Value::Object(arguments.clone());
        let read: Self = model::from_json(&value, place).map_err(ome_zarr_convert_core::CoreError::from)?;
        read.init_args.source()?;
        Ok(read)
    }
}
