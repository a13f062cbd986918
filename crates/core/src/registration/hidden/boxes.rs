//! Boxes of tiles in five axes, and what is left of one when others are cut out of it.

use crate::roi::Roi;
use ome_zarr_convert_geometry::Axis;

/// A tile's box in pixels along `t c z y x`: from `low` to before `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TileBox {
    pub(super) low: [f64; 5],
    pub(super) high: [f64; 5],
}

impl TileBox {
    pub(super) fn of(roi: &Roi) -> Self {
        let spans = Axis::ALL.map(|axis| roi.span(axis));
        Self {
            low: spans.map(|span| span.start),
            high: spans.map(|span| span.end()),
        }
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        (0..5).all(|at| self.low[at] < other.high[at] && other.low[at] < self.high[at])
    }

    /// The smallest box around both.
    pub(super) fn join(&self, other: &Self) -> Self {
        Self {
            low: std::array::from_fn(|at| self.low[at].min(other.low[at])),
            high: std::array::from_fn(|at| self.high[at].max(other.high[at])),
        }
    }

    /// How far apart the centers of two boxes are, summed over the axes and doubled.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let center = |of: &Self, at: usize| of.low[at] + of.high[at];
        (0..5).map(|at| (center(self, at) - center(other, at)).abs()).sum()
    }

    /// Number of pixels that both have.
    pub(super) fn shared(&self, other: &Self) -> f64 {
        let along = |at: usize| (self.high[at].min(other.high[at]) - self.low[at].max(other.low[at])).max(0.0);
        (0..5).map(along).product()
    }

    pub(super) fn bits(&self) -> [u64; 10] {
        std::array::from_fn(|at| if at < 5 { self.low[at] } else { self.high[at - 5] }.to_bits())
    }
}

/// What is left of a box, as boxes beside each other.
pub(super) struct Fragments(Vec<TileBox>);

/// A tile that lies in so many pieces is taken to be seen: the work for one tile stays bounded.
const MOST: usize = 4096;

impl Fragments {
    pub(super) fn of(whole: &TileBox) -> Self {
        Self(vec![*whole])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest box around what is left; `None` when nothing is, or too much to go on.
    pub(super) fn around(&self) -> Option<TileBox> {
        let (first, more) = self.0.split_first()?;
        (more.len() < MOST).then(|| more.iter().fold(*first, |around, piece| around.join(piece)))
    }

    /// Cuts a box out. Whether anything of it was there.
    pub(super) fn subtract(&mut self, cut: &TileBox) -> bool {
        let mut found = false;
        let mut at = 0;
        while at < self.0.len() {
            if !self.0[at].meets(cut) {
                at += 1;
                continue;
            }
            found = true;
            // The pieces around the cut do not meet it, so that looking at them again costs little and changes nothing.
            let mut rest = self.0.swap_remove(at);
            for axis in 0..5 {
                if rest.low[axis] < cut.low[axis] {
                    let mut piece = rest;
                    piece.high[axis] = cut.low[axis];
                    rest.low[axis] = cut.low[axis];
                    self.0.push(piece);
                }
                if rest.high[axis] > cut.high[axis] {
                    let mut piece = rest;
                    piece.low[axis] = cut.high[axis];
                    rest.high[axis] = cut.high[axis];
                    self.0.push(piece);
                }
            }
        }
        found
    }
}
