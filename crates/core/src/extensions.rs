//! What converter authors add by name: filters, validators, registration steps, collection handlers and image loaders.
//!
//! Nothing here is global: an [`Extensions`] is made by the program that knows the additions and handed to the calls that use
//! them, in the init and in the compute task alike.

use std::sync::Arc;

use indexmap::IndexMap;
use ome_zarr_convert_ngff::NgffVersion;
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader};
use ome_zarr_convert_store::Location;
use serde_json::Value;

use crate::error::CoreError;
use crate::options::OverwriteMode;
use crate::tile::Tile;
use crate::tiled_image::TiledImage;
use crate::validator::Validation;

/// Keeps or drops whole tiles before aggregation.
pub trait TileFilter: Send + Sync {
    /// Whether to keep the tile. `params` is the filter's document.
    fn keep(&self, tile: &Tile, params: &Value) -> Result<bool, CoreError>;
}

/// Checks an image after aggregation; an error stops the conversion before anything is written.
pub trait ImageValidator: Send + Sync {
    /// Checks the image. `params` is the validator's document.
    fn validate(&self, image: &TiledImage, params: &Value, with: &Validation<'_>) -> Result<(), CoreError>;
}

/// Moves tiles: a step of the registration. Must be pure: the same image and parameters give the same result.
pub trait RegistrationStep: Send + Sync {
    /// Changes the image's regions (and channels, where it renumbers them).
    fn apply(&self, image: &mut TiledImage, params: &Value) -> Result<(), CoreError>;
}

/// Sets a collection of its own up, before its images are converted.
pub trait CollectionHandler: Send + Sync {
    /// Makes what the images of this collection need around them in `zarr_dir`, and holds `overwrite_mode`.
    fn set_up(
        &self,
        zarr_dir: &Location,
        images: &[&TiledImage],
        version: NgffVersion,
        overwrite_mode: OverwriteMode,
    ) -> Result<(), CoreError>;
}

/// The additions of a converter, each under its name.
#[derive(Clone, Default)]
pub struct Extensions {
    filters: IndexMap<String, Arc<dyn TileFilter>>,
    validators: IndexMap<String, Arc<dyn ImageValidator>>,
    registration_steps: IndexMap<String, Arc<dyn RegistrationStep>>,
    collection_handlers: IndexMap<String, Arc<dyn CollectionHandler>>,
    loaders: IndexMap<String, Arc<dyn ImageLoader>>,
}

/// Name of the built-in loader.
pub const DEFAULT_LOADER: &str = "DefaultImageLoader";

/// Names of the built-in registration steps, in their default order.
pub const REGISTRATION_STEPS: [&str; 5] = [
    "offset_removal",
    "align_to_pixel_grid",
    "xy_jitter_correction",
    "reindex_channels",
    "tile_regions",
];

const FILTERS: [&str; 8] = [
    "Path Regex Filter",
    "Well Filter",
    "FOV Name Filter",
    "Acquisition Filter",
    "Attribute Filter",
    "Channel Filter",
    "Z Range Filter",
    "Time Range Filter",
];

macro_rules! registry {
    ($add:ident, $get:ident, $field:ident, $what:literal, $trait:ident, $built_in:expr) => {
        #[doc = concat!("Adds a ", $what, ". A name that is taken, by a built-in one too, is an error.")]
        pub fn $add(&mut self, name: &str, added: Arc<dyn $trait>) -> Result<(), CoreError> {
            if self.$field.contains_key(name) || $built_in.contains(&name) {
                return Err(CoreError::Extension {
                    what: $what,
                    name: name.to_owned(),
                    problem: "this name is taken; choose another".into(),
                });
            }
            self.$field.insert(name.to_owned(), added);
            Ok(())
        }

        pub(crate) fn $get(&self, name: &str) -> Result<&Arc<dyn $trait>, CoreError> {
            self.$field.get(name).ok_or_else(|| {
                let known: Vec<&str> = $built_in
                    .into_iter()
                    .chain(self.$field.keys().map(String::as_str))
                    .collect();
                CoreError::Extension {
                    what: $what,
                    name: name.to_owned(),
                    problem: format!(
                        "it is not known; known are: {}. Add it to the Extensions of this program",
                        known.join(", ")
                    ),
                }
            })
        }
    };
}

impl Extensions {
    /// Without additions.
    pub fn new() -> Self {
        Self::default()
    }

    registry!(add_filter, filter, filters, "filter", TileFilter, FILTERS);
    registry!(
        add_validator,
        validator,
        validators,
        "validator",
        ImageValidator,
        ["Shape and Dtype Probe"]
    );
    registry!(
        add_registration_step,
        registration_step,
        registration_steps,
        "registration step",
        RegistrationStep,
        REGISTRATION_STEPS
    );
    registry!(
        add_collection_handler,
        collection_handler,
        collection_handlers,
        "collection handler",
        CollectionHandler,
        ["ImageInPlate", "SingleImage"]
    );
    registry!(
        add_loader,
        own_loader,
        loaders,
        "image loader",
        ImageLoader,
        [DEFAULT_LOADER]
    );

    /// The loader of that name; `None` is the built-in one.
    pub fn loader(&self, name: Option<&str>) -> Result<&dyn ImageLoader, CoreError> {
        match name {
            None | Some(DEFAULT_LOADER) => Ok(&DefaultImageLoader),
            Some(name) => Ok(&**self.own_loader(name)?),
        }
    }
}
