//! What is there, what is not, and bytes of files.

use crate::{Kind, Store};

use super::{names, text};

pub(super) fn what_is_not_there_is_no_error(store: &dyn Store) {
    for key in ["none", "none/below", "none/below/deeper"] {
        assert_eq!(store.stat(key).unwrap(), None, "{key}");
        assert_eq!(store.read(key).unwrap(), None, "{key}");
        assert_eq!(store.read_range(key, 0..9).unwrap(), None, "{key}");
        assert!(store.open(key).unwrap().is_none(), "{key}");
        assert_eq!(store.list(key).unwrap(), None, "{key}");
        assert_eq!(store.walk(key).unwrap(), None, "{key}");
        store.remove(key).unwrap();
        store.remove_all(key).unwrap();
        assert!(store.remove_empty_folder(key).unwrap(), "{key}");
    }
    assert!(store.copy("none", "copy").is_err());
    assert_eq!(names(store, ""), Vec::<String>::new());
}

pub(super) fn what_is_written_is_read(store: &dyn Store) {
    store.write("pixels/c/0/0", &[b"ab", b"", b"cde"]).unwrap();
    store.write_whole("doc", &[b"whole"]).unwrap();
    store.create("made/of", &[b"", b"parts"]).unwrap();
    store.write("empty", &[]).unwrap();
    store.write_whole("empty too", &[b"", b""]).unwrap();
    let many = vec![&b"xyz"[..]; 3000];
    store.write("many parts", &many).unwrap();
    assert_eq!(text(store, "pixels/c/0/0").as_deref(), Some("abcde"));
    assert_eq!(text(store, "doc").as_deref(), Some("whole"));
    assert_eq!(text(store, "made/of").as_deref(), Some("parts"));
    assert_eq!(text(store, "empty").as_deref(), Some(""));
    assert_eq!(text(store, "empty too").as_deref(), Some(""));
    assert_eq!(text(store, "many parts"), Some("xyz".repeat(3000)));
    store.write("pixels/c/0/0", &[b"z"]).unwrap();
    assert_eq!(
        text(store, "pixels/c/0/0").as_deref(),
        Some("z"),
        "it was longer before"
    );
    let stat = store.stat("doc").unwrap().unwrap();
    assert_eq!((stat.kind, stat.link, stat.bytes), (Kind::File, false, 5));
    assert!(stat.modified.is_some());
    let folder = store.stat("pixels/c").unwrap().unwrap();
    assert_eq!((folder.kind, folder.link, folder.bytes), (Kind::Folder, false, 0));
    store.create_folder("folder/in/folder").unwrap();
    store.create_folder("folder/in/folder").unwrap();
    store.write("folder/in/folder/x", &[b"1"]).unwrap();
    assert_eq!(text(store, "folder/in/folder/x").as_deref(), Some("1"));
    store.sync("doc").unwrap();
    store.sync("pixels/c").unwrap();
    store.sync_tree("pixels").unwrap();
    // A folder is not a file: an error, or not there.
    assert!(!matches!(store.read("pixels"), Ok(Some(_))));
    assert!(!matches!(store.open("pixels"), Ok(Some(_))));
}

pub(super) fn ranges_end_where_the_file_ends(store: &dyn Store) {
    store.write("file", &[b"0123456789"]).unwrap();
    let range = |start, end| {
        let bytes = store.read_range("file", start..end).unwrap().unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(range(0, 3), "012");
    assert_eq!(range(7, 10), "789");
    assert_eq!(range(7, 100), "789");
    assert_eq!(range(9, u64::MAX), "9");
    assert_eq!(range(4, 4), "");
    assert_eq!(range(10, 12), "");
    assert_eq!(range(1000, u64::MAX), "");
}

pub(super) fn many_threads_read_one_open_file(store: &dyn Store) {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    store.write("file", &[&bytes]).unwrap();
    let file = store.open("file").unwrap().unwrap();
    assert_eq!((file.len(), file.is_empty()), (100_000, false));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (file, bytes) = (&file, &bytes);
            scope.spawn(move || {
                for start in (thread * 100..99_000).step_by(400) {
                    let mut read = [0; 700];
                    file.read_exact_at(start as u64, &mut read).unwrap();
                    assert_eq!(read[..], bytes[start..start + 700]);
                }
            });
        }
    });
    let mut end = [0; 10];
    assert_eq!(file.read_at(99_996, &mut end).unwrap(), 4);
    assert_eq!(file.read_at(100_000, &mut end).unwrap(), 0);
    assert_eq!(file.read_at(u64::MAX / 4, &mut end).unwrap(), 0);
    let error = file.read_exact_at(99_996, &mut end).unwrap_err().to_string();
    assert!(error.contains(&store.location("file")), "{error}");
    // Who has it open reads on in what was opened.
    store.write_whole("file", &[b"new"]).unwrap();
    let mut old = [0; 3];
    file.read_exact_at(50, &mut old).unwrap();
    assert_eq!(old, [50, 51, 52]);
}

