//! What registration promises for any layout.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::register;
use super::tests::{image, options};
use crate::error::CoreError;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::Axis;

/// A grid of fields with noise, gaps and duplicates: positions of one tile per field.
fn positions() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let cell = (0..5_i32, 0..5_i32, -3..=3_i32, -3..=3_i32);
    (vec(cell, 1..30), 10..160_i32, 0..3_i32).prop_map(|(cells, step, noise)| {
        let place = |(i, j, dx, dy): (i32, i32, i32, i32)| {
            (
                f64::from(i * step + dx * noise) / 2.0,
                f64::from(j * step + dy * noise) / 2.0,
            )
        };
        cells.into_iter().map(place).collect()
    })
}

/// Positions all over the place.
fn scattered() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let place = |(x, y): (i32, i32)| (f64::from(x), f64::from(y));
    vec((0..700_i32, 0..500_i32).prop_map(place), 1..40)
}

fn one_tile_each(positions: &[(f64, f64)]) -> TiledImage {
    let line = |(index, (x, y)): (usize, &(f64, f64))| format!("F{index} {x} {y}");
    image(&positions.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"))
}

/// Several tiles per field, with planes, channels and times at whole and half steps.
fn layouts() -> impl Strategy<Value = String> {
    let tile = (0..8_u8, 0..7_i32, 0..4_i32, 0..3_i32, -4..=4_i32);
    (positions(), vec(tile, 1..40)).prop_map(|(positions, tiles)| {
        let line = |(field, z, c, t, jitter): (u8, i32, i32, i32, i32)| {
            let (x, y) = positions[usize::from(field) % positions.len()];
            let (x, y) = (x + f64::from(jitter) / 2.0, y - f64::from(jitter));
            format!(
                "F{field} {x} {y} z={} c={c} t={}",
                f64::from(z) / 2.0,
                f64::from(t) / 2.0
            )
        };
        tiles.into_iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let tiling = prop_oneof![
        Just(json!({"mode": "Auto"})),
        (0..5_u8).prop_map(|tolerance| json!({"mode": "Auto", "tolerance": tolerance})),
        (0..5_u8).prop_map(|tolerance| json!({"mode": "Snap to Grid", "tolerance": tolerance})),
        Just(json!({"mode": "Snap to Corners"})),
        Just(json!({"mode": "Inplace"})),
    ];
    let offsets = (0..2_usize, 0..3_usize, 0..2_usize);
    (tiling, offsets, any::<bool>(), any::<bool>()).prop_map(|(tiling, (xy, z, t), jitter, reindex)| {
        let offset = ["Global", "Keep", "Per-FOV"];
        json!({
            "grouping": {"mode": "Mosaic", "tiling_strategy": tiling},
            "stage_position_corrections": {
                "remove_xy_offset": offset[xy],
                "remove_z_offset": offset[z],
                "remove_t_offset": offset[t],
                "remove_xy_jitter": jitter,
                "reindex_channels": reindex,
            },
        })
    })
}

fn files(image: &TiledImage) -> Vec<String> {
    let mut files: Vec<_> = image.regions.iter().map(Region::describe).collect();
    files.sort();
    files
}

fn starts(image: &TiledImage) -> Vec<(f64, f64)> {
    let start = |region: &Region| (region.roi.span(Axis::X).start, region.roi.span(Axis::Y).start);
    image.regions.iter().map(start).collect()
}

/// Each field in turn takes the nearest of all free corners, lower x and then lower y first: the rule, without any ring.
fn corners_by_full_search(positions: &[(f64, f64)], (width, height): (f64, f64)) -> Vec<(f64, f64)> {
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let least = positions.iter().map(of).fold(f64::INFINITY, f64::min);
        (least, positions.iter().map(of).fold(f64::NEG_INFINITY, f64::max))
    };
    let ((left, right), (top, bottom)) = (ends(|p| p.0), ends(|p| p.1));
    let mut columns = ((right - left) / width).ceil() as usize + 2;
    let mut rows = ((bottom - top) / height).ceil() as usize + 2;
    while columns * rows < positions.len() {
        (columns, rows) = (columns + 1, rows + 1);
    }
    let corner = |index: usize| {
        (
            left + (index / rows) as f64 * width,
            top + (index % rows) as f64 * height,
        )
    };
    let mut free: Vec<_> = (0..columns * rows).map(corner).collect();
    let nearest = |(x, y): &(f64, f64)| {
        let distance = |corner: &(f64, f64)| (corner.0 - x).powi(2) + (corner.1 - y).powi(2);
        let mut best = 0;
        for index in 1..free.len() {
            if distance(&free[index]) < distance(&free[best]) {
                best = index;
            }
        }
        free.remove(best)
    };
    positions.iter().map(nearest).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the options: every tile is still there once, in whole pixels from 0 on, of the length it had.
    #[test]
    fn no_tile_is_lost_doubled_or_cut(layout in layouts(), document in documents()) {
        let mut image = image(&layout);
        let before = files(&image);
        match register(&mut image, &options(document)) {
            Err(error) => {
                let placed = matches!(error, CoreError::Registration { .. });
                prop_assert!(placed, "{error}");
            }
            Ok(()) => {
                prop_assert_eq!(files(&image), before);
                for region in &image.regions {
                    prop_assert_eq!(Axis::ALL.map(|axis| region.roi.span(axis).length), [1.0, 1.0, 1.0, 80.0, 100.0]);
                    for axis in Axis::ALL {
                        let start = region.roi.span(axis).start;
                        prop_assert!(start >= 0.0 && start.fract() == 0.0, "{} starts at {}", region.describe(), start);
                    }
                }
            }
        }
    }

    /// A field whose planes are whole steps apart keeps them all, at these distances, wherever it begins. (From a tie on, halves of
    /// steps round up or down, so a stack of whole steps must not care where it begins.)
    #[test]
    fn a_regular_stack_keeps_its_distances(
        begins in vec(-400..400_i32, 1..6),
        planes in proptest::collection::hash_set(0..30_i32, 1..12),
        noise in vec(-9..=9_i32, 12),
        axis in prop_oneof![Just("z"), Just("t")],
    ) {
        let planes: Vec<i32> = planes.into_iter().collect();
        let mut layout = String::new();
        for (field, begin) in begins.iter().enumerate() {
            for (number, plane) in planes.iter().enumerate() {
                // Hundredths: too much for the pixel grid to take away, too little to change a distance.
                let start = f64::from(*begin) / 8.0 + f64::from(*plane) + f64::from(noise[number]) / 50.0;
                layout += &format!("F{field} {} 0 {axis}={start}\n", 100 * field);
            }
        }
        let mut image = image(&layout);
        register(&mut image, &options(json!({}))).unwrap();
        let axis = Axis::from_name(axis).unwrap();
        for field in image.fields_of_view() {
            let start = |tile: &usize| image.regions[*tile].roi.span(axis).start;
            let first = start(&field[0]);
            for (tile, plane) in field.iter().zip(&planes) {
                prop_assert_eq!(start(tile) - first, f64::from(plane - planes[0]));
            }
        }
    }

    /// Where rounding each tile by itself keeps all planes of every stack apart, so does ours.
    #[test]
    fn no_plane_is_lost_that_could_be_kept(starts in vec((0..2_u8, 0..3_u8, 0..60_i32), 1..14)) {
        let lines = starts.iter().map(|(field, c, z)| format!("F{field} {} 0 c={c} z={}", 100 * i32::from(*field), f64::from(*z) / 6.0));
        let mut image = image(&lines.collect::<Vec<_>>().join("\n"));
        let keep = json!({"stage_position_corrections": {"remove_z_offset": "Keep", "reindex_channels": false}});
        register(&mut image, &options(keep)).unwrap();
        for wanted in 0..2_u8 {
            let count = |of: &dyn Fn(i32) -> i64| {
                let own = starts.iter().filter(|(field, ..)| *field == wanted);
                own.map(|(_, c, z)| (*c, of(*z))).collect::<HashSet<_>>().len()
            };
            let (all, one_by_one) = (count(&i64::from), count(&|z| (f64::from(z) / 6.0).round_ties_even() as i64));
            let own = image.regions.iter().filter(|region| region.roi.name == format!("F{wanted}"));
            let places: HashSet<_> = own
                .map(|region| (region.roi.span(Axis::C).start as i64, region.roi.span(Axis::Z).start as i64))
                .collect();
            prop_assert!(places.len() >= one_by_one && places.len() <= all);
        }
    }

    /// On a grid, two fields share a cell or nothing, and none is farther than its cell's neighbour.
    #[test]
    fn a_grid_has_no_partial_overlap(positions in positions(), tolerance in 0..4_u8) {
        let mut image = one_tile_each(&positions);
        let strategy = json!({"mode": "Snap to Grid", "tolerance": tolerance});
        let document = json!({"grouping": {"mode": "Mosaic", "tiling_strategy": strategy}});
        if register(&mut image, &options(document)).is_ok() && positions.len() > 1 {
            for (x, y) in starts(&image) {
                prop_assert!(x % 100.0 == 0.0 && y % 80.0 == 0.0, "{x}, {y} is no cell");
            }
        }
    }

    #[test]
    fn corners_are_the_nearest_free_ones(positions in prop_oneof![positions(), scattered()]) {
        let mut image = one_tile_each(&positions);
        let inplace = json!({"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": "Inplace"}}});
        register(&mut image, &options(inplace)).unwrap();
        let in_pixels = starts(&image);
        let corners = json!({"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": "Snap to Corners"}}});
        register(&mut image, &options(corners)).unwrap();
        let found = starts(&image);
        if positions.len() > 1 {
            prop_assert_eq!(&found, &corners_by_full_search(&in_pixels, (100.0, 80.0)));
        }
        let distinct: HashSet<_> = found.iter().map(|(x, y)| (*x as i64, *y as i64)).collect();
        prop_assert_eq!(distinct.len(), positions.len());
    }

    /// `Auto` is the grid where there is one, else corners.
    #[test]
    fn auto_is_grid_or_corners(positions in positions()) {
        let by = |mode: &str| {
            let mut image = one_tile_each(&positions);
            let document = json!({"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": mode}}});
            register(&mut image, &options(document)).map(|()| starts(&image)).ok()
        };
        prop_assert_eq!(by("Auto"), by("Snap to Grid").or_else(|| by("Snap to Corners")));
    }
}
