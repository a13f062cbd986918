//! A parallel task, which edits an image: it adds a label that says where a channel is bright.

use std::error::Error;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ome_zarr_convert_core::model;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{
    ArrayInfo, ArrayMetadata, Codec, ImageMetadata, NgffVersion, ZarrFormat, read_attributes, write_group,
};
use ome_zarr_convert_tasks::Location;
use ome_zarr_convert_tasks::fractal::{ImageUpdate, TaskOutput};
use serde_json::{Value, json};
use tracing::info;
use zarrs::array::{Array, ArraySubset};
use zarrs::filesystem::FilesystemStore;

model::model! {
    /// Label the pixels of a channel that are at least as bright as a threshold.
    pub struct ThresholdImage "ThresholdImage" {
        /// Path of the image. Given by the platform.
        pub zarr_url: String;
        /// Index of the channel, from 0.
        pub channel: u64 = 0;
        /// The darkest value that is labelled.
        pub threshold: f64, min 0;
        /// Name of the label.
        pub label_name: String = "bright".to_owned();
        /// Whether a label of this name is replaced.
        pub overwrite: bool = false;
    }
}

pub fn threshold_image(arguments: ThresholdImage) -> Result<TaskOutput, Box<dyn Error>> {
    let image = &Location::local(Path::new(&arguments.zarr_url))?;
    let (mut metadata, version) = ImageMetadata::read(image)?;
    let labels = image.child("labels");
    let label = labels.child(&arguments.label_name);
    if label.exists()? {
        if !arguments.overwrite {
            return Err(format!("{label} exists; set `overwrite` to replace it").into());
        }
        label.remove_all()?;
    }
    // A label has the image's axes but that of the channels.
    let channels = metadata.axes.iter().position(|axis| axis.name == "c");
    metadata.channels = None;
    if let Some(axis) = channels {
        metadata.axes.remove(axis);
        if let Some(translation) = &mut metadata.translation {
            translation.remove(axis);
        }
        for level in &mut metadata.levels {
            level.scale.remove(axis);
        }
    }
    // Whoever looks meanwhile finds the label whole or not at all.
    let partial = label.beside("partial");
    partial.remove_all()?;
    let mut attributes = metadata.attributes(version)?;
    let described = json!({"source": {"image": "../../"}});
    match attributes.get_mut("ome") {
        Some(ome) => ome["image-label"] = described,
        _ => drop(attributes.insert("image-label".into(), described)),
    }
    write_group(&partial, version, &attributes)?;
    let mut bright = 0;
    for (number, level) in metadata.levels.iter().enumerate() {
        let pixels = bright_pixels(image, &level.path, channels, &arguments)?;
        if number == 0 {
            bright = pixels.iter().filter(|pixel| **pixel != 0).count();
        }
        write_level(&partial, image, &level.path, version, channels, &metadata, pixels)?;
    }
    partial.publish_to(label.key(), false)?;
    list_label(&labels, version, &arguments.label_name)?;
    info!("{bright} pixels of {image} are labelled");
    Ok(ImageUpdate::new(arguments.zarr_url)
        .image_type("has_threshold_label", true)
        .into())
}

/// One level of the channel, 1 where it is bright.
fn bright_pixels(
    image: &Location,
    level: &str,
    channels: Option<usize>,
    arguments: &ThresholdImage,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let array = Array::open(Arc::new(FilesystemStore::new(folder(image)?)?), &format!("/{level}"))?;
    let mut start = vec![0; array.shape().len()];
    let mut size = array.shape().to_vec();
    if let Some(axis) = channels {
        if arguments.channel >= size[axis] {
            return Err(format!("there is no channel {}; {} count from 0", arguments.channel, size[axis]).into());
        }
        (start[axis], size[axis]) = (arguments.channel, 1);
    }
    let subset = ArraySubset::new_with_start_shape(start, size)?;
    let data_type = ArrayInfo::read(&image.child(level))?.0.data_type;
    let at_least = |value: f64| u8::from(value >= arguments.threshold);
    Ok(match data_type {
        PixelType::UInt8 => array
            .retrieve_array_subset::<Vec<u8>>(&subset)?
            .into_iter()
            .map(|v| at_least(v.into()))
            .collect(),
        PixelType::UInt16 => array
            .retrieve_array_subset::<Vec<u16>>(&subset)?
            .into_iter()
            .map(|v| at_least(v.into()))
            .collect(),
        other => return Err(format!("its pixels are {}, expected uint8 or uint16", other.name()).into()),
    })
}

/// Where `zarrs` finds it.
fn folder(place: &Location) -> Result<PathBuf, Box<dyn Error>> {
    Ok(place.local_path().ok_or("this task works on local images only")?)
}

/// Writes a level of the label in chunks as those of the image.
fn write_level(
    label: &Location,
    image: &Location,
    level: &str,
    version: NgffVersion,
    channels: Option<usize>,
    metadata: &ImageMetadata,
    pixels: Vec<u8>,
) -> Result<(), Box<dyn Error>> {
    let like = ArrayInfo::read(&image.child(level))?.0;
    let (mut shape, mut chunks) = (like.shape, like.chunks);
    if let Some(axis) = channels {
        shape.remove(axis);
        chunks.remove(axis);
    }
    let array = ArrayMetadata {
        shape: shape.clone(),
        chunks,
        shards: None,
        data_type: PixelType::UInt8,
        codec: Codec::default(),
        axes: metadata.axes.iter().map(|axis| axis.name.clone()).collect(),
    };
    array.write(&label.child(level), version)?;
    let array = Array::open(Arc::new(FilesystemStore::new(folder(label)?)?), &format!("/{level}"))?;
    array.store_array_subset(&ArraySubset::new_with_shape(shape), pixels)?;
    Ok(())
}

/// Adds the label to the image's list of labels.
fn list_label(labels: &Location, version: NgffVersion, name: &str) -> Result<(), Box<dyn Error>> {
    let mut attributes = read_attributes(labels)
        .map(|(attributes, _)| attributes)
        .unwrap_or_default();
    let list = match version.zarr_format() {
        ZarrFormat::V2 => attributes.entry("labels").or_insert_with(|| json!([])),
        ZarrFormat::V3 => {
            let ome = attributes
                .entry("ome")
                .or_insert_with(|| json!({"version": version.as_str()}));
            if ome.get("labels").is_none() {
                ome["labels"] = json!([]);
            }
            &mut ome["labels"]
        }
    };
    if let Value::Array(names) = list
        && !names.iter().any(|known| known == name)
    {
        names.push(json!(name));
    }
    write_group(labels, version, &attributes)?;
    Ok(())
}
