//! Image files on disk through the public API: windows of every layout, and files that are broken in every way.
#![cfg(test)]

mod imagej;
mod metadata;
mod pages;
mod pictures;
mod rawtiff;
mod sets;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use ome_zarr_convert_sources::{PixelType, PlaneMut, SourceError, Window, open_file};
use proptest::prelude::*;
use tempfile::TempDir;
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype::Gray16};

const WIDTH: usize = 37;
const HEIGHT: usize = 29;

fn pixel(page: usize, y: usize, x: usize) -> u16 {
    (page * 10_000 + y * 100 + x) as u16
}

/// A stack of `pages`, in strips of 5 rows.
fn tiff_bytes(compression: Compression, pages: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap().with_compression(compression);
    for page in 0..pages {
        let mut image = encoder.new_image::<Gray16>(WIDTH as u32, HEIGHT as u32).unwrap();
        image.rows_per_strip(5).unwrap();
        let pixels: Vec<u16> = (0..WIDTH * HEIGHT)
            .map(|index| pixel(page, index / WIDTH, index % WIDTH))
            .collect();
        image.write_data(&pixels).unwrap();
    }
    bytes.into_inner()
}

fn png_bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH as u32, HEIGHT as u32);
    encoder.set_depth(png::BitDepth::Sixteen);
    let pixels: Vec<u8> = (0..WIDTH * HEIGHT)
        .flat_map(|index| pixel(0, index / WIDTH, index % WIDTH).to_be_bytes())
        .collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

fn npy_bytes(fortran: bool) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '<u2', 'fortran_order': {order}, 'shape': ({HEIGHT}, {WIDTH}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    let (outer, inner) = if fortran { (WIDTH, HEIGHT) } else { (HEIGHT, WIDTH) };
    for (a, b) in (0..outer).flat_map(|a| (0..inner).map(move |b| (a, b))) {
        bytes.extend(if fortran { pixel(0, b, a) } else { pixel(0, a, b) }.to_le_bytes());
    }
    bytes
}

/// One entry of a directory: tag, type, count, value.
type Entry = (u16, u16, u32, u32);

/// A little-endian TIFF of hand-made directories, each followed by the next; the last one by `last_next`.
fn hand_made(directories: &[&[Entry]], last_next: u32, tail: &[u8]) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    for (index, entries) in directories.iter().enumerate() {
        bytes.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in *entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let next = if index + 1 == directories.len() {
            last_next
        } else {
            bytes.len() as u32 + 4
        };
        bytes.extend(next.to_le_bytes());
    }
    bytes.extend(tail);
    bytes
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        // Overwriting in place makes some file systems flush each time.
        let _ = std::fs::remove_file(&path);
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }
}

/// Reads everything there is, in memory that the file's size accounts for.
fn read_all(path: &Path) -> Result<Vec<u8>, SourceError> {
    let image = open_file(path)?;
    let (height, width) = image.info().plane_size();
    let row_stride = width as usize * image.info().pixel_type.size_bytes();
    let mut last = Vec::new();
    for plane in 0..image.info().planes().min(3) {
        // A damaged header can announce pages of many gigabytes, which compress to nothing.
        let rows = height.min(1 + (1 << 18) / row_stride.max(1) as u64);
        last = vec![0; rows as usize * row_stride];
        let window = Window {
            y: height - rows,
            x: 0,
            height: rows,
            width,
        };
        image.read_window(
            plane,
            window,
            PlaneMut {
                data: &mut last,
                row_stride,
            },
        )?;
    }
    Ok(last)
}

fn error_of(bytes: &[u8]) -> String {
    let files = Files::new();
    let path = files.write("a.tif", bytes);
    let error = read_all(&path).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "a.tif")
}

/// What the image tells that it leaves out.
fn left_out(bytes: &[u8]) -> Vec<String> {
    let files = Files::new();
    let image = open_file(&files.write("a.tif", bytes)).unwrap();
    image.left_out().iter().map(ToString::to_string).collect()
}

