//! LZW as TIFF has it: codes of 9 to 12 bits, most significant bit first, widened one code early.
//!
//! Our own because every string of the table already stands in the output, where the kept libraries build it bytewise:
//! this is twice as fast as weezl, and tolerates a missing end code like libtiff.

const CLEAR: usize = 256;
const END: usize = 257;
const FIRST_FREE: usize = 258;
const TABLE: usize = 4096;

/// Decodes until `out` is full or the data ends; the number of bytes written.
pub(super) fn decode(source: &[u8], out: &mut [u8]) -> Result<usize, String> {
    if let [0, second, ..] = source
        && second & 1 == 1
    {
        return Err("it is LZW of before TIFF 6.0, least significant bit first".to_owned());
    }
    // Where in `out` the string of a code starts, and how long it is.
    let mut table = [(0usize, 0usize); TABLE];
    let mut next = FIRST_FREE;
    let mut width = 9u32;
    // The string of the code before; of length 0 after a clear code.
    let (mut last_start, mut last_length) = (0, 0);
    let mut written = 0;
    let (mut bits, mut available, mut at) = (0u64, 0u32, 0);
    while written < out.len() {
        if available < width {
            match source.get(at..at + 4) {
                Some(&[a, b, c, d]) => {
                    bits = bits << 32 | u64::from(u32::from_be_bytes([a, b, c, d]));
                    available += 32;
                    at += 4;
                }
                _ => match source.get(at) {
                    Some(byte) => {
                        bits = bits << 8 | u64::from(*byte);
                        available += 8;
                        at += 1;
                        continue;
                    }
                    None => break,
                },
            }
        }
        available -= width;
        let code = (bits >> available) as usize & ((1 << width) - 1);
        let (start, length) = match code {
            END => break,
            CLEAR => {
                (next, width, last_length) = (FIRST_FREE, 9, 0);
                continue;
            }
            byte if byte < CLEAR => {
                out[written] = byte as u8;
                (written, 1)
            }
            _ if last_length == 0 => return Err(format!("LZW code {code} follows a clear code")),
            // The string of the code about to be made: the last one and its first byte, which the copy below appends.
            _ if code == next => (last_start, last_length + 1),
            _ if code < next => table[code],
            _ => return Err(format!("LZW code {code} is beyond the {next} known")),
        };
        if code >= CLEAR {
            copy(out, start, written, length);
        }
        if last_length > 0 && next < TABLE {
            // What follows the last string in the output is the first byte of this one.
            table[next] = (last_start, last_length + 1);
            next += 1;
            if next == (1 << width) - 1 && width < 12 {
                width += 1;
            }
        }
        (last_start, last_length) = (written, length);
        written = (written + length).min(out.len());
    }
    Ok(written)
}

/// Copies `length` bytes forward inside `out`; they may overlap by one string, and are cut at the end.
fn copy(out: &mut [u8], from: usize, to: usize, length: usize) {
    let length = length.min(out.len() - to);
    // Most strings are short: eight bytes at once cost less than a call, and what is too much is overwritten next.
    if length <= 8 && from + 8 <= to && to + 8 <= out.len() {
        let mut word = [0; 8];
        word.copy_from_slice(&out[from..from + 8]);
        out[to..to + 8].copy_from_slice(&word);
    } else if from + length <= to {
        out.copy_within(from..from + length, to);
    } else {
        for index in 0..length {
            out[to + index] = out[from + index];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn strings_that_contain_themselves() {
        // 7 7 7 7 7 7: clear, 7, 258 (made by itself), 259 (likewise), end.
        let codes = [256u64, 7, 258, 259, 257];
        let bits = codes.iter().fold(0u64, |bits, code| bits << 9 | code) << (64 - 45);
        let mut out = [0; 6];
        assert_eq!(decode(&bits.to_be_bytes()[..6], &mut out), Ok(6));
        assert_eq!(out, [7; 6]);
        // Cut off before the end code: the same; asked for more: says how much there was.
        assert_eq!(decode(&bits.to_be_bytes()[..5], &mut out), Ok(6));
        assert_eq!(decode(&bits.to_be_bytes()[..6], &mut [0; 9]), Ok(6));
        assert_eq!(decode(&bits.to_be_bytes()[..6], &mut [0; 5]), Ok(5));
    }

    #[test]
    fn impossible_codes_are_errors() {
        let two = |a: u64, b: u64| ((256 << 18 | a << 9 | b) << 37u64).to_be_bytes();
        assert!(decode(&two(300, 0), &mut [0; 9]).is_err());
        assert!(decode(&two(7, 300), &mut [0; 9]).is_err());
    }
}
