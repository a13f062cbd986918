//! Compares the finest level with the tiles it was made from.

use ome_zarr_convert_geometry::{Index5, PixelType, each_index, flat_index};
use rayon::prelude::*;

use super::{Against, differing_pixels};
use crate::buffer::Buffer;
use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::event::Cancellation;
use crate::job::Job;
use crate::plan::{Leaf, X, Y};
use crate::tiles::Tiles;

/// Compares every chunk with its tiles.
pub(super) fn compare(
    finest: &DiskLevel,
    against: &Against<'_>,
    cancellation: &Cancellation,
) -> Result<Vec<Finding>, ComputeError> {
    let plan = against.image.plan();
    let expected = plan.own_axes(plan.levels[0].shape);
    if expected != finest.shape[5 - finest.axes..] {
        return Ok(vec![Finding {
            path: finest.dir.to_string(),
            problem: format!(
                "its shape is {:?}, but its tiles make {expected:?}",
                &finest.shape[5 - finest.axes..]
            ),
        }]);
    }
    let job = Job {
        cancellation,
        ..Job::silent(against.image, against.loading.loader, against.loading.resource)
    };
    let tiles = Tiles::new(&job).map_err(|failure| failure.error)?;
    let compare = |leaf: &Leaf| compare_leaf(finest, &job, &tiles, leaf);
    let findings: Result<Vec<Option<Finding>>, ComputeError> = plan.leaves.par_iter().map(compare).collect();
    Ok(findings?.into_iter().flatten().collect())
}

fn compare_leaf(
    finest: &DiskLevel,
    job: &Job<'_>,
    tiles: &Tiles<'_>,
    leaf: &Leaf,
) -> Result<Option<Finding>, ComputeError> {
    job.check_cancelled()?;
    let plan = job.plan();
    let level = &plan.levels[0];
    let pixels = level.chunks().pixels_of(leaf.chunk);
    let found = match finest.read_own(&plan.own_axes(pixels.start), &plan.own_axes(pixels.size)) {
        Ok(found) => found,
        Err(finding) => return Ok(Some(finding)),
    };
    let filled = tiles
        .fill(leaf.chunk, &leaf.placements)
        .map_err(|failure| failure.error)?;
    let differing = match &filled {
        None => found.iter().filter(|byte| **byte != 0).count() as u64,
        Some(filled) => {
            let expected = inside(filled, level.chunk, pixels.size, plan.data_type);
            differing_pixels(&expected, &found, plan.data_type)
        }
    };
    Ok((differing > 0).then(|| Finding {
        path: finest.dir.to_string(),
        problem: format!(
            "{differing} pixels of the chunk at {:?} differ from its tiles",
            plan.own_axes(leaf.chunk)
        ),
    }))
}

/// The pixels of a chunk that lie inside the array.
fn inside(chunk: &Buffer, size: Index5, valid: Index5, data_type: PixelType) -> Vec<u8> {
    let pixel = data_type.size_bytes();
    let mut pixels = Vec::with_capacity(valid.iter().product::<u64>() as usize * pixel);
    let row_bytes = valid[X] as usize * pixel;
    let last_row = [valid[0] - 1, valid[1] - 1, valid[2] - 1, valid[Y] - 1, 0];
    each_index([0; 5], last_row, |row| {
        let start = flat_index(row, size) * pixel;
        pixels.extend_from_slice(&chunk.bytes()[start..start + row_bytes]);
    });
    pixels
}
