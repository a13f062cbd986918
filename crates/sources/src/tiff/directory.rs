//! The skeleton of a TIFF as the `tiff` crate reads it: header, directories and the values of their tags.
//!
//! The entries of a directory are read here one by one, with the crate's primitives, where the crate's own reading
//! loses something: it keeps one entry of each tag (Micro-Manager describes its pages twice, as OME-XML and for
//! ImageJ), skips too little after an entry of unknown type in a BigTIFF, and does not tell where a value lies
//! (MetaMorph's tables are longer than their entries say). No issue of image-tiff is known for these.

use tiff::TiffError;
use tiff::decoder::{Decoder, Limits, ifd};
use tiff::tags::{ByteOrder, IfdPointer, Tag, Type, ValueBuffer};

use crate::SourceError;
use crate::file::SourceFile;
use crate::tiff::cursor::Cursor;
use crate::tiff::header::Kind;

/// Largest value of a tag in bytes: a list of 32 million strips.
pub(crate) const MAX_VALUE_BYTES: u64 = 256 << 20;

/// Tags are numbers of 16 bits.
const MAX_ENTRIES: u64 = 1 << 16;

/// Tags that the `tiff` crate has no name for.
pub(crate) mod tag {
    use tiff::tags::Tag;

    pub(crate) const IMAGE_DEPTH: Tag = Tag::Unknown(32997);
    /// MetaMorph STK.
    pub(crate) const UIC1: Tag = Tag::Unknown(33628);
    /// MetaMorph STK: its count is the number of planes.
    pub(crate) const UIC2: Tag = Tag::Unknown(33629);
}

/// One tag of a directory with the place of its value.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) tag: u16,
    pub(crate) count: u64,
    /// Where the value lies in the file.
    pub(crate) offset: u64,
    pub(super) entry: ifd::Entry,
}

/// An image file directory.
pub(crate) struct Directory {
    /// Its number in the file, for error texts.
    pub(crate) index: usize,
    /// Its position.
    pub(crate) offset: u64,
    /// Position of the next one, 0 after the last.
    pub(crate) next: u64,
    /// How many entries the file lists for it.
    pub(crate) entries: u64,
    /// Why there is no position of the next one.
    pub(crate) unterminated: Option<String>,
    pub(super) tags: tiff::Directory,
}

impl Directory {
    pub(crate) fn contains(&self, tag: Tag) -> bool {
        self.tags.contains(tag)
    }

    /// How many values a tag says it has.
    pub(crate) fn count(&self, tag: Tag) -> Option<u64> {
        self.tags.get(tag).map(ifd::Entry::count)
    }
}

/// Reads directories and the values of tags.
pub(crate) struct DirectoryReader<'f> {
    file: &'f SourceFile,
    pub(crate) big_endian: bool,
    big_tiff: bool,
    /// Position of the first directory.
    pub(crate) first: u64,
    decoder: Decoder<Cursor<'f>>,
    /// The value read last.
    value: ValueBuffer,
    limit: u64,
}

impl<'f> DirectoryReader<'f> {
    pub(crate) fn new(file: &'f SourceFile) -> Result<Self, SourceError> {
        let mut cursor = Cursor::new(file).map_err(|error| SourceError::from_io(file.path().into(), error))?;
        let Some(kind) = Kind::of(cursor.head()) else {
            return Err(file.wrong_format("TIFF", cursor.head()));
        };
        file.require(0, 2 * kind.word(), || "the header".to_owned())?;
        let head = cursor.stand_in(&kind.one_pixel());
        let damaged = |error: TiffError| file.damaged(format!("the header: {error}"));
        let mut decoder = Decoder::new(cursor).map_err(damaged)?;
        decoder.inner().restore(head);
        let limit = file.length().min(MAX_VALUE_BYTES);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = limit as usize;
        limits.ifd_value_size = limit as usize;
        let mut decoder = decoder.with_limits(limits);
        let first = decoder
            .goto_offset_u64(kind.word())
            .and_then(|()| decoder.read_ifd_offset());
        let first = first.map_err(|error| SourceError::from_io(file.path().into(), error))?;
        Ok(Self {
            file,
            big_endian: decoder.byte_order() == ByteOrder::BigEndian,
            big_tiff: kind.big_tiff,
            first,
            decoder,
            value: ValueBuffer::empty(Type::BYTE),
            limit,
        })
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
        let file = self.file;
        file.require(offset, length as u64, &what)?;
        let bytes = self.decoder.inner().bytes(offset, length);
        bytes.map_err(|source| SourceError::from_io(file.path().into(), source))
    }

    /// The directory at `offset`.
    pub(crate) fn directory(&mut self, offset: u64, index: usize) -> Result<Directory, SourceError> {
        let what = || format!("the directory of page {index}");
        let count = self.count_entries(offset, what)?;
        let end = offset + self.count_bytes() + count * self.entry_bytes();
        // Some writers end the file with the last entry.
        let terminated = end + self.word() <= self.file.length();
        let mut tags = match self.decoder.read_directory(IfdPointer(offset)) {
            Ok(tags) => tags,
            Err(_) if !terminated => tiff::Directory::empty(),
            Err(error) => return Err(self.failed(error, what())),
        };
        // Some entries were left out: see the head of this file. Of two with one tag the first counts, as for tifffile.
        if tags.len() as u64 != count {
            let places = self.places(offset, what)?;
            tags = tiff::Directory::empty();
            tags.extend(
                places
                    .into_iter()
                    .rev()
                    .map(|place| (Tag::from_u16_exhaustive(place.tag), place.entry)),
            );
            if terminated {
                let next = self
                    .decoder
                    .goto_offset_u64(end)
                    .and_then(|()| self.decoder.read_ifd_offset());
                tags.set_next(Some(IfdPointer(
                    next.map_err(|error| self.failed(error.into(), what()))?,
                )));
            }
        }
        if tags.is_empty() {
            return Err(self.file.damaged(format!("{} has no tags", what())));
        }
        Ok(Directory {
            index,
            offset,
            next: tags.next().map_or(0, |next| next.0),
            entries: count,
            unterminated: (!terminated).then(|| format!("the file ends inside {}", what())),
            tags,
        })
    }

