//! Files of our own: opened without following links or waiting on pipes, and held by one thread of one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::read;

/// Calls `open`, and makes the folder of the path only if it turns out to be missing.
pub(super) fn with_folder<T>(path: &Path, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            open()
        }
        opened => opened,
    }
}

/// Opens a file of pixels for writing, new or emptied, in one call: looking first, or asking for a new file, would cost a
/// request more on one network file system or another. What turns out not to be a file is refused.
pub(super) fn open_quickly(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    match files_only(&mut options).open(path).and_then(|mut file| {
        // Pipes that are being read were opened, but have no position. This asks the kernel only.
        io::Seek::stream_position(&mut file)?;
        Ok(file)
    }) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            // Says it better than the system does, if that is what is wrong.
            if let Ok(there) = fs::symlink_metadata(path) {
                read::check_file(&there)?;
            }
            Err(error)
        }
        opened => opened,
    }
}

/// Keeps a link from being followed, and a pipe from being waited for.
fn files_only(options: &mut OpenOptions) -> &OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    }
    options
}

/// Opens a file for writing, new or as it is. What is there is looked at before it is opened, and refused when it is not a file.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    /// More would mean that the system contradicts itself.
    const TRIES: usize = 100;
    let mut last = ErrorKind::AlreadyExists.into();
    for _ in 0..TRIES {
        match options.write(true).create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
            opened => return opened,
        }
        let Some(there) = read::found(fs::symlink_metadata(path))? else {
            continue;
        };
        read::check_file(&there)?;
        // Between the look and the call it may have become something else.
        match files_only(options.clone().create_new(false)).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => last = error,
            opened => return opened,
        }
    }
    Err(last)
}

/// What a claim is where the file system has no locks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutLocks {
    /// An error.
    Fails,
    /// Given, to everybody.
    GoesOn,
}

/// Makes or takes the file at a path and holds it; `None` while another thread or process does. A file that a killed holder left is
/// taken as it is.
#[cfg(unix)]
pub(super) fn claim(path: &Path, without: WithoutLocks) -> io::Result<Option<File>> {
    loop {
        let file = with_folder(path, || open(path, &mut File::options()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Err(fs::TryLockError::Error(error)) => {
                if without == WithoutLocks::Fails || !has_no_locks(&error) {
                    return Err(error);
                }
            }
        }
        // Who held it before has removed or renamed it: another may hold its successor.
        if is_at(&file, path)? {
            return Ok(Some(file));
        }
    }
}

/// On Windows an open file can keep others from opening it, and be renamed and removed all the same.
#[cfg(windows)]
pub(super) fn claim(path: &Path, _: WithoutLocks) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;
    const SHARE_DELETE: u32 = 4;
    const SHARING_VIOLATION: i32 = 32;
    let claimed = with_folder(path, || open(path, File::options().share_mode(SHARE_DELETE)));
    match claimed {
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
        claimed => claimed.map(Some),
    }
}

/// Removes a file that is held, and lets go of it.
pub(super) fn let_go(file: &File, path: &Path) {
    // While it is still held: whoever opened it meanwhile finds that it is gone, and makes another. A failure leaves a file that
    // the next holder takes over.
    if is_at(file, path).unwrap_or(false) {
        let _ = fs::remove_file(path);
    }
    let _ = file.unlock();
}

#[cfg(unix)]
fn has_no_locks(error: &io::Error) -> bool {
    let code = rustix::io::Errno::from_io_error(error);
    error.kind() == ErrorKind::Unsupported || code == Some(rustix::io::Errno::NOLCK)
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let held = file.metadata()?;
    let there = read::found(fs::symlink_metadata(path))?;
    Ok(there.is_some_and(|there| (held.dev(), held.ino()) == (there.dev(), there.ino())))
}

#[cfg(windows)]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
