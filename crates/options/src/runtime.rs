//! Parallelism and the way from the init task to the compute tasks.

use crate::model::{choice, model, union};

model! {
    /// At most this many threads work on an image.
    pub struct ThreadScheduler "Threads" tag mode = "Threads" {
        /// The largest number of threads.
        pub num_workers: usize = 8, title "Number of Threads", min 1;
    }
}

model! {
    /// As `Threads`: the workers of this engine are always threads.
    pub struct ProcessScheduler "Processes" tag mode = "Processes" {
        /// The largest number of workers.
        pub num_workers: usize = 8, title "Number of Processes", min 1;
    }
}

model! {
    /// One thread, one step after the other.
    pub struct SynchronousScheduler "Synchronous" tag mode = "Synchronous" {}
}

model! {
    /// As many threads as the process may use.
    pub struct DefaultScheduler "Default" tag mode = "Default" {}
}

union! {
    /// How many threads work on an image. The name is that of the reference, which asks Dask.
    pub enum DaskScheduler by "mode" default Default {
        Threads(ThreadScheduler),
        Processes(ProcessScheduler),
        Synchronous(SynchronousScheduler),
        Default(DefaultScheduler),
    }
}

impl DaskScheduler {
    /// The largest number of threads that may work on an image; `None` when only the machine sets a bound.
    pub const fn max_workers(&self) -> Option<usize> {
        match self {
            Self::Threads(threads) => Some(threads.num_workers),
            Self::Processes(processes) => Some(processes.num_workers),
            Self::Synchronous(_) => Some(1),
            Self::Default(_) => None,
        }
    }
}

choice! {
    /// How the description of an image gets from the init task to its compute task.
    pub enum Serialization {
        /// Inside the arguments while all descriptions together are small enough, else in files.
        Auto = "Auto",
        /// Inside the arguments.
        Memory = "Memory",
        /// In files.
        Json = "JSON",
    }
}

model! {
    /// How the descriptions of images get from the init task to the compute tasks.
    pub struct TempJsonOptions "TempJsonOptions" {
        /// The folder for the files. `{zarr_dir}` stands for the output folder.
        pub temp_url: String = "{zarr_dir}/_tmp_json".to_owned(), title "Temporary Storage URL";
        /// Whether descriptions travel inside the arguments of the compute tasks or in files.
        pub serialization: Serialization = Serialization::Auto;
        /// Up to how many bytes all descriptions together may have to travel inside the arguments with `Auto`.
        pub max_in_memory_bytes: u64 = 10 * 1024 * 1024, title "Max In-Memory Bytes", min 1;
    }
}

model! {
    /// Parallelism and the way from the init task to the compute tasks.
    pub struct RuntimeSettings "RuntimeSettings" {
        /// For the Python compute task, which then writes through the `zarrs` package. This engine always writes through
        /// zarrs.
        pub use_zarrs_codec: bool = false, title "Use Zarrs Codec Pipeline";
        /// How many threads work on an image.
        pub dask_scheduler: DaskScheduler = DaskScheduler::default(), title "Dask Scheduler";
        /// How the descriptions of images get from the init task to the compute tasks.
        pub temp_json_options: TempJsonOptions = TempJsonOptions::default(), title "Temporary JSON Options";
    }
}
