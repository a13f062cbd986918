//! How to run, from the arguments that all commands with pixels share: memory, threads, progress, cancellation.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ome_zarr_convert_tasks::resources::{default_memory_limit, default_open_sources, thread_count};
use ome_zarr_convert_tasks::{Cancellation, ComputeContext, ConverterOptions, TaskError, Threads};

/// How a conversion runs.
#[derive(Args, Debug)]
pub struct RunArguments {
    /// Memory that the process may take, such as 4G or 500MiB [default: what the system or the scheduler grants].
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub memory_limit: Option<u64>,
    /// Make sure that an image outlasts a loss of power before it appears. Slower.
    #[arg(long)]
    pub durable: bool,
    /// Decode what an unfinished earlier run has written before it is kept.
    #[arg(long)]
    pub check: bool,
}

pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = ome_zarr_convert_tasks::resources::parse_bytes(text);
    bytes.ok_or_else(|| "expected a number of bytes, such as 500M or 4GiB".into())
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, plain lines elsewhere.
    Auto,
    /// One JSON document per event, on standard output.
    Json,
    /// Nothing.
    None,
}

/// What the arguments say of how to run; the memory limit is that of the system unless they say otherwise.
pub(crate) fn run_context(run: &RunArguments) -> ComputeContext<'static> {
    ComputeContext {
        memory_limit: run.memory_limit.or_else(default_memory_limit),
        open_sources: default_open_sources(),
        durable: run.durable,
        check: run.check,
        ..ComputeContext::new()
    }
}

/// The cancellation of this process's job, which SIGINT and SIGTERM request: the conversion stops at its next plane and can go on later.
pub(crate) fn cancel_on_signals() -> Cancellation {
    let cancellation = Cancellation::new();
    let job = cancellation.clone();
    // Fails only where a handler is set already, which then decides.
    let _ = ctrlc::set_handler(move || job.cancel());
    cancellation
}

pub(crate) fn threads(asked: Option<u16>, options: &ConverterOptions) -> Result<Threads, TaskError> {
    Ok(Threads::new(thread_count(asked.map(usize::from), options))?)
}

/// The path of this very executable, which `--runner processes` starts.
pub(crate) fn own_program() -> Result<PathBuf, TaskError> {
    std::env::current_exe().map_err(|source| TaskError::Io {
        action: "find the path of",
        path: "this program".into(),
        source,
    })
}
