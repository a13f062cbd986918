//! Decompression of one strip or tile to bytes.
//!
//! Not by the `tiff` crate: it decodes Deflate and Zstd at half the speed (row by row, through readers), fails on LZW
//! without end code (image-tiff#395), and reads on behind a strip whose byte count is too small.

use std::io::Read;

use libdeflater::{DecompressionError, Decompressor};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate, inflate_flags};

use crate::scratch::Scratch;
use crate::tiff::formats::Codec;
use crate::tiff::lzw;

/// Memory that an LZMA decoder may take in KiB: the dictionary of the strongest preset, and what the decoder needs.
const LZMA_MEMORY_KIB: u32 = 80 << 10;

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
        Codec::Deflate => deflate(source, full_bytes, out)?,
        Codec::Zstd => zstd(source, out)?,
        Codec::Lzma => {
            let reader = lzma_rust2::XzReader::new_mem_limit(source, true, LZMA_MEMORY_KIB);
            read(reader, out).map_err(|error| format!("corrupt LZMA data: {error}"))?
        }
        Codec::Jpeg | Codec::WebP | Codec::Lerc | Codec::Jpeg2000 => {
            return Err("it holds pictures, not bytes".to_owned());
        }
    };
    match written == out.len() {
        true => Ok(()),
        false => Err(format!("it holds {written} bytes of pixels, {} are needed", out.len())),
    }
}

/// Reads until `out` is full or there is no more.
fn read(mut reader: impl Read, out: &mut [u8]) -> std::io::Result<usize> {
    let mut written = 0;
    while written < out.len() {
        match reader.read(&mut out[written..])? {
            0 => break,
            length => written += length,
        }
    }
    Ok(written)
}

fn deflate(source: &[u8], full_bytes: usize, out: &mut [u8]) -> Result<usize, String> {
    match Decompressor::new().zlib_decompress(source, out) {
        Ok(written) => return Ok(written),
        // The last strip, as long as the others: with room for all of it its checksum is seen to.
        Err(DecompressionError::InsufficientSpace) if full_bytes > out.len() => {
            let mut full = Scratch::new(full_bytes);
            if Decompressor::new().zlib_decompress(source, &mut full).is_ok() {
                out.copy_from_slice(&full[..out.len()]);
                return Ok(out.len());
            }
        }
        Err(_) => {}
    }
    // Step by step, which tells a stream that ends early or goes on from one that is corrupt. Some writers leave out the
    // checksum, or never finish the stream; libtiff does not mind.
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, written) = inflate(&mut DecompressorOxide::new(), source, out, 0, flags);
    match status {
        TINFLStatus::Adler32Mismatch => Err("corrupt deflate data: its checksum is wrong".to_owned()),
        TINFLStatus::Failed | TINFLStatus::BadParam => Err("corrupt deflate data".to_owned()),
        _ => Ok(written),
    }
}

fn zstd(source: &[u8], out: &mut [u8]) -> Result<usize, String> {
    match zstd::bulk::decompress_to_buffer(source, out) {
        Ok(written) => Ok(written),
        Err(error) if error.to_string().contains("too small") => zstd::Decoder::with_buffer(source)
            .and_then(|reader| read(reader, out))
            .map_err(|error| format!("corrupt zstd data: {error}")),
        Err(error) => Err(format!("corrupt zstd data: {error}")),
    }
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
