//! The kernels of a conversion one by one, for the benches of the workspace. Not part of the API: it changes without notice.

use bytemuck::{NoUninit, Pod};
use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_sources::ImageLoader;

use crate::codec::ChunkCodec;
use crate::error::ComputeError;
use crate::halve::{Halving, Stack};
use crate::image::PlannedImage;
use crate::job::Job;
use crate::plan::ImagePlan;
use crate::tiles::Tiles;
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
        ChunkCodec::new(array, version, &"bench").map(Self)
    }

    /// The encoded form of one whole chunk.
    pub fn encode(&self, pixels: &[u8]) -> Result<Vec<u8>, ComputeError> {
        self.0.encode(pixels)
    }
}

/// An image whose first chunk can be filled again and again with buffers that are used again.
pub struct FirstChunk<'a>(Job<'a>);

impl<'a> FirstChunk<'a> {
    /// The first chunk of an image.
    pub fn of(image: &'a PlannedImage, loader: &'a dyn ImageLoader) -> Self {
        Self(Job::silent(image, loader, None))
    }

    /// Fills the chunk with its tiles.
    pub fn fill(&self) -> Result<(), ComputeError> {
        let tiles = Tiles::new(&self.0).map_err(|failure| failure.error)?;
        let leaf = &self.0.plan().leaves[0];
        let filled = tiles.fill(leaf.chunk, &leaf.placements);
        filled.map(drop).map_err(|failure| failure.error)
    }
}
