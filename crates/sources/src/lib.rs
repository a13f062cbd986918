//! Opens image files: shape, data type, pixel size, and pixels of a region.
//!
//! The crate knows files and arrays, not where the pixels go: no plates, no wells, no Zarr. What it returns is what the
//! reference's reader returns: the array of a TIFF's first series as tifffile gives it, `np.array` of a Pillow image,
//! `np.load`. Files are opened once ([`open_file`]), then any thread reads any window of any plane of them
//! ([`OpenImage::read_window`]) straight into memory of the caller. Converter authors add formats with an
//! [`ImageLoader`] of their own.
//!
//! No file content makes this crate panic, or allocate more than a bound that follows from the file's size.

mod arranged;
mod bmp;
mod endian;
mod error;
mod file;
#[cfg(test)]
mod formats;
mod header;
mod image;
mod jpeg;
mod left_out;
mod loader;
mod memory;
mod npy;
mod open;
mod packed;
mod palette;
mod pixel;
mod png;
mod scratch;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tiff;

pub use arranged::{arranged_sizes, arrangement};
pub use error::SourceError;
pub use header::{Header, Headers, RememberedHeaders};
pub use image::{FileMetadata, ImageInfo, OpenImage, PlaneMut, Window};
pub use left_out::{LeftOut, Part};
pub use loader::{DefaultImageLoader, ImageLoader, LoaderSpec, resolve_path};
pub use memory::MemoryImage;
pub use open::{ImageEntry, Selection, list_images, open_file, open_image, open_selected, unknown_suffix};
pub use pixel::{Pixel, PixelType};
