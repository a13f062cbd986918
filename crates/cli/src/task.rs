//! `ome-zarr-convert task` and `manifest`: our tasks as Fractal calls and registers them.

use std::path::PathBuf;

use clap::Args;
use ome_zarr_convert_tasks::TaskError;
use ome_zarr_convert_tasks::fractal::{CallFiles, converters_tools_models, start_log};
use ome_zarr_convert_tasks::offered::{offered_tasks, run_offered};
use serde_json::{Map, Value};

use crate::run::cancel_on_signals;

/// Arguments of `task`.
#[derive(Args, Debug)]
pub struct TaskArguments {
    /// Name of the task; `--list` gives them.
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,
    /// Print the names of the tasks, one per line.
    #[arg(long, conflicts_with_all = ["name", "args_json", "out_json"])]
    pub list: bool,
    /// The files of the call.
    #[command(flatten)]
    pub files: CallArguments,
}

/// The files of a call, under their names of today and of older servers.
#[derive(Args, Debug)]
pub struct CallArguments {
    /// JSON file with the arguments.
    #[arg(long, short = 'j', value_name = "FILE", required_unless_present = "list")]
    pub args_json: Option<PathBuf>,
    /// JSON file to write the answer to; it must not exist yet.
    #[arg(long, alias = "metadata-out", value_name = "FILE", required_unless_present = "list")]
    pub out_json: Option<PathBuf>,
}

/// Arguments of `manifest`.
#[derive(Args, Debug)]
pub struct ManifestArguments {
    /// Print the models that arguments of converters are made of instead, each with its JSON schema.
    #[arg(long)]
    pub models: bool,
}

/// `ome-zarr-convert task`: its log is that of a task.
pub fn task(arguments: TaskArguments) -> Result<(), TaskError> {
    let cancellation = cancel_on_signals();
    if arguments.list {
        for executable in offered_tasks(&cancellation).executables() {
            crate::log::print(executable.name);
        }
        return Ok(());
    }
    start_log()?;
    // The command line has been refused without them.
    let (name, files) = (arguments.name.unwrap_or_default(), arguments.files);
    let files = CallFiles {
        args_json: files.args_json.unwrap_or_default(),
        out_json: files.out_json.unwrap_or_default(),
    };
    run_offered(&name, &files, &cancellation)
}

/// `ome-zarr-convert manifest`.
pub fn manifest(arguments: &ManifestArguments) -> Result<(), TaskError> {
    let document = if arguments.models {
        let models = converters_tools_models();
        let models: Map<String, Value> = models
            .iter()
            .map(|model| (model.name.to_owned(), model.schema()))
            .collect();
        Value::Object(models)
    } else {
        offered_tasks(&cancel_on_signals()).manifest()?
    };
    crate::log::print(&format!("{document:#}"));
    Ok(())
}
