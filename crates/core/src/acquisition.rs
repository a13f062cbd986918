//! What is known of a microscope run before conversion: pixel size, spacings, channels, axes, stage orientation.

#[cfg(feature = "tables")]
mod facts;
#[cfg(feature = "tables")]
mod file;
mod overrides;
#[cfg(feature = "tables")]
mod spacing;

#[cfg(feature = "tables")]
pub use facts::{PixelSize, Wanted};
#[cfg(feature = "tables")]
pub use file::{AcquisitionFile, find_acquisition_file, read_acquisition_file};
use ome_zarr_convert_geometry::PixelType;

use crate::error::CoreError;
use crate::options::{ChannelInfo, StageOrientation};
use ome_zarr_convert_geometry::{Axis, Space};

/// One microscope run. Starts are in world units and lengths in pixels unless the spaces say otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct AcquisitionDetails {
    /// Space of `start_x`.
    pub start_x_space: Space,
    /// Space of `start_y`.
    pub start_y_space: Space,
    /// Space of `start_z`.
    pub start_z_space: Space,
    /// Space of `start_t`.
    pub start_t_space: Space,
    /// Space of `length_x`.
    pub length_x_space: Space,
    /// Space of `length_y`.
    pub length_y_space: Space,
    /// Space of `length_z`.
    pub length_z_space: Space,
    /// Space of `length_t`.
    pub length_t_space: Space,
    /// Pixel size along x and y in micrometers.
    pub xy_pixel_size: f64,
    /// Spacing of planes in micrometers.
    pub z_spacing: f64,
    /// Spacing of time points in seconds.
    pub t_spacing: f64,
    /// Channels by index; `None`: names and colors are made up.
    pub channels: Option<Vec<ChannelInfo>>,
    /// Axes of the output, an ordered subset of `t c z y x`.
    pub axes: Vec<Axis>,
    /// Data type of the output; `None`: that of the image files.
    pub data_type: Option<PixelType>,
    /// Condition table of the plate, for converters that read one.
    pub condition_table_path: Option<String>,
    /// Orientation of the stage relative to the image.
    pub stage_orientation: StageOrientation,
}

impl Default for AcquisitionDetails {
    fn default() -> Self {
        Self {
            start_x_space: Space::World,
            start_y_space: Space::World,
            start_z_space: Space::World,
            start_t_space: Space::World,
            length_x_space: Space::Pixel,
            length_y_space: Space::Pixel,
            length_z_space: Space::Pixel,
            length_t_space: Space::Pixel,
            xy_pixel_size: 1.0,
            z_spacing: 1.0,
            t_spacing: 1.0,
            channels: None,
            axes: Axis::ALL.to_vec(),
            data_type: None,
            condition_table_path: None,
            stage_orientation: StageOrientation::default(),
        }
    }
}

impl AcquisitionDetails {
    /// World units per pixel along an axis; channels count by one.
    pub fn spacing(&self, axis: Axis) -> f64 {
        match axis {
            Axis::T => self.t_spacing,
            Axis::C => 1.0,
            Axis::Z => self.z_spacing,
            Axis::Y | Axis::X => self.xy_pixel_size,
        }
    }

    pub(crate) fn start_space(&self, axis: Axis) -> Option<Space> {
        match axis {
            Axis::T => Some(self.start_t_space),
            Axis::C => None,
            Axis::Z => Some(self.start_z_space),
            Axis::Y => Some(self.start_y_space),
            Axis::X => Some(self.start_x_space),
        }
    }

    pub(crate) fn length_space(&self, axis: Axis) -> Option<Space> {
        match axis {
            Axis::T => Some(self.length_t_space),
            Axis::C => None,
            Axis::Z => Some(self.length_z_space),
            Axis::Y => Some(self.length_y_space),
            Axis::X => Some(self.length_x_space),
        }
    }

    /// Holds the values against what they mean. `place` names where they come from.
    pub fn check(&self, place: &str) -> Result<(), CoreError> {
        let wrong = |problem: String| {
            Err(CoreError::Syntax {
                place: place.to_owned(),
                problem,
            })
        };
        let sizes = [
            ("xy_pixel_size", self.xy_pixel_size),
            ("z_spacing", self.z_spacing),
            ("t_spacing", self.t_spacing),
        ];
        for (name, value) in sizes {
            if !(value.is_finite() && value > 0.0) {
                return wrong(format!("{name} is {value}, but it must be more than 0"));
            }
        }
        let names: String = self.axes.iter().map(|axis| axis.name()).collect();
        if self.axes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return wrong(format!(
                "axes are {names:?}, but they must keep the order t, c, z, y, x, each once"
            ));
        }
        if !(self.axes.contains(&Axis::Y) && self.axes.contains(&Axis::X)) {
            return wrong(format!("axes are {names:?}, but an image needs y and x"));
        }
        channels_problem(&self.axes, self.channels.as_deref()).map_or(Ok(()), wrong)
    }
}

/// What is wrong with a channel list, if anything: channels need an axis, and names of their own.
pub fn channels_problem(axes: &[Axis], channels: Option<&[ChannelInfo]>) -> Option<String> {
    let labels: Vec<&str> = channels?.iter().map(|channel| channel.channel_label.as_str()).collect();
    if !axes.contains(&Axis::C) {
        let names: String = axes.iter().map(|axis| axis.name()).collect();
        return Some(format!(
            "{} channels are listed ({}), but the axes {names:?} have no c; add c to the axes or leave the channels out",
            labels.len(),
            labels.join(", ")
        ));
    }
    let doubled = labels
        .iter()
        .enumerate()
        .find(|(index, label)| labels[..*index].contains(label));
    doubled.map(|(_, label)| format!("two channels are called {label:?}: give each its own name"))
}
