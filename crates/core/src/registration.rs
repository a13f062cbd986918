//! Moves the tiles of an image to where they belong on the pixel grid: pure, in the reference's order of steps.

mod apart;
mod channels;
mod corners;
mod grid;
mod hidden;
mod offset;
mod pixel_grid;
mod spread;
mod stack;

use std::collections::HashMap;

use crate::error::CoreError;
use crate::extensions::{Extensions, REGISTRATION_STEPS};
use crate::options::{ConverterOptions, Grouping, StagePositionCorrections, TilingStrategy};
use crate::roi::Roi;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::Axis;

ome_zarr_convert_options::model::model! {
    /// One step of a registration pipeline: a built-in one, or one that a converter added by name.
    pub struct PipelineStep "PipelineStep" {
        /// Name of the step.
        pub name: String;
        /// What the step is told; built-in steps take theirs from the options and need nothing.
        pub params: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    }
}

pub use apart::MovedApart;
pub(crate) use hidden::explain;
pub use hidden::{HiddenTile, hidden_tiles};
pub use spread::{Hole, Spread, spread};

/// Registers an image by a pipeline of steps, in their order. `None` is the default pipeline ([`register`]).
pub fn register_with(
    image: &mut TiledImage,
    options: &ConverterOptions,
    pipeline: Option<&[PipelineStep]>,
    extensions: &Extensions,
) -> Result<(), CoreError> {
    let Some(pipeline) = pipeline else {
        return register(image, options);
    };
    for step in pipeline {
        if REGISTRATION_STEPS.contains(&step.name.as_str()) {
            built_in_step(&step.name, image, options)?;
        } else {
            let params = serde_json::Value::Object(step.params.clone());
            extensions.registration_step(&step.name)?.apply(image, &params)?;
        }
    }
    Ok(())
}

/// Registers an image: offsets, pixel grid, jitter, channels, tiling. Afterwards every box is in whole pixels, and the
/// regions are ordered by field of view (first appearance), which decides who wins where tiles overlap.
pub fn register(image: &mut TiledImage, options: &ConverterOptions) -> Result<(), CoreError> {
    REGISTRATION_STEPS
        .iter()
        .try_for_each(|step| built_in_step(step, image, options))
}

/// Registers an image by the default steps, and says which overlap of its fields of view the tiling took away; `None` where positions
/// are kept, or fields do not overlap.
///
/// # Errors
/// As [`register`].
pub fn moved_apart(image: &mut TiledImage, options: &ConverterOptions) -> Result<Option<MovedApart>, CoreError> {
    let (tiling, before) = REGISTRATION_STEPS
        .split_last()
        .map_or(("tiling", &[][..]), |(last, before)| (*last, before));
    before.iter().try_for_each(|step| built_in_step(step, image, options))?;
    image.regroup_by_fov();
    let groups = image.fields_of_view();
    let fields: Vec<Field> = groups.iter().map(|group| reference_field(image, group)).collect();
    let starts = |image: &TiledImage| -> Vec<[f64; 2]> {
        let first = |group: &Vec<usize>| [Axis::X, Axis::Y].map(|axis| image.regions[group[0]].roi.span(axis).start);
        groups.iter().map(first).collect()
    };
    let earlier = starts(image);
    built_in_step(tiling, image, options)?;
    let moves: Vec<(f64, f64)> = earlier
        .iter()
        .zip(starts(image))
        .map(|(earlier, now)| (now[0] - earlier[0], now[1] - earlier[1]))
        .collect();
    Ok(MovedApart::of(&fields, &moves))
}

fn built_in_step(name: &str, image: &mut TiledImage, options: &ConverterOptions) -> Result<(), CoreError> {
    let corrections = &options.stage_position_corrections;
    match name {
        "offset_removal" => {
            let translated = matches!(options.grouping, Grouping::PerFov(_)) && image.translation.is_some();
            offset::remove_offsets(image, corrections, translated)
        }
        "align_to_pixel_grid" => pixel_grid::align_to_pixel_grid(image),
        "xy_jitter_correction" => {
            remove_jitter(image, corrections);
            Ok(())
        }
        "reindex_channels" => channels::reindex_channels(image, corrections),
        _ => {
            let strategy = options.grouping.tiling();
            if matches!(options.grouping, Grouping::PerFov(_)) || !matches!(strategy, TilingStrategy::Inplace(_)) {
                check_size_of_fields(image)?;
            }
            tile(image, &strategy)
        }
    }
}

/// Tiles at one place in a field of view show the same area, so they must be of one size. Holds after the steps before tiling, which asks this
/// unless tiles stay in place.
///
/// # Errors
/// Two tiles differ: the error names both.
pub fn check_size_of_fields(image: &TiledImage) -> Result<(), CoreError> {
    let mut first_at: HashMap<(&str, [u64; 2]), &Region> = HashMap::new();
    for region in &image.regions {
        let [x, y] = [Axis::X, Axis::Y].map(|axis| region.roi.span(axis));
        let place = (region.roi.name.as_str(), [x.start, y.start].map(f64::to_bits));
        let first = *first_at.entry(place).or_insert(region);
        let [width, height] = [Axis::X, Axis::Y].map(|axis| first.roi.span(axis).length);
        if (x.length, y.length) != (width, height) {
            return Err(CoreError::Registration {
                image: image.path.clone(),
                problem: format!(
                    "{} is {} x {} pixels, but {} of the same field of view is {width} x {height}: channels, planes and times of \
                     a field must have one size; give those of another size an acquisition number (plates) or image_path of \
                     their own, or use the tiling strategy `Inplace` to lay them on each other's upper left corner",
                    region.describe(),
                    x.length,
                    y.length,
                    first.describe(),
                ),
            });
        }
    }
    Ok(())
}

