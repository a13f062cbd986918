//! Removes stage offsets: the smallest start of an axis becomes 0, or stays where it is.

use crate::error::CoreError;
use crate::options::{StagePositionCorrections, TOffset, XyOffset, ZOffset};
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::Axis;

/// Removes offsets per axis. `translated`: the image is one field of view whose position its translation holds, so `Keep`
/// must not add the same offset as padding.
pub(super) fn remove_offsets(
    image: &mut TiledImage,
    corrections: &StagePositionCorrections,
    translated: bool,
) -> Result<(), CoreError> {
    match corrections.remove_xy_offset {
        XyOffset::Global => shift_to_zero(&mut image.regions, &[Axis::X, Axis::Y]),
        XyOffset::Keep => keep(image, &[Axis::X, Axis::Y], "remove_xy_offset", translated)?,
    }
    match corrections.remove_z_offset {
        ZOffset::Global => shift_to_zero(&mut image.regions, &[Axis::Z]),
        ZOffset::PerFov => {
            image.regroup_by_fov();
            for group in image.fields_of_view() {
                if let (Some(&first), Some(&last)) = (group.first(), group.last()) {
                    shift_to_zero(&mut image.regions[first..=last], &[Axis::Z]);
                }
            }
        }
        ZOffset::Keep => keep(image, &[Axis::Z], "remove_z_offset", translated)?,
    }
    match corrections.remove_t_offset {
        TOffset::Global => shift_to_zero(&mut image.regions, &[Axis::T]),
        // The translation of an image has no time.
        TOffset::Keep => keep(image, &[Axis::T], "remove_t_offset", false)?,
    }
    Ok(())
}

fn shift_to_zero(regions: &mut [Region], axes: &[Axis]) {
    for &axis in axes {
        let smallest = regions
            .iter()
            .filter_map(|region| region.roi.get(axis))
            .map(|span| span.start);
        let Some(smallest) = smallest.reduce(f64::min) else {
            continue;
        };
        for region in regions.iter_mut() {
            region.roi.shift(axis, -smallest);
        }
    }
}

fn keep(image: &mut TiledImage, axes: &[Axis], option: &str, translated: bool) -> Result<(), CoreError> {
    for region in &image.regions {
        for &axis in axes {
            if let Some(span) = region.roi.get(axis)
                && span.start < 0.0
            {
                return Err(CoreError::Registration {
                    image: image.path.clone(),
                    problem: format!(
                        "{} starts at {}={}, but {option} `Keep` needs positions of 0 or more; use {option} `Global` to \
                         move the image to 0, or correct the positions",
                        region.describe(),
                        axis.name(),
                        span.start
                    ),
                });
            }
        }
    }
    if translated {
        shift_to_zero(&mut image.regions, axes);
    }
    Ok(())
}
