//! What the executables share: arguments, progress on a terminal, log lines, exit codes.

pub mod arguments;
pub mod commands;
pub mod log;
mod report;
mod terminal;
