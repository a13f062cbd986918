//! Verifies the pixels of an image on disk: every chunk decodes, every level is the halving of the one above, and level 0
//! equals its source tiles. Validators of OME-Zarr look at metadata only.

use std::path::Path;

use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_core::{Extensions, PipelineStep, TiledImage, register_with};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::ImageMetadata;
use ome_zarr_convert_sources::ImageLoader;
use rayon::prelude::*;

use crate::buffer::{Buffer, BufferPool};
use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::halve::{Halving, Stack, halve};
use crate::plan::{ImagePlan, Index5, X, Y, for_each_index};
use crate::progress::Counters;
use crate::publish::Mark;
use crate::tiles::{Tiles, TilesWith};

/// What a verification looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Chunks (or shards) looked at, absent ones included.
    pub units: u64,
    /// What is wrong, in the order of levels and chunks.
    pub findings: Vec<Finding>,
}

/// The tiles that an image was made from.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The image as the parallelization list describes it.
    pub image: &'a TiledImage,
    /// Options of its conversion.
    pub options: &'a ConverterOptions,
    /// Steps of its registration; `None` are the default ones.
    pub pipeline: Option<&'a [PipelineStep]>,
    /// The program's additions.
    pub extensions: &'a Extensions,
    /// Loads the tiles.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
}

/// Verifies the image at `path` on the threads of the current rayon pool.
pub fn verify_image(path: &Path, against: Option<&Against<'_>>) -> Result<Verification, ComputeError> {
    let (metadata, _) = ImageMetadata::read(path)?;
    let mut verification = Verification::default();
    let mut levels: Vec<DiskLevel> = Vec::new();
    for level in &metadata.levels {
        match DiskLevel::open(&path.join(&level.path)) {
            Ok(level) => levels.push(level),
            Err(finding) => verification.findings.push(finding),
        }
    }
    let mark = Mark::read(path);
    for (number, level) in levels.iter().enumerate() {
        let (units, findings) = level.decode_all();
        verification.units += units;
        verification.findings.extend(findings);
        if let Some(expected) = mark.as_ref().and_then(|mark| mark.files.get(number)) {
            verification.findings.extend(level.count_files(*expected));
        }
    }
    // What cannot be read has been said; levels are compared only when all of them can.
    if verification.findings.is_empty() {
        for pair in levels.windows(2) {
            verification
                .findings
                .extend(compare_levels(&pair[0], &pair[1], mark.is_some()));
        }
        if let (Some(against), Some(finest)) = (against, levels.first()) {
            verification.findings.extend(compare_tiles(finest, against)?);
        }
    }
    Ok(verification)
}

/// Whether an image has all files of pixels that were written; with `decoded`, whether each of them decodes.
pub(crate) fn is_whole(image: &Path, mark: &Mark, decoded: bool) -> bool {
    let Ok((metadata, _)) = ImageMetadata::read(image) else {
        return false;
    };
    metadata.levels.len() == mark.files.len()
        && metadata.levels.iter().zip(&mark.files).all(|(level, files)| {
            let Ok(disk) = DiskLevel::open(&image.join(&level.path)) else {
                return false;
            };
            disk.count_files(*files).is_none() && (!decoded || disk.decode_all().1.is_empty())
        })
}

/// Compares every unit of the coarser level with the halving of what lies under it. Images of other writers are only told apart
/// level by level, and only where sizes halve exactly: how they resample is theirs.
fn compare_levels(finer: &DiskLevel, coarser: &DiskLevel, ours: bool) -> Vec<Finding> {
    let halved = [Y, X].map(|axis| finer.shape[axis] > 1);
    let expected: Index5 = std::array::from_fn(|axis| match axis {
        Y | X => (finer.shape[axis] / 2).max(1),
        _ => finer.shape[axis],
    });
    if coarser.shape != expected || coarser.data_type != finer.data_type {
        return vec![Finding {
            path: coarser.dir.clone(),
            problem: format!(
                "its shape is {:?} ({}), but half of the finer level is {:?} ({})",
                &coarser.shape[5 - coarser.axes..],
                coarser.data_type,
                &expected[5 - coarser.axes..],
                finer.data_type
            ),
        }];
    }
    if !ours
        && [Y, X]
            .iter()
            .any(|axis| finer.shape[*axis] % 2 == 1 && finer.shape[*axis] > 1)
    {
        return Vec::new();
    }
    let compare = |unit: &Index5| -> Option<Finding> {
        let start: Index5 = std::array::from_fn(|axis| unit[axis] * coarser.unit[axis]);
        let size: Index5 = std::array::from_fn(|axis| coarser.unit[axis].min(coarser.shape[axis] - start[axis]));
        let scale = |axis: usize| {
            if (axis == Y && halved[0]) || (axis == X && halved[1]) {
                2
            } else {
                1
            }
        };
        let source = finer.read(
            std::array::from_fn(|axis| start[axis] * scale(axis)),
            std::array::from_fn(|axis| size[axis] * scale(axis)),
        );
        let (source, found) = match (source, coarser.read(start, size)) {
            (Ok(source), Ok(found)) => (source, found),
            (Err(finding), _) | (_, Err(finding)) => return Some(finding),
        };
        let planes = (size[0] * size[1] * size[2]) as usize;
        let stack = |by: u64, bx: u64| Stack {
            planes,
            height: (size[Y] * by) as usize,
            stride: (size[X] * bx) as usize,
        };
        let (from, to) = (stack(scale(Y), scale(X)), stack(1, 1));
        let part = Halving {
            from_y: 0,
            from_x: 0,
            height: from.height,
            width: from.stride,
            to_y: 0,
            to_x: 0,
            halve_y: halved[0],
            halve_x: halved[1],
        };
        let pool = BufferPool::default();
        let source = aligned(&pool, &source);
        let mut expected = pool.take_zeroed(found.len());
        halve(
            finer.data_type,
            (source.bytes(), from),
            (expected.bytes_mut(), to),
            part,
        );
        let differing = differing_pixels(expected.bytes(), &found, coarser.data_type);
        (differing > 0).then(|| Finding {
            path: coarser.file(*unit),
            problem: format!("{differing} pixels are not the mean of those of the finer level"),
        })
    };
    let findings: Vec<Finding> = coarser.units().par_iter().filter_map(compare).collect();
    if ours || findings.is_empty() {
        return findings;
    }
    vec![Finding {
        path: coarser.dir.clone(),
        problem: format!(
            "{} of its chunks are not the 2 × 2 mean of the finer level (another writer may resample otherwise)",
            findings.len()
        ),
    }]
}

