//! Which reader a file gets: the reference's table of suffixes.

use std::path::Path;

use crate::file::SourceFile;
use crate::tiff::TiffImage;
use crate::{OpenImage, SourceError, bmp, jpeg, npy, png};

/// A kind of image file with the suffixes that stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Tiff,
    /// PNG, JPEG or BMP, which Pillow tells apart by their content: a PNG named `.jpg` is read.
    Picture,
    Npy,
}

/// The suffixes of each kind.
pub(crate) const SUFFIXES: [(&str, Format); 11] = [
    ("tif", Format::Tiff),
    ("tiff", Format::Tiff),
    ("tf2", Format::Tiff),
    ("tf8", Format::Tiff),
    ("btf", Format::Tiff),
    ("stk", Format::Tiff),
    ("png", Format::Picture),
    ("jpg", Format::Picture),
    ("jpeg", Format::Picture),
    ("bmp", Format::Picture),
    ("npy", Format::Npy),
];

/// Opens an image file and reads its header.
///
/// The suffix tells the format, in any case: `tif tiff tf2 tf8 btf stk`, `png`, `jpg jpeg bmp`, `npy`; a file with
/// another suffix is tried as TIFF (see [`unknown_suffix`]), as the reference does.
///
/// # Errors
/// The file is missing, not readable, of another format, truncated, damaged, or uses a feature that is not read.
pub fn open_file(path: &Path) -> Result<Box<dyn OpenImage>, SourceError> {
    let file = SourceFile::open(path)?;
    match format_of(path) {
        Some(Format::Tiff) => Ok(Box::new(TiffImage::open(file)?)),
        None => match TiffImage::open(file) {
            Ok(image) => Ok(Box::new(image)),
            Err(error) => Err(SourceError::UnknownSuffix {
                path: path.to_owned(),
                suffix: suffix(path),
                reason: error.to_string(),
                known: SUFFIXES.map(|(known, _)| format!(".{known}")).join(", "),
            }),
        },
        Some(Format::Picture) => {
            let mut head = [0; 4];
            let length = file.length().min(4) as usize;
            file.read(0, &mut head[..length], || "the header".to_owned())?;
            match head {
                [0x89, b'P', b'N', b'G'] => Ok(Box::new(png::PngImage::open(file)?)),
                [b'B', b'M', ..] => Ok(Box::new(bmp::BmpImage::open(file)?)),
                _ => Ok(Box::new(jpeg::JpegImage::open(file)?)),
            }
        }
        Some(Format::Npy) => Ok(Box::new(npy::NpyImage::open(file)?)),
    }
}

/// The suffix of a file that is tried as TIFF only because no other format has it, so that callers can warn; `None` for
/// a known suffix. A name without a dot is its own suffix, as in the reference.
pub fn unknown_suffix(path: &Path) -> Option<String> {
    format_of(path).is_none().then(|| suffix(path))
}

fn suffix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

fn format_of(path: &Path) -> Option<Format> {
    let suffix = suffix(path);
    SUFFIXES
        .iter()
        .find(|(name, _)| *name == suffix)
        .map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_found_in_any_case() {
        assert_eq!(unknown_suffix(Path::new("a/b.c.TIFF")), None);
        assert_eq!(unknown_suffix(Path::new("a/b.stk")), None);
        assert_eq!(unknown_suffix(Path::new("a.tif/b.Lsm")).as_deref(), Some("lsm"));
        assert_eq!(unknown_suffix(Path::new("a/plain")).as_deref(), Some("plain"));
        assert_eq!(format_of(Path::new("x.JPG")), Some(Format::Picture));
    }
}
