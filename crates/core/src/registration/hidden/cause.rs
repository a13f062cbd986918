//! Why tiles hide each other: what people wrote into tables that had this effect.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::HiddenTile;
use crate::step::even_step;
use crate::tiled_image::TiledImage;
use ome_zarr_convert_geometry::{Axis, Space};

/// A likely cause. Numbers are in µm or s.
#[derive(Clone, Debug, PartialEq)]
enum Cause {
    /// The same file at the same place.
    RepeatedRow,
    /// Files of one field with the same channel, plane and time.
    SamePlane,
    /// Tiles of one field name at different positions.
    RepeatedName,
    /// All fields within few pixels of each other.
    PositionsTooClose { fields: usize, pixels: f64 },
    /// Two fields at one position.
    SamePosition,
    /// Planes or times closer than the spacing.
    StepsTooSmall { axis: Axis, step: f64 },
    /// A position ten, hundred or thousand times too large.
    LostDecimalPoint { tile: usize, axis: Axis, likely: f64 },
    /// None of these.
    Covered,
}

/// What hides tiles of a registered image, with one example for each likely cause, and what to do about it.
///
/// `before` is the image as it was before registration, if that is at hand: only it has the times of its tiles.
pub(crate) fn explain(image: &TiledImage, before: Option<&TiledImage>, hidden: &[HiddenTile]) -> String {
    let scene = Scene::of(image, before);
    let mut groups: Vec<(Cause, &HiddenTile, usize)> = Vec::new();
    for tile in hidden {
        let cause = scene.cause(tile);
        let kind = std::mem::discriminant(&cause);
        match groups
            .iter_mut()
            .find(|(known, ..)| std::mem::discriminant(known) == kind)
        {
            Some((.., count)) => *count += 1,
            None => groups.push((cause, tile, 1)),
        }
    }
    let mut text = match (hidden.len(), image.regions.len()) {
        (1, all) => format!("nothing is left to see of 1 of its {all} tiles"),
        (count, all) => format!("nothing is left to see of {count} of its {all} tiles"),
    };
    for (number, (cause, tile, count)) in groups.iter().enumerate() {
        text.push_str(if number == 0 { ": " } else { "; " });
        text.push_str(&scene.told(cause, tile, *count));
    }
    text
}

struct Scene<'a> {
    image: &'a TiledImage,
    /// Starts as the table has them, in µm and s; only x, y and z are known of some.
    starts: Vec<[Option<f64>; 5]>,
    /// Steps of every field along t and z, least first.
    steps: HashMap<(&'a str, Axis), f64>,
    /// Number of fields, and the largest distance of two along x or y, in pixels.
    fields: (usize, f64),
    /// Step of the fields along x and y, and the first of them; and the cells of that lattice that hold a field.
    lattice: Option<[(f64, f64); 2]>,
    occupied: HashSet<[i64; 2]>,
}

const XY: [Axis; 2] = [Axis::X, Axis::Y];

