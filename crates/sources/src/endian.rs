//! Byte order: file samples become native ones in place.

/// Whether this machine is big-endian.
pub(crate) const NATIVE_IS_BIG: bool = cfg!(target_endian = "big");

/// Reverses the bytes of every sample of `size` bytes (1, 2, 4 or 8).
pub(crate) fn swap_samples(bytes: &mut [u8], size: usize) {
    // One loop per size, over arrays of known length: these become vector instructions.
    match size {
        2 => bytes
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .for_each(|sample| sample.reverse()),
        4 => bytes
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|sample| sample.reverse()),
        8 => bytes
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .for_each(|sample| sample.reverse()),
        _ => {}
    }
}
