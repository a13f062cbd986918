//! What goes wrong: each failure names its tile, leaves nothing behind, and a second run mends it.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use ome_zarr_convert_compute::{ComputeError, Conversion, Event, Mark, Outcome, Progress, convert_image};
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_core::options::OverwriteMode;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::ImageInfo;
use ome_zarr_convert_store::Location;
use serde_json::json;

use crate::scene::{Fault, Run, Scene, Source, TileSpec, plan, tree};

fn place(run: &Run<'_>) -> Location {
    Location::local(&run.target()).unwrap()
}

/// Four fields of 10 × 10 in a row.
fn scene() -> Scene {
    let axes = vec![Axis::Y, Axis::X];
    let tile = |field: u64| {
        TileSpec::noise(
            &axes,
            field as usize,
            [0, 0, 0, 0, 10 * field],
            [1, 1, 1, 10, 10],
            PixelType::UInt16,
        )
    };
    Scene {
        tiles: (0..4).map(tile).collect(),
        axes,
        data_type: PixelType::UInt16,
        channels: None,
        omezarr: json!({}),
    }
}

/// The scene with another file for one tile.
fn with_source(tile: usize, shape: &[u64], pixel_type: PixelType, bytes: Vec<u8>) -> Scene {
    let mut scene = scene();
    let info = ImageInfo {
        shape: shape.to_vec(),
        pixel_type,
    };
    scene.tiles[tile].source = Arc::new(Source {
        info,
        bytes,
        cheap_windows: false,
        band_rows: None,
    });
    scene
}

fn check_failure(scene: &Scene, fault: Fault, expected: Expect) {
    let texts = [1, 3].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(scene, folder.path());
        run.loader.fault = fault;
        run.threads = threads;
        let error = run.convert().unwrap_err();
        assert_nothing_in(folder.path());
        error.to_string()
    });
    assert_eq!(texts[0], texts[1]);
    expected.assert_eq(&texts[0]);
}

