//! An opened image: what its header says, and how its pixels are asked for.

use std::path::{Path, PathBuf};

use crate::{LeftOut, PixelType, SourceError};

/// What the header of an image says.
///
/// `shape` is that of the array which the reference's reader gives (tifffile's `asarray` of the first series,
/// `np.array` of a Pillow image, `np.load`): `[2160, 2560]`, `[5, 2160, 2560]`, `[height, width, 3]` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// Size along each axis, slowest first.
    pub shape: Vec<u64>,
    /// Type of each pixel.
    pub pixel_type: PixelType,
}

impl ImageInfo {
    /// Rows and columns of one plane: the last two axes, an axis that is not there counting as 1.
    pub fn plane_size(&self) -> (u64, u64) {
        match self.shape.as_slice() {
            [] => (1, 1),
            [width] => (1, *width),
            [.., height, width] => (*height, *width),
        }
    }

    /// Number of planes: the product of the axes before the last two (1 for a 2-D image).
    pub fn planes(&self) -> u64 {
        let leading = self.shape.len().saturating_sub(2);
        self.shape[..leading]
            .iter()
            .fold(1, |product: u64, size| product.saturating_mul(*size))
    }
}

/// Rows × columns of one plane (the last two axes of [`ImageInfo::shape`]), in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First row.
    pub y: u64,
    /// First column.
    pub x: u64,
    /// Number of rows.
    pub height: u64,
    /// Number of columns.
    pub width: u64,
}

impl Window {
    /// The window cut into at most `parts` of about the same height, at rows that are multiples of `rows` in the plane: with
    /// [`OpenImage::independent_rows`], parts that share no decoding.
    pub fn bands(&self, rows: u64, parts: usize) -> Vec<Self> {
        let rows = rows.max(1);
        let end = self.y.saturating_add(self.height);
        let first = self.y / rows;
        let units = end.div_ceil(rows).saturating_sub(first);
        let parts = (parts.max(1) as u64).min(units);
        let cut = |part: u64| {
            // Rounded so that heights differ by one unit at most.
            let unit = u128::from(units) * u128::from(part) / u128::from(parts);
            ((first + unit as u64).saturating_mul(rows)).clamp(self.y, end)
        };
        (0..parts)
            .map(|part| Self {
                y: cut(part),
                height: cut(part + 1) - cut(part),
                ..*self
            })
            .collect()
    }
}

/// A rectangle of bytes inside a larger buffer: row `r` starts at `data[r * row_stride]`, and as many bytes of it are
/// written as the window has columns times the pixel size. Native byte order.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    /// The buffer, from the first byte of the first row on.
    pub data: &'a mut [u8],
    /// Distance between the starts of two rows in bytes.
    pub row_stride: usize,
}

/// What a file says about itself besides its size. Nothing is guessed: what the file does not say is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileMetadata {
    /// The name of the image, where its file names it.
    pub name: Option<String>,
    /// Width (x) and height (y) of a pixel in µm.
    pub pixel_size_um: Option<(f64, f64)>,
    /// Distance of two slices in µm.
    pub z_spacing_um: Option<f64>,
    /// Time between two frames in seconds (the mean where the file lists the time of each).
    pub t_spacing_s: Option<f64>,
    /// Where the stage was for the first plane in µm: x, y, z (0 where the file gives only x and y). From OME-XML; what
    /// MetaMorph and others write without a unit is left out.
    pub stage_position_um: Option<(f64, f64, f64)>,
    /// Names of the channels in order; empty if the file names none.
    pub channel_names: Vec<String>,
    /// The axes of [`ImageInfo::shape`] as tifffile's series names them, one letter each (`ZCYX`; `S` are the samples of
    /// a color pixel, `I` and `Q` axes of unknown meaning).
    pub axes: Option<String>,
    /// Files besides this one in which planes of the image lie (OME-TIFF sets).
    pub other_files: Vec<PathBuf>,
}

impl FileMetadata {
    /// What is known of a picture: which of its axes are the colors.
    pub(crate) fn of_picture(info: &ImageInfo) -> Self {
        Self {
            axes: Some(if info.shape.len() > 2 { "YXS" } else { "YX" }.to_owned()),
            ..Self::default()
        }
    }
}

/// An image whose header has been read. Thread-safe: many threads may read planes of one image.
pub trait OpenImage: Send + Sync {
    /// Shape and pixel type.
    fn info(&self) -> &ImageInfo;

