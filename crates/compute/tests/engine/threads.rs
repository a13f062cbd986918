//! The same bytes, whatever the number of threads.

use std::collections::BTreeMap;

use ome_zarr_convert_core::Axis;
use ome_zarr_convert_geometry::PixelType;
use serde_json::{Value, json};

use crate::scene::{Run, Scene, TileSpec, tree};

/// Eight overlapping fields of three slices and two channels, in chunks of an odd size: tiles span chunks, seams are many.
fn scene(shards: Value, version: &str) -> Scene {
    let axes = vec![Axis::C, Axis::Z, Axis::Y, Axis::X];
    let tile = |number: u64| {
        let start = [0, 0, 0, number / 3 * 41, number % 3 * 37];
        TileSpec::noise(&axes, number as usize, start, [1, 2, 3, 45, 50], PixelType::Float32)
    };
    Scene {
        tiles: (0..8).map(tile).collect(),
        axes,
        data_type: PixelType::Float32,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 13, "z_chunk": 2, "c_chunk": 1, "t_chunk": 1},
            "levels": {"mode": "Number of Levels", "num_levels": 4},
            "shards": shards, "ngff_version": version,
        }),
    }
}

fn output(scene: &Scene, threads: usize) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(scene, folder.path());
    run.threads = threads;
    run.convert().unwrap();
    tree(&run.target())
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let shards = json!({"mode": "Multiple of Chunks", "xy_factor": 3, "z_factor": 2, "c_factor": 1, "t_factor": 1});
    for scene in [scene(json!({"mode": "None"}), "0.4"), scene(shards, "0.5")] {
        let one = output(&scene, 1);
        assert!(one.len() > 20, "{:?}", one.keys());
        for threads in [2, 7] {
            let many = output(&scene, threads);
            assert_eq!(one.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>());
            let different: Vec<_> = one
                .iter()
                .filter(|(name, bytes)| many[*name] != **bytes)
                .map(|(name, _)| name)
                .collect();
            assert!(different.is_empty(), "with {threads} threads: {different:?}");
        }
    }
}
