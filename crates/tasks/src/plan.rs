//! The plan of a whole conversion, before anything is written: files, bytes, memory, what is missing, what overlaps.

use std::path::Path;

use ome_zarr_convert_compute::{
    ComputeError, Conversion, Cost, Decoding, Footprint, Means, Threads, choose_means, plan_image, preflight,
};
use ome_zarr_convert_core::TiledImage;
use serde_json::{Value, json};

use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::runner::Prepared;

/// The plan of one image.
#[derive(Clone, Debug)]
pub struct PlannedImage {
    /// Path below the output folder.
    pub path: String,
    /// Shape of its finest level, per axis.
    pub shape: Vec<u64>,
    /// Axes of the shape.
    pub axes: String,
    /// Number of tiles.
    pub tiles: usize,
    /// Number of levels.
    pub levels: usize,
    /// What it costs on disk.
    pub cost: Cost,
    /// What it is converted with; `None` when the memory limit is too small, which is one of the problems then.
    pub means: Option<Means>,
    /// Pixels of the finest level that more than one tile covers.
    pub overlapping_pixels: u64,
    /// Tiles that cannot be converted, and other reasons why the image cannot.
    pub problems: Vec<String>,
}

/// Plans every image for a process of up to `memory_limit` bytes and opens the header of every file, writing nothing.
pub fn plan_conversion(
    prepared: &Prepared,
    threads: &Threads,
    memory_limit: Option<u64>,
) -> Result<Vec<PlannedImage>, TaskError> {
    let mut planned = Vec::with_capacity(prepared.images());
    let context = ComputeContext::new();
    for image in prepared.tiled_images() {
        let options = prepared.options();
        let plan = plan_image(image, options)?;
        let problems = threads.run(|| preflight(image, options, context.loader, None))?;
        let mut problems: Vec<String> = problems.iter().map(ComputeError::to_string).collect();
        let footprint = Footprint::new(document_bytes(image), threads.count());
        let conversion = Conversion {
            pixel_budget: memory_limit.map(|limit| footprint.pixel_budget(limit)),
            ..Conversion::new(Path::new(&image.path), options)
        };
        let means = threads.run(|| choose_means(image, &plan, &conversion));
        let too_small = |error| TaskError::of_process(error, &footprint, memory_limit).to_string();
        let means = means.map_err(|error| problems.push(too_small(error))).ok();
        planned.push(PlannedImage {
            path: image.path.clone(),
            shape: plan.own_axes(plan.levels[0].shape),
            axes: plan.axes.iter().map(|axis| axis.name()).collect(),
            tiles: plan.placements.len(),
            levels: plan.levels.len(),
            cost: plan.cost(),
            means,
            overlapping_pixels: plan.overlapping_pixels(),
            problems,
        });
    }
    Ok(planned)
}

/// About as many bytes as the image's document has: it is not made for a plan.
fn document_bytes(image: &TiledImage) -> u64 {
    const REGION_BYTES: u64 = 600;
    image.regions.len() as u64 * REGION_BYTES
}

impl PlannedImage {
    /// The plan as a document.
    pub fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "axes": self.axes,
            "shape": self.shape,
            "tiles": self.tiles,
            "levels": self.levels,
            "chunks": self.cost.chunks,
            "files": self.cost.files,
            "folders": self.cost.folders,
            "pixel_bytes": self.cost.pixel_bytes,
            "peak_bytes": self.means.map(|means| means.peak_bytes),
            "threads": self.means.map(|means| means.workers),
            "planes_decoded": self.means.map(|means| match means.decoding {
                Decoding::Once => "once",
                Decoding::PerChunk => "per chunk",
                Decoding::InPlace => "in place",
            }),
            "overlapping_pixels": self.overlapping_pixels,
            "problems": self.problems,
        })
    }
}
