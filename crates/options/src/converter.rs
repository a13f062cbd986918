//! How to turn an acquisition into OME-Zarr: the one document that holds all options of a conversion.

use super::{BadTiles, Grouping, HiddenTiles, OmeZarrOptions, RuntimeSettings, StagePositionCorrections};
use crate::model::{choice, model};

choice! {
    /// What to do when the output exists already.
    pub enum OverwriteMode as "OverwriteMode" default NoOverwrite {
        /// An existing output is an error, and nothing is touched.
        NoOverwrite = "No Overwrite",
        /// An existing image is replaced when the new one is complete. Of an existing plate, all that is not converted again is removed
        /// when the plate is set up.
        Overwrite = "Overwrite",
        /// Wells and images are added to an existing plate; finished images stay as they are.
        Extend = "Extend",
    }
}

choice! {
    /// How the reference writes an image. Here every mode writes the same image in the same way.
    pub enum WriterMode as "WriterMode" {
        /// In the reference: one tile after the other.
        ByTile = "By Tile",
        /// In the reference: one field of view after the other.
        ByFov = "By FOV",
        /// In the reference: one field of view after the other, with Dask.
        ByFovDask = "By FOV (Using Dask)",
        /// In the reference: one tile after the other, with Dask.
        ByTileDask = "By Tile (Using Dask)",
        /// In the reference: the whole image at once.
        InMemory = "In Memory",
    }
}

model! {
    /// How to turn an acquisition into OME-Zarr.
    pub struct ConverterOptions "ConverterOptions" {
        /// How the reference writes an image. It changes nothing here: the memory that a conversion may take is limited on the command
        /// line, or by the system or the scheduler.
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
        /// What happens when nothing is left to see of a tile, because it lies wholly under others. Where overlapping tiles are blended, only a
        /// repeated tile counts as hidden. An addition to the reference's options.
        pub hidden_tiles: HiddenTiles = HiddenTiles::Fail, ours;
    }
}
