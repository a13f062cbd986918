//! What a plan will cost: files, bytes and memory, counted from the plan alone.

use std::collections::HashMap;

use super::{ImagePlan, Index5, Level, X, Y, for_each_index};

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
    /// Most bytes of pixels in memory at once.
    pub peak_bytes: u64,
}

impl ImagePlan {
    /// What carrying the plan out on `threads` threads costs.
    pub fn cost(&self, threads: usize) -> Cost {
        let bytes = self.data_type.size_bytes() as u64;
        let mut cost = Cost {
            chunks: 0,
            files: 0,
            folders: 1,
            pixel_bytes: 0,
            peak_bytes: self.peak_bytes(threads),
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

    /// Most bytes of pixels in memory at once: what every thread works on, and what waits (unfinished coarse chunks, encoded
    /// chunks of unfinished shards, decoded planes that several chunks share). Upper bounds throughout: encoded chunks count
    /// as large as their pixels.
    pub fn peak_bytes(&self, threads: usize) -> u64 {
        let threads = threads.clamp(1, self.leaves.len().max(1)) as u64;
        let largest = self.chunk_bytes(&self.levels[0]);
        // A thread holds a chunk and its encoded form. Beyond the order of one thread, each further thread can keep one
        // unfinished chunk per level open, and one decoded plane.
        let open: u64 = self.levels.iter().skip(1).map(|level| self.chunk_bytes(level)).sum();
        let plane = self.placements.iter().map(|p| p.size[Y] * p.size[X]).max().unwrap_or(0) * self.pixel_bytes_each();
        threads * 2 * largest + (threads - 1) * (open + plane) + self.waiting_bytes()
    }

    fn chunk_bytes(&self, level: &Level) -> u64 {
        level.chunk.iter().product::<u64>() * self.pixel_bytes_each()
    }

    fn pixel_bytes_each(&self) -> u64 {
        self.data_type.size_bytes() as u64
    }

    /// Most bytes that wait while one thread fills the leaves in their order.
    fn waiting_bytes(&self) -> u64 {
        let mut waiting = Waiting { now: 0, most: 0 };
        let mut nodes: Vec<HashMap<Index5, u64>> = vec![HashMap::new(); self.levels.len()];
        let mut shards: Vec<HashMap<Index5, u64>> = vec![HashMap::new(); self.levels.len()];
        let mut leaves_left: Vec<u64> = vec![0; self.placements.len()];
        for number in self.leaves.iter().flat_map(|leaf| &leaf.placements) {
            leaves_left[*number] += 1;
        }
        let mut held = vec![false; self.placements.len()];
        for leaf in &self.leaves {
            for &number in &leaf.placements {
                let planes = self.shared_planes_bytes(number, leaf.chunk);
                if planes > 0 && !held[number] {
                    held[number] = true;
                    waiting.add(planes);
                }
                leaves_left[number] -= 1;
                if leaves_left[number] == 0 && held[number] {
                    waiting.remove(planes);
                }
            }
            self.chunk_done(0, leaf.chunk, &mut nodes, &mut shards, &mut waiting);
        }
        waiting.most
    }

    /// Bytes of the planes of a tile that this leaf decodes and that other leaves need too.
    fn shared_planes_bytes(&self, number: usize, chunk: Index5) -> u64 {
        let (placement, level) = (&self.placements[number], &self.levels[0]);
        let cells =
            |axis: usize| (placement.end(axis) - 1) / level.chunk[axis] - placement.start[axis] / level.chunk[axis] + 1;
        if cells(Y) * cells(X) == 1 {
            return 0;
        }
        let planes: u64 = (0..3)
            .map(|axis| {
                let first = (chunk[axis] * level.chunk[axis]).max(placement.start[axis]);
                let end = ((chunk[axis] + 1) * level.chunk[axis]).min(placement.end(axis));
                end.saturating_sub(first)
            })
            .product();
        planes * placement.size[Y] * placement.size[X] * self.pixel_bytes_each()
    }

    fn chunk_done(
        &self,
        number: usize,
        chunk: Index5,
        nodes: &mut [HashMap<Index5, u64>],
        shards: &mut [HashMap<Index5, u64>],
        waiting: &mut Waiting,
    ) {
        let level = &self.levels[number];
        if let Some(shard) = level.shard {
            let per: Index5 = std::array::from_fn(|axis| shard[axis] / level.chunk[axis]);
            let index: Index5 = std::array::from_fn(|axis| chunk[axis] / per[axis]);
            let grid = level.grid();
            let left = shards[number].entry(index).or_insert_with(|| {
                (0..5)
                    .map(|axis| (grid[axis] - index[axis] * per[axis]).min(per[axis]))
                    .product()
            });
            waiting.add(self.chunk_bytes(level));
            *left -= 1;
            if *left == 0 {
                shards[number].remove(&index);
                let chunks: u64 = (0..5)
                    .map(|axis| (grid[axis] - index[axis] * per[axis]).min(per[axis]))
                    .product::<u64>();
                // The file is put together beside its chunks.
                waiting.peak(chunks * self.chunk_bytes(level));
                waiting.remove(chunks * self.chunk_bytes(level));
            }
        }
        let Some(coarser) = self.levels.get(number + 1) else {
            return;
        };
        let parent = coarser.parent_of(chunk);
        let left = nodes[number + 1].entry(parent).or_insert_with(|| {
            waiting.add(self.chunk_bytes(coarser));
            coarser.children_of(level, parent)
        });
        *left -= 1;
        if *left == 0 {
            nodes[number + 1].remove(&parent);
            self.chunk_done(number + 1, parent, nodes, shards, waiting);
            waiting.remove(self.chunk_bytes(coarser));
        }
    }

    /// Pairs of fields of view that overlap, and the pixels that tiles of one cover of the other (in one plane).
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

struct Waiting {
    now: u64,
    most: u64,
}

impl Waiting {
    fn add(&mut self, bytes: u64) {
        self.now += bytes;
        self.most = self.most.max(self.now);
    }

    fn peak(&mut self, bytes: u64) {
        self.most = self.most.max(self.now + bytes);
    }

    fn remove(&mut self, bytes: u64) {
        self.now = self.now.saturating_sub(bytes);
    }
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
