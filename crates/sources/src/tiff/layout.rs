//! How the pixels of a TIFF page are laid out: sizes, sample type, compression, strips or tiles.

use tiff::tags::Tag;

use crate::file::SourceFile;
use crate::tiff::directory::{Directory, DirectoryReader, tag};
use crate::tiff::formats::{self, Codec};
use crate::{PixelType, SourceError};

/// Largest compressed strip or tile that is decoded, in bytes of pixels.
pub(crate) const MAX_CHUNK_BYTES: u64 = 4 << 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Predictor {
    None,
    Horizontal,
    FloatingPoint,
}

/// All that pages of one series have in common.
///
/// A page is a stack of `planes` (more than one only where colors are stored apart), each of `rows` × `columns`
/// *samples*: interleaved colors are columns. Chunks are strips or tiles of `chunk_rows` × `chunk_columns` samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub(crate) pixel_type: PixelType,
    /// Bits of a sample in the file: those of the pixel type, or fewer.
    pub(crate) bits: usize,
    pub(crate) big_endian: bool,
    pub(crate) planes: u64,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    /// Samples of a pixel that lie side by side.
    pub(crate) interleaved: u64,
    pub(crate) tiled: bool,
    pub(crate) chunk_rows: u64,
    pub(crate) chunk_columns: u64,
    pub(crate) codec: Codec,
    pub(crate) predictor: Predictor,
    /// Least significant bit first.
    pub(crate) reversed_bits: bool,
    pub(crate) photometric: u64,
}

impl Layout {
    /// Columns in pixels.
    pub(crate) fn width(&self) -> u64 {
        self.columns / self.interleaved
    }

    /// Size and type for messages, such as `64 x 48 uint16`.
    pub(crate) fn describe(&self) -> String {
        let sizes: Vec<String> = self.shape().iter().map(u64::to_string).collect();
        format!("{} {}", sizes.join(" x "), self.pixel_type)
    }

    /// Shape of the page's array, as tifffile gives it.
    pub(crate) fn shape(&self) -> Vec<u64> {
        let mut shape = vec![self.rows, self.width()];
        if self.planes > 1 {
            shape.insert(0, self.planes);
        }
        if self.interleaved > 1 {
            shape.push(self.interleaved);
        }
        shape
    }

    /// The axes of [`Self::shape`].
    pub(crate) fn axes(&self) -> &'static str {
        match (self.planes > 1, self.interleaved > 1) {
            (true, _) => "SYX",
            (false, true) => "YXS",
            (false, false) => "YX",
        }
    }

    /// Bytes of the decoded page.
    pub(crate) fn bytes(&self) -> u64 {
        self.planes * self.rows * self.columns * self.pixel_type.size_bytes() as u64
    }

    /// Whether pages of the two layouts hold planes of the same size and type.
    pub(crate) fn same_pixels(&self, other: &Self) -> bool {
        let key = |layout: &Self| {
            (
                layout.planes,
                layout.rows,
                layout.columns,
                layout.interleaved,
                layout.pixel_type,
            )
        };
        key(self) == key(other)
    }

    pub(crate) fn chunks_across(&self) -> u64 {
        self.columns.div_ceil(self.chunk_columns)
    }

    pub(crate) fn chunks_down(&self) -> u64 {
        self.rows.div_ceil(self.chunk_rows)
    }

    /// Bytes in the file of one row of a chunk, before compression.
    pub(crate) fn chunk_row_bytes(&self) -> u64 {
        (self.chunk_columns * self.bits as u64).div_ceil(8)
    }

    /// Whether samples in the file are as long as those of the array.
    pub(crate) fn is_native(&self) -> bool {
        self.bits == self.pixel_type.size_bytes() * 8
    }

    /// Whether samples are floating point numbers of 16 bits.
    pub(crate) fn is_half(&self) -> bool {
        self.pixel_type == PixelType::Float32 && self.bits == 16
    }

    /// Whether pixels can be copied from the file at any position.
    pub(crate) fn is_plain_strips(&self) -> bool {
        self.codec == Codec::None
            && self.predictor == Predictor::None
            && !self.tiled
            && !self.reversed_bits
            && self.is_native()
    }
}

