//! MetaMorph STK: one directory, its planes one after the other; the count of a private tag says how many.

use std::sync::Arc;

use ome_zarr_convert_geometry::Fault;

use crate::file::SourceFile;
use crate::tiff::axes::Axes;
use crate::tiff::directory::{Directory, DirectoryReader, tag, unsigned};
use crate::tiff::pages::Slot;
use crate::tiff::series::{Contents, Series};
use crate::tiff::units::length_in_um;
use crate::{FileMetadata, LeftOut, SourceError};

/// Numbers of the values in the tag UIC1.
const X_CALIBRATION: u64 = 4;
const Y_CALIBRATION: u64 = 5;
const CALIBRATION_UNITS: u64 = 6;

/// The stack; `None` if the file is not MetaMorph's.
pub(crate) fn series(contents: &mut Contents<'_, '_>) -> Result<Option<Series>, SourceError> {
    if !contents.pages.first.contains(tag::UIC1) {
        return Ok(None);
    }
    let file = contents.reader.file();
    let layout = Arc::clone(&contents.page.layout);
    let planes = contents.pages.first.count(tag::UIC2).unwrap_or(1).max(1);
    let listed = contents.pages.found.len() as u64;
    let all_listed = listed > 1 && contents.count_like_first() == planes;
    let pages = if planes == 1 || all_listed {
        contents.like(&layout)
    } else {
        // Planes follow each other whatever the strips of the first one look like.
        let Some(start) = contents.page.start() else {
            return Err(file.unsupported(
                "a compressed STK of several planes",
                "Save it uncompressed or as TIFF stack",
            ));
        };
        let bytes = layout.bytes().saturating_mul(planes);
        file.require(start, bytes, || format!("the {planes} planes of the stack"))?;
        vec![Slot::Page(Arc::new(contents.page.repeated(planes, start)))]
    };
    let planes = pages.len().max(planes as usize) as u64;
    let mut left_out = Vec::new();
    let first = &contents.pages.first;
    let times = match plane_times(contents.reader, first, planes) {
        Ok(times) => times,
        Err(error) => {
            tell(&mut left_out, file, "time and height of planes in the tag UIC2", error).map(|()| Vec::new())?
        }
    };
    let calibration = match metadata(contents.reader, first) {
        Ok((calibration, _)) if calibration.pixel_size_um.is_some() => calibration,
        Ok((calibration, None)) => calibration,
        Ok((calibration, Some(says))) => {
            let reason = "it is not a length above 0 in a known unit";
            left_out.push(LeftOut::metadata(file.path(), "pixel size", says, reason));
            calibration
        }
        Err(error) => {
            tell(&mut left_out, file, "calibration in the tag UIC1", error).map(|()| FileMetadata::default())?
        }
    };
    let all = |test: fn(&PlaneTime) -> bool| planes > 1 && !times.is_empty() && times.iter().all(test);
    let letter = if all(|plane| plane.z != 0.0) {
        'Z'
    } else if planes > 1 && times.windows(2).all(|pair| pair[0].created_ms != pair[1].created_ms) && times.len() > 1 {
        'T'
    } else {
        'I'
    };
    let mut axes = Axes::new(layout.shape(), layout.axes());
    axes.shape.insert(0, planes);
    axes.letters.insert(0, letter);
    let mut series = Series::new(axes.squeezed(), layout, pages);
    series.left_out = left_out;
    series.rest = "the tag UIC2 does not count it".to_owned();
    series.metadata = FileMetadata {
        z_spacing_um: z_spacing_um(&times).filter(|_| letter == 'Z'),
        t_spacing_s: mean_interval_s(&times).filter(|_| letter == 'T'),
        ..calibration
    };
    Ok(Some(series))
}

/// Damaged metadata is told; what the environment does is an error.
fn tell(left_out: &mut Vec<LeftOut>, file: &SourceFile, name: &str, error: SourceError) -> Result<(), SourceError> {
    match error.fault() {
        Fault::Data => {
            left_out.push(LeftOut::metadata(file.path(), name, "", error.reason()));
            Ok(())
        }
        _ => Err(error),
    }
}

