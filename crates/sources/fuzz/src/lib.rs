//! What every target does with its bytes: they become a file, which is opened and read.
//!
//! In `crates/sources` (libdeflate has two tables of one name, which the sanitizer takes for an error):
//!
//! ```sh
//! ASAN_OPTIONS=detect_odr_violation=0 cargo +nightly fuzz run tiff fuzz/corpus/tiff fuzz/seeds -- \
//!     -max_len=4096 -malloc_limit_mb=1200 -max_total_time=600
//! ```
//!
//! What is found goes to `fuzz/corpus-regressions` under a name with its suffix: `tests/broken.rs` replays it.

use std::path::PathBuf;
use std::sync::OnceLock;

use ome_zarr_convert_sources::{PlaneMut, Window, open_file};
use tempfile::TempDir;

/// Bytes read of each plane at most: a damaged header can announce pages of many gigabytes, which compress to nothing.
const WINDOW_BYTES: u64 = 1 << 18;

/// Opens `bytes` as a file called `name` and reads the first, the last and a middle piece of it.
pub fn read(name: &str, bytes: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| TempDir::new().expect("a folder for temporary files"));
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).expect("room for temporary files");
    let Ok(image) = open_file(&path) else { return };
    let _ = image.metadata();
    let (height, width) = image.info().plane_size();
    let pixel_bytes = image.info().pixel_type.size_bytes() as u64;
    let rows = height.min(1 + WINDOW_BYTES / width.max(1).saturating_mul(pixel_bytes));
    let columns = width.min(1 + WINDOW_BYTES / pixel_bytes);
    let row_stride = (columns * pixel_bytes) as usize;
    let mut data = vec![0; rows as usize * row_stride];
    let last = image.info().planes().saturating_sub(1);
    for (plane, y, x) in [
        (0, 0, 0),
        (last / 2, (height - rows) / 2, width - columns),
        (last, height - rows, 0),
    ] {
        let window = Window {
            y,
            x,
            height: rows,
            width: columns,
        };
        let _ = image.read_window(
            plane,
            window,
            PlaneMut {
                data: &mut data,
                row_stride,
            },
        );
    }
}

/// A TIFF of four pages of 2 x 2, the first one described by `text`.
pub fn described(text: &[u8]) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x10\0\0\0\x01\x02\x03\x04\0\0\0\0".to_vec();
    let text_at = 16 + 4 * (2 + 7 * 12 + 4);
    for page in 0..4u32 {
        // With the zeros behind it: a text of up to four bytes would lie in the entry itself.
        let description = (270, 2, text.len() as u32 + 8, text_at);
        let tags = [
            (256, 3, 1, 2),
            (257, 3, 1, 2),
            (258, 3, 1, 8),
            (262, 3, 1, 1),
            if page == 0 { description } else { (263, 3, 1, 1) },
            (273, 4, 1, 8),
            (279, 4, 1, 4),
        ];
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in tags {
            bytes.extend((tag as u16).to_le_bytes());
            bytes.extend((kind as u16).to_le_bytes());
            bytes.extend((count as u32).to_le_bytes());
            bytes.extend((value as u32).to_le_bytes());
        }
        let next = if page == 3 { 0 } else { bytes.len() as u32 + 4 };
        bytes.extend(next.to_le_bytes());
    }
    bytes.extend(text);
    bytes.extend([0; 8]);
    bytes
}
