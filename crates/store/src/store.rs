//! The seam: what a store promises to those who read and write through it.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Result, StoreError};
use crate::handle::{Append, Lock, ReadAt};
use crate::key;
use crate::stat::{Entry, Found, Kind, Publishing, Stat};

/// A place for bytes: a folder, memory, an object store.
///
/// # Keys
///
/// A key is relative text whose parts are joined by `/`; `""` is the root. A part is not empty, not `.` or `..`, and has no zero
/// character (on Windows no backslash and no colon). Anything else is [`StoreError::InvalidKey`], from every call, before anything is
/// touched. The root is not written, replaced or removed.
///
/// # There, not there, cannot tell
///
/// Existence has three answers. `Some`: it is there. `None`: it is not there, and only "not found" says so, which includes a key below a
/// file. Everything else, from a missing permission to a loop of links, is an error: whoever takes it for "not there" overwrites what
/// cannot be seen.
///
/// # Folders
///
/// Some stores know folders, others only keys that have a `/`. Every write makes the folders it needs. A folder without files may
/// or may not be there, and a file and files below it may or may not exist together: do not build on either.
///
/// # What is never done
///
/// Pipes, sockets and devices are [`Kind::Other`] and not opened. No file is written through a link at its own name: what replaces a
/// file replaces the link. [`Store::write`], which does not look first, refuses links and pipes all the same, but not a device.
/// Links on the way to a file are followed; see [`Stat::link`].
///
/// # Kills
///
/// A process may be killed at any call. What it leaves besides finished things is a temporary file called `.{name}.partial` beside `name`,
/// or a lock file: the next write of that key, or the next holder of that lock, takes it over. Every call may be made by several threads
/// and processes at once.
pub trait Store: Debug + Send + Sync {
    /// The full path or URL of a key, for messages; of whatever text it is given.
    fn location(&self, key: &str) -> String;

    /// Where a key lies on this machine's disk, for what works only there. `None` elsewhere, and for what is not a key.
    fn local_path(&self, key: &str) -> Option<PathBuf> {
        let _ = key;
        None
    }

    /// What is at a key. Links are followed, and told by [`Stat::link`]; one that leads nowhere is there, as [`Kind::Link`].
    fn stat(&self, key: &str) -> Result<Option<Stat>>;

    /// All bytes of a file. Reading a folder is an error, or `None` where there are none; reading what is [`Kind::Other`] is an error.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// The bytes of a file from `range.start` up to `range.end`, without those that lie past its end.
    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Option<Vec<u8>>>;

    /// Opens a file for reads at many positions by many threads.
    fn open(&self, key: &str) -> Result<Option<Box<dyn ReadAt>>>;

    /// What is in a folder, one level, sorted by the bytes of the names; temporaries and names that are not UTF-8 included. `None` when
    /// there is no folder, also when there is a file. Links are not followed, except at the key itself.
    fn list(&self, key: &str) -> Result<Option<Vec<Entry>>>;

