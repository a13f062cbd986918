//! How stage positions are put right before tiles are placed.

use crate::model::{choice, model};

choice! {
    /// What happens to the smallest start on x and on y, each by itself.
    pub enum XyOffset {
        /// Positions stay as they are: a negative one is an error, and what lies before the first tile is empty.
        Keep = "Keep",
        /// All positions move together, so that the smallest becomes 0.
        Global = "Global",
    }
}

choice! {
    /// What happens to the smallest start in time.
    pub enum TOffset {
        /// Positions stay as they are: a negative one is an error, and what lies before the first tile is empty.
        Keep = "Keep",
        /// All positions move together, so that the smallest becomes 0.
        Global = "Global",
    }
}

choice! {
    /// What happens to the smallest start on z.
    pub enum ZOffset {
        /// Positions stay as they are: a negative one is an error, and what lies before the first tile is empty.
        Keep = "Keep",
        /// Each field of view moves by itself, so that its smallest position becomes 0.
        PerFov = "Per-FOV",
        /// All positions move together, so that the smallest becomes 0.
        Global = "Global",
    }
}

model! {
    /// How stage positions are put right before tiles are placed.
    pub struct StagePositionCorrections "StagePositionCorrections" {
        /// Where the image starts in x and y.
        pub remove_xy_offset: XyOffset = XyOffset::Global, title "Remove XY Offset";
        /// Where the image starts in z.
        pub remove_z_offset: ZOffset = ZOffset::Global, title "Remove Z Offset";
        /// Where the image starts in time.
        pub remove_t_offset: TOffset = TOffset::Global, title "Remove T Offset";
        /// Places all planes, channels and time points of a field of view at the x and y of its first tile.
        pub remove_xy_jitter: bool = true, title "Remove XY Jitter";
        /// Leaves out channels that no tile has. Otherwise they are kept and empty.
        pub reindex_channels: bool = true, title "Reindex Channels";
    }
}
