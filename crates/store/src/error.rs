//! What can go wrong where bytes lie.

use std::io;

use ome_zarr_convert_geometry::Fault;

/// A result of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// An error of a store. Every text names the place as [`Store::location`](crate::Store::location) shows it.
///
/// That something is not there is not an error: reading answers `None`, removing is content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system, or the service, said no, or could not tell.
    #[error("cannot {action} {location}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The full path or URL.
        location: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something is where a new thing was to be made.
    #[error("{location} exists already")]
    AlreadyExists {
        /// The full path or URL.
        location: String,
    },
    /// A text that is not a key, or a path or name that cannot become one.
    #[error("{key:?} cannot be a place in a store: {problem}")]
    InvalidKey {
        /// The text as it was given, or as near as text can show it.
        key: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// A capability that this kind of store lacks.
    #[error("cannot {action} {location}: this kind of store has no such operation")]
    NotSupported {
        /// What was asked for, as a verb.
        action: &'static str,
        /// The full path or URL.
        location: String,
    },
}

impl StoreError {
    /// Turns an error of the system into one that says what was tried where.
    pub fn io(action: &'static str, location: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let location = location.into();
        move |source| Self::Io {
            action,
            location,
            source,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Io { source, .. } => Fault::of_io(source),
            Self::AlreadyExists { .. } => Fault::Environment,
            Self::InvalidKey { .. } => Fault::Usage,
            // Capabilities can be asked for beforehand.
            Self::NotSupported { .. } => Fault::Bug,
        }
    }

    /// Whether a new thing could not be made because something is there.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::AlreadyExists { .. })
    }

    /// Whether the store lacks the capability.
    pub fn is_not_supported(&self) -> bool {
        matches!(self, Self::NotSupported { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_the_place_and_faults_follow_from_the_cause() {
        let error = StoreError::io("read", "/a/b")(io::ErrorKind::TimedOut.into());
        assert_eq!(error.to_string(), "cannot read /a/b: timed out");
        assert_eq!(error.fault(), Fault::Transient);
        assert_eq!(
            StoreError::io("read", "/a/b")(io::ErrorKind::PermissionDenied.into()).fault(),
            Fault::Environment
        );
        let error = StoreError::AlreadyExists { location: "/a".into() };
        assert_eq!(error.to_string(), "/a exists already");
        assert_eq!(
            (error.fault(), error.is_already_exists(), error.is_not_supported()),
            (Fault::Environment, true, false)
        );
        let error = StoreError::NotSupported {
            action: "append to",
            location: "memory:///a".into(),
        };
        assert_eq!(
            error.to_string(),
            "cannot append to memory:///a: this kind of store has no such operation"
        );
        assert_eq!((error.fault(), error.is_not_supported()), (Fault::Bug, true));
    }
}