    /// Bytes of a position.
    fn word(&self) -> u64 {
        if self.big_tiff { 8 } else { 4 }
    }

    fn count_bytes(&self) -> u64 {
        if self.big_tiff { 8 } else { 2 }
    }

    fn entry_bytes(&self) -> u64 {
        if self.big_tiff { 20 } else { 12 }
    }

    /// The number of entries of the directory at `offset`, all of which lie in the file.
    fn count_entries(&mut self, offset: u64, what: impl Fn() -> String) -> Result<u64, SourceError> {
        let count = self.decoder.goto_offset_u64(offset).and_then(|()| match self.big_tiff {
            true => self.decoder.read_long8(),
            false => self.decoder.read_short().map(u64::from),
        });
        let count = count.map_err(|error| self.failed(error.into(), what()))?;
        if count > MAX_ENTRIES {
            return Err(self
                .file
                .damaged(format!("{} lists {count} tags, there are {MAX_ENTRIES}", what())));
        }
        self.file
            .require(offset, self.count_bytes() + count * self.entry_bytes(), what)?;
        Ok(count)
    }

    /// The entries of the directory at `offset` in the order of the file, those of unknown types left out as the
    /// specification asks.
    pub(super) fn places(&mut self, offset: u64, what: impl Fn() -> String) -> Result<Vec<Place>, SourceError> {
        let count = self.count_entries(offset, &what)?;
        let start = offset + self.count_bytes();
        let mut places = Vec::new();
        for number in 0..count {
            let place = self.place(start + number * self.entry_bytes());
            let place = place.map_err(|error| self.failed(error, what()))?;
            places.extend(place);
        }
        Ok(places)
    }

    fn place(&mut self, at: u64) -> Result<Option<Place>, TiffError> {
        let decoder = &mut self.decoder;
        decoder.goto_offset_u64(at)?;
        let (tag, kind) = (decoder.read_short()?, Type::from_u16(decoder.read_short()?));
        let Some(kind) = kind else { return Ok(None) };
        let (word, count, value) = if self.big_tiff {
            (8, decoder.read_long8()?, decoder.read_offset_u64()?)
        } else {
            let count = u64::from(decoder.read_long()?);
            let [a, b, c, d] = decoder.read_offset()?;
            (4, count, [a, b, c, d, 0, 0, 0, 0])
        };
        let inline = count
            .checked_mul(type_bytes(kind))
            .is_some_and(|bytes| bytes <= word as u64);
        Ok(Some(Place {
            tag,
            count,
            offset: match inline {
                true => at + self.entry_bytes() - word as u64,
                false => unsigned(&value[..word], self.big_endian),
            },
            entry: ifd::Entry::new_u64(kind, count, value),
        }))
    }

    /// The place of a tag's value; `None` if the directory has no such tag.
    pub(crate) fn find_place(&mut self, directory: &Directory, tag: Tag) -> Result<Option<Place>, SourceError> {
        let places = self.places(directory.offset, || {
            format!("the directory of page {}", directory.index)
        })?;
        Ok(places.into_iter().find(|place| place.tag == tag.to_u16()))
    }

    /// The value of a tag in native byte order; `None` if there is no such tag.
    pub(super) fn value(
        &mut self,
        tags: &tiff::Directory,
        index: usize,
        tag: Tag,
    ) -> Result<Option<&ValueBuffer>, SourceError> {
        match self
            .decoder
            .read_directory_tags(tags)
            .find_tag_buf(tag, &mut self.value)
        {
            Ok(None) => Ok(None),
            Ok(Some(_)) => {
                self.value.set_byte_order(ByteOrder::native());
                Ok(Some(&self.value))
            }
            Err(TiffError::LimitsExceeded) => Err(SourceError::TooLarge {
                path: self.file.path().into(),
                what: format!("tag {} of page {index}", tag.to_u16()),
                bytes: tags.get(tag).map_or(0, |entry| {
                    u128::from(entry.count()) * u128::from(type_bytes(entry.field_type()))
                }),
                limit: self.limit,
            }),
            Err(error) => Err(self.failed(error, format!("tag {} of page {index}", tag.to_u16()))),
        }
    }

    /// What the `tiff` crate said, in terms of what the user can do.
    fn failed(&mut self, error: TiffError, what: String) -> SourceError {
        match (error, self.decoder.inner().take_needs()) {
            (TiffError::IoError(_), Some(needs)) => self.file.truncated(what, needs),
            (TiffError::IoError(error), None) => SourceError::from_io(self.file.path().into(), error),
            (error, _) => self.file.damaged(format!("{what}: {error}")),
        }
    }
}

fn type_bytes(kind: Type) -> u64 {
    match kind {
        Type::BYTE | Type::SBYTE | Type::ASCII | Type::UNDEFINED => 1,
        Type::SHORT | Type::SSHORT => 2,
        Type::LONG | Type::SLONG | Type::FLOAT | Type::IFD => 4,
        _ => 8,
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
