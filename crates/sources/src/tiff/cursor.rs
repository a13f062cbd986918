//! A file as the `tiff` crate wants it, `Read` and `Seek`, from memory where possible: opening a small file costs one
//! system call.

use std::io::{self, Read, Seek, SeekFrom};

use crate::file::SourceFile;
use crate::scratch::Scratch;

/// What is read at once from the start of the file: most writers put the first directory and all texts there.
const HEAD: u64 = 64 << 10;

/// What is read at once elsewhere: the values of a directory mostly lie beside it.
const READ_AHEAD: u64 = 4 << 10;

/// A position in a file and the pieces of it that were read.
#[derive(Debug)]
pub(super) struct Cursor<'f> {
    file: &'f SourceFile,
    length: u64,
    position: u64,
    /// The first bytes.
    head: Scratch,
    /// What was read last elsewhere.
    ahead: Vec<u8>,
    ahead_start: u64,
    /// The length that the file would need for the last read that failed, if that is why it failed.
    needs: Option<u64>,
}

impl<'f> Cursor<'f> {
    pub(super) fn new(file: &'f SourceFile) -> io::Result<Self> {
        let mut head = Scratch::new(file.length().min(HEAD) as usize);
        file.read_exact_at(&mut head, 0)?;
        Ok(Self {
            file,
            length: file.length(),
            position: 0,
            head,
            ahead: Vec::new(),
            ahead_start: 0,
            needs: None,
        })
    }

    /// The first bytes of the file.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Puts `bytes` in the place of the file, to be undone by [`Self::restore`] with what is returned.
    pub(super) fn stand_in(&mut self, bytes: &[u8]) -> Scratch {
        let mut head = Scratch::new(bytes.len());
        head.copy_from_slice(bytes);
        (self.length, self.position) = (bytes.len() as u64, 0);
        std::mem::replace(&mut self.head, head)
    }

    pub(super) fn restore(&mut self, head: Scratch) {
        (self.head, self.length, self.position) = (head, self.file.length(), 0);
    }

    /// The length that the file would need for what was last read, after a read beyond its end.
    pub(super) fn take_needs(&mut self) -> Option<u64> {
        self.needs.take()
    }

    /// `length` bytes from `offset` on, read only if they are not in memory yet.
    pub(super) fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.check(offset, length)?;
        if end <= self.head.len() as u64 {
            return Ok(&self.head[offset as usize..][..length]);
        }
        if offset < self.ahead_start || end > self.ahead_start + self.ahead.len() as u64 {
            let available = (self.length - offset).min(READ_AHEAD) as usize;
            self.ahead_start = offset;
            self.ahead.resize(length.max(available), 0);
            if let Err(error) = self.file.read_exact_at(&mut self.ahead, offset) {
                self.ahead.clear();
                return Err(self.shrunk(error, end));
            }
        }
        Ok(&self.ahead[(offset - self.ahead_start) as usize..][..length])
    }

    /// The end of a piece of the file; an error if it lies beyond the file's.
    fn check(&mut self, offset: u64, length: usize) -> io::Result<u64> {
        match offset.checked_add(length as u64) {
            Some(end) if end <= self.length => Ok(end),
            end => {
                self.needs = Some(end.unwrap_or(u64::MAX));
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
    }

    /// An error of the system; notes down if it is that the file was longer when it was opened.
    fn shrunk(&mut self, error: io::Error, end: u64) -> io::Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            self.needs = Some(end);
        }
        error
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.length.saturating_sub(self.position).min(out.len() as u64) as usize;
        self.read_exact(&mut out[..length]).map(|()| length)
    }

    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        let position = self.position;
        // Long lists of strips go straight to where they are wanted.
        if out.len() as u64 > READ_AHEAD && position >= self.head.len() as u64 {
            let end = self.check(position, out.len())?;
            let read = self.file.read_exact_at(out, position);
            read.map_err(|error| self.shrunk(error, end))?;
        } else {
            out.copy_from_slice(self.bytes(position, out.len())?);
        }
        self.position += out.len() as u64;
        Ok(())
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
