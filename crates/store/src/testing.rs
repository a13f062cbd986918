//! What tests of stores, and tests with stores, need: a battery that every store passes, and a store that fails on purpose.

mod battery;
mod failing;

pub use battery::battery;
pub use failing::{Call, FailingStore, Moment};

#[cfg(test)]
mod tests;
