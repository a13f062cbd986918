//! Reads a store of ours through zarrs: what decodes chunks there need not know where bytes lie.

use std::io;

use ome_zarr_convert_store::{Location, StoreError};
use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey};

/// An array's folder.
pub(crate) struct ZarrFolder(pub(crate) Location);

impl ZarrFolder {
    fn place(&self, key: &StoreKey) -> Location {
        self.0.join(key.as_str())
    }
}

fn failed(error: StoreError) -> StorageError {
    io::Error::other(error).into()
}

impl ReadableStorageTraits for ZarrFolder {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        Ok(self.place(key).read().map_err(failed)?.map(Into::into))
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let Some(file) = self.place(key).open().map_err(failed)? else {
            return Ok(None);
        };
        let read = move |range: ByteRange| {
            let (start, end) = (range.start(file.len()), range.end(file.len()));
            if start > end || end > file.len() {
                return Err(StorageError::Other(format!(
                    "the bytes {start} to {end} lie outside of a file of {}",
                    file.len()
                )));
            }
            let mut bytes = vec![0; (end - start) as usize];
            file.read_exact_at(start, &mut bytes).map_err(failed)?;
            Ok(bytes.into())
        };
        Ok(Some(Box::new(ranges.map(read))))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        Ok(self.place(key).stat().map_err(failed)?.map(|stat| stat.bytes))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}
