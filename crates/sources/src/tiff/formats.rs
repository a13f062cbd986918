//! The compressions and sample types of TIFF that are read: the tables that the reader, the documentation and the tests
//! share.

use crate::PixelType;

/// How strips and tiles are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Codec {
    None,
    Lzw,
    Deflate,
    PackBits,
    Zstd,
    Jpeg,
}

/// Each codec with its name, the values of the tag `Compression` that stand for it, and how much larger than the file
/// its pixels can be.
pub(crate) const CODECS: [(Codec, &str, &[u64], u64); 6] = [
    (Codec::None, "none", &[1], 1),
    (Codec::Lzw, "LZW", &[5], 4096),
    (Codec::Deflate, "Deflate", &[8, 32946], 1032),
    (Codec::PackBits, "PackBits", &[32773], 64),
    // Without a bound of its own: a block of one byte stands for 128 KiB.
    (Codec::Zstd, "Zstd", &[50000, 34926], 1 << 17),
    (Codec::Jpeg, "JPEG", &[7], 2048),
];

impl Codec {
    pub(crate) fn of_code(code: u64) -> Option<Self> {
        let row = CODECS.iter().find(|(_, _, codes, _)| codes.contains(&code));
        row.map(|(codec, ..)| *codec)
    }

    /// How much larger than the file its pixels can be.
    pub(crate) fn max_ratio(self) -> u64 {
        let row = CODECS.iter().find(|(codec, ..)| *codec == self);
        row.map_or(1, |(_, _, _, ratio)| *ratio)
    }
}

/// Values of the tags `SampleFormat` and `BitsPerSample` with the type of the array; unspecified samples (format 4) are
/// unsigned.
pub(crate) const SAMPLES: [(u64, u64, PixelType); 13] = [
    (1, 1, PixelType::Bool),
    (1, 2, PixelType::UInt8),
    (1, 4, PixelType::UInt8),
    (1, 8, PixelType::UInt8),
    (1, 16, PixelType::UInt16),
    (1, 32, PixelType::UInt32),
    (1, 64, PixelType::UInt64),
    (2, 8, PixelType::Int8),
    (2, 16, PixelType::Int16),
    (2, 32, PixelType::Int32),
    (2, 64, PixelType::Int64),
    (3, 32, PixelType::Float32),
    (3, 64, PixelType::Float64),
];

pub(crate) fn pixel_type(format: u64, bits: u64) -> Option<PixelType> {
    let format = if format == 4 { 1 } else { format };
    let row = SAMPLES.iter().find(|row| (row.0, row.1) == (format, bits));
    row.map(|row| row.2)
}

/// Number and name of a compression that is not read.
pub(crate) fn compression_name(code: u64) -> String {
    let name = match code {
        2..=4 => "CCITT fax",
        6 => "old-style JPEG",
        33003 | 33005 | 34712 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50001 | 34927 => "WebP",
        50002 | 52546 => "JPEG XL",
        _ => return code.to_string(),
    };
    format!("{code} ({name})")
}
