//! What a converter adds by name: a filter, a validator, a registration step, a collection handler and an image loader.
//!
//! `cargo run -p ome-zarr-convert-workspace --example extensions -- [FOLDER]` converts two fields that are computed rather than read
//! into FOLDER (a temporary one unless given). The init and the compute task see the same [`Extensions`]; the entry between them
//! names what it needs.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::Array2;
use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    AcquisitionDetails, Aggregation, Axis, Collection, CollectionHandler, CoreError, CustomCollection, Extensions,
    FilterStep, ImageValidator, OwnTypes, PipelineStep, PixelType, REGISTRATION_STEPS, RegistrationStep, Tile,
    TileFilter, TiledImage, Validation, ValidatorStep, setup_images_with, tiles_aggregation_pipeline,
};
use ome_zarr_convert_ngff::NgffVersion;
use ome_zarr_convert_sources::{ImageLoader, LoaderSpec, MemoryImage, OpenImage, SourceError};
use ome_zarr_convert_tasks::{ComputeContext, Location, ParallelizationEntry, Threads, generic_compute_task};
use serde_json::{Map, Value, json};

/// Keeps tiles whose name ends in a given text.
struct NameEnds;

impl TileFilter for NameEnds {
    fn keep(&self, tile: &Tile, params: &Value) -> Result<bool, CoreError> {
        Ok(params["suffixes"].as_array().is_none_or(|list| {
            list.iter()
                .filter_map(Value::as_str)
                .any(|suffix| tile.fov_name.ends_with(suffix))
        }))
    }
}

/// Refuses images of fewer fields than asked for.
struct EnoughFields;

impl ImageValidator for EnoughFields {
    fn validate(&self, image: &TiledImage, params: &Value, _: &Validation<'_>) -> Result<(), CoreError> {
        let (found, least) = (
            image.fields_of_view().len() as u64,
            params["least"].as_u64().unwrap_or(1),
        );
        if found >= least {
            return Ok(());
        }
        Err(CoreError::Registration {
            image: image.path.clone(),
            problem: format!("it has {found} fields of view, but {least} are expected; look for missing files"),
        })
    }
}

/// Moves every second field down by some pixels, as a stage with a known slip would need.
struct Slip;

impl RegistrationStep for Slip {
    fn apply(&self, image: &mut TiledImage, params: &Value) -> Result<(), CoreError> {
        let pixels = params["pixels"].as_f64().unwrap_or(0.0);
        for group in image.fields_of_view().iter().skip(1).step_by(2) {
            for &index in group {
                image.regions[index].roi.shift(Axis::Y, pixels);
            }
        }
        Ok(())
    }
}

/// Writes a readme beside the images of its collection.
struct Gallery;

impl CollectionHandler for Gallery {
    fn set_up(
        &self,
        dir: &Location,
        images: &[&TiledImage],
        _: NgffVersion,
        _: OverwriteMode,
    ) -> Result<(), CoreError> {
        let list: String = images.iter().map(|image| format!("{}\n", image.path)).collect();
        Ok(dir.child("gallery.txt").write_whole(&[list.as_bytes()])?)
    }
}

/// Computes pixels instead of reading them.
struct Gradient;

impl ImageLoader for Gradient {
    fn open(&self, spec: &LoaderSpec, _: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        let level = spec.to_json().get("level").and_then(Value::as_u64).unwrap_or(0) as u16;
        let pixels = Array2::from_shape_fn((32, 32), |(y, x)| level + (y * 32 + x) as u16);
        Ok(Box::new(MemoryImage::new(pixels.into_dyn())))
    }
}

fn extensions() -> Result<Extensions, CoreError> {
    let mut extensions = Extensions::new();
    extensions.add_filter("Name Ends", Arc::new(NameEnds))?;
    extensions.add_validator("Enough Fields", Arc::new(EnoughFields))?;
    extensions.add_registration_step("slip", Arc::new(Slip))?;
    extensions.add_collection_handler("Gallery", Arc::new(Gallery))?;
    extensions.add_loader("Gradient", Arc::new(Gradient))?;
    Ok(extensions)
}

fn tiles() -> Vec<Tile> {
    let details = Arc::new(AcquisitionDetails {
        axes: vec![Axis::Y, Axis::X],
        data_type: Some(PixelType::UInt16),
        ..AcquisitionDetails::default()
    });
    let place = CustomCollection {
        path: "gradients.zarr".into(),
        extra: Map::new(),
    };
    let place = Arc::new(Collection::Custom(place));
    let tile = |(number, name): (u64, &str)| {
        let mut keys = Map::new();
        keys.insert("level".into(), json!(1000 * number));
        let loader = LoaderSpec::Custom(Box::new(keys));
        let mut tile = Tile::new(name, 32.0, 32.0, place.clone(), loader, details.clone());
        tile.start_x = 32.0 * number as f64;
        tile
    };
    [(0, "left kept"), (1, "right kept"), (2, "spare")].map(tile).into()
}

/// The init task: filter, validator, pipeline and loader by name.
fn init(zarr_dir: &Location, extensions: &Extensions) -> Result<Vec<ParallelizationEntry>, Box<dyn Error>> {
    let filters = [FilterStep::from_json(
        &json!({"name": "Name Ends", "suffixes": ["kept"]}),
        extensions,
    )?];
    let validators = [ValidatorStep::Custom {
        name: "Enough Fields".into(),
        params: json!({"name": "Enough Fields", "least": 2}),
    }];
    let with = Aggregation {
        filters: &filters,
        validators: &validators,
        loader: extensions.loader(Some("Gradient"))?,
        extensions,
        ..Aggregation::default()
    };
    let options = ConverterOptions::default();
    let images = tiles_aggregation_pipeline(tiles(), &options, &with)?;
    let step = |name: &str| PipelineStep {
        name: name.to_owned(),
        params: Map::new(),
    };
    let mut pipeline: Vec<PipelineStep> = REGISTRATION_STEPS.map(step).into();
    let mut slip = step("slip");
    slip.params.insert("pixels".into(), json!(8));
    pipeline.push(slip);
    let own = OwnTypes {
        extensions,
        image_loader: Some("Gradient"),
        registration_pipeline: Some(&pipeline),
        warn: &|text| eprintln!("{text}"),
        reviewed: false,
    };
    Ok(setup_images_with(
        &images,
        zarr_dir,
        "Gallery",
        &options,
        OverwriteMode::Overwrite,
        &own,
    )?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let zarr_dir = Location::local(&std::path::absolute(folder)?)?;
    let extensions = extensions()?;
    let entries = init(&zarr_dir, &extensions)?;
    // What crosses to the compute task is text; it names the loader and the steps.
    let text = entries[0].to_value().to_string();
    assert!(text.contains("\"image_loader\":\"Gradient\"") && text.contains("\"slip\""));
    let entry = ParallelizationEntry::from_value(&serde_json::from_str(&text)?)?;
    let context = ComputeContext {
        extensions: &extensions,
        ..ComputeContext::new()
    };
    let computed = Threads::new(1)?.run(|| generic_compute_task(&entry.zarr_url, &entry.init_args, &context))?;
    let report = computed.report.ok_or("the image was there before")?;
    assert_eq!(
        report.plan.levels[0].shape[3..],
        [40, 64],
        "the second field lies 8 pixels lower"
    );
    println!("{} and {zarr_dir}/gallery.txt are written", entry.zarr_url);
    Ok(())
}
