//! The pyramid kernel: planes of one chunk halved into their place in the chunk of the level above, while they are warm.

use ome_zarr_convert_geometry::PixelType;

use crate::pixel::{Pixel, with_pixel};

/// A stack of planes in a chunk buffer: `planes` planes of `height` rows of `stride` pixels, back to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    pub(crate) planes: usize,
    pub(crate) height: usize,
    pub(crate) stride: usize,
}

/// A rectangle of pixels of the finer level and the pixel of the coarser one where its result begins. Along an axis that is
/// halved, the extent is even.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halving {
    pub(crate) from_y: usize,
    pub(crate) from_x: usize,
    /// Rows and columns of the finer level.
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) to_y: usize,
    pub(crate) to_x: usize,
    /// Whether y and x are halved; an axis of size 1 is not.
    pub(crate) halve_y: bool,
    pub(crate) halve_x: bool,
}

/// Halves the rectangle of every plane of `source` into `target`. Both stacks have the same number of planes.
pub(crate) fn halve(data_type: PixelType, source: (&[u8], Stack), target: (&mut [u8], Stack), part: Halving) {
    with_pixel!(data_type, T => {
        let from: &[T] = bytemuck::cast_slice(source.0);
        let to: &mut [T] = bytemuck::cast_slice_mut(target.0);
        halve_typed(from, source.1, to, target.1, part);
    });
}

fn halve_typed<T: Pixel>(source: &[T], from: Stack, target: &mut [T], to: Stack, part: Halving) {
    let out_height = if part.halve_y { part.height / 2 } else { part.height };
    let out_width = if part.halve_x { part.width / 2 } else { part.width };
    if out_height == 0 || out_width == 0 {
        return;
    }
    for plane in 0..from.planes.min(to.planes) {
        for row in 0..out_height {
            let source_row = part.from_y + if part.halve_y { 2 * row } else { row };
            let start = (plane * from.height + source_row) * from.stride + part.from_x;
            let upper = &source[start..start + part.width];
            let lower = if part.halve_y {
                &source[start + from.stride..start + from.stride + part.width]
            } else {
                upper
            };
            let start = (plane * to.height + part.to_y + row) * to.stride + part.to_x;
            let out = &mut target[start..start + out_width];
            match (part.halve_y, part.halve_x) {
                (true, true) => halve_rows(upper, lower, out),
                (true, false) => {
                    for ((out, a), b) in out.iter_mut().zip(upper).zip(lower) {
                        *out = mean_of_two(*a, *b);
                    }
                }
                (false, true) => {
                    for (out, pair) in out.iter_mut().zip(upper.chunks_exact(2)) {
                        *out = mean_of_two(pair[0], pair[1]);
                    }
                }
                (false, false) => out.copy_from_slice(&upper[..out_width]),
            }
        }
    }
}

/// One row of 2 × 2 means. Blocks of constant size let the compiler use vector instructions.
fn halve_rows<T: Pixel>(upper: &[T], lower: &[T], out: &mut [T]) {
    const BLOCK: usize = 16;
    let mut uppers = upper.chunks_exact(2 * BLOCK);
    let mut lowers = lower.chunks_exact(2 * BLOCK);
    let mut outs = out.chunks_exact_mut(BLOCK);
    for ((upper, lower), out) in (&mut uppers).zip(&mut lowers).zip(&mut outs) {
        for i in 0..BLOCK {
            out[i] = T::mean4(upper[2 * i], upper[2 * i + 1], lower[2 * i], lower[2 * i + 1]);
        }
        if T::MAY_DOUBT && out.iter().any(|mean| mean.is_doubtful()) {
            for i in 0..BLOCK {
                out[i] = mean_of_four([upper[2 * i], upper[2 * i + 1], lower[2 * i], lower[2 * i + 1]]);
            }
        }
    }
    let rest = uppers
        .remainder()
        .chunks_exact(2)
        .zip(lowers.remainder().chunks_exact(2));
    for (out, (upper, lower)) in outs.into_remainder().iter_mut().zip(rest) {
        *out = mean_of_four([upper[0], upper[1], lower[0], lower[1]]);
    }
}

