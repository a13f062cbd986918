//! Predictors: rows that hold differences of neighbors become rows of samples.

use crate::endian::NATIVE_IS_BIG;
use crate::scratch::Scratch;

/// Sums up a row of native samples of `size` bytes, each the difference to the one `distance` samples before.
pub(super) fn undo_horizontal(row: &mut [u8], size: usize, distance: usize) {
    macro_rules! sum {
        ($kind:ty, $size:literal) => {{
            let samples = row.as_chunks_mut::<$size>().0;
            if distance == 1 {
                let mut last: $kind = 0;
                for sample in samples {
                    last = last.wrapping_add(<$kind>::from_ne_bytes(*sample));
                    *sample = last.to_ne_bytes();
                }
            } else {
                for index in distance..samples.len() {
                    let last = <$kind>::from_ne_bytes(samples[index - distance]);
                    samples[index] = <$kind>::from_ne_bytes(samples[index]).wrapping_add(last).to_ne_bytes();
                }
            }
        }};
    }
    match size {
        1 => sum!(u8, 1),
        2 => sum!(u16, 2),
        4 => sum!(u32, 4),
        _ => sum!(u64, 8),
    }
}

/// The floating point predictor (TIFF Technical Note 3): a row holds first the differences of all highest bytes, last
/// those of all lowest ones, whatever the byte order of the file.
pub(super) fn undo_floating_point(row: &mut [u8], size: usize, distance: usize) {
    undo_horizontal(row, 1, distance);
    let mut planes = Scratch::new(row.len());
    planes.copy_from_slice(row);
    let samples = row.len() / size;
    // The sample is put together in a register; other sizes do not occur.
    match size {
        2 => interleave::<2>(row, &planes, samples),
        4 => interleave::<4>(row, &planes, samples),
        8 => interleave::<8>(row, &planes, samples),
        _ => {}
    }
}

/// Native samples of `N` bytes from planes of their highest to lowest bytes.
fn interleave<const N: usize>(row: &mut [u8], planes: &[u8], samples: usize) {
    let plane: [&[u8]; N] = std::array::from_fn(|byte| {
        let byte = if NATIVE_IS_BIG { byte } else { N - 1 - byte };
        &planes[byte * samples..][..samples]
    });
    for (index, sample) in row.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        *sample = std::array::from_fn(|byte| plane[byte][index]);
    }
}
