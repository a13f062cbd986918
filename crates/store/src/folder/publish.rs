//! Moving a finished thing to its place in one step.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::{claim, read, remove_tree};

/// What became of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// The thing is in its place; what was there, if anything, is at the name for what was replaced.
    There,
    /// The thing is in its place, and what was there is where the thing was.
    Exchanged,
    /// Something is in the way: nothing moved.
    Not,
}

/// Moves a thing where nothing is. The call that moves decides where the system can; elsewhere a folder that is empty may be taken for
/// nothing.
pub(super) fn place(from: &Path, to: &Path) -> io::Result<Moved> {
    let moved = claim::with_folder(to, || place_now(from, to))?;
    Ok(if moved { Moved::There } else { Moved::Not })
}

fn place_now(from: &Path, to: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(from)?.is_dir() {
        return place_file(from, to);
    }
    match rename_new(from, to)? {
        Some(moved) => Ok(moved),
        None => place_folder_by_rename(from, to),
    }
}

fn place_folder_by_rename(from: &Path, to: &Path) -> io::Result<bool> {
    if is_there(to)? {
        return Ok(false);
    }
    // A folder takes the place of an empty folder only.
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(_) if is_there(to)? => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_there(path: &Path) -> io::Result<bool> {
    Ok(read::found(fs::symlink_metadata(path))?.is_some())
}

/// Moves a file where nothing is; `false` when something is there.
pub(super) fn place_file(from: &Path, to: &Path) -> io::Result<bool> {
    match rename_new(from, to)? {
        Some(moved) => Ok(moved),
        None => place_file_by_link(from, to),
    }
}

fn place_file_by_link(from: &Path, to: &Path) -> io::Result<bool> {
    // Not on Windows, where a second name left by a kill would not be noticed.
    if cfg!(unix) {
        match fs::hard_link(from, to) {
            Ok(()) => {
                // It is in its place; a second name that stays is noticed by the next write.
                let _ = fs::remove_file(from);
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            // This file system has no second names; if it is something else, the next call says so.
            Err(_) => {}
        }
    }
    place_file_by_rename(from, to)
}

/// Takes the name with an empty file first, which a kill leaves.
fn place_file_by_rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::File::create_new(to) {
        Ok(_) => fs::rename(from, to).map(|()| true).inspect_err(|_| {
            let _ = fs::remove_file(to);
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves a thing in place of what is there, if anything is. `old` is where that goes if the two cannot be exchanged.
pub(super) fn replace(from: &Path, to: &Path, old: &Path) -> io::Result<Moved> {
    /// What is at `to` would have to come and go each time.
    const TRIES: usize = 10;
    for _ in 0..TRIES {
        match exchange(from, to) {
            Some(Ok(())) => return Ok(Moved::Exchanged),
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => return Err(error),
            // One of the two is not there; below it turns out which.
            Some(Err(_)) => {}
            None if is_there(to)? => return replace_in_two(from, to, old).map(|()| Moved::There),
            None => {}
        }
        if place(from, to)? == Moved::There {
            return Ok(Moved::There);
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

/// Moves what is there aside, and the new thing in; on a failure back.
fn replace_in_two(from: &Path, to: &Path, old: &Path) -> io::Result<()> {
    fs::symlink_metadata(from)?;
    remove_tree(old)?;
    fs::rename(to, old)?;
    fs::rename(from, to).inspect_err(|_| {
        // If that fails too, the first error is the one to tell.
        let _ = fs::rename(old, to);
    })
}

/// Renames where nothing is, by a call that decides; `None` where there is no such call for this file system.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_new(from: &Path, to: &Path) -> io::Result<Option<bool>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
        Ok(()) => Ok(Some(true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Some(false)),
        Err(error) if is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Exchanges two names; `None` where there is no such call for this file system.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(from: &Path, to: &Path) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).map_err(io::Error::from) {
        Err(error) if is_unknown(&error) => None,
        exchanged => Some(exchanged),
    }
}

/// Whether a system or a sandbox says that it does not know a call: if it means something else, the plain call says so again.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn is_unknown(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::InvalidInput,
        ErrorKind::Unsupported,
        ErrorKind::PermissionDenied,
    ];
    kinds.contains(&error.kind())
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_new(_: &Path, _: &Path) -> io::Result<Option<bool>> {
    Ok(None)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one file of that content.
    fn make(folder: &Path, content: &str) {
        fs::create_dir(folder).unwrap();
        write(&folder.join("doc"), content);
    }

    fn write(path: &Path, content: &str) {
        io::Write::write_all(&mut fs::File::create(path).unwrap(), content.as_bytes()).unwrap();
    }

    fn content(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn without_an_exchange_a_thing_is_replaced_in_two_steps() {
        let dir = tempfile::tempdir().unwrap();
        let [from, to, old] = ["from", "to", "old"].map(|name| dir.path().join(name));
        make(&from, "new");
        make(&to, "old");
        // What a kill left of an earlier one.
        make(&old, "older");
        replace_in_two(&from, &to, &old).unwrap();
        assert_eq!(
            (content(&to.join("doc")), content(&old.join("doc"))),
            ("new".to_owned(), "old".to_owned())
        );
        assert!(!from.exists());
        let error = replace_in_two(&from, &to, &old).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            content(&to.join("doc")),
            "new",
            "it stays when there is nothing to replace it"
        );
        assert_eq!(content(&old.join("doc")), "old");
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_moved_in_is_moved_back() {
        let dir = tempfile::tempdir().unwrap();
        let [to, old] = ["to", "old"].map(|name| dir.path().join(name));
        make(&to, "old");
        // A folder cannot become a part of itself.
        let error = replace_in_two(dir.path(), &to, &old).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(content(&to.join("doc")), "old");
        assert!(!old.exists());
    }

    #[test]
    fn without_a_call_that_decides_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| dir.path().join(name));
        make(&from, "new");
        assert!(place_folder_by_rename(&from, &to).unwrap());
        assert_eq!(content(&to.join("doc")), "new");
        make(&from, "newer");
        assert!(!place_folder_by_rename(&from, &to).unwrap());
        assert_eq!(
            (content(&to.join("doc")), content(&from.join("doc"))),
            ("new".to_owned(), "newer".to_owned())
        );
        let below_a_file = to.join("doc/x");
        assert!(place_folder_by_rename(&from, &below_a_file).is_err());

        type Way = fn(&Path, &Path) -> io::Result<bool>;
        let ways: [Way; 3] = [place_file, place_file_by_link, place_file_by_rename];
        for way in ways {
            let [from, to] = ["a file", "another"].map(|name| dir.path().join(name));
            write(&from, "1");
            assert!(way(&from, &to).unwrap());
            write(&from, "2");
            assert!(!way(&from, &to).unwrap());
            assert_eq!((content(&to), content(&from)), ("1".to_owned(), "2".to_owned()));
            fs::remove_file(&to).unwrap();
            fs::remove_file(&from).unwrap();
            assert!(way(&from, &to).is_err());
            assert!(!to.exists(), "a failure leaves nothing");
        }
    }
}
