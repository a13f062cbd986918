//! Metadata of one image as a value: axes, levels and channels.

use crate::error::{NgffError, Result};

/// What an image group says about its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageMetadata {
    /// Axes of all levels, in the order of the arrays.
    pub axes: Vec<AxisMetadata>,
    /// Levels, finest first.
    pub levels: Vec<Level>,
    /// World position of the first pixel, one number per axis. Written on every level, and only if some component is
    /// larger than 1e-9 (as ngio does).
    pub translation: Option<Vec<f64>>,
    /// Channels, as many as the `c` axis is long; `None` leaves `omero` out.
    pub channels: Option<Vec<OmeroChannel>>,
}

/// One axis of an image, as its document describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisMetadata {
    /// Name, one of `t c z y x` in what is written here.
    pub name: String,
    /// `time`, `channel` or `space`.
    pub kind: Option<String>,
    /// Unit of scale and translation.
    pub unit: Option<String>,
}

impl AxisMetadata {
    /// The axis of that name: `t` time in seconds, `c` channel, `z`, `y` and `x` (and any other name) space in
    /// micrometers.
    pub fn named(name: &str) -> Self {
        let (kind, unit) = match name {
            "t" => ("time", Some("second")),
            "c" => ("channel", None),
            _ => ("space", Some("micrometer")),
        };
        Self {
            name: name.to_owned(),
            kind: Some(kind.to_owned()),
            unit: unit.map(str::to_owned),
        }
    }
}

/// One level of the pyramid.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Folder of the array, relative to the image.
    pub path: String,
    /// World units (µm, s) per pixel along each axis.
    pub scale: Vec<f64>,
}

/// How a channel is named and shown.
#[derive(Clone, Debug, PartialEq)]
pub struct OmeroChannel {
    /// Name, unique in the image.
    pub label: String,
    /// Identifier of the wavelength; `None` is written as the label, as the reference does.
    pub wavelength_id: Option<String>,
    /// Six hexadecimal digits, RRGGBB.
    pub color: String,
    /// Whether viewers show it at first.
    pub active: bool,
    /// Range of values to show; `None` leaves it out.
    pub window: Option<Window>,
}

/// Range of values that a viewer shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Smallest value that can be chosen.
    pub min: f64,
    /// Largest value that can be chosen.
    pub max: f64,
    /// Value shown black.
    pub start: f64,
    /// Value shown in full color.
    pub end: f64,
}

impl ImageMetadata {
    /// Whether every number fits the axes and can be written.
    pub(crate) fn check(&self) -> Result<()> {
        // JSON has no NaN and no infinity: they would be written as null, which readers refuse.
        let per_axis = |what: String, numbers: &[f64]| {
            if numbers.len() == self.axes.len() && numbers.iter().all(|number| number.is_finite()) {
                return Ok(());
            }
            let expected = format!("{} finite numbers, one per axis", self.axes.len());
            Err(NgffError::Inconsistent {
                what,
                found: format!("{numbers:?}"),
                expected,
            })
        };
        for level in &self.levels {
            per_axis(format!("scale of level {:?}", level.path), &level.scale)?;
        }
        if let Some(translation) = &self.translation {
            per_axis("translation".to_owned(), translation)?;
        }
        for channel in self.channels.iter().flatten() {
            let window = channel.window.map_or([0.0; 4], |w| [w.min, w.max, w.start, w.end]);
            if window.iter().any(|value| !value.is_finite()) {
                let what = format!("window of channel {:?}", channel.label);
                let found = format!("{window:?}");
                return Err(NgffError::Inconsistent {
                    what,
                    found,
                    expected: "finite numbers".to_owned(),
                });
            }
        }
        Ok(())
    }
}
