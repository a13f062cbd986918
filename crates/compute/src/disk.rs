//! A level on disk, read through its codecs: for verification, and for what a resumed conversion needs again.

use std::sync::Arc;

use ome_zarr_convert_geometry::{Grid, Index5, PixelType};
use ome_zarr_convert_ngff::ArrayInfo;
use ome_zarr_convert_store::Location;
use rayon::prelude::*;
use zarrs::array::{Array, ArrayBytes, ArraySubset, CodecOptions};

use crate::zarr_read::ZarrFolder;

/// Something that is wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or folder.
    pub path: String,
    /// What was found and what was expected.
    pub problem: String,
}

/// A level on disk.
pub(crate) struct DiskLevel {
    pub(crate) dir: Location,
    array: Array<ZarrFolder>,
    pub(crate) data_type: PixelType,
    /// Shape of the array and of its write units, padded in front to five axes.
    pub(crate) shape: Index5,
    pub(crate) unit: Index5,
    pub(crate) axes: usize,
    /// Where the first unit lies; the others are named alike.
    first_key: String,
}

impl DiskLevel {
    pub(crate) fn open(dir: &Location) -> Result<Self, Finding> {
        let broken = |problem: String| Finding {
            path: dir.to_string(),
            problem,
        };
        let (info, _) = ArrayInfo::read(dir).map_err(|error| broken(error.to_string()))?;
        let array = Array::open(Arc::new(ZarrFolder(dir.clone())), "/").map_err(|error| broken(error.to_string()))?;
        let axes = info.shape.len();
        if axes > 5 {
            return Err(broken(format!("it has {axes} axes, but an image has at most 5")));
        }
        let pad = |sizes: &[u64]| -> Index5 {
            let mut padded = [1; 5];
            padded[5 - axes..].copy_from_slice(sizes);
            padded
        };
        let unit = info.shards.as_ref().unwrap_or(&info.chunks);
        Ok(Self {
            dir: dir.clone(),
            data_type: info.data_type,
            shape: pad(&info.shape),
            unit: pad(unit),
            axes,
            array,
            first_key: info.first_key,
        })
    }

    /// Its write units.
    pub(crate) fn grid(&self) -> Grid {
        Grid {
            shape: self.shape,
            cell: self.unit,
        }
    }

    pub(crate) fn units(&self) -> Vec<Index5> {
        let mut units = Vec::new();
        self.grid().each_cell(|unit| units.push(unit));
        units
    }

    pub(crate) fn file(&self, unit: Index5) -> String {
        self.file_own(&unit[5 - self.axes..])
    }

    fn file_own(&self, unit: &[u64]) -> String {
        format!("{}/{}", self.dir, self.key_own(unit))
    }

    fn key_own(&self, unit: &[u64]) -> String {
        let key: Vec<String> = unit.iter().map(u64::to_string).collect();
        let (prefix, separator) = match self.first_key.as_bytes() {
            [b'c', separator, ..] => (format!("c{}", char::from(*separator)), char::from(*separator)),
            [_, separator, ..] => (String::new(), char::from(*separator)),
            _ => (String::new(), '/'),
        };
        format!("{prefix}{}", key.join(&separator.to_string()))
    }

    fn options() -> CodecOptions {
        CodecOptions::default().with_concurrent_target(1)
    }

    /// Decodes a write unit, if it is there; what is wrong with it, if anything.
    pub(crate) fn decode(&self, unit: Index5) -> Option<Finding> {
        self.decode_own(&unit[5 - self.axes..])
    }

    /// The same, given along the axes that the array has.
    pub(crate) fn decode_own(&self, unit: &[u64]) -> Option<Finding> {
        let decoded = self
            .array
            .retrieve_chunk_if_exists_opt::<ArrayBytes<'static>>(unit, &Self::options());
        decoded.err().map(|error| Finding {
            path: self.file_own(unit),
            problem: format!("it cannot be decoded ({error}); it is damaged or cut short: convert the image again"),
        })
    }

    /// Decodes every write unit that is there; gives their number and those that do not decode to their size.
    pub(crate) fn decode_all(&self) -> (u64, Vec<Finding>) {
        self.decode_all_unless(|| false)
    }

    /// The same, until `stop` says so.
    pub(crate) fn decode_all_unless(&self, stop: impl Fn() -> bool + Sync) -> (u64, Vec<Finding>) {
        let units = self.units();
        let decode = |unit: &Index5| if stop() { None } else { self.decode(*unit) };
        (units.len() as u64, units.par_iter().filter_map(decode).collect())
    }

    /// Holds the number of files against what the conversion wrote.
    pub(crate) fn count_files(&self, expected: u64) -> Option<Finding> {
        let there = |unit: &Index5| {
            let place = self.dir.join(&self.key_own(&unit[5 - self.axes..]));
            place.exists().is_ok_and(|there| there)
        };
        let found = self.units().par_iter().filter(|unit| there(unit)).count() as u64;
        (found != expected).then(|| Finding {
            path: self.dir.to_string(),
            problem: format!("it holds {found} files of pixels, but {expected} were written: convert the image again"),
        })
    }

    /// The pixels of a box, native endian in C order.
    pub(crate) fn read(&self, start: Index5, size: Index5) -> Result<Vec<u8>, Finding> {
        self.read_own(&start[5 - self.axes..], &size[5 - self.axes..])
    }

    /// The same, given along the axes that the array has.
    pub(crate) fn read_own(&self, start: &[u64], size: &[u64]) -> Result<Vec<u8>, Finding> {
        let broken = |problem: String| Finding {
            path: self.dir.to_string(),
            problem,
        };
        let subset =
            ArraySubset::new_with_start_shape(start.to_vec(), size.to_vec()).map_err(|e| broken(e.to_string()))?;
        let bytes = self
            .array
            .retrieve_array_subset_opt::<ArrayBytes<'static>>(&subset, &Self::options());
        let bytes = bytes.map_err(|error| broken(error.to_string()))?;
        Ok(bytes
            .into_fixed()
            .map_err(|error| broken(error.to_string()))?
            .into_owned())
    }
}
