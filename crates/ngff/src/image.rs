//! Metadata of one image: axes, levels and channels, in the attributes of its group.

mod read;

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::{NgffError, Result};
use crate::group;
use crate::version::NgffVersion;

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
    /// micrometres.
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

    fn document(&self) -> Value {
        let fields = [
            ("name", Some(&self.name)),
            ("type", self.kind.as_ref()),
            ("unit", self.unit.as_ref()),
        ];
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), json!(value?))))
            .collect()
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
    /// Value shown in full colour.
    pub end: f64,
}

impl ImageMetadata {
    /// Attributes of the image's group: `multiscales` and `omero`, in 0.5 under `ome`.
    ///
    /// # Errors
    /// [`NgffError::Inconsistent`] if scale or translation have not one finite number per axis, or a window is not
    /// finite.
    pub fn attributes(&self, version: NgffVersion) -> Result<Map<String, Value>, NgffError> {
        self.check()?;
        let mut multiscale = Map::new();
        multiscale.insert(
            "axes".to_owned(),
            self.axes.iter().map(AxisMetadata::document).collect(),
        );
        multiscale.insert(
            "datasets".to_owned(),
            self.levels.iter().map(|level| self.dataset(level)).collect(),
        );
        if version == NgffVersion::V04 {
            multiscale.insert("version".to_owned(), json!(version.as_str()));
        }
        let mut ome = Map::new();
        ome.insert("multiscales".to_owned(), json!([multiscale]));
        if let Some(channels) = &self.channels {
            let channels: Vec<Value> = channels.iter().map(OmeroChannel::document).collect();
            ome.insert("omero".to_owned(), json!({"channels": channels}));
        }
        Ok(group::ome_attributes(version, ome))
    }

    /// Creates the image's group in `dir`, without its arrays.
    pub fn write_group(&self, dir: &Path, version: NgffVersion) -> Result<(), NgffError> {
        group::write_group(dir, version, &self.attributes(version)?)
    }

    fn dataset(&self, level: &Level) -> Value {
        let mut transformations = vec![json!({"type": "scale", "scale": level.scale})];
        if let Some(translation) = self
            .translation
            .as_ref()
            .filter(|t| t.iter().any(|value| value.abs() > 1e-9))
        {
            transformations.push(json!({"type": "translation", "translation": translation}));
        }
        json!({"path": level.path, "coordinateTransformations": transformations})
    }

    fn check(&self) -> Result<()> {
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

impl OmeroChannel {
    fn document(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("color".to_owned(), json!(self.color));
        if let Some(Window { min, max, start, end }) = self.window {
            fields.insert(
                "window".to_owned(),
                json!({"max": max, "min": min, "start": start, "end": end}),
            );
        }
        fields.insert("label".to_owned(), json!(self.label));
        fields.insert(
            "wavelength_id".to_owned(),
            json!(self.wavelength_id.as_ref().unwrap_or(&self.label)),
        );
        fields.insert("active".to_owned(), json!(self.active));
        Value::Object(fields)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn image() -> ImageMetadata {
        let level = |path: &str, factor: f64| Level {
            path: path.to_owned(),
            scale: vec![1.0, 0.65 * factor],
        };
        ImageMetadata {
            axes: vec![AxisMetadata::named("c"), AxisMetadata::named("x")],
            levels: vec![level("0", 1.0), level("1", 2.0)],
            translation: None,
            channels: Some(vec![OmeroChannel {
                label: "DAPI".to_owned(),
                wavelength_id: None,
                color: "0000FF".to_owned(),
                active: true,
                window: Some(Window {
                    min: 0.0,
                    max: 65535.0,
                    start: 9643.0,
                    end: 51958.0,
                }),
            }]),
        }
    }

    #[test]
    fn attributes_of_both_versions() {
        let text = |version| serde_json::to_string(&image().attributes(version).unwrap()).unwrap();
        expect![[r#"{"multiscales":[{"axes":[{"name":"c","type":"channel"},{"name":"x","type":"space","unit":"micrometer"}],"datasets":[{"path":"0","coordinateTransformations":[{"type":"scale","scale":[1.0,0.65]}]},{"path":"1","coordinateTransformations":[{"type":"scale","scale":[1.0,1.3]}]}],"version":"0.4"}],"omero":{"channels":[{"color":"0000FF","window":{"max":65535.0,"min":0.0,"start":9643.0,"end":51958.0},"label":"DAPI","wavelength_id":"DAPI","active":true}]}}"#]]
        .assert_eq(&text(NgffVersion::V04));
        expect![[r#"{"ome":{"version":"0.5","multiscales":[{"axes":[{"name":"c","type":"channel"},{"name":"x","type":"space","unit":"micrometer"}],"datasets":[{"path":"0","coordinateTransformations":[{"type":"scale","scale":[1.0,0.65]}]},{"path":"1","coordinateTransformations":[{"type":"scale","scale":[1.0,1.3]}]}]}],"omero":{"channels":[{"color":"0000FF","window":{"max":65535.0,"min":0.0,"start":9643.0,"end":51958.0},"label":"DAPI","wavelength_id":"DAPI","active":true}]}}}"#]]
        .assert_eq(&text(NgffVersion::V05));
    }

    #[test]
    fn translation_is_written_on_every_level_unless_it_is_nothing() {
        let count = |translation: Vec<f64>| {
            let moved = ImageMetadata {
                translation: Some(translation),
                ..image()
            };
            let attributes = moved.attributes(NgffVersion::V04).unwrap();
            serde_json::to_string(&attributes)
                .unwrap()
                .matches(r#""translation":[0.0,"#)
                .count()
        };
        assert_eq!(count(vec![0.0, -3.5]), 2);
        assert_eq!(count(vec![0.0, 1e-9]), 0);
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_errors() {
        let mut short = image();
        short.levels[1].scale.pop();
        expect![[r#"scale of level "1" is [1.0], expected 2 finite numbers, one per axis"#]]
            .assert_eq(&short.attributes(NgffVersion::V05).unwrap_err().to_string());
        let endless = ImageMetadata {
            translation: Some(vec![0.0, f64::INFINITY]),
            ..image()
        };
        expect!["translation is [0.0, inf], expected 2 finite numbers, one per axis"]
            .assert_eq(&endless.attributes(NgffVersion::V05).unwrap_err().to_string());
    }
}
