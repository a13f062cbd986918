//! Verifies the pixels of an image in a store: every chunk decodes, every level is the halving of the one above, and level 0
//! equals its source tiles. Validators of OME-Zarr look at metadata only.

mod levels;
mod pixels;

use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::ImageMetadata;
use ome_zarr_convert_store::Location;

use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::event::Cancellation;
use crate::image::{Loading, PlannedImage};
use crate::mark::Mark;

/// What a verification looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Chunks (or shards) looked at, absent ones included.
    pub units: u64,
    /// What is wrong, in the order of levels and chunks.
    pub findings: Vec<Finding>,
}

/// The tiles that an image was made from.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The image, registered and planned as its conversion did.
    pub image: &'a PlannedImage,
    /// Where its pixels come from.
    pub loading: Loading<'a>,
}

/// Verifies the image at a location on the threads of the current rayon pool.
pub fn verify_image(
    image: &Location,
    against: Option<&Against<'_>>,
    cancellation: &Cancellation,
) -> Result<Verification, ComputeError> {
    let (metadata, _) = ImageMetadata::read(image)?;
    let mut verification = Verification::default();
    let mut levels: Vec<DiskLevel> = Vec::new();
    for level in &metadata.levels {
        cancellation.check()?;
        match DiskLevel::open(&image.join(&level.path)) {
            Ok(level) => levels.push(level),
            Err(finding) => verification.findings.push(finding),
        }
    }
    let mark = Mark::read_beside(image, &metadata)?;
    for (number, level) in levels.iter().enumerate() {
        let (units, findings) = level.decode_all_unless(|| cancellation.is_cancelled());
        cancellation.check()?;
        verification.units += units;
        verification.findings.extend(findings);
        if let Some(expected) = mark.as_ref().and_then(|mark| mark.files.get(number)) {
            verification.findings.extend(level.count_files(*expected));
        }
    }
    // What cannot be read has been reported; levels are compared only when all of them can.
    if verification.findings.is_empty() {
        for pair in levels.windows(2) {
            let found = levels::compare(&pair[0], &pair[1], mark.is_some(), cancellation)?;
            verification.findings.extend(found);
        }
        if let (Some(against), Some(finest)) = (against, levels.first()) {
            verification
                .findings
                .extend(pixels::compare(finest, against, cancellation)?);
        }
    }
    Ok(verification)
}

fn differing_pixels(a: &[u8], b: &[u8], data_type: PixelType) -> u64 {
    if a == b {
        return 0;
    }
    let pixel = data_type.size_bytes();
    a.chunks(pixel).zip(b.chunks(pixel)).filter(|(a, b)| a != b).count() as u64
}
