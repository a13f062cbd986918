//! All or nothing: an image is built beside its path under a hidden name and appears there in one step, complete.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use ome_zarr_convert_ngff::{ImageMetadata, list_tables};
use serde::{Deserialize, Serialize};

use crate::error::ComputeError;
use crate::plan::ImagePlan;

/// Name of the mark inside a finished image: a hidden file that readers of OME-Zarr pass over.
const MARK: &str = ".ome-zarr-convert.json";

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

/// A folder in which an image is built. A lock beside it keeps other processes away, from the first look at the output until what
/// it replaced is removed.
pub(crate) struct Staging {
    dir: PathBuf,
    target: PathBuf,
    /// Held while the image is ours to build.
    lock: File,
    lock_path: PathBuf,
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
        let (dir, lock_path) = (beside(target, "partial"), beside(target, "lock"));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(ComputeError::io("create", folder))?;
        }
        loop {
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock_path);
            let lock = lock.map_err(ComputeError::io("create", &lock_path))?;
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
                        path: lock_path,
                        source,
                    });
                }
            }
            // Who held it before has removed the file: another may hold its successor.
            if !is_at(&lock, &lock_path) {
                continue;
            }
            let target = target.to_owned();
            let staging = Self {
                dir,
                target,
                lock,
                lock_path,
                fate: Cell::new(Fate::Removed),
            };
            fs::create_dir_all(&staging.dir).map_err(ComputeError::io("create", &staging.dir))?;
            return Ok(staging);
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes everything in the folder.
    pub(crate) fn clear(&self) -> Result<(), ComputeError> {
        fs::remove_dir_all(&self.dir).map_err(ComputeError::io("remove", &self.dir))?;
        fs::create_dir(&self.dir).map_err(ComputeError::io("create", &self.dir))
    }

    /// Removes what an earlier run left besides chunks and the ledger: it is written anew, and may be torn.
    pub(crate) fn clear_all_but_chunks(&self, plan: &ImagePlan) -> Result<(), ComputeError> {
        let kept = |name: &OsStr| name == crate::ledger::NAME || plan.levels.iter().any(|level| *level.name == *name);
        remove_from(&self.dir, |name, _| !kept(name))?;
        // Chunks lie in folders, what describes an array does not.
        let levels = plan.levels.iter().map(|level| self.dir.join(&level.name));
        levels
            .filter(|level| level.is_dir())
            .try_for_each(|level| remove_from(&level, |_, is_dir| !is_dir))
    }

    /// Leaves the folder for the next run.
    pub(crate) fn keep(&self) {
        self.fate.set(Fate::Kept);
    }

    /// Moves the finished image to its path. What was there (only allowed with `replace`) is removed after. With `durable`, every file and
    /// folder of the image is on disk before it appears, and so is its name before what it replaced goes.
    pub(crate) fn publish(self, mark: &Mark, replace: bool, durable: bool) -> Result<(), ComputeError> {
        let mark_path = self.dir.join(MARK);
        let text = serde_json::to_vec_pretty(mark).unwrap_or_default();
        let mut file = File::create(&mark_path).map_err(ComputeError::io("create", &mark_path))?;
        std::io::Write::write_all(&mut file, &text).map_err(ComputeError::io("write", &mark_path))?;
        if self.target.exists() && !replace {
            return Err(ComputeError::OutputExists {
                path: self.target.clone(),
            });
        }
        if durable {
            sync_tree(&self.dir)?;
        }
        let old = move_into_place(&self.dir, &self.target)?;
        self.fate.set(Fate::Published);
        if durable && let Some(folder) = self.target.parent() {
            sync(folder)?;
        }
        // The image is complete: a ledger left in it would do no harm.
        let _ = fs::remove_file(self.target.join(crate::ledger::NAME));
        if let Some(old) = old {
            fs::remove_dir_all(&old).map_err(ComputeError::io("remove", &old))?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    /// Removes the folder after a failure that running again would not mend, so that nothing is left behind, and the lock.
    fn drop(&mut self) {
        // The error that led here is the one to tell.
        if self.fate.get() == Fate::Removed {
            let _ = fs::remove_dir_all(&self.dir);
        }
        // While it is still held: whoever opened it meanwhile finds that it is gone, and makes another.
        let _ = fs::remove_file(&self.lock_path);
        let _ = self.lock.unlock();
    }
}

/// Removes the entries of a folder that are chosen by name and by whether they are folders.
fn remove_from(folder: &Path, chosen: impl Fn(&OsStr, bool) -> bool) -> Result<(), ComputeError> {
    for entry in fs::read_dir(folder).map_err(ComputeError::io("read", folder))? {
        let entry = entry.map_err(ComputeError::io("read", folder))?;
        let path = entry.path();
        let is_dir = entry.file_type().map_err(ComputeError::io("look at", &path))?.is_dir();
        if !chosen(&entry.file_name(), is_dir) {
            continue;
        }
        let removed = if is_dir {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(ComputeError::io("remove", &path))?;
    }
    Ok(())
}

/// Waits until everything below a folder, and the folder itself, is on disk.
fn sync_tree(folder: &Path) -> Result<(), ComputeError> {
    for entry in fs::read_dir(folder).map_err(ComputeError::io("read", folder))? {
        let path = entry.map_err(ComputeError::io("read", folder))?.path();
        if path.is_dir() { sync_tree(&path)? } else { sync(&path)? }
    }
    sync(folder)
}

/// Waits until a file is on disk, or the names in a folder are.
fn sync(path: &Path) -> Result<(), ComputeError> {
    // Elsewhere folders cannot be opened, and keep their names without being asked.
    if cfg!(not(unix)) && path.is_dir() {
        return Ok(());
    }
    let file = File::open(path).map_err(ComputeError::io("open", path))?;
    file.sync_all().map_err(ComputeError::io("write", path))
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

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Whether an interrupted conversion of the image at `target` left something that the next one goes on with.
pub fn is_unfinished(target: &Path) -> bool {
    beside(target, "partial").exists()
}

/// Whether what lies at `path` may be removed for an image: a zarr of any kind, or a folder without files.
pub(crate) fn may_be_replaced(path: &Path) -> bool {
    [".zgroup", ".zattrs", ".zarray", "zarr.json"]
        .iter()
        .any(|name| path.join(name).is_file())
        || holds_no_file(path)
}

fn holds_no_file(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.path().is_dir() && holds_no_file(&entry.path())))
    })
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
