//! Layouts in, placements out: what registration makes of the fields of view that microscopes deliver.

use std::sync::Arc;

use expect_test::{Expect, expect};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::LoaderSpec;
use serde_json::{Value, json};

use super::register;
use crate::collection::Collection;
use crate::model::from_json;
use crate::options::ConverterOptions;
use crate::roi::Roi;
use crate::tile::Attributes;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, Space, Span};

/// One tile per line: field of view, x, y, then `key=value` for starts `z c t` and lengths `w h d n m` (of x, y, z, c, t).
/// A tile is 100 pixels wide and 80 high unless it says otherwise; a pixel is 1 µm. Files are numbered from 1.
pub(super) fn image(layout: &str) -> TiledImage {
    let lines = layout.lines().map(str::trim).filter(|line| !line.is_empty());
    let regions = lines.enumerate().map(|(index, line)| region(index + 1, line)).collect();
    TiledImage {
        regions,
        path: "P.zarr/A/01/0".into(),
        name: None,
        xy_pixel_size: 1.0,
        z_spacing: 1.0,
        t_spacing: 1.0,
        data_type: PixelType::UInt16,
        axes: Axis::ALL.to_vec(),
        collection: Arc::new(Collection::in_plate("P", "A", 1, 0)),
        channels: None,
        translation: None,
        attributes: Attributes::new(),
    }
}

fn region(number: usize, line: &str) -> Region {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap();
    let mut position = || words.next().unwrap().parse::<f64>().unwrap();
    let (mut start, mut length) = ([0.0; 5], [1.0, 1.0, 1.0, 80.0, 100.0]);
    start[Axis::X.index()] = position();
    start[Axis::Y.index()] = position();
    for word in words {
        let (key, value) = word.split_once('=').unwrap();
        let place = match key {
            "t" | "c" | "z" => &mut start[Axis::from_name(key).unwrap().index()],
            _ => {
                &mut length[["m", "n", "d", "h", "w"]
                    .iter()
                    .position(|known| *known == key)
                    .unwrap()]
            }
        };
        *place = value.parse().unwrap();
    }
    let span = |axis: Axis| Span {
        start: start[axis.index()],
        length: length[axis.index()],
    };
    Region {
        roi: Roi::new(name, Space::World, Axis::ALL.map(|axis| (axis, span(axis)))),
        image_loader: LoaderSpec::File {
            file_path: format!("{number}.tif"),
        },
    }
}

pub(super) fn options(document: Value) -> ConverterOptions {
    from_json(&document, "options").unwrap()
}

fn tiling(strategy: Value) -> Value {
    json!({"grouping": {"mode": "Mosaic", "tiling_strategy": strategy}})
}

fn corrections(corrections: Value) -> Value {
    json!({"stage_position_corrections": corrections})
}

/// A line per tile in their new order: field, file, spans of x and y, and of other axes where they are not `0..1`.
fn placements(image: &TiledImage) -> String {
    let mut lines = Vec::new();
    for region in &image.regions {
        let file = region.image_loader.file_path().unwrap();
        let mut line = format!("{} {file:<6}", region.roi.name);
        for axis in [Axis::X, Axis::Y, Axis::Z, Axis::C, Axis::T] {
            let span = region.roi.span(axis);
            if axis >= Axis::Y || (span.start, span.length) != (0.0, 1.0) {
                line += &format!(" {} {}..{}", axis.name(), span.start, span.end());
            }
        }
        lines.push(line);
    }
    format!("{}\nshape {:?}\n", lines.join("\n"), image.output_shape())
}

fn registered(mut image: TiledImage, document: Value) -> String {
    match register(&mut image, &options(document)) {
        Ok(()) => placements(&image),
        Err(error) => format!("{error}\n"),
    }
}

fn check_image(image: TiledImage, document: Value, expected: Expect) {
    expected.assert_eq(&registered(image, document));
}

fn check(layout: &str, document: Value, expected: Expect) {
    check_image(image(layout), document, expected);
}

/// Every one of `documents` gives the same.
fn check_each(layout: &str, documents: impl IntoIterator<Item = Value>, expected: Expect) {
    let results: Vec<_> = documents
        .into_iter()
        .map(|document| registered(image(layout), document))
        .collect();
    expected.assert_eq(&results[0]);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(*result, results[0], "document {index}");
    }
}

/// Mosaics with these strategies, else with defaults.
fn strategies<const N: usize>(modes: [&str; N]) -> [Value; N] {
    modes.map(|mode| tiling(json!({"mode": mode})))
}

const GRID: &str = "
    A 1000 2000
    B 1090 2000
    C 1180 2000
    D 1000 2072
    E 1090 2072
    F 1180 2072";

#[test]
fn an_overlapped_grid_loses_its_overlap() {
    check(
        GRID,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 100..200 y 0..80
        C 3.tif  x 200..300 y 0..80
        D 4.tif  x 0..100 y 80..160
        E 5.tif  x 100..200 y 80..160
        F 6.tif  x 200..300 y 80..160
        shape [1, 1, 1, 160, 300]
    "#]],
    );
}

#[test]
fn inplace_keeps_the_overlap() {
    check(
        GRID,
        tiling(json!({"mode": "Inplace"})),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 90..190 y 0..80
        C 3.tif  x 180..280 y 0..80
        D 4.tif  x 0..100 y 72..152
        E 5.tif  x 90..190 y 72..152
        F 6.tif  x 180..280 y 72..152
        shape [1, 1, 1, 152, 280]
    "#]],
    );
}

#[test]
fn a_snake_lands_where_the_stage_was() {
    check(
        "A 0 0
         B 90 0
         C 90 72
         D 0 72",
        json!({}),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            B 2.tif  x 100..200 y 0..80
            C 3.tif  x 100..200 y 80..160
            D 4.tif  x 0..100 y 80..160
            shape [1, 1, 1, 160, 200]
        "#]],
    );
}

