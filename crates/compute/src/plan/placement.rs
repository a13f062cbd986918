//! Where each tile lies in the output array.

use ome_zarr_convert_core::{Axis, Space, TiledImage};

use super::{Index5, Level, X, Y, to_index5};
use crate::error::ComputeError;

/// A tile's box in pixels of level 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Index of the region in the registered image.
    pub region: usize,
    /// First pixel, in array order.
    pub start: Index5,
    /// Size, in array order.
    pub size: Index5,
}

impl Placement {
    /// The pixel after the last one along an axis.
    pub(crate) fn end(&self, axis: usize) -> u64 {
        self.start[axis] + self.size[axis]
    }

    /// Number of chunks of one slab (t, c, z) of a level that the tile lies in.
    pub(crate) fn chunks_across(&self, level: &Level) -> u64 {
        let chunks = |axis: usize| (self.end(axis) - 1) / level.chunk[axis] - self.start[axis] / level.chunk[axis] + 1;
        chunks(Y) * chunks(X)
    }

    /// Whether the tile has a plane at `index` (t, c, z in array coordinates).
    pub(crate) fn covers(&self, index: [u64; 3]) -> bool {
        (0..3).all(|axis| (self.start[axis]..self.end(axis)).contains(&index[axis]))
    }

    /// Number of the plane at `index` (array coordinates) among the tile's planes.
    pub(crate) fn plane(&self, index: [u64; 3]) -> u64 {
        let local = |axis: usize| index[axis] - self.start[axis];
        (local(0) * self.size[1] + local(1)) * self.size[2] + local(2)
    }
}

/// One placement per region, in their order.
pub(super) fn place(image: &TiledImage) -> Result<Vec<Placement>, ComputeError> {
    let shape = to_index5(&image.axes, &image.output_shape());
    let one = |(number, region): (usize, &ome_zarr_convert_core::Region)| {
        let roi = &region.roi;
        let mut placement = Placement {
            region: number,
            start: [0; 5],
            size: [1; 5],
        };
        for &axis in &image.axes {
            let span = roi.span(axis);
            let whole = roi.space == Space::Pixel && span.start >= 0.0 && span.start.fract() == 0.0;
            let inside = span.end() <= shape[axis as usize] as f64 && span.length >= 1.0 && span.length.fract() == 0.0;
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
                        shape[axis as usize]
                    ),
                });
            }
            placement.start[axis as usize] = span.start as u64;
            placement.size[axis as usize] = span.length as u64;
        }
        Ok(placement)
    };
    debug_assert!(image.axes.contains(&Axis::X));
    image.regions.iter().enumerate().map(one).collect()
}
