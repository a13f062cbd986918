//! Combines tiles that overlap: mean, maximum, or a mean in which a tile counts less towards its edges.

use ome_zarr_convert_core::options::Overlap;
use ome_zarr_convert_geometry::{PixelBox, PixelType};

use crate::buffer::Buffer;
use crate::frame::Frame;
use crate::pixel::{Pixel, with_pixel};
use crate::plan::{X, Y};

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
    pub(crate) fn new(tile: &PixelBox, frame: &Frame, part: &PixelBox, pixels: Buffer) -> Self {
        let (height, width) = part.plane_size();
        Self {
            pixels,
            top: (part.start[Y] - frame.valid.start[Y]) as usize,
            left: (part.start[X] - frame.valid.start[X]) as usize,
            height: height as usize,
            width: width as usize,
            in_tile: (part.start[Y] - tile.start[Y], part.start[X] - tile.start[X]),
            tile: (tile.size[Y], tile.size[X]),
        }
    }

    /// Weight of a row or column: its distance from the nearer edge of the tile, from 1.
    fn weight(position: u64, size: u64) -> u64 {
        (position + 1).min(size - position)
    }

    /// The pixels of the layer in a row of the chunk, which it must cover.
    fn row<T: Pixel>(&self, row: usize) -> &[T] {
        let inside = row - self.top;
        &bytemuck::cast_slice(self.pixels.bytes())[inside * self.width..(inside + 1) * self.width]
    }

    fn covers_row(&self, row: usize) -> bool {
        (self.top..self.top + self.height).contains(&row)
    }
}

/// Writes the combined pixels of `layers` to a plane of `stride` pixels per row. Pixels that no layer covers stay as they are, and
/// those that a single one covers are its own.
pub(crate) fn combine(overlap: Overlap, data_type: PixelType, layers: &[Layer], plane: &mut [u8], stride: usize) {
    with_pixel!(data_type, T => combine_typed::<T>(overlap, layers, bytemuck::cast_slice_mut(plane), stride));
}

fn combine_typed<T: Pixel>(overlap: Overlap, layers: &[Layer], plane: &mut [T], stride: usize) {
    let mut edges: Vec<usize> = Vec::new();
    let mut parts: Vec<(T, u64)> = Vec::new();
    for (row, out) in plane.chunks_mut(stride).enumerate() {
        let here: Vec<&Layer> = layers.iter().filter(|layer| layer.covers_row(row)).collect();
        edges.clear();
        edges.extend(here.iter().flat_map(|layer| [layer.left, layer.left + layer.width]));
        edges.sort_unstable();
        edges.dedup();
        for pair in edges.windows(2) {
            let (left, right) = (pair[0], pair[1]);
            let covers = |layer: &&Layer| layer.left <= left && layer.left + layer.width >= right;
            let covering: Vec<Strip<'_, T>> = here
                .iter()
                .copied()
                .filter(covers)
                .map(|layer| Strip::of(layer, row, left..right))
                .collect();
            match &covering[..] {
                [] => {}
                [only] => out[left..right].copy_from_slice(only.pixels),
                _ => {
                    for (column, out) in out[left..right].iter_mut().enumerate() {
                        parts.clear();
                        parts.extend(covering.iter().map(|strip| strip.weighed(overlap, column)));
                        *out = match overlap {
                            Overlap::Max => greatest(&parts),
                            Overlap::Mean | Overlap::Linear | Overlap::First | Overlap::Last => T::weighted(&parts),
                        };
                    }
                }
            }
        }
    }
}

/// A run of pixels in one row of a layer.
struct Strip<'a, T> {
    pixels: &'a [T],
    row_weight: u64,
    /// Column of its first pixel in the tile, and the tile's columns.
    first: u64,
    width: u64,
}

impl<'a, T: Pixel> Strip<'a, T> {
    /// The part of a layer in a row and in columns of the chunk, which it covers.
    fn of(layer: &'a Layer, row: usize, columns: std::ops::Range<usize>) -> Self {
        Self {
            pixels: &layer.row(row)[columns.start - layer.left..columns.end - layer.left],
            row_weight: Layer::weight(layer.in_tile.0 + (row - layer.top) as u64, layer.tile.0),
            first: layer.in_tile.1 + (columns.start - layer.left) as u64,
            width: layer.tile.1,
        }
    }

    /// A pixel and what it counts.
    #[inline]
    fn weighed(&self, overlap: Overlap, column: usize) -> (T, u64) {
        let weight = match overlap {
            Overlap::Linear => self.row_weight * Layer::weight(self.first + column as u64, self.width),
            Overlap::Mean | Overlap::Max | Overlap::First | Overlap::Last => 1,
        };
        (self.pixels[column], weight)
    }
}

