//! Samples of fewer bits than their type has: unpacked, or widened, to one sample per element.

/// Unpacks samples of `bits` bits each (1 to 31, at most those of an element), most significant first, from `packed`
/// to native elements of `size` bytes (1, 2 or 4) that fill `out`.
///
/// `packed` holds at least as many bits as `out` has elements times `bits`.
pub(crate) fn unpack_row(packed: &[u8], bits: usize, size: usize, out: &mut [u8]) {
    match size {
        1 if matches!(bits, 1 | 2 | 4) => unpack_parts(packed, bits, out),
        1 => unpack(packed, bits, out.iter_mut(), |sample, value| *sample = value as u8),
        2 => {
            let samples = out.as_chunks_mut::<2>().0.iter_mut();
            unpack(packed, bits, samples, |sample, value| {
                *sample = (value as u16).to_ne_bytes()
            });
        }
        _ => {
            let samples = out.as_chunks_mut::<4>().0.iter_mut();
            unpack(packed, bits, samples, |sample, value| *sample = value.to_ne_bytes());
        }
    }
}

/// Widens native floating point numbers of 16 bits to those of 32.
pub(crate) fn widen_row(half: &[u8], out: &mut [u8]) {
    let samples = out.as_chunks_mut::<4>().0.iter_mut();
    for (sample, bytes) in samples.zip(half.as_chunks::<2>().0) {
        *sample = half::f16::from_ne_bytes(*bytes).to_f32().to_ne_bytes();
    }
}

/// Samples that never cross the border of a byte.
fn unpack_parts(packed: &[u8], bits: usize, out: &mut [u8]) {
    let per_byte = 8 / bits;
    let mask = ((1u16 << bits) - 1) as u8;
    for (index, sample) in out.iter_mut().enumerate() {
        let shift = 8 - bits * (index % per_byte + 1);
        *sample = (packed[index / per_byte] >> shift) & mask;
    }
}

fn unpack<T>(packed: &[u8], bits: usize, samples: impl Iterator<Item = T>, put: impl Fn(T, u32)) {
    let mask = (1u64 << bits) - 1;
    let (mut held, mut held_bits) = (0u64, 0);
    let mut bytes = packed.iter();
    for sample in samples {
        while held_bits < bits {
            held = held << 8 | u64::from(*bytes.next().unwrap_or(&0));
            held_bits += 8;
        }
        held_bits -= bits;
        put(sample, (held >> held_bits & mask) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::unpack_row;

    #[test]
    fn bits_of_any_number_follow_each_other() {
        let mut out = [0; 4];
        unpack_row(&[0b1011_0001, 0b1100_0000], 3, 1, &mut out);
        assert_eq!(out, [0b101, 0b100, 0b011, 0b100]);
        let mut out = [0; 4];
        unpack_row(&[0xab, 0xcd, 0xef], 12, 2, &mut out);
        assert_eq!(
            out.as_chunks()
                .0
                .iter()
                .map(|value| u16::from_ne_bytes(*value))
                .collect::<Vec<_>>(),
            [0xabc, 0xdef]
        );
        let mut out = [0; 4];
        unpack_row(&[1, 2, 3], 24, 4, &mut out);
        assert_eq!(u32::from_ne_bytes(out), 0x01_02_03);
        let mut out = [0; 5];
        unpack_row(&[0b0110_1000], 1, 1, &mut out);
        assert_eq!(out, [0, 1, 1, 0, 1]);
    }
}
