//! How often tiles are opened and planes decoded, however many chunks they span.

use std::sync::Arc;

use ome_zarr_convert_compute::Decoding;
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_geometry::PixelType;
use serde_json::json;

use crate::scene::{Run, Scene, Source, TileSpec, is_chunk, tree};

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
        data_type: PixelType::UInt16,
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
        // Every file is written once, by one writer: as many as there are chunks in the finished image.
        let chunks = tree(&run.target()).into_keys().filter(|name| is_chunk(name)).count() as u64;
        assert_eq!(
            (report.chunks_written, run.listener.count("file written")),
            (chunks, chunks)
        );
        assert_eq!(run.listener.count("tile read"), 3);
        assert_eq!(run.listener.count("chunk done"), report.plan.leaves.len() as u64);
    }
}

/// Where memory forbids that planes wait, each chunk decodes what it needs, and the bytes are the same.
#[test]
fn with_little_memory_every_chunk_decodes_its_part() {
    let (once, again, scene) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), scene(false));
    let ample = Run::new(&scene, once.path());
    let plan = ample.convert().unwrap().plan;
    let (kept, decoded_again) = (plan.memory(Decoding::Once), plan.memory(Decoding::PerChunk));
    assert!(kept.peak_bytes(1) > decoded_again.peak_bytes(1));
    let means = |budget| plan.means_within(Some(budget), 1, false).map(|means| means.decoding);
    assert_eq!(means(kept.peak_bytes(1)), Some(Decoding::Once));
    assert_eq!(means(kept.peak_bytes(1) - 1), Some(Decoding::PerChunk));
    assert_eq!(means(decoded_again.peak_bytes(1) - 1), None);
    let mut short = Run::new(&scene, again.path());
    short.threads = 1;
    short.pixel_budget = Some(kept.peak_bytes(1) - 1);
    let report = short.convert().unwrap();
    assert!(tree(&short.target()) == tree(&ample.target()));
    let windows: usize = short.loader.counts().read.values().map(Vec::len).sum();
    assert!(
        windows > 15 && report.planes_decoded == windows as u64,
        "{windows}, {}",
        report.planes_decoded
    );
}

#[test]
fn sources_beyond_the_number_that_may_stay_open_are_opened_again() {
    let (few, many, scene) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), scene(false));
    let usual = Run::new(&scene, many.path());
    usual.convert().unwrap();
    let mut run = Run::new(&scene, few.path());
    run.open_sources = Some(0);
    run.convert().unwrap();
    let counts = run.loader.counts();
    assert!(counts.opened.values().all(|opened| *opened > 1), "{:?}", counts.opened);
    assert!(counts.read.values().all(|reads| reads.len() == 1), "still decoded once");
    assert!(tree(&run.target()) == tree(&usual.target()));
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

/// One file, more threads: its strips are read side by side, each once, and never cut.
#[test]
fn strips_of_one_plane_are_read_by_all_threads() {
    let axes = vec![Axis::Y, Axis::X];
    let mut tile = TileSpec::noise(&axes, 0, [0; 5], [1, 1, 1, 1300, 1000], PixelType::UInt8);
    let noise = Arc::into_inner(tile.source).unwrap();
    tile.source = Arc::new(Source {
        band_rows: Some(100),
        ..noise
    });
    let scene = Scene {
        tiles: vec![tile],
        axes,
        data_type: PixelType::UInt8,
        channels: None,
        omezarr: json!({"chunks": {"mode": "Fixed Size", "xy_chunk": 512}}),
    };
    let output = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&scene, folder.path());
        run.threads = threads;
        run.convert().unwrap();
        let [(_, reads)] = run
            .loader
            .counts()
            .read
            .into_iter()
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        (tree(&run.target()), reads)
    };
    let (one, whole) = output(1);
    assert_eq!(whole, [(1300, 1000)]);
    let (four, mut bands) = output(4);
    bands.sort_unstable();
    assert_eq!(bands, [(300, 1000), (300, 1000), (300, 1000), (400, 1000)]);
    assert!(one == four);
}
