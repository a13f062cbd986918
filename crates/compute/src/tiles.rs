//! The tiles of one image while it is converted: each source is opened once and each plane decoded once, however many
//! chunks it spans, unless memory or open files run short.

mod open;
mod planes;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ome_zarr_convert_core::options::Overlap;
use ome_zarr_convert_geometry::{Index5, PixelType};
use ome_zarr_convert_sources::PlaneMut;
use rayon::prelude::*;

use self::planes::TileState;
use crate::blend::{Layer, combine};
use crate::buffer::Buffer;
use crate::error::ComputeError;
use crate::event::Event;
use crate::frame::Frame;
use crate::guard::guarded;
use crate::job::Job;
use crate::plan::{ImagePlan, X, Y};

/// Loads tiles into chunks.
pub(crate) struct Tiles<'a> {
    job: &'a Job<'a>,
    /// Type that every source must have; `None` when a type was asked for, so that values are cast.
    required_type: Option<PixelType>,
    /// Whether planes of one chunk are filled side by side, and how many threads there are for the bands of one plane.
    parallel: bool,
    bands: usize,
    /// Sources that are open, and bytes of decoded pixels that they keep.
    open: AtomicUsize,
    kept: AtomicU64,
    states: Vec<Mutex<TileState>>,
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
    /// Opens the first tile, whose type is that of the image, unless the headers have been checked before.
    pub(crate) fn new(job: &'a Job<'a>) -> Result<Self, Failure> {
        let plan = job.plan();
        let mut leaves = vec![0_usize; plan.placements.len()];
        for leaf in &plan.leaves {
            for placement in &leaf.placements {
                leaves[*placement] += 1;
            }
        }
        // There must be memory for every thread of the pool, also for those that work on one chunk together.
        let threads = rayon::current_num_threads();
        let parallel = job.means.workers == threads;
        let mut tiles = Self {
            job,
            required_type: None,
            parallel,
            bands: if parallel {
                threads / planes_of_all(plan).max(1)
            } else {
                1
            },
            open: AtomicUsize::new(0),
            kept: AtomicU64::new(0),
            states: leaves
                .into_iter()
                .map(|count| Mutex::new(TileState::new(count)))
                .collect(),
        };
        let first = (0..tiles.states.len()).find(|number| !job.left_out.contains(number));
        let first_type = match (job.image.checked(), first) {
            (Some(headers), _) => headers.first_type,
            (None, None) => None,
            (None, Some(first)) => {
                let opened = guarded(|| job.describe(first), || tiles.open(first));
                let opened = opened.map_err(|error| Failure {
                    tile: Some(first),
                    error,
                })?;
                Some(opened.info().pixel_type)
            }
        };
        tiles.required_type = first_type.filter(|found| *found == plan.data_type);
        Ok(tiles)
    }

    /// Passes over a leaf that an earlier run finished.
    pub(crate) fn pass(&self, chunk: Index5, placements: &[usize]) {
        let plan = self.job.plan();
        let chunk = plan.levels[0].chunks().pixels_of(chunk);
        for &number in placements {
            let tile = &plan.placements[number].pixels;
            let mut state = self.lock(number);
            if self.chunks_of(number) > 1 && self.job.decodes_once() {
                tile.intersection(&chunk)
                    .each_plane(|plane| state.pass(tile.plane_number(plane)));
            }
            self.leaf_done(number, &mut state);
        }
    }

    /// Fills the chunk of a leaf. `None`: no tile lies in it.
    pub(crate) fn fill(&self, chunk: Index5, placements: &[usize]) -> Result<Option<Buffer>, Failure> {
        let plan = self.job.plan();
        let placements = placements.iter().copied();
        let mut placements: Vec<usize> = placements
            .filter(|number| !self.job.left_out.contains(number))
            .collect();
        if placements.is_empty() {
            return Ok(None);
        }
        let frame = Frame::new(&plan.levels[0], chunk, plan.data_type.size_bytes());
        let mut buffer = self.job.pool.take(frame.bytes());
        frame.clear_uncovered(
            &mut buffer,
            placements.iter().map(|number| &plan.placements[*number].pixels),
        );
        if plan.overlap == Overlap::First {
            placements.reverse();
        }
        self.fill_planes(&placements, &frame, &mut buffer)?;
        for &number in &placements {
            self.leaf_done(number, &mut self.lock(number));
        }
        Ok(Some(buffer))
    }

    fn fill_planes(&self, placements: &[usize], frame: &Frame, buffer: &mut Buffer) -> Result<(), Failure> {
        let slots = buffer.bytes_mut().chunks_mut(frame.plane_bytes());
        let mut slots: Vec<Option<&mut [u8]>> = slots.map(Some).collect();
        let mut planes: Vec<([u64; 3], &mut [u8])> = Vec::with_capacity(slots.len());
        frame.valid.each_plane(|plane| {
            let slot = slots.get_mut(frame.plane_number(plane)).and_then(Option::take);
            planes.extend(slot.map(|slot| (plane, slot)));
        });
        let fill = |(plane, pixels): ([u64; 3], &mut [u8])| self.fill_plane(placements, plane, frame, pixels);
        if self.parallel && planes.len() > 1 {
            // All are tried, so that of several errors the first is reported.
            let filled: Vec<Result<(), Failure>> = planes.into_par_iter().map(fill).collect();
            return filled.into_iter().collect();
        }
        planes.into_iter().try_for_each(fill)
    }

    /// Writes the tiles that cover a plane of a chunk one over the other, or blends them: then they are decoded side by side and combined
    /// row by row.
    fn fill_plane(&self, placements: &[usize], plane: [u64; 3], frame: &Frame, out: &mut [u8]) -> Result<(), Failure> {
        let plan = self.job.plan();
        let covering = placements.iter().copied();
        let covering: Vec<usize> = covering
            .filter(|number| plan.placements[*number].pixels.has_plane(plane))
            .collect();
        let in_turn = matches!(plan.overlap, Overlap::Last | Overlap::First) || covering.len() < 2;
        let mut layers: Vec<Layer> = Vec::new();
        for number in covering {
            let part = plan.placements[number].pixels.intersection(&frame.valid);
            let place = |data: &mut [u8], row_stride: usize| {
                let copy = || self.copy_plane(number, plane, &part, PlaneMut { data, row_stride });
                let placed = guarded(|| self.job.describe(number), copy);
                placed.map_err(|error| Failure {
                    tile: Some(number),
                    error,
                })
            };
            if in_turn {
                place(&mut out[frame.corner(&part)..], frame.row_bytes())?;
            } else {
                let (height, width) = part.plane_size();
                let row_stride = width as usize * frame.pixel_bytes;
                let mut pixels = self.job.pool.take(height as usize * row_stride);
                place(pixels.bytes_mut(), row_stride)?;
                layers.push(Layer::new(&plan.placements[number].pixels, frame, &part, pixels));
            }
        }
        if !layers.is_empty() {
            combine(plan.overlap, plan.data_type, &layers, out, frame.size[X] as usize);
        }
        Ok(())
    }

    /// Number of chunks of one slab that the tile of a placement lies in.
    fn chunks_of(&self, number: usize) -> u64 {
        let plan = self.job.plan();
        plan.levels[0].chunks().cells_across(&plan.placements[number].pixels)
    }

    /// One leaf fewer needs the tile; after the last one its source is closed, and before where too many are open.
    fn leaf_done(&self, number: usize, state: &mut TileState) {
        state.leaves_left = state.leaves_left.saturating_sub(1);
        let last = state.leaves_left == 0;
        let kept = state.image.as_ref().map_or(0, |image| image.kept_bytes());
        self.kept.fetch_add(kept, Ordering::Relaxed);
        let before = std::mem::replace(&mut state.kept, kept);
        let all_kept = self.kept.fetch_sub(before, Ordering::Relaxed) - before;
        let too_many = self.open.load(Ordering::Relaxed) > self.job.most_open || all_kept > self.job.means.spare_bytes;
        if (last || too_many) && state.image.take().is_some() {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.kept.fetch_sub(std::mem::take(&mut state.kept), Ordering::Relaxed);
        }
        if last {
            let region = self.job.region(number);
            self.job.tell(Event::TileRead {
                image: self.job.image.path(),
                field_of_view: &region.roi.name,
                file: region.image_loader.file_path(),
            });
        }
    }

    fn lock(&self, number: usize) -> MutexGuard<'_, TileState> {
        self.states[number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Number of planes that can be decoded side by side.
fn planes_of_all(plan: &ImagePlan) -> usize {
    let planes = plan
        .placements
        .iter()
        .map(|tile| tile.pixels.size[..Y].iter().product::<u64>());
    usize::try_from(planes.sum::<u64>()).unwrap_or(usize::MAX)
}
