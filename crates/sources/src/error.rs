//! What can go wrong with an image file: one error type, so that every crate above can name the file and the remedy.

use std::path::{Path, PathBuf};

use ome_zarr_convert_geometry::Fault;

/// Why an image could not be opened or read. Every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no file at the path.
    #[error("{path}: no such file. Check that it was not moved or deleted, and that file_path and the acquisition folder point to it", path = path.display())]
    Missing {
        /// The path that was looked up.
        path: PathBuf,
    },
    /// The file exists, but the operating system does not let us read it (permissions, a folder, a broken disk).
    #[error("{path}: cannot be read: {source}", path = path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The path names something that is not a file: a pipe, a device or a socket.
    #[error("{path}: is {what}, not a file. Copy its content to a file", path = path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, such as `a pipe`.
        what: &'static str,
    },
    /// The axes that somebody gives the file's array do not fit it.
    #[error("{path}: its axes cannot be {axes:?}: {reason}. Correct file_axes in the table, or leave the column out", path = path.display())]
    Axes {
        /// The file.
        path: PathBuf,
        /// The axes given.
        axes: String,
        /// Why they do not fit.
        reason: String,
    },
    /// The first bytes are not those of the expected format.
    #[error("{path}: is not a {expected} file, it begins with {found}. Give the file the suffix of its true format", path = path.display())]
    WrongFormat {
        /// The file.
        path: PathBuf,
        /// The format that its suffix promises.
        expected: &'static str,
        /// Its first bytes, in hexadecimal, with the format they belong to where that is known.
        found: String,
    },
    /// The file has a suffix that no format has, and is no TIFF either.
    #[error(
        "{path}: the file type {suffix:?} is not known, and it cannot be read as TIFF ({reason}). Known types are {known}; \
         convert the file to one of them, or write a loader for it", path = path.display()
    )]
    UnknownSuffix {
        /// The file.
        path: PathBuf,
        /// Its suffix.
        suffix: String,
        /// Why it is no TIFF.
        reason: String,
        /// The suffixes that are known.
        known: String,
    },
    /// The file ends before the data that its header announces.
    #[error("{path}: is truncated: {what} needs {needs} bytes, the file has {has}. Copy the file again from the microscope", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Which part is cut off, such as `page 3, strip 2`.
        what: String,
        /// The length in bytes that the file must have for it.
        needs: u64,
        /// The length in bytes that the file has.
        has: u64,
    },
    /// The header contradicts itself.
    #[error("{path}: is damaged: {what}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the values found and expected.
        what: String,
    },
    /// The file is sound but uses a feature that is not read.
    #[error("{path}: {what} is not supported. {hint}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature.
        what: String,
        /// What the user can do.
        hint: &'static str,
    },
    /// The header announces more data than a file of this size can hold.
    #[error("{path}: {what} would take {bytes} bytes, at most {limit} are allowed for a file of this size: the header is damaged", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large.
        what: String,
        /// Its size in bytes.
        bytes: u128,
        /// The limit in bytes.
        limit: u64,
    },
    /// Compressed data could not be decoded.
    #[error("{path}: {place} cannot be decoded: {reason}", path = path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Where in the file, such as `page 3, strip 2`.
        place: String,
        /// What the decoder said.
        reason: String,
    },
    /// The file or its metadata says that there is such a plane, but nothing holds its pixels.
    #[error("{path}: plane {plane} is missing: {reason}", path = path.display())]
    MissingPlane {
        /// The file.
        path: PathBuf,
        /// The plane, as [`OpenImage::read_window`](crate::OpenImage::read_window) counts.
        plane: u64,
        /// Why it is missing.
        reason: String,
    },
    /// The caller asked for an image that the file does not have.
    #[error("{path}: there is no image {image}, the file has {images}", path = path.display())]
    NoImage {
        /// The file.
        path: PathBuf,
        /// The image asked for, counted from 0.
        image: usize,
        /// How many there are.
        images: usize,
    },
    /// The caller asked for pixels that the image does not have.
    #[error("{path}: window {window} of plane {plane} is outside the image of {planes} planes of {height} x {width}", path = path.display())]
    OutsideImage {
        /// The file.
        path: PathBuf,
        /// The plane asked for.
        plane: u64,
        /// The window asked for, as `y:x height x width`.
        window: String,
        /// Number of planes in the image.
        planes: u64,
        /// Rows of a plane.
        height: u64,
        /// Columns of a plane.
        width: u64,
    },
    /// The caller's buffer is too small for the window.
    #[error("{path}: the buffer has {has} bytes, the window needs {needs}", path = path.display())]
    ShortBuffer {
        /// The file.
        path: PathBuf,
        /// Bytes needed.
        needs: u64,
        /// Bytes given.
        has: u64,
    },
    /// The image is described by another loader's keys, which the built-in loader cannot read.
    #[error(
        "image_loader with the keys [{keys}] has no file_path, so the built-in loader cannot read it. Register the loader that wrote it"
    )]
    UnknownLoader {
        /// The keys of the entry, separated by commas.
        keys: String,
    },
    /// A loader of a converter author failed.
    #[error("{origin}: {reason}")]
    Loader {
        /// What the loader was reading.
        origin: String,
        /// What went wrong.
        reason: String,
    },
    /// A loader of a converter author could not reach its source: the disk, the network, permissions.
    #[error("{origin}: cannot be read: {source}")]
    LoaderIo {
        /// What the loader was reading.
        origin: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl SourceError {
    /// Whose fault it is. [`SourceError::Loader`] counts as the data's; loaders that lose their connection use
    /// [`SourceError::LoaderIo`].
    pub fn fault(&self) -> Fault {
        use std::io::ErrorKind;
        match self {
            Self::LoaderIo { source, .. } if source.kind() == ErrorKind::NotFound => Fault::Data,
            Self::NotReadable { source, .. } if source.kind() == ErrorKind::IsADirectory => Fault::Data,
            Self::NotReadable { source, .. } | Self::LoaderIo { source, .. } => Fault::of_io(source),
            Self::OutsideImage { .. } | Self::ShortBuffer { .. } => Fault::Bug,
            Self::Axes { .. } | Self::NoImage { .. } | Self::UnknownLoader { .. } => Fault::Usage,
            Self::Missing { .. }
            | Self::NotAFile { .. }
            | Self::WrongFormat { .. }
            | Self::UnknownSuffix { .. }
            | Self::Truncated { .. }
            | Self::Damaged { .. }
            | Self::Unsupported { .. }
            | Self::TooLarge { .. }
            | Self::Decode { .. }
            | Self::MissingPlane { .. }
            | Self::Loader { .. } => Fault::Data,
        }
    }

    /// What is wrong, as part of a longer text: without the file, and without advice that is about the whole file.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Truncated { what, needs, has, .. } => format!("{what} needs {needs} bytes, the file has {has}"),
            Self::Damaged { what, .. } => what.clone(),
            Self::Unsupported { what, .. } => format!("{what} is not supported"),
            Self::TooLarge { what, bytes, .. } => {
                format!("{what} would take {bytes} bytes, more than the file can hold")
            }
            Self::Missing { path } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                format!("{name} is not there")
            }
            other => other.to_string(),
        }
    }

    /// The file that the error is about; none where no file is involved.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Missing { path }
            | Self::NotAFile { path, .. }
            | Self::Axes { path, .. }
            | Self::NotReadable { path, .. }
            | Self::WrongFormat { path, .. }
            | Self::UnknownSuffix { path, .. }
            | Self::Truncated { path, .. }
            | Self::Damaged { path, .. }
            | Self::Unsupported { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Decode { path, .. }
            | Self::MissingPlane { path, .. }
            | Self::NoImage { path, .. }
            | Self::OutsideImage { path, .. }
            | Self::ShortBuffer { path, .. } => Some(path),
            Self::UnknownLoader { .. } | Self::Loader { .. } | Self::LoaderIo { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn faults_tell_the_file_from_the_environment() {
        let path = PathBuf::from("a.tif");
        let io = |kind: ErrorKind| SourceError::from_io(path.clone(), Error::from(kind)).fault();
        assert_eq!(io(ErrorKind::NotFound), Fault::Data);
        assert_eq!(io(ErrorKind::PermissionDenied), Fault::Environment);
        assert_eq!(io(ErrorKind::StaleNetworkFileHandle), Fault::Transient);
        assert_eq!(io(ErrorKind::IsADirectory), Fault::Data);
        let missing = SourceError::MissingPlane {
            path,
            plane: 3,
            reason: "no page holds it".into(),
        };
        assert_eq!(missing.fault(), Fault::Data);
        assert_eq!(missing.to_string(), "a.tif: plane 3 is missing: no page holds it");
        let loader = SourceError::LoaderIo {
            origin: "x".into(),
            source: ErrorKind::TimedOut.into(),
        };
        assert_eq!(loader.fault(), Fault::Transient);
    }
}
