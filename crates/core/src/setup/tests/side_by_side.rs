//! Several set-ups at the same time, links, and folders whose names are not text.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use expect_test::expect;
use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_store::{FolderStore, MemoryStore};

use super::*;

fn set_up(images: &[TiledImage], zarr_dir: &Location, mode: OverwriteMode) -> Result<Vec<Location>, CoreError> {
    set_up_unless(images, zarr_dir, mode, &|| false)
}

fn set_up_unless(
    images: &[TiledImage],
    zarr_dir: &Location,
    mode: OverwriteMode,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Location>, CoreError> {
    let extensions = Extensions::new();
    let own = OwnTypes {
        extensions: &extensions,
        ..OwnTypes::default()
    };
    let images: Vec<&TiledImage> = images.iter().collect();
    let options = ConverterOptions::default();
    set_up_outputs_unless(&images, zarr_dir, "ImageInPlate", &options, mode, &own, stop)
}

/// Runs a set-up of one image each in many threads at the same moment; gives how many succeeded.
fn at_once(zarr_dir: &Location, mode: OverwriteMode) -> usize {
    const THREADS: u32 = 8;
    let (barrier, succeeded) = (Barrier::new(THREADS as usize), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for column in 1..=THREADS {
            let (barrier, succeeded) = (&barrier, &succeeded);
            scope.spawn(move || {
                let image = [well("A", column, 0, &format!("drug {column}"))];
                barrier.wait();
                match set_up(&image, zarr_dir, mode) {
                    Ok(_) => {
                        succeeded.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => assert!(matches!(error, CoreError::OutputExists { .. }), "{error}"),
                }
            });
        }
    });
    succeeded.into_inner()
}

#[test]
fn set_ups_of_one_plate_at_the_same_time_lose_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = Location::new(Arc::new(FolderStore::new(folder.path())), "out");
    let in_memory = Location::new(Arc::new(MemoryStore::new()), "out");
    for zarr_dir in [in_folder, in_memory] {
        assert_eq!(at_once(&zarr_dir, NEW), 1);
        assert_eq!(at_once(&zarr_dir, OverwriteMode::Extend), 8);
        let plate = zarr_dir.child("P.zarr");
        let images = ome_zarr_convert_ngff::Plate::open(&plate)
            .unwrap()
            .image_paths()
            .unwrap();
        assert_eq!(images.len(), 8);
        let table = read_table(&plate, "condition_table").unwrap().unwrap();
        let columns: std::collections::BTreeSet<String> = table
            .column("column")
            .unwrap()
            .iter()
            .map(|cell| format!("{cell:?}"))
            .collect();
        assert_eq!((table.row_count(), columns.len()), (8, 8));
        let names: Vec<_> = zarr_dir
            .list()
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|entry| entry.os_name)
            .collect();
        assert_eq!(names, ["P.zarr"], "no lock is left");
    }
}

#[test]
fn the_wait_for_another_set_up_can_be_ended() {
    let zarr_dir = Location::new(Arc::new(MemoryStore::new()), "out");
    let lock = zarr_dir.child(".P.zarr.lock").lock().unwrap();
    let asked = AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) == 2;
    let images = [well("A", 1, 0, "DMSO")];
    let error = set_up_unless(&images, &zarr_dir, NEW, &stop).unwrap_err();
    assert_eq!(error.to_string(), "canceled at memory:///out/.P.zarr.lock");
    assert_eq!((error.fault(), zarr_dir.exists().unwrap()), (Fault::Transient, false));
    drop(lock);
    set_up(&images, &zarr_dir, NEW).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links_inside_a_plate() {
    use std::os::unix::fs::symlink;
    let output = Output::new();
    let plate = output.0.path().join("P.zarr");
    let elsewhere = output.0.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("01")).unwrap();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();

    symlink(&elsewhere, plate.join("B")).unwrap();
    symlink(elsewhere.join("01"), plate.join("A/02")).unwrap();
    output.fails(&[well("B", 1, 0, "DMSO")], json!({}), OverwriteMode::Extend, expect![[r#"
        OUT/P.zarr/B is a symbolic link: nothing is written through it, since what it leads to may not be part of this output; remove the link, or put what it leads to in its place
    "#]]);
    output.fails(&[well("A", 2, 0, "DMSO")], json!({}), OverwriteMode::Extend, expect![[r#"
        OUT/P.zarr/A/02 is a symbolic link: nothing is written through it, since what it leads to may not be part of this output; remove the link, or put what it leads to in its place
    "#]]);
    fs::rename(plate.join("tables"), elsewhere.join("tables")).unwrap();
    symlink(elsewhere.join("tables"), plate.join("tables")).unwrap();
    let error = output
        .set_up(&[well("C", 1, 0, "DMSO")], json!({}), OverwriteMode::Extend)
        .unwrap_err();
    assert!(
        error.to_string().contains("P.zarr/tables is a symbolic link"),
        "{error}"
    );

    // Replacing removes links, and nothing of what they lead to.
    output
        .set_up(&[well("B", 1, 0, "DMSO")], json!({}), OverwriteMode::Overwrite)
        .unwrap();
    assert!(elsewhere.join("tables/condition_table/table.csv").exists() && elsewhere.join("01").exists());
    assert!(!elsewhere.join(".zgroup").exists() && !elsewhere.join("01/.zgroup").exists());
    assert!(!fs::symlink_metadata(plate.join("B")).unwrap().is_symlink());
    assert_eq!(output.wells(), ["B/01"]);
}

#[cfg(unix)]
#[test]
fn a_plate_that_is_a_link_itself_is_followed() {
    let output = Output::new();
    let elsewhere = output.0.path().join("large disk");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, output.0.path().join("P.zarr")).unwrap();
    for mode in [OverwriteMode::Extend, OverwriteMode::Overwrite] {
        output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), mode).unwrap();
        assert!(elsewhere.join("A/01/.zgroup").exists());
    }
    assert!(
        fs::symlink_metadata(output.0.path().join("P.zarr"))
            .unwrap()
            .is_symlink()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_folder_whose_path_is_not_text_works_where_nothing_must_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")).join("out");
    let zarr_dir = Location::local(&path).unwrap();
    let images = [well("A", 1, 0, "DMSO")];
    let places = set_up(&images, &zarr_dir, NEW).unwrap();
    assert_eq!(places[0].local_path().unwrap(), path.join("P.zarr/A/01/0"));
    assert!(path.join("P.zarr/A/01/.zgroup").exists());
    let error = setup_images_for_conversion(
        &images,
        &zarr_dir,
        "ImageInPlate",
        &ConverterOptions::default(),
        OverwriteMode::Extend,
    )
    .unwrap_err();
    let text = error.to_string().replace(folder.path().to_str().unwrap(), "TMP");
    expect![[r#"
        cannot use the path "TMP/caf�/out/P.zarr/A/01/0": a name in it is not valid UTF-8, so that it cannot be handed on as text; rename it, or choose another output folder
    "#]]
    .assert_eq(&format!("{text}\n"));
}
