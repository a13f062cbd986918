//! Planes of tiles: copied into chunks where they are read or needed once, else decoded whole, kept until the last chunk has its part.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ome_zarr_convert_geometry::{PixelBox, PixelType};
use ome_zarr_convert_sources::{OpenImage, PlaneMut, Window};

use super::Tiles;
use crate::buffer::Buffer;
use crate::error::ComputeError;
use crate::job::Counters;
use crate::pixel::cast;
use crate::plan::{X, Y};

/// A tile while its image is converted.
pub(super) struct TileState {
    /// Leaves that still need it.
    pub(super) leaves_left: usize,
    pub(super) image: Option<Arc<dyn OpenImage>>,
    /// What its file leaves out was told.
    pub(super) told: bool,
    /// Bytes that its source kept when it was last looked at.
    pub(super) kept: u64,
    /// Whole planes that more than one leaf needs and not all have asked for.
    planes: HashMap<u64, Plane>,
    /// Leaves that an earlier run finished, per plane that nobody has asked for.
    passed: HashMap<u64, u64>,
}

/// A plane that several leaves need.
struct Plane {
    pixels: Arc<DecodedPlane>,
    /// Leaves that have not asked for it yet.
    left: u64,
}

/// The pixels of a plane, once a thread has decoded them. They go with the last leaf that uses them.
type DecodedPlane = Mutex<Option<Arc<Buffer>>>;

impl TileState {
    pub(super) fn new(leaves_left: usize) -> Self {
        Self {
            leaves_left,
            image: None,
            told: false,
            kept: 0,
            planes: HashMap::new(),
            passed: HashMap::new(),
        }
    }

    /// A leaf that needed a plane is finished without it.
    pub(super) fn pass(&mut self, plane: u64) {
        match self.planes.get_mut(&plane) {
            None => *self.passed.entry(plane).or_default() += 1,
            Some(held) => {
                held.left = held.left.saturating_sub(1);
                if held.left == 0 {
                    self.planes.remove(&plane);
                }
            }
        }
    }

    /// The plane for one of the `shared` leaves that need it. The last to ask takes it along.
    fn ask(&mut self, plane: u64, shared: u64) -> Arc<DecodedPlane> {
        let passed = self.passed.remove(&plane).unwrap_or(0);
        let held = self.planes.entry(plane).or_insert_with(|| Plane {
            pixels: Arc::default(),
            left: shared.saturating_sub(passed),
        });
        held.left = held.left.saturating_sub(1);
        let (pixels, last) = (held.pixels.clone(), held.left == 0);
        if last {
            self.planes.remove(&plane);
        }
        pixels
    }
}

/// How the part of a plane that lies in a chunk gets there.
struct Copy<'a> {
    number: usize,
    image: &'a dyn OpenImage,
    /// Number of the plane among those of the tile.
    plane: u64,
    /// The part, in coordinates of the tile.
    window: Window,
    /// Chunks that need the plane.
    shared: u64,
}

impl Tiles<'_> {
    /// Writes the part of a plane `(t, c, z)` of a tile that lies in a chunk to `out`, which begins at the part's first pixel.
    pub(super) fn copy_plane(
        &self,
        number: usize,
        plane: [u64; 3],
        part: &PixelBox,
        out: PlaneMut<'_>,
    ) -> Result<(), ComputeError> {
        // A chunk can be many planes that take long to decode.
        self.job.check_cancelled()?;
        let image = self.open(number)?;
        let tile = &self.job.plan().placements[number].pixels;
        let (height, width) = part.plane_size();
        let copy = Copy {
            number,
            image: &*image,
            plane: tile.plane_number(plane),
            window: Window {
                y: part.start[Y] - tile.start[Y],
                x: part.start[X] - tile.start[X],
                height,
                width,
            },
            shared: self.chunks_of(number),
        };
        let (found, wanted) = (image.info().pixel_type, self.job.plan().data_type);
        let by_itself = copy.shared == 1 || image.cheap_windows() || !self.job.decodes_once();
        if by_itself && found == wanted {
            let row_bytes = width as usize * wanted.size_bytes();
            let stride = out.row_stride;
            let out = &mut out.data[..(height as usize - 1) * stride + row_bytes];
            return self.read(&copy, copy.window, out, stride);
        }
        if by_itself {
            let mut pixels = self.job.pool.take((height * width) as usize * found.size_bytes());
            self.read(
                &copy,
                copy.window,
                pixels.bytes_mut(),
                width as usize * found.size_bytes(),
            )?;
            return self.copy_rows(&copy, &pixels, copy.window, found, out);
        }
        let slot = self.lock(number).ask(copy.plane, copy.shared);
        let pixels = self.whole_plane(&copy, &slot, found)?;
        self.copy_rows(&copy, &pixels, whole_window(tile), found, out)
    }

    /// The decoded plane, by the first thread that gets here; others wait. Other planes of the tile can be decoded meanwhile.
    fn whole_plane(&self, copy: &Copy<'_>, slot: &DecodedPlane, found: PixelType) -> Result<Arc<Buffer>, ComputeError> {
        let mut pixels = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole) = &*pixels {
            return Ok(whole.clone());
        }
        let window = whole_window(&self.job.plan().placements[copy.number].pixels);
        let row_stride = window.width as usize * found.size_bytes();
        let mut whole = self.job.pool.take(window.height as usize * row_stride);
        self.read(copy, window, whole.bytes_mut(), row_stride)?;
        Ok(pixels.insert(Arc::new(whole)).clone())
    }

    fn read(&self, copy: &Copy<'_>, window: Window, data: &mut [u8], row_stride: usize) -> Result<(), ComputeError> {
        // Parts of planes that are cheap to read are not counted as decoded.
        let decoded = copy.shared == 1 || !copy.image.cheap_windows();
        Counters::add(&self.job.counters.planes_decoded, u64::from(decoded));
        self.read_window(
            copy.number,
            copy.image,
            copy.plane,
            window,
            PlaneMut { data, row_stride },
        )
    }

    /// Copies or casts rows of the pixels in `held`, a window of the plane, to the chunk.
    fn copy_rows(
        &self,
        copy: &Copy<'_>,
        pixels: &Buffer,
        held: Window,
        found: PixelType,
        out: PlaneMut<'_>,
    ) -> Result<(), ComputeError> {
        let wanted = self.job.plan().data_type;
        let (window, source_bytes) = (copy.window, found.size_bytes());
        let row_bytes = window.width as usize * wanted.size_bytes();
        for row in 0..window.height {
            let first = (window.y - held.y + row) * held.width + window.x - held.x;
            let end = first + window.width;
            let from = &pixels.bytes()[first as usize * source_bytes..end as usize * source_bytes];
            let start = row as usize * out.row_stride;
            let to = &mut out.data[start..start + row_bytes];
            if found == wanted {
                to.copy_from_slice(from);
                continue;
            }
            cast(from, found, to, wanted).map_err(|value| ComputeError::Tile {
                tile: self.job.describe(copy.number),
                problem: format!(
                    "its value {value} ({found}) does not fit the requested data type {wanted}; request a wider type, or leave the data \
                     type out"
                ),
            })?;
        }
        Ok(())
    }
}

/// The window of a whole plane.
fn whole_window(tile: &PixelBox) -> Window {
    Window {
        y: 0,
        x: 0,
        height: tile.size[Y],
        width: tile.size[X],
    }
}
