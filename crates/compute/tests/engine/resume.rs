//! Conversions that were stopped: the image is absent, and the next run finishes it without writing anything twice.

use std::fs;
use std::io::Write;

use expect_test::expect;
use ome_zarr_convert_compute::{Cancellation, ComputeError, Decoding, Outcome, Verification, verify_image};
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_store::Location;
use serde_json::{Value, json};

use crate::scene::{Run, Scene, TileSpec, is_chunk, plan, tree};

fn verify(run: &Run<'_>) -> Result<Verification, ComputeError> {
    let place = Location::local(&run.target())?;
    verify_image(&place, None, &Cancellation::new())
}

/// Six overlapping fields of two channels in small chunks; one field's corner is empty.
fn scene(shards: Value, version: &str, levels: usize) -> Scene {
    let axes = vec![Axis::C, Axis::Y, Axis::X];
    let tile = |number: u64| {
        let start = [0, number % 2, 0, number / 3 * 21, number % 3 * 17];
        TileSpec::noise(&axes, number as usize, start, [1, 1, 1, 25, 20], PixelType::UInt16)
    };
    Scene {
        tiles: (0..6).map(tile).collect(),
        axes,
        data_type: PixelType::UInt16,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 9, "z_chunk": 1, "c_chunk": 1, "t_chunk": 1},
            "levels": {"mode": "Number of Levels", "num_levels": levels},
            "shards": shards, "ngff_version": version,
        }),
    }
}

fn scenes() -> [Scene; 3] {
    let shards = json!({"mode": "Multiple of Chunks", "xy_factor": 2, "z_factor": 1, "c_factor": 1, "t_factor": 1});
    [
        scene(json!({"mode": "None"}), "0.4", 3),
        scene(shards, "0.5", 3),
        scene(json!({"mode": "None"}), "0.5", 1),
    ]
}

