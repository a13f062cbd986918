//! How documents spell types that all crates share.

use ome_zarr_convert_geometry::{PixelType, Space};
use ome_zarr_convert_ngff::{BloscCompressor, NgffVersion, Shuffle, TableBackend};

use crate::model::choice_of;

/// Data type of the pixels in the output; `None` is that of the image files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputDataType(pub Option<PixelType>);

impl OutputDataType {
    /// The option that asks for this type; types that no option names are left to be detected.
    pub fn of(pixel_type: Option<PixelType>) -> Self {
        let named = [PixelType::UInt8, PixelType::UInt16, PixelType::UInt32];
        Self(pixel_type.filter(|pixel_type| named.contains(pixel_type)))
    }
}

choice_of! {
    /// Data type of the pixels in the output.
    OutputDataType as "DataTypeEnum" {
        /// The data type of the image's files.
        Self(None) => "autodetect",
        /// Unsigned, 8 bits.
        Self(Some(PixelType::UInt8)) => "uint8",
        /// Unsigned, 16 bits.
        Self(Some(PixelType::UInt16)) => "uint16",
        /// Unsigned, 32 bits.
        Self(Some(PixelType::UInt32)) => "uint32",
    }
}

choice_of! {
    /// Units of a position or a size.
    Space as "Space" {
        /// Micrometers, or seconds along t.
        Self::World => "world",
        /// Pixels, planes or time points.
        Self::Pixel => "pixel",
    }
}

choice_of! {
    /// Version of the OME-NGFF specification.
    NgffVersion {
        /// Zarr format 2, which every reader knows.
        Self::V04 => "0.4",
        /// Zarr format 3, with shards.
        Self::V05 => "0.5",
    }
}

choice_of! {
    /// File format of the ROI tables. Condition tables are always CSV.
    TableBackend as "BackendType" {
        /// AnnData in Zarr.
        Self::AnnData => "anndata",
        /// Columns in the attributes of a Zarr group.
        Self::Json => "json",
        /// A text file with commas.
        Self::Csv => "csv",
        /// An Apache Parquet file.
        Self::Parquet => "parquet",
    }
}

choice_of! {
    /// The compressor inside Blosc.
    BloscCompressor as "BloscCompressor" {
        /// Fast.
        Self::Lz4 => "lz4",
        /// Smaller, slower.
        Self::Zstd => "zstd",
    }
}

choice_of! {
    /// How Blosc rearranges pixels before it compresses them.
    Shuffle as "Shuffle" {
        /// Not at all.
        Self::None => "none",
        /// By bytes.
        Self::Byte => "byte",
        /// By bits: smaller and slower than by bytes.
        Self::Bit => "bit",
    }
}
