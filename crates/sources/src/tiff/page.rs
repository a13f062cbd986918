//! One page of a TIFF: how its pixels are laid out, and where each strip or tile lies.

use std::sync::Arc;

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
/// A page is a stack of `planes` (more than one only where colours are stored apart), each of `rows` × `columns`
/// *samples*: interleaved colours are columns. Chunks are strips or tiles of `chunk_rows` × `chunk_columns` samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub(crate) pixel_type: PixelType,
    /// Bits of a sample in the file: 1, 2, 4 or those of the pixel type.
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
    /// Shape of the page's array, as tifffile gives it.
    pub(crate) fn shape(&self) -> Vec<u64> {
        let mut shape = vec![self.rows, self.columns / self.interleaved];
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

    /// Whether pixels can be copied from the file at any position.
    fn is_plain_strips(&self) -> bool {
        self.codec == Codec::None
            && self.predictor == Predictor::None
            && !self.tiled
            && !self.reversed_bits
            && self.bits == self.pixel_type.size_bytes() * 8
    }
}

/// Rows that lie one after the other in the file, uncompressed. Rows are counted over all planes of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) row: u64,
    pub(crate) rows: u64,
    pub(crate) offset: u64,
}

/// Where a strip or tile lies; both 0 for one that was never written and reads as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkPlace {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Pixels {
    /// Uncompressed strips, neighbours joined.
    Runs(Vec<Run>),
    /// Everything else: plane by plane, row by row of chunks.
    Chunks(Vec<ChunkPlace>),
}

#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) layout: Arc<Layout>,
    /// Planes in this page: those of the layout, or more when pages follow each other without being listed.
    pub(crate) planes: u64,
    pub(crate) pixels: Pixels,
    pub(crate) jpeg_tables: Option<Arc<[u8]>>,
    /// Its number in its file, for error texts.
    pub(crate) index: usize,
    /// Which of the image's files it lies in.
    pub(crate) file: usize,
}

impl Page {
    /// Reads the tags that matter. `known` is the layout of the page before, reused when equal; `budget` is the number of
    /// chunks that the file may still list (pages that share one list could otherwise multiply it).
    pub(crate) fn read(
        reader: &mut DirectoryReader<'_>,
        directory: &Directory,
        known: Option<&Arc<Layout>>,
        budget: &mut u64,
    ) -> Result<Self, SourceError> {
        let layout = read_layout(reader, directory)?;
        let layout = match known {
            Some(known) if **known == layout => Arc::clone(known),
            _ => Arc::new(layout),
        };
        let file = reader.file();
        let place = format!("page {}", directory.index);
        let kind = if layout.tiled { "tile" } else { "strip" };
        let expected = layout
            .chunks_across()
            .checked_mul(layout.chunks_down())
            .and_then(|chunks| chunks.checked_mul(layout.planes))
            .unwrap_or(u64::MAX);
        *budget = budget.checked_sub(expected).ok_or_else(|| SourceError::TooLarge {
            path: file.path().into(),
            what: format!("the list of {expected} {kind}s of {place}"),
            bytes: u128::from(expected) * 16,
            limit: file.length(),
        })?;
        let (offsets_tag, counts_tag) = match layout.tiled {
            true => (Tag::TileOffsets, Tag::TileByteCounts),
            false => (Tag::StripOffsets, Tag::StripByteCounts),
        };
        let mut offsets = reader.numbers(directory, offsets_tag)?;
        if offsets.is_none() && layout.tiled {
            offsets = reader.numbers(directory, Tag::StripOffsets)?;
        }
        let offsets = offsets.unwrap_or_default();
        let mut counts = reader.numbers(directory, counts_tag)?.unwrap_or_default();
        if counts.is_empty() && layout.tiled {
            counts = reader.numbers(directory, Tag::StripByteCounts)?.unwrap_or_default();
        }
        if (offsets.len() as u64) < expected {
            return Err(file.damaged(format!(
                "{place} lists {} {kind}s, its size needs {expected}",
                offsets.len()
            )));
        }
        let offsets = &offsets[..expected as usize];
        let pixels = if layout.is_plain_strips() {
            Pixels::Runs(runs(file, &layout, offsets, &counts, &place)?)
        } else {
            Pixels::Chunks(chunks(file, &layout, offsets, &counts, &place)?)
        };
        let tables = match layout.codec {
            Codec::Jpeg => reader.raw(directory, Tag::JPEGTables)?.map(Arc::from),
            _ => None,
        };
        Ok(Self {
            planes: layout.planes,
            layout,
            pixels,
            jpeg_tables: tables,
            index: directory.index,
            file: 0,
        })
    }

