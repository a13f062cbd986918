//! A file that is read at positions, by many threads at once: the only place that touches the file system.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::SourceError;

/// An open file with its name, for error texts, and its length, against which headers are held.
#[derive(Debug)]
pub(crate) struct SourceFile {
    path: PathBuf,
    length: u64,
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
}

impl SourceFile {
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let io = |source| SourceError::from_io(path.into(), source);
        // Asked before it is opened: opening a pipe would wait for a writer.
        Self::check_kind(path, std::fs::metadata(path).map_err(io)?.file_type())?;
        let file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        Self::check_kind(path, metadata.file_type())?;
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self {
            path: path.into(),
            length: metadata.len(),
            file,
        })
    }

    /// An error for anything that is not a regular file.
    pub(crate) fn check_kind(path: &Path, kind: std::fs::FileType) -> Result<(), SourceError> {
        if kind.is_file() {
            return Ok(());
        }
        if kind.is_dir() {
            return Err(SourceError::from_io(path.into(), io::ErrorKind::IsADirectory.into()));
        }
        #[cfg(unix)]
        let what = {
            use std::os::unix::fs::FileTypeExt;
            match kind {
                kind if kind.is_fifo() => "a pipe",
                kind if kind.is_socket() => "a socket",
                _ => "a device",
            }
        };
        #[cfg(not(unix))]
        let what = "a device";
        Err(SourceError::NotAFile {
            path: path.into(),
            what,
        })
    }

    /// Whether there is a regular file at `path`; an error where that cannot be told.
    pub(crate) fn is_there(path: &Path) -> Result<bool, SourceError> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(SourceError::from_io(path.into(), source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `out` with the bytes from `offset` on. `what` is for the error text when the file is too short.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8], what: impl Fn() -> String) -> Result<(), SourceError> {
        self.require(offset, out.len() as u64, &what)?;
        self.read_exact_at(out, offset).map_err(|source| match source.kind() {
            // The file was longer when it was opened.
            io::ErrorKind::UnexpectedEof => self.truncated(what(), offset.saturating_add(out.len() as u64)),
            _ => SourceError::from_io(self.path.clone(), source),
        })
    }

    /// An error unless `length` bytes from `offset` on lie in the file.
    pub(crate) fn require(&self, offset: u64, length: u64, what: impl Fn() -> String) -> Result<(), SourceError> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(()),
            end => Err(self.truncated(what(), end.unwrap_or(u64::MAX))),
        }
    }

    /// Reads without a check of its own.
    #[cfg(unix)]
    pub(crate) fn read_exact_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    /// Reads without a check of its own.
    #[cfg(not(unix))]
    pub(crate) fn read_exact_at(&self, out: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }

    pub(crate) fn truncated(&self, what: String, needs: u64) -> SourceError {
        SourceError::Truncated {
            path: self.path.clone(),
            what,
            needs,
            has: self.length,
        }
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> SourceError {
        SourceError::Damaged {
            path: self.path.clone(),
            what: what.into(),
        }
    }

    pub(crate) fn unsupported(&self, what: impl Into<String>, hint: &'static str) -> SourceError {
        SourceError::Unsupported {
            path: self.path.clone(),
            what: what.into(),
            hint,
        }
    }

    pub(crate) fn undecodable(&self, place: impl Into<String>, reason: impl ToString) -> SourceError {
        SourceError::Decode {
            path: self.path.clone(),
            place: place.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn wrong_format(&self, expected: &'static str, head: &[u8]) -> SourceError {
        let hex: Vec<String> = head.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let known = match head {
            [0x89, b'P', b'N', b'G', ..] => " (PNG)",
            [0xff, 0xd8, ..] => " (JPEG)",
            [b'B', b'M', ..] => " (BMP)",
            [0x93, b'N', b'U', b'M', ..] => " (NPY)",
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => " (TIFF)",
            [b'P', b'K', ..] => " (ZIP)",
            [] => "nothing: it is empty",
            _ => "",
        };
        SourceError::WrongFormat {
            path: self.path.clone(),
            expected,
            found: format!("{}{known}", hex.join(" ")),
        }
    }

    /// The bytes of a packed image of `shape`, if a file of this length can hold it.
    ///
    /// `ratio` bounds how much decompression can enlarge the file: no allocation exceeds the file's size times it.
    pub(crate) fn image_bytes(&self, shape: &[u64], pixel_bytes: usize, ratio: u64) -> Result<usize, SourceError> {
        let bytes = shape.iter().try_fold(pixel_bytes as u128, |product, size| {
            product.checked_mul(u128::from(*size))
        });
        // Small images may be compressed beyond any ratio by their header alone.
        let limit = self
            .length
            .saturating_mul(ratio)
            .saturating_add(1 << 20)
            .min(isize::MAX as u64);
        match bytes {
            Some(bytes) if bytes <= u128::from(limit) => Ok(bytes as usize),
            bytes => Err(SourceError::TooLarge {
                path: self.path.clone(),
                what: format!(
                    "an image of {}",
                    shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ")
                ),
                bytes: bytes.unwrap_or(u128::MAX),
                limit,
            }),
        }
    }
}

impl SourceError {
    /// An operating system error in terms of what the user can do.
    pub(crate) fn from_io(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::NotReadable { path, source },
        }
    }
}
