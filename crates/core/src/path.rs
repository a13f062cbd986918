//! Paths as the reference takes them: joined and tidied as text, made absolute once, at the rim.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use ome_zarr_convert_store::Location;

use crate::error::CoreError;

/// What lies at a path. A link is what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file, or anything else that is not a folder.
    File,
    /// A folder.
    Folder,
    /// Nothing, or a link that leads nowhere.
    Nothing,
}

/// What lies at a path.
///
/// # Errors
/// The system cannot tell. Only "not found" means that nothing is there: a path on a server that does not answer is an error.
pub fn look_up(path: &Path) -> Result<Found, CoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(Found::Folder),
        Ok(_) => Ok(Found::File),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Found::Nothing),
        Err(error) => Err(CoreError::io("look up", path)(error)),
    }
}

/// The place `relative` below `base`, with `.`, `..` and doubled slashes resolved; `..` must not climb out of `base`.
pub fn below(base: &Location, relative: &str) -> Result<Location, CoreError> {
    let tidied = tidy(relative);
    if tidied == ".." || tidied.starts_with("../") || tidied.starts_with('/') {
        return Err(CoreError::Path {
            path: relative.to_owned(),
            problem: format!("it leads out of {base}"),
        });
    }
    Ok(match tidied.as_str() {
        "." => base.clone(),
        below => base.join(below),
    })
}

/// The path of a place as text, which documents and arguments need.
pub fn text_of(place: &Location) -> Result<String, CoreError> {
    match place.local_path() {
        None => Ok(place.to_string()),
        Some(path) => path.into_os_string().into_string().map_err(|path| CoreError::Path {
            path: path.to_string_lossy().into_owned(),
            problem: "a name in it is not valid UTF-8, so that it cannot be handed on as text; rename it, or choose \
                      another output folder"
                .into(),
        }),
    }
}

/// Resolves `.`, `..`, doubled slashes and backslashes of Windows paths in a text path.
pub fn tidy(path: &str) -> String {
    let path = path.replace('\\', "/");
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

/// An absolute local path: `~` is the home folder (`home`), relative paths start at `current`. Object stores are refused by name.
pub fn absolute(path: &str, current: &Path, home: Option<&Path>) -> Result<PathBuf, CoreError> {
    let refuse = |problem: &str| {
        Err(CoreError::Path {
            path: path.to_owned(),
            problem: problem.to_owned(),
        })
    };
    if path.is_empty() {
        return refuse("it is empty");
    }
    if path.starts_with("s3://") {
        return Err(CoreError::NotSupported {
            option: format!("writing to object stores ({path})"),
        });
    }
    if let Some((scheme, _)) = path.split_once("://") {
        return refuse(&format!(
            "{scheme}:// is not a local path; give a folder of this machine"
        ));
    }
    let full = if path == "~" || path.starts_with("~/") {
        let Some(home) = home else {
            return refuse("`~` cannot be expanded: the home folder is not known");
        };
        home.join(path.trim_start_matches('~').trim_start_matches('/'))
    } else {
        current.join(path)
    };
    let mut clean = PathBuf::new();
    for part in full.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_not_found_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::File::create(&file).unwrap();
        assert_eq!(look_up(folder.path()).unwrap(), Found::Folder);
        assert_eq!(look_up(&file).unwrap(), Found::File);
        assert_eq!(look_up(&file.join("below")).unwrap(), Found::Nothing);
        assert_eq!(look_up(&folder.path().join("none")).unwrap(), Found::Nothing);
        // A name that no file system takes: the system does not say that it is not there.
        let long = folder.path().join("x".repeat(5000));
        assert!(look_up(&long).unwrap_err().to_string().starts_with("cannot look up "));
    }

    #[test]
    fn joins_stay_inside() {
        let base = Location::local(Path::new("/a/b")).unwrap();
        let at = |relative: &str| below(&base, relative).map(|place| place.to_string());
        assert_eq!(at("P.zarr/.//A/01").unwrap(), "/a/b/P.zarr/A/01");
        assert_eq!(at("x/../y").unwrap(), "/a/b/y");
        assert_eq!(at("x/..").unwrap(), "/a/b");
        assert_eq!(
            at("../y").unwrap_err().to_string(),
            "cannot use the path \"../y\": it leads out of /a/b"
        );
        assert!(at("x/../../y").is_err() && at("/y").is_err() && at("..").is_err());
        assert_eq!(tidy(r"C:\data\x"), "C:/data/x");
        assert_eq!(tidy("//server/share/../x"), "//server/x");
    }

    #[test]
    fn relative_paths_start_at_the_current_folder() {
        let at = |path: &str| absolute(path, Path::new("/now"), Some(Path::new("/home/me")));
        assert_eq!(at("out").unwrap(), Path::new("/now/out"));
        assert_eq!(at("../out").unwrap(), Path::new("/out"));
        assert_eq!(at("~/out").unwrap(), Path::new("/home/me/out"));
        assert_eq!(at("/x/./y").unwrap(), Path::new("/x/y"));
        assert!(
            at("s3://bucket/x")
                .unwrap_err()
                .to_string()
                .contains("not supported yet")
        );
        assert!(at("gs://bucket/x").is_err());
    }
}
