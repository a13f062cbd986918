//! `docs/formats.md`, written from the tables that the readers use; and those tables tried row by row.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use tempfile::TempDir;

use crate::open::{Format, SUFFIXES};
use crate::tiff::directory::MAX_VALUE_BYTES;
use crate::tiff::formats::{CODECS, Codec, PACKED, SAMPLES};
use crate::tiff::layout::MAX_CHUNK_BYTES;
use crate::{PixelType, PlaneMut, Window, jpeg, npy, open_file, png};

/// The kinds of stacks in the order in which they are tried, with how they are known and what they say.
const STACKS: [(&str, &str, &str); 5] = [
    (
        "tifffile",
        "JSON with a `shape` in one of the first two descriptions",
        "axes",
    ),
    (
        "OME-TIFF",
        "the first description is OME-XML; planes in any order, spread over files by UUID or name",
        "axes, image name, pixel size, z and t spacing, channel names, stage position",
    ),
    (
        "ImageJ",
        "a description begins with `ImageJ=` or `SCIFIO=`; pages behind the first may be unlisted",
        "axes, pixel size (unit of the description, else `ResolutionUnit`, except 72 per inch), z and t spacing",
    ),
    (
        "MetaMorph STK",
        "the tag UIC1; planes behind the first are unlisted, UIC2 counts them",
        "axes, pixel size, z spacing if it is the same throughout, mean t spacing",
    ),
    (
        "plain",
        "all pages of the size and type of the first one that is neither a reduced copy nor a mask",
        "nothing",
    ),
];

/// The other formats with what is read of them.
const PICTURES: [(&str, &str); 4] = [
    (
        "PNG",
        "1 to 16 bit gray; 8 and 16 bit gray with alpha, RGB and RGBA; palettes as indices",
    ),
    (
        "JPEG",
        "8 bit gray and RGB, baseline and progressive; an EXIF orientation is not applied",
    ),
    ("BMP", "uncompressed 1, 4, 8, 24 and 32 bit; palettes as indices"),
    (
        "NPY",
        "versions 1 to 3, C and Fortran order, both byte orders; the first array; with a last axis of 3 or 4, which looks like \
         colors, only if `file_axes` names the axes",
    ),
];

/// Decoders that were weighed, with what became of it.
const WEIGHED: [(&str, &str, &str); 12] = [
    (
        "JPEG",
        "`libjpeg-turbo-rs`",
        "used: on 144 files (gray, 4:4:4, 4:2:2, 4:2:0, baseline, progressive, restart markers, optimized, three qualities) \
         equal to Pillow's libjpeg in every value; files cut anywhere before their last block are errors",
    ),
    (
        "JPEG",
        "`zune-jpeg`",
        "refused: differs from libjpeg by up to 66, fills cut files with gray even in its strict mode",
    ),
    (
        "JPEG",
        "`jpeg-decoder`",
        "refused: differs from libjpeg by up to 4, fills files that are cut but end in a marker",
    ),
    (
        "LZMA",
        "`lzma-rust2`",
        "used: in Rust alone, kept up, checks the checksums of the stream",
    ),
    ("LZMA", "`lzma-rs`, `liblzma`", "refused: not kept up; C"),
    (
        "WebP",
        "`image-webp`",
        "used: in Rust alone, kept up by image-rs; equal to libwebp in every value, lossless and lossy",
    ),
    (
        "LERC",
        "`lerc-reader`",
        "used: in Rust alone, kept up; equal to Esri's library; masks are refused",
    ),
    ("LERC", "`lerc`, `lerc-rs`", "refused: C++; younger than `lerc-reader`"),
    (
        "JPEG 2000",
        "`hayro-jpeg2000`",
        "used: in Rust alone, kept up; lossless equal to OpenJPEG, lossy within 1 at common strengths and 2 % of the range at \
         the strongest; streams that are cut are errors",
    ),
    (
        "JPEG 2000",
        "`jpeg2k`, `openjp2`, `j2k-native`",
        "refused: C; a translation of it; an unreleased compiler",
    ),
    (
        "JPEG XR",
        "`jpegxr`, `jxr`, `jpegxr-pure-rs`",
        "refused: C that nobody keeps up; an unreleased compiler; a first version",
    ),
    ("JPEG XL", "`jxl-oxide`", "refused: hardly met in TIFF"),
];

