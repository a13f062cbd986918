//! The init side: tables to tiles, filters, tiled images, registration, plate set-up, the hand-over document.
//!
//! A converter's init task reads a table ([`hcs_images_from_dataframe`]) or makes [`Tile`]s of its own, aggregates them
//! ([`tiles_aggregation_pipeline`]) and sets the outputs up ([`setup_images_for_conversion`]), which gives one
//! [`ParallelizationEntry`] per image. The compute side reads the document of its entry and calls [`register`].
//!
//! Registration is pure; nothing here starts a thread, and only tables, documents and metadata are read or written.

pub mod acquisition;
mod aggregate;
mod collection;
mod error;
mod extensions;
mod filter;
mod handover;
mod left_out;
pub mod path;
mod registration;
mod review;
mod roi;
mod setup;
mod step;
#[cfg(feature = "tables")]
mod table;
mod tile;
mod tiled_image;
mod validator;

pub use acquisition::AcquisitionDetails;
pub use aggregate::{Aggregation, differing_attributes, tiles_aggregation_pipeline};
pub use collection::{Collection, CustomCollection, ImageInPlate, SingleImage, row_label, safe_name};
pub use error::CoreError;
pub use extensions::{
    CollectionHandler, DEFAULT_LOADER, Extensions, ImageValidator, REGISTRATION_STEPS, RegistrationStep, TileFilter,
};
pub use filter::FilterStep;
pub use handover::{
    ConvertParallelInitArgs, DocumentSource, ParallelizationEntry, Retries, document_identity, image_from_json,
    image_from_json_str, image_to_json, read_document, remove_document,
};
pub use left_out::{LeftOut, LeftOutKind};
pub use ome_zarr_convert_geometry::{Axis, PixelType, Space, Span, world_to_pixel};
pub use ome_zarr_convert_ngff::Cell;
pub use ome_zarr_convert_options as options;
pub use ome_zarr_convert_options::model;
pub use ome_zarr_convert_store::Location;
pub use registration::{
    HiddenTile, Hole, MovedApart, PipelineStep, Spread, check_size_of_fields, hidden_tiles, moved_apart, register,
    register_with, spread,
};
pub use review::{Review, Reviews, hidden_problem, register_and_review, review_image};
pub use roi::Roi;
pub use setup::{
    OwnTypes, existing_outputs, foreign_content, parallelization_list, set_up_outputs, set_up_outputs_unless,
    setup_images_for_conversion, setup_images_with,
};
pub use step::even_step;
#[cfg(feature = "tables")]
pub use table::{
    BadCell, BadCells, BadFiles, FileHeader, NamedTiles, Naming, ReadHeader, TABLE_SUFFIXES, TilesTable,
    add_image_pages, add_image_positions, add_image_sizes, apply_condition_table, files_have_time,
    hcs_images_from_dataframe, is_image_name, parquet_bytes, parquet_rows, read_tiles_table,
    single_images_from_dataframe, table_has_time, tiles_csv, with_absolute_files, with_image_path,
};
pub use tile::{Attributes, Tile};
pub use tiled_image::{Region, TiledImage};
pub use validator::{Validation, ValidatorStep};