#[test]
fn any_window_of_any_layout() {
    let files = Files::new();
    let paths = [
        files.write("none.tif", &tiff_bytes(Compression::Uncompressed, 2)),
        files.write("lzw.tif", &tiff_bytes(Compression::Lzw, 2)),
        files.write("deflate.tif", &tiff_bytes(Compression::Deflate(DeflateLevel::Fast), 2)),
        files.write("packbits.tif", &tiff_bytes(Compression::Packbits, 2)),
        files.write("a.png", &png_bytes()),
        files.write("c.npy", &npy_bytes(false)),
        files.write("fortran.npy", &npy_bytes(true)),
    ];
    let windows = [
        (0, 0, HEIGHT, WIDTH),
        (5, 0, 5, WIDTH),
        (3, 7, 11, 20),
        (28, 36, 1, 1),
        (0, 1, HEIGHT, 1),
        (4, 0, 7, 0),
    ];
    for path in paths {
        let image = open_file(&path).unwrap();
        assert_eq!(image.info().pixel_type, PixelType::UInt16);
        let pages = image.info().planes();
        assert_eq!(image.info().shape, [2, 29, 37][usize::from(pages == 1)..]);
        for (page, (y, x, height, width), padding) in (0..pages)
            .flat_map(|page| windows.map(|window| (page, window)))
            .flat_map(|(p, w)| [(p, w, 0), (p, w, 3)])
        {
            let stride = width + padding;
            let mut out = vec![0xaaaa_u16; height * stride];
            let window = Window {
                y: y as u64,
                x: x as u64,
                height: height as u64,
                width: width as u64,
            };
            let data = PlaneMut {
                data: bytemuck::cast_slice_mut(&mut out),
                row_stride: stride * 2,
            };
            image.read_window(page, window, data).unwrap();
            for (index, value) in out.iter().enumerate() {
                let (row, column) = (index / stride, index % stride);
                let inside = column < width;
                let expected = if inside {
                    pixel(page as usize, y + row, x + column)
                } else {
                    0xaaaa
                };
                assert_eq!(*value, expected, "{} {window:?} at {row}, {column}", path.display());
            }
        }
    }
}

/// Texts one after the other behind the directories of [`hand_made`], with the entries that describe a page with them.
fn page_with_texts(texts: &[&str], more: &[Entry], pages: usize) -> Vec<u8> {
    let size = [
        (256, 3, 1, 2),
        (257, 3, 1, 2),
        (258, 3, 1, 8),
        (273, 4, 1, 0),
        (279, 4, 1, 4),
    ];
    let entries = size.len() + texts.len() + more.len();
    let mut end = 8 + 6 * pages + 12 * (entries + size.len() * (pages - 1));
    let data = end as u32;
    let size = size.map(|entry| if entry.0 == 273 { (273, 4, 1, data) } else { entry });
    let mut first = size.to_vec();
    end += 4;
    for text in texts {
        first.push((270, 2, text.len() as u32, end as u32));
        end += text.len();
    }
    first.extend(more);
    let mut directories: Vec<&[Entry]> = vec![&first];
    directories.extend((1..pages).map(|_| &size[..]));
    let tail = format!("\x01\x02\x03\x04{}", texts.concat());
    hand_made(&directories, 0, tail.as_bytes())
}

#[test]
fn entries_of_unknown_types_are_skipped() {
    let files = Files::new();
    let mut bytes = page_with_texts(&[], &[(65_000, 99, 7, 7)], 1);
    assert_eq!(read_all(&files.write("a.tif", &bytes)).unwrap(), [1, 2, 3, 4]);
    // The first of two entries with one tag counts.
    bytes.splice(
        8 + 2 + 12 * 5..,
        [
            &256u16.to_le_bytes()[..],
            &[3, 0, 1, 0, 0, 0, 1, 0, 0, 0],
            &[0; 4],
            &[1, 2, 3, 4],
        ]
        .concat(),
    );
    assert_eq!(read_all(&files.write("a.tif", &bytes)).unwrap(), [1, 2, 3, 4]);

    for unknown in [0, 2, 5] {
        let mut bytes = b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
        let mut tags = vec![
            (256u16, 3u16, 2u64),
            (257, 3, 2),
            (258, 3, 8),
            (273, 16, 16 + 8 + 6 * 20 + 8),
            (279, 4, 4),
        ];
        tags.insert(unknown, (65_000, 99, 7));
        bytes.extend((tags.len() as u64).to_le_bytes());
        for (tag, kind, value) in tags {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1u64.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(
            read_all(&files.write("a.tif", &bytes)).unwrap(),
            [1, 2, 3, 4],
            "{unknown}"
        );
    }
}

#[test]
fn threads_share_the_strips_of_one_page() {
    let files = Files::new();
    let open = |compression| open_file(&files.write("a.tif", &tiff_bytes(compression, 1))).unwrap();
    assert_eq!(open(Compression::Uncompressed).independent_rows(), None);
    let image = open(Compression::Deflate(DeflateLevel::Fast));
    let rows = image.independent_rows().unwrap();
    assert_eq!(rows, 5);
    let whole = Window {
        y: 0,
        x: 0,
        height: HEIGHT as u64,
        width: WIDTH as u64,
    };
    let row_stride = 2 * WIDTH;
    let mut out = vec![0u8; HEIGHT * row_stride];
    std::thread::scope(|scope| {
        let mut rest = &mut out[..];
        for band in whole.bands(rows, 4) {
            let (data, after) = rest.split_at_mut(band.height as usize * row_stride);
            rest = after;
            let image = &image;
            scope.spawn(move || image.read_window(0, band, PlaneMut { data, row_stride }).unwrap());
        }
    });
    let expected = (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(0, y, x).to_ne_bytes()));
    assert!(out.into_iter().eq(expected));
}

