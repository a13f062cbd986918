//! The init tasks of our converters: acquisitions with a table of tiles, set up as plates or as images.

use std::path::Path;

use ome_zarr_convert_compute::Cancellation;
use ome_zarr_convert_core::options::{AcquisitionOptions, ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{CoreError, TiledImage, existing_outputs, model};
use ome_zarr_convert_store::Location;
use tracing::{info, warn};

use crate::acquisition::{CollectionKind, ImageNames};
use crate::compute::{ComputeContext, absolute};
use crate::error::TaskError;
use crate::fractal::InitOutput;
use crate::runner::{Request, set_up};

model::model! {
    /// An acquisition of a plate.
    ///
    /// Its folder holds a table `tiles.csv` with the columns `file_path`, `row`, `column`, `fov_name`, `start_x` and `start_y`, and
    /// more where they are needed, and a file `acquisition_details.toml` with pixel size, channels and axes.
    pub struct HcsTiffAcquisition "HcsTiffAcquisitionModel" {
        /// Path of the acquisition's folder.
        pub path: String;
        /// Name of the plate. Leave empty to take the name of the folder.
        pub plate_name: Option<String> = None;
        /// Number of the acquisition, which tells several acquisitions of one plate apart.
        pub acquisition_id: u32 = 0, title "Acquisition ID", min 0;
        /// What is to be different from what the acquisition's files say, and which of its tiles are converted.
        pub advanced: AcquisitionOptions = AcquisitionOptions::default(), title "Advanced Options";
    }
}

model::model! {
    /// An acquisition of images that are not part of a plate.
    ///
    /// Its folder holds a table `tiles.csv` with the columns `file_path`, `fov_name`, `start_x` and `start_y`, and more where they are
    /// needed, and a file `acquisition_details.toml` with pixel size, channels and axes.
    pub struct SingleTiffAcquisition "SingleTiffAcquisitionModel" {
        /// Path of the acquisition's folder, or of an image file.
        pub path: String;
        /// Name of the image that all tiles make. Leave empty to take the names in the table's column `image_path`, or without
        /// that column the name of the folder.
        pub image_name: Option<String> = None;
        /// What is to be different from what the acquisition's files say, and which of its tiles are converted.
        pub advanced: AcquisitionOptions = AcquisitionOptions::default(), title "Advanced Options";
    }
}

model::model! {
    /// Sets plates up for conversion.
    pub struct InitHcsPlateArguments "ConvertHcsPlateInit" {
        /// Folder in which the plates are written.
        pub zarr_dir: String;
        /// The acquisitions to convert. Those with the same plate name become one plate.
        pub acquisitions: Vec<HcsTiffAcquisition>, min_items 1;
        /// How to convert. The defaults suit most acquisitions.
        pub converter_options: ConverterOptions = ConverterOptions::default(), title "Converter Options";
        /// What to do with plates that exist.
        pub overwrite: OverwriteMode = OverwriteMode::NoOverwrite, title "Overwrite Mode";
    }
}

model::model! {
    /// Lists images for conversion.
    pub struct InitImagesArguments "ConvertImagesInit" {
        /// Folder in which the images are written.
        pub zarr_dir: String;
        /// The acquisitions to convert.
        pub acquisitions: Vec<SingleTiffAcquisition>, min_items 1;
        /// How to convert. The defaults suit most acquisitions.
        pub converter_options: ConverterOptions = ConverterOptions::default(), title "Converter Options";
        /// What to do with images that exist.
        pub overwrite: OverwriteMode = OverwriteMode::NoOverwrite, title "Overwrite Mode";
    }
}

/// The init task of `Convert Custom TIFF HCS Plate to OME-Zarr`.
pub fn init_hcs_plate(arguments: InitHcsPlateArguments, cancellation: &Cancellation) -> Result<InitOutput, TaskError> {
    let set_up = SetUp::new(
        &arguments.zarr_dir,
        arguments.converter_options,
        arguments.overwrite,
        cancellation,
    )?;
    let acquisitions = arguments.acquisitions.into_iter().map(|acquisition| {
        let name = acquisition.plate_name;
        Acquisition {
            plate_is_named: name.is_some(),
            kind: Box::new(move |folder| CollectionKind::Plate {
                name: name.unwrap_or_else(|| last_part(folder)),
                acquisition_id: acquisition.acquisition_id,
            }),
            path: acquisition.path,
            advanced: acquisition.advanced,
        }
    });
    set_up.run("ImageInPlate", acquisitions.collect())
}

/// The init task of `Convert Custom TIFF Images to OME-Zarr`.
pub fn init_images(arguments: InitImagesArguments, cancellation: &Cancellation) -> Result<InitOutput, TaskError> {
    let set_up = SetUp::new(
        &arguments.zarr_dir,
        arguments.converter_options,
        arguments.overwrite,
        cancellation,
    )?;
    let acquisitions = arguments.acquisitions.into_iter().map(|acquisition| {
        let name = acquisition.image_name;
        Acquisition {
            plate_is_named: false,
            kind: Box::new(move |folder| CollectionKind::NamedImages {
                of_all: name.is_some(),
                name: name.unwrap_or_else(|| last_part(folder)),
            }),
            path: acquisition.path,
            advanced: acquisition.advanced,
        }
    });
    set_up.run("SingleImage", acquisitions.collect())
}

/// An acquisition of either task.
struct Acquisition {
    path: String,
    /// What its images become, from its absolute path.
    kind: Box<dyn FnOnce(&Path) -> CollectionKind>,
    /// Whether its plate's name was given, and does not come from the names of files.
    plate_is_named: bool,
    advanced: AcquisitionOptions,
}

/// Where and how both tasks set up.
struct SetUp<'a> {
    zarr_dir: std::path::PathBuf,
    options: ConverterOptions,
    overwrite_mode: OverwriteMode,
    cancellation: &'a Cancellation,
}