/// Compares the finest level with the tiles it was made from.
fn compare_tiles(finest: &DiskLevel, against: &Against<'_>) -> Result<Vec<Finding>, ComputeError> {
    let mut image = against.image.clone();
    register_with(&mut image, against.options, against.pipeline, against.extensions)?;
    let plan = ImagePlan::new(&image, against.options)?;
    if plan.own_axes(plan.levels[0].shape) != finest.shape[5 - finest.axes..] {
        return Ok(vec![Finding {
            path: finest.dir.clone(),
            problem: format!(
                "its shape is {:?}, but its tiles make {:?}",
                &finest.shape[5 - finest.axes..],
                plan.own_axes(plan.levels[0].shape)
            ),
        }]);
    }
    let counters = Counters::default();
    let with = TilesWith::new(against.loader, against.resource, &counters);
    let tiles = Tiles::new(&plan, &image.regions, with);
    let tiles = tiles.map_err(|failure| failure.error)?;
    let pool = BufferPool::default();
    let compare = |leaf: &crate::plan::Leaf| -> Result<Option<Finding>, ComputeError> {
        let level = &plan.levels[0];
        let start: Index5 = std::array::from_fn(|axis| leaf.chunk[axis] * level.chunk[axis]);
        let valid = level.valid(leaf.chunk);
        let own = |index: Index5| -> Index5 {
            let mut padded = [0; 5];
            let own = plan.own_axes(index);
            padded[5 - own.len()..].copy_from_slice(&own);
            padded
        };
        let mut size = [1; 5];
        let own_size = plan.own_axes(valid);
        size[5 - own_size.len()..].copy_from_slice(&own_size);
        let found = match finest.read(own(start), size) {
            Ok(found) => found,
            Err(finding) => return Ok(Some(finding)),
        };
        let filled = tiles.fill(leaf.chunk, &leaf.placements, &pool);
        let filled = filled.map_err(|failure| failure.error)?;
        let differing = match &filled {
            None => found.iter().filter(|byte| **byte != 0).count() as u64,
            Some(filled) => differing_pixels(
                &inside(filled, level.chunk, valid, plan.data_type),
                &found,
                plan.data_type,
            ),
        };
        if let Some(filled) = filled {
            pool.give(filled);
        }
        Ok((differing > 0).then(|| Finding {
            path: finest.dir.clone(),
            problem: format!(
                "{differing} pixels of the chunk at {:?} differ from its tiles",
                plan.own_axes(leaf.chunk)
            ),
        }))
    };
    let findings: Result<Vec<Option<Finding>>, ComputeError> = plan.leaves.par_iter().map(compare).collect();
    Ok(findings?.into_iter().flatten().collect())
}

/// The pixels of a chunk that lie inside the array.
fn inside(chunk: &Buffer, size: Index5, valid: Index5, data_type: PixelType) -> Vec<u8> {
    let pixel = data_type.size_bytes();
    let mut pixels = Vec::with_capacity(valid.iter().product::<u64>() as usize * pixel);
    let row_bytes = valid[X] as usize * pixel;
    for_each_index(
        [0; 5],
        [valid[0] - 1, valid[1] - 1, valid[2] - 1, valid[Y] - 1, 0],
        |row| {
            let start = (0..5).fold(0, |flat, axis| flat * size[axis] + row[axis]) as usize * pixel;
            pixels.extend_from_slice(&chunk.bytes()[start..start + row_bytes]);
        },
    );
    pixels
}

fn aligned(pool: &BufferPool, bytes: &[u8]) -> Buffer {
    let mut buffer = pool.take(bytes.len());
    buffer.bytes_mut().copy_from_slice(bytes);
    buffer
}

fn differing_pixels(a: &[u8], b: &[u8], data_type: PixelType) -> u64 {
    if a == b {
        return 0;
    }
    let pixel = data_type.size_bytes();
    a.chunks(pixel).zip(b.chunks(pixel)).filter(|(a, b)| a != b).count() as u64
}
