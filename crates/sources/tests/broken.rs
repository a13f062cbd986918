//! Files that are broken in every place: an error that names the file or an image, and never more memory than follows
//! from the file's size. All are made from the seeds of the fuzz targets, and what those found is replayed.
#![cfg(test)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_sources::{LeftOut, Part, PlaneMut, SourceError, Window, open_file};
use peak_alloc::PeakAlloc;
use tempfile::TempDir;

/// Counts what is asked for, touched or not.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes that tests ask for themselves, and what decoders need whatever the image.
const FREE: usize = 3 << 20;

/// Opens the file and reads up to 256 KiB of its first planes. Whether it is whole: images whose chain of pages is cut tell.
fn read(path: &Path) -> Result<bool, SourceError> {
    let image = open_file(path)?;
    let _ = image.metadata();
    let (height, width) = image.info().plane_size();
    let pixel_bytes = image.info().pixel_type.size_bytes() as u64;
    let width = width.min((1 << 18) / pixel_bytes);
    let height = height.min(1 + (1 << 18) / (width * pixel_bytes).max(1));
    let row_stride = (width * pixel_bytes) as usize;
    let mut data = vec![0; height as usize * row_stride];
    for plane in (0..image.info().planes().min(3)).filter(|plane| !image.missing_planes().contains(plane)) {
        let window = Window {
            y: 0,
            x: 0,
            height,
            width,
        };
        let data = &mut data;
        image.read_window(plane, window, PlaneMut { data, row_stride })?;
    }
    let cut = |left: &LeftOut| matches!(left.part, Part::After { .. });
    Ok(!image.left_out().iter().any(cut))
}

struct Harness {
    folder: TempDir,
    /// How many files were read, and how many of them gave an image.
    files: usize,
    images: usize,
}

impl Harness {
    fn check(&mut self, name: &str, bytes: &[u8], what: impl Fn() -> String) {
        let path = self.folder.path().join(name);
        let _ = fs::remove_file(&path);
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        // Compressed data may stand for that many times its size; some decoders need it twice.
        let ratio = match name {
            "zstd.tif" | "lerc.tif" | "webp.tif" | "jpeg2000.tif" => 1 << 17,
            // Its dictionary is as large as it says, up to a limit.
            "lzma.tif" => (80 << 20) / bytes.len().max(1),
            "lzw.tif" | "tiles.tif" => 4096,
            _ if name.contains("jp") => 2048,
            _ => 1032,
        };
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        let result = read(&path);
        let asked = ALLOCATOR.peak_usage().saturating_sub(before);
        let limit = FREE + 2 * ratio * bytes.len();
        assert!(
            asked <= limit,
            "{name}, {}: {asked} bytes asked for, {limit} allowed",
            what()
        );
        self.files += 1;
        match result {
            Ok(whole) => self.images += usize::from(whole),
            Err(error) => assert_eq!(error.path(), Some(&*path), "{name}, {}: {error}", what()),
        }
    }
}

/// Runs one test at a time: they share the allocator's count.
fn alone(test: impl FnOnce(&mut Harness)) -> (usize, usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut harness = Harness {
        folder: TempDir::new().unwrap(),
        files: 0,
        images: 0,
    };
    test(&mut harness);
    (harness.files, harness.images)
}

/// The files of a folder beside the fuzz targets, with their names.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", folder].iter().collect();
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), bytes)
    };
    paths.into_iter().map(read).collect()
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = files("seeds");
    seeds.retain(|(name, _)| !name.starts_with("description"));
    assert!(seeds.len() > 30);
    seeds
}

fn is_tiff(name: &str) -> bool {
    name.ends_with(".tif") || name.ends_with(".stk")
}

/// A number of a TIFF, and how to change it.
struct Tiff {
    bytes: Vec<u8>,
    big_endian: bool,
    big_tiff: bool,
}

impl Tiff {
    fn new(bytes: &[u8]) -> Self {
        Self {
            big_endian: bytes[0] == b'M',
            big_tiff: bytes[2..4].contains(&43),
            bytes: bytes.to_vec(),
        }
    }

