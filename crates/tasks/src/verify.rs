//! Verifies the pixels of images, plates and folders of them.

use std::path::Path;

use ome_zarr_convert_compute::{Against, ComputeError, Finding, Verification, verify_image};
use ome_zarr_convert_core::ParallelizationEntry;
use ome_zarr_convert_ngff::Plate;
use ome_zarr_convert_ngff::inspect::{Kind, kind_of};
use ome_zarr_convert_store::Location;

use crate::compute::{ComputeContext, locate};
use crate::error::TaskError;
use crate::list::plan_entry;

/// What was verified and what is wrong.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// Images looked at.
    pub images: usize,
    /// Chunks (or shards) looked at, absent ones included.
    pub units: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Verifies the image at `path`, all images of the plate there, or all images and plates in that folder, on the threads of the
/// current pool. `against` holds images against the tiles of their entries; images without an entry are not.
pub fn verify(
    path: &Path,
    against: &[ParallelizationEntry],
    context: &ComputeContext<'_>,
) -> Result<Verified, TaskError> {
    let images = images_of(&locate(&path.display().to_string())?, context)?;
    if images.is_empty() {
        return Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "it is not an OME-Zarr image or plate, and holds none; give the folder that ends in .zarr".into(),
        });
    }
    let mut entries = Vec::with_capacity(against.len());
    for entry in against {
        entries.push((locate(&entry.zarr_url)?, entry));
    }
    let mut verified = Verified {
        images: images.len(),
        ..Verified::default()
    };
    for image in images {
        context.cancellation.check()?;
        if !image.exists()? {
            let problem = "the plate lists this image, but it is not there: convert it".to_owned();
            verified.findings.push(Finding {
                path: image.to_string(),
                problem,
            });
            continue;
        }
        let entry = entries.iter().find(|(place, _)| *place == image);
        let one = verify_one(&image, entry.map(|(_, entry)| *entry), context)?;
        verified.units += one.units;
        verified.findings.extend(one.findings);
    }
    Ok(verified)
}

fn verify_one(
    image: &Location,
    entry: Option<&ParallelizationEntry>,
    context: &ComputeContext<'_>,
) -> Result<Verification, TaskError> {
    let Some(entry) = entry else {
        return Ok(verify_image(image, None, context.cancellation)?);
    };
    let planned = plan_entry(entry, context)?;
    let against = Against {
        image: &planned,
        loading: context.loading(entry.init_args.image_loader.as_deref())?,
    };
    Ok(verify_image(image, Some(&against), context.cancellation)?)
}

/// The images at a place: itself, those that a plate lists, or those of every `.zarr` in a folder.
fn images_of(place: &Location, context: &ComputeContext<'_>) -> Result<Vec<Location>, TaskError> {
    context.cancellation.check()?;
    match kind_of(place) {
        Ok(Some(Kind::Plate)) => {
            let plate = Plate::open(place).map_err(ComputeError::from)?;
            let paths = plate.image_paths().map_err(ComputeError::from)?;
            return Ok(paths.iter().map(|image| place.join(image)).collect());
        }
        Ok(Some(_)) => return Ok(vec![place.clone()]),
        Ok(None) => {}
        // What is broken is reported by whoever reads it as an image.
        Err(_) => return Ok(vec![place.clone()]),
    }
    let mut images = Vec::new();
    for entry in place.list()?.into_iter().flatten() {
        let name = entry.name()?;
        if name.ends_with(".zarr") {
            images.extend(images_of(&place.child(name), context)?);
        }
    }
    Ok(images)
}
