//! One chunk of the finest level as a box in the array and as bytes in memory.

use ome_zarr_convert_geometry::{Index5, PixelBox, flat_index};

use crate::buffer::Buffer;
use crate::plan::{Level, X, Y};

/// A chunk in array coordinates and its layout in memory.
pub(crate) struct Frame {
    /// The pixels of the chunk inside the array.
    pub(crate) valid: PixelBox,
    /// Pixels of its buffer along each axis.
    pub(crate) size: Index5,
    pub(crate) pixel_bytes: usize,
}

impl Frame {
    pub(crate) fn new(level: &Level, chunk: Index5, pixel_bytes: usize) -> Self {
        Self {
            valid: level.chunks().pixels_of(chunk),
            size: level.chunk,
            pixel_bytes,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.size.iter().product::<u64>() as usize * self.pixel_bytes
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.size[X] as usize * self.pixel_bytes
    }

    pub(crate) fn plane_bytes(&self) -> usize {
        self.size[Y] as usize * self.row_bytes()
    }

    /// Offset in its plane of the first pixel of a part of the chunk.
    pub(crate) fn corner(&self, part: &PixelBox) -> usize {
        let start = self.valid.start;
        (part.start[Y] - start[Y]) as usize * self.row_bytes() + (part.start[X] - start[X]) as usize * self.pixel_bytes
    }

    /// Number of a plane `(t, c, z)`, in coordinates of the array, among those of the buffer.
    pub(crate) fn plane_number(&self, [t, c, z]: [u64; 3]) -> usize {
        let start = self.valid.start;
        let inside = [t - start[0], c - start[1], z - start[2], 0, 0];
        flat_index(inside, [self.size[0], self.size[1], self.size[2], 1, 1])
    }

    /// Sets every plane to 0 that no single tile covers whole: tiles write over the rest anyway.
    pub(crate) fn clear_uncovered<'p>(&self, buffer: &mut Buffer, tiles: impl Iterator<Item = &'p PixelBox>) {
        let planes = (self.size[0] * self.size[1] * self.size[2]) as usize;
        let mut covered = vec![false; planes];
        for tile in tiles {
            let part = tile.intersection(&self.valid);
            if part.size[Y] == self.size[Y] && part.size[X] == self.size[X] {
                part.each_plane(|plane| covered[self.plane_number(plane)] = true);
            }
        }
        let plane_bytes = self.plane_bytes();
        for (plane, _) in covered.iter().enumerate().filter(|(_, covered)| !**covered) {
            buffer.bytes_mut()[plane * plane_bytes..(plane + 1) * plane_bytes].fill(0);
        }
    }
}
