//! NPY: the arrays that `numpy.save` writes, of any order, byte order and header version.

pub(crate) mod header;

use std::sync::Mutex;

use crate::endian::{NATIVE_IS_BIG, swap_samples};
use crate::file::SourceFile;
use crate::image::Rect;
use crate::npy::header::Header;
use crate::packed::widen_row;
use crate::scratch::Scratch;
use crate::{ImageInfo, LeftOut, OpenImage, PlaneMut, SourceError, Window};

pub(crate) struct NpyImage {
    file: SourceFile,
    info: ImageInfo,
    header: Header,
    data_offset: u64,
    left_out: Vec<LeftOut>,
    /// The whole array in the file's order, kept only for Fortran order, where planes are scattered over the file.
    scattered: Mutex<Option<Vec<u8>>>,
}

impl NpyImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut head = [0; 12];
        let what = || "the header".to_owned();
        file.read(0, &mut head[..10], what)?;
        if !head.starts_with(b"\x93NUMPY") {
            return Err(file.wrong_format("NPY", &head));
        }
        let (start, length) = match head[6] {
            1 => (10, u64::from(u16::from_le_bytes([head[8], head[9]]))),
            2 | 3 => {
                file.read(0, &mut head, what)?;
                (
                    12,
                    u64::from(u32::from_le_bytes([head[8], head[9], head[10], head[11]])),
                )
            }
            version => return Err(file.unsupported(format!("NPY version {version}"), "Save it with numpy.save")),
        };
        file.require(start, length, what)?;
        let mut text = vec![0; length as usize];
        file.read(start, &mut text, what)?;
        let header = Header::parse(&file, &String::from_utf8_lossy(&text))?;
        let data_offset = start + length;
        // Uncompressed: the file is as long as the array.
        let bytes = file.image_bytes(&header.shape, header.stored_bytes(), 1)?;
        file.require(data_offset, bytes as u64, || "the array".to_owned())?;
        let behind = file.length() - data_offset - bytes as u64;
        let mut left_out = Vec::new();
        if behind > 0 {
            let says = format!("{behind} bytes");
            let reason = "a file gives its first array";
            left_out.push(LeftOut::metadata(file.path(), "data behind the array", says, reason));
        }
        let info = ImageInfo {
            shape: header.shape.clone(),
            pixel_type: header.pixel_type,
        };
        Ok(Self {
            file,
            info,
            header,
            data_offset,
            left_out,
            scattered: Mutex::new(None),
        })
    }

    fn read_fortran(&self, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        let shape: Vec<usize> = self.info.shape.iter().map(|size| *size as usize).collect();
        let mut strides = vec![rect.pixel_bytes; shape.len()];
        for axis in 1..shape.len() {
            strides[axis] = strides[axis - 1] * shape[axis - 1];
        }
        let leading = shape.len().saturating_sub(2);
        let (mut start, mut rest) = (0, plane as usize);
        for axis in (0..leading).rev() {
            start += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        let (row_stride, column_stride) = match strides[leading..] {
            [rows, columns] => (rows, columns),
            [columns] => (0, columns),
            _ => (0, 0),
        };
        let mut kept = self.scattered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let array = match &mut *kept {
            Some(array) => array,
            empty => {
                let bytes = self.file.image_bytes(&self.info.shape, rect.pixel_bytes, 1)?;
                let mut array = vec![0; bytes];
                self.file
                    .read(self.data_offset, &mut array, || "the array".to_owned())?;
                empty.insert(array)
            }
        };
        for row in 0..rect.height {
            let mut at = start + (rect.y + row) * row_stride + rect.x * column_stride;
            for pixel in out.row(row, rect.row_bytes()).chunks_exact_mut(rect.pixel_bytes) {
                pixel.copy_from_slice(&array[at..][..rect.pixel_bytes]);
                at += column_stride;
            }
        }
        Ok(())
    }

    fn read_rows(&self, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        let (height, width) = self.info.plane_size();
        let at = |row: usize| {
            let pixel = (plane * height + (rect.y + row) as u64) * width + rect.x as u64;
            self.data_offset + pixel * rect.pixel_bytes as u64
        };
        let what = || format!("plane {plane}");
        let row_bytes = rect.row_bytes();
        if rect.width as u64 == width && out.row_stride == row_bytes {
            return self.file.read(at(0), out.row(0, rect.height * row_bytes), what);
        }
        (0..rect.height).try_for_each(|row| self.file.read(at(row), out.row(row, row_bytes), what))
    }
}

impl NpyImage {
    /// Reads a window of elements as long as they are in the file.
    fn read_stored(&self, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        if self.header.fortran_order && self.info.shape.len() > 1 {
            self.read_fortran(plane, rect, out)?;
        } else {
            self.read_rows(plane, rect, out)?;
        }
        if self.header.big_endian != NATIVE_IS_BIG {
            (0..rect.height).for_each(|row| swap_samples(out.row(row, rect.row_bytes()), rect.pixel_bytes));
        }
        Ok(())
    }
}

impl OpenImage for NpyImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(self.file.path(), &self.info, plane, window, &out)? else {
            return Ok(());
        };
        if !self.header.half {
            return self.read_stored(plane, rect, &mut out);
        }
        let stored = Rect { pixel_bytes: 2, ..rect };
        let mut half = Scratch::new(rect.height * stored.row_bytes());
        let row_stride = stored.row_bytes();
        let data = &mut half;
        self.read_stored(plane, stored, &mut PlaneMut { data, row_stride })?;
        for (row, half) in half.chunks_exact(row_stride).enumerate() {
            widen_row(half, out.row(row, rect.row_bytes()));
        }
        Ok(())
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn working_bytes(&self) -> u64 {
        let (height, width) = self.info.plane_size();
        if self.header.half { 2 * height * width } else { 0 }
    }

    fn kept_bytes(&self) -> u64 {
        let kept = self.scattered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref().map_or(0, |array| array.len() as u64)
    }

    fn cheap_windows(&self) -> bool {
        !self.header.fortran_order
    }
}