    /// Everything below a folder that is not a folder, sorted by key, with the sizes of files. Links are told and not followed. A name
    /// that is not UTF-8 is an error that shows it, since it has no key. What disappears meanwhile is left out.
    fn walk(&self, key: &str) -> Result<Option<Vec<Found>>> {
        let Some(top) = self.list(key)? else { return Ok(None) };
        let mut found = Vec::new();
        let mut open = vec![(String::new(), top)];
        while let Some((above, entries)) = open.pop() {
            for entry in entries {
                let name = entry.name().map_err(|_| {
                    let shown = entry.os_name.to_string_lossy();
                    let place = key::join(key, &key::join(&above, &shown));
                    key::invalid(&self.location(&place), key::NOT_UTF8)
                })?;
                let below = key::join(&above, name);
                let full = key::join(key, &below);
                match (entry.kind, entry.bytes) {
                    (Kind::Folder, _) => open.extend(self.list(&full)?.map(|entries| (below, entries))),
                    (Kind::File, None) => found.extend(self.stat(&full)?.map(|stat| Found {
                        key: below,
                        kind: stat.kind,
                        bytes: stat.bytes,
                    })),
                    (kind, bytes) => found.push(Found {
                        key: below,
                        kind,
                        bytes: bytes.unwrap_or(0),
                    }),
                }
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Some(found))
    }

    /// Writes a document: a file that appears with the bytes of `parts`, one after the other, whole or not at all, in place of what
    /// was there. Of several who replace one file at the same time each succeeds, and one of their contents is there, whole. On a
    /// failure the file is as it was.
    fn write_whole(&self, key: &str, parts: &[&[u8]]) -> Result<()>;

    /// Writes a document as [`write_whole`](Self::write_whole) does where there is nothing yet. Something there, of whatever kind, is
    /// [`StoreError::AlreadyExists`], and the call that creates decides: of several at the same time, one succeeds.
    fn create(&self, key: &str, parts: &[&[u8]]) -> Result<()>;

    /// Writes a document as [`write_whole`](Self::write_whole) does if it still is what the caller has `seen` (`None`: not there).
    /// `false` when it is not: read again, merge, try again. Of several who have seen the same, one succeeds; those who use other
    /// calls to write the file are not kept away.
    fn write_if_unchanged(&self, key: &str, seen: Option<&[u8]>, parts: &[&[u8]]) -> Result<bool>;

    /// Writes a file of pixels, the quick way: no temporary file, so a kill or a failure may leave it torn, but where
    /// [documents come last](Publishing::DocumentLast): there it appears whole or not at all. For files that something else vouches for,
    /// and that have one writer.
    fn write(&self, key: &str, parts: &[&[u8]]) -> Result<()>;

    /// Writes a document with the bytes of `start` as [`write_whole`](Self::write_whole) does, and goes on adding to it. A capability:
    /// [`StoreError::NotSupported`] where files cannot grow.
    fn appender(&self, key: &str, start: &[&[u8]]) -> Result<Box<dyn Append>>;

    /// Copies a file as [`write_whole`](Self::write_whole) writes it; stores that can copy without moving bytes do so. A file that is not
    /// there is an error.
    fn copy(&self, from: &str, to: &str) -> Result<()> {
        key::check_below_root(to)?;
        let failed = StoreError::io("copy", self.location(from));
        match self.read(from)? {
            Some(bytes) => self.write_whole(to, &[&bytes]),
            None => Err(failed(io::ErrorKind::NotFound.into())),
        }
    }

    /// Makes a folder and those above it; one that is there is fine. Nothing on stores without folders.
    fn create_folder(&self, key: &str) -> Result<()>;

    /// Waits until a file or folder that is there survives a loss of power: its bytes, its name, and the folders above it. Not what is in a
    /// folder. Nothing on stores where what is written is durable.
    fn sync(&self, key: &str) -> Result<()>;

    /// Waits as [`sync`](Self::sync) does, for everything below a folder as well.
    fn sync_tree(&self, key: &str) -> Result<()>;

    /// Removes a file, a link, or whatever else is not a folder. Nothing there is fine; a folder is an error, or fine where there are none.
    fn remove(&self, key: &str) -> Result<()>;

    /// Removes a folder if nothing is in it; says whether it is gone now.
    fn remove_empty_folder(&self, key: &str) -> Result<bool>;

    /// Removes a file, or a folder with all in it. Links are removed and never followed. Nothing there is fine.
    fn remove_all(&self, key: &str) -> Result<()>;

    /// Takes the lock called `key`; `None` while another thread or process holds it. It is let go of when it is dropped, or its process
    /// ends, and leaves nothing. A capability: where [`Publishing`] is by document a store may answer [`StoreError::NotSupported`],
    /// and who needs one writer claims with [`create`](Self::create).
    fn lock(&self, key: &str) -> Result<Option<Lock>>;

    /// Waits for the lock. `stop` is asked again and again, at least every fifth of a second; `None` once it says so.
    fn lock_when_free(&self, key: &str, stop: &dyn Fn() -> bool) -> Result<Option<Lock>> {
        let mut wait = Duration::from_millis(1);
        loop {
            if let Some(lock) = self.lock(key)? {
                return Ok(Some(lock));
            }
            if stop() {
                return Ok(None);
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(200));
        }
    }

    /// How a thing of many files appears at once.
    fn publishing(&self) -> Publishing;

    /// Moves a finished folder, or file, to its key in one step. Gives the key where the thing that it replaced is now, for the caller to
    /// remove; that may be one that an earlier, killed call replaced. Something there without `replace` is [`StoreError::AlreadyExists`],
    /// and the call that moves decides. On a failure everything is where it was. Readers see the old thing or the new one at any
    /// moment where the system can exchange two names; elsewhere there is nothing for a moment.
    /// [`StoreError::NotSupported`] where [`Publishing`] is by document.
    fn publish(&self, from: &str, to: &str, replace: bool) -> Result<Option<String>>;
}