struct PlaneTime {
    /// Distance to the plane before, in µm.
    z: f64,
    created_day: u64,
    created_ms: u64,
}

/// The distance of neighboring planes, if it is the same for all.
fn z_spacing_um(planes: &[PlaneTime]) -> Option<f64> {
    let first = planes.first()?.z;
    let same = planes.iter().all(|plane| (plane.z - first).abs() <= 1e-6 * first.abs());
    (same && first.is_finite() && first != 0.0).then_some(first.abs())
}

fn mean_interval_s(planes: &[PlaneTime]) -> Option<f64> {
    let (first, last) = (planes.first()?, planes.last()?);
    let days = last.created_day as f64 - first.created_day as f64;
    let ms = days * 86_400_000.0 + last.created_ms as f64 - first.created_ms as f64;
    Some(ms / 1000.0 / (planes.len() - 1) as f64).filter(|interval| interval.is_finite() && *interval > 0.0)
}

/// Six numbers for each plane: distance in z as a fraction, then day and time of creation and of change.
fn plane_times(
    reader: &mut DirectoryReader<'_>,
    directory: &Directory,
    planes: u64,
) -> Result<Vec<PlaneTime>, SourceError> {
    let Some(place) = reader.find_place(directory, tag::UIC2)? else {
        return Ok(Vec::new());
    };
    let what = || "the tag UIC2".to_owned();
    let length = planes.saturating_mul(24);
    reader.file().require(place.offset, length, what)?;
    let big_endian = reader.big_endian;
    let number = |bytes: &[u8]| unsigned(bytes, big_endian);
    let records = reader.bytes(place.offset, length as usize, what)?.chunks_exact(24);
    Ok(records
        .map(|record| PlaneTime {
            z: number(&record[..4]) as f64 / number(&record[4..8]) as f64,
            created_day: number(&record[8..12]),
            created_ms: number(&record[12..16]),
        })
        .collect())
}

/// The pixel size, and what the file says of it if anything.
fn metadata(
    reader: &mut DirectoryReader<'_>,
    directory: &Directory,
) -> Result<(FileMetadata, Option<String>), SourceError> {
    let Some(place) = reader.find_place(directory, tag::UIC1)? else {
        return Ok((FileMetadata::default(), None));
    };
    let what = || "the tag UIC1".to_owned();
    // Its count is the number of pairs of a number and a value or position.
    let length = place.count.saturating_mul(8);
    reader.file().require(place.offset, length, what)?;
    let big_endian = reader.big_endian;
    let pairs: Vec<(u64, u64)> = reader
        .bytes(place.offset, length as usize, what)?
        .chunks_exact(8)
        .map(|pair| (unsigned(&pair[..4], big_endian), unsigned(&pair[4..], big_endian)))
        .collect();
    let position = |id: u64| pairs.iter().find(|(number, _)| *number == id).map(|(_, value)| *value);
    let mut fraction = |id| -> Result<Option<f64>, SourceError> {
        let Some(at) = position(id) else { return Ok(None) };
        let bytes = reader.bytes(at, 8, what)?;
        Ok(Some(
            unsigned(&bytes[..4], big_endian) as f64 / unsigned(&bytes[4..], big_endian) as f64,
        ))
    };
    let (x, y) = (fraction(X_CALIBRATION)?, fraction(Y_CALIBRATION)?);
    let unit = match position(CALIBRATION_UNITS) {
        None => String::new(),
        Some(at) => {
            let length = unsigned(reader.bytes(at, 4, what)?, big_endian);
            let bytes = reader.bytes(at + 4, length.min(64) as usize, what)?;
            bytes
                .iter()
                .take_while(|byte| **byte != 0)
                .map(|byte| char::from(*byte))
                .collect()
        }
    };
    let in_um = |size: Option<f64>| size.and_then(|size| length_in_um(size, &unit));
    let says = x.zip(y).map(|(x, y)| format!("{x} x {y} {unit:?}"));
    let metadata = FileMetadata {
        pixel_size_um: in_um(x).zip(in_um(y)),
        ..FileMetadata::default()
    };
    Ok((metadata, says))
}
