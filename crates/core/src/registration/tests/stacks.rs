//! Stacks that begin between planes, or between time points: rounded once, so that none of their planes is lost.

use expect_test::{Expect, expect};
use serde_json::json;

use super::{corrections, image, options};
use crate::registration::register;
use ome_zarr_convert_geometry::Axis;

/// Field, then starts along t and z of its tiles in their order, with the tile's channel where it is not 0.
fn check(layout: &str, expected: Expect) {
    let mut image = image(layout);
    register(&mut image, &options(corrections(json!({"reindex_channels": false})))).unwrap();
    let mut text = String::new();
    for field in image.fields_of_view() {
        text += &image.regions[field[0]].roi.name;
        for tile in field {
            let start = |axis: Axis| image.regions[tile].roi.span(axis).start;
            text += &format!("  {}/{}", start(Axis::T), start(Axis::Z));
            if start(Axis::C) > 0.0 {
                text += &format!("/c{}", start(Axis::C));
            }
        }
        text += "\n";
    }
    expected.assert_eq(&text);
}

#[test]
fn a_field_half_a_step_higher_keeps_its_planes() {
    check(
        "A 0 0 z=0
         A 0 0 z=1
         A 0 0 z=2
         B 100 0 z=0.5
         B 100 0 z=1.5
         B 100 0 z=2.5",
        expect![[r#"
            A  0/0  0/1  0/2
            B  0/0  0/1  0/2
        "#]],
    );
}

#[test]
fn noise_around_half_a_step_makes_neither_holes_nor_losses() {
    check(
        "A 0 0 z=0
         B 100 0 z=37.49
         B 100 0 z=38.52
         B 100 0 z=39.48
         B 100 0 z=40.51",
        expect![[r#"
            A  0/0
            B  0/37  0/38  0/39  0/40
        "#]],
    );
}

#[test]
fn times_between_two_frames_stay_apart() {
    check(
        "A 0 0 t=0
         B 100 0 t=0.5
         B 100 0 t=1.5
         B 100 0 t=2.5",
        expect![[r#"
            A  0/0
            B  0/0  1/0  2/0
        "#]],
    );
}

/// A camera with a focus of its own, and focus that drifts between time points: each stack is rounded by itself where the field as a
/// whole would lose planes.
#[test]
fn channels_and_time_points_have_a_focus_of_their_own() {
    check(
        "A 0 0 c=0 z=0
         A 0 0 c=0 z=1
         A 0 0 c=0 z=2
         A 0 0 c=1 z=0.5
         A 0 0 c=1 z=1.5
         A 0 0 c=1 z=2.5",
        expect![[r#"
            A  0/0  0/1  0/2  0/0/c1  0/1/c1  0/2/c1
        "#]],
    );
    check(
        "A 0 0 t=0 z=0
         A 0 0 t=0 z=1
         A 0 0 t=1 z=0.5
         A 0 0 t=1 z=1.5
         A 0 0 t=1 z=2.5",
        expect![[r#"
            A  0/0  0/1  1/0  1/1  1/2
        "#]],
    );
}

#[test]
fn a_channel_without_the_first_plane_stays_aligned() {
    check(
        "A 0 0 z=0
         B 100 0 c=0 z=0.5
         B 100 0 c=0 z=1.5
         B 100 0 c=0 z=2.5
         B 100 0 c=1 z=1.5
         B 100 0 c=1 z=2.5",
        expect![[r#"
            A  0/0
            B  0/0  0/1  0/2  0/1/c1  0/2/c1
        "#]],
    );
}

/// Where distances would make two planes meet that each tile by itself keeps apart, each is rounded by itself, as in the reference.
#[test]
fn planes_that_could_be_kept_apart_are() {
    check(
        "A 0 0 z=0
         B 100 0 z=0.5
         B 100 0 z=1",
        expect![[r#"
            A  0/0
            B  0/0  0/1
        "#]],
    );
}

#[test]
fn files_of_several_planes_move_as_whole_files() {
    check(
        "A 0 0 z=0 d=3
         B 100 0 z=0.5 d=3
         B 100 0 z=3.5 d=3",
        expect![[r#"
            A  0/0
            B  0/0  0/3
        "#]],
    );
}
