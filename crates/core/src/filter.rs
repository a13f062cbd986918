//! Filters on tiles: each keeps or drops whole tiles, before they are aggregated into images.

use fancy_regex::Regex;
use ome_zarr_convert_ngff::Cell;
use serde_json::Value;

use crate::collection::{Collection, ImageInPlate};
use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::model;
use crate::options::{AttributeValue, Filter, FilterMode};
use crate::tile::Tile;

/// A filter: a built-in one, or one that a converter added by name.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterStep {
    /// One of the built-in filters.
    BuiltIn(Filter),
    /// A filter of the program's [`Extensions`].
    Custom {
        /// Its name.
        name: String,
        /// Its document, with `name`.
        params: Value,
    },
}

impl From<Filter> for FilterStep {
    fn from(filter: Filter) -> Self {
        Self::BuiltIn(filter)
    }
}

impl FilterStep {
    /// Reads the document of a filter: one whose `name` the extensions know, or a built-in one.
    pub fn from_json(document: &Value, extensions: &Extensions) -> Result<Self, CoreError> {
        let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
        if extensions.filter(name).is_ok() {
            return Ok(Self::Custom {
                name: name.to_owned(),
                params: document.clone(),
            });
        }
        Ok(Self::BuiltIn(model::from_json(document, "filter")?))
    }
}

/// The tiles that a filter keeps, in their order.
pub(crate) fn apply_step(step: &FilterStep, tiles: Vec<Tile>, extensions: &Extensions) -> Result<Vec<Tile>, CoreError> {
    match step {
        FilterStep::BuiltIn(filter) => apply(filter, tiles),
        FilterStep::Custom { name, params } => {
            let filter = extensions.filter(name)?;
            keep(tiles, |tile| filter.keep(tile, params))
        }
    }
}

fn keep(tiles: Vec<Tile>, keeps: impl Fn(&Tile) -> Result<bool, CoreError>) -> Result<Vec<Tile>, CoreError> {
    let mut kept = Vec::with_capacity(tiles.len());
    for tile in tiles {
        if keeps(&tile)? {
            kept.push(tile);
        }
    }
    Ok(kept)
}

/// The tiles that `filter` keeps, in their order.
pub(crate) fn apply(filter: &Filter, tiles: Vec<Tile>) -> Result<Vec<Tile>, CoreError> {
    keep(tiles, predicate(filter)?)
}

type Predicate<'a> = Box<dyn Fn(&Tile) -> Result<bool, CoreError> + 'a>;

fn predicate(filter: &Filter) -> Result<Predicate<'_>, CoreError> {
    Ok(match filter {
        Filter::PathRegex(f) => {
            let regex = compile("Path Regex Filter", &f.regex)?;
            Box::new(move |tile| Ok(wanted(&f.mode, search(&regex, &tile.collection.path("")?)?)))
        }
        Filter::FovName(f) => {
            let regex = compile("FOV Name Filter", &f.regex)?;
            Box::new(move |tile| Ok(wanted(&f.mode, search(&regex, &tile.fov_name)?)))
        }
        Filter::Well(f) => Box::new(move |tile| {
            let well = in_plate("Well Filter", tile)?.well();
            Ok(wanted(&f.mode, f.wells.contains(&well)))
        }),
        Filter::Acquisition(f) => Box::new(move |tile| {
            let acquisition = i64::from(in_plate("Acquisition Filter", tile)?.acquisition);
            Ok(wanted(&f.mode, f.acquisitions.contains(&acquisition)))
        }),
        Filter::Attribute(f) => Box::new(move |tile| {
            let Some(values) = tile.attributes.get(&f.key) else {
                let known: Vec<_> = tile.attributes.keys().map(String::as_str).collect();
                return Err(CoreError::Tile {
                    tile: tile.describe(),
                    problem: format!(
                        "the Attribute Filter asks for {:?}, but the tile's attributes are: {}; correct the key, or add \
                         the column to the table",
                        f.key,
                        if known.is_empty() {
                            "none".to_owned()
                        } else {
                            known.join(", ")
                        }
                    ),
                });
            };
            Ok(wanted(
                &f.mode,
                values
                    .iter()
                    .any(|value| f.values.iter().any(|asked| equals(value, asked))),
            ))
        }),
        Filter::Channel(f) => Box::new(move |tile| {
            let Some(channels) = &tile.acquisition_details.channels else {
                return Err(CoreError::Tile {
                    tile: tile.describe(),
                    problem: "the Channel Filter needs channel names, but the acquisition lists none".into(),
                });
            };
            tile.check()?;
            let span = tile.start_c as usize..(tile.start_c + tile.length_c) as usize;
            let labels: Vec<_> = channels[span].iter().map(|channel| &channel.channel_label).collect();
            let hits = labels.iter().filter(|label| f.channel_labels.contains(label)).count();
            if hits != 0 && hits != labels.len() {
                return Err(CoreError::Tile {
                    tile: tile.describe(),
                    problem: format!(
                        "the Channel Filter matches {hits} of its channels {labels:?}, but filters keep or drop whole \
                         tiles; name all of them or none"
                    ),
                });
            }
            Ok(wanted(&f.mode, hits == labels.len()))
        }),
        Filter::ZRange(f) => Box::new(move |tile| Ok(within(tile.start_z, f.min_z, f.max_z))),
        Filter::TimeRange(f) => Box::new(move |tile| Ok(within(tile.start_t, f.min_t, f.max_t))),
    })
}

fn wanted(mode: &FilterMode, matched: bool) -> bool {
    matched == matches!(mode, FilterMode::Include)
}

fn within(value: f64, min: Option<f64>, max: Option<f64>) -> bool {
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

fn compile(filter: &str, pattern: &str) -> Result<Regex, CoreError> {
    Regex::new(pattern).map_err(|error| CoreError::Syntax {
        place: filter.to_owned(),
        problem: format!("{pattern:?} is not a valid regular expression: {error}"),
    })
}

fn search(regex: &Regex, text: &str) -> Result<bool, CoreError> {
    regex.is_match(text).map_err(|error| CoreError::Syntax {
        place: format!("regular expression {:?}", regex.as_str()),
        problem: format!("cannot be matched against {text:?}: {error}"),
    })
}

fn in_plate<'a>(filter: &str, tile: &'a Tile) -> Result<&'a ImageInPlate, CoreError> {
    match &*tile.collection {
        Collection::ImageInPlate(place) => Ok(place),
        _ => Err(CoreError::Tile {
            tile: tile.describe(),
            problem: format!("the {filter} needs wells, but this tile is not part of a plate; remove the filter"),
        }),
    }
}

/// Values compare as in Python: numbers and booleans by value across types, text exactly, a missing value with nothing.
fn equals(value: &Cell, asked: &AttributeValue) -> bool {
    let number = |cell: &Cell| match cell {
        Cell::Bool(b) => Some(f64::from(u8::from(*b))),
        Cell::Int(i) => Some(*i as f64),
        Cell::Float(f) => Some(*f),
        Cell::Null | Cell::Text(_) => None,
    };
    match asked {
        AttributeValue::IsNone(_) => *value == Cell::Null,
        AttributeValue::IsNotNone(_) => *value != Cell::Null,
        AttributeValue::String(s) => matches!(value, Cell::Text(text) if *text == s.value),
        AttributeValue::Bool(b) => number(value) == Some(f64::from(u8::from(b.value))),
        AttributeValue::Integer(i) => match value {
            Cell::Int(int) => *int == i.value,
            other => number(other) == Some(i.value as f64),
        },
        AttributeValue::Float(f) => number(value) == Some(f.value),
    }
}
