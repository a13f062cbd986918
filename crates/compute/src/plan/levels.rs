//! Levels of the pyramid and the chunks and shards of each.

use std::ops::Range;

use ome_zarr_convert_core::Roi;
use ome_zarr_convert_core::options::ChunkingStrategy;
use ome_zarr_convert_geometry::{Axis, Grid, Index5};

use super::{X, Y};

/// How chunks are gathered into shards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sharding {
    /// So many chunks along each axis.
    Factors(Index5),
    /// So many chunks that a shard has about this number of pixels, chosen for each level.
    TargetPixels(u64),
}

impl Sharding {
    /// Shape of the shards of a level: whole chunks within its shape.
    fn shape(self, shape: Index5, chunk: Index5) -> Index5 {
        let whole = |axis: usize| (shape[axis] / chunk[axis]).max(1);
        let factors = match self {
            Self::Factors(factors) => factors,
            Self::TargetPixels(pixels) => {
                // Planes first, since readers move about in them, then depth, time and channels.
                let mut factors = [1; 5];
                let mut left = (pixels / chunk.iter().product::<u64>()).max(1);
                factors[X] = left.isqrt().clamp(1, whole(X));
                factors[Y] = (left / factors[X]).clamp(1, whole(Y));
                factors[X] = (left / factors[Y]).clamp(1, whole(X));
                left /= factors[Y] * factors[X];
                for axis in [2, 0, 1] {
                    factors[axis] = left.clamp(1, whole(axis));
                    left /= factors[axis];
                }
                factors
            }
        };
        std::array::from_fn(|axis| factors[axis].min(whole(axis)).max(1) * chunk[axis])
    }
}

/// One level of the pyramid.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Name of its array.
    pub name: String,
    /// Shape in pixels.
    pub shape: Index5,
    /// Chunk shape, clipped to the level's shape.
    pub chunk: Index5,
    /// Shard shape, whole chunks within the level's shape.
    pub shard: Option<Index5>,
    /// Pixels of level 0 per pixel of this level, along y and x: exactly 2 per halving.
    pub factor: (u64, u64),
}

impl Level {
    /// The chunks of the level.
    pub fn chunks(&self) -> Grid {
        Grid {
            shape: self.shape,
            cell: self.chunk,
        }
    }

    /// The write units of the level: shards, or chunks without shards.
    pub fn units(&self) -> Grid {
        Grid {
            shape: self.shape,
            cell: self.shard.unwrap_or(self.chunk),
        }
    }

    /// The chunks as cells of shards: a grid of chunks over the number of chunks.
    pub(crate) fn shards(&self) -> Option<Grid> {
        let shard = self.shard?;
        Some(Grid {
            shape: self.chunks().counts(),
            cell: std::array::from_fn(|at| shard[at] / self.chunk[at]),
        })
    }

    /// The write unit that holds a chunk.
    pub(crate) fn unit_of(&self, chunk: Index5) -> Index5 {
        self.shards()
            .map_or(chunk, |shards| std::array::from_fn(|at| chunk[at] / shards.cell[at]))
    }

    /// The chunk of this level into which `child`, a chunk of the next finer level, is halved.
    pub(crate) fn parent_of(&self, child: Index5) -> Index5 {
        let counts = self.chunks().counts();
        let parent = |axis: usize| (child[axis] / 2).min(counts[axis] - 1);
        [child[0], child[1], child[2], parent(Y), parent(X)]
    }

    /// The chunks of the next finer level that are halved into `chunk`, along y (axis 3) or x (axis 4): the last chunk of an axis takes
    /// all that remain.
    pub(crate) fn children_along(&self, finer: &Self, chunk: Index5, axis: usize) -> Range<u64> {
        let first = chunk[axis] * 2;
        first..if chunk[axis] + 1 == self.chunks().counts()[axis] {
            finer.chunks().counts()[axis]
        } else {
            first + 2
        }
    }

    /// Number of chunks of the next finer level that are halved into `chunk`.
    pub(crate) fn children_of(&self, finer: &Self, chunk: Index5) -> u64 {
        let along = |axis: usize| self.children_along(finer, chunk, axis);
        (along(Y).end - along(Y).start) * (along(X).end - along(X).start)
    }

    /// Pixels of a chunk that lie inside the level, along each axis.
    pub(crate) fn valid(&self, chunk: Index5) -> Index5 {
        self.chunks().pixels_of(chunk).size
    }
}

/// Chunk shape of level 0: from the bounding box of the first field of view, or fixed.
pub(super) fn chunk_shape(strategy: &ChunkingStrategy, first_field: &Roi, shape: Index5) -> Index5 {
    let field = |axis: Axis| first_field.span(axis).length;
    let (t, c, z, y, x) = match strategy {
        ChunkingStrategy::SameAsFov(chunks) => {
            let scaled = |axis| ((field(axis) * chunks.xy_scaling.factor()) as u64).max(1);
            (
                chunks.t_chunk,
                chunks.c_chunk,
                chunks.z_chunk,
                scaled(Axis::Y),
                scaled(Axis::X),
            )
        }
        ChunkingStrategy::FixedSize(chunks) => (
            chunks.t_chunk,
            chunks.c_chunk,
            chunks.z_chunk,
            chunks.xy_chunk,
            chunks.xy_chunk,
        ),
    };
    clip([t, c, z, y, x], shape)
}

