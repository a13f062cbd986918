//! Runs a whole conversion in one process: init, then the compute task of every image, with one summary.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use ome_zarr_convert_compute::{Threads, is_unfinished, plan_image, preflight};
use ome_zarr_convert_core::options::{AcquisitionOptions, BadTiles, ConverterOptions, Grouping, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, Collection, FilterStep, ParallelizationEntry, TiledImage, ValidatorStep, differing_attributes,
    existing_outputs, setup_images_for_conversion, tiles_aggregation_pipeline,
};
use tracing::{info, warn};

use crate::acquisition::{Acquisition, CollectionKind, ImageNames, Reading, read_acquisition};
use crate::compound::{Runner, exec_compound_task};
use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::summary::Summary;

/// An acquisition to be converted.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folder with the table, the acquisition file and the images; or a table, a folder of images, an image.
    pub acquisition: PathBuf,
    /// Absolute path of the output folder.
    pub zarr_dir: PathBuf,
    /// Plate or single images.
    pub kind: CollectionKind,
    /// How image files without a table become one.
    pub names: ImageNames,
    /// Options of the conversion.
    pub options: ConverterOptions,
    /// What goes before the acquisition's files, and which of its tiles are converted.
    pub acquisition_options: AcquisitionOptions,
    /// Checks of the images before anything is written.
    pub validators: Vec<ValidatorStep>,
    /// What to do with outputs that exist.
    pub overwrite_mode: OverwriteMode,
}

/// The images of a request, aggregated but nothing written yet.
pub struct Prepared {
    request: Request,
    notes: Vec<String>,
    images: Vec<TiledImage>,
    /// Planning every image is worth doing once.
    pixel_bytes: OnceLock<Vec<u64>>,
}

impl Request {
    /// Reads the acquisition and aggregates its tiles.
    pub fn prepare(mut self) -> Result<Prepared, TaskError> {
        let reading = Reading {
            kind: &self.kind,
            options: &self.acquisition_options,
            names: &self.names,
            field_is_image: matches!(self.options.grouping, Grouping::PerFov(_)),
        };
        let Acquisition { tiles, kind, notes } = read_acquisition(&self.acquisition, &reading)?;
        self.kind = kind;
        let differing = differing_attributes(&tiles);
        if let Some((image, key)) = differing.first() {
            warn!(
                "tiles of one image differ in an attribute; the image takes that of its first tile ({key:?} of {image}{})",
                if differing.len() > 1 {
                    format!(", and {} more", differing.len() - 1)
                } else {
                    String::new()
                }
            );
        }
        let filters: Vec<FilterStep> = self
            .acquisition_options
            .filters
            .iter()
            .cloned()
            .map(FilterStep::from)
            .collect();
        let aggregation = Aggregation {
            filters: &filters,
            validators: &self.validators,
            warn: &|text| warn!("{text}"),
            ..Aggregation::default()
        };
        let images = tiles_aggregation_pipeline(tiles, &self.options, &aggregation)?;
        Ok(Prepared {
            request: self,
            notes,
            images,
            pixel_bytes: OnceLock::new(),
        })
    }
}

impl Prepared {
    /// The images.
    pub(crate) fn tiled_images(&self) -> &[TiledImage] {
        &self.images
    }

    /// The images, for a set-up that has more than one acquisition.
    pub(crate) fn into_tiled_images(self) -> Vec<TiledImage> {
        self.images
    }

    /// The options of the conversion.
    pub(crate) fn options(&self) -> &ConverterOptions {
        &self.request.options
    }

    /// What was decided that the user should see: how file names were read, what was saved.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.images.iter().map(|image| image.regions.len()).sum()
    }

    /// Outputs that exist and, with `Overwrite`, will be removed.
    pub fn existing_outputs(&self) -> Result<Vec<PathBuf>, TaskError> {
        Ok(existing_outputs(&self.images, &self.zarr_dir())?)
    }

    /// Bytes of the pixels of the finest level of every image.
    pub fn pixel_bytes(&self) -> Result<&[u64], TaskError> {
        if let Some(bytes) = self.pixel_bytes.get() {
            return Ok(bytes);
        }
        let bytes = self.images.iter();
        let bytes = bytes.map(|image| Ok(plan_image(image, &self.request.options)?.pixel_bytes()));
        let bytes = bytes.collect::<Result<Vec<u64>, TaskError>>()?;
        Ok(self.pixel_bytes.get_or_init(|| bytes))
    }

    /// Opens every image file and holds it against what its tile declares, before anything is written. Where the options say that
    /// images can do without bad tiles, nothing is checked here.
    pub fn check_files(&self, threads: &Threads) -> Result<(), TaskError> {
        if self.request.options.bad_tiles != BadTiles::Fail {
            return Ok(());
        }
        let mut problems = Vec::new();
        for image in &self.images {
            let context = ComputeContext::new();
            problems.extend(threads.run(|| preflight(image, &self.request.options, context.loader, None))?);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(TaskError::Files {
                problems,
                tiles: self.tiles(),
            })
        }
    }

    /// The init task: sets the outputs up and gives the parallelization list.
    pub fn init(&self) -> Result<Vec<ParallelizationEntry>, TaskError> {
        let request = &self.request;
        Ok(setup_images_for_conversion(
            &self.images,
            &self.zarr_dir(),
            request.kind.collection_type(),
            &request.options,
            request.overwrite_mode,
        )?)
    }

    /// Init, then the compute task of every image; without a runner, the one that suits their size. When everything fails, a plate that
    /// this made is taken away again.
    pub fn convert(
        &self,
        runner: Option<Runner<'_>>,
        threads: &Threads,
        context: &ComputeContext<'_>,
    ) -> Result<Summary, TaskError> {
        let start = Instant::now();
        let before = match self.request.overwrite_mode {
            OverwriteMode::Overwrite => Vec::new(),
            OverwriteMode::NoOverwrite | OverwriteMode::Extend => self.existing_outputs()?,
        };
        let entries = self.init()?;
        let runner = match runner {
            Some(runner) => runner,
            None => Runner::BySize(self.pixel_bytes()?),
        };
        let done = exec_compound_task(&entries, runner, threads, context);
        if done.is_err() {
            self.remove_empty_plates(&before);
        }
        Ok(Summary {
            duration: start.elapsed(),
            ..done?.summary
        })
    }

    /// Removes plates that this conversion made and that hold no image, nor anything to go on with.
    fn remove_empty_plates(&self, before: &[PathBuf]) {
        let mut plates: Vec<PathBuf> = Vec::new();
        for image in &self.images {
            if let Collection::ImageInPlate(place) = &*image.collection
                && let Ok(plate) = place.plate_path()
            {
                let plate = self.request.zarr_dir.join(plate);
                if !plates.contains(&plate) && !before.contains(&plate) {
                    plates.push(plate);
                }
            }
        }
        for plate in plates {
            let holds_image = self.images.iter().any(|image| {
                let path = self.request.zarr_dir.join(&image.path);
                path.starts_with(&plate) && (path.exists() || is_unfinished(&path))
            });
            if !holds_image && let Err(error) = std::fs::remove_dir_all(&plate) {
                info!("{} could not be removed: {error}", plate.display());
            }
        }
    }

    fn zarr_dir(&self) -> String {
        self.request.zarr_dir.display().to_string()
    }
}
