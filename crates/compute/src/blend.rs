//! Combines tiles that overlap: mean, maximum, or a mean in which a tile counts less towards its edges.

use ome_zarr_convert_core::options::Overlap;
use ome_zarr_convert_geometry::PixelType;

use crate::buffer::Buffer;
use crate::frame::{Cut, Frame};
use crate::pixel::{Pixel, with_pixel};
use crate::plan::{Placement, X, Y};

/// The part of one tile's plane that lies in a chunk.
pub(crate) struct Layer {
    /// Its pixels, packed.
    pub(crate) pixels: Buffer,
    /// First row and column in the chunk, and size.
    top: usize,
    left: usize,
    height: usize,
    width: usize,
    /// First row and column in the tile, and the tile's size.
    in_tile: (u64, u64),
    tile: (u64, u64),
}

impl Layer {
    pub(crate) fn new(placement: &Placement, frame: &Frame, cut: &Cut, pixels: Buffer) -> Self {
        let (height, width) = cut.extent();
        Self {
            pixels,
            top: (cut.first[Y] - frame.start[Y]) as usize,
            left: (cut.first[X] - frame.start[X]) as usize,
            height: height as usize,
            width: width as usize,
            in_tile: (cut.first[Y] - placement.start[Y], cut.first[X] - placement.start[X]),
            tile: (placement.size[Y], placement.size[X]),
        }
    }

    /// Weight of a row or column: its distance from the nearer edge of the tile, from 1.
    fn weight(position: u64, size: u64) -> f64 {
        (position + 1).min(size - position) as f64
    }
}

/// Writes the combined pixels of `layers` to a plane of `stride` pixels per row. Pixels that no layer covers stay as they are.
pub(crate) fn combine(overlap: Overlap, data_type: PixelType, layers: &[Layer], plane: &mut [u8], stride: usize) {
    with_pixel!(data_type, T => combine_typed::<T>(overlap, layers, bytemuck::cast_slice_mut(plane), stride));
}

fn combine_typed<T: Pixel>(overlap: Overlap, layers: &[Layer], plane: &mut [T], stride: usize) {
    let mut sums = vec![0.0_f64; stride];
    let mut weights = vec![0.0_f64; stride];
    for (row, out) in plane.chunks_mut(stride).enumerate() {
        sums.fill(0.0);
        weights.fill(0.0);
        for layer in layers
            .iter()
            .filter(|layer| (layer.top..layer.top + layer.height).contains(&row))
        {
            let inside = row - layer.top;
            let pixels: &[T] = bytemuck::cast_slice(layer.pixels.bytes());
            let pixels = &pixels[inside * layer.width..(inside + 1) * layer.width];
            let row_weight = Layer::weight(layer.in_tile.0 + inside as u64, layer.tile.0);
            for (column, pixel) in pixels.iter().enumerate() {
                let (value, at) = (pixel.to_f64(), layer.left + column);
                match overlap {
                    Overlap::Max => {
                        sums[at] = if weights[at] > 0.0 { sums[at].max(value) } else { value };
                        weights[at] = 1.0;
                    }
                    Overlap::Linear => {
                        let weight = row_weight * Layer::weight(layer.in_tile.1 + column as u64, layer.tile.1);
                        sums[at] += weight * value;
                        weights[at] += weight;
                    }
                    Overlap::Mean | Overlap::First | Overlap::Last => {
                        sums[at] += value;
                        weights[at] += 1.0;
                    }
                }
            }
        }
        for ((out, sum), weight) in out.iter_mut().zip(&sums).zip(&weights) {
            if *weight > 0.0 {
                *out = T::from_mean(sum / weight);
            }
        }
    }
}