impl<'a> SetUp<'a> {
    fn new(
        zarr_dir: &str,
        options: ConverterOptions,
        overwrite_mode: OverwriteMode,
        cancellation: &'a Cancellation,
    ) -> Result<Self, TaskError> {
        Ok(Self {
            zarr_dir: absolute(zarr_dir)?,
            options,
            overwrite_mode,
            cancellation,
        })
    }

    /// Reads every acquisition before anything is written, then sets all of them up at once: acquisitions of one plate share it.
    fn run(self, collection_type: &str, acquisitions: Vec<Acquisition>) -> Result<InitOutput, TaskError> {
        let mut images: Vec<TiledImage> = Vec::new();
        for acquisition in acquisitions {
            let path = acquisition.path.clone();
            match self.read(acquisition) {
                Ok(found) => {
                    info!("{path}: {} images", found.len());
                    images.extend(found);
                }
                // Filters may leave nothing of one acquisition, as in the reference's converters.
                Err(TaskError::Core(CoreError::NoTiles)) => {
                    warn!("{path}: no images, since its table is empty or the filters removed every tile");
                }
                Err(error) => return Err(error),
            }
        }
        if images.is_empty() {
            return Err(CoreError::NoTiles.into());
        }
        let zarr_dir = Location::local(&self.zarr_dir)?;
        for output in existing_outputs(&images, &zarr_dir)? {
            match self.overwrite_mode {
                OverwriteMode::Overwrite => info!("{output} exists and is replaced"),
                OverwriteMode::Extend => info!("{output} exists and is added to"),
                OverwriteMode::NoOverwrite => {}
            }
        }
        let context = self.context();
        let entries = set_up(
            &images,
            &zarr_dir,
            collection_type,
            &self.options,
            self.overwrite_mode,
            &context,
        )?;
        info!("{} images are set up in {zarr_dir}", entries.len());
        Ok(InitOutput::from(entries.as_slice()))
    }

    fn context(&self) -> ComputeContext<'a> {
        ComputeContext {
            cancellation: self.cancellation,
            ..ComputeContext::new()
        }
    }

    fn read(&self, acquisition: Acquisition) -> Result<Vec<TiledImage>, TaskError> {
        let folder = absolute(&acquisition.path)?;
        let request = Request {
            kind: (acquisition.kind)(&folder),
            acquisition: folder,
            zarr_dir: self.zarr_dir.clone(),
            options: self.options.clone(),
            acquisition_options: acquisition.advanced,
            names: ImageNames {
                plate_is_named: acquisition.plate_is_named,
                ..ImageNames::default()
            },
            validators: Vec::new(),
            overwrite_mode: self.overwrite_mode,
        };
        let prepared = request.prepare(&self.context())?;
        prepared.notes().iter().for_each(|note| info!("{note}"));
        Ok(prepared.into_tiled_images())
    }
}

/// The name of a folder, or of a file without its suffix.
fn last_part(path: &Path) -> String {
    let name = if path.is_file() {
        path.file_stem()
    } else {
        path.file_name()
    };
    name.map_or_else(|| "acquisition".to_owned(), |name| name.to_string_lossy().into_owned())
}
