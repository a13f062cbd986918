//! Verifies the pixels of images, plates and folders of them.

use std::path::{Path, PathBuf};

use ome_zarr_convert_compute::{Against, Finding, verify_image};
use ome_zarr_convert_core::ParallelizationEntry;
use ome_zarr_convert_ngff::Plate;

use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::list::image_of;

/// What was verified and what is wrong.
#[derive(Clone, Debug, Default)]
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
    let images = images_of(path)?;
    if images.is_empty() {
        return Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "it is no OME-Zarr image or plate, and holds none; give the folder that ends in .zarr".into(),
        });
    }
    let mut verified = Verified {
        images: images.len(),
        ..Verified::default()
    };
    for image in images {
        if !image.is_dir() {
            let problem = "the plate lists this image, but it is not there: convert it".to_owned();
            verified.findings.push(Finding { path: image, problem });
            continue;
        }
        let entry = against.iter().find(|entry| Path::new(&entry.zarr_url) == image);
        let one = verify_one(&image, entry, context)?;
        verified.units += one.units;
        verified.findings.extend(one.findings);
    }
    Ok(verified)
}

fn verify_one(
    image: &Path,
    entry: Option<&ParallelizationEntry>,
    context: &ComputeContext<'_>,
) -> Result<ome_zarr_convert_compute::Verification, TaskError> {
    let Some(entry) = entry else {
        return Ok(verify_image(image, None)?);
    };
    let args = &entry.init_args;
    let (tiled, _) = image_of(entry)?;
    let against = Against {
        image: &tiled,
        options: &args.converter_options,
        pipeline: args.registration_pipeline.as_deref(),
        extensions: context.extensions,
        loader: match &args.image_loader {
            Some(name) => context.extensions.loader(Some(name))?,
            None => context.loader,
        },
        resource: context.resource,
    };
    Ok(verify_image(image, Some(&against))?)
}

/// The images at a path: itself, those that a plate lists, or those of every `.zarr` in a folder.
fn images_of(path: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let path = std::path::absolute(path).map_err(TaskError::io("find", path))?;
    if let Ok(plate) = Plate::open(&path) {
        let paths = plate
            .image_paths()
            .map_err(ome_zarr_convert_compute::ComputeError::from)?;
        return Ok(paths.iter().map(|image| path.join(image)).collect());
    }
    if [".zattrs", "zarr.json"].iter().any(|name| path.join(name).is_file()) {
        return Ok(vec![path]);
    }
    let mut images = Vec::new();
    let entries = std::fs::read_dir(&path).map_err(TaskError::io("read", &path))?;
    let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    below.sort();
    for zarr in below
        .iter()
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "zarr"))
    {
        images.extend(images_of(zarr)?);
    }
    Ok(images)
}
