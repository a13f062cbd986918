//! The bytes of a text table as text: UTF-8 or UTF-16, with or without a byte order mark.

use std::borrow::Cow;

/// The text, or what is wrong with the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            return Err("it is UTF-32 text; save it as CSV with UTF-8 encoding".into());
        }
        [0xFF, 0xFE, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        // Text of mostly Latin letters has a zero in every other byte of UTF-16.
        let start = &bytes[..bytes.len().min(4096)];
        let zeros = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), start.len() / 2);
        if odd * 10 > half * 4 && even * 10 < half {
            return utf16(bytes, u16::from_le_bytes);
        }
        if even * 10 > half * 4 && odd * 10 < half {
            return utf16(bytes, u16::from_be_bytes);
        }
        return Err("it holds zero bytes: it is not a text table; save it as CSV with UTF-8 encoding".into());
    }
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let place = error.valid_up_to();
        let line = bytes[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!(
            "it is not UTF-8 text: the byte 0x{:02X} in line {line} belongs to another encoding, such as Windows-1252; save it as \
             CSV with UTF-8 encoding",
            bytes[place]
        )
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, String> {
    let broken = || "it is UTF-16 text that is damaged or cut; save it as CSV with UTF-8 encoding".to_owned();
    if !bytes.len().is_multiple_of(2) {
        return Err(broken());
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(Cow::Owned).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf8_and_utf16_with_and_without_a_mark() {
        let text = "file_path,drug\na.tif,Zürich µm 细胞\n";
        let (little, big) = (utf16_bytes(text, u16::to_le_bytes), utf16_bytes(text, u16::to_be_bytes));
        let with_mark = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with_mark(b"\xef\xbb\xbf", text.as_bytes()),
            with_mark(b"\xff\xfe", &little),
            with_mark(b"\xfe\xff", &big),
            little,
            big,
        ] {
            assert_eq!(decode(&bytes).unwrap(), text, "{bytes:?}");
        }
    }

    #[test]
    fn other_encodings_are_named() {
        let problem = |bytes: &[u8]| decode(bytes).unwrap_err();
        assert!(
            problem(b"a\nZ\xfcrich").contains("byte 0xFC in line 2"),
            "{}",
            problem(b"a\nZ\xfc")
        );
        assert!(problem(b"\xff\xfea").contains("UTF-16 text that is damaged"));
        assert!(problem(b"\xff\xfe\0\0a\0\0\0").contains("UTF-32"));
        assert!(problem(b"a,b\n\0\0\0\0,1").contains("zero bytes"));
    }
}
