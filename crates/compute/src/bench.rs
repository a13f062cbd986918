//! The kernels of a conversion one by one, for the benches of the workspace. Not part of the API: it changes without notice.

use bytemuck::{NoUninit, Pod};
use ome_zarr_convert_core::TiledImage;
use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_sources::ImageLoader;

use crate::buffer::BufferPool;
use crate::codec::ChunkCodec;
use crate::error::ComputeError;
use crate::halve::{Halving, Stack};
use crate::plan::ImagePlan;
use crate::progress::Counters;
use crate::tiles::{Tiles, TilesWith};
use crate::{halve, metadata};

/// Halves `planes` planes of `height` × `width` pixels, both even, into `target`. Both slices are aligned for the type.
pub fn halve_stack(data_type: PixelType, source: &[u8], target: &mut [u8], [planes, height, width]: [usize; 3]) {
    let stack = |scale: usize| Stack {
        planes,
        height: height / scale,
        stride: width / scale,
    };
    let whole = Halving {
        from_y: 0,
        from_x: 0,
        height,
        width,
        to_y: 0,
        to_x: 0,
        halve_y: true,
        halve_x: true,
    };
    halve::halve(data_type, (source, stack(1)), (target, stack(2)), whole);
}

/// The bytes of pixels.
pub fn as_bytes<T: NoUninit>(pixels: &[T]) -> &[u8] {
    bytemuck::cast_slice(pixels)
}

/// The bytes of pixels, to be written.
pub fn as_bytes_mut<T: Pod>(pixels: &mut [T]) -> &mut [u8] {
    bytemuck::cast_slice_mut(pixels)
}

/// Metadata of the array of every level of a plan.
pub fn arrays(plan: &ImagePlan, options: &ConverterOptions) -> Vec<ArrayMetadata> {
    metadata::arrays(plan, options)
}

/// Encodes chunks of one array.
pub struct Encoder(ChunkCodec);

impl Encoder {
    /// The encoder of the codec chain that `array` declares.
    pub fn new(array: &ArrayMetadata, version: NgffVersion) -> Result<Self, ComputeError> {
        ChunkCodec::new(array, version, "bench".as_ref()).map(Self)
    }

    /// The encoded form of one whole chunk.
    pub fn encode(&self, pixels: &[u8]) -> Result<Vec<u8>, ComputeError> {
        self.0.encode(pixels)
    }
}

/// Buffers that are used again from one call to the next.
#[derive(Default)]
pub struct Buffers(BufferPool);

/// Fills the first chunk of a registered image with its tiles.
pub fn fill_first_chunk(
    image: &TiledImage,
    plan: &ImagePlan,
    loader: &dyn ImageLoader,
    buffers: &Buffers,
) -> Result<(), ComputeError> {
    let counters = Counters::default();
    let tiles = Tiles::new(plan, &image.regions, TilesWith::new(loader, None, &counters));
    let tiles = tiles.map_err(|failure| failure.error)?;
    let leaf = &plan.leaves[0];
    let filled = tiles.fill(leaf.chunk, &leaf.placements, &buffers.0);
    if let Some(buffer) = filled.map_err(|failure| failure.error)? {
        buffers.0.give(buffer);
    }
    Ok(())
}
