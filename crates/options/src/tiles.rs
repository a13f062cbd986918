//! What happens to tiles that overlap, that are hidden, and that cannot be read: additions to the reference's options.

use crate::model::choice;

choice! {
    /// Which pixel is written where tiles overlap.
    pub enum Overlap {
        /// That of the last tile.
        Last = "last",
        /// That of the first tile.
        First = "first",
        /// The mean of all tiles.
        Mean = "mean",
        /// The largest of all tiles.
        Max = "max",
        /// A mean in which a tile counts less towards its edges.
        Linear = "linear",
    }
}

choice! {
    /// What happens when nothing is left to see of a tile, because it lies wholly under others.
    pub enum HiddenTiles {
        /// The conversion fails before anything is written, with an error that names the tile, what hides it and the likely cause.
        Fail = "fail",
        /// The same is a warning, and the image is made without the tile.
        Warn = "warn",
    }
}

choice! {
    /// What happens when the file of a tile is missing, damaged, or not as declared.
    pub enum BadTiles {
        /// The image fails, with an error that names the tile.
        Fail = "fail",
        /// The tile stays empty, and is named in the summary and in the image's attributes.
        Fill = "fill",
        /// The whole field of view stays empty, and is named likewise.
        SkipFov = "skip-fov",
    }
}
