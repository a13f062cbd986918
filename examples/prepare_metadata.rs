//! The smallest Fractal task: a function, and an executable that is nothing but it.
//!
//! `cargo run -p ome-zarr-convert-workspace --example prepare_metadata -- --args-json args.json --out-json out.json`, with an `args.json` such as
//! `{"zarr_dir": "/tmp/demo", "zarr_urls": [], "num_components": 3}`. It is of the type that runs once for all images (non-parallel).

use std::process::ExitCode;

use ome_zarr_convert_core::model;
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_tasks::TaskError;
use ome_zarr_convert_tasks::fractal::{ImageUpdate, TaskOutput, run_fractal_task};
use tracing::info;

model::model! {
    /// Prepare metadata.
    struct PrepareMetadata "PrepareMetadata" {
        /// Paths of the images to work on. Given by the platform.
        zarr_urls: Vec<String>;
        /// Folder for new images. Given by the platform.
        zarr_dir: String;
        /// Number of components.
        num_components: u32 = 10;
    }
}

/// Lists one new image per component.
fn prepare_metadata(arguments: PrepareMetadata) -> Result<TaskOutput, TaskError> {
    let component = |number: u32| {
        let name = format!("{number:04}");
        ImageUpdate::new(format!("{}/{name}", arguments.zarr_dir)).attribute("component", Cell::Text(name))
    };
    let updates: Vec<ImageUpdate> = (0..arguments.num_components).map(component).collect();
    info!(
        "This is a log from prepare_metadata, with {} components beside {} images",
        updates.len(),
        arguments.zarr_urls.len()
    );
    Ok(TaskOutput {
        image_list_updates: updates,
        ..TaskOutput::default()
    })
}

fn main() -> ExitCode {
    run_fractal_task(prepare_metadata)
}
