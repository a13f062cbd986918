//! The report of an inspection: plain data, whose JSON has the same keys in the same order every time.

use ome_zarr_convert_store::Location;
use serde::{Serialize, Serializer};

use crate::version::NgffVersion;

/// What a plate, well or image holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The folder, as given.
    #[serde(serialize_with = "as_text")]
    pub path: Location,
    /// Version of OME-NGFF.
    #[serde(serialize_with = "as_text")]
    pub ngff_version: NgffVersion,
    /// Format of the Zarr store: 2 or 3.
    pub zarr_format: u8,
    /// The program that wrote it, if it says so.
    pub writer: Option<String>,
    /// All files in the folder.
    #[serde(flatten)]
    pub usage: Usage,
    /// What it is, and what is in it.
    #[serde(flatten)]
    pub node: Node,
    /// What is listed but missing or broken, in reading order.
    pub problems: Vec<Fault>,
}

/// A plate, a well or an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Node {
    /// A plate with wells.
    Plate(PlateReport),
    /// A well with images.
    Well(WellReport),
    /// An image with levels.
    Image(ImageReport),
}

/// Space on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Number of files, metadata included.
    pub files: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

/// Something that is listed but missing, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, relative to the inspected folder; `.` for the folder itself.
    pub path: String,
    /// What is wrong; names the file or folder in full.
    pub problem: String,
}

/// A plate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlateReport {
    /// Name in the metadata.
    pub name: Option<String>,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Acquisitions that the plate lists.
    pub acquisitions: Vec<AcquisitionReport>,
    /// Wells in the order of the metadata.
    pub wells: Vec<PlateWell>,
    /// Tables of the plate itself.
    pub tables: Vec<TableReport>,
}

/// An acquisition of a plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcquisitionReport {
    /// Number.
    pub id: u32,
    /// Name.
    pub name: Option<String>,
}

/// A well of a plate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlateWell {
    /// Path in the plate, `A/01`.
    pub path: String,
    /// What is in it.
    #[serde(flatten)]
    pub well: WellReport,
}

/// A well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WellReport {
    /// Images in the order of the metadata.
    pub images: Vec<WellImage>,
}

/// An image of a well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WellImage {
    /// Path in the well, `0`.
    pub path: String,
    /// Number of its acquisition.
    pub acquisition: Option<u32>,
    /// Its files.
    #[serde(flatten)]
    pub usage: Usage,
    /// What is in it; `None` if it is missing or broken.
    pub image: Option<ImageReport>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageReport {
    /// Axes in the order of the arrays.
    pub axes: Vec<AxisReport>,
    /// World position of the first pixel, one number per axis.
    pub translation: Option<Vec<f64>>,
    /// Levels, finest first.
    pub levels: Vec<LevelReport>,
    /// Channels; none if the image lists none.
    pub channels: Vec<ChannelReport>,
    /// Its tables.
    pub tables: Vec<TableReport>,
}

/// An axis of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AxisReport {
    /// Name, `z`.
    pub name: String,
    /// `space`, `time` or `channel`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Unit of scale and translation.
    pub unit: Option<String>,
}

/// A level of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelReport {
    /// Folder in the image.
    pub path: String,
    /// World units per pixel along each axis.
    pub scale: Vec<f64>,
    /// Its files.
    #[serde(flatten)]
    pub usage: Usage,
    /// Its array; `None` if it is missing or broken.
    pub array: Option<ArrayReport>,
}

/// The array of a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArrayReport {
    /// Pixels along each axis.
    pub shape: Vec<u64>,
    /// Pixels of a chunk along each axis; of an inner chunk, if there are shards.
    pub chunks: Vec<u64>,
    /// Pixels of a shard along each axis.
    pub shards: Option<Vec<u64>>,
    /// Type of the pixels, `uint16`.
    pub data_type: &'static str,
    /// Compressor of the chunks, `blosc`; `none` without.
    pub codec: String,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelReport {
    /// Name.
    pub label: String,
    /// Identifier of the wavelength.
    pub wavelength_id: Option<String>,
    /// Six hexadecimal digits, RRGGBB.
    pub color: String,
    /// Whether viewers show it at first.
    pub active: bool,
    /// Values shown black and in full color.
    pub window: Option<[f64; 2]>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Name, the folder in `tables`.
    pub name: String,
    /// `roi_table`, `condition_table` …, if stated.
    pub kind: Option<String>,
    /// `csv`, `json`, `anndata` …, if stated.
    pub backend: Option<String>,
    /// Number of rows; `None` for backends that are not known here.
    pub rows: Option<u64>,
}

impl Inspection {
    /// Every image that is there, with its folder.
    pub fn images(&self) -> Vec<(Location, &ImageReport)> {
        fn of_well<'a>(dir: &Location, well: &'a WellReport, found: &mut Vec<(Location, &'a ImageReport)>) {
            let there = well
                .images
                .iter()
                .filter_map(|image| Some((dir.join(&image.path), image.image.as_ref()?)));
            found.extend(there);
        }
        let mut found = Vec::new();
        match &self.node {
            Node::Plate(plate) => {
                for well in &plate.wells {
                    of_well(&self.path.join(&well.path), &well.well, &mut found);
                }
            }
            Node::Well(well) => of_well(&self.path, well, &mut found),
            Node::Image(image) => found.push((self.path.clone(), image)),
        }
        found
    }

    /// Hands out every usage below the top with its path in the folder.
    pub(super) fn each_usage(&mut self, visit: &mut dyn FnMut(String, &mut Usage)) {
        match &mut self.node {
            Node::Plate(plate) => {
                for well in &mut plate.wells {
                    well.well.each_usage(&format!("{}/", well.path), visit);
                }
            }
            Node::Well(well) => well.each_usage("", visit),
            Node::Image(image) => image.each_usage("", visit),
        }
    }
}

impl WellReport {
    /// `prefix` is the path of the well with a `/` at its end, or empty.
    fn each_usage(&mut self, prefix: &str, visit: &mut dyn FnMut(String, &mut Usage)) {
        for image in &mut self.images {
            let path = format!("{prefix}{}", image.path);
            if let Some(report) = &mut image.image {
                report.each_usage(&format!("{path}/"), visit);
            }
            visit(path, &mut image.usage);
        }
    }
}

impl ImageReport {
    fn each_usage(&mut self, prefix: &str, visit: &mut dyn FnMut(String, &mut Usage)) {
        for level in &mut self.levels {
            visit(format!("{prefix}{}", level.path), &mut level.usage);
        }
    }
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
