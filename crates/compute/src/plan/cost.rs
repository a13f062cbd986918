//! What a plan will cost: files and bytes, counted from the plan alone.

use super::{ImagePlan, Index5, X, Y, for_each_index};

/// The cost of carrying out a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Chunks of all levels, empty ones included.
    pub chunks: u64,
    /// Files of pixels: one per chunk, or one per shard. Empty ones are not written, so there may be fewer.
    pub files: u64,
    /// Folders that hold them, the image's own included.
    pub folders: u64,
    /// Bytes of the pixels of all levels, before compression.
    pub pixel_bytes: u64,
}

impl ImagePlan {
    /// What carrying the plan out costs on disk.
    pub fn cost(&self) -> Cost {
        let bytes = self.data_type.size_bytes() as u64;
        let mut cost = Cost {
            chunks: 0,
            files: 0,
            folders: 1,
            pixel_bytes: 0,
        };
        for level in &self.levels {
            let unit = level.shard.unwrap_or(level.chunk);
            let grid: Index5 = std::array::from_fn(|axis| level.shape[axis].div_ceil(unit[axis]));
            let own = self.own_axes(grid);
            cost.chunks += level.grid().iter().product::<u64>();
            cost.files += grid.iter().product::<u64>();
            // Every index but the last is a folder.
            cost.folders += 1
                + (1..own.len())
                    .map(|depth| own[..depth].iter().product::<u64>())
                    .sum::<u64>();
            cost.pixel_bytes += level.shape.iter().product::<u64>() * bytes;
        }
        cost
    }

    /// Pixels of the finest level that more than one tile covers; those that n tiles cover count n - 1 times.
    pub fn overlapping_pixels(&self) -> u64 {
        let mut covered = 0;
        let mut total = 0;
        for leaf in &self.leaves {
            let level = &self.levels[0];
            let first: Index5 = std::array::from_fn(|axis| leaf.chunk[axis] * level.chunk[axis]);
            let valid = level.valid(leaf.chunk);
            for_each_index([0; 5], [valid[0] - 1, valid[1] - 1, valid[2] - 1, 0, 0], |plane| {
                let boxes: Vec<[u64; 4]> = leaf
                    .placements
                    .iter()
                    .map(|number| &self.placements[*number])
                    .filter(|p| (0..3).all(|axis| (p.start[axis]..p.end(axis)).contains(&(first[axis] + plane[axis]))))
                    .map(|p| {
                        let clip = |axis: usize| {
                            let end = first[axis] + valid[axis];
                            (p.start[axis].max(first[axis]), p.end(axis).min(end))
                        };
                        let (y, x) = (clip(Y), clip(X));
                        [y.0, y.1, x.0, x.1]
                    })
                    .collect();
                total += boxes.iter().map(|b| (b[1] - b[0]) * (b[3] - b[2])).sum::<u64>();
                covered += area_of_union(&boxes);
            });
        }
        total - covered
    }
}

/// Area that boxes `[top, bottom, left, right]` cover together.
fn area_of_union(boxes: &[[u64; 4]]) -> u64 {
    if let [only] = boxes {
        return (only[1] - only[0]) * (only[3] - only[2]);
    }
    let mut rows: Vec<u64> = boxes.iter().flat_map(|b| [b[0], b[1]]).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut area = 0;
    for pair in rows.windows(2) {
        let mut spans: Vec<(u64, u64)> = boxes
            .iter()
            .filter(|b| b[0] <= pair[0] && b[1] >= pair[1])
            .map(|b| (b[2], b[3]))
            .collect();
        spans.sort_unstable();
        let (mut width, mut reached) = (0, 0);
        for (left, right) in spans {
            let left = left.max(reached);
            if right > left {
                width += right - left;
                reached = right;
            }
        }
        area += width * (pair[1] - pair[0]);
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_counts_overlaps_once() {
        assert_eq!(area_of_union(&[]), 0);
        assert_eq!(area_of_union(&[[0, 2, 0, 2], [1, 3, 1, 3]]), 7);
        assert_eq!(area_of_union(&[[0, 2, 0, 2], [0, 2, 0, 2], [0, 1, 5, 6]]), 5);
    }
}
