//! How chunks are compressed: an addition to the reference's options.

use ome_zarr_convert_ngff::{BloscCompressor, Shuffle};

use crate::model::{Path, Problems, model, union};

model! {
    /// Blosc with LZ4, level 5, byte shuffle, in both versions: fast, and read everywhere.
    pub struct AutoCompression "Auto" tag mode = "auto" {}
}

model! {
    /// Blosc, with a compressor inside.
    pub struct BloscCompression "Blosc" tag mode = "blosc" check blosc_level {
        /// The compressor inside.
        pub cname: BloscCompressor = BloscCompressor::Lz4, title "Compressor";
        /// From 0 (none) to 9 (smallest).
        pub level: u64 = 5;
        /// How pixels are rearranged before they are compressed.
        pub shuffle: Shuffle = Shuffle::Byte;
    }
}

model! {
    /// Zstandard without Blosc.
    pub struct ZstdCompression "Zstandard" tag mode = "zstd" check zstd_level {
        /// From -7 (fastest) to 22 (smallest).
        pub level: i64 = 3;
    }
}

model! {
    /// Gzip, which every reader knows. Slow.
    pub struct GzipCompression "Gzip" tag mode = "gzip" check gzip_level {
        /// From 0 (none) to 9 (smallest).
        pub level: u64 = 5;
    }
}

model! {
    /// No compression.
    pub struct NoCompression "None" tag mode = "none" {}
}

union! {
    /// How chunks are compressed.
    pub enum Compression by "mode" default Auto {
        Auto(AutoCompression),
        Blosc(BloscCompression),
        Zstd(ZstdCompression),
        Gzip(GzipCompression),
        None(NoCompression),
    }
}

fn blosc_level(codec: &BloscCompression, at: &mut Path, problems: &mut Problems) {
    check_level(codec.level as i64, 0..=9, at, problems);
}

fn zstd_level(codec: &ZstdCompression, at: &mut Path, problems: &mut Problems) {
    check_level(codec.level, -7..=22, at, problems);
}

fn gzip_level(codec: &GzipCompression, at: &mut Path, problems: &mut Problems) {
    check_level(codec.level as i64, 0..=9, at, problems);
}

fn check_level(level: i64, levels: std::ops::RangeInclusive<i64>, at: &mut Path, problems: &mut Problems) {
    if !levels.contains(&level) {
        let expected = format!("a level from {} to {}", levels.start(), levels.end());
        at.key("level", |at| problems.add(at, Some(level.to_string()), expected, None));
    }
}
