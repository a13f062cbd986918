//! `ome-zarr-convert compute` and `slurm`, and how the images of a conversion are run: what clusters and many-core machines need.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ome_zarr_convert_tasks::documents::summary_to_json;
use ome_zarr_convert_tasks::fractal::{check_output, write_json, write_output, write_text};
use ome_zarr_convert_tasks::list::{plan_entry, read_entry, read_list};
use ome_zarr_convert_tasks::slurm::{ArrayJob, Needs};
use ome_zarr_convert_tasks::{
    self as tasks, Compound, ComputeContext, Event, ParallelizationEntry, Phase, Processes, Progress, Runner, Silent,
    Summary, TaskError, Threads, absolute, exec_compound_task, generic_compute_task,
};
use serde_json::json;

use crate::log::say;
use crate::progress::{JsonLines, Listener};
use crate::report::{count, peak_memory, summary_line};
use crate::run::{ProgressKind, RunArguments, bytes, cancel_on_signals, own_program, run_context, threads};

/// How the images of a conversion are run on this machine.
#[derive(Args, Clone, Copy, Debug)]
pub struct RunnerArguments {
    /// How images are run: one after the other on all threads, side by side on one thread each, or in a process each.
    #[arg(long, value_enum, default_value_t = RunnerKind::Auto)]
    pub runner: RunnerKind,
}

/// The runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunnerKind {
    /// Side by side where images are small, else one after the other.
    Auto,
    /// One image after the other, each on all threads.
    Sequential,
    /// Images side by side, one thread each.
    Threads,
    /// A process per image, as many at a time as there are threads.
    Processes,
}

impl RunnerKind {
    /// The runner, with what it starts.
    pub(crate) fn runner(self, processes: &Processes) -> Runner<'_> {
        let kind = match self {
            Self::Auto => tasks::RunnerKind::BySize,
            Self::Sequential => tasks::RunnerKind::Sequential,
            Self::Threads => tasks::RunnerKind::Threads,
            Self::Processes => tasks::RunnerKind::Processes,
        };
        Runner { kind, processes }
    }
}

/// Arguments of `compute`.
#[derive(Args, Debug)]
pub struct ComputeArguments {
    /// The list that `init` wrote.
    #[arg(long, value_name = "LIST.json")]
    pub list: PathBuf,
    /// Which entry of the list, from 0: in an array job, the number of the task.
    #[arg(long, value_name = "N", required_unless_present = "all")]
    pub index: Option<usize>,
    /// All entries of the list. Finished ones are left alone, so that running it again finishes the rest.
    #[arg(long, conflicts_with = "index")]
    pub all: bool,
    /// How the entries are run: one after the other on all threads, side by side on one thread each, or in a process each.
    #[arg(long, value_enum, default_value_t = RunnerKind::Auto, conflicts_with = "index")]
    pub runner: RunnerKind,
    /// The compute task to run instead of our own, with --runner processes: an executable and further words, called as Fractal calls it.
    #[arg(long, value_name = "WORDS", conflicts_with = "index")]
    pub command: Option<String>,
    /// File to write the image list update to [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out_json: Option<PathBuf>,
    /// File to write the summary to, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Folder of relative file paths in the list (lists of other converters; ours are absolute).
    #[arg(long, value_name = "DIR")]
    pub resource: Option<String>,
    /// How the conversion runs.
    #[command(flatten)]
    pub run: RunArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = ProgressKind::Auto)]
    pub progress: ProgressKind,
    /// Number of threads [default: the processors that this process may use].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// `ome-zarr-convert compute`.
pub fn compute(arguments: &ComputeArguments) -> Result<(), TaskError> {
    if let Some(out) = &arguments.out_json {
        check_output(out)?;
    }
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        resource: arguments.resource.as_deref(),
        cancellation: &cancellation,
        ..run_context(&arguments.run)
    };
    let compound = match arguments.index {
        Some(index) => compute_one(arguments, index, &context)?,
        None => compute_all(arguments, &context)?,
    };
    if let Some(path) = &arguments.report {
        let summary = Summary {
            peak_memory_bytes: compound.summary.peak_memory_bytes.max(peak_memory()),
            ..compound.summary.clone()
        };
        write_json(path, &summary_to_json(&summary), true)?;
    }
    let output = json!({ "image_list_updates": compound.updates });
    match &arguments.out_json {
        Some(out) => write_output(out, &output),
        None => {
            crate::log::print(&output.to_string());
            Ok(())
        }
    }
}

fn compute_one(
    arguments: &ComputeArguments,
    index: usize,
    context: &ComputeContext<'_>,
) -> Result<Compound, TaskError> {
    let entry = read_entry(&arguments.list, index)?;
    let threads = threads(arguments.threads, &entry.init_args.converter_options)?;
    // One image has no bar: its scheduler keeps a log.
    let json = JsonLines::default();
    let progress: &dyn Progress = match arguments.progress {
        ProgressKind::Json => &json,
        ProgressKind::Auto | ProgressKind::None => &Silent,
    };
    let context = ComputeContext { progress, ..*context };
    let computed = threads.run(|| generic_compute_task(&entry.zarr_url, &entry.init_args, &context))?;
    let mut compound = Compound::default();
    compound.summary = Summary::of(&computed);
    compound.updates = vec![computed.update];
    Ok(compound)
}

