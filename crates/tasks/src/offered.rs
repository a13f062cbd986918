//! The tasks that this project offers to Fractal, and the manifest of its package.

mod compute;
mod custom_tiff;

pub use compute::{ComputeArguments, compute_image};
pub use custom_tiff::{
    HcsTiffAcquisition, InitHcsPlateArguments, InitImagesArguments, SingleTiffAcquisition, init_hcs_plate, init_images,
};
use ome_zarr_convert_compute::Cancellation;

use crate::error::TaskError;
use crate::fractal::{Executable, InitExecutable, Task, TaskKind, TaskPackage};

const DOCS_LINK: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/fractal.md");

/// All our tasks. `cancellation` stops an init task, and a compute task at its next chunk; running it again goes on from there.
pub fn offered_tasks(cancellation: &Cancellation) -> TaskPackage {
    let compute = || {
        let cancellation = cancellation.clone();
        Executable::new("compute", "tasks/compute.py", move |arguments| {
            compute_image(&arguments, &cancellation)
        })
    };
    let mut plate = Task::new(
        "Convert Custom TIFF HCS Plate to OME-Zarr",
        TaskKind::ConverterCompound {
            init: InitExecutable::new("init-hcs-plate", "tasks/init_hcs_plate.py", {
                let cancellation = cancellation.clone();
                move |arguments| init_hcs_plate(arguments, &cancellation)
            }),
            compute: compute(),
        },
    );
    plate.modality = Some("HCS");
    plate.tags = vec!["Custom TIFF", "Plate converter"];
    plate.docs_info = Some(include_str!("offered/hcs_plate.md").trim_ascii());

    let mut images = Task::new(
        "Convert Custom TIFF Images to OME-Zarr",
        TaskKind::ConverterCompound {
            init: InitExecutable::new("init-images", "tasks/init_images.py", {
                let cancellation = cancellation.clone();
                move |arguments| init_images(arguments, &cancellation)
            }),
            compute: compute(),
        },
    );
    images.tags = vec!["Custom TIFF", "Single Image Converter"];
    images.docs_info = Some(include_str!("offered/images.md").trim_ascii());

    let mut alone = Task::new("Compute OME-Zarr Image", TaskKind::ComputeHalf(compute()));
    alone.tags = vec!["Compute task of converters"];
    alone.docs_info = Some(include_str!("offered/compute.md").trim_ascii());

    let mut tasks = vec![plate, images, alone];
    for task in &mut tasks {
        task.category = Some("Conversion");
    }
    TaskPackage {
        authors: Some("ome-zarr-convert developers"),
        docs_link: Some(DOCS_LINK),
        tasks,
    }
}

/// The functions of our tasks by name.
pub fn run_offered(
    name: &str,
    files: &crate::fractal::CallFiles,
    cancellation: &Cancellation,
) -> Result<(), TaskError> {
    crate::fractal::run_executable(offered_tasks(cancellation).executable(name)?, files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_takes_our_tasks() {
        let manifest = offered_tasks(&Cancellation::new()).manifest().unwrap();
        let kinds: Vec<&str> = manifest["task_list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["converter_compound", "converter_compound", "parallel"]);
    }
}
