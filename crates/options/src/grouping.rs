//! Which fields of view make an image, and how they are arranged in it.

use super::tiles::Overlap;
use crate::model::{model, union};

model! {
    /// Takes `Snap to Grid` when the fields of view lie on a regular grid, else `Snap to Corners`.
    pub struct AutoTiling "Auto" tag mode = "Auto" {
        /// By how many pixels the positions may miss a regular grid.
        pub tolerance: f64 = 1.0, title "Tiling Tolerance (in pixels)", min 0;
    }
}

model! {
    /// Moves the fields of view to a grid without overlap. An error when they do not lie on a regular grid.
    pub struct SnapToGridTiling "Snap to Grid" tag mode = "Snap to Grid" {
        /// By how many pixels the positions may miss a regular grid.
        pub tolerance: f64 = 1.0, title "Tiling Tolerance (in pixels)", min 0;
    }
}

model! {
    /// Moves each field of view to the nearest free corner of a grid of field sizes. Works for any positions.
    pub struct SnapToCornersTiling "Snap to Corners" tag mode = "Snap to Corners" {}
}

model! {
    /// Leaves every field of view where the stage was. Where fields overlap, the later one in the table wins.
    pub struct InplaceTiling "Inplace" tag mode = "Inplace" {}
}

union! {
    /// How the fields of view are arranged in a mosaic.
    pub enum TilingStrategy by "mode" default Auto {
        Auto(AutoTiling),
        SnapToGrid(SnapToGridTiling),
        SnapToCorners(SnapToCornersTiling),
        Inplace(InplaceTiling),
    }
}

model! {
    /// All fields of view of a well and acquisition become one image.
    pub struct MosaicGrouping "Mosaic" tag mode = "Mosaic" {
        /// How the fields of view are arranged in the mosaic.
        pub tiling_strategy: TilingStrategy = TilingStrategy::default(), title "Tiling Strategy";
        /// Which pixel is written where tiles overlap. An addition to the reference's options.
        pub overlap: Overlap = Overlap::Last, ours;
    }
}

model! {
    /// Every field of view becomes an image of its own, with its stage position as translation.
    pub struct PerFovGrouping "Per-FOV" tag mode = "Per-FOV" {}
}

union! {
    /// Which fields of view go into one image.
    pub enum Grouping by "mode" default Mosaic {
        Mosaic(MosaicGrouping),
        PerFov(PerFovGrouping),
    }
}

impl Grouping {
    /// How the fields of an image are arranged: an image of one field has nothing to arrange.
    pub fn tiling(&self) -> TilingStrategy {
        match self {
            Self::Mosaic(mosaic) => mosaic.tiling_strategy.clone(),
            Self::PerFov(_) => TilingStrategy::Inplace(InplaceTiling::default()),
        }
    }
}
