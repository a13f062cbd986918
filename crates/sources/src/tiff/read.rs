//! Windows of a page: from strips and tiles to the caller's rows.

use crate::SourceError;
use crate::endian::{NATIVE_IS_BIG, swap_samples};
use crate::file::SourceFile;
use crate::image::{PlaneMut, Rect};
use crate::packed::{unpack_row, widen_row};
use crate::scratch::Scratch;
use crate::tiff::formats::Codec;
use crate::tiff::layout::Predictor;
use crate::tiff::page::{ChunkPlace, Page, Pixels, Run};
use crate::tiff::predictor::{undo_floating_point, undo_horizontal};
use crate::tiff::{codec, picture};

/// Rows that cannot be read in place pass through a block of this size: it stays in the processor's cache.
const BLOCK_BYTES: usize = 256 << 10;

/// Reading a gap of this size costs as much as a system call to skip it.
const CHEAP_GAP_BYTES: usize = 8 << 10;

impl Page {
    /// Reads a window (columns are samples) of one of its planes.
    pub(super) fn read_window(
        &self,
        file: &SourceFile,
        plane: u64,
        rect: Rect,
        out: &mut PlaneMut<'_>,
    ) -> Result<(), SourceError> {
        match &self.pixels {
            Pixels::Runs(runs) => self.read_runs(file, runs, plane, rect, out),
            Pixels::Chunks(places) => self.read_chunks(file, places, plane, rect, out),
        }
    }

    fn read_runs(
        &self,
        file: &SourceFile,
        runs: &[Run],
        plane: u64,
        rect: Rect,
        out: &mut PlaneMut<'_>,
    ) -> Result<(), SourceError> {
        let layout = &*self.layout;
        let file_row_bytes = layout.columns as usize * rect.pixel_bytes;
        let row_bytes = rect.row_bytes();
        let first = plane * layout.rows + rect.y as u64;
        let end = first + rect.height as u64;
        let mut done = first;
        let what = || format!("page {}", self.index);
        for run in &runs[runs.partition_point(|run| run.row + run.rows <= first)..] {
            let (from, to) = (run.row.max(first), (run.row + run.rows).min(end));
            if from >= to {
                break;
            }
            zero_rows(out, (done - first) as usize..(from - first) as usize, row_bytes);
            done = to;
            let (row, rows) = ((from - first) as usize, (to - from) as usize);
            let offset = run.offset + (from - run.row) * file_row_bytes as u64 + (rect.x * rect.pixel_bytes) as u64;
            if row_bytes == file_row_bytes && out.row_stride == row_bytes {
                file.read(
                    offset,
                    out.row(0, (row + rows) * row_bytes).split_at_mut(row * row_bytes).1,
                    what,
                )?;
            } else if file_row_bytes - row_bytes > CHEAP_GAP_BYTES || rows == 1 {
                for index in 0..rows {
                    let offset = offset + (index * file_row_bytes) as u64;
                    file.read(offset, out.row(row + index, row_bytes), what)?;
                }
            } else {
                let rows_per_block = (BLOCK_BYTES / file_row_bytes).max(1);
                let mut block = Scratch::new((rows_per_block.min(rows) - 1) * file_row_bytes + row_bytes);
                for start in (0..rows).step_by(rows_per_block) {
                    let count = rows_per_block.min(rows - start);
                    let length = (count - 1) * file_row_bytes + row_bytes;
                    file.read(offset + (start * file_row_bytes) as u64, &mut block[..length], what)?;
                    for (index, bytes) in block[..length].chunks(file_row_bytes).enumerate() {
                        out.row(row + start + index, row_bytes)
                            .copy_from_slice(&bytes[..row_bytes]);
                    }
                }
            }
        }
        zero_rows(out, (done - first) as usize..rect.height, row_bytes);
        if layout.big_endian != NATIVE_IS_BIG && rect.pixel_bytes > 1 {
            if out.row_stride == row_bytes {
                swap_samples(out.row(0, rect.height * row_bytes), rect.pixel_bytes);
            } else {
                (0..rect.height).for_each(|row| swap_samples(out.row(row, row_bytes), rect.pixel_bytes));
            }
        }
        Ok(())
    }

