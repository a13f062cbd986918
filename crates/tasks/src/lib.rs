//! Conversions as tasks: the Fractal contract, runners and the compute task of any converter.
//!
//! [`generic_compute_task`] converts one `{zarr_url, init_args}`; [`Request::prepare`] and [`Prepared::convert`] run a whole
//! acquisition in one process; [`fractal`] is how the platform calls an executable; [`inspect`] says what an output holds.

mod acquisition;
mod compute;
mod error;
pub mod fractal;
pub mod inspect;
pub mod plan;
pub mod resources;
mod runner;
mod update;
pub mod verify;

pub use acquisition::{Acquisition, CollectionKind, ImageNames, Reading, read_acquisition};
pub use compute::{ComputeContext, Computed, absolute, generic_compute_task};
pub use error::TaskError;
pub use ome_zarr_convert_compute::{Cancellation, Event, Finding, LeftOut, Outcome, Progress, Report, Silent, Threads};
pub use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
pub use ome_zarr_convert_core::{ParallelizationEntry, ValidatorStep, model, options};
pub use runner::{Prepared, Request, Summary, exec_compound_task};
