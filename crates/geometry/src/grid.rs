//! Regular grids over an array: chunks over pixels, shards over chunks.

use crate::axis::{Axis, Index5};
use crate::pixel_box::PixelBox;

/// An array of `shape` pixels cut into cells of `cell` pixels, the last of each axis clipped by the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Pixels of the array along each axis, at least 1.
    pub shape: Index5,
    /// Pixels of a cell along each axis, at least 1.
    pub cell: Index5,
}

impl Grid {
    /// Number of cells along each axis.
    pub fn counts(&self) -> Index5 {
        std::array::from_fn(|at| self.shape[at].div_ceil(self.cell[at]))
    }

    /// Number of cells.
    pub fn len(&self) -> u64 {
        self.counts().iter().product()
    }

    /// Whether the array has no pixel.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Position of a cell among all in C order.
    pub fn position(&self, cell: Index5) -> usize {
        flat_index(cell, self.counts())
    }

    /// The pixels of a cell, clipped by the array.
    pub fn pixels_of(&self, cell: Index5) -> PixelBox {
        let start: Index5 = std::array::from_fn(|at| cell[at] * self.cell[at]);
        PixelBox {
            start,
            size: std::array::from_fn(|at| self.cell[at].min(self.shape[at].saturating_sub(start[at]))),
        }
    }

    /// First and last cell that a box of pixels lies in. The box must not be empty.
    pub fn cells_of(&self, pixels: &PixelBox) -> (Index5, Index5) {
        let first = std::array::from_fn(|at| pixels.start[at] / self.cell[at]);
        let last = std::array::from_fn(|at| (pixels.start[at] + pixels.size[at] - 1) / self.cell[at]);
        (first, last)
    }

    /// Number of cells of one slab `(t, c, z)` that a box of pixels lies in. The box must not be empty.
    pub fn cells_across(&self, pixels: &PixelBox) -> u64 {
        let (first, last) = self.cells_of(pixels);
        let along = |axis: Axis| last[axis.index()] - first[axis.index()] + 1;
        along(Axis::Y) * along(Axis::X)
    }

    /// Calls `visit` with every cell in C order.
    pub fn each_cell(&self, visit: impl FnMut(Index5)) {
        if !self.is_empty() {
            each_index([0; 5], self.counts().map(|count| count - 1), visit);
        }
    }
}

/// Distance in C order between neighbors along each axis of an array.
pub fn strides(counts: Index5) -> [usize; 5] {
    let mut strides = [1; 5];
    for at in (0..4).rev() {
        strides[at] = strides[at + 1] * counts[at + 1] as usize;
    }
    strides
}

/// Position of an index in an array of `counts` in C order.
pub fn flat_index(index: Index5, counts: Index5) -> usize {
    (0..5).fold(0, |flat, at| flat * counts[at] as usize + index[at] as usize)
}

/// Calls `visit` for every index between `first` and `last`, both included, in C order.
pub fn each_index(first: Index5, last: Index5, mut visit: impl FnMut(Index5)) {
    for t in first[0]..=last[0] {
        for c in first[1]..=last[1] {
            for z in first[2]..=last[2] {
                for y in first[3]..=last[3] {
                    for x in first[4]..=last[4] {
                        visit([t, c, z, y, x]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The cells cover the array, each pixel once, and a box lies in the cells that it is said to lie in.
        #[test]
        fn cells_partition_the_array(
            shape in proptest::array::uniform5(1..30_u64),
            cell in proptest::array::uniform5(1..12_u64),
        ) {
            let grid = Grid { shape, cell };
            let (mut pixels, mut position) = (0, 0);
            grid.each_cell(|index| {
                let inside = grid.pixels_of(index);
                assert!(!inside.is_empty());
                assert_eq!(grid.cells_of(&inside), (index, index));
                assert_eq!(grid.position(index), position);
                let by_strides: usize = strides(grid.counts()).iter().zip(index).map(|(by, at)| by * at as usize).sum();
                assert_eq!(by_strides, position);
                pixels += inside.pixels();
                position += 1;
            });
            proptest::prop_assert_eq!(pixels, shape.iter().product::<u64>());
            proptest::prop_assert_eq!(position as u64, grid.len());
            let whole = PixelBox { start: [0; 5], size: shape };
            let counts = grid.counts();
            proptest::prop_assert_eq!(grid.cells_across(&whole), counts[3] * counts[4]);
        }
    }
}
