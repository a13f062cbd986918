//! A key in a store: what code holds that reads or writes.

use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::folder::FolderStore;
use crate::handle::{Append, Lock, ReadAt};
use crate::key;
use crate::stat::{Entry, Found, Publishing, Stat};
use crate::store::Store;

/// A place: a store and a key in it. Cheap to clone; shown as its full path or URL, by which it is also compared.
///
/// A location may be built from any text: what is not a key is refused by the calls. They are those of [`Store`], whose contract holds.
#[derive(Clone, Debug)]
pub struct Location {
    store: Arc<dyn Store>,
    key: String,
}

impl Location {
    /// The place of a key.
    pub fn new(store: Arc<dyn Store>, key: impl Into<String>) -> Self {
        let key = key.into();
        Self { store, key }
    }

    /// The place at a path of this machine: the store is the folder it is in, of whatever name, so there is a [`parent`](Self::parent) and
    /// none above. The last name must be UTF-8; a path without one (`/`, `..`) is the root of its store.
    pub fn local(path: &Path) -> Result<Self> {
        Self::in_folder_of(path, |folder| folder)
    }

    /// The same place in a store that is [durable](FolderStore::durable).
    pub fn local_durable(path: &Path) -> Result<Self> {
        Self::in_folder_of(path, FolderStore::durable)
    }

    fn in_folder_of(path: &Path, kind: impl FnOnce(FolderStore) -> FolderStore) -> Result<Self> {
        let (root, key) = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => {
                let shown = || key::invalid(&path.to_string_lossy(), key::NOT_UTF8);
                (folder, name.to_str().ok_or_else(shown)?)
            }
            _ => (path, ""),
        };
        key::check(key)?;
        Ok(Self::new(Arc::new(kind(FolderStore::new(root))), key))
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it lies on this machine's disk, for what works only there; `None` elsewhere.
    pub fn local_path(&self) -> Option<PathBuf> {
        self.store.local_path(&self.key)
    }

    /// The last part of the key; empty for the root.
    pub fn name(&self) -> &str {
        key::split(&self.key).map_or("", |(_, name)| name)
    }

    /// The folder it is in; `None` for the root of the store.
    pub fn parent(&self) -> Option<Self> {
        key::split(&self.key).map(|(above, _)| self.at(above.to_owned()))
    }

    /// Something in this folder.
    pub fn child(&self, name: &str) -> Self {
        self.at(key::join(&self.key, name))
    }

    /// Something below this folder: several names joined by `/`, or none.
    pub fn join(&self, below: &str) -> Self {
        match below {
            "" => self.clone(),
            below => self.child(below),
        }
    }

    /// Something in the same folder.
    pub fn sibling(&self, name: &str) -> Self {
        let above = key::split(&self.key).map_or("", |(above, _)| above);
        self.at(key::join(above, name))
    }

    /// `.{name}.{what}` in the same folder: hidden, and found again by whoever comes next.
    pub fn beside(&self, what: &str) -> Self {
        self.at(key::beside(&self.key, what))
    }

    fn at(&self, key: String) -> Self {
        Self::new(Arc::clone(&self.store), key)
    }
}

/// The calls of [`Store`] on this key.
impl Location {
    /// See [`Store::stat`].
    pub fn stat(&self) -> Result<Option<Stat>> {
        self.store.stat(&self.key)
    }

    /// Whether something is there, of whatever kind; an error when that cannot be told.
    pub fn exists(&self) -> Result<bool> {
        Ok(self.stat()?.is_some())
    }

    /// See [`Store::read`].
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        self.store.read(&self.key)
    }

    /// See [`Store::read_range`].
    pub fn read_range(&self, range: Range<u64>) -> Result<Option<Vec<u8>>> {
        self.store.read_range(&self.key, range)
    }

    /// See [`Store::open`].
    pub fn open(&self) -> Result<Option<Box<dyn ReadAt>>> {
        self.store.open(&self.key)
    }

    /// See [`Store::list`].
    pub fn list(&self) -> Result<Option<Vec<Entry>>> {
        self.store.list(&self.key)
    }

    /// See [`Store::walk`].
    pub fn walk(&self) -> Result<Option<Vec<Found>>> {
        self.store.walk(&self.key)
    }

    /// See [`Store::write_whole`].
    pub fn write_whole(&self, parts: &[&[u8]]) -> Result<()> {
        self.store.write_whole(&self.key, parts)
    }

    /// See [`Store::create`].
    pub fn create(&self, parts: &[&[u8]]) -> Result<()> {
        self.store.create(&self.key, parts)
    }

    /// See [`Store::write_if_unchanged`].
    pub fn write_if_unchanged(&self, seen: Option<&[u8]>, parts: &[&[u8]]) -> Result<bool> {
        self.store.write_if_unchanged(&self.key, seen, parts)
    }

    /// See [`Store::write`].
    pub fn write(&self, parts: &[&[u8]]) -> Result<()> {
        self.store.write(&self.key, parts)
    }

    /// See [`Store::appender`].
    pub fn appender(&self, start: &[&[u8]]) -> Result<Box<dyn Append>> {
        self.store.appender(&self.key, start)
    }

    /// See [`Store::create_folder`].
    pub fn create_folder(&self) -> Result<()> {
        self.store.create_folder(&self.key)
    }

    /// See [`Store::sync`].
    pub fn sync(&self) -> Result<()> {
        self.store.sync(&self.key)
    }

    /// See [`Store::sync_tree`].
    pub fn sync_tree(&self) -> Result<()> {
        self.store.sync_tree(&self.key)
    }

    /// See [`Store::remove`].
    pub fn remove(&self) -> Result<()> {
        self.store.remove(&self.key)
    }

    /// See [`Store::remove_empty_folder`].
    pub fn remove_empty_folder(&self) -> Result<bool> {
        self.store.remove_empty_folder(&self.key)
    }

    /// See [`Store::remove_all`].
    pub fn remove_all(&self) -> Result<()> {
        self.store.remove_all(&self.key)
    }

    /// See [`Store::lock`].
    pub fn lock(&self) -> Result<Option<Lock>> {
        self.store.lock(&self.key)
    }

    /// See [`Store::lock_when_free`].
    pub fn lock_when_free(&self, stop: &dyn Fn() -> bool) -> Result<Option<Lock>> {
        self.store.lock_when_free(&self.key, stop)
    }

    /// See [`Store::publishing`].
    pub fn publishing(&self) -> Publishing {
        self.store.publishing()
    }

    /// See [`Store::copy`]; `to` is a key of the same store.
    pub fn copy_to(&self, to: &str) -> Result<()> {
        self.store.copy(&self.key, to)
    }

    /// See [`Store::publish`]; `to` is a key of the same store. Gives where the replaced thing is now.
    pub fn publish_to(&self, to: &str, replace: bool) -> Result<Option<Self>> {
        let replaced = self.store.publish(&self.key, to, replace)?;
        Ok(replaced.map(|key| self.at(key)))
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.store.location(&self.key))
    }
}

impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Location {}

impl Hash for Location {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
    }
}
