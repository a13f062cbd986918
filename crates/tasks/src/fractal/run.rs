//! From a call to an exit code: what every task does before and after its own work.

use std::error::Error;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use ome_zarr_convert_core::model::Model;
use serde_json::{Map, Value};
use tracing::{error, info};

use super::answer::Answer;
use super::executable::{Executable, call};
use super::files::{CallFiles, write_output};
use super::log::start_log;
use super::task_list::TaskPackage;
use crate::error::TaskError;

/// The name in log lines that are not of the task's own function: that of Fractal's Python wrapper.
const LOGGER: &str = "run_fractal_task";

/// The `main` of an executable that is one task.
///
/// Call it as the platform does: `--args-json FILE --out-json FILE`, or by the names of older servers, `-j FILE
/// --metadata-out FILE`. The arguments are read as the function's model says, the log is started (see [`start_log`]), and the answer is
/// written when the function gives one. On any error nothing is written, the error is the last line of the log, and the exit
/// code is 2 for a call or arguments that cannot be used, else 1.
pub fn run_fractal_task<A, O, E, F>(task: F) -> ExitCode
where
    A: Model,
    O: Answer,
    E: Into<Box<dyn Error>>,
    F: FnOnce(A) -> Result<O, E>,
{
    let name = function_name::<F>();
    let files = start_log().and_then(|()| files_of_call(std::env::args_os().skip(1)));
    end_task(files.and_then(|files| run(name, &files, |arguments, place| call(task, arguments, place))))
}

/// The `main` of an executable that is a package: `NAME --args-json FILE --out-json FILE` runs the function of that name,
/// `manifest` prints the package's manifest, `--list` the names.
pub fn run_task_package(package: &TaskPackage) -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let name = words.next().unwrap_or_default().to_string_lossy().into_owned();
    let text = match name.as_str() {
        "manifest" => package.manifest().map(|manifest| format!("{manifest:#}")),
        "--list" => {
            let names: Vec<&str> = package.executables().iter().map(|executable| executable.name).collect();
            Ok(names.join("\n"))
        }
        name => {
            let files = start_log().and_then(|()| Ok((package.executable(name)?, files_of_call(words)?)));
            return end_task(files.and_then(|(executable, files)| run_executable(executable, &files)));
        }
    };
    let written = text.and_then(|text| match writeln!(std::io::stdout(), "{text}") {
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(TaskError::io("write to", "standard output")(error)),
        _ => Ok(()),
    });
    // A log is only started for what is to be told in it.
    if written.is_err() {
        let _ = start_log();
    }
    end_task(written)
}

/// Runs one executable of a package on the files of a call.
pub fn run_executable(executable: &Executable, files: &CallFiles) -> Result<(), TaskError> {
    run(executable.name, files, |arguments, place| {
        executable.run(arguments, place)
    })
}

/// The exit code of a task; its error is the last line of the log.
pub fn end_task(done: Result<(), TaskError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(target: LOGGER, "{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(
    name: &str,
    files: &CallFiles,
    work: impl FnOnce(&Map<String, Value>, &str) -> Result<Value, TaskError>,
) -> Result<(), TaskError> {
    let arguments = files.open()?;
    info!(target: LOGGER, "START {name} task");
    // The platform reads exit code and log: a panic is told there as any error is.
    let answer = catch_unwind(AssertUnwindSafe(|| work(&arguments, &files.place()))).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Err(TaskError::Panic {
            task: name.to_owned(),
            message: text.unwrap_or("a panic without a text").to_owned(),
        })
    })?;
    write_output(&files.out_json, &answer)?;
    info!(target: LOGGER, "END {name} task");
    Ok(())
}

/// The last part of a function's path: `invert_image`.
fn function_name<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    path.rsplit("::").find(|part| !part.starts_with('{')).unwrap_or(path)
}

/// The files that the words of a call name.
fn files_of_call(words: impl Iterator<Item = OsString>) -> Result<CallFiles, TaskError> {
    const USAGE: &str = "call it with --args-json FILE --out-json FILE (or -j FILE --metadata-out FILE)";
    let wrong = |problem: String| TaskError::Arguments {
        place: "the command line".into(),
        problem: format!("{problem}; {USAGE}"),
    };
    let (mut args_json, mut out_json): (Option<PathBuf>, Option<PathBuf>) = (None, None);
    let mut words = words;
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        let (flag, joined) = match text.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(OsString::from(value))),
            None => (text, None),
        };
        let place = match flag.as_str() {
            "--args-json" | "-j" => &mut args_json,
            "--out-json" | "--metadata-out" => &mut out_json,
            _ => return Err(wrong(format!("found {flag:?}"))),
        };
        let value = joined.or_else(|| words.next());
        let value = value.ok_or_else(|| wrong(format!("{flag} is not followed by a file")))?;
        if place.replace(value.into()).is_some() {
            return Err(wrong(format!("{flag} is given twice")));
        }
    }
    match (args_json, out_json) {
        (Some(args_json), Some(out_json)) => Ok(CallFiles { args_json, out_json }),
        (None, _) => Err(wrong("the file of arguments is missing".into())),
        (_, None) => Err(wrong("the file for the answer is missing".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(line: &str) -> Result<CallFiles, String> {
        files_of_call(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn today_and_older_servers_name_the_same_files() {
        let expected = Ok(CallFiles {
            args_json: "a".into(),
            out_json: "b".into(),
        });
        for line in [
            "--args-json a --out-json b",
            "--out-json=b --args-json=a",
            "-j a --metadata-out b",
        ] {
            assert_eq!(files(line), expected, "{line}");
        }
    }

    #[test]
    fn another_call_is_refused() {
        for (line, word) in [
            ("", "arguments is missing"),
            ("--args-json a", "answer is missing"),
            ("--args-json", "not followed by a file"),
            ("--args-json a --args-json b --out-json c", "given twice"),
            ("--help", "found \"--help\""),
        ] {
            let text = files(line).unwrap_err();
            assert!(text.contains(word) && text.contains("--args-json FILE"), "{text}");
        }
    }

    #[test]
    fn a_panic_is_an_error_without_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let files = CallFiles {
            args_json: dir.path().join("args.json"),
            out_json: dir.path().join("out.json"),
        };
        std::io::Write::write_all(&mut std::fs::File::create(&files.args_json).unwrap(), b"{}").unwrap();
        let error = run("boom", &files, |_, _| panic!("index 3 of {}", 2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the task boom panicked, which is a mistake in the program, not in its input: index 3 of 2"
        );
        assert_eq!(error.exit_code(), 1);
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "neither an answer nor part of one"
        );
    }

    #[test]
    fn a_function_has_a_name() {
        fn name_of<F: FnOnce()>(_: F) -> &'static str {
            function_name::<F>()
        }
        assert_eq!(name_of(a_function_has_a_name), "a_function_has_a_name");
        assert_eq!(name_of(|| {}), "a_function_has_a_name");
    }
}
