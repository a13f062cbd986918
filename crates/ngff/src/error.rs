//! What can go wrong with metadata and tables on disk.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use crate::version::NgffVersion;

/// An error of reading or writing metadata. The text names the path, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum NgffError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A metadata file is no JSON.
    #[error("{} is not valid JSON: {source}; the file may be damaged or half-written", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// There is no Zarr group or array where one was expected.
    #[error("{} is no Zarr {expected}: it has neither {v2} nor zarr.json", .path.display(), v2 = if *.expected == "group" { ".zgroup" } else { ".zarray" })]
    NotZarr {
        /// The folder.
        path: PathBuf,
        /// `group` or `array`.
        expected: &'static str,
    },
    /// Metadata lacks something, or it is of another kind than the specification says.
    #[error("{}: `{key}` should be {expected}, found {found}", .path.display())]
    Malformed {
        /// The group or array.
        path: PathBuf,
        /// Where in its metadata.
        key: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there, shortened.
        found: String,
    },
    /// A version of OME-NGFF that is neither 0.4 nor 0.5.
    #[error("{}: OME-NGFF version {found:?} is not supported, use 0.4 or 0.5", .path.display())]
    UnsupportedVersion {
        /// The group.
        path: PathBuf,
        /// The version it states.
        found: String,
    },
    /// An existing plate is of another version than the images to be added.
    #[error(
        "the plate {} is OME-NGFF {found}, the images to be added are {asked}: set `ngff_version` to {found}, or write \
         another plate", .path.display()
    )]
    VersionMismatch {
        /// The plate.
        path: PathBuf,
        /// Its version.
        found: NgffVersion,
        /// The version asked for.
        asked: NgffVersion,
    },
    /// One image twice in one well.
    #[error("image {path:?} is twice in the list for one plate: give each its own acquisition number or field name")]
    DuplicateImage {
        /// Path within the plate.
        path: String,
    },
    /// A name that cannot be one folder.
    #[error("{name:?} cannot name the {what}: it must be one folder name, not empty, without '/' or '\\'")]
    InvalidName {
        /// What the name is for.
        what: &'static str,
        /// The name found.
        name: String,
    },
    /// Shards asked for in a version that has none.
    #[error("shards need OME-NGFF 0.5, the version asked for is 0.4: choose 0.5, or no shards")]
    ShardsIn04,
    /// The parts of an array or image do not fit each other.
    #[error("{what} is {found}, expected {expected}")]
    Inconsistent {
        /// Which part.
        what: String,
        /// Its value.
        found: String,
        /// What fits.
        expected: String,
    },
    /// A column of a table is longer or shorter than the others.
    #[error("column {column:?} has {found} rows, the table has {expected}")]
    ColumnLength {
        /// The column.
        column: String,
        /// Its rows.
        found: usize,
        /// The rows of the table.
        expected: usize,
    },
    /// A table of a kind that is not read here.
    #[error("table {} has the backend {found:?}, only \"csv\" and \"json\" are read", .path.display())]
    UnreadableBackend {
        /// The table's group.
        path: PathBuf,
        /// Its backend.
        found: String,
    },
    /// A table is not well-formed CSV.
    #[error("{}, line {line}: {problem}", .path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was found, what was expected.
        problem: String,
    },
    /// Parquet was asked for in a program that cannot write it.
    #[error("cannot write {}: this program was built without Parquet; choose the table backend `csv`", .path.display())]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// The Parquet encoder handed in failed.
    #[error("cannot encode {} as Parquet: {source}", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the encoder says.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl NgffError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn malformed(
        path: &Path,
        key: impl Into<String>,
        expected: &'static str,
        found: Option<&serde_json::Value>,
    ) -> Self {
        let found = match found {
            None => "nothing".to_owned(),
            Some(value) => {
                let text = value.to_string();
                if text.chars().count() > 80 {
                    text.chars().take(80).chain(['…']).collect()
                } else {
                    text
                }
            }
        };
        Self::Malformed {
            path: path.to_owned(),
            key: key.into(),
            expected,
            found,
        }
    }
}

pub(crate) type Result<T, E = NgffError> = std::result::Result<T, E>;
