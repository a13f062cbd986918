//! Boxes of whole pixels in an array of five axes.

use crate::axis::{Axis, Index5};

/// A box in an array, in pixels along `t c z y x`: a tile, a chunk, or the part of one that lies in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelBox {
    /// First pixel along each axis.
    pub start: Index5,
    /// Pixels along each axis.
    pub size: Index5,
}

impl PixelBox {
    /// The pixel after the last one along an axis.
    pub const fn end(&self, axis: Axis) -> u64 {
        self.start[axis.index()] + self.size[axis.index()]
    }

    /// Number of pixels.
    pub fn pixels(&self) -> u64 {
        self.size.iter().product()
    }

    /// Whether there is no pixel in it.
    pub fn is_empty(&self) -> bool {
        self.size.contains(&0)
    }

    /// Rows and columns of its planes.
    pub const fn plane_size(&self) -> (u64, u64) {
        (self.size[Axis::Y.index()], self.size[Axis::X.index()])
    }

    /// The part that two boxes share; empty where they do not meet.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut shared = *self;
        for axis in Axis::ALL {
            let at = axis.index();
            let start = self.start[at].max(other.start[at]);
            shared.start[at] = start;
            shared.size[at] = self.end(axis).min(other.end(axis)).saturating_sub(start);
        }
        shared
    }

    /// Whether the box has a plane at `(t, c, z)`, in coordinates of the array.
    pub fn has_plane(&self, plane: [u64; 3]) -> bool {
        plane
            .iter()
            .enumerate()
            .all(|(at, index)| (self.start[at]..self.start[at] + self.size[at]).contains(index))
    }

    /// Number, among the planes of the box in C order, of the plane at `(t, c, z)` in coordinates of the array.
    pub fn plane_number(&self, plane: [u64; 3]) -> u64 {
        let inside = |at: usize| plane[at] - self.start[at];
        (inside(0) * self.size[1] + inside(1)) * self.size[2] + inside(2)
    }

    /// Calls `visit` with every plane `(t, c, z)` of the box in C order.
    pub fn each_plane(&self, mut visit: impl FnMut([u64; 3])) {
        if self.is_empty() {
            return;
        }
        let range = |at: usize| self.start[at]..self.start[at] + self.size[at];
        for t in range(0) {
            for c in range(1) {
                for z in range(2) {
                    visit([t, c, z]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_share_what_lies_in_both() {
        let a = PixelBox {
            start: [0, 0, 2, 10, 10],
            size: [1, 1, 3, 10, 10],
        };
        let b = PixelBox {
            start: [0, 0, 4, 15, 0],
            size: [1, 1, 9, 90, 12],
        };
        let shared = a.intersection(&b);
        assert_eq!((shared.start, shared.size), ([0, 0, 4, 15, 10], [1, 1, 1, 5, 2]));
        let beside = PixelBox {
            start: [0, 0, 5, 0, 0],
            ..a
        };
        assert!(a.intersection(&beside).is_empty());
        assert_eq!(a.plane_number([0, 0, 4]), 2);
        assert!(a.has_plane([0, 0, 4]) && !a.has_plane([0, 0, 5]));
        let mut planes = Vec::new();
        a.each_plane(|plane| planes.push(plane[2]));
        assert_eq!(planes, [2, 3, 4]);
    }
}
