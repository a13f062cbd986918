//! `ome-zarr-compute`: the compute task, called once per image by Fractal or any scheduler.

use std::process::ExitCode;

use clap::Parser;
use ome_zarr_convert_cli::arguments::ComputeTask;
use ome_zarr_convert_cli::{commands, log};

fn main() -> ExitCode {
    let arguments = ComputeTask::parse();
    log::for_tasks();
    log::exit_task(commands::compute_task(&arguments))
}
