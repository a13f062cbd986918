//! A package of Fractal tasks in one executable, one of each type that is not in `prepare_metadata`.
//!
//! ```text
//! cargo run -p ome-zarr-convert-workspace --example fractal_tasks -- manifest
//! cargo run -p ome-zarr-convert-workspace --example fractal_tasks -- threshold-image --args-json args.json --out-json out.json
//! ```
//!
//! `tests/fractal_tasks.rs` calls each of them as the platform does.

mod convert;
mod import;
mod threshold;
mod wells;

use std::process::ExitCode;

use ome_zarr_convert_tasks::Cancellation;
use ome_zarr_convert_tasks::fractal::{
    Executable, InitExecutable, Resources, Task, TaskKind, TaskPackage, run_task_package,
};
use ome_zarr_convert_tasks::offered::compute_image;

fn package() -> TaskPackage {
    let never = Cancellation::new();
    let mut threshold = Task::new(
        "Threshold Image",
        TaskKind::Parallel(Executable::new(
            "threshold-image",
            "tasks/threshold_image.py",
            threshold::threshold_image,
        )),
    );
    threshold.category = Some("Segmentation");
    threshold.output_types = vec![("has_threshold_label", true)];
    threshold.resources_parallel = Resources {
        mem: 8000,
        ..Resources::default()
    };
    let wells = TaskKind::Compound {
        init: InitExecutable::new("group-by-well", "tasks/group_by_well.py", wells::group_by_well),
        compute: Executable::new("count-in-well", "tasks/count_in_well.py", wells::count_in_well),
    };
    let import = TaskKind::ConverterNonParallel(Executable::new(
        "import-images",
        "tasks/import_images.py",
        import::import_images,
    ));
    let convert = TaskKind::ConverterCompound {
        init: InitExecutable::new("init-demo", "tasks/init_demo.py", convert::init_demo),
        // What follows an init task is the same for every converter.
        compute: Executable::new("compute", "tasks/compute.py", move |arguments| {
            compute_image(&arguments, &never)
        }),
    };
    TaskPackage {
        authors: Some("A converter's author"),
        docs_link: Some("https://example.org/tasks"),
        tasks: vec![
            threshold,
            Task::new("Count Images in Wells", wells),
            Task::new("Import OME-Zarr Images", import),
            Task::new("Convert Demo Plate", convert),
        ],
    }
}

fn main() -> ExitCode {
    run_task_package(&package())
}
