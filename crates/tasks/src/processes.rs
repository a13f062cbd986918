//! A process per image: what it is started with, how it is watched, and what it leaves.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ome_zarr_convert_compute::{ComputeError, Event};
use ome_zarr_convert_core::ParallelizationEntry;
use serde_json::{Value, json};
use tracing::warn;

use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::fractal::{read_arguments, write_json};
use crate::summary::Summary;

/// How long a process may take to stop by itself once somebody asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What is started for each image.
#[derive(Clone, Debug)]
pub enum Processes {
    /// The executable `ome-zarr-convert` at this path: it is told its share of processors and memory, and what it did is added up.
    Own(PathBuf),
    /// The compute task of any converter, called as Fractal calls it: these words, then `--args-json FILE --out-json FILE`. Its share of
    /// processors is in the environment (`SLURM_CPUS_PER_TASK`), where our compute task looks for it.
    Task(Vec<OsString>),
}

/// What one process may use, and how many there are at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) count: usize,
    threads: usize,
    memory_limit: Option<u64>,
}

impl Processes {
    /// The compute task that a command line of words without quotes names. It gets no resource folder, as on the platform.
    pub fn task(command: &str, resource: Option<&str>) -> Result<Self, TaskError> {
        let wrong = |problem: &str| TaskError::Arguments {
            place: format!("the command {command:?}"),
            problem: problem.to_owned(),
        };
        let words: Vec<OsString> = command.split_whitespace().map(OsString::from).collect();
        match (words.is_empty(), resource) {
            (true, _) => Err(wrong("it is empty; give an executable and perhaps further words")),
            (_, Some(_)) => Err(wrong(
                "it cannot be told the folder of relative file paths; leave the resource out",
            )),
            _ => Ok(Self::Task(words)),
        }
    }

    /// Divides threads and memory between as many processes as there are threads, or images if they are fewer.
    pub(crate) fn share(&self, images: usize, threads: usize, memory_limit: Option<u64>) -> Share {
        let count = threads.min(images).max(1);
        Share {
            count,
            threads: (threads / count).max(1),
            memory_limit: memory_limit.map(|limit| limit / count as u64),
        }
    }

