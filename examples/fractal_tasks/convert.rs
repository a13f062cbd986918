//! The init half of a converter: from its author's own table of contents to a parallelization list.

use std::path::Path;

use ome_zarr_convert_core::acquisition::read_acquisition_file;
use ome_zarr_convert_core::model;
use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, CoreError, hcs_images_from_dataframe, read_tiles_table, setup_images_for_conversion, table_has_time,
    tiles_aggregation_pipeline,
};
use ome_zarr_convert_sources::{LoaderSpec, resolve_path};
use ome_zarr_convert_tasks::Location;
use ome_zarr_convert_tasks::fractal::InitOutput;

model::model! {
    /// Set a plate up for conversion.
    pub struct InitDemo "InitDemo" {
        /// Folder in which the plate is written. Given by the platform.
        pub zarr_dir: String;
        /// The microscope's folder.
        pub path: String;
        /// Name of the plate.
        pub plate_name: String = "Demo".to_owned();
        /// How to convert.
        pub converter_options: ConverterOptions = ConverterOptions::default(), title "Converter Options";
        /// What to do with a plate that exists.
        pub overwrite: OverwriteMode = OverwriteMode::NoOverwrite;
    }
}

pub fn init_demo(arguments: InitDemo) -> Result<InitOutput, CoreError> {
    let folder = Path::new(&arguments.path);
    let table = read_tiles_table(&folder.join("tiles.csv"))?;
    let file = folder.join("acquisition_details.toml");
    let details = read_acquisition_file(&file)?.details(&file.display().to_string(), table_has_time(&table))?;
    let mut tiles = hcs_images_from_dataframe(&table, &details, Some(&arguments.plate_name), 0)?;
    let data = folder.join("data").display().to_string();
    for tile in &mut tiles {
        if let LoaderSpec::File { file_path } = &mut tile.image_loader {
            *file_path = resolve_path(file_path, Some(&data)).display().to_string();
        }
    }
    let options = &arguments.converter_options;
    let images = tiles_aggregation_pipeline(tiles, options, &Aggregation::default())?;
    let zarr_dir = Location::local(Path::new(&arguments.zarr_dir))?;
    let entries = setup_images_for_conversion(&images, &zarr_dir, "ImageInPlate", options, arguments.overwrite)?;
    Ok(InitOutput::from(entries.as_slice()))
}
