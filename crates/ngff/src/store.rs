//! Files of a Zarr store on the local file system: written whole under another name, then renamed.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde_json::Value;

use crate::error::{NgffError, Result};

/// Writes a file so that a reader, or a crash, finds the old content or the new one and nothing between. Creates the
/// folder.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".partial");
    // A temporary file is private by default, but this one stays: others must be able to read the output.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder
        .tempfile_in(folder)
        .map_err(NgffError::io("create a file in", folder))?;
    file.write_all(bytes).map_err(NgffError::io("write", path))?;
    file.persist(path)
        .map_err(|error| NgffError::io("write", path)(error.error))?;
    Ok(())
}

/// Writes JSON as zarr-python does: two spaces, no newline at the end.
pub(crate) fn write_json(path: &Path, value: &Value) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|source| NgffError::Json {
        path: path.to_owned(),
        source,
    })?;
    write_file(path, &bytes)
}

/// Reads a file; `None` if there is none.
pub(crate) fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(NgffError::io("read", path)(error)),
    }
}

/// Reads JSON; `None` if there is no such file.
pub(crate) fn read_json(path: &Path) -> Result<Option<Value>> {
    let Some(bytes) = read_file(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| NgffError::Json {
            path: path.to_owned(),
            source,
        })
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(NgffError::io("create", path))
}

/// Removes a file or a folder with all in it; nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let result = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(NgffError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Names become folders: one that climbs out of its parent, or nests, is refused.
pub(crate) fn check_folder_name(what: &'static str, name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', '\\', '\0']) || name.chars().all(|c| c == '.') {
        return Err(NgffError::InvalidName {
            what,
            name: name.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/zarr.json");
        write_file(&path, b"long old content").unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(read_file(&path).unwrap().unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o400, 0o400);
            let plain = folder.path().join("plain");
            fs::File::create(&plain).unwrap();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions(),
                fs::metadata(&plain).unwrap().permissions()
            );
        }
    }

    #[test]
    fn damaged_json_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".zattrs");
        write_file(&path, b"{\"plate\": {").unwrap();
        let text = read_json(&path).unwrap_err().to_string();
        assert!(text.contains(".zattrs is not valid JSON"), "{text}");
        assert!(read_json(&folder.path().join("none")).unwrap().is_none());
    }
}
