//! JPEG, gray or RGB, with the array that `np.array` of a Pillow image gives.

use std::io::Cursor;
use std::sync::Mutex;

use image::codecs::jpeg::JpegDecoder;
use image::{ExtendedColorType, ImageDecoder, ImageError, Limits};

use crate::file::SourceFile;
use crate::image::Rect;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, OpenImage, PixelType, PlaneMut, SourceError, Window};

/// A block of 8 x 8 pixels of one colour takes a bit or more.
pub(crate) const MAX_RATIO: u64 = 2048;

/// A JPEG only decodes as a whole: that happens at the first read, and the pixels are kept while it is open.
pub(crate) struct JpegImage {
    file: SourceFile,
    info: ImageInfo,
    pixels: Mutex<Option<Vec<u8>>>,
}

impl JpegImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut bytes = Scratch::new(file.length() as usize);
        file.read(0, &mut bytes, || "the image".to_owned())?;
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return Err(file.wrong_format("PNG, JPEG or BMP", &bytes));
        }
        let decoder =
            JpegDecoder::new(Cursor::new(&bytes[..])).map_err(|error| file.undecodable("the header", error))?;
        let (width, height) = decoder.dimensions();
        let mut shape = vec![u64::from(height), u64::from(width)];
        match decoder.original_color_type() {
            ExtendedColorType::L8 => {}
            ExtendedColorType::Rgb8 => shape.push(3),
            other => return Err(file.unsupported(format!("a JPEG of {other:?}"), "Convert it to gray or RGB")),
        }
        file.image_bytes(&shape, 1, MAX_RATIO)?;
        Ok(Self {
            file,
            info: ImageInfo {
                shape,
                pixel_type: PixelType::UInt8,
            },
            pixels: Mutex::new(None),
        })
    }

    fn decode(&self) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Scratch::new(self.file.length() as usize);
        self.file.read(0, &mut bytes, || "the image".to_owned())?;
        let mut pixels = vec![0; self.file.image_bytes(&self.info.shape, 1, MAX_RATIO)?];
        read(&bytes, &mut pixels).map_err(|error| self.file.undecodable("the image", error))?;
        Ok(pixels)
    }
}

fn read(bytes: &[u8], pixels: &mut [u8]) -> Result<(), ImageError> {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes))?;
    // The sizes were held against the file's.
    decoder.set_limits(Limits::no_limits())?;
    if decoder.total_bytes() != pixels.len() as u64 {
        let kind = image::error::ParameterErrorKind::DimensionMismatch;
        return Err(ImageError::Parameter(image::error::ParameterError::from_kind(kind)));
    }
    decoder.read_image(pixels)
}

impl OpenImage for JpegImage {
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
        let mut kept = self.pixels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pixels = match &mut *kept {
            Some(pixels) => pixels,
            empty => empty.insert(self.decode()?),
        };
        let (height, width) = self.info.plane_size();
        let plane_bytes = (height * width) as usize;
        out.copy_from_packed(
            &pixels[plane as usize * plane_bytes..][..plane_bytes],
            width as usize,
            rect,
        );
        Ok(())
    }

    fn metadata(&self) -> FileMetadata {
        FileMetadata::of_picture(&self.info)
    }
}
