//! Set-ups that fail or are killed at every call: the next one finishes them, nothing of others is lost, nothing is left over.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use ome_zarr_convert_ngff::{NgffVersion, Plate, write_group};
use ome_zarr_convert_store::testing::{Call, FailingStore, Moment};
use ome_zarr_convert_store::{FolderStore, Kind, MemoryStore, Store};

use super::*;

/// Everything below a place, folders with a `/` at their end, with the bytes of files.
fn tree(place: &Location) -> BTreeMap<String, Vec<u8>> {
    fn look(root: &Location, path: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in root.join(path).list().unwrap().into_iter().flatten() {
            let name = entry.name().unwrap();
            let below = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            };
            if entry.kind == Kind::Folder {
                look(root, &below, found);
                found.insert(format!("{below}/"), Vec::new());
            } else {
                found.insert(below.clone(), root.join(&below).read().unwrap().unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    look(place, "", &mut found);
    found
}

/// The files of a tree.
fn files(mut tree: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    tree.retain(|name, _| !name.ends_with('/'));
    tree
}

fn set_up(images: &[TiledImage], zarr_dir: &Location, version: &str, mode: OverwriteMode) -> Result<(), CoreError> {
    let document = json!({"omezarr_options": {"ngff_version": version}});
    let options: ConverterOptions = from_json(&document, "options").unwrap();
    let extensions = Extensions::new();
    let own = OwnTypes {
        extensions: &extensions,
        ..OwnTypes::default()
    };
    let images: Vec<&TiledImage> = images.iter().collect();
    let places = set_up_outputs(&images, zarr_dir, "ImageInPlate", &options, mode, &own)?;
    let expected: Vec<Location> = images.iter().map(|image| zarr_dir.join(&image.path)).collect();
    assert_eq!(places, expected);
    Ok(())
}

/// A set-up of two images, over nothing or over a plate with other images.
struct Scene {
    over_a_plate: bool,
    mode: OverwriteMode,
    /// How the set-up is finished after a failure.
    again: OverwriteMode,
}

const SCENES: [Scene; 5] = [
    Scene {
        over_a_plate: false,
        mode: OverwriteMode::NoOverwrite,
        again: OverwriteMode::Extend,
    },
    Scene {
        over_a_plate: false,
        mode: OverwriteMode::Extend,
        again: OverwriteMode::Extend,
    },
    Scene {
        over_a_plate: true,
        mode: OverwriteMode::Extend,
        again: OverwriteMode::Extend,
    },
    Scene {
        over_a_plate: false,
        mode: OverwriteMode::Overwrite,
        again: OverwriteMode::Overwrite,
    },
    Scene {
        over_a_plate: true,
        mode: OverwriteMode::Overwrite,
        again: OverwriteMode::Overwrite,
    },
];

impl Scene {
    fn images() -> [TiledImage; 2] {
        [well("B", 2, 0, "Drug"), well("A", 1, 1, "DMSO")]
    }

    /// What is there before: a plate with an image that will be converted again, one that will not, and their conditions.
    fn prepare(&self, zarr_dir: &Location, version: &str) {
        if !self.over_a_plate {
            return;
        }
        let before = [well("A", 1, 0, "water"), well("B", 2, 0, "old")];
        set_up(&before, zarr_dir, version, OverwriteMode::NoOverwrite).unwrap();
        for place in [
            "P.zarr/A/01/0/0/0/0",
            "P.zarr/B/02/.0.partial/0/0/0",
            "P.zarr/notes.txt",
        ] {
            zarr_dir.join(place).write_whole(&[b"pixels"]).unwrap();
        }
    }

    fn run(&self, zarr_dir: &Location, version: &str, mode: OverwriteMode) -> Result<(), CoreError> {
        set_up(&Self::images(), zarr_dir, version, mode)
    }

    /// What must be true at every moment, whatever failed.
    fn check_always(&self, zarr_dir: &Location, context: &str) {
        let plate = zarr_dir.child("P.zarr");
        if !(self.over_a_plate && self.mode == OverwriteMode::Extend) {
            return;
        }
        let table = read_table(&plate, "condition_table").unwrap();
        let table = table.unwrap_or_else(|| panic!("{context}: the condition table is lost"));
        let drugs = table.column("drug").unwrap();
        assert!(drugs.contains(&Cell::Text("water".into())), "{context}: {drugs:?}");
        let images = Plate::open(&plate).unwrap().image_paths().unwrap();
        assert_eq!(images[..1], ["A/01/0"], "{context}");
        assert!(plate.join("A/01/0/0/0/0").exists().unwrap(), "{context}");
    }
}

/// How a call fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// It alone.
    Error(Moment),
    /// It and everything after it.
    Kill(Moment),
}

/// Runs every scene with a failure at every call, in stores that `make` makes.
fn sweep(version: &str, failures: &[Failure], make: &dyn Fn() -> Location) {
    for scene in &SCENES {
        let undisturbed = make();
        scene.prepare(&undisturbed, version);
        let before = files(tree(&undisturbed));
        assert_eq!(before.is_empty(), !scene.over_a_plate);
        scene.run(&undisturbed, version, scene.mode).unwrap();
        let expected = tree(&undisturbed);
        assert!(expected.contains_key("P.zarr/tables/condition_table/table.csv"));
        for failure in failures {
            let calls = (1..)
                .take_while(|number| {
                    let zarr_dir = make();
                    for (name, bytes) in &before {
                        zarr_dir.join(name).write(&[bytes]).unwrap();
                    }
                    fails_and_is_finished(scene, version, *failure, *number, &zarr_dir, &expected)
                })
                .count();
            assert!(calls > 10, "{calls} calls");
        }
    }
}

/// Lets call `number` of a set-up fail, and finishes it; `false` if it had no such call.
fn fails_and_is_finished(
    scene: &Scene,
    version: &str,
    failure: Failure,
    number: usize,
    zarr_dir: &Location,
    expected: &BTreeMap<String, Vec<u8>>,
) -> bool {
    let store = FailingStore::new(Arc::clone(zarr_dir.store()));
    match failure {
        Failure::Error(moment) => store.fail_nth(number, ErrorKind::StaleNetworkFileHandle, moment),
        Failure::Kill(moment) => store.fail_from(number, ErrorKind::StorageFull, moment),
    }
    let failing = Location::new(Arc::new(store.clone()), zarr_dir.key());
    let result = scene.run(&failing, version, scene.mode);
    if store.failed() == 0 {
        result.unwrap();
        return false;
    }
    let call = store.log()[number - 1].clone();
    let context = format!("{failure:?} at {number}, {call:?}, {:?} on {zarr_dir}", scene.mode);
    result.expect_err(&context);
    scene.check_always(zarr_dir, &context);
    scene
        .run(zarr_dir, version, scene.again)
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    let found = tree(zarr_dir);
    let names = |tree: &BTreeMap<String, Vec<u8>>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "{context}");
    assert!(found == *expected, "{context}: other bytes");
    true
}

#[test]
fn a_set_up_that_failed_at_any_call_in_memory_is_finished() {
    let failures = [Moment::Before, Moment::After].map(|moment| [Failure::Error(moment), Failure::Kill(moment)]);
    for version in ["0.4", "0.5"] {
        for make in [MemoryStore::new, MemoryStore::with_rename] {
            sweep(version, failures.as_flattened(), &|| {
                Location::new(Arc::new(make()), "out")
            });
        }
    }
}

#[test]
fn a_set_up_that_failed_at_any_call_in_a_folder_is_finished() {
    let root = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    for (version, failure) in [
        ("0.4", Failure::Kill(Moment::Before)),
        ("0.5", Failure::Error(Moment::After)),
    ] {
        sweep(version, &[failure], &|| {
            number.set(number.get() + 1);
            let folder = FolderStore::new(root.path().join(number.get().to_string()));
            Location::new(Arc::new(folder), "out")
        });
    }
}

/// A plate whose replacement was killed lists nothing that is not there, and takes more images.
#[test]
fn a_plate_whose_replacement_was_killed_is_extended() {
    let scene = &SCENES[4];
    for version in ["0.4", "0.5"] {
        let mut removing = false;
        for number in 1.. {
            let inner = Location::new(Arc::new(MemoryStore::new()), "out");
            scene.prepare(&inner, version);
            let store = FailingStore::new(Arc::clone(inner.store()));
            store.fail_from(number, ErrorKind::StorageFull, Moment::Before);
            let failing = Location::new(Arc::new(store.clone()), "out");
            let result = scene.run(&failing, version, OverwriteMode::Overwrite);
            if store.failed() == 0 {
                result.unwrap();
                assert!(removing && number > 10);
                break;
            }
            let context = format!("{version} {:?}", store.log()[number - 1]);
            // What is foreign is told until its removal begins, and then no more.
            let foreign = foreign_content(&inner.child("P.zarr")).unwrap();
            let is_told = foreign.iter().any(|path| path == "notes.txt");
            assert!(is_told || foreign.is_empty(), "{context}: {foreign:?}");
            assert!(!(is_told && removing), "{context}: {foreign:?}");
            removing |= !is_told;
            let listed = |place: &str| {
                Plate::open(&inner.child("P.zarr"))
                    .and_then(|plate| plate.image_paths())
                    .expect(place)
            };
            listed(&context);
            scene.run(&inner, version, OverwriteMode::Extend).expect(&context);
            let images = listed(&context);
            for image in ["B/02/0", "A/01/1"] {
                assert!(images.iter().any(|path| path == image), "{context}: {images:?}");
            }
        }
    }
}

/// A killed replacement by a plate of another version is finished, and no image of the old version stays in the new plate.
#[test]
fn a_killed_replacement_by_another_version_is_finished() {
    for (old, new) in [("0.4", "0.5"), ("0.5", "0.4")] {
        let prepare = || {
            let zarr_dir = Location::new(Arc::new(MemoryStore::new()), "out");
            SCENES[4].prepare(&zarr_dir, old);
            let attributes = [("multiscales".to_owned(), json!([{"axes": [], "datasets": []}]))];
            let attributes = attributes.into_iter().collect::<serde_json::Map<_, _>>();
            let (version, attributes) = match old {
                "0.4" => (NgffVersion::V04, attributes),
                _ => (
                    NgffVersion::V05,
                    [("ome".to_owned(), Value::Object(attributes))].into_iter().collect(),
                ),
            };
            write_group(&zarr_dir.join("P.zarr/B/02/0"), version, &attributes).unwrap();
            zarr_dir
        };
        let undisturbed = prepare();
        SCENES[4].run(&undisturbed, new, OverwriteMode::Overwrite).unwrap();
        let expected = tree(&undisturbed);
        assert!(!undisturbed.join("P.zarr/B/02/0").exists().unwrap());
        for number in 1.. {
            let inner = prepare();
            let store = FailingStore::new(Arc::clone(inner.store()));
            store.fail_from(number, ErrorKind::StorageFull, Moment::After);
            let failing = Location::new(Arc::new(store.clone()), "out");
            let result = SCENES[4].run(&failing, new, OverwriteMode::Overwrite);
            if store.failed() == 0 {
                result.unwrap();
                assert!(number > 20);
                break;
            }
            SCENES[4].run(&inner, new, OverwriteMode::Overwrite).unwrap();
            assert!(tree(&inner) == expected, "{new} {:?}", store.log()[number - 1]);
        }
    }
}

/// Every store ends with the same files.
#[test]
fn stores_hold_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["0.4", "0.5"] {
        for scene in &SCENES {
            let in_folder = Location::local(
                &folder
                    .path()
                    .join(version)
                    .join(format!("{:?}{}", scene.mode, scene.over_a_plate)),
            );
            let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(MemoryStore::with_rename())];
            let places = stores.map(|store| Location::new(store, "out"));
            let trees: Vec<_> = places
                .into_iter()
                .chain([in_folder.unwrap()])
                .map(|zarr_dir| {
                    scene.prepare(&zarr_dir, version);
                    scene.run(&zarr_dir, version, scene.mode).unwrap();
                    files(tree(&zarr_dir))
                })
                .collect();
            assert!(
                trees[0].len() > 5 && trees[1] == trees[0] && trees[2] == trees[0],
                "{version}"
            );
        }
    }
}

/// One look at a plate that fails must not be taken for "nothing there", whichever it is.
#[test]
fn a_look_that_fails_while_a_plate_is_extended_removes_nothing() {
    let scene = &SCENES[2];
    let inner = Location::new(Arc::new(MemoryStore::with_rename()), "out");
    scene.prepare(&inner, "0.4");
    let store = FailingStore::new(Arc::clone(inner.store()));
    store.fail_when(
        |call, _| matches!(call, Call::RemoveAll | Call::RemoveEmptyFolder),
        ErrorKind::Other,
        Moment::Before,
    );
    let zarr_dir = Location::new(Arc::new(store.clone()), "out");
    scene.run(&zarr_dir, "0.4", OverwriteMode::Extend).unwrap();
    let removed: Vec<_> = store
        .log()
        .into_iter()
        .filter(|(call, _)| *call == Call::Remove)
        .collect();
    assert!(
        removed
            .iter()
            .all(|(_, key)| key.ends_with(".zmetadata") || key == "out/P.zarr/.ome-zarr-convert.replacing"),
        "{removed:?}"
    );
}
