//! Samples of less than a byte: bits of a row unpacked to one sample per element.

/// Unpacks `out.len()` samples of `bits` bits each (1, 2 or 4), most significant first, from `packed`.
///
/// `packed` holds at least `out.len() * bits` bits.
pub(crate) fn unpack_row(packed: &[u8], bits: usize, out: &mut [u8]) {
    let per_byte = 8 / bits;
    let mask = ((1u16 << bits) - 1) as u8;
    for (index, sample) in out.iter_mut().enumerate() {
        let shift = 8 - bits * (index % per_byte + 1);
        *sample = (packed[index / per_byte] >> shift) & mask;
    }
}
