//! Rounds the planes and time points of a field of view together, so that a stack keeps its order and its distances.
//!
//! Rounded one by one, planes at 0.5, 1.5 and 2.5 become 0, 2 and 2: one is lost and a hole appears. A stack that begins between two
//! planes of the image (autofocus, another field's offset) moves as a whole instead.

use std::collections::{HashMap, HashSet};

use crate::tiled_image::TiledImage;
use ome_zarr_convert_geometry::Axis;

/// What tiles of one stack share: the field, the channel and the place along the other axis.
type Key = (usize, u64, i64);

/// One way to round: a whole number per tile.
type Rounded = Vec<f64>;

/// Rounds the starts along t, then along z, of every field to whole numbers. Starts are in pixels.
///
/// A tile comes to `base + round(distance)`, where `base` is the rounded start of the field's first plane. Where that makes planes meet
/// which another rounding keeps apart, that one is taken: each channel and time point by itself, then each tile by itself.
pub(super) fn round_stacks(image: &mut TiledImage) {
    let mut fields = vec![0; image.regions.len()];
    for (field, tiles) in image.fields_of_view().into_iter().enumerate() {
        for tile in tiles {
            fields[tile] = field;
        }
    }
    for (axis, other) in [(Axis::T, Axis::Z), (Axis::Z, Axis::T)] {
        let place = |tile: usize, axis: Axis| image.regions[tile].roi.span(axis).start;
        let starts: Vec<f64> = (0..fields.len()).map(|tile| place(tile, axis)).collect();
        if starts.iter().all(|start| start.fract() == 0.0) {
            continue;
        }
        let keys: Vec<Key> = (0..fields.len())
            .map(|tile| {
                let along = place(tile, other).round_ties_even() as i64;
                (fields[tile], place(tile, Axis::C).to_bits(), along)
            })
            .collect();
        for (tile, start) in rounded(&starts, &fields, &keys).into_iter().enumerate() {
            image.regions[tile].roi.set_start(axis, start);
        }
    }
}

/// The rounding of every field that loses the fewest planes, of equals the first: by field, by stack, each tile by itself.
fn rounded(starts: &[f64], fields: &[usize], keys: &[Key]) -> Rounded {
    let one_by_one: Rounded = starts.iter().map(|start| start.round_ties_even()).collect();
    let ways = [from_first(starts, fields), from_first(starts, keys), one_by_one];
    let lost = ways.each_ref().map(|way| lost(starts, way, keys));
    let best = |field: usize| {
        let lost = |way: usize| lost[way].get(&field).copied().unwrap_or(0);
        (1..ways.len()).fold(0, |best, way| if lost(way) < lost(best) { way } else { best })
    };
    fields
        .iter()
        .enumerate()
        .map(|(tile, field)| ways[best(*field)][tile])
        .collect()
}

/// Starts as distances from the first of their group.
fn from_first<K: Copy + Eq + std::hash::Hash>(starts: &[f64], groups: &[K]) -> Rounded {
    let mut first: HashMap<K, f64> = HashMap::new();
    for (start, group) in starts.iter().zip(groups) {
        let least = first.entry(*group).or_insert(*start);
        *least = least.min(*start);
    }
    let place = |(start, group): (&f64, &K)| {
        let first = first.get(group).copied().unwrap_or(*start);
        first.round_ties_even() + (start - first).round_ties_even()
    };
    starts.iter().zip(groups).map(place).collect()
}

/// By field: how many planes fall on another one of their stack that begins elsewhere.
fn lost(starts: &[f64], rounded: &[f64], keys: &[Key]) -> HashMap<usize, usize> {
    let places = |starts: &[f64]| -> HashMap<usize, usize> {
        let distinct: HashSet<(Key, u64)> = keys
            .iter()
            .zip(starts)
            .map(|(key, s)| (*key, (0.0 + s).to_bits()))
            .collect();
        let mut counts = HashMap::new();
        for ((field, ..), _) in distinct {
            *counts.entry(field).or_insert(0) += 1;
        }
        counts
    };
    let left = places(rounded);
    let lost = |(field, count): (usize, usize)| (field, count.saturating_sub(left.get(&field).copied().unwrap_or(0)));
    places(starts).into_iter().map(lost).collect()
}
