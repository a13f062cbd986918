//! Size and modification time of every source file: with the document and the options they are what an image was made from.

use std::collections::HashSet;
use std::time::UNIX_EPOCH;

use ome_zarr_convert_core::options::BadTiles;
use ome_zarr_convert_store::Location;
use sha2::Digest;

use crate::error::ComputeError;
use crate::event::Cancellation;
use crate::image::{Loading, PlannedImage};

/// The source files of an image as they are now.
pub(crate) struct Stamps {
    /// Size, and nanoseconds since 1970, in the order of the regions; zeros for a file that is not there.
    stamps: Vec<(u64, u128)>,
    /// Bytes of all files, each counted once.
    pub(crate) bytes: u64,
}

impl Stamps {
    /// Looks at every source file. One that is missing fails the image, unless it can do without bad tiles; one that cannot be looked at
    /// fails it in any case.
    pub(crate) fn read(
        image: &PlannedImage,
        loading: Loading<'_>,
        cancellation: &Cancellation,
    ) -> Result<Self, ComputeError> {
        let regions = &image.tiled().regions;
        let mut seen = HashSet::new();
        let mut read = Self {
            stamps: Vec::with_capacity(regions.len()),
            bytes: 0,
        };
        for region in regions {
            cancellation.check()?;
            let Some(path) = loading.loader.source_file(&region.image_loader, loading.resource) else {
                continue;
            };
            let Some(stat) = Location::local(&path)?.stat()? else {
                if image.options().bad_tiles == BadTiles::Fail {
                    return Err(missing(region, loading));
                }
                read.stamps.push((0, 0));
                continue;
            };
            let modified = stat.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            read.stamps
                .push((stat.bytes, modified.map_or(0, |time| time.as_nanos())));
            if seen.insert(path) {
                read.bytes += stat.bytes;
            }
        }
        Ok(read)
    }

    /// Hash of all that decides the output.
    pub(crate) fn fingerprint(&self, image: &PlannedImage) -> String {
        let mut hash = image.identity();
        for (bytes, modified) in &self.stamps {
            hash.update(bytes.to_le_bytes());
            hash.update(modified.to_le_bytes());
        }
        hash.finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What the loader says of a source that is not there.
fn missing(region: &ome_zarr_convert_core::Region, loading: Loading<'_>) -> ComputeError {
    match loading.loader.preflight(&region.image_loader, loading.resource) {
        Err(source) => ComputeError::Source {
            tile: region.describe(),
            source: Box::new(source),
        },
        Ok(()) => ComputeError::Tile {
            tile: region.describe(),
            problem: "its file is not there; check that it was not moved or deleted".into(),
        },
    }
}
