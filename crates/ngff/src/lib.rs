//! OME-NGFF documents as values, one folder per version, one module per Zarr format; groups, ROI and condition tables, over a store.
//!
//! Documents equal those that ngio 1.1 writes, key order included, so that a reader cannot tell who wrote them. Everything lies at a
//! [`Location`](ome_zarr_convert_store::Location) of a store; each document appears whole or not at all. Pixels are not written here:
//! [`ArrayMetadata`] says where chunks go and how they are encoded.
//!
//! * [`NgffVersion`]: what documents say; [`ZarrFormat`]: how groups and arrays are stored. A version has a format.
//! * [`ImageMetadata`]: axes, levels, channels of one image; [`ArrayMetadata`]: one level.
//! * [`Plate`]: a plate and its wells, made new or extended.
//! * [`inspect`](mod@inspect): what a plate, well or image holds, whoever wrote it.
//! * [`Table`], [`write_tables`], [`add_table`], [`read_table`]: the `tables` group of an image or plate.

mod array;
mod codec;
mod documents;
mod error;
mod group;
mod image;
pub mod inspect;
mod json;
mod plate;
mod table;
mod version;
mod zarr;

pub use array::{ArrayInfo, ArrayMetadata};
pub use codec::{BloscCompressor, Codec, Shuffle};
pub use error::NgffError;
pub use group::{is_group_document, read_attributes, remove_group, write_group};
pub use image::{AxisMetadata, ImageMetadata, Level, OmeroChannel, Window};
pub use plate::{PlacedImage, Plate, PlateImage, well_images};
pub use table::{
    Cell, DataTable, ParquetEncoder, RoiRow, RoiTable, Table, TableBackend, TableInfo, TableWriter, add_table,
    list_tables, read_table, write_tables,
};
pub use version::{NgffVersion, ZarrFormat};
pub use zarr::is_array;
