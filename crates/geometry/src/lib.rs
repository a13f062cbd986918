//! The words all crates share: pixel types, axes, boxes, grids of chunks and shards, and whose fault an error is.
//!
//! Nothing here touches a file or knows Zarr. Arrays have up to five axes in the order `t c z y x`; an [`Index5`] holds one number
//! per axis, and an axis that an image lacks is one cell long.

mod axis;
mod fault;
mod grid;
mod pixel_box;
mod pixel_type;

pub use axis::{Axis, Index5, Space, Span, world_to_pixel};
pub use fault::Fault;
pub use grid::{Grid, each_index, flat_index, strides};
pub use pixel_box::PixelBox;
pub use pixel_type::PixelType;
