//! The plan of a whole conversion, before anything is written: files, bytes, memory, what is missing, what overlaps.

use ome_zarr_convert_compute::{ComputeError, Cost, Threads, plan_image, preflight};
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
    /// What it costs.
    pub cost: Cost,
    /// Pixels of the finest level that more than one tile covers.
    pub overlapping_pixels: u64,
    /// Tiles that cannot be converted.
    pub problems: Vec<String>,
}

/// Plans every image and opens the header of every file, writing nothing.
pub fn plan_conversion(prepared: &Prepared, threads: &Threads) -> Result<Vec<PlannedImage>, TaskError> {
    let mut planned = Vec::with_capacity(prepared.images());
    let context = ComputeContext::new();
    for image in prepared.tiled_images() {
        let options = prepared.options();
        let plan = plan_image(image, options)?;
        let problems = threads.run(|| preflight(image, options, context.loader, None))?;
        planned.push(PlannedImage {
            path: image.path.clone(),
            shape: plan.own_axes(plan.levels[0].shape),
            axes: plan.axes.iter().map(|axis| axis.name()).collect(),
            tiles: plan.placements.len(),
            levels: plan.levels.len(),
            cost: plan.cost(threads.count()),
            overlapping_pixels: plan.overlapping_pixels(),
            problems: problems.iter().map(ComputeError::to_string).collect(),
        });
    }
    Ok(planned)
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
            "peak_bytes": self.cost.peak_bytes,
            "overlapping_pixels": self.overlapping_pixels,
            "problems": self.problems,
        })
    }
}
