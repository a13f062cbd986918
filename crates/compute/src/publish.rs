//! All or nothing: an image is built beside its path under a hidden name and appears there in one step, complete.

use std::cell::Cell;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use ome_zarr_convert_ngff::{ImageMetadata, list_tables};
use serde::{Deserialize, Serialize};

use crate::error::ComputeError;

/// Name of the mark inside a finished image: a hidden file that readers of OME-Zarr pass over.
const MARK: &str = ".ome-zarr-convert.json";
const LOCK: &str = ".lock";

/// What a finished image says about its conversion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Hash of the image's document, the options, and size and time of every source file.
    pub fingerprint: String,
    /// Number of files of pixels per level, so that one that goes missing is noticed.
    #[serde(default)]
    pub files: Vec<u64>,
    /// Whatever the caller of the conversion wanted to find again.
    pub note: serde_json::Value,
}

impl Mark {
    /// The mark of the image at `path`, if it has one that can be read.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path.join(MARK)).ok()?).ok()
    }
}

/// A folder in which an image is built; locked against other processes.
pub(crate) struct Staging {
    dir: PathBuf,
    target: PathBuf,
    /// Held while the folder is ours.
    _lock: File,
    /// What becomes of the folder when it is let go of.
    fate: Cell<Fate>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is removed, so that a failure leaves nothing behind.
    Removed,
    /// It stays, so that the next run goes on with it.
    Kept,
    /// It has become the image.
    Published,
}

