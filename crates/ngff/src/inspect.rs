//! What an OME-Zarr holds, whoever wrote it: a plate, a well or an image with all that is below it.
//!
//! Every metadata file is read once, bytes are counted in one walk over the folder, pixels are not touched. What is listed
//! but missing or broken becomes a [`Fault`]; the rest is reported all the same.

mod read;
mod report;
mod usage;

use std::error::Error as StdError;

pub use report::{
    AcquisitionReport, ArrayReport, AxisReport, ChannelReport, Fault, ImageReport, Inspection, LevelReport, Node,
    PlateReport, PlateWell, TableReport, Usage, WellImage, WellReport,
};

use ome_zarr_convert_store::Location;

use crate::error::NgffError;
use crate::group::{self, OmeGroup};
use crate::version::{NgffVersion, ZarrFormat};

/// What a group is by its OME metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plate with wells.
    Plate,
    /// A well with images.
    Well,
    /// An image with levels.
    Image,
}

/// Counts the rows in the bytes of a Parquet file: no Parquet library is named here.
pub type ParquetRows = dyn Fn(&[u8]) -> Result<u64, Box<dyn StdError + Send + Sync>>;

/// What the folder is; `None` if it is no plate, well or image of OME-Zarr.
///
/// # Errors
/// Metadata that is there but cannot be read: [`NgffError::Json`], [`NgffError::UnsupportedVersion`] …
pub fn kind_of(dir: &Location) -> Result<Option<Kind>, NgffError> {
    let (attributes, format) = match group::read_attributes(dir) {
        Ok(read) => read,
        Err(NgffError::NotZarr { .. }) => return Ok(None),
        // An array: a level of an image, not an image.
        Err(NgffError::Malformed { key, .. }) if key == "node_type" => return Ok(None),
        Err(error) => return Err(error),
    };
    if format == ZarrFormat::V3 && !attributes.contains_key("ome") {
        return Ok(None);
    }
    let version = NgffVersion::of_group(dir, format, &attributes)?;
    let group = OmeGroup { attributes, version };
    let ome = group.ome(dir)?;
    let kinds = [
        ("plate", Kind::Plate),
        ("well", Kind::Well),
        ("multiscales", Kind::Image),
    ];
    Ok(kinds
        .into_iter()
        .find(|(key, _)| ome.contains_key(*key))
        .map(|(_, kind)| kind))
}

/// Looks at the plate, well or image in `dir` and all that is below it; `None` if it is none of these.
///
/// `path` of the report is `dir` as given; paths inside are relative to it, with `/`.
///
/// # Errors
/// If the metadata of `dir` itself cannot be used; what is wrong further down is in [`Inspection::problems`].
pub fn inspect(dir: &Location, parquet_rows: &ParquetRows) -> Result<Option<Inspection>, NgffError> {
    let Some(kind) = kind_of(dir)? else { return Ok(None) };
    let mut inspection = read::read(dir, kind, parquet_rows)?;
    usage::fill(&mut inspection);
    Ok(Some(inspection))
}

#[cfg(test)]
mod tests;
