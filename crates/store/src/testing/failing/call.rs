//! The calls that are counted.

#[cfg(doc)]
use crate::Store;

/// The kinds of calls that are counted: those of [`Store`] that touch it, and those of what it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are called as the methods are")]
pub enum Call {
    Stat,
    Read,
    ReadRange,
    Open,
    ReadAt,
    List,
    Walk,
    WriteWhole,
    Create,
    WriteIfUnchanged,
    Write,
    Appender,
    Append,
    Copy,
    CreateFolder,
    Sync,
    SyncTree,
    Remove,
    RemoveEmptyFolder,
    RemoveAll,
    Lock,
    Publish,
}

impl Call {
    /// Whether the call changes what is in the store.
    pub fn writes(self) -> bool {
        !matches!(
            self,
            Self::Stat | Self::Read | Self::ReadRange | Self::Open | Self::ReadAt | Self::List | Self::Walk
        )
    }
}