fn compute_all(arguments: &ComputeArguments, context: &ComputeContext<'_>) -> Result<Compound, TaskError> {
    let entries = read_list(&arguments.list)?;
    // Entries of one list have the same options.
    let options = entries.first().map(|entry| entry.init_args.converter_options.clone());
    let threads: Threads = threads(arguments.threads, &options.unwrap_or_default())?;
    let processes = match &arguments.command {
        None => Processes::Own(own_program()?),
        Some(command) if arguments.run.durable || arguments.run.check || arguments.run.memory_limit.is_some() => {
            return Err(TaskError::Arguments {
                place: format!("--command {command:?}"),
                problem: "it cannot be given --durable, --check or --memory-limit; leave them out".into(),
            });
        }
        Some(command) if arguments.runner == RunnerKind::Processes => {
            Processes::task(command, arguments.resource.as_deref())?
        }
        Some(command) => {
            return Err(TaskError::Arguments {
                place: format!("--command {command:?}"),
                problem: "a command is run in processes; add --runner processes".into(),
            });
        }
    };
    let progress = Listener::new(arguments.progress);
    let context = ComputeContext {
        progress: &progress,
        ..*context
    };
    let pixel_bytes = plan_entries(&entries, &context)?;
    progress.on(Event::Phase {
        phase: Phase::Converting,
    });
    let start = std::time::Instant::now();
    let done = exec_compound_task(
        &entries,
        &pixel_bytes,
        arguments.runner.runner(&processes),
        &threads,
        &context,
    );
    progress.finish();
    let mut compound = done?;
    compound.summary.duration = start.elapsed();
    say(&summary_line(&compound.summary));
    Ok(compound)
}

/// Bytes of the pixels of every image. An entry that was finished before may have no document any more: it takes no time either.
fn plan_entries(entries: &[ParallelizationEntry], context: &ComputeContext<'_>) -> Result<Vec<u64>, TaskError> {
    let mut bytes = Vec::with_capacity(entries.len());
    for entry in entries {
        context.cancellation.check()?;
        let planned = plan_entry(entry, context).ok();
        let pixel_bytes = planned.as_ref().map_or(0, |image| image.plan().pixel_bytes());
        context.progress.on(Event::ImagePlanned {
            image: planned.as_ref().map_or(&entry.zarr_url, |image| image.path()),
            row: None,
            column: None,
            tiles: planned.as_ref().map_or(0, |image| image.plan().placements.len()),
            pixel_bytes,
        });
        bytes.push(pixel_bytes);
    }
    Ok(bytes)
}

/// Arguments of `slurm`.
#[derive(Args, Debug)]
pub struct SlurmArguments {
    /// The list that `init` wrote, in a folder that the nodes see.
    #[arg(long, value_name = "LIST.json")]
    pub list: PathBuf,
    /// File to write the script to [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Processors per image [default: from the plan of the largest image].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cpus: Option<u16>,
    /// Memory per image, such as 4G [default: from the plan of the most demanding image].
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub mem: Option<u64>,
    /// Largest array that the cluster takes: `scontrol show config | grep MaxArraySize`. Longer lists give each task several images.
    #[arg(long, value_name = "N", default_value_t = 1001, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_array_size: u32,
    /// How many tasks may run at a time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub at_a_time: Option<u32>,
    /// Folder of the log files, which must exist when the job starts [default: where it is submitted].
    #[arg(long, value_name = "DIR")]
    pub logs: Option<String>,
    /// A further option of sbatch, such as `--sbatch=--partition=short`; may be repeated.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,
    /// Path of ome-zarr-convert on the nodes [default: of this executable].
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
}

/// `ome-zarr-convert slurm`.
pub fn slurm(arguments: &SlurmArguments) -> Result<(), TaskError> {
    let entries: Vec<ParallelizationEntry> = read_list(&arguments.list)?;
    let list_bytes = arguments.list.metadata().map_or(0, |metadata| metadata.len());
    let mut needs = Needs::of(
        &entries,
        arguments.cpus.map(usize::from),
        list_bytes,
        &ComputeContext::new(),
    )?;
    if let Some(bytes) = arguments.mem {
        needs.memory_mib = bytes.div_ceil(1 << 20);
    }
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => own_program()?,
    };
    let job = ArrayJob {
        program,
        list: absolute(&arguments.list.display().to_string())?,
        entries: entries.len(),
        needs,
        max_array_size: arguments.max_array_size as usize,
        at_a_time: arguments.at_a_time.map(|limit| limit as usize),
        logs: arguments.logs.as_deref().map(absolute).transpose()?,
        options: arguments.sbatch.clone(),
    };
    let script = job.script()?;
    match &arguments.out {
        Some(out) => {
            write_text(out, &script, true)?;
            say(&format!(
                "{}, each with {} and {} MiB: sbatch {}",
                count(entries.len(), "image"),
                count(needs.cpus, "processor"),
                needs.memory_mib,
                out.display()
            ));
        }
        None => crate::log::print(script.trim_end()),
    }
    Ok(())
}
