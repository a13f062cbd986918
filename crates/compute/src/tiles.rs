//! The tiles of one image while it is converted: each source is opened once and each plane decoded once, however many
//! chunks it spans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ome_zarr_convert_core::Region;
use ome_zarr_convert_ngff::DataType;
use ome_zarr_convert_sources::{ImageLoader, OpenImage, PlaneMut, Window};

use crate::buffer::{Buffer, BufferPool};
use crate::error::ComputeError;
use crate::guard::guarded;
use crate::pixel::cast;
use crate::plan::{ImagePlan, Index5, Level, Placement, X, Y};
use crate::progress::Counters;

/// Loads tiles into chunks.
pub(crate) struct Tiles<'a> {
    plan: &'a ImagePlan,
    regions: &'a [Region],
    loader: &'a dyn ImageLoader,
    resource: Option<&'a str>,
    /// Type that every source must have; `None` when a type was asked for, so that values are cast.
    required_type: Option<DataType>,
    counters: &'a Counters,
    states: Vec<Mutex<TileState>>,
}

struct TileState {
    /// Leaves that still need this tile.
    leaves_left: usize,
    image: Option<Arc<dyn OpenImage>>,
    /// Whole planes that more than one leaf needs, and how many still do.
    planes: HashMap<u64, (Arc<Buffer>, usize)>,
}

impl<'a> Tiles<'a> {
    /// Opens the first tile, whose type is that of the image.
    pub(crate) fn new(
        plan: &'a ImagePlan,
        regions: &'a [Region],
        loader: &'a dyn ImageLoader,
        resource: Option<&'a str>,
        counters: &'a Counters,
    ) -> Result<Self, ComputeError> {
        let mut leaves = vec![0_usize; plan.placements.len()];
        for leaf in &plan.leaves {
            for placement in &leaf.placements {
                leaves[*placement] += 1;
            }
        }
        let state = |leaves_left| {
            Mutex::new(TileState {
                leaves_left,
                image: None,
                planes: HashMap::new(),
            })
        };
        let mut tiles = Self {
            plan,
            regions,
            loader,
            resource,
            required_type: None,
            counters,
            states: leaves.into_iter().map(state).collect(),
        };
        if !tiles.states.is_empty() {
            let first = guarded(|| tiles.describe(0), || tiles.open(0))?;
            tiles.required_type = required_type(&*first, plan);
        }
        Ok(tiles)
    }

    /// Fills the chunk of a leaf. `None`: no tile lies in it.
    pub(crate) fn fill(
        &self,
        chunk: Index5,
        placements: &[usize],
        pool: &BufferPool,
    ) -> Result<Option<Buffer>, ComputeError> {
        if placements.is_empty() {
            return Ok(None);
        }
        let level = &self.plan.levels[0];
        let pixel_bytes = self.plan.data_type.size_bytes();
        let frame = Frame::new(level, chunk, pixel_bytes);
        let mut buffer = pool.take(frame.bytes());
        frame.clear_uncovered(
            &mut buffer,
            placements.iter().map(|number| &self.plan.placements[*number]),
        );
        for &number in placements {
            guarded(
                || self.describe(number),
                || self.place(number, &frame, &mut buffer, pool),
            )?;
        }
        Ok(Some(buffer))
    }

