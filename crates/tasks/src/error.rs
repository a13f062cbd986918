//! What can go wrong in a task, and whose fault it is.

use std::path::PathBuf;

use ome_zarr_convert_compute::{ComputeError, Footprint};
use ome_zarr_convert_core::CoreError;
use ome_zarr_convert_core::model::InvalidDocument;
use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_store::StoreError;

/// An error of a task: the one message its user sees.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The init side.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The compute side.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// An output or a hand-over document could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The memory limit does not suffice for an image.
    #[error("image {image} needs at least {least} bytes of memory, but the limit is {limit}")]
    MemoryLimit {
        /// Path of the image.
        image: String,
        /// The limit of the process.
        limit: u64,
        /// The least that works.
        least: u64,
    },
    /// Some tiles' files are not what their tiles declare; found before anything was written.
    #[error("{}", list(.problems, *.tiles))]
    Files {
        /// Every problem, in the order of the tiles.
        problems: Vec<ComputeError>,
        /// Number of tiles looked at.
        tiles: usize,
    },
    /// Some images failed, others may be complete.
    #[error("{failed} of {images} images failed; the first, {zarr_url}: {source}")]
    Images {
        /// Number of images that failed.
        failed: usize,
        /// Number of images.
        images: usize,
        /// The first that failed.
        zarr_url: String,
        /// Why.
        source: Box<TaskError>,
    },
    /// The arguments of a task are not as they must be.
    #[error("{place}: {problem}")]
    Arguments {
        /// The file, or which argument.
        place: String,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// What a task answers, or offers, is not what the platform takes: a mistake of its author.
    #[error("{0}")]
    Answer(InvalidDocument),
    /// A task's own function failed, for a reason of its own.
    #[error("{message}")]
    Own {
        /// What it said, with its causes.
        message: String,
    },
    /// The process that should convert an image failed.
    #[error("{message}")]
    Process {
        /// Its error, or how it ended.
        message: String,
        /// Whose fault it said it is.
        fault: Fault,
    },
    /// A task's function panicked.
    #[error("the task {task} panicked, which is a mistake in the program, not in its input: {message}")]
    Panic {
        /// The task.
        task: String,
        /// What the panic said.
        message: String,
    },
    /// A file of the task could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn list(problems: &[ComputeError], tiles: usize) -> String {
    const SHOWN: usize = 5;
    let mut text = match problems {
        [one] => return one.to_string(),
        many => format!("{} of {tiles} tiles cannot be converted:", many.len()),
    };
    for problem in problems.iter().take(SHOWN) {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    if problems.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", problems.len() - SHOWN));
    }
    text
}

/// What a caller that has flags or forms can suggest: the texts of errors name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suggestion {
    /// Another overwrite mode.
    OverwriteMode,
    /// A larger memory limit.
    MemoryLimit {
        /// The least that works.
        least: u64,
    },
    /// A name for the plate.
    PlateName,
}

impl TaskError {
    /// What would help, if it can be named.
    pub fn suggestion(&self) -> Option<Suggestion> {
        match self {
            Self::Core(CoreError::OutputExists { .. }) | Self::Compute(ComputeError::OutputExists { .. }) => {
                Some(Suggestion::OverwriteMode)
            }
            Self::Core(CoreError::Name { .. }) => Some(Suggestion::PlateName),
            Self::MemoryLimit { least, .. } => Some(Suggestion::MemoryLimit { least: *least }),
            Self::Images { source, .. } => source.suggestion(),
            _ => None,
        }
    }

    /// Who can mend it. The same for the same problem, whichever command, runner or stage meets it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Core(error) => error.fault(),
            Self::Compute(error) => error.fault(),
            Self::Store(error) => error.fault(),
            Self::Files { problems, .. } => problems.first().map_or(Fault::Data, ComputeError::fault),
            Self::Images { source, .. } => source.fault(),
            Self::Process { fault, .. } => *fault,
            Self::Arguments { .. } | Self::MemoryLimit { .. } => Fault::Usage,
            // A function of a task's author: only they know. It is not the call that failed.
            Self::Own { .. } => Fault::Environment,
            Self::Answer(_) | Self::Panic { .. } => Fault::Bug,
            Self::Io { source, .. } => Fault::of_io(source),
        }
    }

    /// The exit code of a process that ends with it.
    pub fn exit_code(&self) -> u8 {
        self.fault().exit_code()
    }

    /// An error of a conversion in a process of that footprint: a memory limit that is too small is told as that of the process.
    pub(crate) fn of_process(error: ComputeError, footprint: &Footprint, memory_limit: Option<u64>) -> Self {
        match (error, memory_limit) {
            (ComputeError::Memory { image, needed, .. }, Some(limit)) => Self::MemoryLimit {
                image,
                limit,
                least: footprint.memory_limit(needed),
            },
            (error, _) => error.into(),
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
