//! Reads `acquisition_details.toml`, the acquisition file beside a table of tiles.

use std::path::Path;

use serde_json::Value;

use super::AcquisitionDetails;
use crate::error::CoreError;
use crate::model;
use crate::options::{ChannelInfo, OutputDataType, StageOrientation};
use ome_zarr_convert_geometry::{Axis, Space};

ome_zarr_convert_options::model::model! {
    /// What `acquisition_details.toml` says of a microscope run.
    pub struct AcquisitionFile "AcquisitionFile" {
        /// Units of `start_x` in the table.
        pub start_x_space: Space = Space::World;
        /// Units of `start_y` in the table.
        pub start_y_space: Space = Space::World;
        /// Units of `start_z` in the table.
        pub start_z_space: Space = Space::World;
        /// Units of `start_t` in the table.
        pub start_t_space: Space = Space::World;
        /// Units of `length_x` in the table.
        pub length_x_space: Space = Space::Pixel;
        /// Units of `length_y` in the table.
        pub length_y_space: Space = Space::Pixel;
        /// Units of `length_z` in the table.
        pub length_z_space: Space = Space::Pixel;
        /// Units of `length_t` in the table.
        pub length_t_space: Space = Space::Pixel;
        /// Pixel size along x and y in micrometers. Without it: what the image files say, else 1.
        pub xy_pixel_size: Option<f64> = None, exclusive_min 0, older "pixelsize";
        /// Spacing of planes in micrometers. Without it: what the image files say, else the step of `start_z` where that is even, else 1.
        pub z_spacing: Option<f64> = None, exclusive_min 0;
        /// Spacing of time points in seconds. Without it: what the image files say, else the step of `start_t` where that is even, else 1.
        pub t_spacing: Option<f64> = None, exclusive_min 0;
        /// Names of the channels by index. Without them: what the image files say, else names are made up.
        pub channel_names: Option<Vec<String>> = None;
        /// Wavelength ids of the channels, as many as names.
        pub wavelengths: Option<Vec<String>> = None;
        /// Axes of the output, an ordered subset of `t c z y x`. Without them: all, t only when there is time.
        pub axes: Option<Vec<String>> = None;
        /// Data type of the output.
        pub data_type: OutputDataType = OutputDataType(None);
        /// Condition table of the plate.
        pub condition_table_path: Option<String> = None;
        /// Orientation of the stage relative to the image.
        pub stage_orientation: StageOrientation = StageOrientation::default();
    }
}

/// Reads an acquisition file if there is one.
pub fn find_acquisition_file(path: &Path) -> Result<Option<AcquisitionFile>, CoreError> {
    match read_acquisition_file(path) {
        Err(CoreError::Missing { .. }) => Ok(None),
        read => read.map(Some),
    }
}

/// Reads an acquisition file (TOML). Unknown keys are refused, the closest known one is named.
pub fn read_acquisition_file(path: &Path) -> Result<AcquisitionFile, CoreError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CoreError::Missing {
                path: path.to_owned(),
                hint: "it says pixel size, channels and axes; write one, at least with a line `xy_pixel_size = 0.65`"
                    .into(),
            });
        }
        other => other.map_err(CoreError::io("read", path))?,
    };
    let value: Value = toml::from_str(&text).map_err(|error| CoreError::Syntax {
        place: path.display().to_string(),
        problem: format!("it is not valid TOML: {}", error.to_string().trim()),
    })?;
    Ok(model::from_json(&value, &path.display().to_string())?)
}

impl AcquisitionFile {
    /// The file that states these details.
    pub fn of_details(details: &AcquisitionDetails) -> Self {
        let length = |axis| details.length_space(axis).unwrap_or(Space::Pixel);
        let start = |axis| details.start_space(axis).unwrap_or(Space::World);
        let channels = details.channels.as_deref();
        let wavelengths: Option<Vec<String>> =
            channels.and_then(|channels| channels.iter().map(|channel| channel.wavelength_id.clone()).collect());
        Self {
            start_x_space: start(Axis::X),
            start_y_space: start(Axis::Y),
            start_z_space: start(Axis::Z),
            start_t_space: start(Axis::T),
            length_x_space: length(Axis::X),
            length_y_space: length(Axis::Y),
            length_z_space: length(Axis::Z),
            length_t_space: length(Axis::T),
            xy_pixel_size: Some(details.xy_pixel_size),
            z_spacing: Some(details.z_spacing),
            t_spacing: Some(details.t_spacing),
            channel_names: channels
                .map(|channels| channels.iter().map(|channel| channel.channel_label.clone()).collect()),
            wavelengths,
            axes: Some(details.axes.iter().map(|axis| axis.name().to_owned()).collect()),
            data_type: OutputDataType::of(details.data_type),
            condition_table_path: details.condition_table_path.clone(),
            stage_orientation: details.stage_orientation.clone(),
        }
    }

