//! JPEG, gray or RGB, with the array that `np.array` of a Pillow image gives.

mod scans;
pub(crate) mod stream;

use std::sync::Mutex;

use crate::file::SourceFile;
use crate::image::Rect;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, LeftOut, OpenImage, PixelType, PlaneMut, SourceError, Window};

/// A block of 8 x 8 pixels of one color takes a bit or more.
pub(crate) const MAX_RATIO: u64 = 2048;

/// A JPEG only decodes as a whole: that happens at the first read, and the pixels are kept while it is open.
pub(crate) struct JpegImage {
    file: SourceFile,
    info: ImageInfo,
    left_out: Vec<LeftOut>,
    pixels: Mutex<Option<Vec<u8>>>,
}

impl JpegImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut bytes = Scratch::new(file.length() as usize);
        file.read(0, &mut bytes, || "the image".to_owned())?;
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return Err(file.wrong_format("PNG, JPEG or BMP", &bytes));
        }
        let decoder = stream::Decoder::new(&bytes).map_err(|error| file.undecodable("the header", error))?;
        let (height, width, samples) = decoder.size();
        let mut shape = vec![height as u64, width as u64];
        if samples > 1 {
            shape.push(samples as u64);
        }
        file.image_bytes(&shape, 1, MAX_RATIO)?;
        let turned = decoder.orientation().filter(|orientation| *orientation != 1);
        let told = |orientation: u8| {
            let reason = "pixels are given as stored";
            LeftOut::metadata(
                file.path(),
                "orientation of the EXIF data",
                orientation.to_string(),
                reason,
            )
        };
        Ok(Self {
            left_out: turned.map(told).into_iter().collect(),
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
        let decoded = stream::Decoder::new(&bytes).and_then(|decoder| decoder.decode(&mut pixels));
        decoded.map_err(|error| self.file.undecodable("the image", error))?;
        Ok(pixels)
    }
}

impl OpenImage for JpegImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn working_bytes(&self) -> u64 {
        // The file; of progressive ones the coefficients of all blocks, two bytes for each sample and those that pad blocks.
        let samples = self.info.shape.iter().product::<u64>();
        self.file.length() + 3 * samples + (1 << 20)
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
