//! What an input holds that does not reach the output, as data for reports.

use std::fmt;

/// The kind of a thing that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LeftOutKind {
    /// A file in the folder of the acquisition.
    File,
    /// A folder in the folder of the acquisition.
    Folder,
    /// A row of the table of tiles.
    TableRow,
    /// A row of the condition table: it says something of a well that has no image.
    ConditionRow,
    /// The conditions of a well: the condition table has no row for it.
    WellConditions,
}

impl LeftOutKind {
    /// The kind in words, for one and for several.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::File => ("file", "files"),
            Self::Folder => ("folder", "folders"),
            Self::TableRow => ("row of the table", "rows of the table"),
            Self::ConditionRow => ("row of the condition table", "rows of the condition table"),
            Self::WellConditions => ("well without conditions", "wells without conditions"),
        }
    }
}

impl fmt::Display for LeftOutKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words().0)
    }
}

/// One thing of the input that does not reach the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is.
    pub what: LeftOutKind,
    /// Its name: a path below the folder, a well, a row of a table.
    pub name: String,
    /// Why it is left out.
    pub reason: String,
}

impl LeftOut {
    /// Something that is left out.
    pub fn new(what: LeftOutKind, name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what,
            name: name.into(),
            reason: reason.into(),
        }
    }
}
