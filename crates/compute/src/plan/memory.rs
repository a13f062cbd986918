//! How much memory a plan takes, counted from the plan alone, and what it can be carried out with when memory is short.

use std::collections::HashMap;

use ome_zarr_convert_core::options::Overlap;
use ome_zarr_convert_geometry::Index5;

use super::{ImagePlan, Level, X, Y};
use crate::window::Windows;

/// How often a plane is decoded that several chunks need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoding {
    /// Once: it waits in memory until the last of these chunks has taken its part.
    Once,
    /// Once for each of these chunks: nothing waits.
    PerChunk,
    /// Not at all: each chunk reads its part of an uncompressed plane.
    InPlace,
}

/// Whether tiles may have other data types than the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Casting {
    Yes,
    No,
}

/// What a plan is carried out with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Chunks that are worked on at once.
    pub workers: usize,
    /// How often planes are decoded.
    pub decoding: Decoding,
    /// Most bytes of pixels in memory at once.
    pub peak_bytes: u64,
    /// What the budget leaves above that.
    pub(crate) spare_bytes: u64,
    /// Most bytes of pixel buffers; what is above that is encoded.
    pub(crate) pool_bytes: u64,
}

impl Means {
    /// One thread and no limit.
    pub(crate) const fn ample() -> Self {
        Self {
            workers: 1,
            decoding: Decoding::Once,
            peak_bytes: 0,
            spare_bytes: u64::MAX,
            pool_bytes: u64::MAX,
        }
    }
}

/// Most bytes of memory that a plan takes. Upper bounds throughout: encoded chunks count as large as their pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Buffers of pixels, which are used again.
    pooled: Need,
    /// All else: encoded chunks, and what decoding needs on its way.
    beside: Need,
    chunks: usize,
}

/// Bytes by number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Need {
    /// What each thread needs for the chunk that it works on.
    each: u64,
    /// What each thread needs for the plane that it works on: several can fill the planes of one chunk.
    plane: u64,
    /// What each thread but one can keep from being finished by being slow.
    further: u64,
    /// What waits when a single thread fills the chunks in their order.
    waiting: u64,
}

impl Need {
    /// With so many threads, of which no more than there are chunks have one of their own.
    fn bytes(&self, threads: usize, chunks: usize) -> u64 {
        let workers = threads.clamp(1, chunks.max(1)) as u64;
        workers * self.each + (workers - 1) * self.further + threads.max(1) as u64 * self.plane + self.waiting
    }
}

impl Memory {
    /// Most bytes in memory at once with so many threads.
    pub fn peak_bytes(&self, threads: usize) -> u64 {
        self.pooled_bytes(threads) + self.beside.bytes(threads, self.chunks)
    }

    /// Most bytes of pixel buffers.
    fn pooled_bytes(&self, threads: usize) -> u64 {
        self.pooled.bytes(threads, self.chunks)
    }

    /// As many threads as fit into a budget.
    fn workers_within(&self, budget: u64, threads: usize) -> Option<usize> {
        (1..=threads).rev().find(|workers| self.peak_bytes(*workers) <= budget)
    }
}

impl ImagePlan {
    /// The memory that carrying the plan out takes, if source pixels are of the image's type.
    pub fn memory(&self, decoding: Decoding) -> Memory {
        self.memory_with(decoding, Casting::No)
    }

    /// As [`Self::memory`], for sources that may be of other types.
    pub(crate) fn memory_with(&self, decoding: Decoding, casting: Casting) -> Memory {
        const WIDEST_PIXEL: u64 = 8;
        let source_pixel = match casting {
            Casting::No => self.pixel_size(),
            Casting::Yes => WIDEST_PIXEL,
        };
        let waiting = Waiting::of(self, decoding, source_pixel);
        let largest = self.chunk_bytes(&self.levels[0]);
        let above: u64 = self.levels.iter().skip(1).map(|level| self.chunk_bytes(level)).sum();
        let shards: u64 = self.levels.iter().map(|level| self.shard_bytes(level)).sum();
        // A slow thread keeps one chunk of every coarser level, one shard of every level, and the planes of its own chunk waiting.
        let planes = self.leaves.iter().map(|leaf| {
            let shared = |number: &usize| self.shared_planes_bytes(*number, leaf.chunk, source_pixel);
            leaf.placements.iter().map(shared).sum::<u64>()
        });
        let plane = whole_words(self.largest_plane() * source_pixel);
        let (planes, decoded) = match decoding {
            Decoding::Once => (planes.max().unwrap_or(0), 0),
            Decoding::PerChunk => (0, plane),
            Decoding::InPlace => (0, 0),
        };
        let cast = match casting {
            Casting::No => 0,
            Casting::Yes => plane,
        };
        Memory {
            pooled: Need {
                each: largest,
                plane: self.layers_bytes() + cast,
                further: above + planes,
                waiting: waiting.pooled,
            },
            beside: Need {
                each: largest,
                plane: decoded,
                further: shards,
                waiting: waiting.shards + self.windows_bytes() + self.own_bytes(),
            },
            chunks: self.leaves.len(),
        }
    }

