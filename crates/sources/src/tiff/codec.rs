//! Decompression of one strip or tile.
//!
//! Not by the `tiff` crate: it decodes Deflate and Zstd at half the speed (row by row, through readers), fails on LZW
//! without end code (image-tiff#395), and reads on behind a strip whose byte count is too small.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{ColorType, ImageDecoder};
use libdeflater::{DecompressionError, Decompressor};

use crate::scratch::Scratch;
use crate::tiff::formats::Codec;
use crate::tiff::lzw;
use crate::tiff::page::Layout;

/// Fills `out` with the decompressed `source`. Data beyond it is ignored: some writers pad the last strip to the size
/// of the others, `full_bytes`.
pub(super) fn decompress(codec: Codec, source: &[u8], full_bytes: usize, out: &mut [u8]) -> Result<(), String> {
    let written = match codec {
        Codec::None => {
            let length = source.len().min(out.len());
            out[..length].copy_from_slice(&source[..length]);
            length
        }
        Codec::Lzw => lzw::decode(source, out)?,
        Codec::PackBits => packbits(source, out),
        Codec::Deflate => return padded(source, full_bytes, out, deflate),
        Codec::Zstd => return padded(source, full_bytes, out, zstd),
        Codec::Jpeg => return Err("JPEG is not a byte codec".to_owned()),
    };
    short(written, out.len())
}

fn short(found: usize, expected: usize) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("it holds {found} bytes of pixels, {expected} are needed")),
    }
}

/// Why a decoder of whole blocks stopped.
enum Stop {
    OutIsFull,
    Failed(String),
}

/// Runs a decoder that needs room for all there is, with more room when the chunk is longer than its pixels.
fn padded(
    source: &[u8],
    full_bytes: usize,
    out: &mut [u8],
    decode: fn(&[u8], &mut [u8]) -> Result<usize, Stop>,
) -> Result<(), String> {
    match decode(source, out) {
        Ok(written) => return short(written, out.len()),
        Err(Stop::Failed(reason)) => return Err(reason),
        Err(Stop::OutIsFull) => {}
    }
    let mut larger = Scratch::new(full_bytes.max(out.len()).saturating_mul(2));
    match decode(source, &mut larger) {
        Ok(_) => {
            out.copy_from_slice(&larger[..out.len()]);
            Ok(())
        }
        Err(Stop::Failed(reason)) => Err(reason),
        Err(Stop::OutIsFull) => Err(format!(
            "it holds over {} bytes of pixels, {} are needed",
            larger.len(),
            out.len()
        )),
    }
}

fn deflate(source: &[u8], out: &mut [u8]) -> Result<usize, Stop> {
    Decompressor::new()
        .zlib_decompress(source, out)
        .map_err(|error| match error {
            DecompressionError::InsufficientSpace => Stop::OutIsFull,
            DecompressionError::BadData => Stop::Failed("corrupt deflate data".to_owned()),
        })
}

fn zstd(source: &[u8], out: &mut [u8]) -> Result<usize, Stop> {
    zstd::bulk::decompress_to_buffer(source, out).map_err(|error| match error.to_string() {
        text if text.contains("too small") => Stop::OutIsFull,
        text => Stop::Failed(format!("corrupt zstd data: {text}")),
    })
}

fn packbits(mut source: &[u8], out: &mut [u8]) -> usize {
    let mut written = 0;
    while let [control, rest @ ..] = source {
        if written == out.len() {
            break;
        }
        let space = out.len() - written;
        match usize::from(*control) {
            control @ 0..=127 => {
                let length = (control + 1).min(space).min(rest.len());
                out[written..][..length].copy_from_slice(&rest[..length]);
                written += length;
                source = &rest[length..];
            }
            128 => source = rest,
            control => {
                let [value, rest @ ..] = rest else { break };
                let length = (257 - control).min(space);
                out[written..][..length].fill(*value);
                written += length;
                source = rest;
            }
        }
    }
    written
}

/// Decodes a JPEG strip or tile of `rows` rows; `out` has rows of the layout's chunk columns.
pub(super) fn jpeg(
    layout: &Layout,
    tables: Option<&[u8]>,
    source: &[u8],
    rows: usize,
    out: &mut [u8],
) -> Result<(), String> {
    let stream = jpeg_stream(tables, source, layout.photometric)?;
    let decoder = JpegDecoder::new(Cursor::new(stream)).map_err(|error| error.to_string())?;
    let samples = match decoder.color_type() {
        ColorType::L8 => 1,
        ColorType::Rgb8 => 3,
        other => return Err(format!("JPEG of {other:?}")),
    };
    let (width, height) = decoder.dimensions();
    let (found, expected) = (width as usize * samples, layout.chunk_columns as usize);
    if samples != layout.interleaved as usize || found != expected || (height as usize) < rows {
        let (w, s) = (layout.chunk_columns / layout.interleaved, layout.interleaved);
        return Err(format!(
            "the JPEG is {height} x {width} x {samples}, expected {rows} x {w} x {s}"
        ));
    }
    if height as usize == rows {
        return decoder.read_image(out).map_err(|error| error.to_string());
    }
    if u64::from(height) > layout.chunk_rows {
        return Err(format!(
            "the JPEG has {height} rows, at most {} are expected",
            layout.chunk_rows
        ));
    }
    let mut all = Scratch::new(height as usize * found);
    decoder.read_image(&mut all).map_err(|error| error.to_string())?;
    out.copy_from_slice(&all[..out.len()]);
    Ok(())
}

/// A stream of its own: the tables that the chunks share, and a marker that says how colours are stored.
fn jpeg_stream(tables: Option<&[u8]>, source: &[u8], photometric: u64) -> Result<Vec<u8>, String> {
    let Some(body) = source.strip_prefix(&[0xff, 0xd8]) else {
        return Err("it does not begin like a JPEG".to_owned());
    };
    let mut stream = vec![0xff, 0xd8];
    // Without the marker decoders take three components for YCbCr; TIFF says so in a tag.
    let transform = u8::from(photometric == 6);
    stream.extend([
        0xff, 0xee, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, transform,
    ]);
    if let Some(tables) = tables.and_then(|tables| tables.strip_prefix(&[0xff, 0xd8])) {
        stream.extend(tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables));
    }
    stream.extend(body);
    Ok(stream)
}
