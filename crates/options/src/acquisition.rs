//! What a user says about an acquisition, over what its files say.

use super::{ChannelInfoUI, Filter, OutputDataType};
use crate::model::model;

model! {
    /// How the axes of the stage lie to those of the images. For fields of view that come out mirrored or in the wrong
    /// order.
    pub struct StageOrientation "StageOrientation" {
        /// Whether stage positions grow against the x axis of the images.
        pub flip_x: bool = false, title "Flip X";
        /// Whether stage positions grow against the y axis of the images.
        pub flip_y: bool = false, title "Flip Y";
        /// Whether x and y of the stage positions are exchanged. Flips come after it.
        pub swap_xy: bool = false, title "Swap XY";
    }
}

model! {
    /// Pixel size and spacings that replace those of the acquisition.
    pub struct PixelSizeModel "PixelSizeModel" {
        /// Size of a pixel in x and y, in micrometers.
        pub xy_pixel_size: f64, title "XY Pixel Size", older "pixelsize";
        /// Distance between planes, in micrometers.
        pub z_spacing: f64, title "Z Spacing";
        /// Time between time points, in seconds.
        pub t_spacing: f64, title "Time Spacing";
    }
}

model! {
    /// What is to be different from what the acquisition's files say, and which of its tiles are converted.
    pub struct AcquisitionOptions "AcquisitionOptions" {
        /// The channels in the order of their index. Leave empty to take those of the acquisition.
        pub channels: Option<Vec<ChannelInfoUI>> = None;
        /// Pixel size and spacings. Leave empty to take those of the acquisition.
        pub pixel_info: Option<PixelSizeModel> = None, title "Pixel Size Information";
        /// A CSV file with a row per well whose other columns become attributes of the images.
        pub condition_table_path: Option<String> = None;
        /// The axes of the images in the order t, c, z, y, x, such as `czyx`. Leave empty to take those of the
        /// acquisition.
        pub axes: Option<String> = None;
        /// Data type of the pixels in the output.
        pub data_type: OutputDataType = OutputDataType(None), title "Data Type";
        /// How the axes of the stage lie to those of the images.
        pub stage_orientation: StageOrientation = StageOrientation::default(), title "Stage Orientation";
        /// Which tiles are converted. Filters are applied in order.
        pub filters: Vec<Filter> = Vec::new();
    }
}
