//! What a user says about an acquisition, put over what its files say.

use ome_zarr_convert_geometry::Axis;

use super::AcquisitionDetails;
use crate::error::CoreError;
use crate::options::{AcquisitionOptions, ChannelInfo, StageOrientation};

impl AcquisitionDetails {
    /// The details with everything that options give. The filters are for
    /// [`Aggregation::filters`](crate::Aggregation::filters).
    ///
    /// `autodetect` does not reset a data type, and an orientation that changes nothing does not reset that of the
    /// acquisition; one that does is applied (the reference accepts and ignores it).
    pub fn with_options(&self, options: &AcquisitionOptions) -> Result<Self, CoreError> {
        let mut updated = self.clone();
        if let Some(channels) = &options.channels {
            let channel = |channel: &crate::options::ChannelInfoUI| ChannelInfo {
                channel_label: channel.channel_label.clone(),
                wavelength_id: channel.wavelength_id.clone(),
                color: channel.color.color().cloned(),
            };
            updated.channels = Some(channels.iter().map(channel).collect());
        }
        if let Some(pixels) = &options.pixel_info {
            updated.xy_pixel_size = pixels.xy_pixel_size;
            updated.z_spacing = pixels.z_spacing;
            updated.t_spacing = pixels.t_spacing;
        }
        if let Some(letters) = &options.axes {
            updated.axes = Axis::from_letters(letters).ok_or_else(|| CoreError::Syntax {
                place: "acquisition options, axes".into(),
                problem: format!(
                    "found {letters:?}, expected letters of t, c, z, y, x in this order, such as \"czyx\""
                ),
            })?;
        }
        updated.data_type = options.data_type.0.or(updated.data_type);
        if options.condition_table_path.is_some() {
            updated.condition_table_path.clone_from(&options.condition_table_path);
        }
        if options.stage_orientation != StageOrientation::default() {
            updated.stage_orientation = options.stage_orientation.clone();
        }
        updated.check("acquisition options")?;
        Ok(updated)
    }
}
