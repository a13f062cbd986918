//! Fields of view, and tiles within one, that differ in size.

use expect_test::expect;
use serde_json::json;

use super::{check, check_each, corrections, strategies, tiling};

#[test]
fn one_field_is_not_snapped() {
    let layout = "A 50.5 10 z=3
                  A 51 10 z=4";
    check_each(
        layout,
        strategies(["Auto", "Snap to Grid", "Snap to Corners", "Inplace"]),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            A 2.tif  x 0..100 y 0..80 z 1..2
            shape [1, 1, 2, 80, 100]
        "#]],
    );
}

#[test]
fn fields_of_different_sizes_stay_in_place_or_fail() {
    let layout = "A 0 0
                  B 90 0
                  C 180 0 w=101";
    check_each(
        layout,
        strategies(["Auto", "Snap to Grid", "Snap to Corners"]),
        expect![[r#"
            image P.zarr/A/01/0: fields of view cannot be snapped because their x sizes differ: 'A' has 100 pixels, 'C' has 101 (1 of 3 fields differ); use the tiling strategy `Inplace`, or give tiles of one size
        "#]],
    );
    check(
        layout,
        tiling(json!({"mode": "Inplace"})),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        B 2.tif  x 90..190 y 0..80
        C 3.tif  x 180..281 y 0..80
        shape [1, 1, 1, 80, 281]
    "#]],
    );
}

#[test]
fn a_channel_of_another_size_is_refused_unless_tiles_stay_in_place() {
    let layout = "A 0 0 c=0
                  A 0 0 c=1 w=50 h=40";
    let per_field = json!({"grouping": {"mode": "Per-FOV"}});
    check_each(
        layout,
        strategies(["Auto", "Snap to Grid", "Snap to Corners"])
            .into_iter()
            .chain([per_field]),
        expect![[r#"
            image P.zarr/A/01/0: tile 'A' (2.tif) is 50 x 40 pixels, but tile 'A' (1.tif) of the same field of view is 100 x 80: channels, planes and times of a field must have one size; give those of another size an acquisition number (plates) or image_path of their own, or use the tiling strategy `Inplace` to lay them on each other's upper left corner
        "#]],
    );
    check(
        layout,
        tiling(json!({"mode": "Inplace"})),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            A 2.tif  x 0..50 y 0..40 c 1..2
            shape [1, 2, 1, 80, 100]
        "#]],
    );
}

/// Tiles of one field beside each other, where jitter is kept, are parts of it.
#[test]
fn parts_of_a_field_may_differ_in_size() {
    check(
        "A 0 0
         A 100 0 w=30
         B 200 0",
        corrections(json!({"remove_xy_jitter": false})),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            A 2.tif  x 100..130 y 0..80
            B 3.tif  x 100..200 y 0..80
            shape [1, 1, 1, 80, 200]
        "#]],
    );
}
