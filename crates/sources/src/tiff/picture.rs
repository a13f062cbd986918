//! Strips and tiles that are pictures of their own: JPEG, JPEG 2000, WebP, LERC.

use std::io::Cursor;

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use lerc_core::PixelData;

use crate::PixelType;
use crate::jpeg::stream;
use crate::scratch::Scratch;
use crate::tiff::formats::Codec;
use crate::tiff::layout::Layout;

/// Decodes `rows` rows of a strip or tile; `out` has rows of the layout's chunk columns.
pub(super) fn decode(
    layout: &Layout,
    tables: Option<&[u8]>,
    source: &[u8],
    rows: usize,
    out: &mut [u8],
) -> Result<(), String> {
    match layout.codec {
        Codec::WebP => webp(layout, source, rows, out),
        Codec::Lerc => lerc(layout, source, rows, out),
        Codec::Jpeg2000 => jpeg_2000(layout, source, rows, out),
        _ => jpeg(layout, tables, source, rows, out),
    }
}

/// Holds the size of a picture against that of the chunk.
fn check(layout: &Layout, rows: usize, name: &str, found: (usize, usize, usize)) -> Result<(), String> {
    let (height, width, samples) = found;
    let (w, s) = (layout.chunk_columns / layout.interleaved, layout.interleaved);
    if (width as u64, samples as u64) != (w, s) || height < rows {
        return Err(format!(
            "the {name} is {height} x {width} x {samples}, expected {rows} x {w} x {s}"
        ));
    }
    if height > rows && height as u64 > layout.chunk_rows {
        return Err(format!(
            "the {name} has {height} rows, at most {} are expected",
            layout.chunk_rows
        ));
    }
    Ok(())
}

/// Fills `out` by `decode`, which needs room for `height` rows.
fn fill(
    out: &mut [u8],
    rows: usize,
    height: usize,
    decode: impl FnOnce(&mut [u8]) -> Result<(), String>,
) -> Result<(), String> {
    if height == rows {
        return decode(out);
    }
    let mut all = Scratch::new(out.len() / rows * height);
    decode(&mut all)?;
    out.copy_from_slice(&all[..out.len()]);
    Ok(())
}

fn jpeg(layout: &Layout, tables: Option<&[u8]>, source: &[u8], rows: usize, out: &mut [u8]) -> Result<(), String> {
    let stream = stream::of_chunk(tables, source, layout.photometric == 6)?;
    let decoder = stream::Decoder::new(&stream)?;
    let (height, width, samples) = decoder.size();
    check(layout, rows, "JPEG", (height, width, samples))?;
    if layout.pixel_type != PixelType::UInt8 {
        return Err(format!("JPEG holds uint8, the page {}", layout.pixel_type));
    }
    fill(out, rows, height, |out| decoder.decode(out))
}

fn webp(layout: &Layout, source: &[u8], rows: usize, out: &mut [u8]) -> Result<(), String> {
    let failed = |error: image_webp::DecodingError| error.to_string();
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(source)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    check(layout, rows, "WebP", (height as usize, width as usize, samples))?;
    if layout.pixel_type != PixelType::UInt8 || decoder.is_animated() {
        return Err(format!("an animated WebP, or one for {}", layout.pixel_type));
    }
    fill(out, rows, height as usize, |out| {
        decoder.read_image(out).map_err(failed)
    })
}

fn lerc(layout: &Layout, source: &[u8], rows: usize, out: &mut [u8]) -> Result<(), String> {
    if !source.starts_with(b"Lerc2 ") && !source.starts_with(b"CntZImage ") {
        return Err("LERC that is compressed once more is not supported".to_owned());
    }
    let failed = |error: lerc_core::Error| error.to_string();
    // Before anything is decoded: a few bytes can announce any size.
    let info = lerc_reader::inspect_first(source).map_err(failed)?;
    let size = (info.height as usize, info.width as usize, info.depth as usize);
    check(layout, rows, "LERC", size)?;
    if u64::from(info.valid_pixel_count) != u64::from(info.width) * u64::from(info.height) {
        return Err("LERC with pixels that have no value is not supported".to_owned());
    }
    let decoded = lerc_reader::decode_first(source).map_err(failed)?;
    let (found, bytes): (PixelType, &[u8]) = match &decoded.pixels {
        PixelData::I8(pixels) => (PixelType::Int8, bytemuck::cast_slice(pixels)),
        PixelData::U8(pixels) => (PixelType::UInt8, pixels),
        PixelData::I16(pixels) => (PixelType::Int16, bytemuck::cast_slice(pixels)),
        PixelData::U16(pixels) => (PixelType::UInt16, bytemuck::cast_slice(pixels)),
        PixelData::I32(pixels) => (PixelType::Int32, bytemuck::cast_slice(pixels)),
        PixelData::U32(pixels) => (PixelType::UInt32, bytemuck::cast_slice(pixels)),
        PixelData::F32(pixels) => (PixelType::Float32, bytemuck::cast_slice(pixels)),
        PixelData::F64(pixels) => (PixelType::Float64, bytemuck::cast_slice(pixels)),
    };
    if found != layout.pixel_type || bytes.len() < out.len() {
        return Err(format!("the LERC holds {found}, the page {}", layout.pixel_type));
    }
    out.copy_from_slice(&bytes[..out.len()]);
    Ok(())
}

fn jpeg_2000(layout: &Layout, source: &[u8], rows: usize, out: &mut [u8]) -> Result<(), String> {
    let settings = DecodeSettings {
        resolve_palette_indices: false,
        // Streams that are cut are errors.
        strict: true,
        target_resolution: None,
    };
    let image = Image::new(source, &settings).map_err(|error| error.to_string())?;
    let depth = image.original_bit_depth();
    let samples = usize::from(image.color_space().num_channels()) + usize::from(image.has_alpha());
    let (height, width) = (image.height() as usize, image.width() as usize);
    check(layout, rows, "JPEG 2000", (height, width, samples))?;
    let most = match layout.pixel_type {
        PixelType::UInt8 => 8,
        PixelType::UInt16 => 16,
        other => return Err(format!("JPEG 2000 of {other} is not supported")),
    };
    if depth > most {
        return Err(format!(
            "the JPEG 2000 has {depth} bits, the page {}",
            layout.pixel_type
        ));
    }
    if layout.photometric == 6 {
        return Err("JPEG 2000 of YCbCr is not supported".to_owned());
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| error.to_string())?;
    let components = decoded.components();
    if components.len() != samples
        || components
            .iter()
            .any(|component| component.samples().len() < rows * width)
    {
        return Err(format!(
            "the JPEG 2000 holds {} components, expected {samples}",
            components.len()
        ));
    }
    for (sample, component) in components.iter().enumerate() {
        // Exact: a float holds whole numbers of 24 bits. Lossy compression may go beyond the range.
        let values = component.samples()[..rows * width].iter().map(|value| value.round());
        if most == 8 {
            let places = out[sample..].iter_mut().step_by(samples);
            places.zip(values).for_each(|(place, value)| *place = value as u8);
        } else {
            let places = out.as_chunks_mut::<2>().0[sample..].iter_mut().step_by(samples);
            places
                .zip(values)
                .for_each(|(place, value)| *place = (value as u16).to_ne_bytes());
        }
    }
    Ok(())
}
