//! The compute side: plans and executes the chunk-parallel stitching and writing of one image and its pyramid.
//!
//! [`PlannedImage`] registers an image and plans it, once and without touching a file; [`convert_image`] carries the plan out on the threads
//! of the current rayon pool. The image appears at its place in one step, complete.

mod bad_tiles;
#[doc(hidden)]
pub mod bench;
mod blend;
mod buffer;
mod check;
mod codec;
mod convert;
mod disk;
mod error;
mod event;
mod execute;
mod existing;
mod footprint;
mod frame;
mod guard;
mod halve;
mod image;
mod job;
mod ledger;
mod mark;
mod metadata;
mod node;
mod pixel;
mod plan;
mod report;
mod shard;
mod staging;
mod stamps;
mod threads;
mod tiles;
mod verify;
mod window;
mod zarr_read;

pub use convert::{Conversion, convert_image};
pub use disk::Finding;
pub use error::ComputeError;
pub use event::{Cancellation, Event, Phase, Progress, Silent};
pub use footprint::Footprint;
pub use image::{Loading, PlannedImage, Processing};
pub use mark::Mark;
pub use plan::{Cost, Decoding, ImagePlan, Leaf, Level, Means, Memory, Placement};
pub use report::{LeftOut, Outcome, Report};
pub use staging::is_unfinished;
pub use threads::{Threads, run_each};
pub use verify::{Against, Verification, verify_image};
