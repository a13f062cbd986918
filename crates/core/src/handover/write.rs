//! Writes the document of an image: key order, presence and number form as the reference's own.

use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::LoaderSpec;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::collection::Collection;
use crate::error::CoreError;
use crate::options::ChannelInfo;
use crate::roi::Roi;
use crate::tile::Attributes;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, Space};

/// The document of an image as compact JSON.
pub fn image_to_json(image: &TiledImage) -> Result<String, CoreError> {
    serde_json::to_string(&Image(image)).map_err(|error| CoreError::Syntax {
        place: format!("the document of image {}", image.path),
        problem: error.to_string(),
    })
}

struct Image<'a>(&'a TiledImage);
struct RegionDocument<'a>(&'a Region);
struct RoiDocument<'a>(&'a Roi);
struct LoaderDocument<'a>(&'a LoaderSpec);
struct CollectionDocument<'a>(&'a Collection);
struct ChannelDocument<'a>(&'a ChannelInfo);
struct AttributesDocument<'a>(&'a Attributes);
struct CellDocument<'a>(&'a Cell);
struct Each<'a, T>(&'a [T]);

impl Serialize for Image<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let image = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("regions", &Each(&image.regions))?;
        map.serialize_entry("path", &image.path)?;
        map.serialize_entry("name", &image.name)?;
        map.serialize_entry("xy_pixel_size", &image.xy_pixel_size)?;
        map.serialize_entry("z_spacing", &image.z_spacing)?;
        map.serialize_entry("t_spacing", &image.t_spacing)?;
        map.serialize_entry("data_type", image.data_type.name())?;
        map.serialize_entry("axes", &image.axes.iter().map(|axis| axis.name()).collect::<Vec<_>>())?;
        map.serialize_entry("collection", &CollectionDocument(&image.collection))?;
        map.serialize_entry("channels", &image.channels.as_deref().map(Each))?;
        map.serialize_entry("translation", &image.translation)?;
        map.serialize_entry("attributes", &AttributesDocument(&image.attributes))?;
        map.end()
    }
}

impl<'a, T> Serialize for Each<'a, T>
where
    &'a T: Document,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&item.document())?;
        }
        list.end()
    }
}

/// The wire form of a domain value.
trait Document {
    fn document(self) -> impl Serialize;
}

impl Document for &Region {
    fn document(self) -> impl Serialize {
        RegionDocument(self)
    }
}

impl Document for &ChannelInfo {
    fn document(self) -> impl Serialize {
        ChannelDocument(self)
    }
}

impl Document for &Cell {
    fn document(self) -> impl Serialize {
        CellDocument(self)
    }
}

impl Serialize for RegionDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("roi", &RoiDocument(&self.0.roi))?;
        map.serialize_entry("image_loader", &LoaderDocument(&self.0.image_loader))?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct SliceDocument {
    axis_name: &'static str,
    start: f64,
    length: f64,
}

/// Names of the original positions, by axis.
pub(super) const ORIGINALS: [(Axis, &str); 3] = [
    (Axis::Z, "z_micrometer_original"),
    (Axis::Y, "y_micrometer_original"),
    (Axis::X, "x_micrometer_original"),
];

impl Serialize for RoiDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let roi = self.0;
        let slice = |axis: Axis| {
            let span = roi.span(axis);
            SliceDocument {
                axis_name: axis.name(),
                start: span.start,
                length: span.length,
            }
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &roi.name)?;
        map.serialize_entry("slices", &roi.axes().map(slice).collect::<Vec<_>>())?;
        map.serialize_entry("label", &roi.label)?;
        map.serialize_entry("space", if roi.space == Space::World { "world" } else { "pixel" })?;
        for (axis, key) in ORIGINALS {
            if let Some(original) = roi.originals[axis as usize] {
                map.serialize_entry(key, &original)?;
            }
        }
        for (key, value) in roi.extra.iter().flat_map(|extra| extra.iter()) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for LoaderDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            LoaderSpec::File { file_path } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("file_path", file_path)?;
                map.end()
            }
            LoaderSpec::Custom(keys) => keys.serialize(serializer),
        }
    }
}

impl Serialize for CollectionDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let extra = match self.0 {
            Collection::ImageInPlate(place) => {
                map.serialize_entry("plate_name", &place.plate_name)?;
                map.serialize_entry("row", &place.row)?;
                map.serialize_entry("column", &place.column)?;
                map.serialize_entry("acquisition", &place.acquisition)?;
                &place.extra
            }
            Collection::SingleImage(image) => {
                map.serialize_entry("image_path", &image.image_path)?;
                &image.extra
            }
            Collection::Custom(custom) => &custom.extra,
        };
        for (key, value) in extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for ChannelDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("channel_label", &self.0.channel_label)?;
        map.serialize_entry("wavelength_id", &self.0.wavelength_id)?;
        map.serialize_entry("color", &self.0.display_color())?;
        map.end()
    }
}

impl Serialize for AttributesDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, values) in self.0 {
            map.serialize_entry(key, &Each(values))?;
        }
        map.end()
    }
}

impl Serialize for CellDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_none(),
            Cell::Bool(value) => serializer.serialize_bool(*value),
            Cell::Int(value) => serializer.serialize_i64(*value),
            // JSON has no NaN and no infinity: a missing value, as the reference writes it.
            Cell::Float(value) if !value.is_finite() => serializer.serialize_none(),
            Cell::Float(value) => serializer.serialize_f64(*value),
            Cell::Text(text) => serializer.serialize_str(text),
        }
    }
}
