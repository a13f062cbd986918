//! Uncompressed BMP, with the array that `np.array` of a Pillow image gives: indices where there is a palette.
//!
//! Our own because `image` 0.25 panics on the indices of 1-bit files, and because rows can be read where they lie.

use crate::file::SourceFile;
use crate::image::Rect;
use crate::packed::unpack_row;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, OpenImage, PixelType, PlaneMut, SourceError, Window};

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
}

impl BmpImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut head = [0; 54];
        file.read(0, &mut head, || "the header".to_owned())?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (header_size, width, height) = (word(14), word(18) as i32, word(22) as i32);
        let (bits, compression, colors) = (usize::from(head[28]), word(30), word(46));
        let hint = "Convert it to uncompressed gray or RGB";
        if header_size < 40 {
            return Err(file.unsupported(format!("a BMP with a header of {header_size} bytes"), hint));
        }
        if width <= 0 || height == 0 {
            return Err(file.damaged(format!("the BMP header says {height} x {width}")));
        }
        let mut shape = vec![u64::from(height.unsigned_abs()), u64::from(width.unsigned_abs())];
        let mut pixel_type = PixelType::UInt8;
        match (bits, compression) {
            (1, 0) => {
                let mut palette = [0; 8];
                let full = colors == 0 || colors == 2;
                file.read(14 + u64::from(header_size), &mut palette, || "the palette".to_owned())?;
                if full && palette[..3] == [0; 3] && palette[4..7] == [255; 3] {
                    pixel_type = PixelType::Bool;
                }
            }
            (4 | 8, 0) => {}
            (24 | 32, 0) => shape.push(3),
            (32, 3) => {
                let mut masks = [0; 16];
                file.read(54, &mut masks, || "the colour masks".to_owned())?;
                let masks = masks.as_chunks::<4>().0.iter().map(|mask| u32::from_le_bytes(*mask));
                if header_size < 56 || !masks.eq(BGRA_MASKS) {
                    return Err(file.unsupported("a BMP with these colour masks", hint));
                }
                shape.push(4);
            }
            _ => return Err(file.unsupported(format!("a BMP of {bits} bits with compression {compression}"), hint)),
        }
        let row_stride = (shape[1] * bits as u64).div_ceil(32) * 4;
        let data_offset = u64::from(word(10));
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
            bottom_up: height > 0,
        })
    }

    /// Reads array elements `start ..` of a row, colours being interleaved.
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
            unpack_row(&bytes, self.bits, &mut samples);
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

    fn cheap_windows(&self) -> bool {
        self.info.shape.len() == 2
    }

    fn metadata(&self) -> FileMetadata {
        FileMetadata::of_picture(&self.info)
    }
}
