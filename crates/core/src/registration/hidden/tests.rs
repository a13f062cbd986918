//! Layouts whose tiles cannot all be seen, and what is said about them.

use std::collections::HashMap;

use expect_test::{Expect, expect};
use ome_zarr_convert_sources::LoaderSpec;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::registration::register;
use crate::registration::tests::{image, options};
use crate::roi::Roi;
use crate::tiled_image::Region;
use ome_zarr_convert_geometry::{Axis, Space, Span};

/// What is said of a layout registered with a tiling strategy.
fn told(image: &TiledImage, strategy: &str) -> String {
    let mut registered = image.clone();
    let document = json!({"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": strategy}}});
    register(&mut registered, &options(document)).unwrap();
    let hidden = hidden_tiles(&registered, Overlap::Last);
    match hidden.is_empty() {
        true => "all is seen\n".to_owned(),
        false => explain(&registered, Some(image), &hidden).replace(": ", ":\n  ") + "\n",
    }
}

fn check(image: &TiledImage, expected: Expect) {
    expected.assert_eq(&told(image, "Auto"));
}

fn with_files(layout: &str, files: &[&str]) -> TiledImage {
    let mut image = image(layout);
    for (region, file) in image.regions.iter_mut().zip(files) {
        region.image_loader.set_file_path((*file).to_owned());
    }
    image
}

