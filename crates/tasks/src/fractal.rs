//! How Fractal calls an executable, and how a Rust function becomes one.
//!
//! A task is a function from arguments, declared with [`model!`](ome_zarr_convert_core::model::model), to an [`Answer`].
//! [`run_fractal_task`] makes the `main` of an executable of it: it reads the arguments, telling every bad key at once, fills
//! defaults, logs as the platform expects, and writes a checked answer or none. A [`TaskPackage`] offers several such functions in
//! one executable, and knows the manifest with which the platform registers them.

mod answer;
mod executable;
mod files;
mod log;
mod manifest;
mod models;
mod run;
mod task_list;

pub use answer::{
    Answer, ImageAttributes, ImageTypes, ImageUpdate, InitOutput, MOST_ENTRIES, ParallelizationItem, TaskOutput,
};
pub use executable::{Executable, InitExecutable};
pub use files::{CallFiles, check_output, read_arguments, write_json, write_output, write_text};
pub use log::{event_message, start_log};
pub use models::{InputModel, converters_tools_models};
pub use run::{end_task, run_executable, run_fractal_task, run_task_package};
pub use task_list::{Resources, Task, TaskKind, TaskPackage};
