//! Compares each level with the halving of the one above.

use ome_zarr_convert_geometry::{Axis, Index5, PixelBox};
use rayon::prelude::*;

use super::differing_pixels;
use crate::buffer::BufferPool;
use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::event::Cancellation;
use crate::halve::{Halving, Stack, halve};
use crate::plan::{X, Y};

/// Compares every unit of the coarser level with the halving of what lies under it. Images of other writers are only told apart
/// level by level, and only where sizes halve exactly: how they resample is theirs.
pub(super) fn compare(
    finer: &DiskLevel,
    coarser: &DiskLevel,
    ours: bool,
    cancellation: &Cancellation,
) -> Result<Vec<Finding>, ComputeError> {
    if let Some(finding) = differing_shape(finer, coarser) {
        return Ok(vec![finding]);
    }
    let is_odd = |axis: usize| finer.shape[axis] % 2 == 1 && finer.shape[axis] > 1;
    if !ours && (is_odd(Y) || is_odd(X)) {
        return Ok(Vec::new());
    }
    let pool = BufferPool::default();
    let compare = |unit: &Index5| -> Option<Finding> {
        if cancellation.is_cancelled() {
            return None;
        }
        compare_unit(finer, coarser, *unit, &pool).unwrap_or_else(Some)
    };
    let findings: Vec<Finding> = coarser.units().par_iter().filter_map(compare).collect();
    cancellation.check()?;
    if ours || findings.is_empty() {
        return Ok(findings);
    }
    Ok(vec![Finding {
        path: coarser.dir.to_string(),
        problem: format!(
            "{} of its chunks are not the 2 × 2 mean of the finer level (another writer may resample otherwise)",
            findings.len()
        ),
    }])
}

fn differing_shape(finer: &DiskLevel, coarser: &DiskLevel) -> Option<Finding> {
    let expected: Index5 = std::array::from_fn(|axis| match axis {
        Y | X => (finer.shape[axis] / 2).max(1),
        _ => finer.shape[axis],
    });
    (coarser.shape != expected || coarser.data_type != finer.data_type).then(|| Finding {
        path: coarser.dir.to_string(),
        problem: format!(
            "its shape is {:?} ({}), but half of the finer level is {:?} ({})",
            &coarser.shape[5 - coarser.axes..],
            coarser.data_type,
            &expected[5 - coarser.axes..],
            finer.data_type
        ),
    })
}

/// Compares one write unit of the coarser level with the halving of what lies under it.
fn compare_unit(
    finer: &DiskLevel,
    coarser: &DiskLevel,
    unit: Index5,
    pool: &BufferPool,
) -> Result<Option<Finding>, Finding> {
    let halved = [Y, X].map(|axis| finer.shape[axis] > 1);
    let scale: Index5 = std::array::from_fn(|axis| match axis {
        Y => 1 + u64::from(halved[0]),
        X => 1 + u64::from(halved[1]),
        _ => 1,
    });
    let pixels = coarser.grid().pixels_of(unit);
    let under = PixelBox {
        start: std::array::from_fn(|axis| pixels.start[axis] * scale[axis]),
        size: std::array::from_fn(|axis| pixels.size[axis] * scale[axis]),
    };
    let source = pool.copy_of(&finer.read(under.start, under.size)?);
    let found = coarser.read(pixels.start, pixels.size)?;
    let stack = |part: &PixelBox| Stack {
        planes: part.size[..Axis::Y.index()].iter().product::<u64>() as usize,
        height: part.size[Y] as usize,
        stride: part.size[X] as usize,
    };
    let (from, to) = (stack(&under), stack(&pixels));
    let whole = Halving {
        from_y: 0,
        from_x: 0,
        height: from.height,
        width: from.stride,
        to_y: 0,
        to_x: 0,
        halve_y: halved[0],
        halve_x: halved[1],
    };
    let mut expected = pool.take_zeroed(found.len());
    halve(
        finer.data_type,
        (source.bytes(), from),
        (expected.bytes_mut(), to),
        whole,
    );
    let differing = differing_pixels(expected.bytes(), &found, coarser.data_type);
    Ok((differing > 0).then(|| Finding {
        path: coarser.file(unit),
        problem: format!("{differing} pixels are not the mean of those of the finer level"),
    }))
}
