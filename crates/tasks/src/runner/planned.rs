//! Carries planned images out: checks their files, sets their outputs up, converts them in this process or in others.

use std::time::Instant;

use ome_zarr_convert_compute::{Event, Loading, Phase, PlannedImage, Threads, is_unfinished};
use ome_zarr_convert_core::options::{BadTiles, HiddenTiles, OverwriteMode};
use ome_zarr_convert_core::{
    Collection, ConvertParallelInitArgs, ParallelizationEntry, Reviews, TiledImage, existing_outputs, image_to_json,
    set_up_outputs_unless,
};
use ome_zarr_convert_sources::Headers;
use ome_zarr_convert_store::Location;
use tracing::info;

use super::{Request, own_types};
use crate::compound::{Images, Runner, run_images};
use crate::compute::{ComputeContext, Computed, Work, convert_planned};
use crate::error::TaskError;
use crate::schedule::RunnerKind;
use crate::summary::Summary;

/// The images of a request, registered and planned, nothing written yet.
pub struct Planned {
    pub(super) request: Request,
    pub(super) zarr_dir: Location,
    pub(super) kind: RunnerKind,
    pub(super) reviews: Reviews,
    pub(super) headers: Headers,
    pub(super) images: Vec<PlannedImage>,
    /// The images before registration, where other processes convert them.
    pub(super) documents: Vec<TiledImage>,
    pub(super) pixel_bytes: Vec<u64>,
    pub(super) document_bytes: u64,
}

impl Planned {
    /// The images.
    pub fn images(&self) -> &[PlannedImage] {
        &self.images
    }

    /// What is good to know about the images as a whole, such as an overlap that the tiling takes away.
    pub fn notes(&self) -> Vec<String> {
        self.reviews.notes()
    }

    /// What hides tiles of an image, where the options do not let that pass.
    pub(crate) fn hidden(&self, image: &str) -> Option<&str> {
        let fails = self.request.options.hidden_tiles == HiddenTiles::Fail;
        let mut found = self.reviews.hidden.iter().filter(|(path, _)| fails && path == image);
        found.next().map(|(_, problem)| problem.as_str())
    }

    /// How they will be run.
    pub fn runner(&self) -> RunnerKind {
        self.kind
    }

    /// Bytes of the pixels of the finest level of every image.
    pub fn pixel_bytes(&self) -> &[u64] {
        &self.pixel_bytes
    }

    /// Bytes of the documents of all images.
    pub(crate) fn document_bytes(&self) -> u64 {
        self.document_bytes
    }

    /// Opens every image file and holds it against what its tile declares, before anything is written. Where the options say that
    /// images can do without bad tiles, each image is checked when it is converted.
    pub fn check_files(&self, threads: &Threads, context: &ComputeContext<'_>) -> Result<(), TaskError> {
        if self.request.options.bad_tiles != BadTiles::Fail {
            return Ok(());
        }
        context.progress.on(Event::Phase { phase: Phase::Checking });
        let loading = Loading {
            loader: &self.headers.known_to(context.loader),
            resource: context.resource,
        };
        let mut problems = Vec::new();
        for image in &self.images {
            let found = threads.run(|| image.check_sources(loading, context.cancellation))?;
            problems.extend(found.into_iter().map(|(_, error)| error));
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(TaskError::Files {
            problems,
            tiles: self.images.iter().map(|image| image.plan().placements.len()).sum(),
        })
    }

    /// Sets the outputs up and converts every image. When everything fails, a plate that this made is taken away again.
    pub fn convert(
        &self,
        runner: Runner<'_>,
        threads: &Threads,
        context: &ComputeContext<'_>,
    ) -> Result<Summary, TaskError> {
        let start = Instant::now();
        self.reviews.check(&self.request.options)?;
        let tiled: Vec<&TiledImage> = self.images.iter().map(PlannedImage::tiled).collect();
        let before = match self.request.overwrite_mode {
            OverwriteMode::Overwrite => Vec::new(),
            OverwriteMode::NoOverwrite | OverwriteMode::Extend => {
                existing_outputs(tiled.iter().copied(), &self.zarr_dir)?
            }
        };
        context.cancellation.check()?;
        context.progress.on(Event::Phase {
            phase: Phase::SettingUp,
        });
        let places = set_up_outputs_unless(
            &tiled,
            &self.zarr_dir,
            self.request.kind.collection_type(),
            &self.request.options,
            self.request.overwrite_mode,
            &own_types(context),
            &|| context.cancellation.is_cancelled(),
        )?;
        context.progress.on(Event::Phase {
            phase: Phase::Converting,
        });
        let images = InProcess { planned: self, places };
        let known = self.headers.known_to(context.loader);
        let context = &ComputeContext {
            loader: &known,
            ..*context
        };
        let done = run_images(&images, runner, threads, context);
        if done.is_err() {
            self.remove_empty_plates(&images.places, &before)?;
        }
        Ok(Summary {
            duration: start.elapsed(),
            ..done?.summary
        })
    }

    /// Removes plates that this conversion made and that hold no image, nor anything to go on with.
    fn remove_empty_plates(&self, places: &[Location], before: &[Location]) -> Result<(), TaskError> {
        let mut plates: Vec<Location> = Vec::new();
        for image in &self.images {
            if let Collection::ImageInPlate(place) = &*image.tiled().collection
                && let Ok(plate) = place.plate_path()
            {
                let plate = self.zarr_dir.child(&plate);
                if !plates.contains(&plate) && !before.contains(&plate) {
                    plates.push(plate);
                }
            }
        }
        for plate in plates {
            let mut holds_image = false;
            let inside = format!("{}/", plate.key());
            for place in places.iter().filter(|place| place.key().starts_with(&inside)) {
                holds_image |= place.exists()? || is_unfinished(place)?;
            }
            if !holds_image && let Err(error) = plate.remove_all() {
                info!("{plate} could not be removed: {error}");
            }
        }
        Ok(())
    }
}

/// Planned images at their places.
struct InProcess<'a> {
    planned: &'a Planned,
    places: Vec<Location>,
}

impl Images for InProcess<'_> {
    fn path(&self, index: usize) -> String {
        self.planned.images[index].path().to_owned()
    }

    fn zarr_url(&self, index: usize) -> String {
        self.places[index].to_string()
    }

    fn convert(&self, index: usize, context: &ComputeContext<'_>) -> Result<Computed, TaskError> {
        let work = Work {
            overwrite_mode: self.planned.request.overwrite_mode,
            image_loader: None,
            hand_over: None,
            document_bytes: self.planned.document_bytes,
        };
        let (image, place) = (&self.planned.images[index], &self.places[index]);
        convert_planned(image, place, &work, &place.to_string(), context)
    }

    fn entry(&self, index: usize) -> Result<ParallelizationEntry, TaskError> {
        let request = &self.planned.request;
        Ok(ParallelizationEntry {
            zarr_url: self.zarr_url(index),
            init_args: ConvertParallelInitArgs {
                tiled_image_json_dump_url: None,
                tiled_image_json_str: Some(image_to_json(&self.planned.documents[index])?),
                converter_options: request.options.clone(),
                overwrite_mode: request.overwrite_mode,
                image_loader: None,
                registration_pipeline: None,
            },
        })
    }

    fn pixel_bytes(&self) -> &[u64] {
        &self.planned.pixel_bytes
    }
}
