//! Where bytes lie: a folder, memory, an object store; reading by range, writing whole, listing, locks, and how something is published.
//!
//! [`Store`] is the seam, its contract is written at its methods; [`Location`] is a key in a store, which is what most code holds.
//! Nothing here knows what the bytes mean. An implementation holds when it passes `testing::battery` (feature `testing`).

mod error;
mod folder;
mod handle;
mod key;
mod location;
mod memory;
mod stat;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use error::{Result, StoreError};
pub use folder::FolderStore;
pub use handle::{Append, Lock, ReadAt};
pub use location::Location;
pub use memory::MemoryStore;
pub use stat::{Entry, Found, Kind, Publishing, Stat};
pub use store::Store;