    /// Writes the part of a tile that lies in a chunk.
    fn place(&self, number: usize, frame: &Frame, buffer: &mut Buffer, pool: &BufferPool) -> Result<(), ComputeError> {
        let placement = &self.plan.placements[number];
        let image = self.open(number)?;
        let grid = self.plan.levels[0].chunk;
        let span = |axis: usize| (placement.end(axis) - 1) / grid[axis] - placement.start[axis] / grid[axis] + 1;
        let shared = span(Y) * span(X);
        let cut = frame.intersect(placement);
        let mut failed = Ok(());
        frame.for_each_plane(&cut, |plane_index, at| {
            if failed.is_ok() {
                let plane = placement.plane(plane_index);
                failed = self.copy_plane(number, &*image, plane, shared as usize, &cut, frame, buffer, at, pool);
            }
        });
        failed?;
        let mut state = self.lock(number);
        state.leaves_left -= 1;
        if state.leaves_left == 0 {
            state.image = None;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn copy_plane(
        &self,
        number: usize,
        image: &dyn OpenImage,
        plane: u64,
        shared: usize,
        cut: &Cut,
        frame: &Frame,
        buffer: &mut Buffer,
        at: usize,
        pool: &BufferPool,
    ) -> Result<(), ComputeError> {
        let placement = &self.plan.placements[number];
        let window = Window {
            y: cut.first[Y] - placement.start[Y],
            x: cut.first[X] - placement.start[X],
            height: cut.end[Y] - cut.first[Y],
            width: cut.end[X] - cut.first[X],
        };
        let (row_bytes, stride) = (window.width as usize * frame.pixel_bytes, frame.row_bytes());
        let source_type = self.source_type(image);
        let source_bytes = source_type.size_bytes();
        if source_type == self.plan.data_type && (shared == 1 || image.cheap_windows()) {
            let last = at + (window.height as usize - 1) * stride + row_bytes;
            let out = PlaneMut {
                data: &mut buffer.bytes_mut()[at..last],
                row_stride: stride,
            };
            Counters::add(&self.counters.planes_decoded, u64::from(shared == 1));
            return image
                .read_window(plane, window, out)
                .map_err(|source| self.unreadable(number, source));
        }
        // A plane that several chunks need is decoded whole, once; a plane of another type is cast row by row.
        let whole = self.whole_plane(number, image, plane, shared, source_bytes, pool)?;
        let source_stride = placement.size[X] as usize * source_bytes;
        for row in 0..window.height as usize {
            let from = (window.y as usize + row) * source_stride + window.x as usize * source_bytes;
            let from = &whole.bytes()[from..from + window.width as usize * source_bytes];
            let to = at + row * stride;
            let to = &mut buffer.bytes_mut()[to..to + row_bytes];
            if source_type == self.plan.data_type {
                to.copy_from_slice(from);
            } else {
                cast(from, source_type, to, self.plan.data_type).map_err(|value| ComputeError::Tile {
                    tile: self.describe(number),
                    problem: format!(
                        "its value {value} ({}) does not fit the data type {} asked for; ask for a wider type, or leave the data \
                         type out",
                        source_type.name(),
                        self.plan.data_type.name()
                    ),
                })?;
            }
        }
        self.release_plane(number, plane, whole, pool);
        Ok(())
    }

    fn whole_plane(
        &self,
        number: usize,
        image: &dyn OpenImage,
        plane: u64,
        shared: usize,
        source_bytes: usize,
        pool: &BufferPool,
    ) -> Result<Arc<Buffer>, ComputeError> {
        let mut state = self.lock(number);
        if let Some((whole, left)) = state.planes.get_mut(&plane) {
            *left -= 1;
            return Ok(whole.clone());
        }
        let placement = &self.plan.placements[number];
        let window = Window {
            y: 0,
            x: 0,
            height: placement.size[Y],
            width: placement.size[X],
        };
        let row_stride = window.width as usize * source_bytes;
        let mut whole = pool.take(window.height as usize * row_stride);
        Counters::add(&self.counters.planes_decoded, 1);
        let read = image.read_window(
            plane,
            window,
            PlaneMut {
                data: whole.bytes_mut(),
                row_stride,
            },
        );
        read.map_err(|source| self.unreadable(number, source))?;
        let whole = Arc::new(whole);
        state.planes.insert(plane, (whole.clone(), shared - 1));
        Ok(whole)
    }

    /// Gives the buffer of a plane back once no leaf needs it.
    fn release_plane(&self, number: usize, plane: u64, whole: Arc<Buffer>, pool: &BufferPool) {
        let mut state = self.lock(number);
        drop(whole);
        if state
            .planes
            .get(&plane)
            .is_some_and(|(held, left)| *left == 0 && Arc::strong_count(held) == 1)
            && let Some((held, _)) = state.planes.remove(&plane)
            && let Some(buffer) = Arc::into_inner(held)
        {
            pool.give(buffer);
        }
    }

    fn open(&self, number: usize) -> Result<Arc<dyn OpenImage>, ComputeError> {
        let mut state = self.lock(number);
        if let Some(image) = &state.image {
            return Ok(image.clone());
        }
        let placement = &self.plan.placements[number];
        let region = &self.regions[placement.region];
        let image: Arc<dyn OpenImage> = self
            .loader
            .open(&region.image_loader, self.resource)
            .map_err(|e| self.unreadable(number, e))?
            .into();
        Counters::add(&self.counters.files_opened, 1);
        check_source(&*image, region, placement, self.plan, self.required_type)?;
        state.image = Some(image.clone());
        Ok(image)
    }

    fn source_type(&self, image: &dyn OpenImage) -> DataType {
        data_type_of(image).unwrap_or(self.plan.data_type)
    }

    fn lock(&self, number: usize) -> std::sync::MutexGuard<'_, TileState> {
        self.states[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, number: usize) -> String {
        self.regions[self.plan.placements[number].region].describe()
    }

    fn unreadable(&self, number: usize, source: ome_zarr_convert_sources::SourceError) -> ComputeError {
        ComputeError::Source {
            tile: self.describe(number),
            source,
        }
    }
}

/// The data type of a source, in the words of OME-Zarr.
pub(crate) fn data_type_of(image: &dyn OpenImage) -> Option<DataType> {
    DataType::from_name(image.info().pixel_type.name())
}

/// The data type that every source must have. An image whose first tile has another type than the image was given a type on
/// purpose: then there is none, values are cast, and must fit.
pub(crate) fn required_type(first: &dyn OpenImage, plan: &ImagePlan) -> Option<DataType> {
    data_type_of(first).filter(|found| *found == plan.data_type)
}

/// Holds an opened source against what its tile declares: axes, size and type.
pub(crate) fn check_source(
    image: &dyn OpenImage,
    region: &Region,
    placement: &Placement,
    plan: &ImagePlan,
    required_type: Option<DataType>,
) -> Result<(), ComputeError> {
    let wrong = |problem: String| {
        Err(ComputeError::Tile {
            tile: region.describe(),
            problem,
        })
    };
    let found = &image.info().shape;
    let declared = plan.own_axes(placement.size);
    let axes: String = plan.axes.iter().map(|axis| axis.name()).collect();
    if found.len() > declared.len() {
        return wrong(format!(
            "the file has {} axes (shape {found:?}), but the image has the {} axes {axes}; add the missing axes to the \
             acquisition, or write files without them",
            found.len(),
            declared.len()
        ));
    }
    let padded: Vec<u64> = std::iter::repeat_n(1, declared.len() - found.len())
        .chain(found.iter().copied())
        .collect();
    if padded != declared {
        return wrong(format!(
            "the file's shape is {found:?}, but the tile declares {declared:?} (axes {axes}); correct the tile's lengths, or \
             give the right file"
        ));
    }
    let name = image.info().pixel_type.name();
    match data_type_of(image) {
        None => wrong(format!("its data type {name} has no OME-Zarr counterpart")),
        Some(found) if required_type.is_some_and(|required| required != found) => wrong(format!(
            "the file's data type is {name}, but the image's is {} (that of its first tile); tiles of one image share a type: \
             convert the file, or ask for a data type in the acquisition",
            plan.data_type.name()
        )),
        Some(_) => Ok(()),
    }
}

impl Placement {
    /// Number of the plane at `index` (array coordinates) among the tile's planes.
    fn plane(&self, index: [u64; 3]) -> u64 {
        let local = |axis: usize| index[axis] - self.start[axis];
        (local(0) * self.size[1] + local(1)) * self.size[2] + local(2)
    }
}

/// The part of a chunk that a tile covers, in array coordinates.
struct Cut {
    first: Index5,
    end: Index5,
}

/// A chunk in array coordinates and its layout in memory.
struct Frame {
    start: Index5,
    valid: Index5,
    size: Index5,
    pixel_bytes: usize,
}

impl Frame {
    fn new(level: &Level, chunk: Index5, pixel_bytes: usize) -> Self {
        let start = std::array::from_fn(|axis| chunk[axis] * level.chunk[axis]);
        Self {
            start,
            valid: level.valid(chunk),
            size: level.chunk,
            pixel_bytes,
        }
    }

    fn bytes(&self) -> usize {
        self.size.iter().product::<u64>() as usize * self.pixel_bytes
    }

    fn row_bytes(&self) -> usize {
        self.size[X] as usize * self.pixel_bytes
    }

    fn plane_bytes(&self) -> usize {
        self.size[Y] as usize * self.row_bytes()
    }

    fn intersect(&self, placement: &Placement) -> Cut {
        Cut {
            first: std::array::from_fn(|axis| placement.start[axis].max(self.start[axis])),
            end: std::array::from_fn(|axis| placement.end(axis).min(self.start[axis] + self.valid[axis])),
        }
    }

    /// Calls `visit` with the index (t, c, z) of every plane of a cut and the offset of the cut's first pixel in it.
    fn for_each_plane(&self, cut: &Cut, mut visit: impl FnMut([u64; 3], usize)) {
        let corner = (cut.first[Y] - self.start[Y]) as usize * self.row_bytes()
            + (cut.first[X] - self.start[X]) as usize * self.pixel_bytes;
        for t in cut.first[0]..cut.end[0] {
            for c in cut.first[1]..cut.end[1] {
                for z in cut.first[2]..cut.end[2] {
                    let plane =
                        ((t - self.start[0]) * self.size[1] + (c - self.start[1])) * self.size[2] + z - self.start[2];
                    visit([t, c, z], plane as usize * self.plane_bytes() + corner);
                }
            }
        }
    }

    /// Sets every plane to 0 that no single tile covers whole: tiles write over the rest anyway.
    fn clear_uncovered<'p>(&self, buffer: &mut Buffer, placements: impl Iterator<Item = &'p Placement> + Clone) {
        let planes = (self.size[0] * self.size[1] * self.size[2]) as usize;
        let mut covered = vec![false; planes];
        let plane_bytes = self.plane_bytes();
        for placement in placements {
            let cut = self.intersect(placement);
            if cut.end[Y] - cut.first[Y] == self.size[Y] && cut.end[X] - cut.first[X] == self.size[X] {
                self.for_each_plane(&cut, |_, at| covered[at / plane_bytes] = true);
            }
        }
        for (plane, _) in covered.iter().enumerate().filter(|(_, covered)| !**covered) {
            buffer.bytes_mut()[plane * plane_bytes..(plane + 1) * plane_bytes].fill(0);
        }
    }
}
