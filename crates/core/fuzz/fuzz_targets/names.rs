//! Lines of text as names of image files, the first one as a pattern if it begins with `?`.
#![no_main]

use ome_zarr_convert_core::{AcquisitionDetails, Axis, BadFiles, FileHeader, NamedTiles, Naming, tiles_csv};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (pattern, names) = match text.strip_prefix('?').and_then(|rest| rest.split_once('\n')) {
        Some((pattern, names)) => (Some(pattern), names),
        None => (None, text),
    };
    let files: Vec<String> = names.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if files.is_empty() {
        return;
    }
    let naming = Naming {
        pattern,
        image: "folder",
        ..Naming::default()
    };
    let Ok(mut tiles) = NamedTiles::read(&files, &naming) else { return };
    let facts = FileHeader {
        shape: vec![4, 5],
        ..FileHeader::default()
    };
    let mut read = |_: &str| Ok(facts.clone());
    if tiles.add_sizes(&Axis::ALL, BadFiles::AreErrors, &mut read).is_err() {
        return;
    }
    if let Ok(table) = tiles.into_table(&AcquisitionDetails::default(), false, BadFiles::AreErrors, &mut read, &mut |_| {}) {
        tiles_csv(&table);
    }
});
