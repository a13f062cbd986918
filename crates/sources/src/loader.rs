//! From the `image_loader` entry of the hand-over document to pixels: the seam where converter authors plug in formats.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::arranged::{Arranged, arrangement};
use crate::file::SourceFile;
use crate::{Header, OpenImage, Selection, SourceError, open_selected};

/// Key of the axes of a file whose array is not in the order t, c, z, y, x. The reference cannot read such files.
const AXES: &str = "file_axes";
/// Key of the number of the image in its file, where that is not the one that the file gives by itself.
const IMAGE: &str = "file_image";
/// Key with the value [`OWN`] where only the planes in this very file are read, not those of the set it belongs to.
const PLANES: &str = "file_planes";
const OWN: &str = "own";

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
        Self::with(file_path, Some(axes.into()), Selection::default())
    }

    /// Part of an image file, with the axes of its array where they need to be put in order.
    pub fn with(file_path: impl Into<String>, axes: Option<String>, selection: Selection) -> Self {
        let file_path = file_path.into();
        if axes.is_none() && selection == Selection::default() {
            return Self::File { file_path };
        }
        let mut map = Map::from_iter([("file_path".to_owned(), Value::String(file_path))]);
        map.extend(axes.map(|axes| (AXES.to_owned(), Value::String(axes))));
        map.extend(selection.image.map(|image| (IMAGE.to_owned(), Value::from(image))));
        if selection.own_planes {
            map.insert(PLANES.to_owned(), Value::from(OWN));
        }
        Self::Custom(Box::new(map))
    }

    /// The axes that [`with_axes`](Self::with_axes) gave.
    pub fn axes(&self) -> Option<&str> {
        self.own_keys()?.get(AXES)?.as_str()
    }

    /// The part of the file that [`with`](Self::with) gave; the default for entries of other loaders.
    pub fn selection(&self) -> Selection {
        let Some(map) = self.own_keys() else {
            return Selection::default();
        };
        let image = map.get(IMAGE).and_then(Value::as_u64);
        Selection {
            image: image.and_then(|image| usize::try_from(image).ok()),
            own_planes: map.get(PLANES).and_then(Value::as_str) == Some(OWN),
        }
    }

    /// The keys of an entry that [`with`](Self::with) wrote.
    fn own_keys(&self) -> Option<&Map<String, Value>> {
        let ours = |key: &String| ["file_path", AXES, IMAGE, PLANES].contains(&key.as_str());
        match self {
            Self::Custom(map) if map.contains_key("file_path") && map.keys().all(ours) => Some(map),
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

    /// What the header says. A loader that remembers headers answers here ([`RememberedHeaders`](crate::RememberedHeaders)).
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    fn header(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Header, SourceError> {
        Ok(Header::of(&*self.open(spec, resource)?))
    }

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

/// The built-in loader: image files, told apart by their suffix as [`open_file`](crate::open_file) does.
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
        let image = open_selected(&path, spec.selection())?;
        if let Some(axes) = spec.axes() {
            return Ok(Box::new(Arranged::new(image, axes, path)?));
        }
        // Read as it lies, such an image would be as many pixels wide as a pixel has colors.
        let what = match (image.metadata().axes, image.info().shape.as_slice()) {
            (Some(axes), _) if axes.ends_with('S') && arrangement(&axes).is_none() => {
                format!("an image of colors with the axes {axes}")
            }
            (None, shape @ [.., _, 5..=u64::MAX, 3 | 4]) => {
                format!("an array of {shape:?}, whose last axis looks like colors,")
            }
            _ => return Ok(image),
        };
        Err(SourceError::Unsupported {
            path,
            what,
            hint: "Say which of its axes are t, c, z, y and x in the column file_axes (s for colors)",
        })
    }

    fn preflight(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<(), SourceError> {
        let path = Self::path(spec, resource)?;
        let metadata = std::fs::metadata(&path).map_err(|source| SourceError::from_io(path.clone(), source))?;
        SourceFile::check_kind(&path, metadata.file_type())
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
    fn parts_of_a_file_travel_with_the_path() {
        let selection = Selection {
            image: Some(2),
            own_planes: true,
        };
        let spec = LoaderSpec::with("a.tif", None, selection);
        assert_eq!(
            Value::Object(spec.to_json()).to_string(),
            r#"{"file_path":"a.tif","file_image":2,"file_planes":"own"}"#
        );
        let spec = LoaderSpec::from_json(spec.to_json());
        assert_eq!((spec.selection(), spec.axes()), (selection, None));
        let spec = LoaderSpec::with("a.tif", Some("YXS".into()), selection);
        assert_eq!((spec.selection(), spec.axes()), (selection, Some("YXS")));
        let whole = LoaderSpec::with("a.tif", None, Selection::default());
        assert!(matches!(whole, LoaderSpec::File { .. }));
        assert_eq!(whole.selection(), Selection::default());
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
        let spec = LoaderSpec::from_json(serde_json::from_str(foreign).unwrap());
        assert!(matches!(
            DefaultImageLoader.preflight(&spec, Some("/d")),
            Err(SourceError::Missing { .. })
        ));
    }
}
