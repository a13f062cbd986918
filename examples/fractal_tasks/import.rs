//! A converter that runs once: it enters images that are there already into the image list.

use std::error::Error;
use std::path::Path;

use ome_zarr_convert_core::model;
use ome_zarr_convert_ngff::{Cell, ImageMetadata};
use ome_zarr_convert_tasks::Location;
use ome_zarr_convert_tasks::fractal::{ImageUpdate, TaskOutput};

model::model! {
    /// Enter the OME-Zarr images of a folder into the image list.
    pub struct ImportImages "ImportImages" {
        /// The folder. Given by the platform.
        pub zarr_dir: String;
        /// Whether images without planes along z are left out.
        pub only_3d: bool = false, title "Only 3D";
    }
}

pub fn import_images(arguments: ImportImages) -> Result<TaskOutput, Box<dyn Error>> {
    let mut folders: Vec<_> = std::fs::read_dir(Path::new(&arguments.zarr_dir))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "zarr"))
        .collect();
    folders.sort();
    let mut output = TaskOutput::default();
    for folder in folders {
        let (metadata, version) = ImageMetadata::read(&Location::local(&folder)?)?;
        let is_3d = metadata.axes.iter().any(|axis| axis.name == "z");
        if is_3d || !arguments.only_3d {
            let update = ImageUpdate::new(folder.display().to_string())
                .attribute("ngff_version", Cell::Text(version.as_str().to_owned()))
                .image_type("is_3D", is_3d);
            output.image_list_updates.push(update);
        }
    }
    Ok(output)
}
