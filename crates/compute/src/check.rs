//! Holds the headers of sources against what their tiles declare, before pixels are read.

use ome_zarr_convert_core::Region;
use ome_zarr_convert_geometry::{Axis, PixelType};
use ome_zarr_convert_sources::ImageInfo;

use crate::error::ComputeError;
use crate::plan::{ImagePlan, Placement};

/// Holds a source against what its tile declares: axes, size and type. An image whose first tile has another type than the image was
/// given a type on purpose: then no type is required, values are cast, and must fit.
pub(crate) fn check_source(
    found: &ImageInfo,
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
    let shape = &found.shape;
    let declared = plan.own_axes(placement.pixels.size);
    let axes = Axis::letters(&plan.axes);
    if shape.len() > declared.len() {
        return wrong(format!(
            "the file has {} axes (shape {shape:?}), but the image has the {} axes {axes}; add the missing axes to the \
             acquisition, or write files without them",
            shape.len(),
            declared.len()
        ));
    }
    let missing = declared.len() - shape.len();
    let padded: Vec<u64> = std::iter::repeat_n(1, missing).chain(shape.iter().copied()).collect();
    if padded != declared {
        return wrong(format!(
            "the file's shape is {shape:?}, but the tile declares {declared:?} (axes {axes}); correct the tile's lengths, or \
             give the right file"
        ));
    }
    match required_type {
        Some(required) if required != found.pixel_type => wrong(format!(
            "the file's data type is {}, but the image's is {} (that of its first tile); tiles of one image share a type: \
             convert the file, or request a data type in the acquisition",
            found.pixel_type, plan.data_type
        )),
        _ => Ok(()),
    }
}
