//! One chunk of the finest level as a box in the array and as bytes in memory.

use crate::buffer::Buffer;
use crate::plan::{Index5, Level, Placement, X, Y};

/// The part of a chunk that a tile covers, in array coordinates.
pub(crate) struct Cut {
    pub(crate) first: Index5,
    pub(crate) end: Index5,
}

/// A chunk in array coordinates and its layout in memory.
pub(crate) struct Frame {
    pub(crate) start: Index5,
    pub(crate) valid: Index5,
    pub(crate) size: Index5,
    pub(crate) pixel_bytes: usize,
}

impl Cut {
    /// Rows and columns of the cut.
    pub(crate) fn extent(&self) -> (u64, u64) {
        (self.end[Y] - self.first[Y], self.end[X] - self.first[X])
    }
}

impl Frame {
    pub(crate) fn new(level: &Level, chunk: Index5, pixel_bytes: usize) -> Self {
        let start = std::array::from_fn(|axis| chunk[axis] * level.chunk[axis]);
        Self {
            start,
            valid: level.valid(chunk),
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

    pub(crate) fn intersect(&self, placement: &Placement) -> Cut {
        Cut {
            first: std::array::from_fn(|axis| placement.start[axis].max(self.start[axis])),
            end: std::array::from_fn(|axis| placement.end(axis).min(self.start[axis] + self.valid[axis])),
        }
    }

    /// Offset of a cut's first pixel in its plane.
    pub(crate) fn corner(&self, cut: &Cut) -> usize {
        (cut.first[Y] - self.start[Y]) as usize * self.row_bytes()
            + (cut.first[X] - self.start[X]) as usize * self.pixel_bytes
    }

    /// Index (t, c, z) and offset of every plane inside the array.
    pub(crate) fn planes(&self) -> Vec<([u64; 3], usize)> {
        let whole = Cut {
            first: self.start,
            end: std::array::from_fn(|axis| self.start[axis] + self.valid[axis]),
        };
        let mut planes = Vec::new();
        self.for_each_plane(&whole, |index, at| planes.push((index, at)));
        planes
    }

    /// Calls `visit` with the index (t, c, z) of every plane of a cut and the offset of the cut's first pixel in it.
    pub(crate) fn for_each_plane(&self, cut: &Cut, mut visit: impl FnMut([u64; 3], usize)) {
        let corner = self.corner(cut);
        for t in cut.first[0]..cut.end[0] {
            for c in cut.first[1]..cut.end[1] {
                for z in cut.first[2]..cut.end[2] {
                    let plane =
                        ((t - self.start[0]) * self.size[1] + (c - self.start[1])) * self.size[2] + z - self.start[2];
                    visit([t, c, z], plane as usize * self.plane_bytes() + corner);
                }
            }
        }
    }

    /// Sets every plane to 0 that no single tile covers whole: tiles write over the rest anyway.
    pub(crate) fn clear_uncovered<'p>(
        &self,
        buffer: &mut Buffer,
        placements: impl Iterator<Item = &'p Placement> + Clone,
    ) {
        let planes = (self.size[0] * self.size[1] * self.size[2]) as usize;
        let mut covered = vec![false; planes];
        let plane_bytes = self.plane_bytes();
        for placement in placements {
            let cut = self.intersect(placement);
            if cut.end[Y] - cut.first[Y] == self.size[Y] && cut.end[X] - cut.first[X] == self.size[X] {
                self.for_each_plane(&cut, |_, at| covered[at / plane_bytes] = true);
            }
        }
        for (plane, _) in covered.iter().enumerate().filter(|(_, covered)| !**covered) {
            buffer.bytes_mut()[plane * plane_bytes..(plane + 1) * plane_bytes].fill(0);
        }
    }
}
