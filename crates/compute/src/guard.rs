//! Panics as errors: one in a loader of a converter author, or in this crate, fails its image and not the process that serves
//! others.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::ComputeError;

/// Runs `work`; a panic in it becomes an error that says where: `place` names the tile or image. What `work` had in hand must
/// not be used again after an error.
pub(crate) fn guarded<T>(
    place: impl FnOnce() -> String,
    work: impl FnOnce() -> Result<T, ComputeError>,
) -> Result<T, ComputeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        Err(ComputeError::Panic {
            place: place(),
            message: message(&*payload),
        })
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}
