//! Conversions as tasks: the Fractal contract, runners and the compute task of any converter.
//!
//! [`generic_compute_task`] converts one `{zarr_url, init_args}`; [`Request::prepare`] and [`Planned::convert`] run a whole
//! acquisition in one process; [`fractal`] is how the platform calls an executable, [`offered`] what we offer to it; [`inspect`] says what an output holds.

mod acquisition;
mod compound;
mod compute;
pub mod documents;
mod error;
pub mod fractal;
pub mod inspect;
pub mod list;
pub mod offered;
pub mod plan;
mod processes;
pub mod resources;
mod runner;
pub mod schedule;
pub mod slurm;
mod summary;
mod update;
pub mod verify;

pub use acquisition::{Acquisition, CollectionKind, ImageNames, Reading, read_acquisition};
pub use compound::{Compound, Runner, exec_compound_task};
pub use compute::{ComputeContext, Computed, absolute, generic_compute_task};
pub use error::{Suggestion, TaskError};
pub use ome_zarr_convert_compute::{
    Cancellation, Decoding, Event, Finding, LeftOut, Outcome, Phase, PlannedImage, Progress, Report, Silent, Threads,
};
pub use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
pub use ome_zarr_convert_core::{ParallelizationEntry, ValidatorStep, model, options};
pub use ome_zarr_convert_store::Location;
pub use processes::Processes;
pub use runner::{Planned, Prepared, Request};
pub use schedule::RunnerKind;
pub use summary::Summary;
