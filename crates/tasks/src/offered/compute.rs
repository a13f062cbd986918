//! The compute task of any converter, as Fractal calls it.

use ome_zarr_convert_compute::{Cancellation, Threads};
use ome_zarr_convert_core::{ConvertParallelInitArgs, model};

use crate::compute::{ComputeContext, absolute, generic_compute_task};
use crate::error::TaskError;
use crate::fractal::TaskOutput;
use crate::resources::{default_memory_limit, default_open_sources, thread_count};

model::model! {
    /// Arguments of the compute task.
    pub struct ComputeArguments "ComputeImage" {
        /// Absolute path of the image to write.
        pub zarr_url: String;
        /// What the init task handed over. Filled in by the platform.
        pub init_args: ConvertParallelInitArgs;
    }
}

/// Converts one image with the threads and the memory that the system and the scheduler grant.
pub fn compute_image(arguments: &ComputeArguments, cancellation: &Cancellation) -> Result<TaskOutput, TaskError> {
    let init_args = &arguments.init_args;
    // The platform's image list holds tidy absolute paths only; a person may call the task with another.
    let zarr_url = absolute(&arguments.zarr_url)?.display().to_string();
    let context = ComputeContext {
        memory_limit: default_memory_limit(),
        open_sources: default_open_sources(),
        cancellation,
        ..ComputeContext::new()
    };
    let threads = Threads::new(thread_count(None, &init_args.converter_options))?;
    let computed = threads.run(|| generic_compute_task(&zarr_url, init_args, &context))?;
    model::from_json(&computed.output(), "answer of the compute task").map_err(TaskError::Answer)
}
