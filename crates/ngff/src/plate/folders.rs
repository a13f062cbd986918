//! What is in the folders of a plate, each listed once, so that nothing is written through a symbolic link.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ome_zarr_convert_store::{Kind, Location};

use crate::error::{NgffError, Result};

/// The folders of a plate as they were found.
pub(super) struct Folders<'a> {
    plate: &'a Location,
    /// What is in each folder, by its path in the plate.
    listed: HashMap<String, HashMap<String, Kind>>,
}

impl<'a> Folders<'a> {
    pub(super) fn of(plate: &'a Location) -> Self {
        Self {
            plate,
            listed: HashMap::new(),
        }
    }

    /// Whether something is at a path in the plate. Links there, or on the way there, are refused.
    pub(super) fn is_there(&mut self, path: &str) -> Result<bool> {
        let mut above = String::new();
        for part in path.split('/') {
            let place = if above.is_empty() {
                part.to_owned()
            } else {
                format!("{above}/{part}")
            };
            match self.list(above)?.get(part) {
                None => return Ok(false),
                Some(Kind::Link) => {
                    return Err(NgffError::Link {
                        place: self.plate.join(&place).to_string(),
                    });
                }
                Some(_) => above = place,
            }
        }
        Ok(true)
    }

    fn list(&mut self, path: String) -> Result<&HashMap<String, Kind>> {
        match self.listed.entry(path) {
            Entry::Occupied(listed) => Ok(listed.into_mut()),
            Entry::Vacant(new) => {
                let entries = self.plate.join(new.key()).list()?.into_iter().flatten();
                let named = entries.filter_map(|entry| Some((entry.os_name.to_str()?.to_owned(), entry.kind)));
                Ok(new.insert(named.collect()))
            }
        }
    }
}
