//! Reading the metadata of an image, whoever wrote it: what is not needed is ignored, never refused.

use std::path::Path;

use serde_json::Value;

use super::{AxisMetadata, ImageMetadata, Level, OmeroChannel, Window};
use crate::error::{NgffError, Result};
use crate::group;
use crate::version::NgffVersion;

impl ImageMetadata {
    /// Reads the first multiscale of the image group in `dir` and the version it is in.
    ///
    /// `translation` is that of the finest level. What a channel lacks is filled as ngio does: the label `channel_0`
    /// …, `active` true; a missing colour is white.
    ///
    /// # Errors
    /// [`NgffError::NotZarr`], [`NgffError::UnsupportedVersion`], [`NgffError::Malformed`] for axes or levels that are
    /// not as the specification says.
    pub fn read(dir: &Path) -> Result<(Self, NgffVersion), NgffError> {
        let (attributes, version) = group::read_attributes(dir)?;
        let ome = group::ome_of(dir, version, &attributes)?;
        let Some(multiscale) = ome.get("multiscales").and_then(|list| list.get(0)) else {
            let expected = "a list with the description of an image";
            return Err(NgffError::malformed(
                dir,
                "multiscales",
                expected,
                ome.get("multiscales"),
            ));
        };
        if version == NgffVersion::V04 {
            group::check_version(dir, version, multiscale.get("version"))?;
        }
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
        let channels = ome
            .get("omero")
            .and_then(|omero| omero.get("channels"))
            .and_then(Value::as_array);
        let channels = channels.map(|items| items.iter().enumerate().map(channel).collect());
        Ok((
            Self {
                axes,
                levels,
                translation,
                channels,
            },
            version,
        ))
    }
}

fn list<'a>(dir: &Path, object: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    let found = object.get(key);
    found
        .and_then(Value::as_array)
        .ok_or_else(|| NgffError::malformed(dir, key, "a list", found))
}

fn axis(dir: &Path, value: &Value) -> Result<AxisMetadata> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").ok_or_else(|| NgffError::malformed(dir, "axes", "objects with a name", Some(value)))?;
    Ok(AxisMetadata {
        name,
        kind: text("type"),
        unit: text("unit"),
    })
}

fn level(dir: &Path, dataset: &Value, axes: usize) -> Result<Level> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for version in [NgffVersion::V04, NgffVersion::V05] {
            let folder = tempfile::tempdir().unwrap();
            let image = ImageMetadata {
                axes: ["t", "c", "y", "x"].map(AxisMetadata::named).to_vec(),
                levels: vec![Level {
                    path: "0".to_owned(),
                    scale: vec![2.0, 1.0, 0.216666666667, 12345.678901],
                }],
                translation: Some(vec![0.0, 0.0, -1.5, 7.25]),
                channels: Some(vec![OmeroChannel {
                    label: "GFP".to_owned(),
                    wavelength_id: Some("488".to_owned()),
                    color: "00FF00".to_owned(),
                    active: false,
                    window: Some(Window {
                        min: 0.0,
                        max: 255.0,
                        start: 1.0,
                        end: 2.0,
                    }),
                }]),
            };
            image.write_group(folder.path(), version).unwrap();
            assert_eq!(ImageMetadata::read(folder.path()).unwrap(), (image, version));
        }
    }

    #[test]
    fn foreign_metadata_is_read_and_newer_versions_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let scale = json!([{"type": "scale", "scale": [1, 1]}]);
        let multiscale = json!({
            "name": "raw", "type": "gaussian", "axes": [{"name": "y", "long_name": "rows"}, {"name": "x"}],
            "datasets": [{"path": "s0", "coordinateTransformations": scale, "extra": 1}],
        });
        let mut ome = json!({"version": "0.5", "multiscales": [multiscale], "omero": {"channels": [{}], "rdefs": {}}});
        let write = |ome: &serde_json::Value| {
            let attributes = [("ome".to_owned(), ome.clone()), ("other".to_owned(), json!(1))]
                .into_iter()
                .collect();
            group::write_group(folder.path(), NgffVersion::V05, &attributes).unwrap();
        };
        write(&ome);
        let (image, _) = ImageMetadata::read(folder.path()).unwrap();
        assert_eq!(
            image.levels[0],
            Level {
                path: "s0".to_owned(),
                scale: vec![1.0, 1.0]
            }
        );
        assert_eq!(image.channels.unwrap()[0].label, "channel_0");

        ome["version"] = json!("0.6");
        write(&ome);
        let text = ImageMetadata::read(folder.path()).unwrap_err().to_string();
        assert!(
            text.ends_with("OME-NGFF version \"0.6\" is not supported, use 0.4 or 0.5"),
            "{text}"
        );
    }
}
