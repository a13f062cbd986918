//! Decodes one JPEG stream, to the very values that libjpeg gives; what libjpeg only warns of is an error.

use crate::jpeg::scans;
use libjpeg_turbo_rs::{DecodeLimits, Decoder as Turbo, PixelFormat};

/// A stream whose markers have been read.
pub(crate) struct Decoder<'d> {
    turbo: Turbo<'d>,
    stream: &'d [u8],
}

impl<'d> Decoder<'d> {
    /// Reads the markers.
    ///
    /// # Errors
    /// The stream is damaged, or not 8-bit gray or color.
    pub(crate) fn new(stream: &'d [u8]) -> Result<Self, String> {
        let limits = DecodeLimits {
            max_scans: 1000,
            ..DecodeLimits::default()
        };
        let mut decoder = Turbo::new_with_limits(stream, limits).map_err(|error| error.to_string())?;
        let header = decoder.header();
        let (precision, components) = (header.precision, header.components.len());
        let format = match components {
            1 => PixelFormat::Grayscale,
            3 => PixelFormat::Rgb,
            _ => {
                return Err(format!(
                    "JPEG of {components} colors is not supported, convert it to gray or RGB"
                ));
            }
        };
        if precision != 8 || header.is_lossless {
            return Err(format!(
                "lossless JPEG or one of {precision} bits is not supported, convert it to 8 bit"
            ));
        }
        if header.width == 0 || header.height == 0 {
            return Err(format!("the JPEG is {} x {}", header.height, header.width));
        }
        decoder.set_output_format(format);
        decoder.set_stop_on_warning(true);
        Ok(Self { turbo: decoder, stream })
    }

    /// Rows, columns and samples of a pixel.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let header = self.turbo.header();
        (header.height.into(), header.width.into(), header.components.len())
    }

    /// How the picture is to be turned, as EXIF counts; 1 is not at all.
    pub(crate) fn orientation(&self) -> Option<u8> {
        self.turbo.exif_orientation()
    }

    /// Decodes into `out`, which has as many bytes as the image has samples.
    pub(crate) fn decode(&self, out: &mut [u8]) -> Result<(), String> {
        if let Some(reason) = scans::lacking(self.stream) {
            return Err(reason);
        }
        let info = self.turbo.decode_image_into(out).map_err(|error| error.to_string())?;
        if info.bytes_written != out.len() {
            return Err(format!(
                "it holds {} samples, {} are needed",
                info.bytes_written,
                out.len()
            ));
        }
        match info.warnings.first() {
            None => Ok(()),
            Some(warning) => Err(format!("corrupt data: {warning:?}")),
        }
    }
}

/// A stream of its own from a chunk of a TIFF: with the tables that chunks share, and a marker that says how colors are
/// stored. In the chunk itself markers may say otherwise, but the TIFF's tag counts.
pub(crate) fn of_chunk(tables: Option<&[u8]>, source: &[u8], ycbcr: bool) -> Result<Vec<u8>, String> {
    let Some(mut body) = source.strip_prefix(&[0xff, 0xd8]) else {
        return Err("it does not begin like a JPEG".to_owned());
    };
    let mut stream = vec![0xff, 0xd8];
    stream.extend([
        0xff,
        0xee,
        0,
        14,
        b'A',
        b'd',
        b'o',
        b'b',
        b'e',
        0,
        100,
        0,
        0,
        0,
        0,
        u8::from(ycbcr),
    ]);
    if let Some(tables) = tables.and_then(|tables| tables.strip_prefix(&[0xff, 0xd8])) {
        stream.extend(tables.strip_suffix(&[0xff, 0xd9]).unwrap_or(tables));
    }
    // Application markers before the first scan, JFIF and Adobe among them.
    while let [
        0xff,
        marker @ (0xe0..=0xef | 0xdb | 0xc0..=0xcf | 0xdd | 0xfe),
        high,
        low,
        ..,
    ] = body
    {
        let length = 2 + usize::from(u16::from_be_bytes([*high, *low]));
        let Some((segment, rest)) = body.split_at_checked(length) else {
            return Err("it ends inside a marker".to_owned());
        };
        if !(0xe0..=0xef).contains(marker) {
            stream.extend(segment);
        }
        body = rest;
    }
    stream.extend(body);
    Ok(stream)
}