    fn get(&self, at: usize, size: usize) -> usize {
        let bytes = self.bytes[at..at + size].iter();
        let join = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
        if self.big_endian {
            bytes.fold(0, join)
        } else {
            bytes.rev().fold(0, join)
        }
    }

    fn set(&mut self, at: usize, size: usize, value: u64) {
        let bytes = &mut self.bytes[at..at + size];
        if self.big_endian {
            bytes.copy_from_slice(&value.to_be_bytes()[8 - size..]);
        } else {
            bytes.copy_from_slice(&value.to_le_bytes()[..size]);
        }
    }

    /// Places and sizes of all numbers of header and first directory: positions, counts, types and values.
    fn numbers(&self) -> Vec<(usize, usize)> {
        let (word, count_size, entry_size) = if self.big_tiff { (8, 8, 20) } else { (4, 2, 12) };
        let mut numbers = vec![(word, word)];
        let first = self.get(word, word);
        numbers.push((first, count_size));
        let count = self.get(first, count_size);
        for entry in (0..count).map(|entry| first + count_size + entry * entry_size) {
            numbers.extend([(entry, 2), (entry + 2, 2), (entry + 4, word), (entry + 4 + word, word)]);
        }
        numbers.push((first + count_size + count * entry_size, word));
        numbers
    }
}

#[test]
fn the_seeds_are_sound_and_findings_do_no_harm() {
    let seeds = seeds();
    let (count, images) = alone(|harness| {
        seeds
            .iter()
            .for_each(|(name, bytes)| harness.check(name, bytes, String::new))
    });
    assert_eq!((count, images), (seeds.len(), seeds.len()));
    let findings = files("corpus-regressions");
    let (count, _) = alone(|harness| {
        findings
            .iter()
            .for_each(|(name, bytes)| harness.check(name, bytes, String::new))
    });
    assert_eq!(count, findings.len());
}

#[test]
fn cut_off_anywhere() {
    let (files, images) = alone(|harness| {
        for (name, bytes) in seeds() {
            for length in 0..bytes.len() {
                harness.check(&name, &bytes[..length], || format!("cut to {length} bytes"));
            }
        }
    });
    // What follows the pixels may be missing: the ends of compressed streams, and tables of metadata.
    assert!(images * 10 < files, "{images} of {files} files are images");
}

#[test]
fn any_number_of_a_directory_is_absurd() {
    let (files, images) = alone(|harness| {
        for (name, bytes) in seeds().into_iter().filter(|(name, _)| is_tiff(name)) {
            let sound = Tiff::new(&bytes);
            let first = sound.get(if sound.big_tiff { 8 } else { 4 }, if sound.big_tiff { 8 } else { 4 }) as u64;
            for (at, size) in sound.numbers() {
                // Nothing, little, too much; the file's own length, and the first directory as its own successor.
                let length = bytes.len() as u64;
                for value in [
                    0,
                    1,
                    3,
                    7,
                    0xffff,
                    0x7fff_ffff,
                    0xffff_ffff,
                    u64::MAX / 8,
                    u64::MAX,
                    length,
                    first,
                ] {
                    let mut tiff = Tiff::new(&bytes);
                    tiff.set(at, size, value);
                    harness.check(&name, &tiff.bytes, || format!("{size} bytes at {at} set to {value}"));
                }
            }
        }
    });
    // Much may be absurd without harm: resolutions, the type of a number that fits, byte counts of a single strip.
    assert!(
        files > 5000 && images * 3 < files * 2,
        "{images} of {files} files are images"
    );
}

#[test]
fn any_four_bytes_of_other_formats_are_absurd() {
    let (files, _) = alone(|harness| {
        for (name, bytes) in seeds().into_iter().filter(|(name, _)| !is_tiff(name)) {
            for at in 0..bytes.len().min(200) - 4 {
                for value in [
                    [0; 4],
                    [0xff; 4],
                    [0x7f, 0xff, 0xff, 0xff],
                    [0xff, 0xff, 0xff, 0x7f],
                    *b"9999",
                ] {
                    let mut bytes = bytes.clone();
                    bytes[at..at + 4].copy_from_slice(&value);
                    harness.check(&name, &bytes, || format!("{value:?} at {at}"));
                }
            }
        }
    });
    assert!(files > 5000, "{files} files");
}
