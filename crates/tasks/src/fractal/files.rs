//! The two files of a call: arguments are read from one, the answer is written to another that must not exist yet.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::TaskError;

/// The files that a caller names: Fractal's `--args-json FILE --out-json FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFiles {
    /// The arguments, a JSON object.
    pub args_json: PathBuf,
    /// Where the answer goes.
    pub out_json: PathBuf,
}

impl CallFiles {
    /// The arguments, once the answer is known to have a place: work is not begun whose answer nobody could get.
    pub fn open(&self) -> Result<Map<String, Value>, TaskError> {
        check_output(&self.out_json)?;
        read_arguments(&self.args_json)
    }

    /// Where the arguments come from, for messages.
    pub fn place(&self) -> String {
        self.args_json.display().to_string()
    }
}

/// Reads the arguments of a task: a JSON object.
pub fn read_arguments(path: &Path) -> Result<Map<String, Value>, TaskError> {
    let wrong = |problem: String| TaskError::Arguments {
        place: path.display().to_string(),
        problem,
    };
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong(
                "this file of arguments does not exist; correct the path, or write it".into(),
            ));
        }
        read => read.map_err(TaskError::io("read the arguments", path))?,
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => Err(wrong(format!("found {other}, expected an object of arguments"))),
        Err(error) => Err(wrong(format!("it is not valid JSON: {error}"))),
    }
}

/// Refuses an output file that exists, which would be another task's answer, and one that cannot be written. Its folder is made
/// if it is not there.
pub fn check_output(path: &Path) -> Result<(), TaskError> {
    // A link to nowhere is in the way too.
    if path.symlink_metadata().is_ok() {
        return Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "the output file exists already; give a path that does not".into(),
        });
    }
    temporary_beside(path).map(drop)
}

/// Writes the answer of a task, whole, to a file that does not exist yet.
pub fn write_output(path: &Path, output: &Value) -> Result<(), TaskError> {
    write_json(path, output, false)
}

/// Writes JSON to a file: under another name first, so that nobody reads half of it.
pub fn write_json(path: &Path, value: &Value, replace: bool) -> Result<(), TaskError> {
    write_text(path, &serde_json::to_string_pretty(value).unwrap_or_default(), replace)
}

/// Writes text to a file as [`write_json`] does.
pub fn write_text(path: &Path, text: &str, replace: bool) -> Result<(), TaskError> {
    let mut file = temporary_beside(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(TaskError::io("write", path))?;
    let moved = if replace {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    moved.map_err(|error| TaskError::io("write", path)(error.error))?;
    Ok(())
}

/// A file that disappears again unless it is given the name of `path`.
fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile, TaskError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(TaskError::io("create", folder))?;
    tempfile::Builder::new()
        .prefix(".ome-zarr-convert-")
        .tempfile_in(folder)
        .map_err(TaskError::io("write into", folder))
}
