//! A store that is a folder on a file system; the only place of this crate that touches files.

mod claim;
mod durable;
mod publish;
mod read;
mod whole;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use crate::error::{Result, StoreError};
use crate::handle::{Append, Lock, ReadAt};
use crate::key;
use crate::stat::{Entry, Publishing, Stat};
use crate::store::Store;

/// A folder. It is made with the first thing that is written into it. Files get the permissions that the umask leaves.
///
/// Replacing, creating and locking work between processes by the advisory locks of the file system. On one that has none (some
/// shares, Lustre without `flock`) [`Store::lock`] is an error; [`Store::write_whole`] works and is whole after a kill, but two
/// processes that replace one file at the same time may show readers a torn one until both are done.
#[derive(Clone, Debug)]
pub struct FolderStore {
    root: PathBuf,
    durable: bool,
}

impl FolderStore {
    /// The folder at a path, which may be any path, and need not be there yet. What it writes survives a kill at once, and a loss of
    /// power after [`Store::sync`].
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { root, durable: false }
    }

    /// The same folder, in which documents and what is published are on disk before they appear, and so are their names when the call
    /// returns: a loss of power leaves the old thing or the new one. Pixels, and what is appended, are left to what publishes them.
    pub fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    /// Where a key lies.
    fn path(&self, key: &str) -> Result<PathBuf> {
        key::check(key)?;
        let mut path = self.root.clone();
        if cfg!(windows) {
            path.extend(key.split('/').filter(|part| !part.is_empty()));
        } else if !key.is_empty() {
            path.push(key);
        }
        // The current folder has a name only if one gives it one.
        Ok(if path.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            path
        })
    }

    fn path_below(&self, key: &str) -> Result<PathBuf> {
        key::check_below_root(key)?;
        self.path(key)
    }

    fn failed(&self, action: &'static str, key: &str) -> impl FnOnce(io::Error) -> StoreError {
        StoreError::io(action, self.location(key))
    }

    /// Waits for the names of a finished thing, if that was asked for.
    fn settle(&self, path: &Path) -> io::Result<()> {
        if self.durable {
            durable::sync_above(&self.root, path)
        } else {
            Ok(())
        }
    }
}

impl Store for FolderStore {
    fn location(&self, key: &str) -> String {
        let mut text = self.root.display().to_string();
        if key.is_empty() {
            return if text.is_empty() { ".".to_owned() } else { text };
        }
        if !text.is_empty() && !text.ends_with(['/', MAIN_SEPARATOR]) {
            text.push(MAIN_SEPARATOR);
        }
        text.extend(key.chars().map(|c| if c == '/' { MAIN_SEPARATOR } else { c }));
        text
    }

    fn local_path(&self, key: &str) -> Option<PathBuf> {
        self.path(key).ok()
    }

