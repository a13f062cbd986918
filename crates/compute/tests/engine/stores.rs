//! The same conversion through every kind of store: equal bytes, complete or absent when any call fails.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use ome_zarr_convert_compute::{ComputeError, Outcome};
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_core::options::OverwriteMode;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::ImageMetadata;
use ome_zarr_convert_store::testing::{FailingStore, Moment};
use ome_zarr_convert_store::{FolderStore, Location, MemoryStore, Publishing, Store};
use serde_json::json;

use crate::scene::{Run, Scene, TileSpec};

/// Three overlapping fields in small chunks, two levels.
fn scene(version: &str) -> Scene {
    let axes = vec![Axis::C, Axis::Y, Axis::X];
    let tile = |number: u64| {
        let start = [0, number % 2, 0, 0, number * 17];
        TileSpec::noise(&axes, number as usize, start, [1, 1, 1, 25, 20], PixelType::UInt16)
    };
    let shards = match version {
        "0.4" => json!({"mode": "None"}),
        _ => json!({"mode": "Multiple of Chunks", "xy_factor": 2, "z_factor": 1, "c_factor": 1, "t_factor": 1}),
    };
    Scene {
        tiles: (0..3).map(tile).collect(),
        axes,
        data_type: PixelType::UInt16,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 16, "z_chunk": 1, "c_chunk": 1, "t_chunk": 1},
            "levels": {"mode": "Number of Levels", "num_levels": 2},
            "shards": shards, "ngff_version": version,
        }),
    }
}

/// Every file of a store by its key.
fn content(store: &Arc<dyn Store>) -> BTreeMap<String, Vec<u8>> {
    let root = Location::new(store.clone(), "");
    let files = root.walk().unwrap().into_iter().flatten();
    files
        .map(|file| (file.key.clone(), root.join(&file.key).read().unwrap().unwrap()))
        .collect()
}

fn convert(scene: &Scene, store: &Arc<dyn Store>, mode: OverwriteMode) -> Result<Outcome, ComputeError> {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(scene, folder.path());
    run.overwrite_mode = mode;
    run.threads = 1;
    let target = Location::new(store.clone(), "image.zarr");
    Ok(run.convert_at(scene.image(), &target)?.outcome)
}

fn stores() -> [(&'static str, Arc<dyn Store>); 2] {
    [
        ("document last", Arc::new(MemoryStore::new())),
        ("rename", Arc::new(MemoryStore::with_rename())),
    ]
}

#[test]
fn every_store_gets_the_same_bytes() {
    for version in ["0.4", "0.5"] {
        let scene = scene(version);
        let folder = tempfile::tempdir().unwrap();
        let on_disk: Arc<dyn Store> = Arc::new(FolderStore::new(folder.path()));
        assert_eq!(
            convert(&scene, &on_disk, OverwriteMode::NoOverwrite).unwrap(),
            Outcome::Written
        );
        for (name, store) in stores() {
            let outcome = convert(&scene, &store, OverwriteMode::NoOverwrite).unwrap();
            assert_eq!(outcome, Outcome::Written, "{name}");
            assert!(content(&store) == content(&on_disk), "{name} {version}");
            let again = convert(&scene, &store, OverwriteMode::NoOverwrite).unwrap();
            assert_eq!(again, Outcome::AlreadyComplete, "{name}");
        }
    }
}

/// Whether readers find an image, and whether it is the whole one.
fn is_absent_or_whole(store: &Arc<dyn Store>, whole: &BTreeMap<String, Vec<u8>>) -> bool {
    let image = Location::new(store.clone(), "image.zarr");
    ImageMetadata::read(&image).is_err()
        || whole
            .iter()
            .filter(|(key, _)| key.starts_with("image.zarr/"))
            .all(|(key, bytes)| image.parent().unwrap().join(key).read().unwrap().as_ref() == Some(bytes))
}

/// Fails every single call of a conversion, before and after it took effect; the next run ends as if nothing had happened.
#[test]
fn any_call_can_fail() {
    for version in ["0.4", "0.5"] {
        let scene = scene(version);
        for make in [MemoryStore::new, MemoryStore::with_rename] {
            let undisturbed: Arc<dyn Store> = Arc::new(MemoryStore::with_rename());
            convert(&scene, &undisturbed, OverwriteMode::NoOverwrite).unwrap();
            let whole = content(&undisturbed);
            let mut failures = 0;
            // Where documents come last, objects appear whole or not at all.
            let moments: &[Moment] = match make().publishing() {
                Publishing::Rename => &[Moment::Before, Moment::Halfway, Moment::After],
                Publishing::DocumentLast => &[Moment::Before, Moment::After],
            };
            for &moment in moments {
                for number in 1.. {
                    let inner: Arc<dyn Store> = Arc::new(make());
                    let failing = FailingStore::new(inner.clone());
                    failing.fail_nth(number, ErrorKind::StorageFull, moment);
                    let failing: Arc<dyn Store> = Arc::new(failing);
                    let first = convert(&scene, &failing, OverwriteMode::NoOverwrite);
                    assert!(is_absent_or_whole(&inner, &whole), "call {number} of {version}");
                    if first.is_ok() {
                        break;
                    }
                    failures += 1;
                    let next = convert(&scene, &inner, OverwriteMode::Extend);
                    assert!(next.is_ok(), "after call {number} of {version}: {next:?}");
                    assert_eq!(
                        content(&inner).keys().collect::<Vec<_>>(),
                        whole.keys().collect::<Vec<_>>(),
                        "after call {number} of {version}"
                    );
                    let found = content(&inner);
                    let other: Vec<_> = whole
                        .iter()
                        .filter(|(key, bytes)| found.get(*key) != Some(bytes))
                        .collect();
                    assert!(
                        other.is_empty(),
                        "after call {number} ({moment:?}) of {version}: {other:?}"
                    );
                }
            }
            assert!(failures > 50, "{failures} calls");
        }
    }
}
