//! PNG: rows decoded into the caller's memory, with the array that `np.array` of a Pillow image gives.

use std::io::Cursor;
use std::sync::Mutex;

use crate::endian::{NATIVE_IS_BIG, swap_samples};
use crate::file::SourceFile;
use crate::image::Rect;
use crate::packed::unpack_row;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, OpenImage, PixelType, PlaneMut, SourceError, Window};

/// Deflate cannot enlarge by more.
pub(crate) const MAX_RATIO: u64 = 1032;

/// How a row of the file becomes a row of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conversion {
    /// 8-bit samples.
    None,
    /// 16-bit gray, big-endian in the file.
    Swap,
    /// 16-bit colour: Pillow keeps the upper byte of each sample.
    UpperByte,
    /// Less than 8 bits; gray values are multiplied so that the largest becomes 255.
    Unpack { bits: usize, scale: u8 },
}

pub(crate) struct PngImage {
    file: SourceFile,
    info: ImageInfo,
    conversion: Conversion,
    interlaced: bool,
    /// Bytes of one row as decoded.
    file_row_bytes: usize,
    /// Decoded pixels, kept only where the planes of the array are not those of the file (colour).
    pixels: Mutex<Option<Vec<u8>>>,
}

impl PngImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut head = [0; 29];
        file.read(0, &mut head, || "the header".to_owned())?;
        if !head.starts_with(b"\x89PNG\r\n\x1a\n") || &head[12..16] != b"IHDR" {
            return Err(file.wrong_format("PNG", &head));
        }
        let size = |at: usize| u64::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let (width, height, bits, color) = (size(16), size(20), head[24], head[25]);
        let (samples, pixel_type, conversion) = match (color, bits) {
            (0, 1) => (1, PixelType::Bool, Conversion::Unpack { bits: 1, scale: 1 }),
            (0, 2) => (1, PixelType::UInt8, Conversion::Unpack { bits: 2, scale: 85 }),
            (0, 4) => (1, PixelType::UInt8, Conversion::Unpack { bits: 4, scale: 17 }),
            (3, 1 | 2 | 4) => (
                1,
                PixelType::UInt8,
                Conversion::Unpack {
                    bits: bits.into(),
                    scale: 1,
                },
            ),
            (0 | 3, 8) => (1, PixelType::UInt8, Conversion::None),
            (0, 16) => (1, PixelType::UInt16, Conversion::Swap),
            (2, 8) => (3, PixelType::UInt8, Conversion::None),
            (4, 8) => (2, PixelType::UInt8, Conversion::None),
            (6, 8) => (4, PixelType::UInt8, Conversion::None),
            (2, 16) => (3, PixelType::UInt8, Conversion::UpperByte),
            // Pillow gives RGBA for gray with alpha in 16 bits; refused rather than guessed at.
            (6, 16) => (4, PixelType::UInt8, Conversion::UpperByte),
            _ => {
                return Err(file.unsupported(
                    format!("a PNG of colour type {color} with {bits} bits"),
                    "Convert it to 8 or 16 bit gray",
                ));
            }
        };
        if width == 0 || height == 0 || head[28] > 1 {
            return Err(file.damaged(format!(
                "the PNG header says {width} x {height}, interlace method {}",
                head[28]
            )));
        }
        let shape = if samples == 1 {
            vec![height, width]
        } else {
            vec![height, width, samples]
        };
        file.image_bytes(&shape, pixel_type.size_bytes(), MAX_RATIO)?;
        let file_row_bytes = (width * samples * u64::from(bits)).div_ceil(8) as usize;
        let info = ImageInfo { shape, pixel_type };
        Ok(Self {
            file,
            info,
            conversion,
            interlaced: head[28] == 1,
            file_row_bytes,
            pixels: Mutex::new(None),
        })
    }

    /// Decodes from the top to the last row of interest; `sink` gets each decoded row with its number.
    fn decode(&self, rows: usize, mut sink: impl FnMut(usize, &mut [u8])) -> Result<(), SourceError> {
        let failed = |reason: png::DecodingError| self.file.undecodable("the image", reason);
        let mut compressed = Scratch::new(self.file.length() as usize);
        self.file.read(0, &mut compressed, || "the image".to_owned())?;
        let mut decoder = png::Decoder::new(Cursor::new(&compressed[..]));
        // The sizes were checked against the file's; the default limit is below those of large scans.
        decoder.set_limits(png::Limits { bytes: usize::MAX });
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let mut reader = decoder.read_info().map_err(failed)?;
        if reader.output_line_size(reader.info().width) != Some(self.file_row_bytes) {
            return Err(self.file.damaged("its header changed since it was opened"));
        }
        if self.interlaced {
            let total = self.info.shape[0] as usize * self.file_row_bytes;
            let mut pixels = Scratch::new(total);
            reader.next_frame(&mut pixels).map_err(failed)?;
            pixels
                .chunks_exact_mut(self.file_row_bytes)
                .take(rows)
                .enumerate()
                .for_each(|(row, bytes)| sink(row, bytes));
        } else {
            let mut bytes = Scratch::new(self.file_row_bytes);
            for row in 0..rows {
                reader.read_row(&mut bytes).map_err(failed)?;
                sink(row, &mut bytes);
            }
        }
        Ok(())
    }

    /// Turns columns `x ..` of one decoded row into array elements.
    fn convert(&self, row: &[u8], x: usize, out: &mut [u8]) {
        match self.conversion {
            Conversion::None => out.copy_from_slice(&row[x..][..out.len()]),
            Conversion::Swap => {
                out.copy_from_slice(&row[2 * x..][..out.len()]);
                if !NATIVE_IS_BIG {
                    swap_samples(out, 2);
                }
            }
            Conversion::UpperByte => out
                .iter_mut()
                .zip(row[2 * x..].iter().step_by(2))
                .for_each(|(o, byte)| *o = *byte),
            Conversion::Unpack { bits, scale } => {
                let mut samples = Scratch::new(self.info.shape[1] as usize);
                unpack_row(row, bits, &mut samples);
                out.iter_mut()
                    .zip(&samples[x..])
                    .for_each(|(o, sample)| *o = sample * scale);
            }
        }
    }
}

impl OpenImage for PngImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn kept_bytes(&self) -> u64 {
        let kept = self.pixels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref().map_or(0, |pixels| pixels.len() as u64)
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(self.file.path(), &self.info, plane, window, &out)? else {
            return Ok(());
        };
        if self.info.shape.len() == 2 {
            return self.decode(rect.y + rect.height, |row, bytes| {
                if row >= rect.y {
                    self.convert(bytes, rect.x, out.row(row - rect.y, rect.row_bytes()));
                }
            });
        }
        let (columns, samples) = (self.info.shape[1] as usize, self.info.shape[2] as usize);
        let row_bytes = columns * samples;
        let mut kept = self.pixels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pixels = match &mut *kept {
            Some(pixels) => pixels,
            empty => {
                let rows = self.info.shape[0] as usize;
                let mut pixels = vec![0; rows * row_bytes];
                self.decode(rows, |row, bytes| {
                    self.convert(bytes, 0, &mut pixels[row * row_bytes..][..row_bytes])
                })?;
                empty.insert(pixels)
            }
        };
        out.copy_from_packed(&pixels[plane as usize * row_bytes..][..row_bytes], samples, rect);
        Ok(())
    }

    fn metadata(&self) -> FileMetadata {
        FileMetadata::of_picture(&self.info)
    }
}
