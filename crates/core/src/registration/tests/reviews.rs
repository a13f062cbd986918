//! What is said about empty space, and about fields that a tiling moves apart.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{GRID, image, options, tiling};
use crate::extensions::Extensions;
use crate::options::ConverterOptions;
use crate::registration::{moved_apart, register, spread};
use crate::review::{Reviews, review_image};
use crate::tiled_image::TiledImage;

fn review(image: &TiledImage, document: Value) -> String {
    let review = review_image(image, &options(document), None, &Extensions::new()).unwrap();
    let kinds = [
        ("hidden", review.hidden),
        ("empty", review.empty),
        ("moved", review.moved_apart),
        ("crowded", review.crowded),
    ];
    let line = |(kind, sentence): (&str, Option<String>)| sentence.map(|sentence| format!("{kind}: {sentence}\n"));
    kinds.into_iter().filter_map(line).collect()
}

fn check(layout: &str, document: Value, expected: Expect) {
    expected.assert_eq(&review(&image(layout), document));
}

#[test]
fn an_overlap_that_the_tiling_takes_away() {
    check(
        GRID,
        json!({}),
        expect![[r#"
            moved: 6 of 6 fields of view overlap their neighbors by about 10 pixels (10 %); the tiling moves fields apart, by up to 20 pixels in x and 8 in y, so what they share appears twice; choose the tiling strategy `Inplace` (--tiling inplace) to keep positions
        "#]],
    );
    check(GRID, tiling(json!({"mode": "Inplace"})), expect![""]);
    // Beside each other, or with gaps, nothing is shared.
    check("A 0 0\nB 100 0\nC 200 0", json!({}), expect![""]);
    check("A 0 0\nB 150 0\nC 300 0", json!({}), expect![""]);
    // Positions of one field that was listed again, and of fields in millimeters.
    check(
        "A 0 0\nB 100 0\nC 100 0\nD 50 300",
        tiling(json!({"mode": "Snap to Corners"})),
        expect![[r#"
            crowded: 2 of 4 fields of view overlap their neighbors by about 80 pixels (100 %); the tiling moves fields apart, by up to 50 pixels in x and 80 in y, so what they share appears twice; choose the tiling strategy `Inplace` (--tiling inplace) to keep positions; 'B' and 'C' have one position; fields that overlap so much may have their positions in another unit than µm
        "#]],
    );
    check(
        "A 0 0\nB 3 0\nC 6 0\nD 9 0",
        json!({}),
        expect![[r#"
            crowded: 4 of 4 fields of view overlap their neighbors by about 97 pixels (97 %); the tiling moves fields apart, by up to 97 pixels in x and 80 in y, so what they share appears twice; choose the tiling strategy `Inplace` (--tiling inplace) to keep positions; fields that overlap so much may have their positions in another unit than µm
        "#]],
    );
}

#[test]
fn empty_space_and_who_spreads_it() {
    check(
        "A 0 0 t=0\nA 0 0 t=30\nA 0 0 t=60",
        json!({}),
        expect![[r#"
            empty: 95 % of it is empty: 29 of its 61 time points along t lie between tile 'A' (1.tif) (at t = 0) and its neighbor; check t_spacing, and that start_t is in s
        "#]],
    );
    check(
        "A 0 0\nB 100 0\nC 1000000 0\nD 1000000 80",
        tiling(json!({"mode": "Inplace"})),
        expect![[r#"
            empty: more than 99 % of it is empty: 999800 of its 1000100 pixels along x lie between tile 'C' (3.tif) (at x = 1000000) and its neighbor; check its position, and that positions are in µm
        "#]],
    );
    check(
        "A 0 0 z=0\nA 0 0 z=2000\nA 0 0 z=4000",
        json!({}),
        expect![[r#"
            empty: more than 99 % of it is empty: 1999 of its 4001 slices along z lie between tile 'A' (1.tif) (at z = 0) and its neighbor; check z_spacing, and that start_z is in µm
        "#]],
    );
    let keep = json!({"stage_position_corrections": {"remove_z_offset": "Keep"}});
    check(
        "A 0 0 z=5000\nA 0 0 z=5001",
        keep,
        expect![[r#"
            empty: more than 99 % of it is empty: 5000 of its 5002 slices along z come before tile 'A' (1.tif) (at z = 5000), the first; check z_spacing, and that start_z is in µm
        "#]],
    );
    // A quarter full is not told.
    check("A 0 0 z=0\nA 0 0 z=7", json!({}), expect![""]);
}

#[test]
fn many_images_are_told_of_once() {
    let images = [
        image("A 0 0\nB 0 0"),
        image("A 0 0"),
        image("C 0 0\nD 0 0"),
        image(GRID),
    ];
    let reviews = Reviews::of(&images, &ConverterOptions::default(), None, &Extensions::new());
    let error = reviews.check(&ConverterOptions::default()).unwrap_err();
    expect![[r#"
        image P.zarr/A/01/0: nothing is left to see of 1 of its 2 tiles: tile 'A' (1.tif) lies under tile 'B' (2.tif): all 2 fields of view lie within one pixel of each other; positions are expected in µm: if they are in mm or m, multiply them (the same kind in 1 more image) (--set hidden_tiles=warn converts it all the same)
    "#]].assert_eq(&format!("{error}\n"));
    let passing = options(json!({"hidden_tiles": "warn"}));
    reviews.check(&passing).unwrap();
    assert_eq!(reviews.warnings(&ConverterOptions::default()), [""; 0]);
    expect![[r#"
        image P.zarr/A/01/0: nothing is left to see of 1 of its 2 tiles: tile 'A' (1.tif) lies under tile 'B' (2.tif): all 2 fields of view lie within one pixel of each other; positions are expected in µm: if they are in mm or m, multiply them (the same kind in 1 more image)
        image P.zarr/A/01/0: 6 of 6 fields of view overlap their neighbors by about 10 pixels (10 %); the tiling moves fields apart, by up to 20 pixels in x and 8 in y, so what they share appears twice; choose the tiling strategy `Inplace` (--tiling inplace) to keep positions
    "#]].assert_eq(&format!(
        "{}\n{}\n",
        reviews.warnings(&passing).join("\n"),
        reviews.notes().join("\n")
    ));
}

proptest! {
    /// Registering with or without the question gives the same, and answers are numbers between 0 and 1.
    #[test]
    fn asking_changes_nothing(cells in prop::collection::vec((0..6_i32, 0..6_i32, 0..4_i32), 1..20), step in 5..150_i32) {
        let line = |(number, (i, j, z)): (usize, &(i32, i32, i32))| format!("F{number} {} {} z={z}", i * step, j * step);
        let layout: Vec<String> = cells.iter().enumerate().map(line).collect();
        let (mut plain, mut asked) = (image(&layout.join("\n")), image(&layout.join("\n")));
        register(&mut plain, &ConverterOptions::default()).unwrap();
        let moved = moved_apart(&mut asked, &ConverterOptions::default()).unwrap();
        prop_assert_eq!(&plain, &asked);
        if let Some(moved) = moved {
            prop_assert!(moved.part > 0.0 && moved.part <= 1.0 && moved.pixels > 1.0 && moved.overlapping <= moved.fields);
        }
        let spread = spread(&plain).unwrap();
        prop_assert!((0.0..1.0).contains(&spread.empty));
        if let Some(hole) = spread.hole {
            prop_assert!(hole.length > 0.0 && hole.length < hole.of);
        }
    }
}