impl Layout {
    /// Reads the tags that say it.
    pub(crate) fn read(reader: &mut DirectoryReader<'_>, directory: &Directory) -> Result<Self, SourceError> {
        let file = reader.file();
        let place = format!("page {}", directory.index);
        let big_endian = reader.big_endian;
        let mut number = |tag, default| Ok::<u64, SourceError>(reader.first_number(directory, tag)?.unwrap_or(default));
        let width = number(Tag::ImageWidth, 0)?;
        let rows = number(Tag::ImageLength, 0)?;
        let samples = number(Tag::SamplesPerPixel, 1)?;
        let planar = number(Tag::PlanarConfiguration, 1)? == 2;
        let compression = number(Tag::Compression, 1)?;
        let predictor = number(Tag::Predictor, 1)?;
        let format = number(Tag::SampleFormat, 1)?;
        let photometric = number(Tag::PhotometricInterpretation, 1)?;
        let reversed_bits = number(Tag::FillOrder, 1)? == 2;
        let depth = number(tag::IMAGE_DEPTH, 1)?;
        let tile = match (number(Tag::TileWidth, 0)?, number(Tag::TileLength, 0)?) {
            (0, _) | (_, 0) => None,
            tile => Some(tile),
        };
        // 0 rows per strip are as many as there are, like the largest number of the specification.
        let rows_per_strip = match number(Tag::RowsPerStrip, rows)? {
            0 => rows,
            rows_per_strip => rows_per_strip,
        };
        let bits = reader
            .numbers(directory, Tag::BitsPerSample)?
            .unwrap_or_else(|| vec![1]);
        check_sizes(file, &place, [width, rows, samples], tile)?;
        if depth > 1 {
            return Err(file.unsupported(format!("{place} of depth {depth}"), "Save one page for each slice"));
        }
        let bits_of_first = bits.first().copied().unwrap_or(1);
        if bits.iter().any(|bits| *bits != bits_of_first) {
            return Err(file.unsupported(
                format!("{place} with samples of {bits:?} bits"),
                "Save it as 8 or 16 bit",
            ));
        }
        let Some(pixel_type) = formats::pixel_type(format, bits_of_first) else {
            return Err(file.unsupported(
                format!("{place} of sample format {format} with {bits_of_first} bits"),
                "Save it as 8, 16 or 32 bit gray",
            ));
        };
        let Some(codec) = Codec::of_code(compression) else {
            return Err(file.unsupported(
                format!("TIFF compression {}", formats::compression_name(compression)),
                "Save it uncompressed or with LZW, Deflate, PackBits, Zstd or JPEG compression",
            ));
        };
        let predictor = check_predictor(file, predictor, codec, pixel_type, bits_of_first)?;
        if photometric == 6 && !codec.is_picture() {
            let subsampling = reader.numbers(directory, Tag::ChromaSubsampling)?;
            if subsampling.is_none_or(|factors| factors != [1, 1]) {
                return Err(file.unsupported(format!("{place} with subsampled colors"), "Save it as gray or RGB"));
            }
        }
        let interleaved = if planar { 1 } else { samples };
        let (chunk_columns, chunk_rows) = tile.unwrap_or((width, rows_per_strip.min(rows)));
        let in_samples = |columns: u64| {
            columns
                .checked_mul(interleaved)
                .filter(|columns| !is_too_large(*columns))
        };
        let (Some(columns), Some(chunk_columns)) = (in_samples(width), in_samples(chunk_columns)) else {
            return Err(file.damaged(format!(
                "{place} has rows of {width} x {interleaved} samples, beyond any image"
            )));
        };
        let layout = Self {
            pixel_type,
            bits: bits_of_first as usize,
            big_endian,
            planes: if planar { samples } else { 1 },
            rows,
            columns,
            interleaved,
            tiled: tile.is_some(),
            chunk_rows,
            chunk_columns,
            codec,
            predictor,
            reversed_bits,
            photometric,
        };
        layout.check_bytes(file, &place)?;
        Ok(layout)
    }

    /// Whether a file of this size can hold its pixels.
    fn check_bytes(&self, file: &SourceFile, place: &str) -> Result<(), SourceError> {
        let size = self.pixel_type.size_bytes();
        let ratio = (size as u64 * 8).div_ceil(self.bits as u64) * self.codec.max_ratio();
        file.image_bytes(&[self.planes, self.rows, self.columns], size, ratio)?;
        // A tile may be larger than the image, but not without bound: it is decoded as a whole.
        let chunk_bytes = file.image_bytes(&[self.chunk_rows, self.chunk_columns], size, ratio)? as u64;
        if self.codec != Codec::None && chunk_bytes > MAX_CHUNK_BYTES {
            return Err(SourceError::TooLarge {
                path: file.path().into(),
                what: format!("a compressed strip or tile of {place}"),
                bytes: chunk_bytes.into(),
                limit: MAX_CHUNK_BYTES,
            });
        }
        Ok(())
    }
}

/// Sizes are 32 bits in the specification; larger ones would overflow products.
fn is_too_large(value: u64) -> bool {
    value > u64::from(u32::MAX)
}

fn check_sizes(file: &SourceFile, place: &str, sizes: [u64; 3], tile: Option<(u64, u64)>) -> Result<(), SourceError> {
    let [width, rows, samples] = sizes;
    if sizes.contains(&0) {
        return Err(file.damaged(format!(
            "{place} is {rows} x {width} with {samples} samples, none may be 0"
        )));
    }
    if sizes.into_iter().any(is_too_large) || tile.is_some_and(|(w, h)| is_too_large(w) || is_too_large(h)) {
        return Err(file.damaged(format!(
            "{place} is {rows} x {width} with {samples} samples, beyond any image"
        )));
    }
    Ok(())
}

/// The predictor that is undone: none where there is no compression to which the tag could belong, as in libtiff.
fn check_predictor(
    file: &SourceFile,
    predictor: u64,
    codec: Codec,
    pixel_type: PixelType,
    bits: u64,
) -> Result<Predictor, SourceError> {
    let is_float = matches!(pixel_type, PixelType::Float32 | PixelType::Float64);
    match predictor {
        _ if !codec.has_predictor() => Ok(Predictor::None),
        0 | 1 => Ok(Predictor::None),
        2 if matches!(bits, 8 | 16 | 32 | 64) => Ok(Predictor::Horizontal),
        3 if is_float => Ok(Predictor::FloatingPoint),
        other => Err(file.unsupported(
            format!("predictor {other} for samples of {bits} bits"),
            "Save it without predictor",
        )),
    }
}
