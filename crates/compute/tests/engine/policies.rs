//! What happens to bad tiles and to tiles that overlap, when other than the default is asked for.

use std::sync::Arc;

use ome_zarr_convert_compute::{Conversion, Report, convert_image};
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_core::options::{BadTiles, ConverterOptions, Grouping, Overlap};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_store::Location;
use serde_json::{Value, json};
use zarrs::array::Array;
use zarrs::filesystem::FilesystemStore;

use crate::scene::{Fault, Run, Scene, TileSpec, plan, tree};

/// Three fields of two channels in a row of 10 × 10 boxes, in chunks of 7.
fn scene(step: u64, z: bool) -> Scene {
    let axes = if z {
        vec![Axis::C, Axis::Z, Axis::Y, Axis::X]
    } else {
        vec![Axis::C, Axis::Y, Axis::X]
    };
    let tile = |number: u64| {
        let start = [0, number % 2, 0, 0, number / 2 * step];
        let mut tile = TileSpec::noise(&axes, number as usize, start, [1, 1, 1, 10, 10], PixelType::UInt16);
        tile.field = (number / 2) as usize;
        tile
    };
    Scene {
        tiles: (0..6).map(tile).collect(),
        axes,
        data_type: PixelType::UInt16,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 7, "z_chunk": 1, "c_chunk": 1, "t_chunk": 1},
            "levels": {"mode": "Number of Levels", "num_levels": 1},
            "ngff_version": "0.5",
        }),
    }
}

fn convert(run: &Run<'_>, options: &ConverterOptions) -> Report {
    let target = Location::local(&run.target()).unwrap();
    let conversion = Conversion {
        loader: &run.loader,
        ..Conversion::new(&target)
    };
    let planned = plan(run.scene.image(), options.clone()).unwrap();
    convert_image(&planned, &conversion).unwrap()
}

/// Level 0 in C order.
fn pixels(run: &Run<'_>) -> Vec<u16> {
    let store = Arc::new(FilesystemStore::new(run.target().join("0")).unwrap());
    let array = Array::open(store, "/").unwrap();
    array.retrieve_array_subset(&array.subset_all()).unwrap()
}

fn of_tile(scene: &Scene, tile: usize, y: usize, x: usize) -> u16 {
    let bytes = &scene.tiles[tile].source.bytes;
    let at = (y * 10 + x) * 2;
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

#[test]
fn overlaps_are_combined_as_asked() {
    for overlap in [
        Overlap::Last,
        Overlap::First,
        Overlap::Mean,
        Overlap::Max,
        Overlap::Linear,
    ] {
        let scene = scene(6, false);
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new(&scene, folder.path());
        let mut options = scene.options();
        let Grouping::Mosaic(mosaic) = &mut options.grouping else {
            panic!("a mosaic")
        };
        mosaic.overlap = overlap;
        convert(&run, &options);
        let found = pixels(&run);
        let width = 22;
        assert_eq!(found.len(), 2 * 10 * width);
        for (at, value) in found.iter().enumerate() {
            let (c, y, x) = (at / (10 * width), at / width % 10, at % width);
            let layers: Vec<(f64, f64)> = (0..3)
                .filter(|field| (field * 6..field * 6 + 10).contains(&x))
                .map(|field| {
                    let inside = x - field * 6;
                    let weight = ((inside + 1).min(10 - inside) * (y + 1).min(10 - y)) as f64;
                    (f64::from(of_tile(&scene, field * 2 + c, y, inside)), weight)
                })
                .collect();
            let values = layers.iter().map(|(value, _)| *value);
            let mean = |weight: &dyn Fn(f64) -> f64| {
                let total: f64 = layers.iter().map(|(_, w)| weight(*w)).sum();
                (layers.iter().map(|(v, w)| v * weight(*w)).sum::<f64>() / total + 0.5).floor()
            };
            let expected = match overlap {
                Overlap::Last => layers[layers.len() - 1].0,
                Overlap::First => layers[0].0,
                Overlap::Max => values.fold(0.0, f64::max),
                Overlap::Mean => mean(&|_| 1.0),
                Overlap::Linear => mean(&|weight| weight),
            };
            assert_eq!(f64::from(*value), expected, "{overlap} at {c} {y} {x}");
        }
    }
}

/// EIO, EMFILE, ESTALE and a panic say nothing of the tile: the image fails, and another run finishes it.
#[test]
fn only_faults_of_the_data_leave_a_tile_empty() {
    for fault in [
        Fault::System(2, 5),
        Fault::System(2, 24),
        Fault::System(2, 116),
        Fault::PanicOnOpen(2),
        Fault::PanicOnRead(2),
    ] {
        for policy in [BadTiles::Fill, BadTiles::SkipFov] {
            let scene = scene(10, false);
            let folder = tempfile::tempdir().unwrap();
            let mut run = Run::new(&scene, folder.path());
            run.loader.fault = fault;
            let mut options = scene.options();
            options.bad_tiles = policy;
            let target = Location::local(&run.target()).unwrap();
            let planned = plan(run.scene.image(), options.clone()).unwrap();
            let conversion = Conversion {
                loader: &run.loader,
                ..Conversion::new(&target)
            };
            let error = convert_image(&planned, &conversion).unwrap_err();
            assert!(error.to_string().contains("tile 'F1'"), "{fault:?}: {error}");
            assert!(!target.exists().unwrap(), "{fault:?}");
            run.loader.fault = Fault::None;
            assert!(convert(&run, &options).left_out.is_empty(), "{fault:?}");
        }
    }
}

#[test]
fn a_bad_tile_is_left_empty_and_told() {
    for (policy, fault, empty) in [
        (BadTiles::Fill, Fault::Open(2), vec![2]),
        (BadTiles::Fill, Fault::Read(5), vec![5]),
        (BadTiles::Fill, Fault::Open(0), vec![0]),
        (BadTiles::SkipFov, Fault::Read(3), vec![3, 2]),
    ] {
        let scene = scene(10, false);
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&scene, folder.path());
        run.loader.fault = fault;
        let mut options = scene.options();
        options.bad_tiles = policy;
        let report = convert(&run, &options);
        let told: Vec<&str> = report.left_out.iter().map(|out| out.tile.as_str()).collect();
        let mut expected: Vec<String> = Vec::new();
        for tile in &empty {
            expected.push(format!("tile 'F{}' ({{\"id\":{tile}}})", tile / 2));
        }
        let (mut told, mut expected) = (told.clone(), expected.iter().map(String::as_str).collect::<Vec<_>>());
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected);
        for (at, value) in pixels(&run).iter().enumerate() {
            let (c, y, x) = (at / 300, at / 30 % 10, at % 30);
            let tile = x / 10 * 2 + c;
            let expected = if empty.contains(&tile) {
                0
            } else {
                of_tile(&scene, tile, y, x % 10)
            };
            assert_eq!(*value, expected, "{policy} {fault:?} at {c} {y} {x}");
        }
        let attributes = &tree(&run.target())["zarr.json"];
        let attributes: Value = serde_json::from_slice(attributes).unwrap();
        let listed = attributes["attributes"]["ome-zarr-convert"]["tiles_left_out"]
            .as_array()
            .unwrap();
        assert_eq!(listed.len(), empty.len());
    }
}
