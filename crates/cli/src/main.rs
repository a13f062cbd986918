//! `ome-zarr-convert`: turns acquisitions into OME-Zarr from the command line.

use std::process::ExitCode;

use clap::Parser;
use ome_zarr_convert_cli::arguments::{Arguments, Command};
use ome_zarr_convert_cli::{cluster, commands, log, task};
use ome_zarr_convert_tasks::fractal::end_task;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let as_json = arguments.command.speaks_json();
    match &arguments.command {
        // A task starts a log of its own.
        Command::Task(_) => {}
        _ if as_json => log::for_programs(),
        _ => log::for_people(),
    }
    let done = match arguments.command {
        Command::Task(task) => return end_task(task::task(task)),
        Command::Slurm(slurm) => cluster::slurm(&slurm),
        Command::Manifest(manifest) => task::manifest(&manifest),
        Command::Convert(convert) => commands::convert(&convert),
        Command::Init(init) => commands::init(&init),
        Command::Compute(compute) => cluster::compute(&compute),
        Command::Options(options) => commands::options(&options),
        Command::Inspect(inspect) => return log::exit_verdict(commands::inspect(&inspect)),
        Command::Plan(plan) => return log::exit_verdict(commands::plan(&plan)),
        Command::Verify(verify) => return log::exit_verdict(commands::verify(&verify)),
    };
    log::exit(done, as_json)
}