/// Within a field of view, every tile takes x and y of the field's first tile.
fn remove_jitter(image: &mut TiledImage, corrections: &StagePositionCorrections) {
    if !corrections.remove_xy_jitter {
        return;
    }
    image.regroup_by_fov();
    let mut previous: Option<(String, f64, f64)> = None;
    for region in &mut image.regions {
        match &previous {
            Some((name, x, y)) if *name == region.roi.name => {
                region.roi.set_start(Axis::X, *x);
                region.roi.set_start(Axis::Y, *y);
            }
            _ => {
                let roi = &region.roi;
                previous = Some((roi.name.clone(), roi.span(Axis::X).start, roi.span(Axis::Y).start));
            }
        }
    }
}

/// A field of view as tiling sees it: the box of its reference tile in pixels.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Why fields cannot be laid out on a grid.
#[derive(Debug)]
enum Untileable {
    /// Not a grid: corners may still do.
    NotAGrid(String),
    /// Fields of different sizes: nothing but `Inplace` will do.
    Sizes(String),
}

/// Arranges the fields of view of an image.
fn tile(image: &mut TiledImage, strategy: &TilingStrategy) -> Result<(), CoreError> {
    image.regroup_by_fov();
    let groups = image.fields_of_view();
    if groups.len() < 2 {
        return Ok(());
    }
    let fields: Vec<Field> = groups.iter().map(|group| reference_field(image, group)).collect();
    let moves = match strategy {
        TilingStrategy::Inplace(_) => return Ok(()),
        TilingStrategy::SnapToGrid(grid) => grid::snap_to_grid(&fields, grid.tolerance),
        TilingStrategy::SnapToCorners(_) => corners::snap_to_corners(&fields),
        TilingStrategy::Auto(auto) => match grid::snap_to_grid(&fields, auto.tolerance) {
            Err(Untileable::NotAGrid(_)) => corners::snap_to_corners(&fields),
            other => other,
        },
    }
    .map_err(
        |(Untileable::NotAGrid(problem) | Untileable::Sizes(problem))| CoreError::Registration {
            image: image.path.clone(),
            problem,
        },
    )?;
    for (group, (x, y)) in groups.iter().zip(moves) {
        for &index in group {
            image.regions[index].roi.shift(Axis::X, x);
            image.regions[index].roi.shift(Axis::Y, y);
        }
    }
    move_into_image(image);
    Ok(())
}

/// A field moves as one: where jitter is kept, a tile ahead of its reference tile can get before pixel 0. The whole image then
/// moves as far as that tile needs. (The reference takes the negative start for an index from the end.)
fn move_into_image(image: &mut TiledImage) {
    for axis in [Axis::X, Axis::Y] {
        let starts = image.regions.iter().map(|region| region.roi.span(axis).start);
        let first = starts.fold(0.0, f64::min);
        if first < 0.0 {
            for region in &mut image.regions {
                region.roi.shift(axis, -first);
            }
        }
    }
}

/// The reference tile of a field is the one nearest the origin over all axes, the first of equals.
fn reference_field(image: &TiledImage, group: &[usize]) -> Field {
    let distance = |roi: &Roi| -> f64 {
        let squares = image.axes.iter().map(|axis| roi.span(*axis).start.powi(2));
        squares.sum::<f64>().sqrt()
    };
    let mut nearest = &image.regions[group[0]].roi;
    let mut least = distance(nearest);
    for &index in &group[1..] {
        let roi = &image.regions[index].roi;
        let here = distance(roi);
        if here < least {
            (nearest, least) = (roi, here);
        }
    }
    let (x, y) = (nearest.span(Axis::X), nearest.span(Axis::Y));
    Field {
        name: nearest.name.clone(),
        x: x.start,
        y: y.start,
        width: x.length,
        height: y.length,
    }
}

/// All fields must be of one size to be snapped.
fn check_sizes(fields: &[Field]) -> Result<(), Untileable> {
    let Some(first) = fields.first() else { return Ok(()) };
    for (axis, size) in [("x", (|f| f.width) as fn(&Field) -> f64), ("y", |f| f.height)] {
        let reference = size(first);
        let differing: Vec<_> = fields.iter().filter(|field| size(field) != reference).collect();
        if let Some(other) = differing.first() {
            return Err(Untileable::Sizes(format!(
                "fields of view cannot be snapped because their {axis} sizes differ: '{}' has {reference} pixels, \
                 '{}' has {} ({} of {} fields differ); use the tiling strategy `Inplace`, or give tiles of one size",
                first.name,
                other.name,
                size(other),
                differing.len(),
                fields.len()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
