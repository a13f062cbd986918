//! What a plan will cost: files and bytes, counted from the plan alone.

use ome_zarr_convert_geometry::Axis;

use super::{ImagePlan, X, Y};

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
            let units = level.units();
            let own = self.own_axes(units.counts());
            cost.chunks += level.chunks().len();
            cost.files += units.len();
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
            let chunk = self.levels[0].chunks().pixels_of(leaf.chunk);
            chunk.each_plane(|plane| {
                let tiles = leaf.placements.iter().map(|number| &self.placements[*number].pixels);
                let parts = tiles
                    .filter(|tile| tile.has_plane(plane))
                    .map(|tile| tile.intersection(&chunk));
                let boxes: Vec<[u64; 4]> = parts
                    .map(|part| [part.start[Y], part.end(Axis::Y), part.start[X], part.end(Axis::X)])
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