    /// Position of the first pixel if `bytes` of pixels lie there in one piece, uncompressed.
    pub(crate) fn contiguous(&self) -> Option<u64> {
        match &self.pixels {
            Pixels::Runs(runs) => match runs[..] {
                [Run { row: 0, offset, rows }] if rows == self.planes * self.layout.rows => Some(offset),
                _ => None,
            },
            Pixels::Chunks(_) => None,
        }
    }

    /// Position of the first pixel, uncompressed.
    pub(crate) fn start(&self) -> Option<u64> {
        match &self.pixels {
            Pixels::Runs(runs) => runs.first().map(|run| run.offset),
            Pixels::Chunks(_) => None,
        }
    }

    /// The same page `count` times in a row: pages that follow in the file without being listed.
    pub(crate) fn repeated(&self, count: u64, offset: u64) -> Self {
        let planes = self.layout.planes * count;
        let pixels = Pixels::Runs(vec![Run {
            row: 0,
            rows: planes * self.layout.rows,
            offset,
        }]);
        Self {
            planes,
            pixels,
            ..self.clone()
        }
    }
}

fn read_layout(reader: &mut DirectoryReader<'_>, directory: &Directory) -> Result<Layout, SourceError> {
    let file = reader.file();
    let place = format!("page {}", directory.index);
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
    let rows_per_strip = number(Tag::RowsPerStrip, rows)?;
    let bits = reader
        .numbers(directory, Tag::BitsPerSample)?
        .unwrap_or_else(|| vec![1]);
    let big_endian = reader.big_endian;

    // Sizes are 32 bits in the specification; larger ones would overflow products.
    let too_large = |value: u64| value > u64::from(u32::MAX);
    if width == 0 || rows == 0 || samples == 0 || (tile.is_none() && rows_per_strip == 0) {
        return Err(file.damaged(format!(
            "{place} is {rows} x {width} with {samples} samples and {rows_per_strip} rows per strip, none may be 0"
        )));
    }
    if [width, rows, samples].into_iter().any(too_large) || tile.is_some_and(|(w, h)| too_large(w) || too_large(h)) {
        return Err(file.damaged(format!(
            "{place} is {rows} x {width} with {samples} samples, beyond any image"
        )));
    }
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
    let predictor = match (predictor, codec) {
        (_, Codec::Jpeg) | (1, _) => Predictor::None,
        (2, _) => Predictor::Horizontal,
        (3, _) if matches!(pixel_type, PixelType::Float32 | PixelType::Float64) => Predictor::FloatingPoint,
        (other, _) => {
            return Err(file.unsupported(
                format!("predictor {other} for {pixel_type}"),
                "Save it without predictor",
            ));
        }
    };
    if photometric == 6 && codec != Codec::Jpeg {
        let subsampling = reader.numbers(directory, Tag::ChromaSubsampling)?;
        if subsampling.is_none_or(|factors| factors != [1, 1]) {
            return Err(file.unsupported(format!("{place} with subsampled colours"), "Save it as gray or RGB"));
        }
    }
    let interleaved = if planar { 1 } else { samples };
    let bits = bits_of_first as usize;
    if predictor != Predictor::None && bits < 8 {
        return Err(file.unsupported(format!("a predictor for {bits} bits"), "Save it without predictor"));
    }
    let (chunk_columns, chunk_rows) = tile.unwrap_or((width, rows_per_strip.min(rows)));
    let columns = width.checked_mul(interleaved).filter(|columns| !too_large(*columns));
    let chunk_columns = chunk_columns
        .checked_mul(interleaved)
        .filter(|columns| !too_large(*columns));
    let (Some(columns), Some(chunk_columns)) = (columns, chunk_columns) else {
        return Err(file.damaged(format!(
            "{place} has rows of {width} x {interleaved} samples, beyond any image"
        )));
    };
    let planes = if planar { samples } else { 1 };
    let ratio = if bits < 8 { 8 } else { 1 } * codec.max_ratio();
    file.image_bytes(&[planes, rows, columns], pixel_type.size_bytes(), ratio)?;
    // A tile may be larger than the image, but not without bound: it is decoded as a whole.
    let chunk_bytes = file.image_bytes(&[chunk_rows, chunk_columns], pixel_type.size_bytes(), ratio)? as u64;
    if codec != Codec::None && chunk_bytes > MAX_CHUNK_BYTES {
        return Err(SourceError::TooLarge {
            path: file.path().into(),
            what: format!("a compressed strip or tile of {place}"),
            bytes: chunk_bytes.into(),
            limit: MAX_CHUNK_BYTES,
        });
    }
    Ok(Layout {
        pixel_type,
        bits,
        big_endian,
        planes,
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
    })
}

