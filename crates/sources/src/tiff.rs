//! TIFF: the array of the first series, as tifffile gives it.
//!
//! The `tiff` crate reads header, directories and tags; which pages make up the array, and the pixels, are read here.

mod axes;
mod codec;
mod cursor;
pub(crate) mod directory;
pub(crate) mod formats;
mod header;
mod imagej;
mod lzw;
mod ome;
pub(crate) mod page;
mod predictor;
mod read;
mod series;
mod shaped;
mod stk;
mod units;

use std::path::PathBuf;
use std::sync::Mutex;

use crate::file::SourceFile;
use crate::image::Rect;
use crate::tiff::directory::DirectoryReader;
use crate::tiff::formats::Codec;
use crate::tiff::page::{Page, Pixels};
use crate::tiff::series::first_series;
use crate::{FileMetadata, ImageInfo, OpenImage, PlaneMut, SourceError, Window};

pub(crate) struct TiffImage {
    file: SourceFile,
    info: ImageInfo,
    metadata: FileMetadata,
    pages: Vec<Option<Page>>,
    other_files: Vec<PathBuf>,
    /// Rows and columns (in samples) of a page's planes.
    rows: u64,
    columns: u64,
    planes_per_page: u64,
    /// The last plane decoded, where planes of the array are pieces of those in the file (interleaved colours).
    kept: Mutex<Option<(u64, Vec<u8>)>>,
}

impl TiffImage {
    pub(crate) fn open(file: SourceFile) -> Result<Self, SourceError> {
        let mut reader = DirectoryReader::new(&file)?;
        let series = first_series(&mut reader)?;
        let layout = &*series.layout;
        let info = ImageInfo {
            shape: series.axes.shape,
            pixel_type: layout.pixel_type,
        };
        if axes::elements(&info.shape)
            .and_then(|size| size.checked_mul(8))
            .is_none()
        {
            return Err(file.damaged(format!("its image of {:?} is beyond any", info.shape)));
        }
        Ok(Self {
            metadata: FileMetadata {
                axes: Some(series.axes.letters),
                other_files: series.other_files.clone(),
                ..series.metadata
            },
            rows: layout.rows,
            columns: layout.columns,
            planes_per_page: series.pages.iter().flatten().map(|page| page.planes).max().unwrap_or(1),
            pages: series.pages,
            other_files: series.other_files,
            kept: Mutex::new(None),
            info,
            file,
        })
    }

    /// Reads a window of one of the file's planes, counted over all pages.
    fn read_file_plane(&self, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        let page = self.pages.get((plane / self.planes_per_page) as usize);
        match page {
            Some(Some(page)) => {
                let plane = plane % self.planes_per_page;
                match page.file.checked_sub(1) {
                    None => page.read_window(&self.file, plane, rect, out),
                    // A set can have more files than may be open at once.
                    Some(other) => page.read_window(&SourceFile::open(&self.other_files[other])?, plane, rect, out),
                }
            }
            _ => {
                (0..rect.height).for_each(|row| out.row(row, rect.row_bytes()).fill(0));
                Ok(())
            }
        }
    }

    /// Reads samples `start ..` of the file's planes laid end to end.
    fn read_linear(&self, mut start: u64, pixel_bytes: usize, mut out: &mut [u8]) -> Result<(), SourceError> {
        let plane_samples = self.rows * self.columns;
        while !out.is_empty() {
            let (plane, within) = (start / plane_samples, start % plane_samples);
            let wanted = (out.len() / pixel_bytes) as u64;
            let length = wanted.min(plane_samples - within);
            let (piece, rest) = out.split_at_mut(length as usize * pixel_bytes);
            let row_stride = self.columns as usize * pixel_bytes;
            let whole = Rect {
                y: 0,
                x: 0,
                height: self.rows as usize,
                width: self.columns as usize,
                pixel_bytes,
            };
            if length == plane_samples {
                self.read_file_plane(
                    plane,
                    whole,
                    &mut PlaneMut {
                        data: piece,
                        row_stride,
                    },
                )?;
            } else {
                let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let bytes = match kept.take() {
                    Some((number, bytes)) if number == plane => bytes,
                    other => {
                        let mut bytes = other.map(|(_, bytes)| bytes).unwrap_or_default();
                        bytes.resize(plane_samples as usize * pixel_bytes, 0);
                        self.read_file_plane(
                            plane,
                            whole,
                            &mut PlaneMut {
                                data: &mut bytes,
                                row_stride,
                            },
                        )?;
                        bytes
                    }
                };
                piece.copy_from_slice(&bytes[within as usize * pixel_bytes..][..piece.len()]);
                *kept = Some((plane, bytes));
            }
            start += length;
            out = rest;
        }
        Ok(())
    }
}

impl OpenImage for TiffImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn kept_bytes(&self) -> u64 {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref().map_or(0, |(_, pixels)| pixels.len() as u64)
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(self.file.path(), &self.info, plane, window, &out)? else {
            return Ok(());
        };
        let (height, width) = self.info.plane_size();
        if (height, width) == (self.rows, self.columns) {
            return self.read_file_plane(plane, rect, &mut out);
        }
        let start = |row: usize| (plane * height + (rect.y + row) as u64) * width + rect.x as u64;
        let row_bytes = rect.row_bytes();
        if rect.width as u64 == width && out.row_stride == row_bytes {
            return self.read_linear(start(0), rect.pixel_bytes, out.row(0, rect.height * row_bytes));
        }
        (0..rect.height).try_for_each(|row| self.read_linear(start(row), rect.pixel_bytes, out.row(row, row_bytes)))
    }

    fn cheap_windows(&self) -> bool {
        let plain = |page: &Page| matches!(page.pixels, Pixels::Runs(_));
        self.info.plane_size() == (self.rows, self.columns)
            && self.other_files.is_empty()
            && self.pages.iter().flatten().all(plain)
    }

    fn independent_rows(&self) -> Option<u64> {
        let compressed = |page: &&Page| matches!(page.pixels, Pixels::Chunks(_)) && page.layout.codec != Codec::None;
        // Pages of one series can be cut into strips of their own height each.
        let mut rows = self
            .pages
            .iter()
            .flatten()
            .filter(compressed)
            .map(|page| page.layout.chunk_rows);
        let first = rows.next()?;
        let several = first < self.rows && self.info.plane_size() == (self.rows, self.columns);
        (several && rows.all(|rows| rows == first)).then_some(first)
    }

    fn metadata(&self) -> FileMetadata {
        self.metadata.clone()
    }
}