impl Staging {
    /// Makes the folder beside `target`, or takes the one that an earlier run left. Fails when another process has it.
    pub(crate) fn begin(target: &Path) -> Result<Self, ComputeError> {
        let dir = beside(target, "partial");
        loop {
            fs::create_dir_all(&dir).map_err(ComputeError::io("create", &dir))?;
            let path = dir.join(LOCK);
            let lock = match File::options().create(true).truncate(false).write(true).open(&path) {
                // Its folder became an image, or was cleared away, since it was made.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                other => other.map_err(ComputeError::io("create", &path))?,
            };
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(ComputeError::Busy {
                        path: target.to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(ComputeError::Io {
                        action: "lock",
                        path,
                        source,
                    });
                }
            }
            if !is_at(&lock, &path) {
                continue;
            }
            return Ok(Self {
                dir,
                target: target.to_owned(),
                _lock: lock,
                fate: Cell::new(Fate::Removed),
            });
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes everything but the lock.
    pub(crate) fn clear(&self) -> Result<(), ComputeError> {
        clear(&self.dir)
    }

    /// Leaves the folder for the next run.
    pub(crate) fn keep(&self) {
        self.fate.set(Fate::Kept);
    }

    /// Moves the finished image to its path. What was there (only allowed with `replace`) is set aside until then and removed after.
    pub(crate) fn publish(self, mark: &Mark, replace: bool) -> Result<(), ComputeError> {
        let mark_path = self.dir.join(MARK);
        let text = serde_json::to_vec_pretty(mark).unwrap_or_default();
        let mut file = File::create(&mark_path).map_err(ComputeError::io("create", &mark_path))?;
        std::io::Write::write_all(&mut file, &text).map_err(ComputeError::io("write", &mark_path))?;
        if cfg!(not(unix)) {
            remove_lock(&self.dir)?;
        }
        if self.target.exists() && !replace {
            return Err(ComputeError::OutputExists {
                path: self.target.clone(),
            });
        }
        // The old image may come to lie where images are built: its lock keeps others out until it is gone.
        let _old_lock = if cfg!(unix) && self.target.exists() {
            Some(lock_for_removal(&self.target)?)
        } else {
            None
        };
        let old = move_into_place(&self.dir, &self.target).inspect_err(|_| {
            // The old image stays, and the error is the one to tell.
            let _ = remove_lock(&self.target);
        })?;
        self.fate.set(Fate::Published);
        if cfg!(unix) {
            // The image is complete: a lock file left in it would do no harm.
            let _ = remove_lock(&self.target);
        }
        let ledger = self.target.join(crate::ledger::NAME);
        // As harmless as the lock.
        let _ = fs::remove_file(&ledger);
        if let Some(old) = old {
            remove_locked(&old)?;
        }
        Ok(())
    }
}

/// Moves a finished folder to its path in one step; gives where the image that was there is now. Where the system can exchange two
/// folders, readers see the old image or the new one at any moment.
fn move_into_place(from: &Path, target: &Path) -> Result<Option<PathBuf>, ComputeError> {
    let failed = |source: std::io::Error| ComputeError::Io {
        action: "move the finished image to",
        path: target.to_owned(),
        source,
    };
    if !target.exists() {
        fs::rename(from, target).map_err(failed)?;
        return Ok(None);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, from, CWD, target, RenameFlags::EXCHANGE).is_ok() {
            return Ok(Some(from.to_owned()));
        }
    }
    let old = beside(target, "replaced");
    if old.exists() {
        fs::remove_dir_all(&old).map_err(ComputeError::io("remove", &old))?;
    }
    fs::rename(target, &old).map_err(ComputeError::io("move", target))?;
    if let Err(source) = fs::rename(from, target) {
        // Back to how it was; if that fails too, the first error is the one to tell.
        let _ = fs::rename(&old, target);
        return Err(failed(source));
    }
    Ok(Some(old))
}

impl Drop for Staging {
    /// Removes the folder after a failure that running again would not mend, so that nothing is left behind.
    fn drop(&mut self) {
        if self.fate.get() == Fate::Removed {
            // The error that led here is the one to tell.
            let _ = remove_locked(&self.dir);
        }
    }
}

/// Locks an image that is to be removed, as [`Staging::begin`] locks the folder of a new one.
fn lock_for_removal(dir: &Path) -> Result<File, ComputeError> {
    let path = dir.join(LOCK);
    let lock = File::create(&path).map_err(ComputeError::io("create", &path))?;
    lock.lock().map_err(ComputeError::io("lock", &path))?;
    Ok(lock)
}

/// Removes a folder. Its lock goes last, and then only an empty folder, so that nobody builds in what is being removed: who finds no
/// lock makes one.
fn remove_locked(dir: &Path) -> Result<(), ComputeError> {
    clear(dir)?;
    if dir.join(LOCK).exists() {
        remove_lock(dir)?;
    }
    match fs::remove_dir(dir) {
        // Somebody builds in it already.
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other.map_err(ComputeError::io("remove", dir)),
    }
}

/// Removes the lock from the image: where the system allows it once the image is in place, since somebody who finds the folder
/// without its lock takes it for abandoned and clears it.
fn remove_lock(dir: &Path) -> Result<(), ComputeError> {
    let path = dir.join(LOCK);
    fs::remove_file(&path).map_err(ComputeError::io("remove", &path))
}

/// `.{name}.{what}` beside a path.
fn beside(target: &Path, what: &str) -> PathBuf {
    let name = target
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    target.with_file_name(format!(".{name}.{what}"))
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere a folder with an open file in it cannot be moved or removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Removes everything but the lock.
fn clear(dir: &Path) -> Result<(), ComputeError> {
    for entry in fs::read_dir(dir).map_err(ComputeError::io("read", dir))? {
        let path = entry.map_err(ComputeError::io("read", dir))?.path();
        if path.file_name().is_some_and(|name| name == LOCK) {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(ComputeError::io("remove", &path))?;
    }
    Ok(())
}

/// Whether an image at `path` is complete, whoever wrote it: metadata, the arrays of all levels, and the tables that the
/// reference writes last (a chunk alone may be absent because it is empty).
pub(crate) fn is_complete(path: &Path, has_conditions: bool) -> bool {
    if Mark::read(path).is_some() {
        return true;
    }
    let Ok((metadata, _)) = ImageMetadata::read(path) else {
        return false;
    };
    let array = |level: &ome_zarr_convert_ngff::Level| {
        let dir = path.join(&level.path);
        dir.join(".zarray").is_file() || dir.join("zarr.json").is_file()
    };
    if metadata.levels.is_empty() || !metadata.levels.iter().all(array) {
        return false;
    }
    let last = if has_conditions {
        "condition_table"
    } else {
        "well_ROI_table"
    };
    list_tables(path).is_ok_and(|tables| tables.iter().any(|table| table.name == last))
}
