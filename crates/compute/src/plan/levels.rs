//! Levels of the pyramid and the chunks and shards of each.

use ome_zarr_convert_core::options::ChunkingStrategy;
use ome_zarr_convert_core::{Axis, Roi};

use super::{Index5, X, Y};

/// Chunks per shard along each axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sharding {
    /// Factors in array order.
    pub(super) factors: Index5,
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
    /// Number of chunks along each axis.
    pub fn grid(&self) -> Index5 {
        std::array::from_fn(|axis| self.shape[axis].div_ceil(self.chunk[axis]))
    }

    /// Pixels of the chunk at `index` that lie inside the level, along each axis.
    pub(crate) fn valid(&self, index: Index5) -> Index5 {
        std::array::from_fn(|axis| (self.shape[axis] - index[axis] * self.chunk[axis]).min(self.chunk[axis]))
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
        let shard = sharding.map(|sharding| {
            std::array::from_fn(|axis| {
                let wanted = chunk[axis].saturating_mul(sharding.factors[axis]).min(shape[axis]);
                (wanted / chunk[axis]).max(1) * chunk[axis]
            })
        });
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
        let sharding = Some(Sharding {
            factors: [1, 1, 1, 4, 4],
        });
        let levels = plan_levels([1, 1, 1, 32, 80], [1, 1, 1, 10, 10], sharding, vec!["0".into()]);
        assert_eq!(levels[0].shard, Some([1, 1, 1, 30, 40]));
    }

    #[test]
    fn blocks_of_four_are_contiguous_in_z_order() {
        assert_eq!(
            z_order(2, 4),
            [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (0, 3), (1, 2), (1, 3)]
        );
    }
}
