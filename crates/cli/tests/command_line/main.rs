//! The executables as a person or a scheduler meets them: exit codes, messages, files.
#![cfg(test)]

mod acquisition;
mod bad_input;
mod conversions;
mod fractal;
mod names;
mod runners;
mod tasks;
