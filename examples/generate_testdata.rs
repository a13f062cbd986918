//! Writes the small acquisitions of `testdata/`, which the tests convert.
//!
//! `cargo run -p ome-zarr-convert-workspace --example generate_testdata -- [FOLDER]`, FOLDER being `testdata` unless given. Run again, it writes the
//! same bytes; `tests/testdata.rs` says when the committed files are not those.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

#[path = "../testdata/generate.rs"]
mod generate;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "testdata".into()));
    let (mut count, mut size_bytes) = (0, 0);
    for (name, content) in generate::files()? {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::File::create(&path)?.write_all(&content)?;
        (count, size_bytes) = (count + 1, size_bytes + content.len());
    }
    println!("{count} files, {} KiB in {}", size_bytes / 1024, folder.display());
    Ok(())
}
