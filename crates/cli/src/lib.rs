//! What the executables share: arguments, progress on a terminal, log lines, exit codes.

pub mod arguments;
pub mod commands;
mod inspect;
pub mod log;
pub mod options;
mod progress;
mod report;
mod terminal;
