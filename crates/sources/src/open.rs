//! Which reader a file gets: the reference's table of suffixes.

use std::path::Path;

use ome_zarr_convert_geometry::Fault;

use crate::file::SourceFile;
use crate::tiff::TiffImage;
use crate::{FileMetadata, ImageInfo, OpenImage, SourceError, bmp, jpeg, npy, png};

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
    open_selected(path, Selection::default())
}

/// Opens image number `image` of a file, counted as [`list_images`] does.
///
/// # Errors
/// [`SourceError::NoImage`] if there is none; else as [`open_file`].
pub fn open_image(path: &Path, image: usize) -> Result<Box<dyn OpenImage>, SourceError> {
    let selection = Selection {
        image: Some(image),
        ..Selection::default()
    };
    open_selected(path, selection)
}

/// Which part of a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The number of the image, as [`ImageEntry::index`] has it. `None`: the first one that has planes in this file.
    pub image: Option<usize>,
    /// Only the planes that lie in this file, not those in [`FileMetadata::other_files`]: for sets of files that are listed
    /// one by one.
    pub own_planes: bool,
}

/// Opens part of an image file.
///
/// # Errors
/// As [`open_image`].
pub fn open_selected(path: &Path, selection: Selection) -> Result<Box<dyn OpenImage>, SourceError> {
    let file = SourceFile::open(path)?;
    let format = format_of(path);
    if matches!(format, Some(Format::Tiff) | None) {
        return Ok(Box::new(open_tiff(file, selection)?));
    }
    if let Some(image) = selection.image.filter(|image| *image > 0) {
        let path = path.into();
        return Err(SourceError::NoImage { path, image, images: 1 });
    }
    if format == Some(Format::Npy) {
        return Ok(Box::new(npy::NpyImage::open(file)?));
    }
    let mut head = [0; 4];
    let length = file.length().min(4) as usize;
    file.read(0, &mut head[..length], || "the header".to_owned())?;
    match head {
        [0x89, b'P', b'N', b'G'] => Ok(Box::new(png::PngImage::open(file)?)),
        [b'B', b'M', ..] => Ok(Box::new(bmp::BmpImage::open(file)?)),
        _ => Ok(Box::new(jpeg::JpegImage::open(file)?)),
    }
}

fn open_tiff(file: SourceFile, selection: Selection) -> Result<TiffImage, SourceError> {
    let path = file.path().to_owned();
    TiffImage::open(file, selection).map_err(|error| {
        if format_of(&path).is_some() || error.fault() != Fault::Data {
            return error;
        }
        SourceError::UnknownSuffix {
            suffix: suffix(&path),
            reason: error.to_string(),
            known: SUFFIXES.map(|(known, _)| format!(".{known}")).join(", "),
            path,
        }
    })
}

/// An image of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageEntry {
    /// Its number for [`open_image`], counted from 0. Numbers of images that lie in other files are left out.
    pub index: usize,
    /// Shape and pixel type.
    pub info: ImageInfo,
    /// What the file says of it: its name, where the stage was …
    pub metadata: FileMetadata,
}

/// The images that have planes in a file: those of its OME-XML, or the only one.
///
/// # Errors
/// As [`open_file`], for any of them.
pub fn list_images(path: &Path) -> Result<Vec<ImageEntry>, SourceError> {
    let entry = |index, image: &dyn OpenImage| ImageEntry {
        index,
        info: image.info().clone(),
        metadata: image.metadata(),
    };
    if !matches!(format_of(path), Some(Format::Tiff) | None) {
        return Ok(vec![entry(0, &*open_file(path)?)]);
    }
    let first = open_tiff(SourceFile::open(path)?, Selection::default())?;
    let mut entries = Vec::new();
    match first.images() {
        [] => entries.push(entry(0, &first)),
        [index] => entries.push(entry(*index, &first)),
        several => {
            for &index in several {
                entries.push(entry(index, &*open_image(path, index)?));
            }
        }
    }
    Ok(entries)
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
