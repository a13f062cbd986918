//! Image documents as 0.4 and 0.5 have them: axes beside the datasets, transformations without names.

use serde_json::{Map, Value, json};

use crate::image::{AxisMetadata, ImageMetadata, Level, OmeroChannel, Window};

/// `axes` and `datasets` of an image.
pub(crate) fn with_axes(image: &ImageMetadata) -> Map<String, Value> {
    let mut scales = Map::new();
    scales.insert("axes".to_owned(), image.axes.iter().map(axis).collect());
    let datasets = image.levels.iter().map(|level| dataset(image, level));
    scales.insert("datasets".to_owned(), datasets.collect());
    scales
}

/// The OME metadata of an image: its one multiscale, and its channels.
pub(crate) fn image(image: &ImageMetadata, scales: Map<String, Value>) -> Map<String, Value> {
    let mut ome = Map::new();
    ome.insert("multiscales".to_owned(), json!([scales]));
    if let Some(channels) = &image.channels {
        let channels: Vec<Value> = channels.iter().map(channel).collect();
        ome.insert("omero".to_owned(), json!({"channels": channels}));
    }
    ome
}

fn axis(axis: &AxisMetadata) -> Value {
    let fields = [
        ("name", Some(&axis.name)),
        ("type", axis.kind.as_ref()),
        ("unit", axis.unit.as_ref()),
    ];
    fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(value?))))
        .collect()
}

fn dataset(image: &ImageMetadata, level: &Level) -> Value {
    let mut transformations = vec![json!({"type": "scale", "scale": level.scale})];
    let moved = |translation: &&Vec<f64>| translation.iter().any(|value| value.abs() > 1e-9);
    if let Some(translation) = image.translation.as_ref().filter(moved) {
        transformations.push(json!({"type": "translation", "translation": translation}));
    }
    json!({"path": level.path, "coordinateTransformations": transformations})
}

fn channel(channel: &OmeroChannel) -> Value {
    let mut fields = Map::new();
    fields.insert("color".to_owned(), json!(channel.color));
    if let Some(Window { min, max, start, end }) = channel.window {
        let window = json!({"max": max, "min": min, "start": start, "end": end});
        fields.insert("window".to_owned(), window);
    }
    fields.insert("label".to_owned(), json!(channel.label));
    let wavelength = channel.wavelength_id.as_ref().unwrap_or(&channel.label);
    fields.insert("wavelength_id".to_owned(), json!(wavelength));
    fields.insert("active".to_owned(), json!(channel.active));
    Value::Object(fields)
}
