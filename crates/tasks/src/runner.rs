//! Runs a whole conversion in one process: reads the acquisition, plans every image once, and carries the plans out.

mod planned;

use std::path::PathBuf;
use std::sync::Arc;

use ome_zarr_convert_compute::{Event, Phase, PlannedImage, Processing};
use ome_zarr_convert_core::options::{AcquisitionOptions, ConverterOptions, Grouping, OverwriteMode};
use ome_zarr_convert_core::{
    Aggregation, Collection, FilterStep, LeftOut, OwnTypes, ParallelizationEntry, Reviews, TiledImage, ValidatorStep,
    differing_attributes, existing_outputs, parallelization_list, set_up_outputs_unless, tiles_aggregation_pipeline,
};
use ome_zarr_convert_sources::Headers;
use ome_zarr_convert_store::Location;
use tracing::{info, warn};

pub use self::planned::Planned;
use crate::acquisition::{Acquisition, CollectionKind, ImageNames, Reading, read_acquisition};
use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::schedule::RunnerKind;

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

/// The images of a request, aggregated but neither planned nor written.
pub struct Prepared {
    request: Request,
    zarr_dir: Location,
    notes: Vec<String>,
    left_out: Vec<LeftOut>,
    images: Vec<TiledImage>,
    headers: Headers,
}

impl Request {
    /// Reads the acquisition and aggregates its tiles.
    pub fn prepare(mut self, context: &ComputeContext<'_>) -> Result<Prepared, TaskError> {
        context.progress.on(Event::Phase { phase: Phase::Reading });
        let headers = Headers::default();
        let reading = Reading {
            kind: &self.kind,
            options: &self.acquisition_options,
            names: &self.names,
            cancellation: context.cancellation,
            headers: &headers,
            field_is_image: matches!(self.options.grouping, Grouping::PerFov(_)),
            bad_tiles: self.options.bad_tiles,
        };
        let Acquisition {
            tiles,
            kind,
            notes,
            left_out,
        } = read_acquisition(&self.acquisition, &reading)?;
        context.cancellation.check()?;
        self.kind = kind;
        warn_of_differing_attributes(&differing_attributes(&tiles));
        let filters = self.acquisition_options.filters.iter().cloned();
        let filters: Vec<FilterStep> = filters.map(FilterStep::from).collect();
        let aggregation = Aggregation {
            filters: &filters,
            validators: &self.validators,
            warn: &|text| warn!("{text}"),
            loader: &headers.remembered_by(context.loader),
            resource: context.resource,
            ..Aggregation::default()
        };
        let images = tiles_aggregation_pipeline(tiles, &self.options, &aggregation)?;
        context.progress.on(Event::AcquisitionRead {
            images: images.len(),
            tiles: images.iter().map(|image| image.regions.len()).sum(),
        });
        Ok(Prepared {
            zarr_dir: Location::local(&self.zarr_dir)?,
            request: self,
            notes,
            left_out,
            images,
            headers,
        })
    }
}

fn warn_of_differing_attributes(differing: &[(String, String)]) {
    if let Some((image, key)) = differing.first() {
        let more = match differing.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        warn!(
            "tiles of one image differ in an attribute; the image takes that of its first tile ({key:?} of {image}{more})"
        );
    }
}

impl Prepared {
    /// The images, for a set-up that has more than one acquisition.
    pub(crate) fn into_tiled_images(self) -> Vec<TiledImage> {
        self.images
    }

    /// What was decided that the user should see: how file names were read, what was saved.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What lies in the acquisition and is not used.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
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
    pub fn existing_outputs(&self) -> Result<Vec<Location>, TaskError> {
        Ok(existing_outputs(&self.images, &self.zarr_dir)?)
    }

    /// The init task: sets the outputs up and gives the parallelization list.
    pub fn init(&self, context: &ComputeContext<'_>) -> Result<Vec<ParallelizationEntry>, TaskError> {
        context.cancellation.check()?;
        context.progress.on(Event::Phase {
            phase: Phase::SettingUp,
        });
        let kind = self.request.kind.collection_type();
        set_up(
            &self.images,
            &self.zarr_dir,
            kind,
            &self.request.options,
            self.request.overwrite_mode,
            context,
        )
    }

    /// Registers and plans every image, once: what is checked, counted, printed and converted are these plans.
    pub fn plan(self, kind: RunnerKind, context: &ComputeContext<'_>) -> Result<Planned, TaskError> {
        context.progress.on(Event::Phase { phase: Phase::Planning });
        let processing = Processing {
            options: Arc::new(self.request.options.clone()),
            pipeline: None,
            extensions: context.extensions,
        };
        // Other processes are given the image as it was before registration.
        let documents = match kind {
            RunnerKind::Processes => self.images.clone(),
            _ => Vec::new(),
        };
        let mut images = Vec::with_capacity(self.images.len());
        for image in self.images {
            context.cancellation.check()?;
            images.push(PlannedImage::new(image, &processing)?);
        }
        let mut reviews = Reviews::default();
        images
            .iter()
            .for_each(|image| reviews.add(image.path(), image.review()));
        warn_of(&reviews, &self.request.options);
        let pixel_bytes: Vec<u64> = images.iter().map(|image| image.plan().pixel_bytes()).collect();
        for (image, bytes) in images.iter().zip(&pixel_bytes) {
            context.progress.on(planned_event(image, *bytes));
        }
        Ok(Planned {
            document_bytes: images.iter().map(PlannedImage::document_bytes).sum(),
            request: self.request,
            zarr_dir: self.zarr_dir,
            kind,
            reviews,
            headers: self.headers,
            images,
            documents,
            pixel_bytes,
        })
    }
}

fn planned_event(image: &PlannedImage, pixel_bytes: u64) -> Event<'_> {
    let well = match &*image.tiled().collection {
        Collection::ImageInPlate(place) => Some((place.row.as_str(), place.column)),
        _ => None,
    };
    Event::ImagePlanned {
        image: image.path(),
        row: well.map(|(row, _)| row),
        column: well.map(|(_, column)| column),
        tiles: image.plan().placements.len(),
        pixel_bytes,
    }
}

/// Warns of what was found about images as a whole.
fn warn_of(reviews: &Reviews, options: &ConverterOptions) {
    reviews.warnings(options).iter().for_each(|text| warn!("{text}"));
}

/// The init task of images: sets their outputs up and gives the parallelization list.
pub(crate) fn set_up(
    images: &[TiledImage],
    zarr_dir: &Location,
    collection_type: &str,
    options: &ConverterOptions,
    overwrite_mode: OverwriteMode,
    context: &ComputeContext<'_>,
) -> Result<Vec<ParallelizationEntry>, TaskError> {
    let reviews = Reviews::of(images, options, None, context.extensions);
    reviews.notes().iter().for_each(|note| info!("{note}"));
    warn_of(&reviews, options);
    reviews.check(options)?;
    let images: Vec<&TiledImage> = images.iter().collect();
    let (own, stop) = (own_types(context), || context.cancellation.is_cancelled());
    let places = set_up_outputs_unless(&images, zarr_dir, collection_type, options, overwrite_mode, &own, &stop)?;
    Ok(parallelization_list(
        &images,
        &places,
        zarr_dir,
        options,
        overwrite_mode,
        &own,
    )?)
}

fn own_types<'a>(context: &ComputeContext<'a>) -> OwnTypes<'a> {
    OwnTypes {
        extensions: context.extensions,
        reviewed: true,
        ..OwnTypes::default()
    }
}