    fn read_chunks(
        &self,
        file: &SourceFile,
        places: &[ChunkPlace],
        plane: u64,
        rect: Rect,
        out: &mut PlaneMut<'_>,
    ) -> Result<(), SourceError> {
        let layout = &*self.layout;
        let (chunk_rows, chunk_columns) = (layout.chunk_rows as usize, layout.chunk_columns as usize);
        let (across, down) = (layout.chunks_across() as usize, layout.chunks_down() as usize);
        let size = rect.pixel_bytes;
        for chunk_y in rect.y / chunk_rows..(rect.y + rect.height).div_ceil(chunk_rows) {
            let top = chunk_y * chunk_rows;
            let rows = if layout.tiled {
                chunk_rows
            } else {
                chunk_rows.min(layout.rows as usize - top)
            };
            let (from_row, to_row) = (rect.y.max(top), (rect.y + rect.height).min(top + rows));
            for chunk_x in rect.x / chunk_columns..(rect.x + rect.width).div_ceil(chunk_columns) {
                let left = chunk_x * chunk_columns;
                let (from_column, to_column) = (rect.x.max(left), (rect.x + rect.width).min(left + chunk_columns));
                let (length, skip) = ((to_column - from_column) * size, (from_column - rect.x) * size);
                let index = (plane as usize * down + chunk_y) * across + chunk_x;
                let place = places[index];
                let whole_rows = to_row - from_row == rows && length == chunk_columns * size;
                if place.bytes == 0 {
                    for row in from_row - rect.y..to_row - rect.y {
                        out.row(row, skip + length)[skip..].fill(0);
                    }
                } else if whole_rows && skip == 0 && out.row_stride == length {
                    let start = (from_row - rect.y) * length;
                    self.decode(file, index, place, rows, &mut out.data[start..][..rows * length])?;
                } else {
                    // Of an uncompressed chunk only the rows that are asked for.
                    let plain = layout.codec == Codec::None;
                    let (first, count) = if plain {
                        (from_row - top, to_row - from_row)
                    } else {
                        (0, rows)
                    };
                    let offset = first as u64 * layout.chunk_row_bytes();
                    if offset >= place.bytes {
                        return Err(file.undecodable(self.chunk(index), format!("it has only {} bytes", place.bytes)));
                    }
                    let place = ChunkPlace {
                        offset: place.offset + offset,
                        bytes: place.bytes - offset,
                    };
                    let mut chunk = Scratch::new(count * chunk_columns * size);
                    self.decode(file, index, place, count, &mut chunk)?;
                    for row in from_row..to_row {
                        let start = ((row - top - first) * chunk_columns + from_column - left) * size;
                        out.row(row - rect.y, skip + length)[skip..].copy_from_slice(&chunk[start..][..length]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Name of a chunk for error texts.
    fn chunk(&self, index: usize) -> String {
        let kind = if self.layout.tiled { "tile" } else { "strip" };
        format!("{kind} {index} of page {}", self.index)
    }

    /// Decodes `rows` rows of a chunk to native samples.
    fn decode(
        &self,
        file: &SourceFile,
        index: usize,
        place: ChunkPlace,
        rows: usize,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let layout = &*self.layout;
        let failed = |reason: String| file.undecodable(self.chunk(index), reason);
        let file_row_bytes = layout.chunk_row_bytes() as usize;
        if layout.codec == Codec::None && layout.is_native() {
            if (place.bytes as usize) < out.len() {
                return Err(failed(format!(
                    "it has {} bytes, {} are needed",
                    place.bytes,
                    out.len()
                )));
            }
            file.read(place.offset, out, || self.chunk(index))?;
            if layout.reversed_bits {
                reverse_bits(out);
            }
            self.finish_rows(out);
            return Ok(());
        }
        let mut source = Scratch::new(place.bytes as usize);
        file.read(place.offset, &mut source, || self.chunk(index))?;
        if layout.codec.is_picture() {
            return picture::decode(layout, self.jpeg_tables.as_deref(), &source, rows, out).map_err(failed);
        }
        if layout.reversed_bits {
            reverse_bits(&mut source);
        }
        let full_bytes = layout.chunk_rows as usize * file_row_bytes;
        if layout.is_native() {
            codec::decompress(layout.codec, &source, full_bytes, out).map_err(failed)?;
            self.finish_rows(out);
            return Ok(());
        }
        let mut stored = Scratch::new(rows * file_row_bytes);
        codec::decompress(layout.codec, &source, full_bytes, &mut stored).map_err(failed)?;
        let size = layout.pixel_type.size_bytes();
        let elements = out.chunks_exact_mut(layout.chunk_columns as usize * size);
        if layout.is_half() {
            self.finish_rows(&mut stored);
            elements
                .zip(stored.chunks_exact(file_row_bytes))
                .for_each(|(out, row)| widen_row(row, out));
        } else {
            elements
                .zip(stored.chunks_exact(file_row_bytes))
                .for_each(|(out, row)| unpack_row(row, layout.bits, size, out));
        }
        Ok(())
    }

    /// Turns decompressed rows into native samples, as long as they are in the file.
    fn finish_rows(&self, out: &mut [u8]) {
        let layout = &*self.layout;
        let size = layout.bits / 8;
        let row_bytes = layout.chunk_row_bytes() as usize;
        let distance = layout.interleaved as usize;
        match layout.predictor {
            // Its bytes have an order of their own.
            Predictor::FloatingPoint => {
                out.chunks_exact_mut(row_bytes)
                    .for_each(|row| undo_floating_point(row, size, distance));
            }
            predictor => {
                if layout.big_endian != NATIVE_IS_BIG {
                    swap_samples(out, size);
                }
                if predictor == Predictor::Horizontal {
                    out.chunks_exact_mut(row_bytes)
                        .for_each(|row| undo_horizontal(row, size, distance));
                }
            }
        }
    }
}

fn reverse_bits(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
}

fn zero_rows(out: &mut PlaneMut<'_>, rows: std::ops::Range<usize>, row_bytes: usize) {
    rows.for_each(|row| out.row(row, row_bytes).fill(0));
}
