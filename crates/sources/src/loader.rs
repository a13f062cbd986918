//! From the `image_loader` entry of the hand-over document to pixels: the seam where converter authors plug in formats.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::arranged::Arranged;
use crate::{OpenImage, SourceError, open_file};

/// Key of the axes of a file whose array is not in the order t, c, z, y, x. The reference cannot read such files.
const AXES: &str = "file_axes";

/// The `image_loader` entry of the hand-over document.
///
/// The built-in loader writes `{"file_path": …}`; the keys of others' loaders are carried along unchanged.
#[derive(Clone, Debug, PartialEq)]
pub enum LoaderSpec {
    /// An image file that the built-in loader reads.
    File {
        /// Its path, absolute or relative to the acquisition folder.
        file_path: String,
    },
    /// Anything else, for the loader of a converter author.
    Custom(Box<Map<String, Value>>),
}

impl LoaderSpec {
    /// The entry as it stands in the document.
    pub fn to_json(&self) -> Map<String, Value> {
        match self {
            Self::File { file_path } => Map::from_iter([("file_path".to_owned(), Value::String(file_path.clone()))]),
            Self::Custom(map) => (**map).clone(),
        }
    }

    /// The entry of a document: [`LoaderSpec::File`] for a map with exactly the key `file_path` and a text in it.
    pub fn from_json(map: Map<String, Value>) -> Self {
        match map.get("file_path") {
            Some(Value::String(file_path)) if map.len() == 1 => Self::File {
                file_path: file_path.clone(),
            },
            _ => Self::Custom(Box::new(map)),
        }
    }

    /// An image file whose array has these axes, slowest first (`ZCYX`, `YXS`), and is read in the order t, c, z, y, x.
    pub fn with_axes(file_path: impl Into<String>, axes: impl Into<String>) -> Self {
        Self::Custom(Box::new(Map::from_iter([
            ("file_path".to_owned(), Value::String(file_path.into())),
            (AXES.to_owned(), Value::String(axes.into())),
        ])))
    }

    /// The axes that [`with_axes`](Self::with_axes) gave.
    pub fn axes(&self) -> Option<&str> {
        match self {
            Self::Custom(map) if map.len() == 2 && map.contains_key("file_path") => map.get(AXES)?.as_str(),
            _ => None,
        }
    }

    /// Puts another path in the place of the image file's.
    pub fn set_file_path(&mut self, path: String) {
        match self {
            Self::File { file_path } => *file_path = path,
            Self::Custom(map) => {
                map.insert("file_path".to_owned(), Value::String(path));
            }
        }
    }

    /// The path of the image file, also where a foreign entry has further keys.
    pub fn file_path(&self) -> Option<&str> {
        match self {
            Self::File { file_path } => Some(file_path),
            Self::Custom(map) => map.get("file_path").and_then(Value::as_str),
        }
    }
}