impl<'a> Scene<'a> {
    fn of(image: &'a TiledImage, before: Option<&TiledImage>) -> Self {
        let starts = starts(image, before);
        let along = |axis: Axis| starts.iter().filter_map(move |start| start[axis.index()]);
        let range = |axis: Axis| {
            let (least, greatest) = along(axis).fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), start| {
                (start.min(least), start.max(greatest))
            });
            ((greatest - least) / image.spacing(axis)).max(0.0)
        };
        let line = |axis: Axis| {
            let all: Vec<f64> = along(axis).collect();
            let first = all.iter().copied().reduce(f64::min)?;
            // Fields in one row or column have no step across.
            Some((even_step(&all).unwrap_or(f64::INFINITY), first))
        };
        let lattice = match XY.map(line) {
            [Some(x), Some(y)] => Some([x, y]),
            _ => None,
        };
        let cell =
            |start: &[Option<f64>; 5]| Some(cell_of(&lattice?, XY.map(|axis| start[axis.index()].unwrap_or(0.0))).0);
        Self {
            image,
            steps: steps(image, &starts),
            fields: (image.fields_of_view().len(), range(Axis::X).max(range(Axis::Y))),
            occupied: starts.iter().filter_map(cell).collect(),
            lattice,
            starts,
        }
    }

    fn start(&self, tile: usize, axis: Axis) -> Option<f64> {
        self.starts[tile][axis.index()]
    }

    /// How far two tiles are apart in the table along an axis, in pixels.
    fn distance(&self, a: usize, b: usize, axis: Axis) -> f64 {
        match (self.start(a, axis), self.start(b, axis)) {
            (Some(a), Some(b)) => (a - b).abs() / self.image.spacing(axis),
            _ => 0.0,
        }
    }

    fn cause(&self, hidden: &HiddenTile) -> Cause {
        let (tile, Some(&other)) = (hidden.tile, hidden.under.first()) else {
            return Cause::Covered;
        };
        let regions = &self.image.regions;
        let (own, over) = (&regions[tile], &regions[other]);
        let apart = |axis: Axis| self.distance(tile, other, axis);
        let size = |axis: Axis| own.roi.span(axis).length;
        if own.image_loader == over.image_loader && XY.map(apart) == [0.0, 0.0] {
            return Cause::RepeatedRow;
        }
        if own.roi.name == over.roi.name {
            // Stage noise within a field is small; another position is not.
            if XY.into_iter().any(|axis| apart(axis) > 0.1 * size(axis)) {
                return Cause::RepeatedName;
            }
            for axis in [Axis::T, Axis::Z] {
                let step = self.steps.get(&(own.roi.name.as_str(), axis));
                if let Some(step) = step.filter(|_| apart(axis) > 0.0) {
                    return Cause::StepsTooSmall { axis, step: *step };
                }
            }
            return Cause::SamePlane;
        }
        let (fields, pixels) = self.fields;
        if pixels <= 1.0_f64.max(size(Axis::X).min(size(Axis::Y)) / 20.0) {
            return Cause::PositionsTooClose { fields, pixels };
        }
        for tile in [tile, other] {
            if let Some((axis, likely)) = self.lost_decimal_point(tile) {
                return Cause::LostDecimalPoint { tile, axis, likely };
            }
        }
        match XY.into_iter().all(|axis| apart(axis) <= 1.0) {
            true => Cause::SamePosition,
            false => Cause::Covered,
        }
    }

    /// The axis along which a tenth (hundredth, thousandth) of a tile's position is a free place among the fields, and that place.
    fn lost_decimal_point(&self, tile: usize) -> Option<(Axis, f64)> {
        let lattice = self.lattice?;
        let own = XY.map(|axis| self.start(tile, axis).unwrap_or(0.0));
        for (at, axis) in XY.into_iter().enumerate() {
            for factor in [10.0, 100.0, 1000.0] {
                let mut place = own;
                place[at] = own[at] / factor;
                let (cell, off) = cell_of(&lattice, place);
                let inside = cell.iter().all(|index| *index >= 0);
                if own[at] != 0.0 && lattice[at].0.is_finite() && off < 0.02 && inside && !self.occupied.contains(&cell)
                {
                    return Some((axis, place[at]));
                }
            }
        }
        None
    }

    fn told(&self, cause: &Cause, hidden: &HiddenTile, count: usize) -> String {
        let regions = &self.image.regions;
        let own = &regions[hidden.tile];
        let mut text = format!("{} lies under ", own.describe());
        match hidden.under[..] {
            [] => text.push_str("others"),
            [only] => text.push_str(&regions[only].describe()),
            [first, ref more @ ..] => {
                let _ = write!(text, "{} and {} more", regions[first].describe(), more.len());
            }
        }
        match count - 1 {
            0 => {}
            1 => text.push_str(" (so does 1 more)"),
            more => {
                let _ = write!(text, " (so do {more} more)");
            }
        }
        text.push_str(": ");
        let other = hidden.under.first().copied().unwrap_or(hidden.tile);
        let position = |tile: usize| {
            let [x, y] = XY.map(|axis| self.start(tile, axis).unwrap_or(0.0));
            format!("({x}, {y}) µm")
        };
        match cause {
            Cause::RepeatedRow => text.push_str("the same file is listed twice at the same place; remove the repeated row"),
            Cause::SamePlane => text.push_str(
                "both have the same field of view, channel, plane and time; give each its own start_c, start_z or start_t, and \
                 list these axes in `axes`",
            ),
            Cause::RepeatedName => {
                let _ = write!(
                    text,
                    "both are called '{}', but lie at {} and {}; give every field of view of an image a name of its own",
                    own.roi.name,
                    position(hidden.tile),
                    position(other)
                );
            }
            Cause::PositionsTooClose { fields, pixels } => {
                let _ = write!(
                    text,
                    "all {fields} fields of view lie within {} of each other; positions are expected in µm: if they are in mm or m, \
                     multiply them",
                    match *pixels {
                        pixels if pixels <= 1.0 => "one pixel".to_owned(),
                        pixels => format!("{pixels:.0} pixels"),
                    }
                );
            }
            Cause::SamePosition => {
                let _ = write!(
                    text,
                    "the two fields of view have one position, {}; correct it, or remove the field that was repeated",
                    position(hidden.tile)
                );
            }
            Cause::StepsTooSmall { axis, step } => text.push_str(&self.steps_too_small(*axis, *step)),
            Cause::LostDecimalPoint { tile, axis, likely } => {
                let _ = write!(
                    text,
                    "start_{} of {} is {}, which may lack its decimal point: at {likely} there is room",
                    axis.name(),
                    regions[*tile].describe(),
                    self.start(*tile, *axis).unwrap_or(0.0)
                );
            }
            Cause::Covered => {
                let _ = write!(
                    text,
                    "they lie at {} and {}; correct the positions, or choose another tiling strategy (--tiling)",
                    position(hidden.tile),
                    position(other)
                );
            }
        }
        text
    }

    fn steps_too_small(&self, axis: Axis, step: f64) -> String {
        let (name, unit, what) = match axis {
            Axis::T => ("t", "s", "time points"),
            _ => ("z", "µm", "slices"),
        };
        let spacing = self.image.spacing(axis);
        let taken = if spacing == 1.0 {
            " (taken where nothing says it)"
        } else {
            ""
        };
        let spacing = format!("{name}_spacing is {spacing} {unit}{taken}");
        match step == 1.0 {
            true => format!(
                "their steps are 1, but {spacing}; if start_{name} counts {what}, write `start_{name}_space = \"pixel\"` into \
                 acquisition_details.toml, else correct {name}_spacing"
            ),
            false => format!("{what} are {step} {unit} apart, but {spacing}; set {name}_spacing to their distance"),
        }
    }
}