pub(super) fn listings_are_one_level_and_sorted(store: &dyn Store) {
    for key in [
        "dir/b",
        "dir/a/x",
        "dir/a/y",
        "dir/B",
        "dir/a.txt",
        "dir/.hidden",
        "dir/ä",
        "dirt",
    ] {
        store.write(key, &[b"1234"]).unwrap();
    }
    assert_eq!(names(store, "dir"), [".hidden", "B", "a", "a.txt", "b", "ä"]);
    assert_eq!(names(store, ""), ["dir", "dirt"]);
    let entries = store.list("dir").unwrap().unwrap();
    let folders: Vec<_> = entries.iter().filter(|entry| entry.kind == Kind::Folder).collect();
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].name().unwrap(), "a");
    assert_eq!(entries.iter().filter(|entry| entry.kind == Kind::File).count(), 5);
    for entry in entries {
        assert!(matches!(entry.bytes, None | Some(4)), "{entry:?}");
    }
}

pub(super) fn walks_find_every_file_with_its_size(store: &dyn Store) {
    for (key, bytes) in [
        ("top/b/2", "12"),
        ("top/b.txt", "123"),
        ("top/a/c/1", ""),
        ("topper", "1"),
        ("x", "1"),
    ] {
        store.write(key, &[bytes.as_bytes()]).unwrap();
    }
    let walk = |key: &str| -> Vec<(String, u64)> {
        let found = store.walk(key).unwrap().unwrap();
        assert!(found.iter().all(|found| found.kind == Kind::File), "{found:?}");
        found.into_iter().map(|found| (found.key, found.bytes)).collect()
    };
    let of_top = [("a/c/1", 0), ("b.txt", 3), ("b/2", 2)].map(|(key, bytes)| (key.to_owned(), bytes));
    assert_eq!(walk("top"), of_top);
    assert_eq!(walk("").len(), 5);
    assert_eq!(walk("")[0].0, "top/a/c/1");
    assert_eq!(store.walk("x").unwrap(), None, "a file is no folder");
}

pub(super) fn nothing_is_below_a_file(store: &dyn Store) {
    store.write("file", &[b"1"]).unwrap();
    assert_eq!(store.stat("file/x").unwrap(), None);
    assert_eq!(store.read("file/x/y").unwrap(), None);
    assert!(store.open("file/x").unwrap().is_none());
    assert_eq!(store.list("file").unwrap(), None);
    assert_eq!(store.list("file/x").unwrap(), None);
    store.remove("file/x").unwrap();
    store.remove_all("file/x").unwrap();
    assert_eq!(text(store, "file").as_deref(), Some("1"));
}

pub(super) fn texts_that_are_no_keys_are_refused_by_every_call(store: &dyn Store) {
    store.write("a/b", &[b"1"]).unwrap();
    for key in ["/", "/a", "a/", "a//b", "..", "../a", "a/../a/b", "a/./b", "a\0b"] {
        let refused = |text: String| assert!(text.contains("cannot be a place in a store"), "{key:?}: {text}");
        refused(store.stat(key).unwrap_err().to_string());
        refused(store.read(key).unwrap_err().to_string());
        refused(store.read_range(key, 0..1).unwrap_err().to_string());
        refused(store.open(key).map(drop).unwrap_err().to_string());
        refused(store.list(key).unwrap_err().to_string());
        refused(store.walk(key).unwrap_err().to_string());
        refused(store.create_folder(key).unwrap_err().to_string());
        refused(store.sync(key).unwrap_err().to_string());
        refused(store.sync_tree(key).unwrap_err().to_string());
        refused(store.copy(key, "x").unwrap_err().to_string());
        writes(store, key, refused);
    }
    // The root is looked at, not written.
    writes(store, "", |text| assert!(text.contains("root of the store"), "{text}"));
    assert_eq!(names(store, ""), ["a"]);
}

/// Every call that changes something, which must fail.
fn writes(store: &dyn Store, key: &str, refused: impl Fn(String)) {
    refused(store.write_whole(key, &[b"2"]).unwrap_err().to_string());
    refused(store.create(key, &[b"2"]).unwrap_err().to_string());
    refused(store.write_if_unchanged(key, None, &[b"2"]).unwrap_err().to_string());
    refused(store.write(key, &[b"2"]).unwrap_err().to_string());
    refused(store.appender(key, &[]).map(drop).unwrap_err().to_string());
    refused(store.copy("a/b", key).unwrap_err().to_string());
    refused(store.remove(key).unwrap_err().to_string());
    refused(store.remove_empty_folder(key).unwrap_err().to_string());
    refused(store.remove_all(key).unwrap_err().to_string());
    refused(store.lock(key).map(drop).unwrap_err().to_string());
    refused(store.publish(key, "x", true).unwrap_err().to_string());
    refused(store.publish("a", key, true).unwrap_err().to_string());
}

pub(super) fn messages_name_the_place(store: &dyn Store) {
    let (root, place) = (store.location(""), store.location("a/b"));
    assert!(place.starts_with(&root) && place.len() > root.len(), "{place}, {root}");
    assert!(place.replace('\\', "/").ends_with("a/b"), "{place}");
    assert_ne!(store.location("a"), place);
    store.write("a/b", &[b"1"]).unwrap();
    let error = store.create("a/b", &[b"2"]).unwrap_err();
    assert_eq!(error.to_string(), format!("{place} exists already"));
    // A text that is not a key can be shown all the same.
    assert!(store.location("../x").ends_with('x'));
    assert_eq!(store.local_path("../x"), None);
}
