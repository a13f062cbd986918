//! Uncompressed BMP, with the array that `np.array` of a Pillow image gives: indices where there is a palette.
//!
//! Our own because `image` 0.25 panics on the indices of 1-bit files, and because rows can be read where they lie.

use crate::file::SourceFile;
use crate::image::Rect;
use crate::packed::unpack_row;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, LeftOut, OpenImage, PixelType, PlaneMut, SourceError, Window, palette};

/// Masks of red, green, blue and alpha in the one 32-bit layout with transparency that is written in practice.
const BGRA_MASKS: [u32; 4] = [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0xff00_0000];

pub(crate) struct BmpImage {
    file: SourceFile,
    info: ImageInfo,
    bits: usize,
    data_offset: u64,
    row_stride: u64,
    /// Rows are stored from the bottom up, as they are by default.
    bottom_up: bool,
    left_out: Vec<LeftOut>,
}

const HINT: &str = "Convert it to uncompressed gray or RGB";

/// What the two kinds of headers say.
struct Header {
    /// Bytes of the header behind the first 14.
    size: u32,
    width: i32,
    /// Below 0 if rows are stored from the top down.
    height: i32,
    bits: usize,
    compression: u32,
    colors: u32,
    data_offset: u64,
}

impl Header {
    fn read(file: &SourceFile) -> Result<Self, SourceError> {
        let what = || "the header".to_owned();
        let mut head = [0; 54];
        file.read(0, &mut head[..26], what)?;
        let size = u32::from_le_bytes([head[14], head[15], head[16], head[17]]);
        if size >= 40 {
            file.read(0, &mut head, what)?;
        } else if size != 12 {
            return Err(file.unsupported(format!("a BMP with a header of {size} bytes"), HINT));
        }
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (width, height) = match size {
            12 => (half(18).into(), half(20).into()),
            _ => (word(18) as i32, word(22) as i32),
        };
        if width <= 0 || height == 0 {
            return Err(file.damaged(format!("the BMP header says {height} x {width}")));
        }
        Ok(Self {
            size,
            width,
            height,
            bits: half(if size == 12 { 24 } else { 28 }).into(),
            compression: if size == 12 { 0 } else { word(30) },
            colors: if size == 12 { 0 } else { word(46) },
            data_offset: word(10).into(),
        })
    }

    /// The colors behind the header; pixels must not begin among them.
    fn palette(&self, file: &SourceFile) -> Result<Vec<[u32; 3]>, SourceError> {
        let most = 1usize << self.bits;
        let count = match self.colors as usize {
            0 => most,
            colors => colors.min(most),
        };
        let step = if self.size == 12 { 3 } else { 4 };
        let mut bytes = vec![0; count * step];
        let start = 14 + u64::from(self.size);
        file.read(start, &mut bytes, || "the palette".to_owned())?;
        let end = start + bytes.len() as u64;
        if self.data_offset < end {
            return Err(file.damaged(format!(
                "its pixels begin at byte {}, inside its palette of {count} colors, which ends at {end}",
                self.data_offset
            )));
        }
        Ok(palette::of_bytes(&bytes, step))
    }
}

impl BmpImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let header = Header::read(&file)?;
        let Header { bits, .. } = header;
        let (rows, columns) = (u64::from(header.height.unsigned_abs()), header.width as u64);
        let mut shape = vec![rows, columns];
        let mut pixel_type = PixelType::UInt8;
        let mut left_out = Vec::new();
        match (bits, header.compression) {
            (1 | 4 | 8, 0) => {
                let colors = header.palette(&file)?;
                if bits == 1 && colors == [[0; 3], [255; 3]] {
                    pixel_type = PixelType::Bool;
                } else {
                    left_out.extend(palette::told(file.path(), &colors, 255));
                }
            }
            (24 | 32, 0) => shape.push(3),
            (32, 3) => {
                let mut masks = [0; 16];
                let known = if header.size < 56 { 3 } else { 4 };
                file.read(54, &mut masks[..4 * known], || "the color masks".to_owned())?;
                let masks = masks.as_chunks::<4>().0.iter().map(|mask| u32::from_le_bytes(*mask));
                let [red, green, blue, alpha] = BGRA_MASKS;
                let masks: Vec<u32> = masks.collect();
                if masks == [red, green, blue, 0] {
                    shape.push(3);
                } else if masks == [red, green, blue, alpha] {
                    shape.push(4);
                } else {
                    return Err(file.unsupported("a BMP with these color masks", HINT));
                }
            }
            (bits, compression) => {
                return Err(file.unsupported(format!("a BMP of {bits} bits with compression {compression}"), HINT));
            }
        }
        let row_stride = (shape[1] * bits as u64).div_ceil(32) * 4;
        let data_offset = header.data_offset;
        file.require(data_offset, row_stride.saturating_mul(shape[0]), || {
            "the image".to_owned()
        })?;
        let info = ImageInfo { shape, pixel_type };
        Ok(Self {
            file,
            info,
            bits,
            data_offset,
            row_stride,
            bottom_up: header.height > 0,
            left_out,
        })
    }

    /// Reads array elements `start ..` of a row, colors being interleaved.
    fn read_row(&self, row: u64, start: usize, out: &mut [u8]) -> Result<(), SourceError> {
        let file_row = if self.bottom_up {
            self.info.shape[0] - 1 - row
        } else {
            row
        };
        let offset = self.data_offset + file_row * self.row_stride;
        let what = || format!("row {row}");
        if self.bits == 8 {
            return self.file.read(offset + start as u64, out, what);
        }
        let mut bytes = Scratch::new(self.row_stride as usize);
        self.file.read(offset, &mut bytes, what)?;
        if self.bits < 8 {
            let mut samples = Scratch::new(start + out.len());
            unpack_row(&bytes, self.bits, 1, &mut samples);
            out.copy_from_slice(&samples[start..]);
            return Ok(());
        }
        let samples = self.info.shape[2] as usize;
        for (index, element) in (start..).zip(out) {
            let (pixel, sample) = (index / samples, index % samples);
            // Blue, green, red in the file; alpha stays last.
            let sample = if sample < 3 { 2 - sample } else { sample };
            *element = bytes[pixel * self.bits / 8 + sample];
        }
        Ok(())
    }
}

impl OpenImage for BmpImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(self.file.path(), &self.info, plane, window, &out)? else {
            return Ok(());
        };
        let row_bytes = rect.row_bytes();
        match self.info.shape[..] {
            [_, _, samples] => {
                let start = |row: usize| (rect.y + row) * samples as usize + rect.x;
                (0..rect.height).try_for_each(|row| self.read_row(plane, start(row), out.row(row, row_bytes)))
            }
            _ => (0..rect.height)
                .try_for_each(|row| self.read_row((rect.y + row) as u64, rect.x, out.row(row, row_bytes))),
        }
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn cheap_windows(&self) -> bool {
        self.info.shape.len() == 2
    }

    fn metadata(&self) -> FileMetadata {
        FileMetadata::of_picture(&self.info)
    }
}
