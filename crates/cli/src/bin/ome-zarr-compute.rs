//! `ome-zarr-compute`: the compute task, called once per image by Fractal or any scheduler.

use std::process::ExitCode;

use clap::Parser;
use ome_zarr_convert_cli::arguments::ComputeTask;
use ome_zarr_convert_cli::commands;
use ome_zarr_convert_tasks::fractal::{end_task, start_log};

fn main() -> ExitCode {
    let arguments = ComputeTask::parse();
    end_task(start_log().and_then(|()| commands::compute_task(arguments)))
}
