//! Documents of users: the declaration macros, converter and acquisition options, JSON schemas.
//!
//! [`mod@model`] declares documents; everything else here is the reference's models, key for key.
//! Names, order, defaults and bounds are those of `ome-zarr-converters-tools` 1.1.1; struct names are its class names,
//! which appear in the JSON schema.

mod acquisition;
mod channels;
pub mod color;
mod compression;
mod converter;
mod filters;
mod grouping;
pub mod model;
mod older_filters;
mod omezarr;
mod runtime;
mod stage;
mod tiles;
mod validators;
mod vocabulary;

pub use self::acquisition::{AcquisitionOptions, PixelSizeModel, StageOrientation};
pub use self::channels::{ChannelInfo, ChannelInfoUI, ColorMenu, HexColor};
pub use self::compression::{
    AutoCompression, BloscCompression, Compression, GzipCompression, NoCompression, ZstdCompression,
};
pub use self::converter::{ConverterOptions, OverwriteMode, WriterMode};
pub use self::filters::{
    AcquisitionFilter, AttributeFilter, AttributeValue, BoolValue, ChannelFilter, Filter, FilterMode, FloatValue,
    FovNameFilter, IntValue, IsNoneValue, IsNotNoneValue, RegexFilter, StringValue, TRangeFilter, WellFilter,
    ZRangeFilter,
};
pub use self::grouping::{
    AutoTiling, Grouping, InplaceTiling, MosaicGrouping, PerFovGrouping, SnapToCornersTiling, SnapToGridTiling,
    TilingStrategy,
};
pub use self::omezarr::{
    ChunkMultipleSharding, ChunkingStrategy, FixedSizeChunking, FovBasedChunking, NamedLevels, NoSharding,
    NumberOfLevels, OmeZarrOptions, PyramidLevels, ShardingStrategy, XyScaling,
};
pub use self::runtime::{
    DaskScheduler, DefaultScheduler, ProcessScheduler, RuntimeSettings, Serialization, SynchronousScheduler,
    TempJsonOptions, ThreadScheduler,
};
pub use self::stage::{StagePositionCorrections, TOffset, XyOffset, ZOffset};
pub use self::tiles::{BadTiles, HiddenTiles, Overlap};
pub use self::validators::{ShapeDtypeProbeValidator, Validator};
pub use self::vocabulary::OutputDataType;

pub use ome_zarr_convert_ngff::{BloscCompressor, NgffVersion, Shuffle, TableBackend};

#[cfg(test)]
mod tests;
