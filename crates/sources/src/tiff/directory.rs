//! The skeleton of a TIFF: header, image file directories and the values of their tags.

use crate::SourceError;
use crate::file::SourceFile;

/// What is read at once around a directory: its values mostly lie beside it.
const READ_AHEAD: usize = 4096;

pub(crate) mod tag {
    pub(crate) const IMAGE_WIDTH: u16 = 256;
    pub(crate) const IMAGE_LENGTH: u16 = 257;
    pub(crate) const BITS_PER_SAMPLE: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const IMAGE_DESCRIPTION: u16 = 270;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const Y_RESOLUTION: u16 = 283;
    pub(crate) const PLANAR_CONFIGURATION: u16 = 284;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_LENGTH: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTE_COUNTS: u16 = 325;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const YCBCR_SUBSAMPLING: u16 = 530;
    pub(crate) const IMAGE_DEPTH: u16 = 32997;
    /// MetaMorph STK: its count is the number of planes.
    pub(crate) const UIC2: u16 = 33629;
    pub(crate) const UIC1: u16 = 33628;
}

/// One tag of a directory, its value not yet read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    kind: u16,
    pub(crate) count: u64,
    /// Where the value lies in the file.
    pub(crate) offset: u64,
}

/// An image file directory.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Its number in the file, for error texts.
    pub(crate) index: usize,
    /// Its position.
    pub(crate) offset: u64,
    pub(crate) entries: Vec<Entry>,
    /// Position of the next one, 0 after the last.
    pub(crate) next: u64,
}

impl Directory {
    pub(crate) fn entry(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }
}

