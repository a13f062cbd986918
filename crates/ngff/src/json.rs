//! JSON documents in a store: read, and written whole, so that a reader, or a kill, finds the old content or the new one.

use ome_zarr_convert_store::Location;
use serde_json::Value;

use crate::error::{NgffError, Result};

/// Writes JSON as zarr-python does: two spaces, no newline at the end.
pub(crate) fn write(place: &Location, value: &Value) -> Result<()> {
    Ok(place.write_whole(&[&encode(place, value)?])?)
}

/// Writes JSON where nothing is yet; something there is [`StoreError::AlreadyExists`](ome_zarr_convert_store::StoreError).
pub(crate) fn create(place: &Location, value: &Value) -> Result<()> {
    Ok(place.create(&[&encode(place, value)?])?)
}

/// Reads JSON; `None` if there is no such file.
pub(crate) fn read(place: &Location) -> Result<Option<Value>> {
    let Some(bytes) = place.read()? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(not_json(place))
}

fn encode(place: &Location, value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(not_json(place))
}

fn not_json(place: &Location) -> impl FnOnce(serde_json::Error) -> NgffError {
    move |source| NgffError::Json {
        place: place.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ome_zarr_convert_store::MemoryStore;

    use super::*;

    #[test]
    fn damaged_json_is_an_error_that_names_the_file() {
        let place = Location::new(Arc::new(MemoryStore::new()), "image/.zattrs");
        assert!(read(&place).unwrap().is_none());
        place.write_whole(&[b"{\"plate\": {"]).unwrap();
        let text = read(&place).unwrap_err().to_string();
        assert!(
            text.starts_with("memory:///image/.zattrs is not valid JSON: EOF while parsing"),
            "{text}"
        );
    }
}
