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
mod imagej_values;
pub(crate) mod layout;
mod lzw;
mod ome;
pub(crate) mod page;
mod pages;
mod picture;
mod plain;
mod predictor;
mod read;
mod series;
mod shaped;
mod stk;
mod units;
mod values;

use std::path::PathBuf;
use std::sync::Mutex;

use crate::file::SourceFile;
use crate::image::Rect;
use crate::tiff::directory::DirectoryReader;
use crate::tiff::formats::Codec;
use crate::tiff::page::{Page, Pixels};
use crate::tiff::pages::Slot;
use crate::tiff::series::{Contents, Series, select};
use crate::{FileMetadata, ImageInfo, LeftOut, OpenImage, Part, PixelType, PlaneMut, Selection, SourceError, Window};

pub(crate) struct TiffImage {
    file: SourceFile,
    info: ImageInfo,
    metadata: FileMetadata,
    pages: Vec<Slot>,
    other_files: Vec<PathBuf>,
    left_out: Vec<LeftOut>,
    missing_planes: Vec<u64>,
    working_bytes: u64,
    /// The images of the file, where it lists them.
    images: Vec<usize>,
    /// Unsigned samples in the file stand for signed ones.
    signed: bool,
    /// Rows and columns (in samples) of a page's planes.
    rows: u64,
    columns: u64,
    planes_per_page: u64,
    /// The last plane decoded, where planes of the array are pieces of those in the file (interleaved colors).
    kept: Mutex<Option<(u64, Vec<u8>)>>,
}

impl TiffImage {
    pub(crate) fn open(file: SourceFile, selection: Selection) -> Result<Self, SourceError> {
        let mut reader = DirectoryReader::new(&file)?;
        let mut contents = Contents::read(&mut reader)?;
        let mut series = select(&mut contents, selection)?;
        let mut left_out = std::mem::take(&mut series.left_out);
        series.left_out.clone_from(&left_out);
        left_out.extend(plain::unused(&contents, &series));
        left_out.extend(plain::notes(&mut contents, &series)?);
        let layout = &*series.layout;
        let pixel_type = match series.signed {
            true => PixelType::Int16,
            false => layout.pixel_type,
        };
        let info = ImageInfo {
            shape: series.axes.shape.clone(),
            pixel_type,
        };
        if axes::elements(&info.shape)
            .and_then(|size| size.checked_mul(8))
            .is_none()
        {
            return Err(file.damaged(format!("its image of {:?} is beyond any", info.shape)));
        }
        let pages = series.pages.iter().filter_map(Slot::page);
        let planes_per_page = pages.map(|page| page.planes).max().unwrap_or(layout.planes);
        let pages = series.pages.iter().filter_map(Slot::page);
        let working_bytes = pages.map(|page| page.working_bytes()).max().unwrap_or(0);
        let (missing_planes, told) = missing(&file, &info, &series, planes_per_page)?;
        left_out.extend(told);
        Ok(Self {
            metadata: FileMetadata {
                axes: Some(series.axes.letters),
                other_files: series.other_files.clone(),
                ..series.metadata
            },
            rows: layout.rows,
            columns: layout.columns,
            planes_per_page,
            pages: series.pages,
            other_files: series.other_files,
            left_out,
            missing_planes,
            working_bytes,
            images: series.images,
            signed: series.signed,
            kept: Mutex::new(None),
            info,
            file,
        })
    }

    /// Numbers of the images that the file holds.
    pub(crate) fn images(&self) -> &[usize] {
        &self.images
    }

    /// Reads a window of one of the file's planes, counted over all pages, for a plane of the array.
    fn read_file_plane(&self, asked: u64, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        let missing = |reason: &str| SourceError::MissingPlane {
            path: self.file.path().into(),
            plane: asked,
            reason: reason.to_owned(),
        };
        match self.pages.get((plane / self.planes_per_page) as usize) {
            Some(Slot::Page(page)) => {
                let plane = plane % self.planes_per_page;
                match page.file.checked_sub(1) {
                    None => page.read_window(&self.file, plane, rect, out),
                    // A set can have more files than may be open at once.
                    Some(other) => page.read_window(&SourceFile::open(&self.other_files[other])?, plane, rect, out),
                }
            }
            Some(Slot::Missing { reason, .. }) => Err(missing(reason)),
            None => Err(missing("no page holds it")),
        }
    }

