//! Files that appear whole: written as `.{name}.partial` beside their place, by one at a time, and then moved there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::claim::{self, WithoutLocks};
use super::{publish, read};

/// How long another may take for a document. It takes milliseconds, unless its process was stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a file in place of what is there; gives it, open at its end.
pub(super) fn replace(target: &Path, parts: &[&[u8]], durable: bool) -> io::Result<File> {
    let mut lost = 0;
    loop {
        let mut temporary = Temporary::of(target)?;
        temporary.fill(parts, durable)?;
        match temporary.replace(target) {
            // Without locks, or when the folder is removed, another may take the temporary file away.
            Err(error) if error.kind() == ErrorKind::NotFound && lost < 5 => lost += 1,
            placed => return placed,
        }
    }
}

/// Puts a file where nothing is; `false` when something is there.
pub(super) fn create(target: &Path, parts: &[&[u8]], durable: bool) -> io::Result<bool> {
    if read::found(fs::symlink_metadata(target))?.is_some() {
        return Ok(false);
    }
    let mut temporary = Temporary::of(target)?;
    temporary.fill(parts, durable)?;
    temporary.create(target)
}

/// Puts a file in place of one with the content `seen`; `false` when the content is another.
pub(super) fn replace_if(target: &Path, seen: Option<&[u8]>, parts: &[&[u8]], durable: bool) -> io::Result<bool> {
    // All who replace the file hold its temporary file meanwhile.
    let mut temporary = Temporary::of(target)?;
    if read::whole(target)?.as_deref() != seen {
        return Ok(false);
    }
    temporary.fill(parts, durable)?;
    match seen {
        None => temporary.create(target),
        Some(_) => temporary.replace(target).map(|_| true),
    }
}

/// Writes several pieces as one, in as few calls as the system allows.
pub(super) fn write_parts(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    if let [part] = parts {
        return file.write_all(part);
    }
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = &mut slices[..];
    // Empty pieces are passed over: a call with nothing else would write nothing.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(bytes) => IoSlice::advance_slices(&mut left, bytes),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The temporary file of a place, held; removed again unless it is moved there.
struct Temporary {
    /// `None` once it is in its place.
    file: Option<File>,
    path: PathBuf,
}

impl Temporary {
    /// Makes the temporary file of a place, or takes the one that a kill left; waits while another holds it.
    fn of(target: &Path) -> io::Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".partial");
        let path = target.with_file_name(name);
        let begin = Instant::now();
        let mut wait = Duration::from_micros(200);
        loop {
            match claim::claim(&path, WithoutLocks::GoesOn)? {
                Some(file) if is_only_here(&file)? => return Ok(Self { file: Some(file), path }),
                // A kill left it as a second name of the file that it became: that one must not be written into.
                Some(_) => drop(read::found(fs::remove_file(&path))?),
                None if begin.elapsed() > PATIENCE => {
                    let text = format!(
                        "another process has been writing it for more than {} s and holds {}",
                        PATIENCE.as_secs(),
                        path.display()
                    );
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
                None => {
                    std::thread::sleep(wait);
                    wait = (wait * 2).min(Duration::from_millis(20));
                }
            }
        }
    }

    fn fill(&mut self, parts: &[&[u8]], durable: bool) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if file.metadata()?.len() > 0 {
            file.set_len(0)?;
        }
        write_parts(file, parts)?;
        if durable { file.sync_all() } else { Ok(()) }
    }

    fn replace(mut self, target: &Path) -> io::Result<File> {
        fs::rename(&self.path, target)?;
        self.file.take().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn create(mut self, target: &Path) -> io::Result<bool> {
        let placed = publish::place_file(&self.path, target)?;
        if placed {
            self.file = None;
        }
        Ok(placed)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn is_only_here(file: &File) -> io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) == 1)
}

#[cfg(windows)]
fn is_only_here(_: &File) -> io::Result<bool> {
    Ok(true)
}
