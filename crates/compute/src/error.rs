//! What can go wrong while an image is converted.

use ome_zarr_convert_core::CoreError;
use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_ngff::NgffError;
use ome_zarr_convert_sources::SourceError;
use ome_zarr_convert_store::StoreError;

/// An error of the compute side: it fails its image and names the tile, file or chunk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// The output could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What an earlier, interrupted run left cannot be read.
    #[error(
        "cannot go on with what an interrupted conversion left: {path}: {problem}; remove it, or run the conversion without it"
    )]
    Resume {
        /// The file or folder.
        path: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// Threads could not be started.
    #[error("cannot start threads: {source}; use fewer (--threads)")]
    Threads {
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
    #[error("{path} exists already: choose `Overwrite` to replace it, or `Extend` to keep what is complete")]
    OutputExists {
        /// The image.
        path: String,
    },
    /// What lies at the output's path is not a Zarr, so it is not ours to replace.
    #[error("{path} would be replaced, but it is not a Zarr; move it away, or choose another output folder")]
    Foreign {
        /// The folder.
        path: String,
    },
    /// The output's path is a symbolic link, through which nothing is written.
    #[error("{path} is a symbolic link; nothing is written through links: remove it, or choose another output folder")]
    Link {
        /// The link.
        path: String,
    },
    /// Another process converts this image.
    #[error("{path} is being converted by another process; wait for it to end")]
    Busy {
        /// The image.
        path: String,
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
    /// Cancellation was requested.
    #[error("canceled before the image was complete; run the same conversion again to finish it")]
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
        matches!(self, Self::Source { .. } | Self::Tile { .. })
    }

    /// Whether running the same conversion again may go on where this one stopped.
    pub(crate) fn may_go_on(&self) -> bool {
        self.fault().may_pass()
    }

    /// Who can mend it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Ngff(error) => error.fault(),
            Self::Store(error) => error.fault(),
            Self::Source { source, .. } => source.fault(),
            Self::Image { .. } | Self::Tile { .. } => Fault::Data,
            Self::OutputExists { .. } | Self::Foreign { .. } | Self::Link { .. } | Self::Resume { .. } => {
                Fault::Environment
            }
            Self::Busy { .. } | Self::Cancelled => Fault::Transient,
            Self::Threads { source } => Fault::of_io(source),
            Self::Codec { .. } | Self::Memory { .. } => Fault::Usage,
            Self::Panic { .. } => Fault::Bug,
        }
    }
}
