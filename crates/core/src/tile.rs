//! One image file (or a loader's worth of pixels) with its stage position: what converters make from a table or a
//! parser of their own.

use std::sync::Arc;

use indexmap::IndexMap;
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::LoaderSpec;

use crate::acquisition::AcquisitionDetails;
use crate::collection::Collection;
use crate::error::CoreError;
use crate::roi::Roi;
use ome_zarr_convert_geometry::{Axis, Space, Span, world_to_pixel};

/// Attributes of a tile or an image: each a list of values, in the order of the table's columns.
pub type Attributes = IndexMap<String, Vec<Cell>>;

/// One image file with its place. Starts and lengths are in the spaces that the acquisition declares.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Name of the field of view this tile belongs to.
    pub fov_name: String,
    /// Start along x.
    pub start_x: f64,
    /// Start along y.
    pub start_y: f64,
    /// Start along z.
    pub start_z: f64,
    /// First channel, an index into the acquisition's channels.
    pub start_c: i64,
    /// Start along t.
    pub start_t: f64,
    /// Length along x.
    pub length_x: f64,
    /// Length along y.
    pub length_y: f64,
    /// Length along z.
    pub length_z: f64,
    /// Number of channels in the file.
    pub length_c: i64,
    /// Length along t.
    pub length_t: f64,
    /// Attributes, which end in the image list and the condition table.
    pub attributes: Attributes,
    /// Where the image of this tile goes.
    pub collection: Arc<Collection>,
    /// How its pixels are loaded.
    pub image_loader: LoaderSpec,
    /// Pixel size, channels, axes and orientation of the acquisition.
    pub acquisition_details: Arc<AcquisitionDetails>,
}

impl Tile {
    /// A tile of one plane at the origin, with no attributes; set the fields that differ.
    pub fn new(
        fov_name: impl Into<String>,
        length_x: f64,
        length_y: f64,
        collection: Arc<Collection>,
        image_loader: LoaderSpec,
        acquisition_details: Arc<AcquisitionDetails>,
    ) -> Self {
        Self {
            fov_name: fov_name.into(),
            start_x: 0.0,
            start_y: 0.0,
            start_z: 0.0,
            start_c: 0,
            start_t: 0.0,
            length_x,
            length_y,
            length_z: 1.0,
            length_c: 1,
            length_t: 1.0,
            attributes: Attributes::new(),
            collection,
            image_loader,
            acquisition_details,
        }
    }

    /// How messages name this tile.
    pub fn describe(&self) -> String {
        describe(&self.fov_name, &self.image_loader)
    }

    pub(crate) fn start(&self, axis: Axis) -> f64 {
        match axis {
            Axis::T => self.start_t,
            Axis::C => self.start_c as f64,
            Axis::Z => self.start_z,
            Axis::Y => self.start_y,
            Axis::X => self.start_x,
        }
    }

    fn length(&self, axis: Axis) -> f64 {
        match axis {
            Axis::T => self.length_t,
            Axis::C => self.length_c as f64,
            Axis::Z => self.length_z,
            Axis::Y => self.length_y,
            Axis::X => self.length_x,
        }
    }

    /// Holds the numbers against what they mean: finite starts, positive lengths, channels that exist.
    pub fn check(&self) -> Result<(), CoreError> {
        let wrong = |problem: String| {
            Err(CoreError::Tile {
                tile: self.describe(),
                problem,
            })
        };
        for axis in Axis::ALL {
            let (name, start, length) = (axis.name(), self.start(axis), self.length(axis));
            if !start.is_finite() {
                return wrong(format!("start_{name} is {start}, but it must be a finite number"));
            }
            if !(length.is_finite() && length > 0.0) {
                return wrong(format!("length_{name} is {length}, but it must be more than 0"));
            }
        }
        if self.start_c < 0 {
            return wrong(format!("start_c is {}, but channels count from 0", self.start_c));
        }
        if let Some(channels) = &self.acquisition_details.channels
            && self.start_c + self.length_c > channels.len() as i64
        {
            return wrong(format!(
                "it holds channel {}, but the acquisition lists {} channels (numbers 0 to {}); list one channel per \
                 number, or leave the list out to get names made up",
                self.start_c + self.length_c - 1,
                channels.len(),
                channels.len() as i64 - 1
            ));
        }
        Ok(())
    }

    /// The tile's box in world units: positions normalised through the pixel grid, orientation of the stage applied.
    ///
    /// `swap_xy` takes the start of x, and the space it is in, from y and the other way round, since the stage's axes are not the
    /// camera's; lengths are sizes of the image file and stay. Then `flip_x`/`flip_y` negate the start. What comes out is also kept
    /// as the original position.
    pub fn to_roi(&self) -> Roi {
        let details = &*self.acquisition_details;
        let orientation = &details.stage_orientation;
        let mut roi = Roi::new(self.fov_name.clone(), Space::World, []);
        for &axis in &details.axes {
            let source = match axis {
                Axis::X if orientation.swap_xy => Axis::Y,
                Axis::Y if orientation.swap_xy => Axis::X,
                other => other,
            };
            // x and y have one pixel size.
            let spacing = details.spacing(axis);
            let to_world = |value: f64, space: Option<Space>| match space {
                None => value,
                Some(Space::Pixel) => value * spacing,
                Some(Space::World) => world_to_pixel(value, spacing) * spacing,
            };
            let mut start = to_world(self.start(source), details.start_space(source));
            if (axis == Axis::X && orientation.flip_x) || (axis == Axis::Y && orientation.flip_y) {
                start = -start;
            }
            let length = to_world(self.length(axis), details.length_space(axis));
            roi.set(axis, Span { start, length });
            if matches!(axis, Axis::X | Axis::Y | Axis::Z) {
                roi.originals[axis.index()] = Some(start);
            }
        }
        roi
    }
}

/// How messages name a tile: its field of view and its file.
pub(crate) fn describe(fov_name: &str, loader: &LoaderSpec) -> String {
    match loader {
        LoaderSpec::File { file_path } => format!("tile '{fov_name}' ({file_path})"),
        LoaderSpec::Custom(_) if loader.axes().is_some() => {
            format!("tile '{fov_name}' ({})", loader.file_path().unwrap_or_default())
        }
        LoaderSpec::Custom(keys) => {
            let text = serde_json::Value::Object((**keys).clone()).to_string();
            let short: String = text.chars().take(200).collect();
            format!("tile '{fov_name}' ({short})")
        }
    }
}
