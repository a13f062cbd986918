//! What the executables share: arguments, progress on a terminal, log lines, exit codes.

pub mod arguments;
pub mod cluster;
pub mod commands;
mod hints;
mod inspect;
pub mod log;
pub mod options;
mod progress;
mod report;
pub mod run;
pub mod task;
mod terminal;

/// Each codec call allocates its output anew. The system's allocator gives such large blocks back at once, and touching fresh ones costs as
/// much as compressing them (measured on 2 GB of TIFFs: half the system time); this one uses them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
