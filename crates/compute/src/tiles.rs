//! The tiles of one image while it is converted: each source is opened once and each plane decoded once, however many
//! chunks it spans, unless memory or open files run short.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ome_zarr_convert_core::Region;
use ome_zarr_convert_core::options::Overlap;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::{ImageLoader, OpenImage, PlaneMut, SourceError, Window};
use rayon::prelude::*;

use crate::blend::{Layer, combine};
use crate::buffer::{Buffer, BufferPool};
use crate::error::ComputeError;
use crate::frame::{Cut, Frame};
use crate::guard::guarded;
use crate::pixel::cast;
use crate::plan::{Decoding, ImagePlan, Index5, Placement, X, Y};
use crate::progress::{Cancellation, Counters, Event, Progress, Silent};

/// Loads tiles into chunks.
pub(crate) struct Tiles<'a> {
    plan: &'a ImagePlan,
    regions: &'a [Region],
    loader: &'a dyn ImageLoader,
    resource: Option<&'a str>,
    /// Type that every source must have; `None` when a type was asked for, so that values are cast.
    required_type: Option<PixelType>,
    decoding: Decoding,
    counters: &'a Counters,
    progress: &'a dyn Progress,
    cancellation: &'a Cancellation,
    left_out: BTreeSet<usize>,
    /// Whether planes of one chunk are filled side by side, and how many threads there are for the bands of one plane.
    parallel: bool,
    bands: usize,
    /// Sources that are open, and how many may stay open while no chunk reads them.
    open: AtomicUsize,
    most_open: usize,
    /// Bytes of decoded pixels that open sources keep, and how many they may.
    kept: AtomicU64,
    most_kept: u64,
    states: Vec<Mutex<TileState>>,
}

/// What [`Tiles`] needs besides the plan and its regions.
pub(crate) struct TilesWith<'a> {
    pub(crate) loader: &'a dyn ImageLoader,
    pub(crate) resource: Option<&'a str>,
    pub(crate) counters: &'a Counters,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancellation: &'a Cancellation,
    /// Placements that are not to be looked at.
    pub(crate) left_out: BTreeSet<usize>,
    pub(crate) decoding: Decoding,
    pub(crate) most_open: usize,
    pub(crate) most_kept: u64,
    /// Whether there is memory for every thread of the pool, also for those that work on one chunk together.
    pub(crate) parallel: bool,
}

impl<'a> TilesWith<'a> {
    /// All tiles, each plane decoded once, in silence.
    pub(crate) fn new(loader: &'a dyn ImageLoader, resource: Option<&'a str>, counters: &'a Counters) -> Self {
        static NEVER: Cancellation = Cancellation::new();
        Self {
            loader,
            resource,
            counters,
            progress: &Silent,
            cancellation: &NEVER,
            left_out: BTreeSet::new(),
            decoding: Decoding::Once,
            most_open: MOST_OPEN,
            most_kept: u64::MAX,
            parallel: false,
        }
    }
}

/// Sources that may stay open unless another number is asked for: systems allow as few as 256 files.
pub(crate) const MOST_OPEN: usize = 128;

struct TileState {
    /// Leaves that still need this tile.
    leaves_left: usize,
    image: Option<Arc<dyn OpenImage>>,
    /// Bytes that it kept when it was last looked at.
    kept: u64,
    /// Whole planes that more than one leaf needs.
    planes: HashMap<u64, Plane>,
    /// Leaves that an earlier run finished, per plane that has not been decoded.
    passed: HashMap<u64, usize>,
}

impl TileState {
    /// Gives the buffer of a plane back if no leaf needs it any more. Whoever still waits for it, decodes it or copies from it comes here
    /// later.
    fn release(&mut self, plane: u64, pool: &BufferPool) {
        let Some(held) = self.planes.get(&plane).filter(|held| held.left == 0) else {
            return;
        };
        if Arc::strong_count(&held.pixels) > 1 {
            return;
        }
        let mut pixels = held.pixels.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = pixels.take_if(|pixels| Arc::strong_count(pixels) == 1);
        let is_used = pixels.is_some();
        drop(pixels);
        if !is_used {
            self.planes.remove(&plane);
        }
        if let Some(buffer) = unused.and_then(Arc::into_inner) {
            pool.give(buffer);
        }
    }
}

/// A decoded plane of a tile.
struct Plane {
    /// Its pixels, once somebody has decoded them.
    pixels: Arc<Mutex<Option<Arc<Buffer>>>>,
    /// Leaves that have not asked for it yet.
    left: usize,
}

/// An error with the placement whose source is to blame, if one is.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) tile: Option<usize>,
    pub(crate) error: ComputeError,
}

impl From<ComputeError> for Failure {
    fn from(error: ComputeError) -> Self {
        Self { tile: None, error }
    }
}