#[test]
fn noise_within_the_tolerance_is_a_grid() {
    let layout = "A 0.4 1
                  B 90 0
                  C 0 72
                  D 91 72.4";
    check(
        layout,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 100..200 y 0..80
        C 3.tif  x 0..100 y 80..160
        D 4.tif  x 100..200 y 80..160
        shape [1, 1, 1, 160, 200]
    "#]],
    );
    check(
        layout,
        tiling(json!({"mode": "Snap to Grid", "tolerance": 0.5})),
        expect![[r#"
            image P.zarr/A/01/0: fields of view are not on a regular grid: their x steps lie between 1 and 90 pixels (median 45.5, tolerance 0.5, field size 100); raise the tolerance to cover the error of the stage, or use `Snap to Corners`, `Auto` or `Inplace`
        "#]],
    );
}

#[test]
fn a_field_takes_the_place_of_its_first_tile() {
    let layout = "A 3 0
                  A 0 1 z=1
                  B 102 2
                  B 105 0 z=1";
    check(
        layout,
        json!({}),
        expect![[r#"
        A 1.tif  x 3..103 y 0..80
        A 2.tif  x 3..103 y 0..80 z 1..2
        B 3.tif  x 103..203 y 0..80
        B 4.tif  x 103..203 y 0..80 z 1..2
        shape [1, 1, 2, 80, 203]
    "#]],
    );
    check(
        layout,
        corrections(json!({"remove_xy_jitter": false})),
        expect![[r#"
        A 1.tif  x 3..103 y 1..81
        A 2.tif  x 0..100 y 2..82 z 1..2
        B 3.tif  x 100..200 y 2..82
        B 4.tif  x 103..203 y 0..80 z 1..2
        shape [1, 1, 2, 82, 203]
    "#]],
    );
}

#[test]
fn ragged_rows_go_to_corners() {
    check(
        "A 0 0
         B 90 0
         C 33 72
         D 123 72",
        json!({}),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            B 2.tif  x 100..200 y 0..80
            C 3.tif  x 0..100 y 80..160
            D 4.tif  x 100..200 y 80..160
            shape [1, 1, 1, 160, 200]
        "#]],
    );
}

#[test]
fn a_missing_column_is_no_grid() {
    let layout = "A 0 0
                  B 90 0
                  C 270 0";
    check(
        layout,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 100..200 y 0..80
        C 3.tif  x 300..400 y 0..80
        shape [1, 1, 1, 80, 400]
    "#]],
    );
    check(
        layout,
        tiling(json!({"mode": "Snap to Grid"})),
        expect![[r#"
        image P.zarr/A/01/0: fields of view are not on a regular grid: their x steps lie between 90 and 180 pixels (median 135, tolerance 1, field size 100); raise the tolerance to cover the error of the stage, or use `Snap to Corners`, `Auto` or `Inplace`
    "#]],
    );
}

/// The reference takes one pixel of noise for a cell and throws the middle field 100 pixels to the right.
#[test]
fn one_column_with_stage_noise_stays_one_column() {
    check(
        "A 0 0\nB 1 72\nC 0 144",
        json!({}),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            B 2.tif  x 0..100 y 80..160
            C 3.tif  x 0..100 y 160..240
            shape [1, 1, 1, 240, 100]
        "#]],
    );
    check(
        "A 0 0\nB 2 72\nC 0 144",
        json!({}),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            B 2.tif  x 0..100 y 80..160
            C 3.tif  x 0..100 y 160..240
            shape [1, 1, 1, 240, 100]
        "#]],
    );
    check(
        "A 0 0
         B 2 72
         C 0 144",
        tiling(json!({"mode": "Snap to Grid"})),
        expect![[r#"
            image P.zarr/A/01/0: fields of view are not on a regular grid: their x steps lie between 2 and 2 pixels (median 2, tolerance 1, field size 100); raise the tolerance to cover the error of the stage, or use `Snap to Corners`, `Auto` or `Inplace`
        "#]],
    );
}

#[test]
fn fields_at_one_position() {
    let layout = "A 0 0
                  B 0 0
                  C 90 0";
    check(
        layout,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 0..100 y 0..80
        C 3.tif  x 100..200 y 0..80
        shape [1, 1, 1, 80, 200]
    "#]],
    );
    check(
        layout,
        tiling(json!({"mode": "Snap to Corners"})),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 0..100 y 80..160
        C 3.tif  x 100..200 y 0..80
        shape [1, 1, 1, 160, 200]
    "#]],
    );
}

#[test]
fn tiles_come_out_by_field_of_first_appearance() {
    let layout = "A 0 0 z=1
                  B 100 0
                  A 0 0";
    check_each(
        layout,
        strategies(["Auto", "Inplace"]),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80 z 1..2
            A 3.tif  x 0..100 y 0..80
            B 2.tif  x 100..200 y 0..80
            shape [1, 1, 2, 80, 200]
        "#]],
    );
}

/// Without jitter removal a field moves as one; a tile far before its reference tile would end up before the image.
#[test]
fn a_tile_never_moves_before_the_image() {
    check(
        "A 0 0
         B 400 0
         B 50 0 z=500
         C 800 0",
        corrections(json!({"remove_xy_jitter": false})),
        expect![[r#"
            A 1.tif  x 250..350 y 0..80
            B 2.tif  x 350..450 y 0..80
            B 3.tif  x 0..100 y 0..80 z 500..501
            C 4.tif  x 450..550 y 0..80
            shape [1, 1, 501, 80, 550]
        "#]],
    );
}

mod reviews;
mod sizes;
mod stacks;
mod steps;