#[test]
fn a_stopped_conversion_goes_on_where_it_was() {
    for scene in scenes() {
        let whole = tempfile::tempdir().unwrap();
        let undisturbed = Run::new(&scene, whole.path());
        let report = undisturbed.convert().unwrap();
        let (expected, leaves) = (tree(&undisturbed.target()), report.plan.leaves.len());
        let mut kept_some = 0;
        for stop in (1..leaves).step_by(3) {
            let folder = tempfile::tempdir().unwrap();
            let mut stopped = Run::new(&scene, folder.path());
            stopped.threads = 1 + stop % 3;
            stopped.listener.cancel_after = Some(stop);
            let error = stopped.convert().unwrap_err();
            assert!(matches!(error, ComputeError::Cancelled), "{error}");
            assert!(!stopped.target().exists());
            let again = Run::new(&scene, folder.path());
            let report = again.convert().unwrap();
            assert_eq!(report.outcome, Outcome::Written);
            let files = again.listener.count("file written") as u64;
            let all: u64 = expected.keys().filter(|name| is_chunk(name)).count() as u64;
            assert_eq!(report.units_resumed + files, all, "stopped after {stop}");
            kept_some += usize::from(report.units_resumed > 0);
            assert!(tree(&again.target()) == expected, "stopped after {stop}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        assert!(kept_some > 3);
    }
}

#[test]
fn other_pixels_start_afresh() {
    let [scene, ..] = scenes();
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = Run::new(&scene, folder.path());
    stopped.listener.cancel_after = Some(9);
    stopped.convert().unwrap_err();
    let mut other = self::scene(json!({"mode": "None"}), "0.4", 2);
    other.tiles.truncate(5);
    let report = Run::new(&other, folder.path()).convert().unwrap();
    assert_eq!(report.units_resumed, 0);
    let alone = tempfile::tempdir().unwrap();
    let undisturbed = Run::new(&other, alone.path());
    undisturbed.convert().unwrap();
    assert!(tree(&folder.path().join("image.zarr")) == tree(&undisturbed.target()));
}

/// A kill can leave anything in the folder: files that were not yet given their names, metadata that is half written.
#[test]
fn what_a_kill_leaves_besides_chunks_is_not_published() {
    let [scene, ..] = scenes();
    let (folder, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut stopped = Run::new(&scene, folder.path());
    stopped.listener.cancel_after = Some(5);
    stopped.convert().unwrap_err();
    let partial = folder.path().join(".image.zarr.partial");
    for name in [
        ".XjfiQi.partial",
        ".zattrs",
        "0/.zarray",
        "1/.torn",
        "tables/well_ROI_table/.zattrs",
        "notes",
    ] {
        let path = partial.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().write_all(b"{").unwrap();
    }
    let again = Run::new(&scene, folder.path());
    assert!(again.convert().unwrap().units_resumed > 0);
    let undisturbed = Run::new(&scene, alone.path());
    undisturbed.convert().unwrap();
    assert!(tree(&again.target()) == tree(&undisturbed.target()));
}

#[test]
fn a_unit_of_another_size_is_written_again() {
    let [scene, ..] = scenes();
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = Run::new(&scene, folder.path());
    stopped.threads = 1;
    stopped.listener.cancel_after = Some(5);
    stopped.convert().unwrap_err();
    let torn = folder.path().join(".image.zarr.partial/0/0/0/0");
    fs::File::options()
        .write(true)
        .open(&torn)
        .unwrap()
        .set_len(10)
        .unwrap();
    let again = Run::new(&scene, folder.path());
    again.convert().unwrap();
    let alone = tempfile::tempdir().unwrap();
    let undisturbed = Run::new(&scene, alone.path());
    undisturbed.convert().unwrap();
    assert!(tree(&again.target()) == tree(&undisturbed.target()));
}

#[test]
fn verification_finds_what_is_damaged() {
    for scene in scenes() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new(&scene, folder.path());
        run.convert().unwrap();
        let verified = verify(&run).unwrap();
        assert_eq!(verified.findings, []);
        assert!(verified.units > 10);
        let files = tree(&run.target());
        let chunks: Vec<_> = files.keys().filter(|name| is_chunk(name)).collect();
        for name in chunks.iter().step_by(5) {
            let path = run.target().join(name);
            let bytes = fs::read(&path).unwrap();
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(bytes.len() as u64 / 2)
                .unwrap();
            let findings = verify(&run).unwrap().findings;
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.path == path.display().to_string()),
                "{name} cut: {findings:?}"
            );
            fs::remove_file(&path).unwrap();
            assert_ne!(verify(&run).unwrap().findings, [], "{name} removed");
            fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
        }
        assert_eq!(verify(&run).unwrap().findings, []);
    }
}

#[test]
fn a_memory_limit_bounds_the_threads_or_says_what_is_needed() {
    let [scene, ..] = scenes();
    let planned = plan(scene.image(), scene.options()).unwrap();
    let memory = planned.plan().memory(Decoding::PerChunk);
    let needed = memory.peak_bytes(1);
    assert!(memory.peak_bytes(4) > needed);
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(&scene, folder.path());
    let target = Location::local(&run.target()).unwrap();
    let convert = |budget: u64| {
        let conversion = ome_zarr_convert_compute::Conversion {
            loader: &run.loader,
            pixel_budget: Some(budget),
            ..ome_zarr_convert_compute::Conversion::new(&target)
        };
        ome_zarr_convert_compute::convert_image(&planned, &conversion)
    };
    let text = convert(needed - 1).unwrap_err().to_string();
    assert!(text.contains(&format!("needs {needed} bytes")) && text.contains(&format!("{} are left", needed - 1)));
    expect!["image.zarr"].assert_eq(text.split_whitespace().nth(1).unwrap());
    assert!(!run.target().exists());
    assert_eq!(convert(needed).unwrap().outcome, Outcome::Written);
}

#[test]
fn a_durable_conversion_writes_the_same_bytes() {
    let [scene, ..] = scenes();
    let (plain, durable) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = Run::new(&scene, plain.path());
    run.convert().unwrap();
    let mut slow = Run::new(&scene, durable.path());
    slow.durable = true;
    slow.convert().unwrap();
    assert!(tree(&slow.target()) == tree(&run.target()));
    assert_eq!(fs::read_dir(durable.path()).unwrap().count(), 1);
}
