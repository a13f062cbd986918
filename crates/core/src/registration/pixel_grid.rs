//! Turns boxes in world units into boxes of whole pixels.

use super::stack::round_stacks;
use crate::error::CoreError;
use crate::tiled_image::TiledImage;
use ome_zarr_convert_geometry::{Axis, Space, Span, world_to_pixel};

/// Up to here (2⁵²) sums of pixel coordinates are exact in floating point.
const FARTHEST: f64 = 4_503_599_627_370_496.0;

/// Rounds every box to whole pixels: the start half to even, a whole-number length kept. (The reference rounds both ends, so
/// that a start at .5 loses or doubles a plane: ours differs only there.) A fractional length has both ends rounded. Along z and
/// t the planes of a field are rounded together (`stack.rs`).
pub(super) fn align_to_pixel_grid(image: &mut TiledImage) -> Result<(), CoreError> {
    let spacings = Axis::ALL.map(|axis| image.spacing(axis));
    for region in &mut image.regions {
        let in_world = region.roi.space == Space::World;
        for (axis, spacing) in Axis::ALL.into_iter().zip(spacings) {
            let Some(span) = region.roi.get(axis) else { continue };
            let to_pixel = |value: f64| {
                if in_world {
                    world_to_pixel(value, spacing)
                } else {
                    value
                }
            };
            let (start, length) = (to_pixel(span.start), to_pixel(span.length));
            let first = start.round_ties_even();
            let whole = if length.fract() == 0.0 {
                length
            } else {
                (start + length).round_ties_even() - first
            };
            if !(whole >= 1.0 && first.abs() < FARTHEST && whole < FARTHEST) {
                let what = if whole >= 1.0 { "too far away" } else { "no whole pixel" };
                return Err(CoreError::Registration {
                    image: image.path.clone(),
                    problem: format!(
                        "{} covers {start} to {} pixels along {}, which is {what}; check its start and length and the \
                         pixel size ({spacing})",
                        region.describe(),
                        start + length,
                        axis.name()
                    ),
                });
            }
            let start = if matches!(axis, Axis::T | Axis::Z) {
                start
            } else {
                first
            };
            region.roi.set(axis, Span { start, length: whole });
        }
        region.roi.space = Space::Pixel;
    }
    round_stacks(image);
    for region in &mut image.regions {
        for axis in Axis::ALL {
            if let Some(span) = region.roi.get(axis) {
                // 0.0 + x turns -0.0 into 0.0.
                region.roi.set_start(axis, 0.0 + span.start);
            }
        }
    }
    Ok(())
}