#[test]
fn many_threads_read_one_image() {
    let files = Files::new();
    let image = open_file(&files.write("a.tif", &tiff_bytes(Compression::Lzw, 8))).unwrap();
    let read = |page: usize| {
        let mut out = vec![0u8; HEIGHT * WIDTH * 2];
        let window = Window {
            y: 0,
            x: 0,
            height: HEIGHT as u64,
            width: WIDTH as u64,
        };
        image
            .read_window(
                page as u64,
                window,
                PlaneMut {
                    data: &mut out,
                    row_stride: WIDTH * 2,
                },
            )
            .unwrap();
        u16::from_ne_bytes([out[0], out[1]])
    };
    let read = &read;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|page| scope.spawn(move || (0..20).map(|_| read(page)).max()))
            .collect();
        for (page, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap(), Some(pixel(page, 0, 0)));
        }
    });
}

#[test]
fn truncated_anywhere_is_an_error_or_told_and_never_wrong_pixels() {
    let files = Files::new();
    let whole = [
        ("a.tif", tiff_bytes(Compression::Uncompressed, 2)),
        ("b.tif", tiff_bytes(Compression::Lzw, 2)),
        ("c.tif", tiff_bytes(Compression::Deflate(DeflateLevel::Fast), 1)),
        ("d.png", png_bytes()),
        ("e.npy", npy_bytes(false)),
    ];
    for (name, bytes) in whole {
        let expected = read_all(&files.write(name, &bytes)).unwrap();
        for length in 0..bytes.len() {
            let path = files.write(name, &bytes[..length]);
            match read_all(&path) {
                // The sound pages of a stack whose chain is cut, and that is told.
                Ok(_) if open_file(&path).is_ok_and(|image| !image.left_out().is_empty()) => {}
                // What follows the pixels may be missing: the end of a PNG.
                Ok(pixels) => {
                    let missing = bytes.len() - length;
                    assert!(
                        pixels == expected && missing <= 24,
                        "{name} without the last {missing} bytes"
                    );
                }
                Err(error) => assert_eq!(error.path(), Some(&*path), "{name} cut to {length}"),
            }
        }
    }
}

#[test]
fn damaged_headers_say_what_is_wrong() {
    let size = |width, height| [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16)];
    let [width, height, bits] = size(100_000, 100_000);
    assert_eq!(
        error_of(&hand_made(
            &[&[width, height, bits, (273, 4, 1, 8), (279, 4, 1, 9)]],
            0,
            &[]
        )),
        "a.tif: an image of 1 x 100000 x 100000 would take 20000000000 bytes, at most 1048650 are allowed for a file of \
         this size: the header is damaged"
    );
    let [width, height, bits] = size(10, 10);
    let good = [width, height, bits, (273, 4, 1, 8), (279, 4, 1, 200)];
    assert_eq!(
        error_of(&hand_made(&[&good], 0, &[0; 100])),
        "a.tif: is truncated: strip 0 of page 0 needs 208 bytes, the file has 174. Copy the file again from the \
         microscope"
    );
    assert_eq!(
        left_out(&hand_made(&[&good], 8, &[0; 300])),
        ["what follows page 0 is not used: the directory after page 0 is an earlier one again"]
    );
    assert_eq!(
        error_of(&hand_made(&[&[width, height, bits]], 0, &[])),
        "a.tif: is damaged: page 0 lists 0 strips, its size needs 1"
    );
    assert_eq!(
        error_of(&hand_made(&[&[width, (257, 3, 1, 0), bits, (273, 4, 1, 8)]], 0, &[])),
        "a.tif: is damaged: page 0 is 0 x 10 with 1 samples, none may be 0"
    );
    assert_eq!(
        error_of(&hand_made(
            &[&[width, height, bits, (259, 3, 1, 34934), (273, 4, 1, 8)]],
            0,
            &[]
        )),
        "a.tif: TIFF compression 34934 (JPEG XR) is not supported. Save it uncompressed or with LZW, Deflate, PackBits, \
         Zstd or JPEG compression"
    );
    // Strips that are shorter than their rows; one strip listed for a page that has five.
    let strips = [width, height, bits, (278, 3, 1, 2), (273, 3, 2, 0), (279, 3, 2, 0)];
    assert_eq!(
        error_of(&hand_made(&[&strips], 0, &[0; 300])),
        "a.tif: is damaged: page 0 lists 2 strips, its size needs 5"
    );
    assert_eq!(
        error_of(&hand_made(
            &[&[width, height, bits, (259, 3, 1, 8), (273, 4, 1, 0x50), (279, 4, 1, 5)]],
            0,
            &[7; 99]
        )),
        "a.tif: strip 0 of page 0 cannot be decoded: corrupt deflate data"
    );
    // The first directory begins in the value of the second one's first tag, and they share all others.
    let shared = [
        (65_000, 4, 1, 4 << 16),
        (256, 4, 1, 1),
        (257, 4, 1, 1),
        (258, 3, 1, 8),
        (273, 4, 1, 8),
    ];
    let mut bytes = hand_made(&[&shared], 8, &[]);
    bytes[4] = 20;
    assert_eq!(
        left_out(&bytes),
        ["what follows page 0 is not used: the directories up to page 1 overlap"]
    );
    assert_eq!(
        error_of(&hand_made(&[&[width, height, bits, (273, 16, 1 << 20, 8)]], 0, &[])),
        "a.tif: tag 273 of page 0 would take 8388608 bytes, at most 62 are allowed for a file of this size: the header is \
         damaged"
    );
    assert_eq!(
        error_of(&hand_made(&[&[width, height, bits, (273, 4, 4, 60)]], 0, &[])),
        "a.tif: is truncated: tag 273 of page 0 needs 76 bytes, the file has 62. Copy the file again from the microscope"
    );
    assert_eq!(
        error_of(&hand_made(&[&[width, height, bits, (273, 11, 1, 60)]], 0, &[])),
        "a.tif: is damaged: tag 273 of page 0 is of type 11, not a whole number"
    );
    assert_eq!(
        error_of(&png_bytes()),
        "a.tif: is not a TIFF file, it begins with 89 50 4e 47 (PNG). Give the file the suffix of its true format"
    );
    assert_eq!(
        error_of(b""),
        "a.tif: is not a TIFF file, it begins with nothing: it is empty. Give the file the suffix of its true format"
    );
}