fn assert_nothing_in(folder: &Path) {
    let names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn what_a_loader_says_is_told_with_the_tile() {
    check_failure(
        &scene(),
        Fault::Open(0),
        expect![[r#"tile 'F0' ({"id":0}): tests: the disk is gone"#]],
    );
    check_failure(
        &scene(),
        Fault::Open(2),
        expect![[r#"tile 'F2' ({"id":2}): tests: the disk is gone"#]],
    );
    check_failure(
        &scene(),
        Fault::Read(3),
        expect![[r#"tile 'F3' ({"id":3}): tests: the strip is torn"#]],
    );
}

#[test]
fn a_panic_fails_its_image_only() {
    check_failure(
        &scene(),
        Fault::PanicOnOpen(0),
        expect![[
            r#"tile 'F0' ({"id":0}): the program failed (no header in tile 0). A panic is a bug, in the loader that reads the tile or in this program: please report it with this text; nothing was written"#
        ]],
    );
    check_failure(
        &scene(),
        Fault::PanicOnRead(2),
        expect![[
            r#"tile 'F2' ({"id":2}): the program failed (index out of range in tile 2). A panic is a bug, in the loader that reads the tile or in this program: please report it with this text; nothing was written"#
        ]],
    );
}

/// A panic inside the library's callbacks, where no tile is concerned.
#[test]
fn a_panic_of_a_listener_leaves_nothing_behind() {
    struct Panics;
    impl Progress for Panics {
        fn on(&self, event: Event<'_>) {
            if let Event::FileWritten { .. } = event {
                panic!("terminal is closed");
            }
        }
    }
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    let run = Run::new(&scene, folder.path());
    let target = Location::local(&run.target()).unwrap();
    let conversion = Conversion {
        loader: &run.loader,
        progress: &Panics,
        ..Conversion::new(&target)
    };
    let planned = plan(scene.image(), scene.options()).unwrap();
    let error = convert_image(&planned, &conversion).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("image image.zarr: the program failed (terminal is closed)"),
        "{error}"
    );
    assert_nothing_in(folder.path());
}

#[test]
fn files_that_are_not_what_their_tiles_declare() {
    let zeros = vec![0; 1000];
    check_failure(
        &with_source(2, &[10, 11], PixelType::UInt16, zeros.clone()),
        Fault::None,
        expect![[
            r#"tile 'F2' ({"id":2}): the file's shape is [10, 11], but the tile declares [10, 10] (axes yx); correct the tile's lengths, or give the right file"#
        ]],
    );
    check_failure(
        &with_source(0, &[1, 10, 10], PixelType::UInt16, zeros.clone()),
        Fault::None,
        expect![[
            r#"tile 'F0' ({"id":0}): the file has 3 axes (shape [1, 10, 10]), but the image has the 2 axes yx; add the missing axes to the acquisition, or write files without them"#
        ]],
    );
    check_failure(
        &with_source(1, &[10, 10], PixelType::UInt8, zeros.clone()),
        Fault::None,
        expect![[
            r#"tile 'F1' ({"id":1}): the file's data type is uint8, but the image's is uint16 (that of its first tile); tiles of one image share a type: convert the file, or request a data type in the acquisition"#
        ]],
    );
    // The first tile has another type than the image, so a type was asked for: all values must fit.
    let mut narrow = scene();
    narrow.data_type = PixelType::UInt8;
    for tile in &mut narrow.tiles {
        let info = tile.source.info.clone();
        tile.source = Arc::new(Source {
            info,
            bytes: [1, 0].repeat(100),
            cheap_windows: false,
            band_rows: None,
        });
    }
    let info = narrow.tiles[3].source.info.clone();
    narrow.tiles[3].source = Arc::new(Source {
        info,
        bytes: [0, 1].repeat(100),
        cheap_windows: false,
        band_rows: None,
    });
    check_failure(
        &narrow,
        Fault::None,
        expect![[
            r#"tile 'F3' ({"id":3}): its value 256 (uint16) does not fit the requested data type uint8; request a wider type, or leave the data type out"#
        ]],
    );
}

#[test]
fn the_first_of_several_broken_tiles_is_named_every_time() {
    let mut scene = scene();
    for tile in [1, 2, 3] {
        let info = ImageInfo {
            shape: vec![9, 9],
            pixel_type: PixelType::UInt16,
        };
        scene.tiles[tile].source = Arc::new(Source {
            info,
            bytes: Vec::new(),
            cheap_windows: true,
            band_rows: None,
        });
    }
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&scene, folder.path());
        run.threads = 4;
        run.loader.fault = Fault::SlowOpen(1);
        let text = run.convert().unwrap_err().to_string();
        assert!(text.starts_with("tile 'F1' "), "{text}");
    }
}

#[test]
fn a_failed_image_is_converted_by_the_next_run() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    let mut run = Run::new(&scene, folder.path());
    run.loader.fault = Fault::Read(1);
    run.convert().unwrap_err();
    run.loader.fault = Fault::None;
    assert_eq!(run.convert().unwrap().outcome, Outcome::Written);
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["image.zarr"]);
    let mark = Mark::read(&place(&run)).unwrap().unwrap();
    assert_eq!(mark.note, json!(5), "10 × 40 pixels: five levels");
}

/// An image by another hand, or of other options: the scene's own conversion with its mark changed.
fn make_foreign(run: &Run<'_>, path: &Path) {
    run.convert().unwrap();
    fs::remove_file(path.join("0/.ome-zarr-convert.json")).unwrap();
}

#[test]
fn the_same_conversion_again_does_nothing() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    for mode in [
        OverwriteMode::NoOverwrite,
        OverwriteMode::Overwrite,
        OverwriteMode::Extend,
    ] {
        let mut run = Run::new(&scene, folder.path());
        run.overwrite_mode = mode;
        let first = run.convert().unwrap();
        assert_eq!(first.outcome == Outcome::Written, mode == OverwriteMode::NoOverwrite);
        let before = tree(&run.target());
        let second = run.convert().unwrap();
        assert_eq!((second.outcome, second.files_opened), (Outcome::AlreadyComplete, 0));
        assert_eq!(tree(&run.target()), before);
    }
}

#[test]
fn other_pixels_or_options_are_another_conversion() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    Run::new(&scene, folder.path()).convert().unwrap();
    let mut other = scene.clone();
    other.omezarr = json!({"levels": {"mode": "Number of Levels", "num_levels": 1}});
    let mut run = Run::new(&other, folder.path());
    let before = tree(&run.target());
    assert!(matches!(run.convert(), Err(ComputeError::OutputExists { .. })));
    run.overwrite_mode = OverwriteMode::Extend;
    assert_eq!(
        run.convert().unwrap().outcome,
        Outcome::Kept,
        "finished images are left alone"
    );
    assert_eq!(tree(&run.target()), before);
    run.overwrite_mode = OverwriteMode::Overwrite;
    assert_eq!(run.convert().unwrap().outcome, Outcome::Written);
    assert!(!run.target().join("1").exists(), "nothing is left of the old image");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_existing_output_and_the_three_modes() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    let mut run = Run::new(&scene, folder.path());
    make_foreign(&run, &run.target());
    let before = tree(&run.target());

    let error = run.convert().unwrap_err().to_string();
    let shown = error.replace(&run.target().display().to_string(), "{target}");
    expect!["{target} exists already: choose `Overwrite` to replace it, or `Extend` to keep what is complete"]
        .assert_eq(&shown);
    run.overwrite_mode = OverwriteMode::Extend;
    assert_eq!(run.convert().unwrap().outcome, Outcome::Kept);
    assert_eq!(tree(&run.target()), before);

    run.overwrite_mode = OverwriteMode::Overwrite;
    run.loader.fault = Fault::Read(3);
    run.convert().unwrap_err();
    assert_eq!(tree(&run.target()), before, "a failed replacement leaves the old image");
    run.loader.fault = Fault::None;
    assert_eq!(run.convert().unwrap().outcome, Outcome::Written);
    assert!(Mark::read(&place(&run)).unwrap().is_some());
}

