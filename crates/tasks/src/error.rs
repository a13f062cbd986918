//! What can go wrong in a task, and the exit code that follows.

use std::path::PathBuf;

use ome_zarr_convert_compute::{ComputeError, Footprint};
use ome_zarr_convert_core::model::InvalidDocument;
use ome_zarr_convert_core::{CoreError, Turn};

/// An error of a task: the one message its user sees.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The init side.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The compute side.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The memory limit does not suffice for an image.
    #[error(
        "image {image} needs at least {least} bytes of memory, the limit is {limit}: give --memory-limit {least} or more, or use \
         smaller chunks or shards"
    )]
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
        /// The end of its log, or how it ended.
        message: String,
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

impl TaskError {
    /// 2: wrong usage or input, nothing was converted; 1: the conversion failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Core(error) => match error.turn() {
                Turn::Options | Turn::Data => 2,
                Turn::Environment => 1,
            },
            Self::Arguments { .. } | Self::MemoryLimit { .. } => 2,
            Self::Compute(error) => match error.turn() {
                Turn::Options => 2,
                Turn::Data | Turn::Environment => 1,
            },
            Self::Files { .. }
            | Self::Images { .. }
            | Self::Answer(_)
            | Self::Own { .. }
            | Self::Panic { .. }
            | Self::Process { .. }
            | Self::Io { .. } => 1,
        }
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