#[test]
fn missing_files_and_folders() {
    let files = Files::new();
    let error = open_file(&files.0.path().join("no.tif")).err().unwrap();
    assert!(matches!(error, SourceError::Missing { .. }), "{error}");
    let error = open_file(files.0.path()).err().unwrap();
    assert!(matches!(error, SourceError::NotReadable { .. }), "{error}");
}

#[test]
fn strips_never_written_are_zero() {
    let files = Files::new();
    let directory = [
        (256, 4, 1, 2),
        (257, 4, 1, 2),
        (258, 3, 1, 8),
        (278, 3, 1, 1),
        (273, 3, 2, 99),
        (279, 3, 2, 2),
    ];
    // Two strips: one at the end of the file, one nowhere.
    let entries: Vec<Entry> = directory.to_vec();
    let mut bytes = hand_made(&[&entries], 0, b"\x05\x06");
    let end = bytes.len() as u16 - 2;
    let at = 10 + 4 * 12 + 8;
    bytes[at..at + 4].copy_from_slice(&[0, 0, end as u8, (end >> 8) as u8]);
    bytes[at + 12..at + 16].copy_from_slice(&[0, 0, 2, 0]);
    assert_eq!(read_all(&files.write("a.tif", &bytes)).unwrap(), [0, 0, 5, 6]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    /// Whatever bytes are changed: an image or an error, no panic, no excessive memory.
    #[test]
    fn changed_bytes_do_no_harm(
        kind in 0usize..7,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_header in any::<bool>(),
    ) {
        let (name, mut bytes) = match kind {
            0 => ("a.tif", tiff_bytes(Compression::Uncompressed, 2)),
            1 => ("a.tif", tiff_bytes(Compression::Lzw, 1)),
            2 => ("a.tif", tiff_bytes(Compression::Deflate(DeflateLevel::Fast), 1)),
            3 => ("a.tif", tiff_bytes(Compression::Packbits, 1)),
            4 => ("a.png", png_bytes()),
            5 => ("a.npy", npy_bytes(false)),
            _ => ("a.npy", npy_bytes(true)),
        };
        // The directory of these TIFFs comes last, the header of the others first.
        let (start, length) = match (in_header, kind) {
            (false, _) => (0, bytes.len()),
            (true, 0..=3) => (bytes.len() - 300, 300),
            (true, _) => (0, 80),
        };
        for (index, value) in changes {
            bytes[start + index.index(length)] = value;
        }
        let files = Files::new();
        let path = files.write(name, &bytes);
        if let Err(error) = read_all(&path) {
            prop_assert_eq!(error.path(), Some(&*path));
        }
    }
}
