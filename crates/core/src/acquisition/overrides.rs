//! What a user says about an acquisition, put over what its files say.

use ome_zarr_convert_ngff::DataType;

use super::{AcquisitionDetails, axes_from_letters};
use crate::error::CoreError;
use crate::options::{AcquisitionOptions, ChannelInfo, OutputDataType, StageOrientation};

impl AcquisitionOptions {
    /// The details with everything that these options give. The filters are for
    /// [`Aggregation::filters`](crate::Aggregation::filters).
    ///
    /// `autodetect` does not reset a data type, and an orientation that changes nothing does not reset that of the
    /// acquisition; one that does is applied (the reference accepts and ignores it).
    pub fn update_acquisition_details(&self, details: &AcquisitionDetails) -> Result<AcquisitionDetails, CoreError> {
        let mut updated = details.clone();
        if let Some(channels) = &self.channels {
            let channel = |channel: &crate::options::ChannelInfoUI| ChannelInfo {
                channel_label: channel.channel_label.clone(),
                wavelength_id: channel.wavelength_id.clone(),
                color: channel.color.color().cloned(),
            };
            updated.channels = Some(channels.iter().map(channel).collect());
        }
        if let Some(pixels) = &self.pixel_info {
            updated.xy_pixel_size = pixels.xy_pixel_size;
            updated.z_spacing = pixels.z_spacing;
            updated.t_spacing = pixels.t_spacing;
        }
        if let Some(letters) = &self.axes {
            updated.axes = axes_from_letters(letters).ok_or_else(|| CoreError::Syntax {
                place: "acquisition options, axes".into(),
                problem: format!(
                    "found {letters:?}, expected letters of t, c, z, y, x in this order, such as \"czyx\""
                ),
            })?;
        }
        match self.data_type {
            OutputDataType::Autodetect => {}
            OutputDataType::Uint8 => updated.data_type = Some(DataType::UInt8),
            OutputDataType::Uint16 => updated.data_type = Some(DataType::UInt16),
            OutputDataType::Uint32 => updated.data_type = Some(DataType::UInt32),
        }
        if self.condition_table_path.is_some() {
            updated.condition_table_path.clone_from(&self.condition_table_path);
        }
        if self.stage_orientation != StageOrientation::default() {
            updated.stage_orientation = self.stage_orientation.clone();
        }
        updated.check("acquisition options")?;
        Ok(updated)
    }
}
