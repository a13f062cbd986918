//! Where each tile lies in the output array.

use ome_zarr_convert_core::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, PixelBox, Space};

use super::to_index5;
use crate::error::ComputeError;

/// A tile in the output array.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Index of the region in the registered image.
    pub region: usize,
    /// Its box in pixels of level 0.
    pub pixels: PixelBox,
}

/// One placement per region, in their order.
pub(super) fn place(image: &TiledImage) -> Result<Vec<Placement>, ComputeError> {
    let shape = to_index5(&image.axes, &image.output_shape());
    let one = |(number, region): (usize, &Region)| {
        let roi = &region.roi;
        let mut pixels = PixelBox {
            start: [0; 5],
            size: [1; 5],
        };
        for &axis in &image.axes {
            let span = roi.span(axis);
            let whole = roi.space == Space::Pixel && span.start >= 0.0 && span.start.fract() == 0.0;
            let inside = span.end() <= shape[axis.index()] as f64 && span.length >= 1.0 && span.length.fract() == 0.0;
            if !(whole && inside) {
                return Err(ComputeError::Image {
                    image: image.path.clone(),
                    problem: format!(
                        "{} covers {} to {} along {}, which is not inside the image (0 to {}); check its position, or the \
                         registration steps",
                        region.describe(),
                        span.start,
                        span.end(),
                        axis.name(),
                        shape[axis.index()]
                    ),
                });
            }
            pixels.start[axis.index()] = span.start as u64;
            pixels.size[axis.index()] = span.length as u64;
        }
        Ok(Placement { region: number, pixels })
    };
    debug_assert!(image.axes.contains(&Axis::X));
    image.regions.iter().enumerate().map(one).collect()
}
