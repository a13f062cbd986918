//! An image that is registered and planned, once: checking, progress, memory, conversion and verification share it.

use std::sync::{Arc, OnceLock};

use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_core::{Extensions, PipelineStep, Review, TiledImage, image_to_json, model, register_and_review};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::{ImageInfo, ImageLoader};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::check::check_source;
use crate::error::ComputeError;
use crate::event::Cancellation;
use crate::guard::guarded;
use crate::plan::{Casting, Decoding, ImagePlan, Means};

/// How images are registered and laid out.
#[derive(Clone)]
pub struct Processing<'a> {
    /// Options of the conversion.
    pub options: Arc<ConverterOptions>,
    /// Steps of the registration; `None` are the default ones.
    pub pipeline: Option<&'a [PipelineStep]>,
    /// What the program adds by name.
    pub extensions: &'a Extensions,
}

/// Where the pixels of tiles come from.
#[derive(Clone, Copy)]
pub struct Loading<'a> {
    /// Opens the sources of tiles.
    pub loader: &'a dyn ImageLoader,
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
}

/// An image with its registration and its plan.
pub struct PlannedImage {
    tiled: TiledImage,
    plan: ImagePlan,
    options: Arc<ConverterOptions>,
    identity: Sha256,
    document_bytes: u64,
    review: Review,
    checked: OnceLock<CheckedHeaders>,
}

/// What the headers of the sources say, as far as the conversion depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedHeaders {
    /// Type of the first source that opens.
    pub(crate) first_type: Option<PixelType>,
}

impl PlannedImage {
    /// Registers and plans an image.
    pub fn new(mut tiled: TiledImage, processing: &Processing<'_>) -> Result<Self, ComputeError> {
        let options = processing.options.clone();
        let mut identity = Sha256::new();
        let document = image_to_json(&tiled)?;
        identity.update(&document);
        identity.update(model::to_json(&*options).to_string());
        for step in processing.pipeline.into_iter().flatten() {
            identity.update(model::to_json(step).to_string());
        }
        identity.update(env!("CARGO_PKG_VERSION"));
        let document_bytes = document.len() as u64;
        drop(document);
        let review = register_and_review(&mut tiled, &options, processing.pipeline, processing.extensions)?;
        Ok(Self {
            plan: ImagePlan::new(&tiled, &options)?,
            tiled,
            options,
            identity,
            document_bytes,
            review,
            checked: OnceLock::new(),
        })
    }

    /// Path below the output folder.
    pub fn path(&self) -> &str {
        &self.tiled.path
    }

    /// The image as registration left it: every box is in whole pixels.
    pub fn tiled(&self) -> &TiledImage {
        &self.tiled
    }

    /// What became of its tiles: hidden ones, empty space, overlaps.
    pub fn review(&self) -> &Review {
        &self.review
    }

    /// What will be written.
    pub fn plan(&self) -> &ImagePlan {
        &self.plan
    }

    /// Options of its conversion.
    pub fn options(&self) -> &ConverterOptions {
        &self.options
    }

    /// Bytes of the document that describes it, which tell how large it is in memory.
    pub fn document_bytes(&self) -> u64 {
        self.document_bytes
    }

    /// Hash of all but the source files that decides the output.
    pub(crate) fn identity(&self) -> Sha256 {
        self.identity.clone()
    }

    pub(crate) fn checked(&self) -> Option<CheckedHeaders> {
        self.checked.get().copied()
    }

    /// Opens the header of every source, on the threads of the current rayon pool, and holds it against its tile. Gives every problem with the
    /// number of its placement, in their order; the first source that opens decides on the data type. The conversion does not check again.
    pub fn check_sources(
        &self,
        loading: Loading<'_>,
        cancellation: &Cancellation,
    ) -> Result<Vec<(usize, ComputeError)>, ComputeError> {
        let read = |number: usize| -> Result<ImageInfo, ComputeError> {
            cancellation.check()?;
            let region = &self.tiled.regions[self.plan.placements[number].region];
            let open = || {
                let header = loading.loader.header(&region.image_loader, loading.resource);
                let header = header.map_err(|source| ComputeError::Source {
                    tile: region.describe(),
                    source: Box::new(source),
                })?;
                Ok(header.info)
            };
            guarded(|| region.describe(), open)
        };
        let placements = self.plan.placements.par_iter().enumerate();
        let headers: Vec<Result<ImageInfo, ComputeError>> = placements.map(|(number, _)| read(number)).collect();
        cancellation.check()?;
        let first_type = headers
            .iter()
            .find_map(|header| header.as_ref().ok())
            .map(|info| info.pixel_type);
        let required = first_type.filter(|found| *found == self.plan.data_type);
        let check = |(number, header): (usize, Result<ImageInfo, ComputeError>)| {
            let placement = &self.plan.placements[number];
            let region = &self.tiled.regions[placement.region];
            let checked = header.and_then(|info| check_source(&info, region, placement, &self.plan, required));
            Some((number, checked.err()?))
        };
        let problems = headers.into_iter().enumerate().filter_map(check).collect();
        let _ = self.checked.set(CheckedHeaders { first_type });
        Ok(problems)
    }

    /// What a budget for pixels allows on the threads of the current rayon pool; too little is an error that says what is needed. Where memory
    /// is short, the first tile's header is read: if parts of its planes can be read on their own, nothing need wait in memory.
    pub fn choose_means(&self, pixel_budget: Option<u64>, loading: Loading<'_>) -> Result<Means, ComputeError> {
        let threads = rayon::current_num_threads();
        let plan = &self.plan;
        let ample = plan.means_with(pixel_budget, threads, false, Casting::Yes);
        if let Some(means) = ample.filter(|means| means.workers == threads && means.decoding == Decoding::Once) {
            return Ok(means);
        }
        let first = &self.tiled.regions[plan.placements[0].region];
        let read = || Ok(loading.loader.header(&first.image_loader, loading.resource).ok());
        // A tile that cannot be opened is reported when the tiles are read.
        let header = guarded(|| first.describe(), read).ok().flatten();
        let cheap_windows = header.as_ref().is_some_and(|header| header.cheap_windows);
        let casting = match header.map(|header| header.info.pixel_type) {
            Some(found) if found == plan.data_type => Casting::No,
            _ => Casting::Yes,
        };
        let means = plan.means_with(pixel_budget, threads, cheap_windows, casting);
        means.ok_or_else(|| ComputeError::Memory {
            image: self.tiled.path.clone(),
            budget: pixel_budget.unwrap_or_default(),
            needed: plan.least_bytes(cheap_windows, casting),
        })
    }
}