fn mean_of_four<T: Pixel>([a, b, c, d]: [T; 4]) -> T {
    let mean = T::mean4(a, b, c, d);
    match T::MAY_DOUBT && mean.is_doubtful() {
        true => T::weighted(&[(a, 1), (b, 1), (c, 1), (d, 1)]),
        false => mean,
    }
}

fn mean_of_two<T: Pixel>(a: T, b: T) -> T {
    let mean = T::mean2(a, b);
    match T::MAY_DOUBT && mean.is_doubtful() {
        true => T::weighted(&[(a, 1), (b, 1)]),
        false => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halved(rows: &[&[u16]], part: Halving) -> Vec<u16> {
        let source: Vec<u16> = rows.concat();
        let from = Stack {
            planes: 1,
            height: rows.len(),
            stride: rows[0].len(),
        };
        let to = Stack {
            planes: 1,
            height: 2,
            stride: 3,
        };
        let mut target = vec![9_u16; 6];
        halve(
            PixelType::UInt16,
            (bytemuck::cast_slice(&source), from),
            (bytemuck::cast_slice_mut(&mut target), to),
            part,
        );
        target
    }

    #[test]
    fn a_rectangle_lands_where_it_belongs() {
        let rows: [&[u16]; 3] = [&[0, 0, 0, 0, 0], &[0, 1, 2, 3, 4], &[0, 5, 6, 7, 8]];
        let part = Halving {
            from_y: 1,
            from_x: 1,
            height: 2,
            width: 4,
            to_y: 1,
            to_x: 1,
            halve_y: true,
            halve_x: true,
        };
        assert_eq!(halved(&rows, part), [9, 9, 9, 9, 4, 6]);
        let line = Halving {
            from_y: 1,
            height: 1,
            to_y: 0,
            halve_y: false,
            ..part
        };
        assert_eq!(halved(&rows, line), [9, 2, 4, 9, 9, 9]);
        let column = Halving {
            width: 1,
            halve_x: false,
            to_x: 0,
            ..part
        };
        assert_eq!(halved(&rows, column), [9, 9, 9, 3, 9, 9]);
    }

    #[test]
    fn long_rows_equal_the_plain_sum() {
        let width = 2 * 53;
        let source: Vec<u16> = (0..2 * width).map(|i| (i * 7919 % 65536) as u16).collect();
        let mut out = vec![0_u16; 53];
        halve_rows(&source[..width], &source[width..], &mut out);
        for (i, mean) in out.iter().enumerate() {
            let sum: u32 = [2 * i, 2 * i + 1, width + 2 * i, width + 2 * i + 1]
                .iter()
                .map(|j| u32::from(source[*j]))
                .sum();
            assert_eq!(u32::from(*mean), (sum + 2) / 4);
        }
    }

    #[test]
    fn what_is_no_number_is_left_out_of_means() {
        let nan = f32::NAN;
        let mut upper = vec![1.0_f32; 2 * 19];
        let mut lower = vec![3.0_f32; 2 * 19];
        // In a block, in the rest after it, and pairs and squares without any number.
        (upper[4], lower[5], upper[36]) = (nan, nan, nan);
        for row in [&mut upper, &mut lower] {
            (row[10], row[11]) = (nan, nan);
        }
        let mut out = vec![0.0_f32; 19];
        halve_rows(&upper, &lower, &mut out);
        for (i, mean) in out.iter().enumerate() {
            match i {
                5 => assert!(mean.is_nan()),
                18 => assert_eq!(*mean, 7.0 / 3.0_f32),
                _ => assert_eq!(*mean, 2.0),
            }
        }
        assert_eq!((mean_of_two(nan, 4.0), mean_of_two(4.0, nan)), (4.0, 4.0));
        assert_eq!(mean_of_four([f64::MAX; 4]), f64::MAX);
        assert_eq!(mean_of_two(-f64::MAX, -f64::MAX), -f64::MAX);
    }
}
