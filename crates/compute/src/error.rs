//! What can go wrong while an image is converted.

use std::path::PathBuf;

use ome_zarr_convert_core::{CoreError, Turn};
use ome_zarr_convert_ngff::NgffError;
use ome_zarr_convert_sources::SourceError;

/// An error of the compute side: it fails its image and names the tile, file or chunk.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// Registration, or the document of the image.
    #[error(transparent)]
    Core(Box<CoreError>),
    /// Metadata or tables could not be written.
    #[error(transparent)]
    Ngff(#[from] NgffError),
    /// The image as a whole does not fit together.
    #[error("image {image}: {problem}")]
    Image {
        /// Path of the image.
        image: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A tile's file could not be read.
    #[error("{tile}: {source}")]
    Source {
        /// The tile: field of view and file.
        tile: String,
        /// What the reader says.
        source: Box<SourceError>,
    },
    /// A tile's file is not what the tile declares.
    #[error("{tile}: {problem}")]
    Tile {
        /// The tile: field of view and file.
        tile: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A file or folder of the output could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A chunk could not be encoded.
    #[error("cannot encode chunks of {array}: {problem}")]
    Codec {
        /// Path of the array.
        array: String,
        /// What the codec says.
        problem: String,
    },
    /// The output exists and must not be touched.
    #[error(
        "{} exists already: choose `Overwrite` (--overwrite replace) to replace it, or `Extend` (--overwrite extend) to keep \
         what is complete", .path.display()
    )]
    OutputExists {
        /// The image.
        path: PathBuf,
    },
    /// What lies at the output's path is no zarr, so it is not ours to replace.
    #[error("{} should be replaced, but it holds no zarr; move it away, or choose another output folder", .path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// Another process converts this image.
    #[error("{} is being converted by another process; wait for it to end", .path.display())]
    Busy {
        /// The image.
        path: PathBuf,
    },
    /// A panic, in a loader of a converter author or in this crate.
    #[error(
        "{place}: the program failed ({message}). A panic is a bug, in the loader that reads the tile or in this program: please \
         report it with this text; nothing was written"
    )]
    Panic {
        /// The tile, or the image where no tile is concerned.
        place: String,
        /// The text of the panic.
        message: String,
    },
    /// The memory limit does not suffice for one thread.
    #[error(
        "image {image} needs {needed} bytes of memory for its pixels, but {budget} are left under the memory limit; raise it, or \
         use smaller chunks or shards"
    )]
    Memory {
        /// Path of the image.
        image: String,
        /// Bytes left for pixels.
        budget: u64,
        /// Bytes that one thread needs.
        needed: u64,
    },
    /// Somebody asked to stop.
    #[error("stopped before the image was complete; run the same conversion again to finish it")]
    Cancelled,
}

impl From<CoreError> for ComputeError {
    fn from(error: CoreError) -> Self {
        Self::Core(Box::new(error))
    }
}

impl ComputeError {
    /// Whether a tile's source is to blame, so that the image might do without it.
    pub(crate) fn is_of_a_tile(&self) -> bool {
        matches!(self, Self::Source { .. } | Self::Tile { .. } | Self::Panic { .. })
    }

    /// Whether running the same conversion again may go on where this one stopped.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Ngff(_) | Self::Cancelled)
    }

    /// Whose turn it is.
    pub fn turn(&self) -> Turn {
        match self {
            Self::Core(error) => error.turn(),
            Self::Ngff(_) | Self::Io { .. } | Self::OutputExists { .. } | Self::Busy { .. } | Self::Foreign { .. } => {
                Turn::Environment
            }
            Self::Image { .. } | Self::Source { .. } | Self::Tile { .. } => Turn::Data,
            Self::Codec { .. } | Self::Memory { .. } => Turn::Options,
            Self::Cancelled | Self::Panic { .. } => Turn::Environment,
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
