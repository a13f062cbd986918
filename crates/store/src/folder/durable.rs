//! Waiting until what was written survives a loss of power.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Waits for a file, or for the names in a folder. Whatever else is there has nothing to wait for.
pub(super) fn sync_one(path: &Path) -> io::Result<()> {
    let there = fs::symlink_metadata(path)?;
    if there.is_dir() {
        sync_folder(path)
    } else if there.is_file() {
        // Windows wants to be allowed to write before it flushes.
        File::options().read(true).write(cfg!(windows)).open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// Waits for everything below a path, and itself.
pub(super) fn sync_tree(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                sync_tree(&path)?
            } else {
                sync_one(&path)?
            }
        }
    }
    sync_one(path)
}

/// Waits for the names of the folders above a path. Up to `root` that must work; of those above, which may have been made for it, it is
/// done where we may.
pub(super) fn sync_above(root: &Path, path: &Path) -> io::Result<()> {
    for folder in path.ancestors().skip(1) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        match sync_folder(folder) {
            Err(error) if folder.starts_with(root) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened, and keep their names without being asked.
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        // The file system does not know this of folders.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}