    /// Reads samples `start ..` of the file's planes laid end to end.
    fn read_linear(
        &self,
        asked: u64,
        mut start: u64,
        pixel_bytes: usize,
        mut out: &mut [u8],
    ) -> Result<(), SourceError> {
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
                    asked,
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
                            asked,
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

impl TiffImage {
    /// Reads a window of a plane of the array, samples as the file has them.
    fn read_stored(&self, plane: u64, rect: Rect, out: &mut PlaneMut<'_>) -> Result<(), SourceError> {
        let (height, width) = self.info.plane_size();
        if (height, width) == (self.rows, self.columns) {
            return self.read_file_plane(plane, plane, rect, out);
        }
        let start = |row: usize| (plane * height + (rect.y + row) as u64) * width + rect.x as u64;
        let row_bytes = rect.row_bytes();
        if rect.width as u64 == width && out.row_stride == row_bytes {
            return self.read_linear(plane, start(0), rect.pixel_bytes, out.row(0, rect.height * row_bytes));
        }
        (0..rect.height)
            .try_for_each(|row| self.read_linear(plane, start(row), rect.pixel_bytes, out.row(row, row_bytes)))
    }
}

/// Most planes that are listed as missing: where colors lie side by side, each row of a page is one.
const MOST_MISSING: u64 = 1 << 22;

/// The planes of the array that lack a page, and what is to be told of them.
fn missing(
    file: &SourceFile,
    info: &ImageInfo,
    series: &Series,
    planes_per_page: u64,
) -> Result<(Vec<u64>, Vec<LeftOut>), SourceError> {
    let (height, width) = info.plane_size();
    let layout = &series.layout;
    let (plane, page) = (height * width, planes_per_page * layout.rows * layout.columns);
    let mut planes: Vec<u64> = Vec::new();
    let mut told: Vec<(&str, Vec<u64>)> = Vec::new();
    for (number, slot) in (0..).zip(&series.pages) {
        let Slot::Missing { reason, .. } = slot else { continue };
        let start = (number * page / plane.max(1)).max(planes.last().map_or(0, |last| last + 1));
        let end = ((number + 1) * page).div_ceil(plane.max(1)).min(info.planes());
        if planes.len() as u64 + end.saturating_sub(start) > MOST_MISSING {
            return Err(file.damaged(format!("most of its planes are missing: {reason}")));
        }
        planes.extend(start..end);
        match told.iter_mut().find(|(known, _)| *known == &**reason) {
            Some((_, numbers)) => numbers.extend(start..end),
            None => told.push((reason, (start..end).collect())),
        }
    }
    let told = told.into_iter();
    let told = told.map(|(reason, numbers)| LeftOut::new(file.path(), Part::Planes(numbers), reason));
    Ok((planes, told.collect()))
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
        self.read_stored(plane, rect, &mut out)?;
        if self.signed {
            // The highest bit of native samples of two bytes.
            let high = usize::from(!crate::endian::NATIVE_IS_BIG);
            for row in 0..rect.height {
                let samples = out.row(row, rect.row_bytes()).as_chunks_mut::<2>().0;
                samples.iter_mut().for_each(|sample| sample[high] ^= 0x80);
            }
        }
        Ok(())
    }

    fn working_bytes(&self) -> u64 {
        self.working_bytes
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn missing_planes(&self) -> &[u64] {
        &self.missing_planes
    }

    fn cheap_windows(&self) -> bool {
        let plain = |page: &Page| matches!(page.pixels, Pixels::Runs(_));
        self.info.plane_size() == (self.rows, self.columns)
            && self.other_files.is_empty()
            && self.pages.iter().filter_map(Slot::page).all(|page| plain(page))
    }

    fn independent_rows(&self) -> Option<u64> {
        let compressed =
            |page: &&std::sync::Arc<Page>| matches!(page.pixels, Pixels::Chunks(_)) && page.layout.codec != Codec::None;
        // Pages of one series can be cut into strips of their own height each.
        let mut rows = self
            .pages
            .iter()
            .filter_map(Slot::page)
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