    /// Writes a window of plane number `plane` (C order over the axes before the last two; 0 for a 2-D image) into
    /// `out`, in native byte order. Reads and decodes no more than needed (the page; the strips or tiles that intersect).
    ///
    /// # Errors
    /// [`SourceError::OutsideImage`] and [`SourceError::ShortBuffer`] for a wrong request; else what is wrong with the
    /// file. The content of `out` is unspecified after an error.
    fn read_window(&self, plane: u64, window: Window, out: PlaneMut<'_>) -> Result<(), SourceError>;

    /// What the file holds that the image does not, and what it says of itself that could not be used: callers warn of
    /// each, or refuse the file. Levels of a pyramid are not among it.
    fn left_out(&self) -> &[LeftOut] {
        &[]
    }

    /// Numbers of the planes that the file announces but nothing holds, ascending. Reading one is
    /// [`SourceError::MissingPlane`]; callers treat them like missing tiles.
    fn missing_planes(&self) -> &[u64] {
        &[]
    }

    /// Whether any window costs little more than its own bytes (uncompressed files), so that reading a plane in pieces
    /// is fine.
    fn cheap_windows(&self) -> bool {
        false
    }

    /// Bytes of decoded pixels that it keeps for the next window, beyond what was asked for.
    fn kept_bytes(&self) -> u64 {
        0
    }

    /// Bytes that [`read_window`](Self::read_window) takes at most while it runs, beside `out` and what is kept: compressed
    /// data, and decoded strips or tiles of which the window is a part.
    fn working_bytes(&self) -> u64 {
        0
    }

    /// After how many rows of a plane the next strip or row of tiles begins, if planes have several: windows that are cut there
    /// ([`Window::bands`]) can be read by as many threads as there are without decoding anything twice. `None`: a plane is decoded as a
    /// whole, or so cheap that it is not worth it.
    fn independent_rows(&self) -> Option<u64> {
        None
    }

    /// What the file says about itself besides its size (pixel size …). Default: nothing.
    fn metadata(&self) -> FileMetadata {
        FileMetadata::default()
    }
}

/// A request that was held against image and buffer: everything in `usize`, safe to index with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rect {
    pub(crate) y: usize,
    pub(crate) x: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) pixel_bytes: usize,
}

impl Rect {
    /// Bytes of one row of the window.
    pub(crate) fn row_bytes(&self) -> usize {
        self.width * self.pixel_bytes
    }

    /// Checks a request; `None` when the window is empty and there is nothing to do.
    pub(crate) fn check(
        path: &Path,
        info: &ImageInfo,
        plane: u64,
        window: Window,
        out: &PlaneMut<'_>,
    ) -> Result<Option<Self>, SourceError> {
        let (height, width) = info.plane_size();
        let fits = |start: u64, length: u64, size: u64| start.checked_add(length).is_some_and(|end| end <= size);
        if plane >= info.planes() || !fits(window.y, window.height, height) || !fits(window.x, window.width, width) {
            return Err(SourceError::OutsideImage {
                path: path.into(),
                plane,
                window: format!("{}:{} {} x {}", window.y, window.x, window.height, window.width),
                planes: info.planes(),
                height,
                width,
            });
        }
        if window.height == 0 || window.width == 0 {
            return Ok(None);
        }
        let pixel_bytes = info.pixel_type.size_bytes();
        let row_bytes = u128::from(window.width) * pixel_bytes as u128;
        let needs = u128::from(window.height - 1) * out.row_stride as u128 + row_bytes;
        // Rows that overlap in the buffer would overwrite each other.
        if needs > out.data.len() as u128 || (window.height > 1 && row_bytes > out.row_stride as u128) {
            return Err(SourceError::ShortBuffer {
                path: path.into(),
                needs: u64::try_from(needs.max(u128::from(window.height) * row_bytes)).unwrap_or(u64::MAX),
                has: out.data.len() as u64,
            });
        }
        // The buffer holds the window, so its sizes fit; its position does because the whole plane was checked on opening.
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Ok(Some(Self {
            y: size(window.y),
            x: size(window.x),
            height: size(window.height),
            width: size(window.width),
            pixel_bytes,
        }))
    }
}

impl PlaneMut<'_> {
    /// Row `row` of the window, `row_bytes` long.
    pub(crate) fn row(&mut self, row: usize, row_bytes: usize) -> &mut [u8] {
        &mut self.data[row * self.row_stride..][..row_bytes]
    }

    /// Copies a window of a packed plane (rows of `columns` pixels) into the buffer.
    pub(crate) fn copy_from_packed(&mut self, packed: &[u8], columns: usize, rect: Rect) {
        let row_bytes = rect.row_bytes();
        for row in 0..rect.height {
            let start = ((rect.y + row) * columns + rect.x) * rect.pixel_bytes;
            self.row(row, row_bytes).copy_from_slice(&packed[start..][..row_bytes]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn bands_are_cut_between_strips() {
        let bands = |y, height, rows, parts| {
            let window = Window {
                y,
                x: 3,
                height,
                width: 5,
            };
            let bands = window.bands(rows, parts).into_iter();
            bands.map(|band| (band.y, band.height)).collect::<Vec<_>>()
        };
        assert_eq!(bands(0, 100, 30, 2), [(0, 60), (60, 40)]);
        assert_eq!(bands(0, 100, 30, 9), [(0, 30), (30, 30), (60, 30), (90, 10)]);
        assert_eq!(bands(25, 10, 30, 4), [(25, 5), (30, 5)]);
        assert_eq!(bands(5, 10, 30, 4), [(5, 10)]);
        assert_eq!(bands(7, 90, 1, 1), [(7, 90)]);
        assert_eq!(bands(7, 0, 1, 3), []);
        assert_eq!(bands(u64::MAX, 5, 7, 2), [(u64::MAX, 0)]);
    }
}