/// Reads directories and tag values through one buffer, so that a small file costs one system call.
pub(crate) struct DirectoryReader<'f> {
    file: &'f SourceFile,
    pub(crate) big_endian: bool,
    big_tiff: bool,
    /// Position of the first directory.
    pub(crate) first: u64,
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl<'f> DirectoryReader<'f> {
    pub(crate) fn new(file: &'f SourceFile) -> Result<Self, SourceError> {
        let mut reader = Self {
            file,
            big_endian: false,
            big_tiff: false,
            first: 0,
            buffer: Vec::new(),
            buffer_start: 0,
        };
        let head = reader.bytes(0, file.length().min(16) as usize, || "the header".to_owned())?;
        let (big_endian, magic) = match *head {
            [b'I', b'I', low, high, ..] => (false, u16::from_le_bytes([low, high])),
            [b'M', b'M', high, low, ..] => (true, u16::from_be_bytes([high, low])),
            _ => return Err(file.wrong_format("TIFF", head)),
        };
        if magic != 42 && magic != 43 {
            return Err(file.wrong_format("TIFF", head));
        }
        reader.big_endian = big_endian;
        reader.big_tiff = magic == 43;
        reader.first = match reader.big_tiff {
            true => reader.number(8, 8, "the header")?,
            false => reader.number(4, 4, "the header")?,
        };
        Ok(reader)
    }

    pub(crate) fn file(&self) -> &'f SourceFile {
        self.file
    }

    /// `length` bytes from `offset` on.
    pub(crate) fn bytes(
        &mut self,
        offset: u64,
        length: usize,
        what: impl Fn() -> String,
    ) -> Result<&[u8], SourceError> {
        self.file.require(offset, length as u64, &what)?;
        let inside =
            offset >= self.buffer_start && offset - self.buffer_start + length as u64 <= self.buffer.len() as u64;
        if !inside {
            let available = (self.file.length() - offset).min(READ_AHEAD as u64) as usize;
            self.buffer.resize(length.max(available), 0);
            self.buffer_start = offset;
            if let Err(error) = self.file.read(offset, &mut self.buffer, &what) {
                self.buffer.clear();
                return Err(error);
            }
        }
        Ok(&self.buffer[(offset - self.buffer_start) as usize..][..length])
    }

    fn number(&mut self, offset: u64, size: usize, what: &str) -> Result<u64, SourceError> {
        let big_endian = self.big_endian;
        Ok(unsigned(self.bytes(offset, size, || what.to_owned())?, big_endian))
    }

    /// The directory at `offset`.
    pub(crate) fn directory(&mut self, offset: u64, index: usize) -> Result<Directory, SourceError> {
        let what = format!("the directory of page {index}");
        let (count_size, entry_size, word) = if self.big_tiff { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(offset, count_size, &what)?;
        let start = offset + count_size as u64;
        let length = count.saturating_mul(entry_size as u64);
        self.file.require(start, length, || what.clone())?;
        let (big_endian, file) = (self.big_endian, self.file);
        let raw = self.bytes(start, length as usize, || what.clone())?;
        let mut entries = Vec::with_capacity(count as usize);
        for (number, entry) in raw.chunks_exact(entry_size).enumerate() {
            let kind = unsigned(&entry[2..4], big_endian) as u16;
            // Unknown kinds are skipped, as the specification asks.
            let Some(size) = kind_size(kind) else { continue };
            let count = unsigned(&entry[4..4 + word], big_endian);
            let tag = unsigned(&entry[..2], big_endian) as u16;
            let inline = count.checked_mul(size).is_some_and(|bytes| bytes <= word as u64);
            let offset = match inline {
                true => start + (number * entry_size + 4 + word) as u64,
                false => unsigned(&entry[4 + word..], big_endian),
            };
            entries.push(Entry {
                tag,
                kind,
                count,
                offset,
            });
        }
        if entries.is_empty() {
            return Err(file.damaged(format!("{what} has no tags")));
        }
        let next = self.number(start + length, word, &what)?;
        Ok(Directory {
            index,
            offset,
            entries,
            next,
        })
    }

    /// The raw bytes of a value.
    pub(crate) fn value(&mut self, directory: &Directory, entry: Entry) -> Result<&[u8], SourceError> {
        let what = || format!("tag {} of page {}", entry.tag, directory.index);
        let length = kind_size(entry.kind)
            .and_then(|size| size.checked_mul(entry.count))
            .unwrap_or(u64::MAX);
        self.file.require(entry.offset, length, what)?;
        self.bytes(entry.offset, length as usize, what)
    }

    /// The whole numbers of a tag; `None` if the directory has no such tag.
    pub(crate) fn numbers(&mut self, directory: &Directory, tag: u16) -> Result<Option<Vec<u64>>, SourceError> {
        let Some(entry) = directory.entry(tag) else {
            return Ok(None);
        };
        let big_endian = self.big_endian;
        let size = match entry.kind {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            kind => {
                let place = format!("tag {tag} of page {}", directory.index);
                return Err(self
                    .file
                    .damaged(format!("{place} is of type {kind}, not a whole number")));
            }
        };
        let bytes = self.value(directory, entry)?;
        Ok(Some(
            bytes
                .chunks_exact(size)
                .map(|number| unsigned(number, big_endian))
                .collect(),
        ))
    }

    /// The first whole number of a tag.
    pub(crate) fn first_number(&mut self, directory: &Directory, tag: u16) -> Result<Option<u64>, SourceError> {
        Ok(self
            .numbers(directory, tag)?
            .and_then(|numbers| numbers.first().copied()))
    }

    /// The quotients of a tag of type rational; those divided by zero are left out.
    pub(crate) fn rationals(&mut self, directory: &Directory, tag: u16) -> Result<Vec<f64>, SourceError> {
        let big_endian = self.big_endian;
        match directory.entry(tag) {
            Some(entry) if entry.kind == 5 => {
                let pairs = self.value(directory, entry)?.chunks_exact(8);
                let quotient =
                    |pair: &[u8]| unsigned(&pair[..4], big_endian) as f64 / unsigned(&pair[4..], big_endian) as f64;
                Ok(pairs.map(quotient).filter(|quotient| quotient.is_finite()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The texts of all tags with that number (tifffile writes two descriptions), up to the first NUL each.
    pub(crate) fn texts(&mut self, directory: &Directory, tag: u16) -> Result<Vec<String>, SourceError> {
        let mut texts = Vec::new();
        for entry in directory
            .entries
            .iter()
            .filter(|entry| entry.tag == tag && matches!(entry.kind, 1 | 2 | 7))
        {
            let bytes = self.value(directory, *entry)?;
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            texts.push(match std::str::from_utf8(&bytes[..end]) {
                Ok(text) => text.to_owned(),
                // ImageJ and older MetaMorph write µ in Latin-1.
                Err(_) => bytes[..end].iter().map(|byte| char::from(*byte)).collect(),
            });
        }
        Ok(texts)
    }
}

fn kind_size(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

/// A whole number of 1 to 8 bytes.
pub(crate) fn unsigned(bytes: &[u8], big_endian: bool) -> u64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian {
        bytes.iter().fold(0, join)
    } else {
        bytes.iter().rev().fold(0, join)
    }
}