fn clip(size: Index5, shape: Index5) -> Index5 {
    std::array::from_fn(|axis| size[axis].min(shape[axis]))
}

/// The levels, as many as still shrink.
pub(super) fn plan_levels(shape: Index5, chunk: Index5, sharding: Option<Sharding>, names: Vec<String>) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let (mut shape, mut factor) = (shape, (1, 1));
    for name in names {
        if let Some(finer) = levels.last() {
            let halves = (shape[Y] > 1, shape[X] > 1);
            if halves == (false, false) {
                break;
            }
            shape[Y] = (shape[Y] / 2).max(1);
            shape[X] = (shape[X] / 2).max(1);
            let double = |factor: u64, halved: bool| if halved { factor * 2 } else { factor };
            factor = (double(finer.factor.0, halves.0), double(finer.factor.1, halves.1));
        }
        let chunk = clip(chunk, shape);
        let shard = sharding.map(|sharding| sharding.shape(shape, chunk));
        levels.push(Level {
            name,
            shape,
            chunk,
            shard,
            factor,
        });
    }
    levels
}

/// The cells of a grid in Z-order (Morton order): any aligned block of 2ⁿ × 2ⁿ cells is contiguous.
pub(super) fn z_order(rows: u64, columns: u64) -> Vec<(u64, u64)> {
    let mut cells: Vec<(u64, u64)> = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))).collect();
    let spread = |n: u64| (0..32).fold(0_u64, |bits, bit| bits | ((n >> bit) & 1) << (2 * bit));
    cells.sort_by_key(|(y, x)| spread(*y) << 1 | spread(*x));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_halve_until_nothing_shrinks() {
        let levels = plan_levels(
            [1, 2, 3, 9, 4],
            [1, 1, 3, 8, 8],
            None,
            (0..6).map(|n| n.to_string()).collect(),
        );
        let text: Vec<_> = levels
            .iter()
            .map(|l| {
                format!(
                    "{}: {}x{} by {:?} chunks {}x{}",
                    l.name, l.shape[Y], l.shape[X], l.factor, l.chunk[Y], l.chunk[X]
                )
            })
            .collect();
        assert_eq!(
            text,
            [
                "0: 9x4 by (1, 1) chunks 8x4",
                "1: 4x2 by (2, 2) chunks 4x2",
                "2: 2x1 by (4, 4) chunks 2x1",
                "3: 1x1 by (8, 4) chunks 1x1"
            ]
        );
    }

    #[test]
    fn shards_are_whole_chunks_within_the_level() {
        let sharding = Some(Sharding::Factors([1, 1, 1, 4, 4]));
        let levels = plan_levels([1, 1, 1, 32, 80], [1, 1, 1, 10, 10], sharding, vec!["0".into()]);
        assert_eq!(levels[0].shard, Some([1, 1, 1, 30, 40]));
    }

    #[test]
    fn a_target_size_fills_planes_first() {
        let shard = |pixels: u64| {
            let sharding = Some(Sharding::TargetPixels(pixels));
            let levels = plan_levels(
                [1, 2, 4, 80, 40],
                [1, 1, 1, 10, 10],
                sharding,
                vec!["0".into(), "1".into()],
            );
            (levels[0].shard.unwrap(), levels[1].shard.unwrap())
        };
        assert_eq!(shard(1), ([1, 1, 1, 10, 10], [1, 1, 1, 10, 10]));
        assert_eq!(shard(900), ([1, 1, 1, 30, 30], [1, 1, 1, 40, 20]));
        assert_eq!(shard(3200), ([1, 1, 1, 80, 40], [1, 1, 4, 40, 20]));
        assert_eq!(shard(1_000_000), ([1, 2, 4, 80, 40], [1, 2, 4, 40, 20]));
    }

    #[test]
    fn blocks_of_four_are_contiguous_in_z_order() {
        assert_eq!(
            z_order(2, 4),
            [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
        );
    }

    proptest::proptest! {
        /// The chunks of every level cover it, each pixel once, and every chunk has one parent that counts it as a child.
        #[test]
        fn chunks_partition_every_level(
            shape in proptest::array::uniform5(1..40_u64),
            chunk in proptest::array::uniform5(1..15_u64),
            factor in 1..4_u64,
            levels in 1..6_usize,
        ) {
            let names = (0..levels).map(|level| level.to_string()).collect();
            let sharding = Some(Sharding::Factors([1, 1, 1, factor, factor]));
            let levels = plan_levels(shape, clip(chunk, shape), sharding, names);
            for (number, level) in levels.iter().enumerate() {
                let mut pixels = 0;
                let mut children = std::collections::HashMap::new();
                level.chunks().each_cell(|index| {
                    let valid = level.valid(index);
                    assert!(valid.iter().zip(level.chunk).all(|(valid, chunk)| (1..=chunk).contains(valid)));
                    pixels += valid.iter().product::<u64>();
                    if let Some(coarser) = levels.get(number + 1) {
                        *children.entry(coarser.parent_of(index)).or_insert(0_u64) += 1;
                    }
                });
                proptest::prop_assert_eq!(pixels, level.shape.iter().product::<u64>());
                for (parent, count) in children {
                    proptest::prop_assert_eq!(count, levels[number + 1].children_of(level, parent));
                }
                if let Some(shard) = level.shard {
                    proptest::prop_assert!((0..5).all(|axis| shard[axis] % level.chunk[axis] == 0));
                }
            }
        }
    }
}
