//! What holds when several threads do the same at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::store::Store;

use super::{names, text};

const THREADS: usize = 4;
const ROUNDS: usize = 25;

/// Runs something on several threads that begin together.
fn together(work: impl Fn(usize) + Sync) {
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(thread);
            });
        }
    });
}

pub(super) fn one_of_several_creates(store: &dyn Store) {
    for round in 0..ROUNDS {
        let key = format!("dir {round}/doc");
        let winner = AtomicUsize::new(usize::MAX);
        together(|thread| match store.create(&key, &[thread.to_string().as_bytes()]) {
            Ok(()) => assert_eq!(winner.swap(thread, Ordering::SeqCst), usize::MAX, "two have created it"),
            Err(error) => assert!(error.is_already_exists(), "{error}"),
        });
        assert_eq!(text(store, &key), Some(winner.into_inner().to_string()));
        assert_eq!(names(store, &format!("dir {round}")), ["doc"]);
    }
}

pub(super) fn those_who_replace_a_document_leave_one_of_theirs(store: &dyn Store) {
    let content = |thread: usize| format!("{thread}").repeat(20_000 + 5_000 * thread);
    let is_one = |text: &str| (0..THREADS).any(|thread| text == content(thread));
    store.write_whole("dir/doc", &[content(0).as_bytes()]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let seen = text(store, "dir/doc").expect("it is there at every moment");
                assert!(is_one(&seen), "{} bytes of several", seen.len());
            }
        });
        together(|thread| {
            let bytes = content(thread);
            for _ in 0..ROUNDS {
                let (one, other) = bytes.as_bytes().split_at(100);
                store.write_whole("dir/doc", &[one, other]).unwrap();
            }
        });
        done.store(true, Ordering::SeqCst);
    });
    assert!(is_one(&text(store, "dir/doc").unwrap()));
    assert_eq!(names(store, "dir"), ["doc"]);
}

pub(super) fn no_change_of_those_who_look_first_is_lost(store: &dyn Store) {
    together(|_| {
        for _ in 0..ROUNDS {
            loop {
                let seen = store.read("counter").unwrap();
                let number = match &seen {
                    None => 0,
                    Some(bytes) => std::str::from_utf8(bytes).unwrap().parse::<usize>().unwrap(),
                };
                let next = (number + 1).to_string();
                if store
                    .write_if_unchanged("counter", seen.as_deref(), &[next.as_bytes()])
                    .unwrap()
                {
                    break;
                }
            }
        }
    });
    assert_eq!(text(store, "counter"), Some((THREADS * ROUNDS).to_string()));
    assert_eq!(names(store, ""), ["counter"]);
}

pub(super) fn a_lock_has_one_holder(store: &dyn Store) {
    let held = match store.lock("dir/.lock") {
        Err(error) if error.is_not_supported() => return,
        held => held.unwrap().unwrap(),
    };
    assert!(store.lock("dir/.lock").unwrap().is_none());
    assert!(store.lock("dir/.other").unwrap().is_some());
    let asked = AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::SeqCst) == 2;
    assert!(store.lock_when_free("dir/.lock", &stop).unwrap().is_none());
    assert_eq!(asked.into_inner(), 3);
    drop(held);
    assert_eq!(names(store, "dir"), Vec::<String>::new(), "nothing is left");

    let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    together(|_| {
        for _ in 0..ROUNDS {
            let lock = store.lock_when_free("dir/.lock", &|| false).unwrap().unwrap();
            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
            taken.fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
            holders.fetch_sub(1, Ordering::SeqCst);
            drop(lock);
        }
    });
    assert_eq!(taken.into_inner(), THREADS * ROUNDS);
    assert!(store.lock("dir/.lock").unwrap().is_some());
}