    /// Converts one image in a process of its own and gives its update.
    pub(crate) fn run(
        &self,
        entry: &ParallelizationEntry,
        share: &Share,
        context: &ComputeContext<'_>,
    ) -> Result<(Value, Summary), TaskError> {
        if context.cancellation.is_cancelled() {
            return Err(ComputeError::Cancelled.into());
        }
        let folder = tempfile::Builder::new().prefix("ome-zarr-convert-").tempdir();
        let folder = folder.map_err(TaskError::io("create a folder in", std::env::temp_dir()))?;
        let files = Files::in_folder(folder.path());
        let mut command = self.command(entry, share, context, &files)?;
        let log = File::create(&files.log).map_err(TaskError::io("create", &files.log))?;
        let program = PathBuf::from(command.get_program());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(TaskError::io("start", &program))?;
        let status = wait(child, context).map_err(TaskError::io("wait for", &program))?;
        let log = std::fs::read(&files.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if !status.success() {
            if context.cancellation.is_cancelled() {
                return Err(ComputeError::Cancelled.into());
            }
            return Err(TaskError::Process {
                message: last_error(&log).unwrap_or_else(|| format!("its process ended with {status} and no message")),
            });
        }
        log.lines()
            .filter_map(|line| {
                line.strip_prefix("warning: ")
                    .or_else(|| Some(line.split_once("; WARNING; ")?.1))
            })
            .for_each(|line| warn!("{line}"));
        let update = update_in(&files.answer)?;
        let summary = match self {
            Self::Own(_) => Summary::from_json(&Value::Object(read_arguments(&files.report)?)),
            Self::Task(_) => Summary {
                written: 1,
                ..Summary::default()
            },
        };
        tell(entry, &summary, context);
        Ok((update, summary))
    }

    fn command(
        &self,
        entry: &ParallelizationEntry,
        share: &Share,
        context: &ComputeContext<'_>,
        files: &Files,
    ) -> Result<Command, TaskError> {
        let entry = entry.to_value();
        match self {
            Self::Own(program) => {
                write_json(&files.arguments, &json!({ "parallelization_list": [entry] }), false)?;
                let mut command = Command::new(program);
                command
                    .args(["compute", "--index", "0", "--list"])
                    .arg(&files.arguments);
                command.arg("--out-json").arg(&files.answer);
                command.arg("--report").arg(&files.report);
                command.args(["--threads", &share.threads.to_string()]);
                if let Some(limit) = share.memory_limit {
                    command.args(["--memory-limit", &limit.to_string()]);
                }
                if let Some(resource) = context.resource {
                    command.args(["--resource", resource]);
                }
                if context.durable {
                    command.arg("--durable");
                }
                if context.check {
                    command.arg("--check");
                }
                Ok(command)
            }
            Self::Task(words) => {
                write_json(&files.arguments, &entry, false)?;
                let Some((program, words)) = words.split_first() else {
                    return Err(TaskError::Arguments {
                        place: "the command of the compute task".into(),
                        problem: "it is empty; give an executable and perhaps further words".into(),
                    });
                };
                let mut command = Command::new(program);
                command.args(words);
                command.arg("--args-json").arg(&files.arguments);
                command.arg("--out-json").arg(&files.answer);
                command.env("SLURM_CPUS_PER_TASK", share.threads.to_string());
                Ok(command)
            }
        }
    }
}

/// The files between this process and one that it starts.
struct Files {
    arguments: PathBuf,
    answer: PathBuf,
    report: PathBuf,
    log: PathBuf,
}

impl Files {
    fn in_folder(folder: &Path) -> Self {
        let [arguments, answer, report, log] =
            ["arguments.json", "answer.json", "report.json", "log.txt"].map(|name| folder.join(name));
        Self {
            arguments,
            answer,
            report,
            log,
        }
    }
}

/// Waits for the end. A process of our group is told to stop by the terminal as we are; one that does not is ended, which
/// loses no finished chunk.
fn wait(mut child: Child, context: &ComputeContext<'_>) -> std::io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(500);
    let mut asked: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if context.cancellation.is_cancelled() && asked.get_or_insert_with(Instant::now).elapsed() > GRACE {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The only update in an answer.
fn update_in(answer: &Path) -> Result<Value, TaskError> {
    let document = read_arguments(answer)?;
    let update = document.get("image_list_updates").and_then(|updates| updates.get(0));
    update.cloned().ok_or_else(|| TaskError::Process {
        message: format!(
            "its process answered {}, which holds no update",
            Value::Object(document)
        ),
    })
}

/// The end of a log from its last error on: that of a command (`error: …`) or of a task (`…; ERROR; …`).
fn last_error(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let place = lines
        .iter()
        .rposition(|line| line.starts_with("error: ") || line.contains("; ERROR; "));
    let (first, rest) = match place {
        Some(place) => (lines[place], &lines[place + 1..]),
        // Python ends with the error; so does a shell.
        None => (
            lines.iter().rev().find(|line| !line.trim().is_empty()).copied()?,
            &lines[lines.len()..],
        ),
    };
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let first = first.split_once("; ERROR; ").map_or(first, |(_, message)| message);
    Some([&[first], rest].concat().join("\n").trim_end().to_owned())
}

fn tell(entry: &ParallelizationEntry, summary: &Summary, context: &ComputeContext<'_>) {
    let path = Path::new(&entry.zarr_url);
    if summary.kept > 0 {
        context.progress.on(Event::AlreadyComplete { path });
        return;
    }
    // The pixels of another process are told at once.
    let pixel_bytes = summary.pixel_bytes;
    context.progress.on(Event::ChunkDone { pixel_bytes });
    context.progress.on(Event::ImageComplete { path });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_share_what_there_is() {
        let own = Processes::Own("x".into());
        let share = |images, threads| {
            let share = own.share(images, threads, Some(1200));
            (share.count, share.threads, share.memory_limit)
        };
        assert_eq!(share(100, 4), (4, 1, Some(300)));
        assert_eq!(share(2, 5), (2, 2, Some(600)));
        assert_eq!(share(0, 1), (1, 1, Some(1200)));
    }

    #[test]
    fn the_error_of_a_process_is_found_in_its_log() {
        let check = |log: &str, error: Option<&str>| assert_eq!(last_error(log).as_deref(), error);
        check(
            "warning: x\nerror: 2 of 3 tiles\n  a\n  b\n",
            Some("2 of 3 tiles\n  a\n  b"),
        );
        check("t; n; INFO; START\nt; n; ERROR; no such file\n", Some("no such file"));
        check("Traceback\n  File\nValueError: x\n\n", Some("ValueError: x"));
        check("\n", None);
    }
}
