//! The compute side: plans and executes the chunk-parallel stitching and writing of one image and its pyramid.
//!
//! [`ImagePlan`] says, without touching a file, what an image will be; [`convert_image`] registers an image, plans it and carries
//! the plan out on the threads of the current rayon pool. The image appears at its path in one step, complete.

#[doc(hidden)]
pub mod bench;
mod blend;
mod buffer;
mod codec;
mod convert;
mod disk;
mod error;
mod execute;
mod footprint;
mod frame;
mod guard;
mod halve;
mod ledger;
mod metadata;
mod node;
mod pixel;
mod plan;
mod progress;
mod publish;
mod shard;
mod threads;
mod tiles;
mod verify;
mod window;

pub use convert::{
    Conversion, LeftOut, Outcome, Report, choose_means, convert_image, plan_image, plan_image_with, preflight,
};
pub use disk::Finding;
pub use error::ComputeError;
pub use footprint::Footprint;
pub use plan::{Cost, Decoding, ImagePlan, Index5, Leaf, Level, Means, Memory, Placement};
pub use progress::{Cancellation, Event, Progress, Silent};
pub use publish::{Mark, is_unfinished};
pub use threads::{Threads, run_each};
pub use verify::{Against, Verification, verify_image};
