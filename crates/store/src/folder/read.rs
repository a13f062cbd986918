//! Reading from a folder: what is there, and bytes of files.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::Path;

use crate::error::{Result, StoreError};
use crate::handle::ReadAt;
use crate::stat::{Entry, Kind, Stat};

/// Tells "not there" from "cannot tell". That a file is on the way to it says that it is not there, too.
pub(super) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn kind_of(file_type: fs::FileType) -> Kind {
    if file_type.is_symlink() {
        Kind::Link
    } else if file_type.is_dir() {
        Kind::Folder
    } else if file_type.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

pub(super) fn stat(path: &Path) -> io::Result<Option<Stat>> {
    let Some(own) = found(fs::symlink_metadata(path))? else {
        return Ok(None);
    };
    let link = own.is_symlink();
    let there = if link {
        found(fs::metadata(path))?.unwrap_or(own)
    } else {
        own
    };
    let kind = kind_of(there.file_type());
    Ok(Some(Stat {
        kind,
        link,
        bytes: if kind == Kind::File { there.len() } else { 0 },
        modified: there.modified().ok(),
    }))
}

/// Opens a file, and nothing else: opening a pipe waits for its writer, and a device may do anything.
pub(super) fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    let Some(there) = found(fs::metadata(path))? else {
        return Ok(None);
    };
    check_file(&there)?;
    Ok(found(File::open(path))?.map(|file| (file, there.len())))
}

/// Refuses what is not a file.
pub(super) fn check_file(there: &Metadata) -> io::Result<()> {
    match kind_of(there.file_type()) {
        Kind::File => Ok(()),
        Kind::Folder => Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file")),
        Kind::Link => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a symbolic link, not a file",
        )),
        Kind::Other => {
            let text = "it is a pipe, a socket or a device, not a file";
            Err(io::Error::new(ErrorKind::InvalidInput, text))
        }
    }
}

pub(super) fn whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some((mut file, bytes)) = open(path)? else {
        return Ok(None);
    };
    let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    file.read_to_end(&mut content)?;
    Ok(Some(content))
}

pub(super) fn range(path: &Path, range: Range<u64>) -> io::Result<Option<Vec<u8>>> {
    let Some((file, bytes)) = open(path)? else {
        return Ok(None);
    };
    let wanted = range.end.min(bytes).saturating_sub(range.start);
    let mut content = vec![0; usize::try_from(wanted).map_err(|_| ErrorKind::FileTooLarge)?];
    let got = fill(&file, range.start, &mut content)?;
    content.truncate(got);
    Ok(Some(content))
}

/// What is in a folder, sorted; sizes would cost a call each.
pub(super) fn list(path: &Path) -> io::Result<Option<Vec<Entry>>> {
    let Some(folder) = found(fs::read_dir(path))? else {
        return Ok(None);
    };
    let mut entries = Vec::new();
    for entry in folder {
        let entry = entry?;
        // Some file systems are asked once more for the kind, and it may be gone by then.
        if let Some(file_type) = found(entry.file_type())? {
            entries.push(Entry {
                os_name: entry.file_name(),
                kind: kind_of(file_type),
                bytes: None,
            });
        }
    }
    entries.sort_by(|a, b| a.os_name.cmp(&b.os_name));
    Ok(Some(entries))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match read_some(file, offset + filled as u64, &mut into[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_some(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

/// An open file that is read by position.
#[derive(Debug)]
pub(super) struct PositionedFile {
    file: File,
    bytes: u64,
    location: String,
}

impl PositionedFile {
    pub(super) fn boxed(file: File, bytes: u64, location: String) -> Box<dyn ReadAt> {
        Box::new(Self { file, bytes, location })
    }
}

impl ReadAt for PositionedFile {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn location(&self) -> &str {
        &self.location
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize> {
        fill(&self.file, offset, into).map_err(|error| StoreError::io("read", &*self.location)(error))
    }
}
