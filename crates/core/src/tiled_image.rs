//! All tiles of one output image, before and after registration.

use std::collections::HashMap;
use std::sync::Arc;

use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::LoaderSpec;

use crate::collection::Collection;
use crate::options::ChannelInfo;
use crate::roi::Roi;
use crate::tile::{Attributes, describe};
use ome_zarr_convert_geometry::Axis;

/// The box of one tile and how its pixels are loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Where the pixels belong.
    pub roi: Roi,
    /// Where they come from.
    pub image_loader: LoaderSpec,
}

impl Region {
    /// How messages name this tile.
    pub fn describe(&self) -> String {
        describe(&self.roi.name, &self.image_loader)
    }
}

/// One output image: its tiles, geometry, channels and place.
#[derive(Clone, Debug, PartialEq)]
pub struct TiledImage {
    /// The tiles, in the order of the table; after registration by field of view. Where they overlap, the later wins.
    pub regions: Vec<Region>,
    /// Path below the output folder, for messages; the `zarr_url` of a task decides where it is written.
    pub path: String,
    /// A name, if the converter gave one.
    pub name: Option<String>,
    /// Pixel size along x and y in micrometers.
    pub xy_pixel_size: f64,
    /// Spacing of planes in micrometers.
    pub z_spacing: f64,
    /// Spacing of time points in seconds.
    pub t_spacing: f64,
    /// Data type of the output.
    pub data_type: PixelType,
    /// Axes of the output, an ordered subset of `t c z y x`.
    pub axes: Vec<Axis>,
    /// Where the image goes.
    pub collection: Arc<Collection>,
    /// Channels by index; `None`: names and colors are made up.
    pub channels: Option<Vec<ChannelInfo>>,
    /// World position of the image's origin, one number per axis (images of a single field of view).
    pub translation: Option<Vec<f64>>,
    /// Attributes of the image.
    pub attributes: Attributes,
}

impl TiledImage {
    /// World units per pixel along an axis; channels count by one.
    pub fn spacing(&self, axis: Axis) -> f64 {
        match axis {
            Axis::T => self.t_spacing,
            Axis::C => 1.0,
            Axis::Z => self.z_spacing,
            Axis::Y | Axis::X => self.xy_pixel_size,
        }
    }

    /// Indices of the regions of each field of view, fields by first appearance.
    pub fn fields_of_view(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        for (index, region) in self.regions.iter().enumerate() {
            let group = *by_name.entry(&region.roi.name).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(index);
        }
        groups
    }

    /// Sorts the regions by field of view (by first appearance), keeping their order inside each.
    pub(crate) fn regroup_by_fov(&mut self) {
        let order = self.fields_of_view();
        let mut regions: Vec<Option<Region>> = std::mem::take(&mut self.regions).into_iter().map(Some).collect();
        self.regions = order
            .into_iter()
            .flatten()
            .filter_map(|index| regions[index].take())
            .collect();
    }

    /// Number of values that every attribute has: the rows of the condition table. Attributes of different lengths are an
    /// error, told as text.
    pub fn attribute_rows(&self) -> Result<usize, String> {
        let mut lengths = self.attributes.iter().map(|(key, values)| (key, values.len()));
        let Some((first, rows)) = lengths.next() else {
            return Ok(0);
        };
        match lengths.find(|(_, length)| *length != rows) {
            None => Ok(rows),
            Some((other, length)) => Err(format!(
                "attribute {first:?} has {rows} values, but {other:?} has {length}; fill the shorter one up with null"
            )),
        }
    }

    /// Size of the output array in pixels per axis of [`Self::axes`], from pixel 0 to the largest end. With a channel list the
    /// c axis has its length. Only meaningful after registration.
    pub fn output_shape(&self) -> Vec<u64> {
        let end = |axis: Axis| {
            self.regions
                .iter()
                .map(|region| region.roi.span(axis).end())
                .fold(0.0, f64::max)
        };
        let size = |axis: Axis| match (&self.channels, axis) {
            (Some(channels), Axis::C) => channels.len() as u64,
            _ => end(axis).ceil().max(1.0) as u64,
        };
        self.axes.iter().map(|axis| size(*axis)).collect()
    }
}
