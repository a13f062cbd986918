//! What a store tells of what it holds.

use std::ffi::OsString;
use std::time::SystemTime;

use crate::error::Result;
use crate::key;
#[cfg(doc)]
use crate::{Store, StoreError};

/// How a thing of many files appears at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// It is built beside its place and moved there by [`Store::publish`].
    Rename,
    /// It is built in its place, and the document that makes it one is written last.
    DocumentLast,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file, which can be read.
    File,
    /// A folder.
    Folder,
    /// A symbolic link: in a listing any, from [`Store::stat`] one that leads nowhere.
    Link,
    /// A pipe, a socket, a device: never opened.
    Other,
}

/// What is at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is, links followed.
    pub kind: Kind,
    /// Whether the key itself is a symbolic link, so that what is written below it lies elsewhere.
    pub link: bool,
    /// Bytes of a file, 0 for others.
    pub bytes: u64,
    /// When it was last written, where the store knows.
    pub modified: Option<SystemTime>,
}

impl Stat {
    /// Whether it is a file, or a link to one.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it is a folder, or a link to one.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// One thing in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name as the system has it.
    pub os_name: OsString,
    /// What it is, links not followed.
    pub kind: Kind,
    /// Bytes of a file where the listing tells them.
    pub bytes: Option<u64>,
}

impl Entry {
    /// Its name as a part of a key. A name that is not UTF-8 is [`StoreError::InvalidKey`] that shows it: `?` refuses it.
    pub fn name(&self) -> Result<&str> {
        let shown = || key::invalid(&self.os_name.to_string_lossy(), key::NOT_UTF8);
        self.os_name.to_str().ok_or_else(shown)
    }
}

/// Something below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its key, relative to the folder.
    pub key: String,
    /// What it is, links not followed; never a folder.
    pub kind: Kind,
    /// Bytes of a file, 0 for others.
    pub bytes: u64,
}
