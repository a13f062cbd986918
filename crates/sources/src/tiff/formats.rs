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
    Lzma,
    Jpeg,
    WebP,
    Lerc,
    Jpeg2000,
}

/// Each codec with its name, the values of the tag `Compression` that stand for it, and how much larger than the file
/// its pixels can be.
pub(crate) const CODECS: [(Codec, &str, &[u64], u64); 10] = [
    (Codec::None, "none", &[1], 1),
    (Codec::Lzw, "LZW", &[5], 4096),
    (Codec::Deflate, "Deflate", &[8, 32946], 1032),
    (Codec::PackBits, "PackBits", &[32773], 64),
    // Without a bound of its own: a block of one byte stands for 128 KiB.
    (Codec::Zstd, "Zstd", &[50000, 34926], 1 << 17),
    (Codec::Lzma, "LZMA", &[34925], 1 << 13),
    (Codec::Jpeg, "JPEG", &[7], 2048),
    // Without bounds of their own: an image of one color takes a few bytes.
    (Codec::WebP, "WebP", &[50001, 34927], 1 << 17),
    (Codec::Lerc, "LERC", &[34887], 1 << 17),
    (Codec::Jpeg2000, "JPEG 2000", &[34712, 33005], 1 << 17),
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

    /// Whether it stores pictures, not bytes.
    pub(crate) fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::WebP | Self::Lerc | Self::Jpeg2000)
    }

    /// Whether a predictor can come before it.
    pub(crate) fn has_predictor(self) -> bool {
        !self.is_picture() && self != Self::None
    }
}

/// Values of the tags `SampleFormat` and `BitsPerSample` with the type of the array; unspecified samples (format 4) are
/// unsigned.
pub(crate) const SAMPLES: [(u64, u64, PixelType); 12] = [
    (1, 1, PixelType::Bool),
    (1, 8, PixelType::UInt8),
    (1, 16, PixelType::UInt16),
    (1, 32, PixelType::UInt32),
    (1, 64, PixelType::UInt64),
    (2, 8, PixelType::Int8),
    (2, 16, PixelType::Int16),
    (2, 32, PixelType::Int32),
    (2, 64, PixelType::Int64),
    (3, 16, PixelType::Float32),
    (3, 32, PixelType::Float32),
    (3, 64, PixelType::Float64),
];

/// Fewer bits than a type has, packed without gaps from the highest bit on, with the type of the array.
pub(crate) const PACKED: [(std::ops::RangeInclusive<u64>, PixelType); 3] = [
    (2..=7, PixelType::UInt8),
    (9..=15, PixelType::UInt16),
    (17..=31, PixelType::UInt32),
];

pub(crate) fn pixel_type(format: u64, bits: u64) -> Option<PixelType> {
    let format = if format == 4 { 1 } else { format };
    let row = SAMPLES.iter().find(|row| (row.0, row.1) == (format, bits));
    let packed = || PACKED.iter().find(|(range, _)| format == 1 && range.contains(&bits));
    row.map(|row| row.2)
        .or_else(|| packed().map(|(_, pixel_type)| *pixel_type))
}

/// Number and name of a compression that is not read.
pub(crate) fn compression_name(code: u64) -> String {
    let name = match code {
        2..=4 => "CCITT fax",
        6 => "old-style JPEG",
        33003 | 33004 => "JPEG 2000 of YCbCr",
        22610 | 34934 => "JPEG XR",
        34933 => "PNG",
        48124 => "Jetraw",
        50002 | 52546 => "JPEG XL",
        _ => return code.to_string(),
    };
    format!("{code} ({name})")
}
