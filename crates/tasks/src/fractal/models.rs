//! The models that arguments of converters are made of, for those who write manifests with other tools.

use ome_zarr_convert_core::model::{self, Dialect, Model};
use ome_zarr_convert_core::options::{
    AcquisitionOptions, ChannelInfo, ConverterOptions, FixedSizeChunking, FovBasedChunking, OmeZarrOptions,
    RegexFilter, StageOrientation, StagePositionCorrections, TempJsonOptions, WellFilter,
};
use serde_json::Value;

/// A model that arguments of tasks may hold.
#[derive(Clone, Copy)]
pub struct InputModel {
    /// Its name, in the reference and in schemas.
    pub name: &'static str,
    schema: fn() -> Value,
}

impl InputModel {
    /// A model of a converter's own.
    pub fn new<T: Model>(name: &'static str) -> Self {
        Self {
            name,
            schema: || model::schema::<T>(Dialect::Fractal),
        }
    }

    /// Its JSON schema, as it stands in a manifest.
    pub fn schema(&self) -> Value {
        (self.schema)()
    }
}

/// The models that this project gives to converters: the counterpart of the reference's function, which names Python classes
/// and the files they are in, since its manifests are made by reading sources. Schemas of arguments hold them anyway.
pub fn converters_tools_models() -> Vec<InputModel> {
    vec![
        InputModel::new::<AcquisitionOptions>("AcquisitionOptions"),
        InputModel::new::<WellFilter>("WellFilter"),
        InputModel::new::<RegexFilter>("RegexFilter"),
        InputModel::new::<ConverterOptions>("ConverterOptions"),
        InputModel::new::<StageOrientation>("StageOrientation"),
        InputModel::new::<StagePositionCorrections>("StagePositionCorrections"),
        InputModel::new::<OmeZarrOptions>("OmeZarrOptions"),
        InputModel::new::<TempJsonOptions>("TempJsonOptions"),
        InputModel::new::<FovBasedChunking>("FovBasedChunking"),
        InputModel::new::<FixedSizeChunking>("FixedSizeChunking"),
        InputModel::new::<ChannelInfo>("ChannelInfo"),
    ]
}
