//! The steps before tiling: offsets, the pixel grid, channels.

use expect_test::expect;
use serde_json::json;

use super::{check, check_image, corrections, image, registered, tiling};
use crate::options::{ChannelInfo, ConverterOptions};
use crate::registration::register;
use ome_zarr_convert_geometry::{Axis, Span};

#[test]
fn keep_pads_and_refuses_what_is_negative() {
    let keep = || corrections(json!({"remove_xy_offset": "Keep"}));
    check(
        "A 50 20",
        keep(),
        expect![[r#"
        A 1.tif  x 50..150 y 20..100
        shape [1, 1, 1, 100, 150]
    "#]],
    );
    check(
        "A 50 20\nB -0.004 20",
        keep(),
        expect![[r#"
        image P.zarr/A/01/0: tile 'B' (2.tif) starts at x=-0.004, but remove_xy_offset `Keep` needs positions of 0 or more; use remove_xy_offset `Global` to move the image to 0, or correct the positions
    "#]],
    );
    check(
        "A 0 0 z=-1",
        corrections(json!({"remove_z_offset": "Keep"})),
        expect![[r#"
            image P.zarr/A/01/0: tile 'A' (1.tif) starts at z=-1, but remove_z_offset `Keep` needs positions of 0 or more; use remove_z_offset `Global` to move the image to 0, or correct the positions
        "#]],
    );
    check(
        "A 0 0 t=3",
        corrections(json!({"remove_t_offset": "Keep"})),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80 t 3..4
            shape [4, 1, 1, 80, 100]
        "#]],
    );
}

#[test]
fn an_image_of_one_field_keeps_its_offset_in_the_translation_only() {
    let document = |offset: &str| {
        json!({
            "grouping": {"mode": "Per-FOV"},
            "stage_position_corrections": {"remove_xy_offset": offset, "remove_z_offset": offset},
        })
    };
    let image = || {
        let mut image = image("A 50 20 z=7\nA 50 20 z=8");
        image.translation = Some(vec![0.0, 0.0, 7.0, 20.0, 50.0]);
        image
    };
    check_image(
        image(),
        document("Keep"),
        expect![[r#"
            A 1.tif  x 0..100 y 0..80
            A 2.tif  x 0..100 y 0..80 z 1..2
            shape [1, 1, 2, 80, 100]
        "#]],
    );
    assert_eq!(
        registered(image(), document("Keep")),
        registered(image(), document("Global"))
    );
}

#[test]
fn z_starts_at_zero_per_field_or_for_all() {
    let layout = "A 0 0 z=10
                  A 0 0 z=11
                  B 100 0 z=14
                  B 100 0 z=15";
    check(
        layout,
        corrections(json!({"remove_z_offset": "Per-FOV"})),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        A 2.tif  x 0..100 y 0..80 z 1..2
        B 3.tif  x 100..200 y 0..80
        B 4.tif  x 100..200 y 0..80 z 1..2
        shape [1, 1, 2, 80, 200]
    "#]],
    );
    check(
        layout,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        A 2.tif  x 0..100 y 0..80 z 1..2
        B 3.tif  x 100..200 y 0..80 z 4..5
        B 4.tif  x 100..200 y 0..80 z 5..6
        shape [1, 1, 6, 80, 200]
    "#]],
    );
}

#[test]
fn channels_in_use_are_renumbered() {
    let with_channels = |count: usize| {
        let mut image = image("A 0 0 c=1\nA 0 0 c=3 n=2");
        let channel = |index| ChannelInfo {
            channel_label: format!("dye {index}"),
            wavelength_id: None,
            color: None,
        };
        image.channels = Some((0..count).map(channel).collect());
        image
    };
    let off = || corrections(json!({"reindex_channels": false}));
    check_image(
        with_channels(6),
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        A 2.tif  x 0..100 y 0..80 c 1..3
        shape [1, 3, 1, 80, 100]
    "#]],
    );
    check_image(
        with_channels(6),
        off(),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80 c 1..2
        A 2.tif  x 0..100 y 0..80 c 3..5
        shape [1, 6, 1, 80, 100]
    "#]],
    );
    check(
        "A 0 0 c=1\nA 0 0 c=3 n=2",
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80
        A 2.tif  x 0..100 y 0..80 c 1..3
        shape [1, 3, 1, 80, 100]
    "#]],
    );
    check(
        "A 0 0 c=1\nA 0 0 c=3 n=2",
        off(),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80 c 1..2
        A 2.tif  x 0..100 y 0..80 c 3..5
        shape [1, 5, 1, 80, 100]
    "#]],
    );
    check_image(
        with_channels(4),
        json!({}),
        expect![[r#"
        image P.zarr/A/01/0: a tile holds channel 4, but the image lists 4 channels (numbers from 0)
    "#]],
    );

    let mut image = with_channels(6);
    register(&mut image, &ConverterOptions::default()).unwrap();
    let labels: Vec<_> = image.channels.iter().flatten().map(|c| &c.channel_label).collect();
    assert_eq!(labels, ["dye 1", "dye 3", "dye 4"]);
}

/// The reference rounds both ends: a plane at 0.5 becomes two, one at 1.5 none, a tile at 0.5 of 11 pixels 12 wide.
#[test]
fn planes_and_times_at_one_half_stay_one() {
    let keep = json!({"remove_z_offset": "Keep", "remove_t_offset": "Keep", "remove_xy_offset": "Keep"});
    check(
        "A 0.5 0 z=0.5 t=1.5 w=11
         A 0.5 0 z=1.5 t=0.5 w=11
         A 0.5 0 z=2.5 t=0.5 w=11",
        corrections(keep.clone()),
        expect![[r#"
            A 1.tif  x 0..11 y 0..80 t 1..2
            A 2.tif  x 0..11 y 0..80 z 1..2
            A 3.tif  x 0..11 y 0..80 z 2..3
            shape [2, 1, 3, 80, 11]
        "#]],
    );
    // A fractional length has both ends rounded.
    check(
        "A 0.5 0 w=10.4",
        corrections(keep),
        expect![[r#"
        A 1.tif  x 0..11 y 0..80
        shape [1, 1, 1, 80, 11]
    "#]],
    );
}

#[test]
fn world_units_become_pixels() {
    let mut image = image("A 0 0 w=41.6 h=31.2\nB 37.44 0 w=41.6 h=31.2 z=10 t=20");
    (image.xy_pixel_size, image.z_spacing, image.t_spacing) = (0.65, 5.0, 10.0);
    for region in &mut image.regions {
        for (axis, length) in [(Axis::Z, 5.0), (Axis::T, 10.0)] {
            let start = region.roi.span(axis).start;
            region.roi.set(axis, Span { start, length });
        }
    }
    check_image(
        image,
        json!({}),
        expect![[r#"
        A 1.tif  x 0..64 y 0..48
        B 2.tif  x 64..128 y 0..48 z 2..3 t 2..3
        shape [3, 1, 3, 48, 128]
    "#]],
    );
}

#[test]
fn what_is_no_pixel_is_an_error_and_never_a_panic() {
    let inplace = || tiling(json!({"mode": "Inplace"}));
    check(
        "A 0 0 w=0.3",
        inplace(),
        expect![[r#"
        image P.zarr/A/01/0: tile 'A' (1.tif) covers 0 to 0.3 pixels along x, which is no whole pixel; check its start and length and the pixel size (1)
    "#]],
    );
    check(
        "A 0 0\nB 1e20 0",
        json!({}),
        expect![[r#"
            image P.zarr/A/01/0: tile 'B' (2.tif) covers 100000000000000000000 to 100000000000000000000 pixels along x, which is too far away; check its start and length and the pixel size (1)
        "#]],
    );
    check(
        "A 0 0 n=1e14",
        json!({}),
        expect![[r#"
        A 1.tif  x 0..100 y 0..80 c 0..100000000000000
        shape [1, 100000000000000, 1, 80, 100]
    "#]],
    );
    check(
        "A 0 0 c=-1",
        corrections(json!({"reindex_channels": false})),
        expect![[r#"
        image P.zarr/A/01/0: a tile holds channel -1, but channels count from 0
    "#]],
    );
}
