//! The kind of a TIFF, and a stand-in of each kind with which the `tiff` crate's decoder is opened.
//!
//! `tiff` 0.11.3 gives access to directories only after it has accepted the first page as an image, and it accepts less
//! than microscopes write (no strip without byte count, no color model that it does not know, no samples that are
//! described unequally). So it is first shown a page of one pixel, and then the file.

use tiff::tags::{Tag, Type};

/// Byte order and size of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    big_endian: bool,
    pub(super) big_tiff: bool,
}

impl Kind {
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let (big_endian, big_tiff) = match head {
            [b'I', b'I', magic @ (42 | 43), 0, ..] => (false, *magic == 43),
            [b'M', b'M', 0, magic @ (42 | 43), ..] => (true, *magic == 43),
            _ => return None,
        };
        Some(Self { big_endian, big_tiff })
    }

    /// Bytes of a position; the first one in the header follows as many others.
    pub(super) fn word(self) -> u64 {
        if self.big_tiff { 8 } else { 4 }
    }

    /// A file with one page of one pixel: the least that the decoder accepts.
    pub(super) fn one_pixel(self) -> Vec<u8> {
        let word = self.word() as usize;
        let mut bytes = if self.big_endian {
            b"MM".to_vec()
        } else {
            b"II".to_vec()
        };
        let mut put = |value: u64, size: usize| match self.big_endian {
            true => bytes.extend(&value.to_be_bytes()[8 - size..]),
            false => bytes.extend(&value.to_le_bytes()[..size]),
        };
        put(if self.big_tiff { 43 } else { 42 }, 2);
        if self.big_tiff {
            [8, 0].into_iter().for_each(|value| put(value, 2));
        }
        put(2 * self.word(), word);
        let tags = [
            Tag::ImageWidth,
            Tag::ImageLength,
            Tag::PhotometricInterpretation,
            Tag::StripOffsets,
            Tag::StripByteCounts,
        ];
        put(tags.len() as u64, if self.big_tiff { 8 } else { 2 });
        for tag in tags {
            put(tag.to_u16().into(), 2);
            put(Type::SHORT.to_u16().into(), 2);
            put(1, word);
            put(1, 2);
            put(0, word - 2);
        }
        put(0, word);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_is_an_image_of_its_kind() {
        for (big_endian, big_tiff) in [(false, false), (false, true), (true, false), (true, true)] {
            let kind = Kind { big_endian, big_tiff };
            let bytes = kind.one_pixel();
            assert_eq!(Kind::of(&bytes), Some(kind));
            let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).unwrap();
            assert_eq!(decoder.dimensions().unwrap(), (1, 1));
        }
    }
}
