//! What a process takes besides pixels, and so how much of a memory limit is left for them.

/// Memory of a process that converts images on the threads of one pool. The numbers were measured from outside, with room to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    fixed: u64,
}

impl Footprint {
    /// A process that converts an image with a document of so many bytes on so many threads.
    pub fn new(document_bytes: u64, threads: usize) -> Self {
        const CODE_AND_TABLES: u64 = 80 << 20;
        // A stack, what codecs and image formats work in, and what the allocator keeps for a thread.
        const THREAD: u64 = 8 << 20;
        // The document's text becomes tiles, a plan, and the state of each tile.
        const DOCUMENT: u64 = 3;
        Self {
            fixed: CODE_AND_TABLES + (threads as u64 + 1) * THREAD + DOCUMENT * document_bytes,
        }
    }

    /// Bytes that pixels may take under a limit of the whole process: the allocator cannot give all it frees back at once, so a quarter
    /// of what is left is its own.
    pub fn pixel_budget(&self, memory_limit: u64) -> u64 {
        memory_limit.saturating_sub(self.fixed) / 4 * 3
    }

    /// The limit under which pixels may take so many bytes.
    pub fn memory_limit(&self, pixel_bytes: u64) -> u64 {
        self.fixed + pixel_bytes.div_ceil(3) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_is_named_leaves_enough() {
        for pixels in [0, 1, 4, 1_000_003] {
            let footprint = Footprint::new(1000, 2);
            assert!(footprint.pixel_budget(footprint.memory_limit(pixels)) >= pixels);
        }
        assert_eq!(Footprint::new(0, 1).pixel_budget(1000), 0);
    }
}
