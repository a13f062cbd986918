//! What only a folder of Unix has: links, pipes, names that are not UTF-8, permissions, and errors that bite root, too.

use std::os::unix::fs::{PermissionsExt, symlink};

use ome_zarr_convert_geometry::Fault;

use super::*;
use crate::Kind;

#[test]
fn a_second_name_that_a_kill_left_is_not_written_into() {
    let (dir, store) = store();
    put(dir.path().join("doc"), b"finished");
    // Killed between the two calls that create by a second name.
    fs::hard_link(dir.path().join("doc"), dir.path().join(".doc.partial")).unwrap();
    let before = store.open("doc").unwrap().unwrap();
    store.write_whole("doc", &[b"next"]).unwrap();
    let mut seen = [0; 8];
    before.read_exact_at(0, &mut seen).unwrap();
    assert_eq!(&seen, b"finished");
    assert_eq!(store.read("doc").unwrap().unwrap(), b"next");
    assert_eq!(names(&store), ["doc"]);
}

#[test]
fn links_are_told_and_never_written_through() {
    let (dir, store) = store();
    let outside = tempfile::tempdir().unwrap();
    put(outside.path().join("file"), b"not ours");
    symlink(outside.path(), dir.path().join("folder")).unwrap();
    symlink(outside.path().join("file"), dir.path().join("file")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    let stat = |key: &str| store.stat(key).unwrap().map(|stat| (stat.kind, stat.link, stat.bytes));
    assert_eq!(stat("folder"), Some((Kind::Folder, true, 0)));
    assert_eq!(stat("file"), Some((Kind::File, true, 8)));
    assert_eq!(stat("dangling"), Some((Kind::Link, true, 0)));
    assert_eq!(stat("folder/file"), Some((Kind::File, false, 8)));
    let entries = store.list("").unwrap().unwrap();
    assert!(entries.iter().all(|entry| entry.kind == Kind::Link), "{entries:?}");
    let found = store.walk("").unwrap().unwrap();
    assert_eq!(found.len(), 3, "walks do not follow: {found:?}");
    assert_eq!(store.read("file").unwrap().unwrap(), b"not ours");
    assert_eq!(store.read("dangling").unwrap(), None);

    for key in ["file", "dangling"] {
        let error = store.write(key, &[b"x"]).unwrap_err().to_string();
        assert!(error.ends_with("it is a symbolic link, not a file"), "{error}");
        assert!(store.create(key, &[b"x"]).unwrap_err().is_already_exists());
        assert!(store.lock(key).is_err());
        // The link is replaced, not what it leads to.
        store.write_whole(key, &[b"ours"]).unwrap();
        assert_eq!(stat(key), Some((Kind::File, false, 4)));
    }
    // A link in place of the temporary file leads nowhere either.
    symlink(outside.path().join("file"), dir.path().join(".file.partial")).unwrap();
    assert!(store.write_whole("file", &[b"x"]).is_err());
    store.remove_all("folder").unwrap();
    assert_eq!(stat("folder"), None);
    assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"not ours");
}