/// The greatest pixel; what is no number only where there is nothing else.
fn greatest<T: Pixel>(parts: &[(T, u64)]) -> T {
    let mut greatest = parts[0].0;
    for (value, _) in &parts[1..] {
        let is_no_number = greatest.partial_cmp(&greatest).is_none();
        if *value > greatest || is_no_number {
            greatest = *value;
        }
    }
    greatest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::buffer::BufferPool;

    /// A tile of `T` at `left` and `top` of a plane, wholly in it.
    fn layer<T: Pixel>(top: usize, left: usize, height: usize, pixels: &[T]) -> Layer {
        let mut buffer = BufferPool::default().take(size_of_val(pixels));
        buffer.bytes_mut().copy_from_slice(bytemuck::cast_slice(pixels));
        let width = pixels.len() / height;
        Layer {
            pixels: buffer,
            top,
            left,
            height,
            width,
            in_tile: (0, 0),
            tile: (height as u64, width as u64),
        }
    }

    fn combined<T: Pixel>(overlap: Overlap, layers: &[Layer], start: &[T], stride: usize) -> Vec<T> {
        let mut plane = start.to_vec();
        combine_typed(overlap, layers, &mut plane, stride);
        plane
    }

    #[test]
    fn overlaps_are_combined_and_the_rest_is_as_it_was() {
        let layers = || {
            [
                layer::<u16>(0, 0, 1, &[10, 20, 30]),
                layer::<u16>(0, 2, 1, &[41, 50, 60]),
            ]
        };
        let by = |overlap| combined(overlap, &layers(), &[7_u16; 6], 6);
        assert_eq!(by(Overlap::Mean), [10, 20, 36, 50, 60, 7]);
        assert_eq!(by(Overlap::Max), [10, 20, 41, 50, 60, 7]);
        // Both are at their edge there.
        assert_eq!(by(Overlap::Linear), [10, 20, 36, 50, 60, 7]);
        let wide = [
            layer::<u16>(0, 0, 1, &[0, 0, 0, 0]),
            layer::<u16>(0, 2, 1, &[90, 90, 90, 90]),
        ];
        assert_eq!(combined(Overlap::Linear, &wide, &[0_u16; 6], 6), [0, 0, 30, 60, 90, 90]);
    }

    #[test]
    fn large_integers_and_floats_stay_what_they_are() {
        const BLENDED: [Overlap; 3] = [Overlap::Mean, Overlap::Linear, Overlap::Max];
        for overlap in BLENDED {
            let large = u64::MAX - 1;
            let layers = [layer(0, 0, 1, &[large; 4]), layer(0, 1, 1, &[large; 4])];
            assert_eq!(combined(overlap, &layers, &[0_u64; 5], 5), [large; 5]);
            let layers = [layer(0, 0, 1, &[i64::MIN + 1; 3]), layer(0, 1, 1, &[i64::MIN + 1; 3])];
            assert_eq!(combined(overlap, &layers, &[0_i64; 4], 4), [i64::MIN + 1; 4]);
            let layers = [layer(0, 0, 1, &[f64::MAX; 4]), layer(0, 1, 1, &[f64::MAX; 4])];
            assert_eq!(combined(overlap, &layers, &[0_f64; 5], 5), [f64::MAX; 5]);
            let layers = [layer(0, 0, 1, &[f32::NAN, 1.0]), layer(0, 0, 1, &[2.0, f32::NAN])];
            assert_eq!(combined(overlap, &layers, &[0_f32; 2], 2), [2.0, 1.0]);
        }
        let layers = [layer(0, 0, 1, &[9_007_199_254_740_993_i64]), layer(0, 0, 1, &[3_i64])];
        assert_eq!(combined(Overlap::Max, &layers, &[0_i64; 1], 1), [9_007_199_254_740_993]);
    }

    proptest! {
        /// Where one tile lies alone nothing changes, bit by bit, and elsewhere a pixel lies between those of its tiles.
        #[test]
        fn blending_changes_only_overlaps(
            tiles in prop::collection::vec((0..6_usize, 0..6_usize, 1..5_usize, 1..5_usize), 1..5),
            bits in prop::collection::vec(any::<u64>(), 16),
            overlap in prop_oneof![Just(Overlap::Mean), Just(Overlap::Max), Just(Overlap::Linear)],
        ) {
            let values: Vec<f64> = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
            let pixels = |tile: usize, count: usize| (0..count).map(|i| values[(tile * 5 + i) % 16]).collect::<Vec<_>>();
            let own: Vec<Vec<f64>> = tiles.iter().enumerate().map(|(n, tile)| pixels(n, tile.2 * tile.3)).collect();
            let layers: Vec<Layer> = tiles.iter().zip(&own).map(|(tile, own)| layer(tile.0, tile.1, tile.2, own)).collect();
            let plane = combined(overlap, &layers, &[-1.25_f64; 100], 10);
            for (at, value) in plane.iter().enumerate() {
                let (row, column) = (at / 10, at % 10);
                let inside = |tile: &&(usize, usize, usize, usize)| {
                    (tile.0..tile.0 + tile.2).contains(&row) && (tile.1..tile.1 + tile.3).contains(&column)
                };
                let here: Vec<f64> = tiles
                    .iter()
                    .zip(&own)
                    .filter(|(tile, _)| inside(tile))
                    .map(|(tile, own)| own[(row - tile.0) * tile.3 + column - tile.1])
                    .collect();
                let numbers = here.iter().copied().filter(|value| !value.is_nan());
                match here.len() {
                    0 => prop_assert_eq!(*value, -1.25),
                    1 => prop_assert_eq!(value.to_bits(), here[0].to_bits()),
                    _ if numbers.clone().next().is_none() => prop_assert!(value.is_nan()),
                    _ if here.iter().any(|value| value.is_infinite()) => {}
                    _ => {
                        let (least, greatest) = (numbers.clone().fold(f64::MAX, f64::min), numbers.fold(f64::MIN, f64::max));
                        prop_assert!((least..=greatest).contains(value), "{value} of {here:?}");
                    }
                }
            }
        }
    }
}