fn runs(
    file: &SourceFile,
    layout: &Layout,
    offsets: &[u64],
    counts: &[u64],
    place: &str,
) -> Result<Vec<Run>, SourceError> {
    let row_bytes = layout.chunk_row_bytes();
    let mut runs: Vec<Run> = Vec::new();
    for (strip, &offset) in offsets.iter().enumerate() {
        let (plane, index) = (strip as u64 / layout.chunks_down(), strip as u64 % layout.chunks_down());
        let row = index * layout.chunk_rows;
        let rows = layout.chunk_rows.min(layout.rows - row);
        let row = plane * layout.rows + row;
        let needs = rows * row_bytes;
        let count = counts.get(strip).copied();
        if offset == 0 && count.is_none_or(|count| count == 0) {
            continue;
        }
        // The counts of files with a single strip are often wrong and ignored by every reader.
        if let Some(count) = count.filter(|count| *count < needs && offsets.len() > 1) {
            return Err(file.damaged(format!(
                "strip {strip} of {place} has {count} bytes, its {rows} rows need {needs}"
            )));
        }
        file.require(offset, needs, || format!("strip {strip} of {place}"))?;
        match runs.last_mut() {
            Some(last) if last.row + last.rows == row && last.offset + last.rows * row_bytes == offset => {
                last.rows += rows;
            }
            _ => runs.push(Run { row, rows, offset }),
        }
    }
    Ok(runs)
}

fn chunks(
    file: &SourceFile,
    layout: &Layout,
    offsets: &[u64],
    counts: &[u64],
    place: &str,
) -> Result<Vec<ChunkPlace>, SourceError> {
    let kind = if layout.tiled { "tile" } else { "strip" };
    let mut places = Vec::with_capacity(offsets.len());
    for (index, &offset) in offsets.iter().enumerate() {
        let bytes = match (counts.get(index), layout.codec) {
            (Some(bytes), _) => *bytes,
            // Without counts only the size of uncompressed chunks is known.
            (None, Codec::None) => {
                let row = index as u64 % layout.chunks_down() * layout.chunk_rows;
                let rows = if layout.tiled {
                    layout.chunk_rows
                } else {
                    layout.chunk_rows.min(layout.rows - row)
                };
                rows * layout.chunk_row_bytes()
            }
            (None, _) if offsets.len() == 1 => file.length().saturating_sub(offset),
            (None, _) => {
                let found = counts.len();
                return Err(file.damaged(format!("{place} has {} {kind}s but {found} byte counts", offsets.len())));
            }
        };
        if offset == 0 || bytes == 0 {
            places.push(ChunkPlace { offset: 0, bytes: 0 });
            continue;
        }
        file.require(offset, bytes, || format!("{kind} {index} of {place}"))?;
        places.push(ChunkPlace { offset, bytes });
    }
    Ok(places)
}
