//! Validators: checks on images after aggregation, before anything is written.

use ome_zarr_convert_sources::{ImageLoader, OpenImage, PlaneMut, Window};
use serde_json::Value;

use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::options::Validator;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, world_to_pixel};

/// What a validator works with besides the image.
#[derive(Clone, Copy)]
pub struct Validation<'a> {
    /// Loads the tiles.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// Told what deserves a word but is no error.
    pub warn: &'a dyn Fn(String),
}

/// A validator: a built-in one, or one that a converter added by name.
#[derive(Clone, Debug, PartialEq)]
pub enum ValidatorStep {
    /// One of the built-in validators.
    BuiltIn(Validator),
    /// A validator of the program's [`Extensions`].
    Custom {
        /// Its name.
        name: String,
        /// Its document, with `name`.
        params: Value,
    },
}

impl From<Validator> for ValidatorStep {
    fn from(validator: Validator) -> Self {
        Self::BuiltIn(validator)
    }
}

/// Applies validators to images, in their order; the first error ends it.
pub(crate) fn apply_all(
    steps: &[ValidatorStep],
    images: &[TiledImage],
    with: &Validation<'_>,
    extensions: &Extensions,
) -> Result<(), CoreError> {
    for step in steps {
        for image in images {
            match step {
                ValidatorStep::BuiltIn(validator) => apply(validator, image, with)?,
                ValidatorStep::Custom { name, params } => extensions.validator(name)?.validate(image, params, with)?,
            }
        }
    }
    Ok(())
}

fn apply(validator: &Validator, image: &TiledImage, with: &Validation<'_>) -> Result<(), CoreError> {
    match validator {
        Validator::ShapeAndDtypeProbe(_) => probe(image, with),
    }
}

/// Every source reachable (else a warning); the first tile loaded and held against its declared shape and the image's type.
fn probe(image: &TiledImage, with: &Validation<'_>) -> Result<(), CoreError> {
    for region in &image.regions {
        if let Err(error) = with.loader.preflight(&region.image_loader, with.resource) {
            (with.warn)(format!("{}: {error}", region.describe()));
        }
    }
    let Some(sample) = image.regions.first() else {
        return Ok(());
    };
    let unreadable = |source| CoreError::Source {
        tile: sample.describe(),
        source: Box::new(source),
    };
    let opened = with
        .loader
        .open(&sample.image_loader, with.resource)
        .map_err(unreadable)?;
    let wrong = |problem: String| {
        Err(CoreError::Tile {
            tile: sample.describe(),
            problem,
        })
    };
    let declared = declared_shape(image, sample);
    let found = &opened.info().shape;
    let missing = declared.len().checked_sub(found.len());
    let padded: Option<Vec<u64>> =
        missing.map(|missing| std::iter::repeat_n(1, missing).chain(found.iter().copied()).collect());
    if padded.as_ref() != Some(&declared) {
        return wrong(format!(
            "image {} declares shape {declared:?} for it, but the file's shape is {found:?}; correct the tile's lengths",
            image.path
        ));
    }
    let found = opened.info().pixel_type;
    if found != image.data_type {
        return wrong(format!(
            "image {} declares data type {}, but the file's is {found}; correct the data type, or leave it to be \
             detected",
            image.path,
            image.data_type.name()
        ));
    }
    load(&*opened).map_err(unreadable)
}

/// Shape of a tile in pixels, per axis of the image.
fn declared_shape(image: &TiledImage, region: &Region) -> Vec<u64> {
    let length = |axis: &Axis| {
        let span = region.roi.span(*axis);
        match region.roi.space {
            ome_zarr_convert_geometry::Space::World => world_to_pixel(span.length, image.spacing(*axis)).ceil() as u64,
            ome_zarr_convert_geometry::Space::Pixel => span.length.ceil() as u64,
        }
    };
    image.axes.iter().map(length).collect()
}

/// Reads every plane, so that a damaged file is found now.
fn load(image: &dyn OpenImage) -> Result<(), ome_zarr_convert_sources::SourceError> {
    let (height, width) = image.info().plane_size();
    let row_stride = width as usize * image.info().pixel_type.size_bytes();
    let mut plane = vec![0; height as usize * row_stride];
    for number in 0..image.info().planes() {
        let out = PlaneMut {
            data: &mut plane,
            row_stride,
        };
        image.read_window(
            number,
            Window {
                y: 0,
                x: 0,
                height,
                width,
            },
            out,
        )?;
    }
    Ok(())
}