/// Turns a [`LoaderSpec`] into pixels: the seam where converter authors plug in their own formats.
///
/// `resource` is the context of the call, for files the acquisition folder. Implementations are called from many
/// threads at once, and must not wait for the thread pool that calls them: a thread that waits there may take up work that
/// waits for this very tile.
pub trait ImageLoader: Send + Sync {
    /// Opens the image and reads its header.
    ///
    /// # Errors
    /// What is wrong with the source; authors of loaders use [`SourceError::Loader`].
    fn open(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError>;

    /// Where the pixels come from, for error texts: something that the user can find (the built-in loader gives the
    /// resolved file path).
    fn describe_source(&self, spec: &LoaderSpec, resource: Option<&str>) -> String;

    /// Cheaply checks that the source can be reached, without reading it.
    ///
    /// # Errors
    /// What is wrong. Callers warn only: it is the reading that decides.
    fn preflight(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<(), SourceError> {
        let _ = (spec, resource);
        Ok(())
    }

    /// The file whose size and modification time stand for this source's content, if there is one.
    fn source_file(&self, spec: &LoaderSpec, resource: Option<&str>) -> Option<PathBuf> {
        let _ = (spec, resource);
        None
    }
}

/// The built-in loader: image files, told apart by their suffix as [`open_file`] does.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultImageLoader;

impl DefaultImageLoader {
    fn path(spec: &LoaderSpec, resource: Option<&str>) -> Result<PathBuf, SourceError> {
        match (spec.file_path(), spec) {
            (Some(file_path), _) => Ok(resolve_path(file_path, resource)),
            (None, LoaderSpec::Custom(map)) => Err(SourceError::UnknownLoader {
                keys: map.keys().cloned().collect::<Vec<_>>().join(", "),
            }),
            (None, LoaderSpec::File { .. }) => Err(SourceError::UnknownLoader { keys: String::new() }),
        }
    }
}

impl ImageLoader for DefaultImageLoader {
    fn open(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        let path = Self::path(spec, resource)?;
        let image = open_file(&path)?;
        match spec.axes() {
            Some(axes) => Ok(Box::new(Arranged::new(image, axes, path)?)),
            None => Ok(image),
        }
    }

    fn describe_source(&self, spec: &LoaderSpec, resource: Option<&str>) -> String {
        match Self::path(spec, resource) {
            Ok(path) => path.display().to_string(),
            Err(_) => Value::Object(spec.to_json()).to_string(),
        }
    }

    fn preflight(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<(), SourceError> {
        let path = Self::path(spec, resource)?;
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(SourceError::NotReadable {
                path,
                source: std::io::ErrorKind::IsADirectory.into(),
            }),
            Ok(_) => Ok(()),
            Err(source) => Err(SourceError::from_io(path, source)),
        }
    }

    fn source_file(&self, spec: &LoaderSpec, resource: Option<&str>) -> Option<PathBuf> {
        Self::path(spec, resource).ok()
    }
}

/// The path of an image file: a relative `file_path` is joined to the folder `resource`.
///
/// An absolute `file_path` (a Windows drive or a UNC path too) stays as it is, where the reference joins the two. So does
/// `~` and what begins with `~/`: whose home that is only the caller knows, who replaces it before.
pub fn resolve_path(file_path: &str, resource: Option<&str>) -> PathBuf {
    let path = Path::new(file_path);
    match resource {
        Some(folder) if !folder.is_empty() && !is_absolute(path) => Path::new(folder).join(path),
        _ => path.into(),
    }
}

/// Absolute on this system or on Windows: tables are written on the microscope's computer and read elsewhere.
fn is_absolute(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let drive =
        bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'/' | b'\\');
    let home = matches!(bytes, [b'~'] | [b'~', b'/' | b'\\', ..]);
    path.is_absolute() || drive || home || bytes.starts_with(br"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths_are_joined() {
        let resolve = |file_path, resource| resolve_path(file_path, resource).display().to_string();
        assert_eq!(resolve("a/b.tif", Some("/data")), "/data/a/b.tif");
        assert_eq!(resolve("/a/b.tif", Some("/data")), "/a/b.tif");
        assert_eq!(resolve(r"C:\a\b.tif", Some("/data")), r"C:\a\b.tif");
        assert_eq!(resolve(r"\\server\b.tif", Some("/data")), r"\\server\b.tif");
        assert_eq!(resolve("b.tif", Some("")), "b.tif");
        assert_eq!(resolve("b.tif", None), "b.tif");
        assert_eq!(resolve("~b.tif", Some("/data")), "/data/~b.tif");
        assert_eq!(resolve("~/b.tif", Some("/data")), "~/b.tif");
        assert_eq!(resolve("b.tif", Some("~/data")), "~/data/b.tif");
    }

    #[test]
    fn axes_travel_with_the_path() {
        let mut spec = LoaderSpec::with_axes("a.tif", "ZCYX");
        assert_eq!(LoaderSpec::from_json(spec.to_json()), spec);
        spec.set_file_path("/b.tif".into());
        assert_eq!((spec.file_path(), spec.axes()), (Some("/b.tif"), Some("ZCYX")));
        let foreign = LoaderSpec::Custom(Box::new(Map::from_iter([(AXES.to_owned(), Value::from("ZYX"))])));
        assert_eq!(foreign.axes(), None);
    }

    #[test]
    fn foreign_entries_are_carried_along() {
        let foreign = r#"{"file_path":"x.lif","scene":3}"#;
        for text in [
            r#"{"file_path":"a.tif"}"#,
            foreign,
            r#"{"file_path":4}"#,
            r#"{"url":"b"}"#,
            "{}",
        ] {
            let map: Map<String, Value> = serde_json::from_str(text).unwrap();
            let spec = LoaderSpec::from_json(map);
            assert_eq!(
                matches!(spec, LoaderSpec::File { .. }),
                text.contains("a.tif"),
                "{text}"
            );
            assert_eq!(Value::Object(spec.to_json()).to_string(), text);
        }
        let spec = LoaderSpec::from_json(serde_json::from_str(r#"{"url":"b","n":1}"#).unwrap());
        let error = DefaultImageLoader.open(&spec, None).err().unwrap();
        assert!(error.to_string().contains("[url, n]"), "{error}");
        assert_eq!(DefaultImageLoader.describe_source(&spec, None), r#"{"url":"b","n":1}"#);
        let spec = LoaderSpec::from_json(serde_json::from_str(foreign).unwrap());
        assert_eq!(DefaultImageLoader.describe_source(&spec, Some("/d")), "/d/x.lif");
        assert!(matches!(
            DefaultImageLoader.preflight(&spec, Some("/d")),
            Err(SourceError::Missing { .. })
        ));
    }
}