#[test]
fn positions_in_millimeters() {
    check(
        &image("A 0 0\nB 0.09 0\nC 0 0.072\nD 0.09 0.072"),
        expect![[r#"
            nothing is left to see of 3 of its 4 tiles:
              tile 'A' (1.tif) lies under tile 'D' (4.tif) (so do 2 more):
              all 4 fields of view lie within one pixel of each other; positions are expected in µm:
              if they are in mm or m, multiply them
        "#]],
    );
    check(
        &image("A 5 5\nB 5 5"),
        expect![[r#"
            nothing is left to see of 1 of its 2 tiles:
              tile 'A' (1.tif) lies under tile 'B' (2.tif):
              all 2 fields of view lie within one pixel of each other; positions are expected in µm:
              if they are in mm or m, multiply them
        "#]],
    );
}

#[test]
fn slice_and_time_numbers() {
    let mut slices = image("A 0 0 z=0\nA 0 0 z=1\nA 0 0 z=2\nA 0 0 z=3");
    slices.z_spacing = 5.0;
    for region in &mut slices.regions {
        let start = region.roi.span(Axis::Z).start;
        region.roi.set(Axis::Z, Span { start, length: 5.0 });
    }
    check(
        &slices,
        expect![[r#"
            nothing is left to see of 2 of its 4 tiles:
              tile 'A' (1.tif) lies under tile 'A' (3.tif) (so does 1 more):
              their steps are 1, but z_spacing is 5 µm; if start_z counts slices, write `start_z_space = "pixel"` into acquisition_details.toml, else correct z_spacing
        "#]],
    );
    let mut times = image("A 0 0 t=0\nA 0 0 t=1\nA 0 0 t=2");
    times.t_spacing = 30.0;
    for region in &mut times.regions {
        let start = region.roi.span(Axis::T).start;
        region.roi.set(Axis::T, Span { start, length: 30.0 });
    }
    check(
        &times,
        expect![[r#"
            nothing is left to see of 2 of its 3 tiles:
              tile 'A' (1.tif) lies under tile 'A' (3.tif) (so does 1 more):
              their steps are 1, but t_spacing is 30 s; if start_t counts time points, write `start_t_space = "pixel"` into acquisition_details.toml, else correct t_spacing
        "#]],
    );
}

#[test]
fn a_spacing_that_nothing_says() {
    check(
        &image("A 0 0 z=0\nA 0 0 z=0.3\nA 0 0 z=0.6\nA 0 0 z=0.9"),
        expect![[r#"
            nothing is left to see of 2 of its 4 tiles:
              tile 'A' (1.tif) lies under tile 'A' (2.tif) (so does 1 more):
              slices are 0.3 µm apart, but z_spacing is 1 µm (taken where nothing says it); set z_spacing to their distance
        "#]],
    );
}

#[test]
fn repeated_rows_names_and_positions() {
    check(
        &with_files("A 0 0\nB 100 0\nB 100 0", &["a.tif", "b.tif", "b.tif"]),
        expect![[r#"
            nothing is left to see of 1 of its 3 tiles:
              tile 'B' (b.tif) lies under tile 'B' (b.tif):
              the same file is listed twice at the same place; remove the repeated row
        "#]],
    );
    check(
        &image("A 0 0\nA 100 0\nB 0 80\nB 100 80"),
        expect![[r#"
            nothing is left to see of 2 of its 4 tiles:
              tile 'A' (1.tif) lies under tile 'A' (2.tif) (so does 1 more):
              both are called 'A', but lie at (0, 0) µm and (100, 0) µm; give every field of view of an image a name of its own
        "#]],
    );
    check(
        &image("A 0 0\nB 100 0\nC 100 0\nD 100 80"),
        expect![[r#"
            nothing is left to see of 1 of its 4 tiles:
              tile 'B' (2.tif) lies under tile 'C' (3.tif):
              the two fields of view have one position, (100, 0) µm; correct it, or remove the field that was repeated
        "#]],
    );
    check(
        &image("A 0 0\nB 100 0 \nB 100 0"),
        expect![[r#"
            nothing is left to see of 1 of its 3 tiles:
              tile 'B' (2.tif) lies under tile 'B' (3.tif):
              both have the same field of view, channel, plane and time; give each its own start_c, start_z or start_t, and list these axes in `axes`
        "#]],
    );
}

#[test]
fn a_lost_decimal_point() {
    let mut line: Vec<String> = (0..30).map(|i| format!("F{i} {} 0", 90 * i)).collect();
    line[2] = "F2 1800 0".into();
    expect![[r#"
        nothing is left to see of 1 of its 30 tiles:
          tile 'F2' (3.tif) lies under tile 'F20' (21.tif):
          start_x of tile 'F2' (3.tif) is 1800, which may lack its decimal point:
          at 180 there is room
    "#]]
    .assert_eq(&told(&image(&line.join("\n")), "Inplace"));
}

#[test]
fn tiles_under_several_others() {
    let layout = "A 50 0
                  B 0 0
                  C 100 0";
    expect![[r#"
        nothing is left to see of 1 of its 3 tiles:
          tile 'A' (1.tif) lies under tile 'B' (2.tif) and 1 more:
          they lie at (50, 0) µm and (0, 0) µm; correct the positions, or choose another tiling strategy (--tiling)
    "#]]
    .assert_eq(&told(&image(layout), "Inplace"));
    // One column of it is still to be seen.
    assert_eq!(told(&image("A 50 0\nB 0 0\nC 101 0"), "Inplace"), "all is seen\n");
    // In another channel, plane or time nothing hides it.
    assert_eq!(told(&image("A 50 0 c=1\nB 0 0\nC 100 0"), "Inplace"), "all is seen\n");
}

#[test]
fn the_order_decides_and_blending_hides_repeats_only() {
    let same_place = image("A 0 0\nB 0 0");
    let tiles = |image: &TiledImage, overlap| {
        let hidden = hidden_tiles(image, overlap);
        hidden
            .into_iter()
            .map(|hidden| (hidden.tile, hidden.under))
            .collect::<Vec<_>>()
    };
    assert_eq!(tiles(&same_place, Overlap::Last), [(0, vec![1])]);
    assert_eq!(tiles(&same_place, Overlap::First), [(1, vec![0])]);
    let repeated = with_files("A 0 0\nB 0 0\nC 50 0", &["a.tif", "a.tif", "a.tif"]);
    for overlap in [Overlap::Mean, Overlap::Max, Overlap::Linear] {
        assert_eq!(tiles(&same_place, overlap), []);
        assert_eq!(tiles(&repeated, overlap), [(1, vec![0])]);
    }
}

/// Every pixel of small images by itself.
fn by_pixels(image: &TiledImage, last_wins: bool) -> Vec<usize> {
    let mut owner: HashMap<[i64; 5], usize> = HashMap::new();
    let mut order: Vec<usize> = (0..image.regions.len()).collect();
    if !last_wins {
        order.reverse();
    }
    for tile in order {
        let spans = Axis::ALL.map(|axis| {
            let span = image.regions[tile].roi.span(axis);
            span.start as i64..span.end() as i64
        });
        let [t, c, z, y, x] = spans;
        for t in t {
            for c in c.clone() {
                for z in z.clone() {
                    for y in y.clone() {
                        owner.extend(x.clone().map(|x| ([t, c, z, y, x], tile)));
                    }
                }
            }
        }
    }
    let seen: std::collections::HashSet<usize> = owner.into_values().collect();
    (0..image.regions.len()).filter(|tile| !seen.contains(tile)).collect()
}

fn boxes() -> impl Strategy<Value = Vec<([u8; 5], [u8; 5])>> {
    let start = prop::array::uniform5(0..4_u8);
    let size = prop::array::uniform5(1..4_u8);
    prop::collection::vec((start, size), 1..40)
}

fn of_boxes(boxes: &[([u8; 5], [u8; 5])]) -> TiledImage {
    let mut made = image("A 0 0");
    let region = |(number, (start, size)): (usize, &([u8; 5], [u8; 5]))| {
        let span = |axis: Axis| Span {
            start: f64::from(start[axis.index()]),
            length: f64::from(size[axis.index()]),
        };
        Region {
            roi: Roi::new(
                format!("F{number}"),
                Space::Pixel,
                Axis::ALL.map(|axis| (axis, span(axis))),
            ),
            image_loader: LoaderSpec::File {
                file_path: format!("{number}.tif"),
            },
        }
    };
    made.regions = boxes.iter().enumerate().map(region).collect();
    made
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Hidden is exactly what owns no pixel, and what it lies under covers it.
    #[test]
    fn hidden_tiles_own_no_pixel(boxes in boxes(), last_wins in any::<bool>()) {
        let image = of_boxes(&boxes);
        let overlap = if last_wins { Overlap::Last } else { Overlap::First };
        let hidden = hidden_tiles(&image, overlap);
        let tiles: Vec<usize> = hidden.iter().map(|hidden| hidden.tile).collect();
        prop_assert_eq!(tiles, by_pixels(&image, last_wins));
        for hidden in hidden {
            let mut alone = image.clone();
            let mut kept = hidden.under.clone();
            kept.push(hidden.tile);
            kept.sort_unstable();
            let place = kept.iter().position(|tile| *tile == hidden.tile).unwrap();
            alone.regions = kept.iter().map(|tile| image.regions[*tile].clone()).collect();
            prop_assert!(by_pixels(&alone, last_wins).contains(&place));
        }
    }

    /// Whatever the layout, there is an explanation that names a tile and its file.
    #[test]
    fn every_hidden_tile_is_explained(boxes in boxes()) {
        let image = of_boxes(&boxes);
        let hidden = hidden_tiles(&image, Overlap::Last);
        if let Some(first) = hidden.first() {
            for before in [None, Some(&image)] {
                let text = explain(&image, before, &hidden);
                prop_assert!(text.contains(&image.regions[first.tile].describe()), "{text}");
            }
        }
    }
}

/// A plate of 110 592 tiles: sorting, not comparing all with all. A quadratic search would take minutes here.
#[test]
fn large_images_are_searched_quickly() {
    let tiles = |place: &dyn Fn(usize) -> [f64; 5]| {
        let mut made = image("A 0 0");
        let region = |number: usize| {
            let size = [1.0, 1.0, 1.0, 2048.0, 2048.0];
            let start = place(number);
            let span = |axis: Axis| Span {
                start: start[axis.index()],
                length: size[axis.index()],
            };
            Region {
                roi: Roi::new("F", Space::Pixel, Axis::ALL.map(|axis| (axis, span(axis)))),
                image_loader: LoaderSpec::File {
                    file_path: String::new(),
                },
            }
        };
        made.regions = (0..110_592).map(region).collect();
        made
    };
    // A mosaic of 96 x 96 overlapping fields of 3 channels and 4 slices; all at one place; all within 16 pixels.
    let mosaic = tiles(&|n| {
        let (field, plane) = (n / 12, n % 12);
        [
            0.0,
            (plane % 3) as f64,
            (plane / 3) as f64,
            (field / 96 * 1843) as f64,
            (field % 96 * 1843) as f64,
        ]
    });
    assert_eq!(hidden_tiles(&mosaic, Overlap::Last), []);
    let heap = tiles(&|_| [0.0; 5]);
    assert_eq!(hidden_tiles(&heap, Overlap::Last).len(), 110_591);
    let crowd = tiles(&|n| [0.0, 0.0, 0.0, (n * 7 % 16) as f64, (n * 5 % 16) as f64]);
    assert!(hidden_tiles(&crowd, Overlap::First).len() > 110_500);
    // All at different places near each other: what is at the rim can be seen.
    let swarm = tiles(&|n| [0.0, 0.0, 0.0, (n / 333 % 333) as f64, (n * 7919 % 333) as f64]);
    assert!(hidden_tiles(&swarm, Overlap::Last).len() > 100_000);
}
