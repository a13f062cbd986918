//! What lies at the output's path already: this very conversion, another one, an image of another program, or nothing.

use ome_zarr_convert_core::options::OverwriteMode;
use ome_zarr_convert_ngff::{ImageMetadata, NgffError, is_array, list_tables};
use ome_zarr_convert_store::{Kind, Location};

use crate::disk::DiskLevel;
use crate::error::ComputeError;
use crate::mark::Mark;
use crate::report::Outcome;
use crate::staging::{is_claimed, may_be_replaced};

/// What a conversion wants of an output that exists.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) fingerprint: &'a str,
    pub(crate) mode: OverwriteMode,
    /// Whether chunks are decoded before an image counts as complete.
    pub(crate) check: bool,
    /// Whether the image has conditions, whose table the reference writes last.
    pub(crate) has_conditions: bool,
}

/// Whether what is at the output's path already makes the conversion unnecessary, or forbids it.
pub(crate) fn look_at_existing(target: &Location, wanted: &Wanted<'_>) -> Result<Option<Outcome>, ComputeError> {
    let found = match target.stat()? {
        None => return Ok(None),
        Some(found) => found,
    };
    if found.link {
        return Err(ComputeError::Link {
            path: target.to_string(),
        });
    }
    let mark = if found.kind == Kind::Folder {
        Mark::read(target)?
    } else {
        None
    };
    let same = mark.filter(|mark| mark.fingerprint == wanted.fingerprint);
    // What may be replaced is kept only if nothing is missing from it, or damaged as far as was asked.
    let mut damaged = false;
    if let Some(mark) = same {
        if wanted.mode == OverwriteMode::NoOverwrite || is_whole(target, &mark, wanted.check) {
            return Ok(Some(Outcome::AlreadyComplete));
        }
        damaged = true;
    }
    // A place that an interrupted conversion claimed is no image yet.
    if is_claimed(target)? {
        return Ok(None);
    }
    match wanted.mode {
        OverwriteMode::NoOverwrite => Err(ComputeError::OutputExists {
            path: target.to_string(),
        }),
        _ if !may_be_replaced(target)? => Err(ComputeError::Foreign {
            path: target.to_string(),
        }),
        OverwriteMode::Overwrite => Ok(None),
        OverwriteMode::Extend if damaged => Ok(None),
        OverwriteMode::Extend => Ok(is_complete(target, wanted.has_conditions)?.then_some(Outcome::Kept)),
    }
}

/// Whether an image has all files of pixels that were written; with `decoded`, whether each of them decodes.
fn is_whole(image: &Location, mark: &Mark, decoded: bool) -> bool {
    let Ok((metadata, _)) = ImageMetadata::read(image) else {
        return false;
    };
    metadata.levels.len() == mark.files.len()
        && metadata.levels.iter().zip(&mark.files).all(|(level, files)| {
            let disk = DiskLevel::open(&image.join(&level.path));
            disk.is_ok_and(|disk| disk.count_files(*files).is_none() && (!decoded || disk.decode_all().1.is_empty()))
        })
}

/// Whether an image is complete, whoever wrote it: metadata, the arrays of all levels, and the tables that the
/// reference writes last (a chunk alone may be absent because it is empty).
fn is_complete(image: &Location, has_conditions: bool) -> Result<bool, ComputeError> {
    let metadata = match ImageMetadata::read(image) {
        Ok((metadata, _)) => metadata,
        Err(error @ NgffError::Store(_)) => return Err(error.into()),
        Err(_) => return Ok(false),
    };
    if Mark::read_beside(image, &metadata)?.is_some() {
        return Ok(true);
    }
    if metadata.levels.is_empty() {
        return Ok(false);
    }
    for level in &metadata.levels {
        if !is_array(&image.join(&level.path))? {
            return Ok(false);
        }
    }
    let last = if has_conditions {
        "condition_table"
    } else {
        "well_ROI_table"
    };
    let tables = match list_tables(image) {
        Ok(tables) => tables,
        Err(error @ NgffError::Store(_)) => return Err(error.into()),
        Err(_) => return Ok(false),
    };
    Ok(tables.iter().any(|table| table.name == last))
}
