//! The contract of [`Store`] as tests: one function per promise, run against every implementation.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a promise that is broken fails the test that asks for it"
)]

mod documents;
mod reading;
mod together;

use std::sync::Arc;

use crate::store::Store;

/// Holds a store to everything that [`Store`] promises. `make` gives an empty store of its own each time.
///
/// # Panics
///
/// When a promise is broken.
pub fn battery(make: impl Fn() -> Arc<dyn Store>) {
    let promises: [fn(&dyn Store); 20] = [
        reading::what_is_not_there_is_no_error,
        reading::what_is_written_is_read,
        reading::ranges_end_where_the_file_ends,
        reading::many_threads_read_one_open_file,
        reading::listings_are_one_level_and_sorted,
        reading::walks_find_every_file_with_its_size,
        reading::nothing_is_below_a_file,
        reading::texts_that_are_no_keys_are_refused_by_every_call,
        reading::messages_name_the_place,
        documents::a_document_is_replaced_and_nothing_is_left_beside_it,
        documents::what_is_there_is_not_created,
        documents::a_document_that_changed_is_not_replaced,
        documents::files_grow_where_they_can,
        documents::copies_are_whole,
        documents::removing_takes_what_was_named_and_no_more,
        documents::publishing_moves_all_or_nothing,
        together::one_of_several_creates,
        together::those_who_replace_a_document_leave_one_of_theirs,
        together::no_change_of_those_who_look_first_is_lost,
        together::a_lock_has_one_holder,
    ];
    for promise in promises {
        promise(&*make());
    }
}

/// The names in a folder.
fn names(store: &dyn Store, key: &str) -> Vec<String> {
    let entries = store.list(key).unwrap().unwrap_or_default();
    entries.iter().map(|entry| entry.name().unwrap().to_owned()).collect()
}

/// A file as text; `None` when it is not there.
fn text(store: &dyn Store, key: &str) -> Option<String> {
    store.read(key).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
}
