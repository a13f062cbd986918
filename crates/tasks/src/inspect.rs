//! What an OME-Zarr holds: `ngff`'s inspection with what only other crates know, and an answer for folders that are none.

use std::path::Path;

use ome_zarr_convert_compute::Mark;
use ome_zarr_convert_core::{CoreError, parquet_rows};
pub use ome_zarr_convert_ngff::inspect::{
    AcquisitionReport, ArrayReport, AxisReport, ChannelReport, Fault, ImageReport, Inspection, LevelReport, Node,
    PlateReport, PlateWell, TableReport, Usage, WellImage, WellReport,
};
use ome_zarr_convert_ngff::inspect::{Kind, kind_of};
use ome_zarr_convert_store::Location;

use crate::error::TaskError;

const GIVE: &str = "give the folder of a plate, a well or an image";

/// Looks at the plate, well or image in `path`, whoever wrote it.
///
/// # Errors
/// If the folder is not an OME-Zarr (exit code 2, with a hint where one is near), or its own metadata is broken (1). What is
/// missing or broken further down is in the report.
pub fn inspect(path: &Path) -> Result<Inspection, TaskError> {
    if !path.is_dir() {
        let why = if path.exists() {
            "it is a file"
        } else {
            "it does not exist"
        };
        return Err(no_ome_zarr(path, &format!("{why}; {GIVE}")));
    }
    let place = Location::local(path)?;
    let inspection = ome_zarr_convert_ngff::inspect::inspect(&place, &parquet_rows).map_err(CoreError::from)?;
    let mut inspection = inspection.ok_or_else(|| no_ome_zarr(path, &hint(path)))?;
    if inspection.writer.is_none() {
        for (image, _) in inspection.images() {
            if Mark::read(&image)?.is_some() {
                inspection.writer = Some("ome-zarr-convert".to_owned());
                break;
            }
        }
    }
    Ok(inspection)
}

fn no_ome_zarr(path: &Path, why: &str) -> TaskError {
    TaskError::Arguments {
        place: path.display().to_string(),
        problem: format!("this is not an OME-Zarr plate, well or image: {why}"),
    }
}

/// What a folder nearby is. What cannot be read there does not help, and is no error of the folder that was given.
fn kind_near(path: &Path) -> Option<Kind> {
    kind_of(&Location::local(path).ok()?).ok().flatten()
}

/// Why the folder is none, with the OME-Zarrs directly below or above it.
fn hint(path: &Path) -> String {
    const SHOWN: usize = 5;
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut below: Vec<String> = entries
        .filter(|entry| kind_near(&entry.path()).is_some())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    below.sort();
    if !below.is_empty() {
        let more = below.len().saturating_sub(SHOWN);
        below.truncate(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return format!("it holds {}{more}; give one of these", below.join(", "));
    }
    match std::path::absolute(path).ok().as_deref().and_then(Path::parent) {
        Some(above) if kind_near(above) == Some(Kind::Image) => {
            format!("it is a part of {}; give that", above.display())
        }
        _ => format!("it has no OME metadata; {GIVE}"),
    }
}
