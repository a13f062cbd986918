//! Documents that are replaced, created, grown, copied, removed, and published.

use crate::{Publishing, Store};

use super::{names, text};

pub(super) fn a_document_is_replaced_and_nothing_is_left_beside_it(store: &dyn Store) {
    store.write_whole("dir/doc", &[b"the long first content"]).unwrap();
    store.write_whole("dir/doc", &[b"then ", b"this"]).unwrap();
    assert_eq!(text(store, "dir/doc").as_deref(), Some("then this"));
    assert_eq!(names(store, "dir"), ["doc"]);
    // A file of pixels may become a document.
    store.write("dir/doc", &[b"quick"]).unwrap();
    store.write_whole("dir/doc", &[b"again"]).unwrap();
    assert_eq!(text(store, "dir/doc").as_deref(), Some("again"));
}

pub(super) fn what_is_there_is_not_created(store: &dyn Store) {
    store.create("dir/doc", &[b"first"]).unwrap();
    let error = store.create("dir/doc", &[b"second"]).unwrap_err();
    assert!(error.is_already_exists(), "{error}");
    let error = store.create("dir", &[b"second"]).unwrap_err();
    assert!(error.is_already_exists(), "{error}");
    assert_eq!(text(store, "dir/doc").as_deref(), Some("first"));
    assert_eq!(names(store, "dir"), ["doc"]);
    store.remove("dir/doc").unwrap();
    store.create("dir/doc", &[b"third"]).unwrap();
    assert_eq!(text(store, "dir/doc").as_deref(), Some("third"));
}

pub(super) fn a_document_that_changed_is_not_replaced(store: &dyn Store) {
    assert!(!store.write_if_unchanged("doc", Some(b"0"), &[b"1"]).unwrap());
    assert_eq!(text(store, "doc"), None);
    assert!(store.write_if_unchanged("doc", None, &[b"1"]).unwrap());
    assert!(!store.write_if_unchanged("doc", None, &[b"2"]).unwrap());
    assert!(!store.write_if_unchanged("doc", Some(b"0"), &[b"2"]).unwrap());
    assert_eq!(text(store, "doc").as_deref(), Some("1"));
    assert!(store.write_if_unchanged("doc", Some(b"1"), &[b"", b"2"]).unwrap());
    assert_eq!(text(store, "doc").as_deref(), Some("2"));
    store.write_whole("empty", &[]).unwrap();
    assert!(!store.write_if_unchanged("empty", None, &[b"3"]).unwrap());
    assert!(store.write_if_unchanged("empty", Some(b""), &[b"3"]).unwrap());
    assert_eq!(names(store, ""), ["doc", "empty"]);
}

pub(super) fn files_grow_where_they_can(store: &dyn Store) {
    store.write_whole("dir/ledger", &[b"an earlier run\n"]).unwrap();
    let mut ledger = match store.appender("dir/ledger", &[b"head", b"\n"]) {
        Err(error) if error.is_not_supported() => {
            let text = text(store, "dir/ledger");
            assert_eq!(text.as_deref(), Some("an earlier run\n"));
            return;
        }
        ledger => ledger.unwrap(),
    };
    assert_eq!(text(store, "dir/ledger").as_deref(), Some("head\n"));
    ledger.append(b"1\n").unwrap();
    ledger.append(b"").unwrap();
    ledger.append(b"2\n").unwrap();
    assert_eq!(
        text(store, "dir/ledger").as_deref(),
        Some("head\n1\n2\n"),
        "while it is open"
    );
    assert_eq!(names(store, "dir"), ["ledger"]);
    // The next one begins anew; what the first still writes is not seen.
    store
        .appender("dir/ledger", &[b"new\n"])
        .unwrap()
        .append(b"3\n")
        .unwrap();
    ledger.append(b"late\n").unwrap();
    assert_eq!(text(store, "dir/ledger").as_deref(), Some("new\n3\n"));
}

pub(super) fn copies_are_whole(store: &dyn Store) {
    store.write("from", &[b"bytes"]).unwrap();
    store.write("to/there", &[b"what was there before"]).unwrap();
    store.copy("from", "to/there").unwrap();
    store.copy("from", "to/new/folder").unwrap();
    for key in ["from", "to/there", "to/new/folder"] {
        assert_eq!(text(store, key).as_deref(), Some("bytes"), "{key}");
    }
}

pub(super) fn removing_takes_what_was_named_and_no_more(store: &dyn Store) {
    for key in ["a/1", "a/b/2", "a/b.txt", "ab/3", "a.txt"] {
        store.write(key, &[b"1"]).unwrap();
    }
    store.remove("a/1").unwrap();
    assert_eq!(names(store, "a"), ["b", "b.txt"]);
    assert!(!store.remove_empty_folder("a").unwrap());
    assert!(!store.remove_empty_folder("a.txt").unwrap(), "it is a file");
    store.remove_all("a/b").unwrap();
    assert_eq!(names(store, "a"), ["b.txt"]);
    store.remove_all("a.txt").unwrap();
    store.remove_all("a").unwrap();
    assert_eq!(store.stat("a").unwrap(), None);
    assert_eq!(names(store, ""), ["ab"]);
    store.remove("ab/3").unwrap();
    assert!(store.remove_empty_folder("ab").unwrap());
    assert_eq!(names(store, ""), Vec::<String>::new());
}

pub(super) fn publishing_moves_all_or_nothing(store: &dyn Store) {
    store.write("dir/.new.partial/c/0", &[b"pixels"]).unwrap();
    store.write_whole("dir/.new.partial/doc", &[b"new"]).unwrap();
    if store.publishing() == Publishing::DocumentLast {
        let error = store.publish("dir/.new.partial", "dir/new", true).unwrap_err();
        assert!(error.is_not_supported(), "{error}");
        return;
    }
    assert!(store.publish("dir/none", "dir/new", true).is_err());
    assert_eq!(store.publish("dir/.new.partial", "dir/new", false).unwrap(), None);
    assert_eq!(names(store, "dir"), ["new"]);
    assert_eq!(text(store, "dir/new/c/0").as_deref(), Some("pixels"));

    store.write("dir/.new.partial/doc", &[b"newer"]).unwrap();
    let error = store.publish("dir/.new.partial", "dir/new", false).unwrap_err();
    assert!(error.is_already_exists(), "{error}");
    assert_eq!(
        error.to_string(),
        format!("{} exists already", store.location("dir/new"))
    );
    assert_eq!(text(store, "dir/new/doc").as_deref(), Some("new"));
    assert_eq!(text(store, "dir/.new.partial/doc").as_deref(), Some("newer"));

    let old = store.publish("dir/.new.partial", "dir/new", true).unwrap().unwrap();
    assert_eq!(text(store, "dir/new/doc").as_deref(), Some("newer"));
    assert_eq!(text(store, "dir/new/c/0"), None, "nothing is mixed");
    assert_eq!(text(store, &format!("{old}/doc")).as_deref(), Some("new"));
    store.remove_all(&old).unwrap();
    assert_eq!(names(store, "dir"), ["new"]);

    // Nothing need be there to be replaced, nor the folder; and a file is published as well.
    store.write("one file", &[b"1"]).unwrap();
    assert_eq!(store.publish("one file", "deep/er/file", true).unwrap(), None);
    assert_eq!(text(store, "deep/er/file").as_deref(), Some("1"));
    store.write("one file", &[b"2"]).unwrap();
    let error = store.publish("one file", "deep/er/file", false).unwrap_err();
    assert!(error.is_already_exists(), "{error}");
    assert_eq!(text(store, "deep/er/file").as_deref(), Some("1"));
}
