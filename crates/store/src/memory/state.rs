//! The files in memory and the locks that are held.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, File>,
    pub(super) locks: BTreeSet<String>,
    /// Files written so far.
    written: u64,
}

#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) modified: SystemTime,
    /// Tells a file from one that replaced it.
    pub(super) number: u64,
}

impl State {
    pub(super) fn put(&mut self, key: &str, parts: &[&[u8]]) -> u64 {
        self.written += 1;
        let number = self.written;
        let file = File {
            bytes: Arc::new(parts.concat()),
            modified: SystemTime::now(),
            number,
        };
        self.files.insert(key.to_owned(), file);
        number
    }

    /// The files below a key, each with its key and what that is relative to it.
    pub(super) fn below<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a str, &'a str, &'a File)> + use<'a> {
        let prefix = if key.is_empty() {
            String::new()
        } else {
            format!("{key}/")
        };
        let range = (Bound::Included(prefix.clone()), Bound::Unbounded);
        self.files
            .range::<String, _>(range)
            .map_while(move |(key, file)| key.strip_prefix(&prefix).map(|below| (&**key, below, file)))
    }

    /// Whether a key is a file, or a folder because files are below it.
    pub(super) fn is_there(&self, key: &str) -> bool {
        self.files.contains_key(key) || self.below(key).next().is_some()
    }

    /// Takes out a file, or everything below a key, by what it is relative to the key (nothing for the file).
    pub(super) fn take(&mut self, key: &str) -> Vec<(String, File)> {
        let mut keys: Vec<String> = self.below(key).map(|(key, ..)| key.to_owned()).collect();
        keys.push(key.to_owned());
        let taken = keys.into_iter().filter_map(|full| self.files.remove_entry(&full));
        taken.map(|(full, file)| (full[key.len()..].to_owned(), file)).collect()
    }

    pub(super) fn give(&mut self, key: &str, files: Vec<(String, File)>) {
        let moved = files.into_iter().map(|(below, file)| (format!("{key}{below}"), file));
        self.files.extend(moved);
    }
}
