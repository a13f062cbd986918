//! What only a folder has: what kills leave, its places, and how an image is published in it.

#[cfg(unix)]
mod unix;

use std::sync::Arc;

use super::*;
use crate::Location;

fn store() -> (tempfile::TempDir, FolderStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = FolderStore::new(dir.path());
    (dir, store)
}

fn names(store: &FolderStore) -> Vec<String> {
    let entries = store.list("").unwrap().unwrap();
    entries.iter().map(|entry| entry.name().unwrap().to_owned()).collect()
}

fn put(path: PathBuf, bytes: &[u8]) {
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_a_kill_left_is_taken_over() {
    let (dir, store) = store();
    let stale = dir.path().join(".doc.partial");
    put(stale.clone(), b"a longer text that a kill cut of");
    store.write_whole("doc", &[b"new"]).unwrap();
    assert_eq!(store.read("doc").unwrap().unwrap(), b"new");
    assert_eq!(names(&store), ["doc"]);

    put(stale.clone(), b"stale");
    store.create("doc", &[b"other"]).unwrap_err();
    assert!(!store.write_if_unchanged("doc", None, &[b"other"]).unwrap());
    assert!(store.write_if_unchanged("doc", Some(b"new"), &[b"newer"]).unwrap());
    assert_eq!(names(&store), ["doc"]);

    put(stale.clone(), b"stale");
    store.remove("doc").unwrap();
    store.create("doc", &[b"created"]).unwrap();
    assert_eq!(store.read("doc").unwrap().unwrap(), b"created");

    put(stale, b"stale");
    store.appender("doc", &[b"1"]).unwrap().append(b"2").unwrap();
    assert_eq!(store.read("doc").unwrap().unwrap(), b"12");
    assert_eq!(names(&store), ["doc"]);

    put(dir.path().join(".lock"), b"");
    let lock = store.lock(".lock").unwrap().unwrap();
    assert!(store.lock(".lock").unwrap().is_none());
    drop(lock);
    assert_eq!(names(&store), ["doc"]);
}

#[test]
fn a_lock_that_was_removed_by_hand_is_no_longer_ours_to_remove() {
    let (dir, store) = store();
    let first = store.lock(".lock").unwrap().unwrap();
    fs::remove_file(dir.path().join(".lock")).unwrap();
    let second = store.lock(".lock").unwrap().unwrap();
    drop(first);
    assert_eq!(names(&store), [".lock"]);
    assert!(store.lock(".lock").unwrap().is_none());
    drop(second);
    assert_eq!(names(&store), Vec::<String>::new());
}

#[test]
fn what_an_earlier_replacement_left_is_told_to_the_next() {
    let (dir, store) = store();
    // Killed between the two renames, where names cannot be exchanged.
    store.write(".image.replaced/doc", &[b"old"]).unwrap();
    store.write(".image.partial/doc", &[b"new"]).unwrap();
    let old = store.publish(".image.partial", "image", true).unwrap();
    assert_eq!(old.as_deref(), Some(".image.replaced"));
    store.remove_all(".image.replaced").unwrap();
    assert_eq!(names(&store), ["image"]);
    assert_eq!(fs::read(dir.path().join("image/doc")).unwrap(), b"new");
}

#[test]
fn places_of_this_machine_are_in_the_store_of_their_folder() {
    let dir = tempfile::tempdir().unwrap();
    let image = Location::local(&dir.path().join("plate/")).unwrap();
    assert_eq!((image.key(), image.name()), ("plate", "plate"));
    assert_eq!(image.to_string(), dir.path().join("plate").display().to_string());
    let doc = image.join("A/01/0").child("doc");
    assert_eq!(doc.key(), "plate/A/01/0/doc");
    doc.write_whole(&[b"1"]).unwrap();
    assert_eq!(doc.parent().unwrap().sibling("1").key(), "plate/A/01/1");
    assert_eq!(doc.parent().unwrap().beside("partial").key(), "plate/A/01/.0.partial");
    assert_eq!(image.parent().unwrap().key(), "");
    assert_eq!(image.parent().unwrap().parent(), None);
    assert_eq!(image.join(""), image);
    assert_eq!(
        doc.local_path(),
        Some(dir.path().join("plate").join("A").join("01").join("0").join("doc"))
    );
    assert!(doc.exists().unwrap() && !doc.sibling("none").exists().unwrap());
    // The same place by another way.
    let again = Location::new(Arc::new(FolderStore::new(dir.path().join("plate"))), "A/01/0/doc");
    assert_eq!(doc, again);
    assert_ne!(doc, image);

    let root = Location::local(Path::new("/")).unwrap();
    assert_eq!((root.key(), root.name(), root.parent()), ("", "", None));
    assert!(root.list().unwrap().is_some());
    assert_eq!(
        root.child("etc").to_string(),
        "/etc".replace('/', std::path::MAIN_SEPARATOR_STR)
    );
    assert_eq!(
        Location::local(Path::new("relative/x")).unwrap().to_string(),
        format!("relative{MAIN_SEPARATOR}x")
    );
    let here = Location::local(Path::new("x")).unwrap();
    assert_eq!(
        (here.to_string(), here.parent().unwrap().to_string()),
        ("x".into(), ".".into())
    );
    assert!(here.parent().unwrap().list().unwrap().is_some());
    let up = Location::local(Path::new("..")).unwrap();
    assert_eq!((up.key(), up.to_string()), ("", "..".to_owned()));
}

#[test]
fn an_image_is_published_from_beside_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let image = Location::local_durable(&dir.path().join("image")).unwrap();
    assert_eq!(image.publishing(), Publishing::Rename);
    let staging = image.beside("partial");
    staging.join("0/0").write(&[b"pixels"]).unwrap();
    assert_eq!(staging.publish_to(image.key(), false).unwrap(), None);
    staging.child("doc").write(&[b"new"]).unwrap();
    let old = staging.publish_to(image.key(), true).unwrap().unwrap();
    assert_eq!(old.join("0/0").read().unwrap().unwrap(), b"pixels");
    old.remove_all().unwrap();
    assert_eq!(image.walk().unwrap().unwrap()[0].key, "doc");
    assert_eq!(image.parent().unwrap().list().unwrap().unwrap().len(), 1);
}
