//! What can go wrong with metadata and tables in a store, and whose fault it is.

use std::error::Error as StdError;
use std::fmt::Display;

use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_store::StoreError;

use crate::version::NgffVersion;

/// An error of reading or writing metadata. The text names the place, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NgffError {
    /// The store failed, or cannot tell what is there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A metadata file is not JSON.
    #[error("{place} is not valid JSON: {source}; the file may be damaged or half-written")]
    Json {
        /// The file.
        place: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// There is no Zarr group or array where one was expected.
    #[error("{place} is not a Zarr {expected}: it has neither {v2} nor zarr.json", v2 = if *.expected == "group" { ".zgroup" } else { ".zarray" })]
    NotZarr {
        /// The folder.
        place: String,
        /// `group` or `array`.
        expected: &'static str,
    },
    /// A part of an output is a symbolic link, so that what is written into it would lie elsewhere.
    #[error(
        "{place} is a symbolic link: nothing is written through it, since what it leads to may not be part of this output; \
         remove the link, or put what it leads to in its place"
    )]
    Link {
        /// The link.
        place: String,
    },
    /// Metadata lacks something, or it is of another kind than the specification says.
    #[error("{place}: `{key}` should be {expected}, found {found}")]
    Malformed {
        /// The group or array.
        place: String,
        /// Where in its metadata.
        key: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there, shortened.
        found: String,
    },
    /// A version of OME-NGFF that is not known here.
    #[error("{place}: OME-NGFF version {found:?} is not supported, use 0.4 or 0.5")]
    UnsupportedVersion {
        /// The group.
        place: String,
        /// The version it states.
        found: String,
    },
    /// An existing plate is of another version than the images to be added.
    #[error(
        "the plate {place} is OME-NGFF {found}, the images to be added are {asked}: set `ngff_version` to {found}, or write \
         another plate"
    )]
    VersionMismatch {
        /// The plate.
        place: String,
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
    /// Shards in a version that has none.
    #[error("shards need OME-NGFF 0.5, the requested version is 0.4: choose 0.5, or no shards")]
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
    #[error("table {place} has the backend {found:?}, only \"csv\" and \"json\" are read")]
    UnreadableBackend {
        /// The table's group.
        place: String,
        /// Its backend.
        found: String,
    },
    /// A table whose metadata is there, but not its file.
    #[error(
        "{place} does not exist, but the metadata of its table says that it does; write the table again, or remove it"
    )]
    MissingTableFile {
        /// The file.
        place: String,
    },
    /// A table is not well-formed CSV.
    #[error("{place}, line {line}: {problem}")]
    Csv {
        /// The file.
        place: String,
        /// Line, from 1.
        line: usize,
        /// What was found, what was expected.
        problem: String,
    },
    /// A program without Parquet is to write it.
    #[error("cannot write {place}: this program was built without Parquet; choose the table backend `csv`")]
    NoParquet {
        /// The file.
        place: String,
    },
    /// The Parquet encoder handed in failed.
    #[error("cannot encode {place} as Parquet: {source}")]
    Parquet {
        /// The file.
        place: String,
        /// What the encoder says.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl NgffError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::ShardsIn04 | Self::VersionMismatch { .. } | Self::NoParquet { .. } => Fault::Usage,
            Self::Link { .. } => Fault::Environment,
            Self::Json { .. }
            | Self::NotZarr { .. }
            | Self::Malformed { .. }
            | Self::UnsupportedVersion { .. }
            | Self::DuplicateImage { .. }
            | Self::InvalidName { .. }
            | Self::Inconsistent { .. }
            | Self::ColumnLength { .. }
            | Self::UnreadableBackend { .. }
            | Self::MissingTableFile { .. }
            | Self::Csv { .. }
            | Self::Parquet { .. } => Fault::Data,
        }
    }

    pub(crate) fn malformed(
        place: &dyn Display,
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
            place: place.to_string(),
            key: key.into(),
            expected,
            found,
        }
    }

    pub(crate) fn unsupported(place: &dyn Display, found: &str) -> Self {
        Self::UnsupportedVersion {
            place: place.to_string(),
            found: found.to_owned(),
        }
    }

    pub(crate) fn not_zarr(place: &dyn Display, expected: &'static str) -> Self {
        Self::NotZarr {
            place: place.to_string(),
            expected,
        }
    }
}

pub(crate) type Result<T, E = NgffError> = std::result::Result<T, E>;