impl<'a> Tiles<'a> {
    /// Opens the first tile, whose type is that of the image.
    pub(crate) fn new(plan: &'a ImagePlan, regions: &'a [Region], with: TilesWith<'a>) -> Result<Self, Failure> {
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
                kept: 0,
                planes: HashMap::new(),
                passed: HashMap::new(),
            })
        };
        let mut tiles = Self {
            plan,
            regions,
            loader: with.loader,
            resource: with.resource,
            required_type: None,
            decoding: with.decoding,
            counters: with.counters,
            progress: with.progress,
            cancellation: with.cancellation,
            left_out: with.left_out,
            parallel: with.parallel,
            bands: match with.parallel {
                true => rayon::current_num_threads() / planes_of_all(plan).max(1),
                false => 1,
            },
            open: AtomicUsize::new(0),
            most_open: with.most_open,
            kept: AtomicU64::new(0),
            most_kept: with.most_kept,
            states: leaves.into_iter().map(state).collect(),
        };
        if let Some(first) = (0..tiles.states.len()).find(|number| !tiles.left_out.contains(number)) {
            let opened = guarded(|| tiles.describe(first), || tiles.open(first));
            let opened = opened.map_err(|error| Failure {
                tile: Some(first),
                error,
            })?;
            tiles.required_type = required_type(&*opened, plan);
        }
        Ok(tiles)
    }

    /// Passes over a leaf that an earlier run finished.
    pub(crate) fn pass(&self, chunk: Index5, placements: &[usize], pool: &BufferPool) {
        let frame = Frame::new(&self.plan.levels[0], chunk, self.plan.data_type.size_bytes());
        for &number in placements {
            let placement = &self.plan.placements[number];
            let mut state = self.lock(number);
            if self.chunks_of(placement) > 1 && self.decoding == Decoding::Once {
                frame.for_each_plane(&frame.intersect(placement), |index, _| {
                    let plane = placement.plane(index);
                    match state.planes.get_mut(&plane) {
                        Some(held) => {
                            held.left = held.left.saturating_sub(1);
                            state.release(plane, pool);
                        }
                        None => *state.passed.entry(plane).or_default() += 1,
                    }
                });
            }
            self.leaf_done(number, &mut state);
        }
    }

    /// One leaf fewer needs the tile; after the last one its source is closed, and before where too many are open.
    fn leaf_done(&self, number: usize, state: &mut TileState) {
        state.leaves_left = state.leaves_left.saturating_sub(1);
        let last = state.leaves_left == 0;
        let kept = state.image.as_ref().map_or(0, |image| image.kept_bytes());
        self.kept.fetch_add(kept, Ordering::Relaxed);
        let before = std::mem::replace(&mut state.kept, kept);
        let all_kept = self.kept.fetch_sub(before, Ordering::Relaxed) - before;
        let too_many = self.open.load(Ordering::Relaxed) > self.most_open || all_kept > self.most_kept;
        if (last || too_many) && state.image.take().is_some() {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.kept.fetch_sub(std::mem::take(&mut state.kept), Ordering::Relaxed);
        }
        if last {
            let region = &self.regions[self.plan.placements[number].region];
            self.progress.on(Event::TileRead {
                field_of_view: &region.roi.name,
                file: region.image_loader.file_path(),
            });
        }
    }

    /// Fills the chunk of a leaf. `None`: no tile lies in it.
    pub(crate) fn fill(
        &self,
        chunk: Index5,
        placements: &[usize],
        pool: &BufferPool,
    ) -> Result<Option<Buffer>, Failure> {
        let mut placements: Vec<usize> = placements
            .iter()
            .copied()
            .filter(|n| !self.left_out.contains(n))
            .collect();
        if placements.is_empty() {
            return Ok(None);
        }
        let frame = Frame::new(&self.plan.levels[0], chunk, self.plan.data_type.size_bytes());
        let mut buffer = pool.take(frame.bytes());
        frame.clear_uncovered(
            &mut buffer,
            placements.iter().map(|number| &self.plan.placements[*number]),
        );
        if self.plan.overlap == Overlap::First {
            placements.reverse();
        }
        let plane_bytes = frame.plane_bytes();
        let mut slots: Vec<Option<&mut [u8]>> = buffer.bytes_mut().chunks_mut(plane_bytes).map(Some).collect();
        let planes = frame.planes().into_iter();
        let planes: Vec<_> = planes
            .filter_map(|(index, at)| Some((index, slots.get_mut(at / plane_bytes)?.take()?)))
            .collect();
        let fill = |(index, plane): ([u64; 3], &mut [u8])| self.fill_plane(&placements, index, &frame, plane, pool);
        if self.parallel && planes.len() > 1 {
            // All are tried, so that of several errors the first is told.
            let filled: Vec<Result<(), Failure>> = planes.into_par_iter().map(fill).collect();
            filled.into_iter().collect::<Result<(), Failure>>()?;
        } else {
            planes.into_iter().try_for_each(fill)?;
        }
        for &number in &placements {
            self.leaf_done(number, &mut self.lock(number));
        }
        Ok(Some(buffer))
    }

    /// Writes the tiles that cover a plane of a chunk one over the other, or blends them: then they are decoded side by side and combined
    /// row by row.
    fn fill_plane(
        &self,
        placements: &[usize],
        index: [u64; 3],
        frame: &Frame,
        plane: &mut [u8],
        pool: &BufferPool,
    ) -> Result<(), Failure> {
        let covering = placements.iter().copied();
        let covering: Vec<usize> = covering.filter(|n| self.plan.placements[*n].covers(index)).collect();
        let in_turn = matches!(self.plan.overlap, Overlap::Last | Overlap::First) || covering.len() < 2;
        let mut layers: Vec<Layer> = Vec::new();
        for number in covering {
            let placement = &self.plan.placements[number];
            let cut = frame.intersect(placement);
            let place = |data: &mut [u8], row_stride: usize| {
                let work = || {
                    let image = self.open(number)?;
                    let out = PlaneMut { data, row_stride };
                    self.copy_plane(number, &*image, placement.plane(index), &cut, out, pool)
                };
                let placed = guarded(|| self.describe(number), work);
                placed.map_err(|error| Failure {
                    tile: Some(number),
                    error,
                })
            };
            if in_turn {
                place(&mut plane[frame.corner(&cut)..], frame.row_bytes())?;
            } else {
                let (height, width) = cut.extent();
                let row_stride = width as usize * frame.pixel_bytes;
                let mut pixels = pool.take(height as usize * row_stride);
                place(pixels.bytes_mut(), row_stride)?;
                layers.push(Layer::new(placement, frame, &cut, pixels));
            }
        }
        if !layers.is_empty() {
            combine(
                self.plan.overlap,
                self.plan.data_type,
                &layers,
                plane,
                frame.size[X] as usize,
            );
            layers.into_iter().for_each(|layer| pool.give(layer.pixels));
        }
        Ok(())
    }

    /// Number of chunks of one slab that a tile lies in.
    fn chunks_of(&self, placement: &Placement) -> usize {
        placement.chunks_across(&self.plan.levels[0]) as usize
    }

    /// Writes the part of a plane of a tile that lies in a chunk to `out`, which begins at the cut's first pixel.
    fn copy_plane(
        &self,
        number: usize,
        image: &dyn OpenImage,
        plane: u64,
        cut: &Cut,
        out: PlaneMut<'_>,
        pool: &BufferPool,
    ) -> Result<(), ComputeError> {
        // A chunk can be many planes that take long to decode.
        self.cancellation.check()?;
        let placement = &self.plan.placements[number];
        let (height, width) = cut.extent();
        let window = Window {
            y: cut.first[Y] - placement.start[Y],
            x: cut.first[X] - placement.start[X],
            height,
            width,
        };
        let row_bytes = width as usize * self.plan.data_type.size_bytes();
        let stride = out.row_stride;
        let out = &mut out.data[..(height as usize - 1) * stride + row_bytes];
        let shared = self.chunks_of(placement);
        let source_type = image.info().pixel_type;
        let source_bytes = source_type.size_bytes();
        let by_itself = shared == 1 || image.cheap_windows() || self.decoding != Decoding::Once;
        let read = |window: Window, data: &mut [u8], row_stride: usize| {
            // Parts of planes that are cheap to read are not counted as decoded.
            let decoded = shared == 1 || !image.cheap_windows();
            Counters::add(&self.counters.planes_decoded, u64::from(decoded));
            let read = self.read_bands(image, plane, window, PlaneMut { data, row_stride });
            read.map_err(|source| self.unreadable(number, source))
        };
        if source_type == self.plan.data_type && by_itself {
            return read(window, out, stride);
        }
        // A plane that several chunks need is decoded whole, once; a plane of another type is cast row by row.
        let (source, kept) = if by_itself {
            let mut part = pool.take((height * width) as usize * source_bytes);
            read(window, part.bytes_mut(), width as usize * source_bytes)?;
            (Arc::new(part), false)
        } else {
            let whole =
                |buffer: &mut Buffer, all: Window| read(all, buffer.bytes_mut(), all.width as usize * source_bytes);
            let plane = self.whole_plane(number, plane, shared, source_bytes, pool, whole)?;
            (plane, true)
        };
        let held = if kept { whole_of(placement) } else { window };
        for row in 0..height {
            let first = (window.y - held.y + row) * held.width + window.x - held.x;
            let from = &source.bytes()[first as usize * source_bytes..(first + width) as usize * source_bytes];
            let to = &mut out[row as usize * stride..row as usize * stride + row_bytes];
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
        if kept {
            self.release_plane(number, plane, source, pool);
        } else if let Some(part) = Arc::into_inner(source) {
            pool.give(part);
        }
        Ok(())
    }

    fn whole_plane(
        &self,
        number: usize,
        plane: u64,
        shared: usize,
        source_bytes: usize,
        pool: &BufferPool,
        read: impl FnOnce(&mut Buffer, Window) -> Result<(), ComputeError>,
    ) -> Result<Arc<Buffer>, ComputeError> {
        let pixels = {
            let mut state = self.lock(number);
            let passed = state.passed.remove(&plane).unwrap_or(0);
            let held = state.planes.entry(plane).or_insert_with(|| Plane {
                pixels: Arc::default(),
                left: shared.saturating_sub(passed),
            });
            held.left = held.left.saturating_sub(1);
            held.pixels.clone()
        };
        // Other planes of the tile can be decoded meanwhile; who needs this one waits for it.
        let mut pixels = pixels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole) = &*pixels {
            return Ok(whole.clone());
        }
        let window = whole_of(&self.plan.placements[number]);
        let mut whole = pool.take((window.height * window.width) as usize * source_bytes);
        read(&mut whole, window)?;
        Ok(pixels.insert(Arc::new(whole)).clone())
    }

    /// Gives the buffer of a plane back once no leaf needs it.
    fn release_plane(&self, number: usize, plane: u64, whole: Arc<Buffer>, pool: &BufferPool) {
        let mut state = self.lock(number);
        drop(whole);
        state.release(plane, pool);
    }

    /// Reads a window; in bands by several threads where there are more of them than tiles.
    fn read_bands(
        &self,
        image: &dyn OpenImage,
        plane: u64,
        window: Window,
        out: PlaneMut<'_>,
    ) -> Result<(), SourceError> {
        const WORTH_IT_PIXELS: u64 = 1 << 20;
        let worth_it = self.bands > 1 && window.height * window.width >= WORTH_IT_PIXELS;
        let bands = match image.independent_rows().filter(|_| worth_it) {
            Some(rows) => window.bands(rows, self.bands),
            None => Vec::new(),
        };
        if bands.len() < 2 {
            return image.read_window(plane, window, out);
        }
        let row_stride = out.row_stride;
        // Threads of their own: a thread of the pool that waits could take up work that needs the plane it has locked.
        std::thread::scope(|scope| {
            let mut rest = out.data;
            let mut threads = Vec::with_capacity(bands.len());
            for band in bands {
                let length = rest.len().min(band.height as usize * row_stride);
                let (data, below) = std::mem::take(&mut rest).split_at_mut(length);
                rest = below;
                threads.push(scope.spawn(move || image.read_window(plane, band, PlaneMut { data, row_stride })));
            }
            let ended = threads.into_iter().map(|thread| match thread.join() {
                Ok(read) => read,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            ended.collect::<Vec<_>>().into_iter().collect()
        })
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
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(image)
    }

    fn lock(&self, number: usize) -> std::sync::MutexGuard<'_, TileState> {
        self.states[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, number: usize) -> String {
        self.regions[self.plan.placements[number].region].describe()
    }

    fn unreadable(&self, number: usize, source: SourceError) -> ComputeError {
        ComputeError::Source {
            tile: self.describe(number),
            source: Box::new(source),
        }
    }
}

/// Number of planes that can be decoded side by side.
fn planes_of_all(plan: &ImagePlan) -> usize {
    let planes = plan
        .placements
        .iter()
        .map(|tile| tile.size[..3].iter().product::<u64>());
    usize::try_from(planes.sum::<u64>()).unwrap_or(usize::MAX)
}

/// The window of a whole plane.
fn whole_of(placement: &Placement) -> Window {
    Window {
        y: 0,
        x: 0,
        height: placement.size[Y],
        width: placement.size[X],
    }
}

/// The data type that every source must have. An image whose first tile has another type than the image was given a type on
/// purpose: then there is none, values are cast, and must fit.
pub(crate) fn required_type(first: &dyn OpenImage, plan: &ImagePlan) -> Option<PixelType> {
    Some(first.info().pixel_type).filter(|found| *found == plan.data_type)
}

/// Holds an opened source against what its tile declares: axes, size and type.
pub(crate) fn check_source(
    image: &dyn OpenImage,
    region: &Region,
    placement: &Placement,
    plan: &ImagePlan,
    required_type: Option<PixelType>,
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
    let found = image.info().pixel_type;
    match required_type {
        Some(required) if required != found => wrong(format!(
            "the file's data type is {found}, but the image's is {} (that of its first tile); tiles of one image share a type: \
             convert the file, or ask for a data type in the acquisition",
            plan.data_type.name()
        )),
        _ => Ok(()),
    }
}
