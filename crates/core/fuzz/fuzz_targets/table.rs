//! Any bytes as tiles.csv: read, filled from files that say nothing, turned into tiles, written and read again.
//!
//! In `crates/core`:
//!
//! ```sh
//! cargo +nightly fuzz run table --sanitizer none fuzz/corpus/table fuzz/seeds -- -max_len=2048 -max_total_time=600
//! ```
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use ome_zarr_convert_core::{
    AcquisitionDetails, Axis, FileHeader, add_image_pages, add_image_positions, add_image_sizes, files_have_time,
    BadFiles, hcs_images_from_dataframe, read_tiles_table, single_images_from_dataframe, table_has_time, tiles_csv,
};
use tempfile::TempDir;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| TempDir::new().expect("a folder for temporary files"));
    let path: PathBuf = folder.path().join("tiles.csv");
    std::fs::write(&path, bytes).expect("room for temporary files");
    let Ok(table) = read_tiles_table(&path) else { return };
    let details = AcquisitionDetails::default();
    let mut facts = FileHeader {
        shape: vec![2, 3, 4, 5],
        ..FileHeader::default()
    };
    facts.metadata.axes = Some("ZCYX".into());
    facts.metadata.stage_position_um = Some((1.5, -2.0, 0.0));
    let mut read = |_: &str| Ok(facts.clone());
    let _ = table_has_time(&table);
    let _ = files_have_time(&table, &mut read);
    let Ok(table) = add_image_sizes(table, BadFiles::AreErrors, &mut read) else { return };
    let Ok(table) = add_image_pages(table, &Axis::ALL, BadFiles::AreErrors, &mut read) else { return };
    let Ok(table) = add_image_positions(table, &details, BadFiles::AreErrors, &mut read) else { return };
    let tiles = hcs_images_from_dataframe(&table, &details, None, 0);
    let single = single_images_from_dataframe(&table, &details);
    for tile in tiles.iter().chain(&single).flatten() {
        let _ = tile.to_roi();
    }
    let text = tiles_csv(&table);
    std::fs::write(&path, &text).expect("room for temporary files");
    let again = read_tiles_table(&path).expect("a table that was written");
    assert_eq!(hcs_images_from_dataframe(&again, &details, None, 0).is_ok(), tiles.is_ok(), "{text}");
});
