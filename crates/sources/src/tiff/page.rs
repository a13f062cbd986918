//! One page of a TIFF: where each of its strips or tiles lies.

use std::sync::Arc;

use tiff::tags::Tag;

use crate::SourceError;
use crate::file::SourceFile;
use crate::tiff::directory::{Directory, DirectoryReader};
use crate::tiff::formats::Codec;
use crate::tiff::layout::Layout;

/// Bits of the tag `NewSubfileType`: a smaller copy of another page, and a mask of one.
pub(crate) const REDUCED: u64 = 1;
pub(crate) const MASK: u64 = 4;

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
    /// Uncompressed strips, neighbors joined.
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
    /// The bits of the tag `NewSubfileType`.
    pub(crate) kind: u64,
}

impl Page {
    /// Finds the strips or tiles. `budget` is the number of chunks that the file may still list (pages that share one
    /// list could otherwise multiply it).
    pub(crate) fn read(
        reader: &mut DirectoryReader<'_>,
        directory: &Directory,
        layout: Arc<Layout>,
        budget: &mut u64,
    ) -> Result<Self, SourceError> {
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
        let kind = reader.first_number(directory, Tag::NewSubfileType)?.unwrap_or(0);
        Ok(Self {
            kind,
            planes: layout.planes,
            layout,
            pixels,
            jpeg_tables: tables,
            index: directory.index,
            file: 0,
        })
    }

    /// Bytes that reading a window takes at most while it runs.
    pub(crate) fn working_bytes(&self) -> u64 {
        let Pixels::Chunks(places) = &self.pixels else { return 0 };
        let layout = &*self.layout;
        let chunk = layout.chunk_rows * layout.chunk_columns * layout.pixel_type.size_bytes() as u64;
        let compressed = places.iter().map(|place| place.bytes).max().unwrap_or(0);
        match (layout.codec, layout.is_native()) {
            (Codec::None, true) => chunk,
            // A chunk longer than its rows passes through one of the full length.
            (Codec::Deflate, true) => compressed + 2 * chunk,
            (codec, _) if codec.is_picture() => compressed + 4 * chunk,
            (_, true) => compressed + chunk,
            (_, false) => compressed + chunk + layout.chunk_rows * layout.chunk_row_bytes(),
        }
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

    /// Where pages lie that follow this one without being listed.
    pub(crate) fn unlisted_bytes(&self) -> Option<std::ops::Range<u64>> {
        let start = self.contiguous().filter(|_| self.planes > self.layout.planes)?;
        Some(start..start + self.planes / self.layout.planes * self.layout.bytes())
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
        // A count of 0 is one that was never filled in.
        let count = counts.get(strip).copied().filter(|count| *count > 0);
        if is_unwritten(file, offset, count, || format!("strip {strip} of {place}"))? {
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

/// Whether a strip or tile was never written, which position and count of 0 say: it reads as zeros.
fn is_unwritten(
    file: &SourceFile,
    offset: u64,
    count: Option<u64>,
    what: impl Fn() -> String,
) -> Result<bool, SourceError> {
    match (offset, count) {
        (0, None) => Ok(true),
        (0, Some(count)) => Err(file.damaged(format!("{} has {count} bytes, but no position", what()))),
        _ => Ok(false),
    }
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
    let mut sorted: Option<Vec<u64>> = None;
    for (index, &offset) in offsets.iter().enumerate() {
        let count = counts.get(index).copied().filter(|count| *count > 0);
        if is_unwritten(file, offset, count, || format!("{kind} {index} of {place}"))? {
            places.push(ChunkPlace { offset: 0, bytes: 0 });
            continue;
        }
        let bytes = match (count, layout.codec) {
            (Some(bytes), _) => bytes,
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
            // Compressed data ends by itself: what follows it is the next chunk, or the end of the file.
            (None, _) => {
                let sorted = sorted.get_or_insert_with(|| {
                    let mut sorted = offsets.to_vec();
                    sorted.sort_unstable();
                    sorted
                });
                let next = sorted.get(sorted.partition_point(|other| *other <= offset));
                let end = next.copied().unwrap_or(file.length()).min(file.length());
                end.saturating_sub(offset)
            }
        };
        file.require(offset, bytes.max(1), || format!("{kind} {index} of {place}"))?;
        places.push(ChunkPlace { offset, bytes });
    }
    Ok(places)
}