    /// What to carry the plan out with under a budget: the planes decoded once, as long as there is room for one thread that does;
    /// `None`: the budget does not suffice. Where parts of planes can be read on their own (`cheap_windows`), no plane need wait.
    pub fn means_within(&self, budget: Option<u64>, threads: usize, cheap_windows: bool) -> Option<Means> {
        self.means_with(budget, threads, cheap_windows, Casting::No)
    }

    pub(crate) fn means_with(
        &self,
        budget: Option<u64>,
        threads: usize,
        cheap_windows: bool,
        casting: Casting,
    ) -> Option<Means> {
        use Decoding::{InPlace, Once, PerChunk};
        let means = |decoding| {
            let memory = self.memory_with(decoding, casting);
            let workers = match budget {
                None => Some(threads),
                Some(budget) => memory.workers_within(budget, threads),
            };
            workers.map(|workers| Means {
                workers,
                decoding,
                peak_bytes: memory.peak_bytes(workers),
                spare_bytes: budget.map_or(u64::MAX, |budget| budget.saturating_sub(memory.peak_bytes(workers))),
                pool_bytes: budget.map_or(u64::MAX, |_| memory.pooled_bytes(workers)),
            })
        };
        match means(Once) {
            Some(all) if all.workers == threads => Some(all),
            _ if cheap_windows => means(InPlace),
            fewer => fewer.or_else(|| means(PerChunk)),
        }
    }

    /// Least bytes of a budget that suffices.
    pub(crate) fn least_bytes(&self, cheap_windows: bool, casting: Casting) -> u64 {
        let least = |decoding| self.memory_with(decoding, casting).peak_bytes(1);
        match cheap_windows {
            true => least(Decoding::InPlace),
            false => least(Decoding::Once).min(least(Decoding::PerChunk)),
        }
    }

    /// Bytes that the values for display windows take (`window.rs`).
    fn windows_bytes(&self) -> u64 {
        let [t, c, z, y, x] = self.coarsest().shape;
        Windows::most_bytes(self.data_type, c, t * z * y * x)
    }

    fn chunk_bytes(&self, level: &Level) -> u64 {
        whole_words(level.chunk.iter().product::<u64>() * self.pixel_size())
    }

    fn shard_bytes(&self, level: &Level) -> u64 {
        level
            .shard
            .map_or(0, |shard| shard.iter().product::<u64>() * self.pixel_size())
    }

    fn pixel_size(&self) -> u64 {
        self.data_type.size_bytes() as u64
    }

    fn largest_plane(&self) -> u64 {
        self.placements
            .iter()
            .map(|p| p.pixels.size[Y] * p.pixels.size[X])
            .max()
            .unwrap_or(0)
    }

    /// Tiles that are blended lie side by side before they are combined: bytes of the most of them in one plane of a chunk.
    fn layers_bytes(&self) -> u64 {
        if matches!(self.overlap, Overlap::Last | Overlap::First) {
            return 0;
        }
        let chunks = self.levels[0].chunks();
        let mut most = 0;
        for leaf in &self.leaves {
            let chunk = chunks.pixels_of(leaf.chunk);
            chunk.each_plane(|plane| {
                let tiles = leaf.placements.iter().map(|number| &self.placements[*number].pixels);
                let parts = tiles
                    .filter(|tile| tile.has_plane(plane))
                    .map(|tile| tile.intersection(&chunk));
                let layers = parts.map(|part| whole_words(part.size[Y] * part.size[X] * self.pixel_size()));
                most = most.max(layers.sum::<u64>());
            });
        }
        most
    }

