//! The battery against every store, and the store that fails on purpose against what it says of itself.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ome_zarr_convert_geometry::Fault;

use super::*;
use crate::{FolderStore, MemoryStore, Store};

/// Folders of one test, each made by what is first written into it.
fn folders(kind: impl Fn(FolderStore) -> FolderStore) -> (tempfile::TempDir, impl Fn() -> FolderStore) {
    let dir = tempfile::tempdir().unwrap();
    let (path, number) = (dir.path().to_owned(), AtomicUsize::new(0));
    let make = move || {
        let number = number.fetch_add(1, Ordering::SeqCst);
        kind(FolderStore::new(path.join(format!("not there yet/{number}"))))
    };
    (dir, make)
}

#[test]
fn a_folder_keeps_the_promises() {
    let (_dir, make) = folders(|folder| folder);
    battery(|| Arc::new(make()));
}

#[test]
fn a_durable_folder_keeps_the_promises() {
    let (_dir, make) = folders(FolderStore::durable);
    battery(|| Arc::new(make()));
}

#[test]
fn memory_keeps_the_promises() {
    battery(|| Arc::new(MemoryStore::new()));
    battery(|| Arc::new(MemoryStore::with_rename()));
}

#[test]
fn a_failing_store_that_does_not_fail_keeps_the_promises() {
    let (_dir, make) = folders(|folder| folder);
    battery(|| Arc::new(FailingStore::new(Arc::new(make()))));
    battery(|| Arc::new(FailingStore::new(Arc::new(MemoryStore::new()))));
}

fn failing() -> FailingStore {
    FailingStore::new(Arc::new(MemoryStore::with_rename()))
}

#[test]
fn calls_are_counted_by_kind_and_logged_with_their_keys() {
    let store = failing();
    store.write("a/1", &[b"1"]).unwrap();
    store.write("a/2", &[b"2"]).unwrap();
    assert_eq!(store.read("a/none").unwrap(), None);
    let file = store.open("a/1").unwrap().unwrap();
    file.read_exact_at(0, &mut [0]).unwrap();
    store.appender("b", &[]).unwrap().append(b"1").unwrap();
    store.publish("a", "c", false).unwrap();
    let log = [
        (Call::Write, "a/1"),
        (Call::Write, "a/2"),
        (Call::Read, "a/none"),
        (Call::Open, "a/1"),
        (Call::ReadAt, "a/1"),
        (Call::Appender, "b"),
        (Call::Append, "b"),
        (Call::Publish, "a"),
    ];
    assert_eq!(store.log(), log.map(|(call, key)| (call, key.to_owned())));
    let counts = [Call::Write, Call::Read, Call::Stat, Call::Append].map(|call| store.count(call));
    assert_eq!(counts, [2, 1, 0, 1]);
    let writing = log.iter().filter(|(call, _)| call.writes()).count();
    assert_eq!((writing, store.failed()), (5, 0));
    store.forget();
    assert_eq!(store.log(), []);
}

#[test]
fn the_nth_call_fails_before_or_after_it_did_its_work() {
    for (moment, expected) in [(Moment::Before, None), (Moment::After, Some(b"2".to_vec()))] {
        let store = failing();
        store.fail_nth(2, ErrorKind::StorageFull, moment);
        store.write_whole("1", &[b"1"]).unwrap();
        let error = store.write_whole("2", &[b"2"]).unwrap_err();
        assert_eq!(error.fault(), Fault::Environment);
        assert!(error.to_string().contains("memory:///2"), "{error}");
        store.write_whole("3", &[b"3"]).unwrap();
        assert_eq!(store.read("2").unwrap(), expected, "{moment:?}");
        assert_eq!(store.failed(), 1);
    }
}

#[test]
fn a_torn_write_leaves_half_of_its_bytes() {
    let store = failing();
    store.write("old", &[b"what was there before"]).unwrap();
    let mut ledger = store.appender("ledger", &[b"head\n"]).unwrap();
    store.fail_when(|_, _| true, ErrorKind::TimedOut, Moment::Halfway);
    assert_eq!(
        store.write("old", &[b"abc", b"def"]).unwrap_err().fault(),
        Fault::Transient
    );
    store.write("new", &[b"12"]).unwrap_err();
    ledger.append(b"1234\n").unwrap_err();
    store.write_whole("whole", &[b"12"]).unwrap_err();
    store.mend();
    assert_eq!(store.read("old").unwrap().unwrap(), b"abc");
    assert_eq!(store.read("new").unwrap().unwrap(), b"1");
    assert_eq!(store.read("ledger").unwrap().unwrap(), b"head\n12");
    assert_eq!(store.read("whole").unwrap(), None, "a document is never torn");
}

#[test]
fn calls_fail_by_kind_and_key() {
    let store = failing();
    store.fail_when(
        |call, key| call == Call::Read && key.ends_with("/doc"),
        ErrorKind::PermissionDenied,
        Moment::Before,
    );
    store.write("a/doc", &[b"1"]).unwrap();
    assert!(
        store.read("a/doc").is_err(),
        "not to be seen is not the same as not there"
    );
    assert_eq!(store.read("doc").unwrap(), None);
    assert_eq!(store.stat("a/doc").unwrap().unwrap().bytes, 1);
}

#[test]
fn after_a_kill_nothing_more_happens() {
    let store = failing();
    store.fail_from(2, ErrorKind::Other, Moment::After);
    store.write("1", &[b"1"]).unwrap();
    store.write("2", &[b"2"]).unwrap_err();
    store.write("3", &[b"3"]).unwrap_err();
    store.remove("1").unwrap_err();
    assert_eq!(store.failed(), 3);
    store.mend();
    let found = store.walk("").unwrap().unwrap();
    assert_eq!(found.iter().map(|found| &*found.key).collect::<Vec<_>>(), ["1", "2"]);
}
