//! Validators: checks of images before anything is written.

use crate::model::{model, union};

model! {
    /// Looks for every source of an image, which only warns, and loads one tile per image to hold it against its declared
    /// shape and data type, which is an error when they differ. Costs one tile's reading per image.
    pub struct ShapeDtypeProbeValidator "ShapeDtypeProbeValidator" tag name = "Shape and Dtype Probe" {}
}

union! {
    /// A check of images before anything is written.
    pub enum Validator by "name" {
        ShapeAndDtypeProbe(ShapeDtypeProbeValidator),
    }
}
