//! Tiles that an image does without: which are bad, which others go with them, and what is reported.

use std::collections::BTreeSet;

use ome_zarr_convert_core::options::BadTiles;
use ome_zarr_convert_geometry::Fault;

use crate::error::ComputeError;
use crate::image::PlannedImage;
use crate::report::LeftOut;

/// Placements that stay empty, and why.
pub(crate) struct BadTilesFound<'a> {
    image: &'a PlannedImage,
    pub(crate) placements: BTreeSet<usize>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl<'a> BadTilesFound<'a> {
    pub(crate) fn new(image: &'a PlannedImage) -> Self {
        Self {
            image,
            placements: BTreeSet::new(),
            left_out: Vec::new(),
        }
    }

    /// Leaves out the tile of a placement, and its whole field of view where the options say so. Only what is wrong with the data may be left
    /// out: an error of the system, or of this program, would make a good tile black. When no tile remains, or the error is none of
    /// the tile's data, the error comes back.
    pub(crate) fn add(&mut self, number: usize, error: ComputeError) -> Result<(), ComputeError> {
        let policy = self.image.options().bad_tiles;
        if policy == BadTiles::Fail || !error.is_of_a_tile() || error.fault() != Fault::Data {
            return Err(error);
        }
        let placements = &self.image.plan().placements;
        let region = |number: usize| &self.image.tiled().regions[placements[number].region];
        let field = &region(number).roi.name;
        for other in 0..placements.len() {
            let goes = other == number || (policy == BadTiles::SkipFov && region(other).roi.name == *field);
            if goes && self.placements.insert(other) {
                let problem = if other == number {
                    error.to_string()
                } else {
                    format!("another tile of its field of view is bad: {error}")
                };
                self.left_out.push(LeftOut {
                    tile: region(other).describe(),
                    problem,
                });
            }
        }
        if self.placements.len() == placements.len() {
            return Err(error);
        }
        Ok(())
    }
}
