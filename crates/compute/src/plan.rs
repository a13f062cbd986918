//! What one image will be: levels, chunks, where each tile goes, and the order of work. Pure: no I/O, no threads.

mod cost;
mod countable;
mod levels;
mod memory;
mod placement;

pub use cost::Cost;
pub use levels::Level;
use levels::Sharding;
pub(crate) use memory::Casting;
pub use memory::{Decoding, Means, Memory};
use ome_zarr_convert_core::TiledImage;
use ome_zarr_convert_core::acquisition::channels_problem;
use ome_zarr_convert_core::options::{ConverterOptions, Grouping, Overlap, PyramidLevels, ShardingStrategy};
use ome_zarr_convert_geometry::{Axis, Index5, PixelType, each_index, strides};
pub use placement::Placement;

use crate::error::ComputeError;

/// Positions of y and x in an [`Index5`].
pub(crate) const Y: usize = Axis::Y.index();
pub(crate) const X: usize = Axis::X.index();

/// The work on one image as data: it can be printed, compared and executed more than once.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagePlan {
    /// Axes of the image in array order.
    pub axes: Vec<Axis>,
    /// Data type of the output.
    pub data_type: PixelType,
    /// Levels from fine to coarse; at least one.
    pub levels: Vec<Level>,
    /// Levels asked for that would not shrink any more and are left out.
    pub levels_left_out: usize,
    /// Tiles by the order in which they are placed: where two overlap, the later wins.
    pub placements: Vec<Placement>,
    /// Chunks of level 0 in the order in which they are filled: slab by slab (t, c, z), inside each in Z-order over y and x, so
    /// that the children of a coarse chunk finish together.
    pub leaves: Vec<Leaf>,
    /// Which pixels win where tiles overlap.
    pub overlap: Overlap,
}

/// A chunk of level 0 and the tiles that lie in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Index of the chunk in the grid of level 0.
    pub chunk: Index5,
    /// Indices of the placements that lie in it, in their order.
    pub placements: Vec<usize>,
}

impl ImagePlan {
    /// Plans an image that has been registered.
    ///
    /// # Errors
    /// Among others: its chunks are too many to be counted, because a tile lies far from the others.
    pub fn new(image: &TiledImage, options: &ConverterOptions) -> Result<Self, ComputeError> {
        let wrong = |problem: String| ComputeError::Image {
            image: image.path.clone(),
            problem,
        };
        // Documents that others wrote have not been checked for this.
        channels_problem(&image.axes, image.channels.as_deref()).map_or(Ok(()), |problem| Err(wrong(problem)))?;
        image.attribute_rows().map_err(wrong)?;
        let shape = to_index5(&image.axes, &image.output_shape());
        let Some(first_group) = image.fields_of_view().into_iter().next() else {
            return Err(wrong("it has no tiles".into()));
        };
        let first = first_group.iter().map(|index| &image.regions[*index].roi);
        let first = ome_zarr_convert_core::Roi::union(first).ok_or_else(|| wrong("it has no tiles".into()))?;
        let chunk = levels::chunk_shape(&options.omezarr_options.chunks, &first, shape);
        countable::check_countable(image, shape, chunk)?;
        let (names, asked) = match &options.omezarr_options.levels {
            // An image has at most 64 levels: no size halves more often.
            PyramidLevels::Number(number) => (
                (0..number.num_levels.min(64)).map(|level| level.to_string()).collect(),
                number.num_levels,
            ),
            PyramidLevels::Names(names) => (names.level_names.clone(), names.level_names.len()),
        };
        let sharding = match &options.omezarr_options.shards {
            ShardingStrategy::None(_) => None,
            ShardingStrategy::MultipleOfChunks(multiple) => Some(match multiple.target_bytes {
                Some(bytes) => Sharding::TargetPixels((bytes / image.data_type.size_bytes() as u64).max(1)),
                None => Sharding::Factors([
                    multiple.t_factor,
                    multiple.c_factor,
                    multiple.z_factor,
                    multiple.xy_factor,
                    multiple.xy_factor,
                ]),
            }),
        };
        let levels = levels::plan_levels(shape, chunk, sharding, names);
        let levels_left_out = asked - levels.len();
        let placements = placement::place(image)?;
        let leaves = plan_leaves(&levels[0], &placements);
        let overlap = match &options.grouping {
            Grouping::Mosaic(mosaic) => mosaic.overlap,
            Grouping::PerFov(_) => Overlap::Last,
        };
        Ok(Self {
            axes: image.axes.clone(),
            data_type: image.data_type,
            levels,
            levels_left_out,
            placements,
            leaves,
            overlap,
        })
    }

    /// Bytes of all pixels of level 0.
    pub fn pixel_bytes(&self) -> u64 {
        self.levels[0].shape.iter().product::<u64>() * self.data_type.size_bytes() as u64
    }

    /// The last level.
    pub fn coarsest(&self) -> &Level {
        &self.levels[self.levels.len() - 1]
    }

    /// The entries of an [`Index5`] for the axes that the image has.
    pub fn own_axes(&self, index: Index5) -> Vec<u64> {
        self.axes.iter().map(|axis| index[axis.index()]).collect()
    }
}

/// Sizes per axis of the image as an [`Index5`]; axes it lacks are one cell.
fn to_index5(axes: &[Axis], sizes: &[u64]) -> Index5 {
    let mut index = [1; 5];
    for (axis, size) in axes.iter().zip(sizes) {
        index[axis.index()] = *size;
    }
    index
}

/// Every chunk of level 0 in order of work, with the tiles that lie in it.
fn plan_leaves(level: &Level, placements: &[Placement]) -> Vec<Leaf> {
    let chunks = level.chunks();
    let counts = chunks.counts();
    let strides = strides(counts);
    let position = |chunk: Index5| -> usize { (0..5).map(|at| chunk[at] as usize * strides[at]).sum() };
    let mut inside: Vec<Vec<usize>> = vec![Vec::new(); chunks.len() as usize];
    for (number, placement) in placements.iter().enumerate() {
        let (first, last) = chunks.cells_of(&placement.pixels);
        each_index(first, last, |chunk| inside[position(chunk)].push(number));
    }
    let mut leaves = Vec::with_capacity(inside.len());
    let z_order = levels::z_order(counts[Y], counts[X]);
    each_index([0; 5], [counts[0] - 1, counts[1] - 1, counts[2] - 1, 0, 0], |slab| {
        for &(y, x) in &z_order {
            let chunk = [slab[0], slab[1], slab[2], y, x];
            leaves.push(Leaf {
                chunk,
                placements: std::mem::take(&mut inside[position(chunk)]),
            });
        }
    });
    leaves
}
