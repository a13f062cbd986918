//! PNG: rows decoded into the caller's memory, with the array that `np.array` of a Pillow image gives.

use std::io::Cursor;
use std::sync::Mutex;

use crate::endian::{NATIVE_IS_BIG, swap_samples};
use crate::file::SourceFile;
use crate::image::Rect;
use crate::packed::unpack_row;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, LeftOut, OpenImage, PixelType, PlaneMut, SourceError, Window, palette};

/// Deflate cannot enlarge by more.
pub(crate) const MAX_RATIO: u64 = 1032;

/// How a row of the file becomes a row of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conversion {
    /// 8-bit samples.
    None,
    /// 16-bit samples, big-endian in the file.
    Swap,
    /// Less than 8 bits; gray values are multiplied so that the largest becomes 255.
    Unpack { bits: usize, scale: u8 },
}

/// Which checksums are held against the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    Chunks,
    Stream,
}

pub(crate) struct PngImage {
    file: SourceFile,
    info: ImageInfo,
    conversion: Conversion,
    left_out: Vec<LeftOut>,
    interlaced: bool,
    /// Bytes of one row as decoded.
    file_row_bytes: usize,
    /// Decoded pixels, kept only where the planes of the array are not those of the file (color).
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
            // Pillow keeps only the upper byte of these.
            (2, 16) => (3, PixelType::UInt16, Conversion::Swap),
            (4, 16) => (2, PixelType::UInt16, Conversion::Swap),
            (6, 16) => (4, PixelType::UInt16, Conversion::Swap),
            _ => {
                return Err(file.unsupported(
                    format!("a PNG of color type {color} with {bits} bits"),
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
        let left_out = match color {
            3 => Vec::from_iter(palette::told(file.path(), &colors(&file)?, 255)),
            _ => Vec::new(),
        };
        Ok(Self {
            left_out,
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
        let mut compressed = Scratch::new(self.file.length() as usize);
        self.file.read(0, &mut compressed, || "the image".to_owned())?;
        // Chunks have a checksum, and so has the stream in them. Some writers get one of them wrong, which says nothing of
        // the pixels; damage spoils both.
        self.decode_bytes(&compressed, rows, Checked::Chunks, &mut sink)
            .or_else(|_| self.decode_bytes(&compressed, rows, Checked::Stream, &mut sink))
    }

    fn decode_bytes(
        &self,
        compressed: &[u8],
        rows: usize,
        checked: Checked,
        sink: &mut dyn FnMut(usize, &mut [u8]),
    ) -> Result<(), SourceError> {
        let failed = |reason: png::DecodingError| self.file.undecodable("the image", reason);
        let mut options = png::DecodeOptions::default();
        options.set_ignore_crc(checked == Checked::Stream);
        options.set_ignore_adler32(checked == Checked::Chunks);
        let mut decoder = png::Decoder::new_with_options(Cursor::new(compressed), options);
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
        if rows as u64 == self.info.shape[0] {
            match reader.finish() {
                // The end may be missing, once the pixels are there.
                Err(png::DecodingError::IoError(_)) | Ok(()) => {}
                Err(error) => return Err(failed(error)),
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
            Conversion::Unpack { bits, scale } => {
                let mut samples = Scratch::new(self.info.shape[1] as usize);
                unpack_row(row, bits, 1, &mut samples);
                out.iter_mut()
                    .zip(&samples[x..])
                    .for_each(|(o, sample)| *o = sample * scale);
            }
        }
    }
}

/// The colors of the palette, which stands before the pixels.
fn colors(file: &SourceFile) -> Result<Vec<[u32; 3]>, SourceError> {
    let mut at = 33;
    loop {
        let mut head = [0; 8];
        file.read(at, &mut head, || "the palette".to_owned())?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        match &head[4..] {
            b"PLTE" => {
                let mut bytes = [0; 768];
                let length = (length as usize).min(bytes.len());
                file.read(at + 8, &mut bytes[..length], || "the palette".to_owned())?;
                return Ok(palette::of_bytes(&bytes[..length], 3));
            }
            b"IDAT" | b"IEND" => return Ok(Vec::new()),
            _ => at += 12 + u64::from(length),
        }
    }
}

impl OpenImage for PngImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn working_bytes(&self) -> u64 {
        let rows = if self.interlaced { self.info.shape[0] } else { 1 };
        // The file, decoded rows, and the sliding window of the decoder.
        self.file.length() + rows * self.file_row_bytes as u64 + (1 << 17)
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
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
        let row_bytes = columns * samples * rect.pixel_bytes;
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