fn document() -> String {
    let mut text = "\
# Image files that are read

Generated from the tables of `crates/sources`; write it anew with
`UPDATE_EXPECT=1 cargo test -p ome-zarr-convert-sources formats`.

## Suffixes

In any case. A file with another suffix is tried as TIFF, with a warning. Pipes, devices and sockets are errors at once.

| suffix | read as |
|---|---|
"
    .to_owned();
    for (suffix, format) in SUFFIXES {
        let format = match format {
            Format::Tiff => "TIFF",
            Format::Picture => "PNG, JPEG or BMP, told apart by content",
            Format::Npy => "NPY",
        };
        let _ = writeln!(text, "| `.{suffix}` | {format} |");
    }
    text += "
## TIFF

Classic and BigTIFF, both byte orders, strips and tiles, colors side by side or in planes.

| compression | tag 259 | predictors | pixels per byte of the file at most |
|---|---|---|---|
";
    for (codec, name, codes, ratio) in CODECS {
        let codes: Vec<_> = codes.iter().map(u64::to_string).collect();
        let predictors = if codec.has_predictor() {
            "none, horizontal, floating point (for floats)"
        } else if codec == Codec::None {
            "none; the tag is ignored, like in libtiff"
        } else {
            "none"
        };
        let _ = writeln!(text, "| {name} | {} | {predictors} | {ratio} |", codes.join(", "));
    }
    text += "
| sample format (tag 339) | bits | type |
|---|---|---|
";
    for (format, bits, pixel_type) in SAMPLES {
        let format = ["unsigned (1, 4)", "signed (2)", "float (3)"][format as usize - 1];
        let _ = writeln!(text, "| {format} | {bits} | {pixel_type} |");
    }
    for (bits, pixel_type) in PACKED {
        let _ = writeln!(
            text,
            "| unsigned (1, 4), packed | {} to {} | {pixel_type} |",
            bits.start(),
            bits.end()
        );
    }
    text += "
Packed samples follow each other from the highest bit on, whatever the byte order; floats of 16 bits are widened to 32.
Unsigned samples that ImageJ says to be signed (`c0=-32768`, `c1=1`) are int16.

Which pages make up the array, tried in this order:

| stack | known by | says of itself |
|---|---|---|
";
    for (name, known_by, says) in STACKS {
        let _ = writeln!(text, "| {name} | {known_by} | {says} |");
    }
    text += "
Pages of one image have one size and one type; strips, tiles, compression and predictor may differ from page to page.
Colors are channels: `S` is counted as one, `C` beside `S` gives channels times colors, and an axis without meaning before
colors is z (two of them are t and z). Where that cannot be told apart the file is refused.

A file of an OME-TIFF set gives the image that has planes in this very file, whatever the file is called now. Further
images of a file are opened by their number.

## What is left out

An opened image tells what its file holds beyond it: pages of another size or type, series, images, metadata that cannot be
used (with the words of the file), and where the chain of pages breaks. Levels of a pyramid (pages marked as reduced, SubIFDs,
smaller pages of the same proportions) are not told. Planes that no page holds, or whose page cannot be read, are missing
planes: reading one is an error. Strips and tiles with position and byte count 0 were never written and read as zeros.

## Other formats

| format | read |
|---|---|
";
    for (name, what) in PICTURES {
        let _ = writeln!(text, "| {name} | {what} |");
    }
    let types: Vec<_> = npy::header::TYPES
        .iter()
        .map(|(code, _)| format!("`{code}`"))
        .chain(["`f2` (widened to float32)".to_owned()])
        .collect();
    let _ = write!(
        text,
        "\nTypes of NPY: {}.\n\n## Decoders that were weighed\n\n",
        types.join(", ")
    );
    text += "| compression | crate | |\n|---|---|---|\n";
    for (compression, name, verdict) in WEIGHED {
        let _ = writeln!(text, "| {compression} | {name} | {verdict} |");
    }
    let _ = write!(
        text,
        "
A JPEG whose bits were flipped without breaking its structure decodes to damaged pixels, as it does with libjpeg.

## Limits

No file makes the reader ask for more memory than follows from its size.

| limit | |
|---|---|
| pixels of a TIFF | the factor above times the file's size, and 1 MiB |
| pixels of a PNG, a JPEG | {} and {} times the file's size, and 1 MiB |
| one compressed strip or tile | {} GiB of pixels |
| dictionary of LZMA | 80 MiB |
| one tag | {} MiB, and the file's size |
| width, height, samples | 32 bits; JPEG 65500 |
",
        png::MAX_RATIO,
        jpeg::MAX_RATIO,
        MAX_CHUNK_BYTES >> 30,
        MAX_VALUE_BYTES >> 20
    );
    text
}

