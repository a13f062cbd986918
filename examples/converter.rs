//! A converter as its author writes it for Fractal: an init task that sets a plate up, and a compute task per image.
//!
//! `cargo run -p ome-zarr-convert-workspace --example converter -- [FOLDER]` converts `testdata/hcs_plate` into FOLDER (a temporary one unless given).

use std::error::Error;
use std::path::{Path, PathBuf};

use ome_zarr_convert_core::acquisition::read_acquisition_file;
use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, ParallelizationEntry, hcs_images_from_dataframe, model, read_tiles_table, setup_images_for_conversion,
    table_has_time, tiles_aggregation_pipeline,
};
use ome_zarr_convert_ngff::ImageMetadata;
use ome_zarr_convert_sources::{LoaderSpec, resolve_path};
use ome_zarr_convert_tasks::{ComputeContext, Location, Threads, generic_compute_task};
use serde_json::{Value, json};

/// The init task: from a table to tiles, to images, to a plate without pixels. Gives what Fractal hands to the compute tasks.
fn init_task(acquisition: &Path, zarr_dir: &Location, options: &Value) -> Result<Value, Box<dyn Error>> {
    // What a user wrote; every mistake in it is reported at once.
    let options: ConverterOptions = model::from_json(options, "converter options")?;

    let table = read_tiles_table(&acquisition.join("tiles.csv"))?;
    let file = acquisition.join("acquisition_details.toml");
    let details = read_acquisition_file(&file)?.details(&file.display().to_string(), table_has_time(&table))?;
    let mut tiles = hcs_images_from_dataframe(&table, &details, Some("hcs_plate"), 0)?;

    // The table's paths are relative to its data folder. Compute tasks run elsewhere: they get absolute ones.
    let data = acquisition.join("data").display().to_string();
    for tile in &mut tiles {
        if let LoaderSpec::File { file_path } = &mut tile.image_loader {
            *file_path = resolve_path(file_path, Some(&data)).display().to_string();
        }
    }

    let images = tiles_aggregation_pipeline(tiles, &options, &Aggregation::default())?;
    let entries = setup_images_for_conversion(&images, zarr_dir, "ImageInPlate", &options, OverwriteMode::Overwrite)?;
    let list: Vec<Value> = entries.iter().map(ParallelizationEntry::to_value).collect();
    Ok(json!({ "parallelization_list": list }))
}

/// The compute task, which is the same for every converter. `arguments` is one entry of the list.
fn compute_task(arguments: &Value) -> Result<Value, Box<dyn Error>> {
    let entry = ParallelizationEntry::from_value(arguments)?;
    let context = ComputeContext::new();
    // It uses the threads that it is run on.
    let computed = Threads::new(2)?.run(|| generic_compute_task(&entry.zarr_url, &entry.init_args, &context))?;
    Ok(computed.output())
}

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let zarr_dir = match std::env::args_os().nth(1) {
        Some(folder) => std::path::absolute(folder)?,
        None => temporary.path().to_owned(),
    };
    let acquisition = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/hcs_plate");
    let options = json!({ "omezarr_options": { "ngff_version": "0.5", "levels": { "mode": "Number of Levels", "num_levels": 3 } } });

    let output = init_task(&acquisition, &Location::local(&zarr_dir)?, &options)?;
    // Between the two the list is text: Fractal stores it, and starts one process per entry.
    let output: Value = serde_json::from_str(&output.to_string())?;
    let entries = output["parallelization_list"]
        .as_array()
        .ok_or("no parallelization list")?;

    for entry in entries {
        let answer = compute_task(entry)?;
        let update = &answer["image_list_updates"][0];
        let zarr_url = update["zarr_url"].as_str().ok_or("no zarr_url")?;
        let (metadata, version) = ImageMetadata::read(&Location::local(Path::new(zarr_url))?)?;
        println!(
            "{zarr_url}: OME-Zarr {version}, {} levels, {}",
            metadata.levels.len(),
            update["attributes"]
        );

        let scale = metadata.levels[2].scale.clone();
        assert_eq!(
            scale,
            [1.0, 5.0, 2.6, 2.6],
            "channels, 5 µm between planes, 4 pixels of 0.65 µm"
        );
        assert_eq!(update["types"], json!({ "is_3D": true }));
        assert_eq!(
            compute_task(entry)?,
            answer,
            "the same entry again finds its image and answers the same"
        );
    }
    assert_eq!(entries.len(), 2, "wells B03 and C05");
    Ok(())
}
