//! The committed test acquisitions are what the generator beside them makes, byte for byte, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[path = "../testdata/generate.rs"]
mod generate;

/// All files below `folder`, by their path relative to `root`.
fn read_tree(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_tree(root, &path, found)?;
        } else {
            let below = path.strip_prefix(root).map_err(io::Error::other)?;
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            found.insert(parts.join("/"), fs::read(&path)?);
        }
    }
    Ok(())
}

#[test]
fn committed_files_are_those_of_the_generator() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut committed = BTreeMap::new();
    for acquisition in ["hcs_plate", "single_images"] {
        read_tree(&root, &root.join(acquisition), &mut committed).unwrap();
    }
    let made: BTreeMap<_, _> = generate::files().unwrap().into_iter().collect();
    assert_eq!(committed.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    let different: Vec<_> = made
        .iter()
        .filter(|(name, bytes)| committed[*name] != **bytes)
        .map(|(name, _)| name)
        .collect();
    assert!(
        different.is_empty(),
        "{different:?} are not what testdata/generate.rs makes: run `cargo run -p ome-zarr-convert-workspace --example generate_testdata` and look at \
         what changed"
    );
}

#[test]
fn the_whole_stays_small() {
    let bytes: usize = generate::files().unwrap().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes <= 2 << 20, "{bytes} bytes; the test data may have 2 MiB");
}