    fn stat(&self, key: &str) -> Result<Option<Stat>> {
        read::stat(&self.path(key)?).map_err(self.failed("look at", key))
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        read::whole(&self.path(key)?).map_err(self.failed("read", key))
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Option<Vec<u8>>> {
        read::range(&self.path(key)?, range).map_err(self.failed("read", key))
    }

    fn open(&self, key: &str) -> Result<Option<Box<dyn ReadAt>>> {
        let file = read::open(&self.path(key)?).map_err(self.failed("open", key))?;
        Ok(file.map(|(file, bytes)| read::PositionedFile::boxed(file, bytes, self.location(key))))
    }

    fn list(&self, key: &str) -> Result<Option<Vec<Entry>>> {
        read::list(&self.path(key)?).map_err(self.failed("list", key))
    }

    fn write_whole(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        let path = self.path_below(key)?;
        let written = whole::replace(&path, parts, self.durable).and_then(|_| self.settle(&path));
        written.map_err(self.failed("write", key))
    }

    fn create(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        let path = self.path_below(key)?;
        match whole::create(&path, parts, self.durable) {
            Ok(true) => self.settle(&path).map_err(self.failed("write", key)),
            Ok(false) => Err(StoreError::AlreadyExists {
                location: self.location(key),
            }),
            Err(error) => Err(self.failed("create", key)(error)),
        }
    }

    fn write_if_unchanged(&self, key: &str, seen: Option<&[u8]>, parts: &[&[u8]]) -> Result<bool> {
        let path = self.path_below(key)?;
        let written = whole::replace_if(&path, seen, parts, self.durable).and_then(|written| {
            if written {
                self.settle(&path)?;
            }
            Ok(written)
        });
        written.map_err(self.failed("write", key))
    }

    fn write(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        let path = self.path_below(key)?;
        let file = claim::with_folder(&path, || claim::open_quickly(&path));
        let written = file.and_then(|mut file| whole::write_parts(&mut file, parts));
        written.map_err(self.failed("write", key))
    }

    fn appender(&self, key: &str, start: &[&[u8]]) -> Result<Box<dyn Append>> {
        let path = self.path_below(key)?;
        let file = whole::replace(&path, start, self.durable).and_then(|file| {
            // The lock was for the name of the temporary file.
            let _ = file.unlock();
            self.settle(&path)?;
            Ok(file)
        });
        let location = self.location(key);
        file.map(|file| Box::new(Growing { file, location }) as Box<dyn Append>)
            .map_err(self.failed("write", key))
    }

    fn create_folder(&self, key: &str) -> Result<()> {
        fs::create_dir_all(self.path(key)?).map_err(self.failed("create", key))
    }

    fn sync(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        let synced = durable::sync_one(&path).and_then(|()| durable::sync_above(&self.root, &path));
        synced.map_err(self.failed("write to disk", key))
    }

    fn sync_tree(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        let synced = durable::sync_tree(&path).and_then(|()| durable::sync_above(&self.root, &path));
        synced.map_err(self.failed("write to disk", key))
    }

    fn remove(&self, key: &str) -> Result<()> {
        let removed = read::found(fs::remove_file(self.path_below(key)?));
        removed.map(drop).map_err(self.failed("remove", key))
    }

    fn remove_empty_folder(&self, key: &str) -> Result<bool> {
        let path = self.path_below(key)?;
        let gone = match fs::remove_dir(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(false),
            // A file is there, or on the way to it.
            Err(error) if error.kind() == ErrorKind::NotADirectory => read::stat(&path).map(|stat| stat.is_none()),
            Err(error) => read::found(Err(error)).map(|removed: Option<()>| removed.is_none()),
        };
        gone.map_err(self.failed("remove", key))
    }

    fn remove_all(&self, key: &str) -> Result<()> {
        let path = self.path_below(key)?;
        remove_tree(&path).map_err(self.failed("remove", key))
    }

    fn lock(&self, key: &str) -> Result<Option<Lock>> {
        let path = self.path_below(key)?;
        let claimed = claim::claim(&path, claim::WithoutLocks::Fails).map_err(self.failed("lock", key))?;
        Ok(claimed.map(|file| Lock::new(move || claim::let_go(&file, &path))))
    }

    fn publishing(&self) -> Publishing {
        Publishing::Rename
    }

    fn publish(&self, from: &str, to: &str, replace: bool) -> Result<Option<String>> {
        let (source, target) = (self.path_below(from)?, self.path_below(to)?);
        let old = self.path_below(&key::beside(to, "replaced"))?;
        if self.durable {
            self.sync_tree(from)?;
        }
        let moved = match replace {
            true => publish::replace(&source, &target, &old),
            false => publish::place(&source, &target),
        };
        let moved = moved.map_err(self.failed("move the finished thing to", to))?;
        if moved == publish::Moved::Not {
            return Err(StoreError::AlreadyExists {
                location: self.location(to),
            });
        }
        self.settle(&target).map_err(self.failed("write to disk", to))?;
        if moved == publish::Moved::Exchanged {
            return Ok(Some(from.to_owned()));
        }
        let left = read::stat(&old).map_err(self.failed("look at", to))?;
        Ok(left.map(|_| key::beside(to, "replaced")))
    }
}

/// A file that is open to grow.
#[derive(Debug)]
struct Growing {
    file: fs::File,
    location: String,
}

impl Append for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| StoreError::io("write", &*self.location)(error))
    }
}

/// Removes whatever is at a path; links are not followed.
fn remove_tree(path: &Path) -> io::Result<()> {
    /// Another process may put something into a folder while it is emptied.
    const TRIES: usize = 3;
    for attempt in 1.. {
        let Some(there) = read::found(fs::symlink_metadata(path))? else {
            break;
        };
        let removed = if there.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        match read::found(removed) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && attempt < TRIES => {}
            removed => return removed.map(drop),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
