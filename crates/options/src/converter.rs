//! How to turn an acquisition into OME-Zarr: the one document that holds all options of a conversion.

use super::{BadTiles, Grouping, OmeZarrOptions, RuntimeSettings, StagePositionCorrections};
use crate::model::{choice, model};

choice! {
    /// What to do when the output exists already.
    pub enum OverwriteMode as "OverwriteMode" default NoOverwrite {
        /// An existing output is an error, and nothing is touched.
        NoOverwrite = "No Overwrite",
        /// An existing output is removed first: at the start of a conversion the whole plate, later the image.
        Overwrite = "Overwrite",
        /// Wells and images are added to an existing plate; finished images stay as they are.
        Extend = "Extend",
    }
}

choice! {
    /// How much of an image is held in memory while it is written. The result is the same in every mode.
    pub enum WriterMode as "WriterMode" {
        /// One tile after the other, with the least memory.
        ByTile = "By Tile",
        /// One field of view after the other.
        ByFov = "By FOV",
        /// One field of view after the other, a few chunks at a time.
        ByFovDask = "By FOV (Using Dask)",
        /// The whole image, a few chunks at a time.
        ByTileDask = "By Tile (Using Dask)",
        /// All pixels of the image are read before the first is written.
        InMemory = "In Memory",
    }
}

model! {
    /// How to turn an acquisition into OME-Zarr.
    pub struct ConverterOptions "ConverterOptions" {
        /// How much of an image is held in memory while it is written. The result is the same in every mode.
        pub writer_mode: WriterMode = WriterMode::ByFov, title "Writer Mode";
        /// Which fields of view go into one image.
        pub grouping: Grouping = Grouping::default(), title "Grouping";
        /// How stage positions are put right before tiles are placed.
        pub stage_position_corrections: StagePositionCorrections = StagePositionCorrections::default(),
            title "Stage Position Corrections";
        /// How the output is laid out: resolution levels, chunks, shards, NGFF version and tables.
        pub omezarr_options: OmeZarrOptions = OmeZarrOptions::default(), title "OME-Zarr Options";
        /// Parallelism and the way from the init task to the compute tasks. The defaults suit most conversions.
        pub runtime_settings: RuntimeSettings = RuntimeSettings::default(), title "Runtime Settings";
        /// What happens to tiles that cannot be read. An addition to the reference's options.
        pub bad_tiles: BadTiles = BadTiles::Fail, ours;
    }
}