    /// Bytes of the planes of a tile that this leaf decodes and that other leaves need too.
    fn shared_planes_bytes(&self, number: usize, chunk: Index5, source_pixel: u64) -> u64 {
        let (tile, chunks) = (&self.placements[number].pixels, self.levels[0].chunks());
        if chunks.cells_across(tile) == 1 {
            return 0;
        }
        let part = tile.intersection(&chunks.pixels_of(chunk));
        part.size[..3].iter().product::<u64>() * whole_words(tile.size[Y] * tile.size[X] * source_pixel)
    }
}

/// Buffers are made of words.
fn whole_words(bytes: u64) -> u64 {
    bytes.next_multiple_of(8)
}

/// What waits while one thread fills the leaves in their order: the most there is at any moment.
struct Waiting<'a> {
    plan: &'a ImagePlan,
    /// Unfinished coarse chunks and decoded planes, now and at most.
    pooled_now: u64,
    pooled: u64,
    /// Encoded chunks of unfinished shards.
    shards_now: u64,
    shards: u64,
    /// Children or chunks that are still to come, per level.
    nodes: Vec<HashMap<Index5, u64>>,
    open_shards: Vec<HashMap<Index5, u64>>,
}

impl<'a> Waiting<'a> {
    fn of(plan: &'a ImagePlan, decoding: Decoding, source_pixel: u64) -> Self {
        let mut waiting = Self {
            plan,
            pooled_now: 0,
            pooled: 0,
            shards_now: 0,
            shards: 0,
            nodes: vec![HashMap::new(); plan.levels.len()],
            open_shards: vec![HashMap::new(); plan.levels.len()],
        };
        // Per tile: leaves of the slab (t, c, z) at work that still need it. Planes wait within a slab only.
        let mut held: HashMap<(usize, [u64; 3]), (u64, u64)> = HashMap::new();
        let chunks = plan.levels[0].chunks();
        for leaf in &plan.leaves {
            let slab = [leaf.chunk[0], leaf.chunk[1], leaf.chunk[2]];
            let once = || leaf.placements.iter().filter(|_| decoding == Decoding::Once);
            // In whatever order the tiles of a leaf are read: all their planes may be there at once.
            for &number in once() {
                let (left, _) = held.entry((number, slab)).or_insert_with(|| {
                    let bytes = plan.shared_planes_bytes(number, leaf.chunk, source_pixel);
                    waiting.pooled_now += bytes;
                    (chunks.cells_across(&plan.placements[number].pixels), bytes)
                });
                *left -= 1;
            }
            waiting.pooled = waiting.pooled.max(waiting.pooled_now);
            for &number in once() {
                if let Some((0, bytes)) = held.get(&(number, slab)) {
                    waiting.pooled_now -= *bytes;
                    held.remove(&(number, slab));
                }
            }
            waiting.chunk_done(0, leaf.chunk);
        }
        waiting
    }

    fn chunk_done(&mut self, number: usize, chunk: Index5) {
        let level = &self.plan.levels[number];
        if let Some(shards) = level.shards() {
            let index = level.unit_of(chunk);
            let chunks = shards.pixels_of(index).pixels();
            let left = self.open_shards[number].entry(index).or_insert(chunks);
            *left -= 1;
            let complete = *left == 0;
            self.shards_now += self.plan.chunk_bytes(level);
            self.shards = self.shards.max(self.shards_now);
            if complete {
                self.open_shards[number].remove(&index);
                self.shards_now -= chunks * self.plan.chunk_bytes(level);
            }
        }
        self.pooled = self.pooled.max(self.pooled_now);
        let Some(coarser) = self.plan.levels.get(number + 1) else {
            return;
        };
        let parent = coarser.parent_of(chunk);
        let left = self.nodes[number + 1].entry(parent).or_insert_with(|| {
            self.pooled_now += self.plan.chunk_bytes(coarser);
            coarser.children_of(level, parent)
        });
        *left -= 1;
        if *left == 0 {
            self.nodes[number + 1].remove(&parent);
            self.chunk_done(number + 1, parent);
            self.pooled_now -= self.plan.chunk_bytes(coarser);
        }
        self.pooled = self.pooled.max(self.pooled_now);
    }
}