#[test]
fn the_document_is_up_to_date() {
    expect_file!["../../../docs/formats.md"].assert_eq(&document());
}

fn seed(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name)).unwrap()
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), bytes).unwrap();
    path
}

#[test]
fn every_suffix_opens() {
    let folder = TempDir::new().unwrap();
    for (suffix, format) in SUFFIXES {
        let (bytes, shape) = match format {
            Format::Tiff => (seed("stack.tif"), vec![2, 6, 9]),
            Format::Picture if suffix.starts_with('j') => (seed("l.jpg"), vec![6, 9]),
            Format::Picture => (seed(&format!("rgb.{suffix}")), vec![6, 9, 3]),
            Format::Npy => (seed("c.npy"), vec![2, 6, 9]),
        };
        for suffix in [suffix.to_owned(), suffix.to_uppercase()] {
            let image = open_file(&write(&folder, &format!("a.{suffix}"), &bytes)).unwrap();
            assert_eq!(image.info().shape, shape, "{suffix}");
        }
    }
}

/// Where the value of a tag of a little-endian TIFF lies, if it lies in its entry.
fn value_at(bytes: &[u8], tag: u16) -> usize {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let first = number(4);
    let entries = (0..number(first)).map(|entry| first + 2 + 12 * entry);
    entries.into_iter().find(|at| number(*at) == usize::from(tag)).unwrap() + 8
}

#[test]
fn every_compression_is_read_under_each_of_its_numbers() {
    let folder = TempDir::new().unwrap();
    for (codec, name, codes, _) in CODECS {
        let bytes = seed(match codec {
            Codec::None => "strips.tif",
            Codec::Lzw => "lzw.tif",
            Codec::Deflate => "zlib.tif",
            Codec::PackBits => "packbits.tif",
            Codec::Zstd => "zstd.tif",
            Codec::Jpeg => "jpeg.tif",
            Codec::Lzma => "lzma.tif",
            Codec::WebP => "webp.tif",
            Codec::Lerc => "lerc.tif",
            Codec::Jpeg2000 => "jpeg2000.tif",
        });
        for code in codes {
            let mut bytes = bytes.clone();
            let at = value_at(&bytes, 259);
            bytes[at..at + 2].copy_from_slice(&(*code as u16).to_le_bytes());
            let image = open_file(&write(&folder, "a.tif", &bytes)).unwrap();
            let size = image.info().pixel_type.size_bytes();
            let (height, width) = image.info().plane_size();
            let row_stride = width as usize * size;
            let mut data = vec![0; height as usize * row_stride];
            let window = Window {
                y: 0,
                x: 0,
                height,
                width,
            };
            image
                .read_window(
                    0,
                    window,
                    PlaneMut {
                        data: &mut data,
                        row_stride,
                    },
                )
                .unwrap();
            if matches!(codec, Codec::Jpeg | Codec::WebP) {
                assert_eq!(image.info().pixel_type, PixelType::UInt8);
                continue;
            }
            let values = data.as_chunks().0.iter().map(|value| u16::from_ne_bytes(*value));
            let expected = (0..6).flat_map(|y| (0..9).map(move |x| (y + x) * 700));
            assert!(values.eq(expected), "{name} {code}");
        }
    }
}

#[test]
fn every_sample_type_is_read_as_itself() {
    let folder = TempDir::new().unwrap();
    let packed = PACKED.map(|(bits, pixel_type)| [(1, *bits.start(), pixel_type), (1, *bits.end(), pixel_type)]);
    for (format, bits, pixel_type) in SAMPLES.into_iter().chain(packed.into_iter().flatten()) {
        let mut bytes = b"II\x2a\0\x08\0\0\0\x05\0".to_vec();
        let start = 10 + 5 * 12 + 4;
        for (tag, value) in [
            (256u16, 2u32),
            (257, 1),
            (258, bits as u32),
            (273, start),
            (339, format as u32),
        ] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend([4, 0, 1, 0, 0, 0]);
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 4 + 16]);
        let image = open_file(&write(&folder, "a.tif", &bytes)).unwrap();
        assert_eq!(image.info().pixel_type, pixel_type, "{format} {bits}");
    }
}
