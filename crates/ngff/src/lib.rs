//! OME-NGFF 0.4 and 0.5 on disk: metadata documents, plate, well and image groups, ROI and condition tables.
//!
//! Documents equal those that ngio 1.1 writes, key order included, so that a reader cannot tell who wrote them.
//! Everything is a folder of the local file system; each metadata file appears whole or not at all. Pixels are not
//! written here: [`ArrayMetadata`] says where chunks go and how they are encoded.
//!
//! * [`ImageMetadata`]: axes, levels, channels of one image; [`ArrayMetadata`]: one level.
//! * [`Plate`]: a plate and its wells, made new or extended.
//! * [`inspect`]: what a plate, well or image holds, whoever wrote it.
//! * [`Table`], [`write_tables`], [`add_table`], [`read_table`]: the `tables` group of an image or plate.

mod array;
mod codec;
mod error;
mod group;
mod image;
pub mod inspect;
mod plate;
mod store;
mod table;
mod version;

pub use array::{ArrayInfo, ArrayMetadata};
pub use codec::{BloscCompressor, Codec, Shuffle};
pub use error::NgffError;
pub use group::{read_attributes, write_group};
pub use image::{AxisMetadata, ImageMetadata, Level, OmeroChannel, Window};
pub use plate::{PlacedImage, Plate, PlateImage};
pub use table::{
    Cell, DataTable, ParquetEncoder, RoiRow, RoiTable, Table, TableBackend, TableInfo, TableWriter, add_table,
    list_tables, read_table, write_tables,
};
pub use version::NgffVersion;
