//! Threads: the one place where pools are made, so that callers need not name rayon.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::ComputeError;

/// A pool of threads on which images are converted.
pub struct Threads {
    pool: ThreadPool,
}

impl Threads {
    /// A pool of `count` threads, at least one.
    pub fn new(count: usize) -> Result<Self, ComputeError> {
        Ok(Self { pool: pool(count)? })
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Number of threads of the pool on which the caller runs.
    pub fn current() -> usize {
        rayon::current_num_threads()
    }

    /// Runs `work` on the pool: conversions inside it share its threads.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

/// Runs `work` for every number below `items` on `count` threads, each with a pool of its own: for many small images, where one
/// thread per image beats many threads on one. `work` must be told apart by its number only.
pub fn run_each(count: usize, items: usize, work: impl Fn(usize) + Sync) -> Result<(), ComputeError> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<ComputeError>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..count.clamp(1, items.max(1)) {
            scope.spawn(|| match pool(1) {
                Ok(own) => own.install(|| {
                    loop {
                        let item = next.fetch_add(1, Ordering::Relaxed);
                        if item >= items {
                            break;
                        }
                        work(item);
                    }
                }),
                Err(error) => *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            });
        }
    });
    failed
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), Err)
}

fn pool(count: usize) -> Result<ThreadPool, ComputeError> {
    let builder = ThreadPoolBuilder::new()
        .num_threads(count.max(1))
        .thread_name(|index| format!("convert-{index}"));
    builder.build().map_err(|error| ComputeError::Threads {
        source: std::io::Error::other(error),
    })
}
