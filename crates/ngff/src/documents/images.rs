//! Reading the metadata of an image, whoever wrote it: what is not needed is ignored, never refused.

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use crate::error::{NgffError, Result};
use crate::image::{AxisMetadata, ImageMetadata, Level, OmeroChannel, Window};

/// The first multiscale in OME metadata.
pub(crate) fn first_multiscale<'a>(dir: &Location, ome: &'a Map<String, Value>) -> Result<&'a Value> {
    let found = ome.get("multiscales");
    found.and_then(|list| list.get(0)).ok_or_else(|| {
        let expected = "a list with the description of an image";
        NgffError::malformed(dir, "multiscales", expected, found)
    })
}

/// The image of a multiscale that has its axes beside its datasets, as 0.4 and 0.5 have them.
pub(crate) fn with_axes(dir: &Location, ome: &Map<String, Value>, multiscale: &Value) -> Result<ImageMetadata> {
    let axes: Vec<AxisMetadata> = list(dir, multiscale, "axes")?
        .iter()
        .map(|value| axis(dir, value))
        .collect::<Result<_>>()?;
    let datasets = list(dir, multiscale, "datasets")?;
    let levels = datasets
        .iter()
        .map(|value| level(dir, value, axes.len()))
        .collect::<Result<_>>()?;
    let translation = datasets
        .first()
        .and_then(|dataset| transformation(dataset, "translation"));
    Ok(ImageMetadata {
        axes,
        levels,
        translation,
        channels: channels(ome),
    })
}

/// The channels in OME metadata, if there are any.
pub(crate) fn channels(ome: &Map<String, Value>) -> Option<Vec<OmeroChannel>> {
    let channels = ome.get("omero")?.get("channels")?.as_array()?;
    Some(channels.iter().enumerate().map(channel).collect())
}

fn list<'a>(dir: &Location, object: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    let found = object.get(key);
    found
        .and_then(Value::as_array)
        .ok_or_else(|| NgffError::malformed(dir, key, "a list", found))
}

fn axis(dir: &Location, value: &Value) -> Result<AxisMetadata> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| NgffError::malformed(dir, "axes", "objects with a name", Some(value)))?;
    Ok(AxisMetadata {
        name,
        kind: text("type"),
        unit: text("unit"),
    })
}

fn level(dir: &Location, dataset: &Value, axes: usize) -> Result<Level> {
    let path = dataset.get("path").and_then(Value::as_str);
    let scale = transformation(dataset, "scale").filter(|scale| scale.len() == axes);
    let (Some(path), Some(scale)) = (path, scale) else {
        let expected = "objects with a path and a scale of one number per axis";
        return Err(NgffError::malformed(dir, "datasets", expected, Some(dataset)));
    };
    Ok(Level {
        path: path.to_owned(),
        scale,
    })
}

fn transformation(dataset: &Value, kind: &str) -> Option<Vec<f64>> {
    let transformations = dataset.get("coordinateTransformations")?.as_array()?;
    let found = transformations
        .iter()
        .find(|transformation| transformation["type"] == kind)?;
    found.get(kind)?.as_array()?.iter().map(Value::as_f64).collect()
}

fn channel((index, value): (usize, &Value)) -> OmeroChannel {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let window = |key: &str| value.get("window")?.get(key)?.as_f64();
    OmeroChannel {
        label: text("label").unwrap_or_else(|| format!("channel_{index}")),
        wavelength_id: text("wavelength_id"),
        color: text("color").unwrap_or_else(|| "FFFFFF".to_owned()),
        active: value.get("active").and_then(Value::as_bool).unwrap_or(true),
        window: match (window("min"), window("max"), window("start"), window("end")) {
            (Some(min), Some(max), Some(start), Some(end)) => Some(Window { min, max, start, end }),
            _ => None,
        },
    }
}