/// What the reference leaves behind when it is killed looks like an image: its Extend takes it for finished.
#[test]
fn extend_converts_unfinished_images_again() {
    let scene = scene();
    for missing in ["tables", "0/.zarray", ".zattrs", ""] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&scene, folder.path());
        make_foreign(&run, &run.target());
        let path = run.target().join(missing);
        match missing {
            "" => {
                fs::remove_dir_all(run.target()).unwrap();
                fs::create_dir(run.target()).unwrap();
            }
            "tables" => fs::remove_dir_all(&path).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        run.overwrite_mode = OverwriteMode::Extend;
        assert_eq!(run.convert().unwrap().outcome, Outcome::Written, "without {missing}");
        assert!(run.target().join("tables/well_ROI_table").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn an_image_in_the_hands_of_another_process_is_left_to_it() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), scene());
    let partial = folder.path().join(".image.zarr.partial");
    fs::create_dir(&partial).unwrap();
    let lock = File::create(folder.path().join(".image.zarr.lock")).unwrap();
    File::create(partial.join("half a chunk")).unwrap();
    lock.lock().unwrap();
    let run = Run::new(&scene, folder.path());
    assert!(matches!(run.convert(), Err(ComputeError::Busy { path }) if path == run.target().display().to_string()));
    assert!(partial.join("half a chunk").exists());
    // The other process was killed: its lock is gone, its files are not.
    drop(lock);
    assert_eq!(run.convert().unwrap().outcome, Outcome::Written);
    assert!(!partial.exists() && !run.target().join("half a chunk").exists());
}

/// Three conversions of one image at the same time, each with its first file a little later; gives how many of them wrote it.
/// Whoever does not says why, and the image is whole.
fn race(scene: &Scene, folder: &Path, mode: OverwriteMode, pause: Duration, expected: &Path) -> usize {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let start = |number: u32| {
            scope.spawn(move || {
                let mut run = Run::new(scene, folder);
                run.listener.pause_when_planned = pause * number;
                run.overwrite_mode = mode;
                run.convert()
            })
        };
        let started = [0, 1, 2].map(start);
        started.map(|thread| thread.join().unwrap()).into()
    });
    let mut written = 0;
    for outcome in outcomes {
        match outcome {
            Ok(report) if report.outcome == Outcome::Written => written += 1,
            Ok(report) => assert_eq!(report.outcome, Outcome::AlreadyComplete),
            Err(ComputeError::Busy { .. } | ComputeError::OutputExists { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(tree(&folder.join("image.zarr")) == tree(expected));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    written
}

#[test]
fn of_several_conversions_at_once_one_writes_the_image() {
    let (expected, scene) = (tempfile::tempdir().unwrap(), scene());
    let alone = Run::new(&scene, expected.path());
    alone.convert().unwrap();
    for round in 0..25 {
        let folder = tempfile::tempdir().unwrap();
        let pause = Duration::from_micros(200 * round);
        let written = race(
            &scene,
            folder.path(),
            OverwriteMode::NoOverwrite,
            pause,
            &alone.target(),
        );
        assert_eq!(written, 1);
    }
}

#[test]
fn several_conversions_at_once_replace_an_old_image_by_a_whole_one() {
    let (expected, scene) = (tempfile::tempdir().unwrap(), scene());
    let alone = Run::new(&scene, expected.path());
    alone.convert().unwrap();
    for round in 0..25 {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new(&scene, folder.path());
        make_foreign(&run, &run.target());
        let old = run.target().join("old");
        fs::create_dir(&old).unwrap();
        // Takes a while to remove.
        for number in 0..200 {
            File::create(old.join(number.to_string())).unwrap();
        }
        let pause = Duration::from_micros(200 * round);
        assert!(race(&scene, folder.path(), OverwriteMode::Overwrite, pause, &alone.target()) >= 1);
    }
}

#[test]
fn a_folder_that_is_no_zarr_is_never_removed() {
    let scene = scene();
    for mode in [OverwriteMode::Overwrite, OverwriteMode::Extend] {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(&scene, folder.path());
        run.overwrite_mode = mode;
        fs::create_dir_all(run.target().join("notes")).unwrap();
        File::create(run.target().join("notes/thesis.txt")).unwrap();
        assert!(
            matches!(run.convert(), Err(ComputeError::Foreign { path }) if path == run.target().display().to_string())
        );
        assert!(run.target().join("notes/thesis.txt").exists());
        fs::remove_file(run.target().join("notes/thesis.txt")).unwrap();
        assert_eq!(run.convert().unwrap().outcome, Outcome::Written);
    }
}
