//! Conversions through the public API: held against a naive oracle, counted, and made to fail.
#![cfg(test)]

mod counts;
mod failures;
mod oracle;
mod policies;
mod random;
mod resume;
mod scene;
mod stores;
mod threads;
