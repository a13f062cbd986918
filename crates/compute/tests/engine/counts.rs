//! How often tiles are opened and planes decoded, however many chunks they span.

use std::sync::Arc;

use ome_zarr_convert_core::Axis;
use ome_zarr_convert_ngff::DataType;
use ome_zarr_convert_sources::PixelType;
use serde_json::json;

use crate::scene::{Run, Scene, Source, TileSpec};

/// Three tiles of five slices of 20 × 20 in chunks of 8 × 8 and two slices.
fn scene(cheap_windows: bool) -> Scene {
    let axes = vec![Axis::Z, Axis::Y, Axis::X];
    let tile = |number: u64| {
        let mut tile = TileSpec::noise(
            &axes,
            number as usize,
            [0, 0, 0, 3, 19 * number],
            [1, 1, 5, 20, 20],
            PixelType::UInt16,
        );
        let noise = Arc::into_inner(tile.source).unwrap();
        tile.source = Arc::new(Source { cheap_windows, ..noise });
        tile
    };
    Scene {
        tiles: (0..3).map(tile).collect(),
        axes,
        data_type: DataType::UInt16,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 8, "z_chunk": 2},
            "levels": {"mode": "Number of Levels", "num_levels": 2},
        }),
    }
}

#[test]
fn a_tile_is_opened_once_and_its_planes_decoded_once() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene(false));
    for threads in [1, 4] {
        let folder = folder.path().join(threads.to_string());
        let mut run = Run::new(&scene, &folder);
        run.threads = threads;
        let report = run.convert().unwrap();
        let counts = run.loader.counts();
        assert_eq!(counts.opened.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(counts.read.len(), 3 * 5);
        assert!(
            counts.read.values().all(|reads| *reads == [(20, 20)]),
            "{:?}",
            counts.read
        );
        assert_eq!((report.files_opened, report.planes_decoded), (3, 15));
        assert_eq!((report.tiles, report.bytes_read), (3, 0));
    }
}

#[test]
fn where_windows_are_cheap_each_pixel_is_read_once() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene(true));
    let run = Run::new(&scene, folder.path());
    run.convert().unwrap();
    let counts = run.loader.counts();
    assert_eq!(counts.opened.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    for (plane, windows) in &counts.read {
        assert!(windows.len() >= 9, "{plane:?}: {windows:?}");
        assert_eq!(
            windows.iter().map(|(height, width)| height * width).sum::<u64>(),
            400,
            "{plane:?}"
        );
    }
}
