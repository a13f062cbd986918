//! Counts files and bytes: one walk over the folder, whatever number of parts is asked for.

use std::collections::HashMap;

use ome_zarr_convert_store::{Entry, Kind, Location, StoreError};

use super::report::{Fault, Inspection, Usage};

/// Fills in every usage of the report. Links are counted as files and not followed.
pub(super) fn fill(inspection: &mut Inspection) {
    let mut walk = Walk {
        root: inspection.path.clone(),
        asked: HashMap::new(),
        faults: Vec::new(),
    };
    inspection.each_usage(&mut |part, _| {
        walk.asked.insert(part, Usage::default());
    });
    inspection.usage = walk.measure("");
    inspection.each_usage(&mut |part, usage| *usage = walk.asked.get(&part).copied().unwrap_or_default());
    inspection.problems.extend(walk.faults);
}

struct Walk {
    root: Location,
    /// What was asked for, by its path below the root.
    asked: HashMap<String, Usage>,
    faults: Vec<Fault>,
}

impl Walk {
    fn measure(&mut self, path: &str) -> Usage {
        let dir = self.root.join(path);
        let mut usage = Usage::default();
        let entries = dir.list().map(Option::unwrap_or_default);
        for entry in self.kept(path, entries).into_iter().flatten() {
            let measured = self.measure_entry(&dir, path, &entry);
            if let Some(below) = self.kept(path, measured) {
                usage.files += below.files;
                usage.bytes += below.bytes;
            }
        }
        if let Some(asked) = self.asked.get_mut(path) {
            *asked = usage;
        }
        usage
    }

    fn measure_entry(&mut self, dir: &Location, path: &str, entry: &Entry) -> Result<Usage, StoreError> {
        let name = entry.name()?;
        if entry.kind == Kind::Folder {
            let below = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            };
            return Ok(self.measure(&below));
        }
        let bytes = match (entry.kind, entry.bytes) {
            (Kind::File, None) => dir.child(name).stat()?.map_or(0, |stat| stat.bytes),
            (_, bytes) => bytes.unwrap_or(0),
        };
        Ok(Usage { files: 1, bytes })
    }

    /// What was found, or its error among the problems.
    fn kept<T>(&mut self, path: &str, found: Result<T, StoreError>) -> Option<T> {
        let fault = |error: StoreError| Fault {
            path: if path.is_empty() {
                ".".to_owned()
            } else {
                path.to_owned()
            },
            problem: error.to_string(),
        };
        found.map_err(|error| self.faults.push(fault(error))).ok()
    }
}

/// The path of a place below the root, with `/`; `.` for the root.
pub(super) fn relative(root: &Location, place: &Location) -> String {
    let below = place.key().strip_prefix(root.key()).unwrap_or(place.key());
    match below.trim_start_matches('/') {
        "" => ".".to_owned(),
        below => below.to_owned(),
    }
}
