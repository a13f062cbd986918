//! A process per image: what it is started with, how it is watched, and what it leaves.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ome_zarr_convert_compute::{ComputeError, Event};
use ome_zarr_convert_core::ParallelizationEntry;
use ome_zarr_convert_geometry::Fault;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::compute::ComputeContext;
use crate::documents::{Notice, event_from_json, summary_from_json};
use crate::error::TaskError;
use crate::fractal::{read_arguments, write_json};
use crate::schedule::Group;
use crate::summary::Summary;

/// How long a process may take to stop by itself once cancellation was requested.
const GRACE: Duration = Duration::from_secs(5);

/// What is started for each image.
#[derive(Clone, Debug)]
pub enum Processes {
    /// The executable `ome-zarr-convert` at this path: it is given its share of processors and memory, speaks of what happens in JSON lines,
    /// and what it did is added up.
    Own(PathBuf),
    /// The compute task of any converter, called as Fractal calls it: these words, then `--args-json FILE --out-json FILE`. Its share of
    /// processors is in the environment (`SLURM_CPUS_PER_TASK`), where our compute task looks for it.
    Task(Vec<OsString>),
}

/// The files between this process and one that it starts.
struct Files {
    arguments: PathBuf,
    answer: PathBuf,
    report: PathBuf,
    log: PathBuf,
}

/// How a process ended.
struct Ended {
    status: ExitStatus,
    /// The error that it reported in a line.
    failed: Option<(String, Fault)>,
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
                "it cannot be given the folder of relative file paths; leave the resource out",
            )),
            _ => Ok(Self::Task(words)),
        }
    }

    /// Converts one image in a process of its own and gives its update.
    pub(crate) fn run(
        &self,
        entry: &ParallelizationEntry,
        image: &str,
        group: &Group,
        context: &ComputeContext<'_>,
    ) -> Result<(Value, Summary), TaskError> {
        context.cancellation.check()?;
        let folder = tempfile::Builder::new().prefix("ome-zarr-convert-").tempdir();
        let folder = folder.map_err(TaskError::io("create a folder in", std::env::temp_dir()))?;
        let files = Files::in_folder(folder.path());
        let mut command = self.command(entry, group, context, &files)?;
        let log = File::create(&files.log).map_err(TaskError::io("create", &files.log))?;
        let program = PathBuf::from(command.get_program());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let child = command.spawn().map_err(TaskError::io("start", &program))?;
        let ended = watch(child, image, context).map_err(TaskError::io("wait for", &program))?;
        let log = std::fs::read(&files.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if !ended.status.success() {
            return Err(failure(&ended, &log, context));
        }
        let update = update_in(&files.answer)?;
        match self {
            Self::Own(_) => Ok((update, summary_from_json(&read_arguments(&files.report)?))),
            Self::Task(_) => {
                log.lines().for_each(|line| info!("{line}"));
                context.progress.on(Event::ImageComplete { image, pixel_bytes: 0 });
                let summary = Summary {
                    written: 1,
                    ..Summary::default()
                };
                Ok((update, summary))
            }
        }
    }

    fn command(
        &self,
        entry: &ParallelizationEntry,
        group: &Group,
        context: &ComputeContext<'_>,
        files: &Files,
    ) -> Result<Command, TaskError> {
        let entry = entry.to_value();
        let Self::Own(program) = self else {
            write_json(&files.arguments, &entry, false)?;
            return self.foreign_command(group, files);
        };
        write_json(&files.arguments, &json!({ "parallelization_list": [entry] }), false)?;
        let mut command = Command::new(program);
        command.args(["compute", "--index", "0", "--progress", "json", "--list"]);
        command.arg(&files.arguments);
        command.arg("--out-json").arg(&files.answer);
        command.arg("--report").arg(&files.report);
        command.args(["--threads", &group.threads.to_string()]);
        if let Some(limit) = context.memory_limit {
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

    fn foreign_command(&self, group: &Group, files: &Files) -> Result<Command, TaskError> {
        let words = match self {
            Self::Own(program) => vec![program.clone().into_os_string()],
            Self::Task(words) => words.clone(),
        };
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
        command.env("SLURM_CPUS_PER_TASK", group.threads.to_string());
        Ok(command)
    }
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

/// Hands on what a process says, line by line, and waits for its end. A process of our group gets the terminal's signal as we do; one that does
/// not stop is ended, which loses no finished chunk.
fn watch(mut child: Child, image: &str, context: &ComputeContext<'_>) -> std::io::Result<Ended> {
    let lines = child.stdout.take();
    std::thread::scope(|scope| {
        let listener = scope.spawn(|| listen(lines, image, context));
        let status = wait(&mut child, context)?;
        let failed = listener.join().unwrap_or_default();
        Ok(Ended { status, failed })
    })
}

/// Hands events on; gives the error that a process reports.
fn listen(lines: Option<ChildStdout>, image: &str, context: &ComputeContext<'_>) -> Option<(String, Fault)> {
    let mut failed = None;
    let mut lines = BufReader::new(lines?);
    let mut line = Vec::new();
    while matches!(lines.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        if let Ok(document) = serde_json::from_slice::<Value>(&line) {
            match Notice::from_json(&document) {
                Some(Notice::Warning(message)) => warn!("{image}: {message}"),
                Some(Notice::Failed { error, fault }) => failed = Some((error, fault)),
                None => event_from_json(&document)
                    .into_iter()
                    .for_each(|event| context.progress.on(event)),
            }
        }
        line.clear();
    }
    // Whatever else comes must not keep the process from ending.
    let _ = std::io::copy(&mut lines.by_ref(), &mut std::io::sink());
    failed
}

fn wait(child: &mut Child, context: &ComputeContext<'_>) -> std::io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(500);
    let mut requested: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if context.cancellation.is_cancelled() && requested.get_or_insert_with(Instant::now).elapsed() > GRACE {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The error of a process that failed: what it reported, else the end of its log.
fn failure(ended: &Ended, log: &str, context: &ComputeContext<'_>) -> TaskError {
    if context.cancellation.is_cancelled() {
        return ComputeError::Cancelled.into();
    }
    if let Some((message, fault)) = ended.failed.clone() {
        return TaskError::Process { message, fault };
    }
    // A command of another program is asked to end with 2 for a wrong call, as ours does; a signal has no code.
    let fault = match ended.status.code() {
        Some(2) => Fault::Usage,
        _ => Fault::Environment,
    };
    let last = log.lines().rev().find(|line| !line.trim().is_empty());
    let message = last.map_or_else(
        || format!("its process ended with {} and no message", ended.status),
        |last| format!("its process ended with {}: {last}", ended.status),
    );
    TaskError::Process { message, fault }
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
        fault: Fault::Bug,
    })
}