#[test]
fn a_tree_is_removed_without_what_its_links_lead_to() {
    let (dir, store) = store();
    store.write("kept/file", &[b"1"]).unwrap();
    store.write("tree/below/file", &[b"1"]).unwrap();
    symlink(dir.path().join("kept"), dir.path().join("tree/below/link")).unwrap();
    store.sync_tree("tree").unwrap();
    store.remove_all("tree").unwrap();
    assert_eq!(names(&store), ["kept"]);
    assert_eq!(store.read("kept/file").unwrap().unwrap(), b"1");
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_and_devices_are_never_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let (dir, store) = store();
    let pipe = |name: &str| {
        let made = mknodat(
            CWD,
            dir.path().join(name),
            FileType::Fifo,
            Mode::from_raw_mode(0o666),
            0,
        );
        made.unwrap();
    };
    pipe("pipe");
    pipe(".doc.partial");
    let stat = store.stat("pipe").unwrap().unwrap();
    assert_eq!((stat.kind, stat.bytes), (Kind::Other, 0));
    // Each of these would wait for the other end.
    let refused = |error: crate::StoreError| {
        let text = error.to_string();
        assert!(
            text.ends_with("it is a pipe, a socket or a device, not a file"),
            "{text}"
        );
    };
    refused(store.read("pipe").unwrap_err());
    refused(store.read_range("pipe", 0..1).unwrap_err());
    refused(store.open("pipe").map(drop).unwrap_err());
    refused(store.write("pipe", &[b"1"]).unwrap_err());
    refused(store.lock("pipe").map(drop).unwrap_err());
    refused(store.write_whole("doc", &[b"1"]).unwrap_err());
    assert!(store.create("pipe", &[b"1"]).unwrap_err().is_already_exists());
    store.sync("pipe").unwrap();
    let found = store.walk("").unwrap().unwrap();
    assert!(found.iter().all(|found| found.kind == Kind::Other) && found.len() == 2);
    store.remove("pipe").unwrap();
    assert_eq!(names(&store), [".doc.partial"]);
    refused(FolderStore::new("/dev").read("null").unwrap_err());
    // Pixels are written without a look: also not into a pipe that somebody reads.
    pipe("read");
    let mut options = fs::File::options();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits() as i32);
    let mut reader = options.read(true).open(dir.path().join("read")).unwrap();
    refused(store.write("read", &[b"1"]).unwrap_err());
    assert_eq!(io::Read::read(&mut reader, &mut [0; 9]).unwrap(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_told_and_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join(OsStr::from_bytes(b"pla\xff\xfete"));
    let store = FolderStore::new(&root);
    store.write("a/b", &[b"1"]).unwrap();
    assert_eq!(store.read("a/b").unwrap().unwrap(), b"1", "a root may have any name");
    assert!(store.location("a/b").ends_with("te/a/b"));
    put(root.join("a").join(OsStr::from_bytes(b"bad\xffname")), b"2");
    let entries = store.list("a").unwrap().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].name().unwrap(), "b");
    let error = entries[1].name().unwrap_err();
    assert_eq!(error.fault(), Fault::Usage);
    assert!(error.to_string().contains("bad\u{fffd}name"), "{error}");
    for key in ["", "a"] {
        let error = store.walk(key).unwrap_err().to_string();
        assert!(error.contains("te/a/bad\u{fffd}name"), "{error}");
    }
    let error = Location::local(&root).unwrap_err().to_string();
    assert!(error.contains("pla\u{fffd}\u{fffd}te"), "{error}");
    let below = Location::local(&root.join("a")).unwrap();
    assert_eq!((below.name(), below.local_path()), ("a", Some(root.join("a"))));
    store.remove_all("a").unwrap();
    assert_eq!(store.stat("a").unwrap(), None);
}

#[test]
fn files_get_the_permissions_that_the_umask_leaves() {
    let (dir, store) = store();
    put(dir.path().join("plain"), b"");
    store.write("written", &[b"1"]).unwrap();
    store.write_whole("whole", &[b"1"]).unwrap();
    store.create("created", &[b"1"]).unwrap();
    drop(store.appender("grown", &[b"1"]).unwrap());
    let mode = |key: &str| fs::metadata(dir.path().join(key)).unwrap().permissions().mode();
    for key in ["written", "whole", "created", "grown"] {
        assert_eq!(mode(key), mode("plain"), "{key}");
    }
}

#[test]
fn what_cannot_be_told_is_an_error() {
    let (dir, store) = store();
    symlink("loop", dir.path().join("loop")).unwrap();
    let long = "n".repeat(300);
    for key in ["loop", "loop/below", &long] {
        assert!(store.stat(key).is_err(), "{key}");
        assert!(store.read(key).is_err(), "{key}");
        assert!(store.open(key).is_err(), "{key}");
        assert!(store.list(key).is_err(), "{key}");
        assert_eq!(store.stat(key).unwrap_err().fault(), Fault::Environment);
    }
    assert!(store.write("loop/below", &[b"1"]).is_err());
    store.create_folder("folder").unwrap();
    let error = store.read("folder").unwrap_err().to_string();
    assert!(error.ends_with("folder: it is a folder, not a file"), "{error}");
    assert!(store.write("folder", &[b"1"]).is_err());
    assert!(store.remove("folder").is_err());
    let error = store.write_whole("folder", &[b"1"]).unwrap_err();
    assert_eq!(error.fault(), Fault::Environment);
    put(dir.path().join("file"), b"1");
    assert!(store.write("file/below", &[b"1"]).is_err());
    assert!(store.write_whole("file/below", &[b"1"]).is_err());
    assert!(store.create_folder("file").is_err());
    assert_eq!(names(&store), ["file", "folder", "loop"], "failures leave nothing");
    store.remove_all("loop").unwrap();
}