    /// The file as TOML, without the keys that have their default.
    pub fn to_toml(&self) -> Result<String, CoreError> {
        let (Value::Object(mut keys), Value::Object(defaults)) =
            (model::to_json(self), model::to_json(&Self::default()))
        else {
            return Ok(String::new());
        };
        keys.retain(|key, value| defaults.get(key) != Some(value));
        toml::to_string(&keys).map_err(|error| CoreError::Syntax {
            place: "the acquisition file".into(),
            problem: error.to_string(),
        })
    }

    /// The details that the file states. `place` names it in messages; `has_time` decides whether axes that the file does not
    /// give include t.
    pub fn details(&self, place: &str, has_time: bool) -> Result<AcquisitionDetails, CoreError> {
        let wrong = |problem: String| CoreError::Syntax {
            place: place.to_owned(),
            problem,
        };
        let axes = match &self.axes {
            None => Axis::ALL
                .into_iter()
                .filter(|axis| has_time || *axis != Axis::T)
                .collect(),
            Some(names) => {
                let axis = |name: &String| {
                    Axis::from_name(name)
                        .ok_or_else(|| wrong(format!("axes hold {name:?}, but axes are t, c, z, y and x")))
                };
                names.iter().map(axis).collect::<Result<Vec<_>, _>>()?
            }
        };
        let channels = match (&self.channel_names, &self.wavelengths) {
            (None, None) => None,
            (None, Some(waves)) => {
                return Err(wrong(format!(
                    "{} wavelengths are given, but no channel_names",
                    waves.len()
                )));
            }
            (Some(names), Some(waves)) if names.len() != waves.len() => {
                return Err(wrong(format!(
                    "there are {} channel_names, but {} wavelengths; give one per channel, or leave the wavelengths out",
                    names.len(),
                    waves.len()
                )));
            }
            (Some(names), waves) => {
                let channel = |(index, name): (usize, &String)| ChannelInfo {
                    channel_label: name.clone(),
                    wavelength_id: waves.as_ref().map(|waves| waves[index].clone()),
                    color: None,
                };
                Some(names.iter().enumerate().map(channel).collect())
            }
        };
        let details = AcquisitionDetails {
            start_x_space: self.start_x_space,
            start_y_space: self.start_y_space,
            start_z_space: self.start_z_space,
            start_t_space: self.start_t_space,
            length_x_space: self.length_x_space,
            length_y_space: self.length_y_space,
            length_z_space: self.length_z_space,
            length_t_space: self.length_t_space,
            xy_pixel_size: self.xy_pixel_size.unwrap_or(1.0),
            z_spacing: self.z_spacing.unwrap_or(1.0),
            t_spacing: self.t_spacing.unwrap_or(1.0),
            channels,
            axes,
            data_type: self.data_type.0,
            condition_table_path: self.condition_table_path.clone(),
            stage_orientation: self.stage_orientation.clone(),
        };
        details.check(place)?;
        Ok(details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let details = AcquisitionDetails {
            xy_pixel_size: 0.325,
            start_z_space: Space::Pixel,
            axes: vec![Axis::C, Axis::Z, Axis::Y, Axis::X],
            channels: Some(vec![ChannelInfo {
                channel_label: "DAPI \"405\"".into(),
                wavelength_id: None,
                color: None,
            }]),
            stage_orientation: StageOrientation {
                flip_y: true,
                ..StageOrientation::default()
            },
            ..AcquisitionDetails::default()
        };
        let text = AcquisitionFile::of_details(&details).to_toml().unwrap();
        let value: Value = toml::from_str(&text).unwrap();
        let read: AcquisitionFile = model::from_json(&value, "the text").unwrap();
        assert_eq!(read.details("the text", false).unwrap(), details, "{text}");
    }
}
