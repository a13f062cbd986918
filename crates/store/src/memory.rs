//! A store in memory: for tests, and for what need not outlive the process.

mod opened;
mod state;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Result, StoreError};
use crate::handle::{Append, Lock, ReadAt};
use crate::key;
use crate::stat::{Entry, Kind, Publishing, Stat};
use crate::store::Store;

use opened::{Growing, Opened};
use state::State;

/// Files in memory. There are no folders but those in which files are. Locks hold within the process.
///
/// By default it is like an object store: publishing is by document, and files cannot grow. Its places are called `memory:///key`, whichever
/// of several stores they are in.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    publishing: Publishing,
    state: Arc<Mutex<State>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store that is like an object store.
    pub fn new() -> Self {
        Self {
            publishing: Publishing::DocumentLast,
            state: Arc::default(),
        }
    }

    /// An empty store that can rename and append as a folder can.
    pub fn with_rename() -> Self {
        Self {
            publishing: Publishing::Rename,
            ..Self::new()
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No call panics while it holds the state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self, key: &str) -> Result<Option<Arc<Vec<u8>>>> {
        key::check(key)?;
        Ok(self.state().files.get(key).map(|file| Arc::clone(&file.bytes)))
    }

    fn not_supported<T>(&self, action: &'static str, key: &str) -> Result<T> {
        Err(StoreError::NotSupported {
            action,
            location: self.location(key),
        })
    }

    fn already_exists<T>(&self, key: &str) -> Result<T> {
        Err(StoreError::AlreadyExists {
            location: self.location(key),
        })
    }
}

impl Store for MemoryStore {
    fn location(&self, key: &str) -> String {
        format!("memory:///{key}")
    }

    fn stat(&self, key: &str) -> Result<Option<Stat>> {
        key::check(key)?;
        let state = self.state();
        let stat = |kind, bytes, modified| Stat {
            kind,
            link: false,
            bytes,
            modified,
        };
        Ok(match state.files.get(key) {
            Some(file) => Some(stat(Kind::File, file.bytes.len() as u64, Some(file.modified))),
            None => state.is_there(key).then(|| stat(Kind::Folder, 0, None)),
        })
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.bytes(key)?.map(Arc::unwrap_or_clone))
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Option<Vec<u8>>> {
        let cut = |bytes: Arc<Vec<u8>>| {
            let at =
                |position: u64| usize::try_from(position).map_or(bytes.len(), |position| position.min(bytes.len()));
            bytes.get(at(range.start)..at(range.end)).unwrap_or_default().to_vec()
        };
        Ok(self.bytes(key)?.map(cut))
    }

    fn open(&self, key: &str) -> Result<Option<Box<dyn ReadAt>>> {
        let location = self.location(key);
        let bytes = self.bytes(key)?;
        Ok(bytes.map(|bytes| Box::new(Opened { bytes, location }) as Box<dyn ReadAt>))
    }

    fn list(&self, key: &str) -> Result<Option<Vec<Entry>>> {
        key::check(key)?;
        let mut entries: BTreeMap<&str, (Kind, Option<u64>)> = BTreeMap::new();
        let state = self.state();
        for (_, below, file) in state.below(key) {
            let (name, what) = match below.split_once('/') {
                Some((folder, _)) => (folder, (Kind::Folder, None)),
                None => (below, (Kind::File, Some(file.bytes.len() as u64))),
            };
            entries.entry(name).or_insert(what);
        }
        let entry = |(name, (kind, bytes)): (&str, _)| Entry {
            os_name: name.into(),
            kind,
            bytes,
        };
        let entries: Vec<Entry> = entries.into_iter().map(entry).collect();
        Ok((!entries.is_empty()).then_some(entries))
    }

    fn write_whole(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        key::check_below_root(key)?;
        self.state().put(key, parts);
        Ok(())
    }

    fn create(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        key::check_below_root(key)?;
        let mut state = self.state();
        if state.is_there(key) {
            return self.already_exists(key);
        }
        state.put(key, parts);
        Ok(())
    }

    fn write_if_unchanged(&self, key: &str, seen: Option<&[u8]>, parts: &[&[u8]]) -> Result<bool> {
        key::check_below_root(key)?;
        let mut state = self.state();
        let unchanged = state.files.get(key).map(|file| &**file.bytes) == seen;
        if unchanged {
            state.put(key, parts);
        }
        Ok(unchanged)
    }

    fn write(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        self.write_whole(key, parts)
    }

    fn appender(&self, key: &str, start: &[&[u8]]) -> Result<Box<dyn Append>> {
        key::check_below_root(key)?;
        if self.publishing == Publishing::DocumentLast {
            return self.not_supported("append to", key);
        }
        let number = self.state().put(key, start);
        Ok(Box::new(Growing {
            store: self.clone(),
            key: key.to_owned(),
            number,
        }))
    }

    fn create_folder(&self, key: &str) -> Result<()> {
        key::check(key)
    }

    fn sync(&self, key: &str) -> Result<()> {
        key::check(key)
    }

    fn sync_tree(&self, key: &str) -> Result<()> {
        key::check(key)
    }

    fn remove(&self, key: &str) -> Result<()> {
        key::check_below_root(key)?;
        self.state().files.remove(key);
        Ok(())
    }

    fn remove_empty_folder(&self, key: &str) -> Result<bool> {
        key::check_below_root(key)?;
        Ok(!self.state().is_there(key))
    }

    fn remove_all(&self, key: &str) -> Result<()> {
        key::check_below_root(key)?;
        self.state().take(key);
        Ok(())
    }

    fn lock(&self, key: &str) -> Result<Option<Lock>> {
        key::check_below_root(key)?;
        if !self.state().locks.insert(key.to_owned()) {
            return Ok(None);
        }
        let (store, key) = (self.clone(), key.to_owned());
        Ok(Some(Lock::new(move || {
            store.state().locks.remove(&key);
        })))
    }

    fn publishing(&self) -> Publishing {
        self.publishing
    }

    fn publish(&self, from: &str, to: &str, replace: bool) -> Result<Option<String>> {
        key::check_below_root(from)?;
        key::check_below_root(to)?;
        if self.publishing == Publishing::DocumentLast {
            return self.not_supported("move a finished thing to", to);
        }
        let mut state = self.state();
        if !state.is_there(from) {
            let failed = StoreError::io("move the finished thing to", self.location(to));
            return Err(failed(ErrorKind::NotFound.into()));
        }
        if !state.is_there(to) {
            let new = state.take(from);
            state.give(to, new);
            return Ok(None);
        }
        if !replace {
            return self.already_exists(to);
        }
        let (new, old) = (state.take(from), state.take(to));
        state.give(to, new);
        state.give(from, old);
        Ok(Some(from.to_owned()))
    }
}
