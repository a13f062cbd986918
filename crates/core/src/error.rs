//! What can go wrong on the init side, and whose fault it is.

use std::path::PathBuf;

use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_ngff::NgffError;
use ome_zarr_convert_sources::SourceError;
use ome_zarr_convert_store::StoreError;

use crate::model::InvalidDocument;

/// An error of the init side. Every text names the file, row or tile, what was found, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
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
    /// A file that the acquisition needs is not there.
    #[error("{} does not exist: {hint}", .path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What it is for and what to do.
        hint: String,
    },
    /// The table of tiles cannot be understood.
    #[error("{place}: {problem}")]
    Table {
        /// File, row and column, as far as known.
        place: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// An options or acquisition document has problems: all of them are listed.
    #[error("{0}")]
    Document(#[from] InvalidDocument),
    /// A document is not JSON or TOML, or not of the expected form.
    #[error("{place}: {problem}")]
    Syntax {
        /// The file, or which document.
        place: String,
        /// What the parser says.
        problem: String,
    },
    /// A tile contradicts its acquisition, or other tiles of its image.
    #[error("{tile}: {problem}")]
    Tile {
        /// The tile: field of view and source.
        tile: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A name that would become a path is not allowed.
    #[error(
        "invalid name {name:?} for {what}: use letters, digits, '_', '.', '-' and inner spaces, no leading '__', not \
         only dots"
    )]
    Name {
        /// What the name is for.
        what: String,
        /// The name found.
        name: String,
    },
    /// No tile is left to convert.
    #[error(
        "no tiles to convert: the table is empty, or the filters removed every tile; check the patterns and the \
         Include/Exclude modes of the filters"
    )]
    NoTiles,
    /// Two images would be written to one path.
    #[error(
        "{count} images would be written to the same path {path:?}: give each its own acquisition number (plates) or \
         image_path (single images)"
    )]
    SamePath {
        /// The path below the output folder.
        path: String,
        /// How many images claim it.
        count: usize,
    },
    /// Registration cannot place the tiles of an image.
    #[error("image {image}: {problem}")]
    Registration {
        /// Path of the image.
        image: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// The output exists and must not be touched.
    #[error("{place} exists already: choose `Overwrite` to replace it, or `Extend` to add to it")]
    OutputExists {
        /// The output, as its store shows it.
        place: String,
    },
    /// An output that is to be replaced is neither a Zarr nor an empty folder.
    #[error(
        "cannot use the path {place:?}: it should be replaced, but it holds no zarr; move it away, or choose another output \
         folder"
    )]
    NotOurs {
        /// The output, as its store shows it.
        place: String,
    },
    /// Cancellation was requested.
    #[error("canceled at {place}")]
    Canceled {
        /// What was about to be read, or was waited for.
        place: String,
    },
    /// Something that a converter adds by name is not there, or its name is taken.
    #[error("{what} {name:?}: {problem}")]
    Extension {
        /// Which kind of addition.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An option that this version does not know how to carry out.
    #[error("{option} is not supported yet")]
    NotSupported {
        /// The option and its value.
        option: String,
    },
    /// A path that cannot be used.
    #[error("cannot use the path {path:?}: {problem}")]
    Path {
        /// The path as given.
        path: String,
        /// Why, and what to do.
        problem: String,
    },
    /// The store of the output failed, or cannot tell what is there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Metadata or tables could not be read or written.
    #[error(transparent)]
    Ngff(#[from] NgffError),
    /// An image file could not be read.
    #[error("{tile}: {source}")]
    Source {
        /// The tile: field of view and source.
        tile: String,
        /// What the reader says.
        source: Box<SourceError>,
    },
}

impl CoreError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Io { source, .. } => Fault::of_io(source),
            Self::Store(error) => error.fault(),
            Self::Ngff(error) => error.fault(),
            Self::Source { source, .. } => match &**source {
                SourceError::NotReadable { source, .. } => Fault::of_io(source),
                _ => Fault::Data,
            },
            Self::OutputExists { .. } => Fault::Environment,
            Self::NotOurs { .. } => Fault::Usage,
            Self::Canceled { .. } => Fault::Transient,
            Self::Document(_)
            | Self::Extension { .. }
            | Self::NotSupported { .. }
            | Self::Path { .. }
            | Self::Syntax { .. } => Fault::Usage,
            Self::Missing { .. }
            | Self::Table { .. }
            | Self::Tile { .. }
            | Self::Name { .. }
            | Self::NoTiles
            | Self::SamePath { .. }
            | Self::Registration { .. } => Fault::Data,
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
