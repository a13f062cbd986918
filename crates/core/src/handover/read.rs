//! Reads the document of an image, whoever wrote it: unknown keys are refused by name, except where others add theirs.

use std::sync::Arc;

use indexmap::IndexMap;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::LoaderSpec;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::write::ORIGINALS;
use crate::collection::{Collection, CustomCollection, ImageInPlate, SingleImage, row_label};
use crate::error::CoreError;
use crate::model;
use crate::options::ChannelInfo;
use crate::roi::Roi;
use crate::tile::Attributes;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, Space, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageDocument {
    #[serde(default)]
    regions: Option<Vec<RegionDocument>>,
    path: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    xy_pixel_size: Option<f64>,
    #[serde(default)]
    z_spacing: Option<f64>,
    #[serde(default)]
    t_spacing: Option<f64>,
    data_type: String,
    axes: Vec<String>,
    collection: Map<String, Value>,
    #[serde(default)]
    channels: Option<Vec<Value>>,
    #[serde(default)]
    translation: Option<Vec<f64>>,
    #[serde(default)]
    attributes: Option<IndexMap<String, Vec<Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionDocument {
    roi: RoiDocument,
    image_loader: Map<String, Value>,
}

#[derive(Deserialize)]
struct RoiDocument {
    name: String,
    slices: Vec<SliceDocument>,
    #[serde(default)]
    label: Option<u64>,
    #[serde(default)]
    space: Option<SpaceDocument>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SliceDocument {
    axis_name: String,
    start: f64,
    length: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SpaceDocument {
    World,
    Pixel,
}

/// Reads the document of an image from JSON text. `place` names it in messages.
pub fn image_from_json_str(text: &str, place: &str) -> Result<TiledImage, CoreError> {
    let document = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text));
    let document = document.map_err(|error| syntax(place, &error))?;
    to_image(document, place)
}

/// Reads the document of an image from a JSON value.
pub fn image_from_json(value: Value, place: &str) -> Result<TiledImage, CoreError> {
    let document = serde_path_to_error::deserialize(value).map_err(|error| syntax(place, &error))?;
    to_image(document, place)
}

/// What the parser says, with the closest known key where it names an unknown one.
fn syntax(place: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> CoreError {
    let path = error.path().to_string();
    let mut problem = error.inner().to_string();
    let quoted: Vec<&str> = problem.split('`').skip(1).step_by(2).collect();
    if problem.starts_with("unknown field")
        && let Some((unknown, known)) = quoted.split_first()
        && let Some(like) = model::closest(unknown, known.iter().copied())
    {
        problem = format!("unknown key `{unknown}` (is `{like}` meant?): {problem}");
    }
    let at = if path == "." {
        String::new()
    } else {
        format!("{path}: ")
    };
    CoreError::Syntax {
        place: place.to_owned(),
        problem: format!("it is not the document of an image: {at}{problem}"),
    }
}

fn to_image(document: ImageDocument, place: &str) -> Result<TiledImage, CoreError> {
    let place = format!("{place} (image {})", document.path);
    let wrong = |problem: String| CoreError::Syntax {
        place: place.clone(),
        problem,
    };
    let mut axes = Vec::new();
    for name in &document.axes {
        axes.push(axis(name).ok_or_else(|| wrong(format!("axes hold {name:?}; known are t, c, z, y, x")))?);
    }
    if axes.windows(2).any(|pair| pair[0] >= pair[1]) {
        let found = document.axes.join(", ");
        return Err(wrong(format!(
            "axes are {found}, but they must keep the order t, c, z, y, x, each once"
        )));
    }
    let data_type = PixelType::from_name(&document.data_type).ok_or_else(|| {
        wrong(format!(
            "data_type is {:?}, which OME-Zarr does not know",
            document.data_type
        ))
    })?;
    if let Some(translation) = &document.translation
        && translation.len() != axes.len()
    {
        return Err(wrong(format!(
            "translation has {} numbers, but there are {} axes",
            translation.len(),
            axes.len()
        )));
    }
    let regions = document.regions.unwrap_or_default().into_iter();
    let regions = regions
        .map(|region| to_region(region, &axes, &wrong))
        .collect::<Result<Vec<_>, _>>()?;
    let channels = document.channels.map(|channels| {
        let channel = |(index, value): (usize, &Value)| {
            Ok(model::from_json::<ChannelInfo>(
                value,
                &format!("{place}, channels[{index}]"),
            )?)
        };
        channels
            .iter()
            .enumerate()
            .map(channel)
            .collect::<Result<Vec<_>, CoreError>>()
    });
    let channels = channels.transpose()?;
    for region in &regions {
        let span = region.roi.span(Axis::C);
        if let Some(channels) = &channels
            && axes.contains(&Axis::C)
            && (span.start < 0.0 || span.end() > channels.len() as f64)
        {
            return Err(CoreError::Tile {
                tile: region.describe(),
                problem: format!(
                    "it holds channels {} to {} of image {}, which lists {}",
                    span.start,
                    span.end() - 1.0,
                    document.path,
                    channels.len()
                ),
            });
        }
    }
    let attributes = document.attributes.unwrap_or_default();
    let attributes: Result<Attributes, CoreError> = attributes
        .into_iter()
        .map(|(key, values)| Ok((key.clone(), to_cells(&key, values, &wrong)?)))
        .collect();
    Ok(TiledImage {
        regions,
        collection: Arc::new(to_collection(document.collection, &document.path, &wrong)?),
        path: document.path,
        name: document.name,
        xy_pixel_size: document.xy_pixel_size.unwrap_or(1.0),
        z_spacing: document.z_spacing.unwrap_or(1.0),
        t_spacing: document.t_spacing.unwrap_or(1.0),
        data_type,
        axes,
        channels,
        translation: document.translation,
        attributes: attributes?,
    })
}

fn axis(name: &str) -> Option<Axis> {
    Axis::from_name(name)
}

fn to_region(
    document: RegionDocument,
    axes: &[Axis],
    wrong: &dyn Fn(String) -> CoreError,
) -> Result<Region, CoreError> {
    let mut spans = Vec::with_capacity(document.roi.slices.len());
    for slice in &document.roi.slices {
        let axis = axis(&slice.axis_name)
            .filter(|axis| axes.contains(axis))
            .ok_or_else(|| {
                wrong(format!(
                    "region {:?} has a slice along {:?}, which is not an axis of the image",
                    document.roi.name, slice.axis_name
                ))
            })?;
        spans.push((
            axis,
            Span {
                start: slice.start,
                length: slice.length,
            },
        ));
    }
    let space = match document.roi.space {
        None | Some(SpaceDocument::World) => Space::World,
        Some(SpaceDocument::Pixel) => Space::Pixel,
    };
    let mut roi = Roi::new(document.roi.name, space, spans);
    if let Some(missing) = axes.iter().find(|axis| roi.get(**axis).is_none()) {
        return Err(wrong(format!(
            "region {:?} has no slice along {}",
            roi.name,
            missing.name()
        )));
    }
    roi.label = document.roi.label;
    let mut extra = document.roi.extra;
    for (axis, key) in ORIGINALS {
        if let Some(original) = extra.get(key).and_then(Value::as_f64) {
            roi.originals[axis as usize] = Some(original);
            extra.shift_remove(key);
        }
    }
    roi.extra = (!extra.is_empty()).then(|| Box::new(extra));
    Ok(Region {
        roi,
        image_loader: LoaderSpec::from_json(document.image_loader),
    })
}

fn to_collection(
    mut keys: Map<String, Value>,
    path: &str,
    wrong: &dyn Fn(String) -> CoreError,
) -> Result<Collection, CoreError> {
    if keys.contains_key("plate_name") {
        let row = match keys.shift_remove("row") {
            Some(Value::String(row)) => row_label(&row).or(Some(row)),
            Some(Value::Number(number)) => row_label(&number.to_string()),
            _ => None,
        };
        let number = |value: Option<Value>| -> Option<u32> {
            match value? {
                Value::Number(number) => number
                    .as_f64()
                    .filter(|n| n.fract() == 0.0 && *n >= 0.0)
                    .map(|n| n as u32),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            }
        };
        let column = number(keys.shift_remove("column")).filter(|column| *column >= 1);
        let acquisition = match keys.shift_remove("acquisition") {
            None | Some(Value::Null) => Some(0),
            given => number(given),
        };
        let plate_name = keys.shift_remove("plate_name");
        return match (plate_name, row, column, acquisition) {
            (Some(Value::String(plate_name)), Some(row), Some(column), Some(acquisition)) => {
                Ok(Collection::ImageInPlate(ImageInPlate {
                    plate_name,
                    row,
                    column,
                    acquisition,
                    extra: keys,
                }))
            }
            _ => Err(wrong(
                "collection needs plate_name (text), row, column (from 1) and acquisition (from 0)".into(),
            )),
        };
    }
    match keys.shift_remove("image_path") {
        Some(Value::String(image_path)) => Ok(Collection::SingleImage(SingleImage {
            image_path,
            extra: keys,
        })),
        Some(other) => Err(wrong(format!("collection.image_path is {other}, expected text"))),
        None => Ok(Collection::Custom(CustomCollection {
            path: path.to_owned(),
            extra: keys,
        })),
    }
}

/// Values of an attribute in one type: mixed integers and floats become floats, booleans and integers integers.
fn to_cells(key: &str, values: Vec<Value>, wrong: &dyn Fn(String) -> CoreError) -> Result<Vec<Cell>, CoreError> {
    let mut cells = Vec::with_capacity(values.len());
    for value in values {
        cells.push(match value {
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Bool(value),
            Value::String(text) => Cell::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Cell::Int(int),
                (None, Some(float)) => Cell::Float(float),
                (None, None) => {
                    return Err(wrong(format!(
                        "attribute {key:?} holds {number}, which is not a number"
                    )));
                }
            },
            other => {
                return Err(wrong(format!(
                    "attribute {key:?} holds {other}; use text, numbers, booleans or null"
                )));
            }
        });
    }
    let any = |test: fn(&Cell) -> bool| cells.iter().any(test);
    let (text, float) = (
        any(|cell| matches!(cell, Cell::Text(_))),
        any(|cell| matches!(cell, Cell::Float(_))),
    );
    let (int, bool) = (
        any(|cell| matches!(cell, Cell::Int(_))),
        any(|cell| matches!(cell, Cell::Bool(_))),
    );
    if text && (float || int || bool) {
        return Err(wrong(format!(
            "attribute {key:?} mixes text with other values; use one type"
        )));
    }
    for cell in &mut cells {
        match *cell {
            Cell::Bool(value) if int && !float => *cell = Cell::Int(i64::from(value)),
            Cell::Bool(value) if float => *cell = Cell::Float(f64::from(u8::from(value))),
            Cell::Int(value) if float => *cell = Cell::Float(value as f64),
            _ => {}
        }
    }
    Ok(cells)
}