/// The cell of a lattice nearest to a place, and how far from its middle that is, in steps.
fn cell_of(lattice: &[(f64, f64); 2], place: [f64; 2]) -> ([i64; 2], f64) {
    let at = |axis: usize| (place[axis] - lattice[axis].1) / lattice[axis].0;
    let (x, y) = (at(0), at(1));
    (
        [x.round() as i64, y.round() as i64],
        (x - x.round()).abs().max((y - y.round()).abs()),
    )
}

/// Starts as the table has them, as far as they are known.
fn starts(image: &TiledImage, before: Option<&TiledImage>) -> Vec<[Option<f64>; 5]> {
    let mut earlier = before.cloned();
    if let Some(earlier) = &mut earlier {
        earlier.regroup_by_fov();
    }
    let same = |earlier: &TiledImage| {
        let mut pairs = earlier.regions.iter().zip(&image.regions);
        earlier.regions.len() == image.regions.len() && pairs.all(|(a, b)| a.image_loader == b.image_loader)
    };
    let earlier = earlier.filter(same);
    let start = |(tile, region): (usize, &crate::Region)| {
        Axis::ALL.map(|axis| {
            let Some(earlier) = &earlier else {
                return region.roi.originals[axis.index()];
            };
            let roi = &earlier.regions[tile].roi;
            let scale = if roi.space == Space::Pixel {
                image.spacing(axis)
            } else {
                1.0
            };
            roi.get(axis).map(|span| span.start * scale)
        })
    };
    image.regions.iter().enumerate().map(start).collect()
}

/// The least step of each field along t and z.
fn steps<'a>(image: &'a TiledImage, starts: &[[Option<f64>; 5]]) -> HashMap<(&'a str, Axis), f64> {
    let mut all: HashMap<(&str, Axis), Vec<f64>> = HashMap::new();
    for (region, start) in image.regions.iter().zip(starts) {
        for axis in [Axis::T, Axis::Z] {
            if let Some(start) = start[axis.index()] {
                all.entry((&region.roi.name, axis)).or_default().push(start);
            }
        }
    }
    let least = |mut starts: Vec<f64>| {
        starts.sort_by(f64::total_cmp);
        let steps = starts
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|step| *step > 0.0);
        even_step(&starts).or_else(|| steps.reduce(f64::min))
    };
    all.into_iter()
        .filter_map(|(key, starts)| Some((key, least(starts)?)))
        .collect()
}
