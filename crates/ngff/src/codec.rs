//! Compressors of chunks.

/// How the bytes of a chunk are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Blosc 1, block size chosen by the library.
    Blosc {
        /// The compressor inside.
        cname: BloscCompressor,
        /// 0 (none) to 9.
        level: u8,
        /// Reordering before compression.
        shuffle: Shuffle,
    },
    /// Zstandard, without checksum.
    Zstd {
        /// -131072 to 22; 0 is the library's default, 3.
        level: i32,
    },
    /// Gzip.
    Gzip {
        /// 0 (none) to 9.
        level: u32,
    },
    /// Bytes as they are.
    None,
}

impl Default for Codec {
    /// Blosc with lz4, level 5, byte shuffle: what ngio takes for 0.4.
    fn default() -> Self {
        Self::Blosc {
            cname: BloscCompressor::Lz4,
            level: 5,
            shuffle: Shuffle::Byte,
        }
    }
}

/// Compressor inside Blosc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BloscCompressor {
    /// Fast.
    Lz4,
    /// Small.
    Zstd,
}

impl BloscCompressor {
    /// `lz4` or `zstd`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Reordering of the bytes or bits of the elements before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shuffle {
    /// As they are.
    None,
    /// All first bytes, then all second bytes …
    Byte,
    /// All first bits, then all second bits …
    Bit,
}
