//! What is finished of an image that is not: one line per write unit, so that a killed conversion goes on where it was. Where objects appear
//! whole or not at all, the store's own listing is the ledger.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::Index5;
use ome_zarr_convert_store::{Append, Location, Publishing};

use crate::error::ComputeError;

/// Name of the ledger in the folder where an image is built.
pub(crate) const NAME: &str = ".ledger";

/// The units of an image that are in the store, now and from an earlier run of the same conversion.
pub(crate) struct Ledger {
    /// Where lines go; `None` where the listing is the ledger.
    lines: Option<Mutex<Box<dyn Append>>>,
    done: HashMap<(usize, Index5), u64>,
}

/// Level and index of a write unit.
pub(crate) type Unit = (usize, Index5);

impl Ledger {
    /// Opens the ledger of the conversion with that fingerprint in `dir`. Units of an earlier run are kept where their files have the size
    /// noted; anything of another conversion is removed by `clear`.
    pub(crate) fn open(
        dir: &Location,
        fingerprint: &str,
        place_of: impl Fn(Unit) -> Option<Location>,
        units: impl Fn(&mut dyn FnMut(Unit)),
        clear: impl FnOnce() -> Result<(), ComputeError>,
    ) -> Result<Self, ComputeError> {
        if dir.publishing() == Publishing::DocumentLast {
            return Self::of_listing(dir, place_of, units);
        }
        let path = dir.child(NAME);
        let head = format!("ome-zarr-convert ledger 1 {fingerprint}");
        let text = path.read()?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // The last line may be torn: only what ends in a line break counts.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines();
        let mut done = HashMap::new();
        if lines.next() == Some(&head) {
            for (unit, bytes) in lines.filter_map(parse) {
                let Some(place) = place_of(unit) else { continue };
                let found = if bytes == 0 { None } else { place.stat()? };
                if found.map_or(0, |stat| stat.bytes) == bytes {
                    done.insert(unit, bytes);
                }
            }
        } else {
            clear()?;
        }
        let mut text = format!("{head}\n");
        for (unit, bytes) in &done {
            text.push_str(&line(*unit, *bytes));
        }
        Ok(Self {
            lines: Some(Mutex::new(path.appender(&[text.as_bytes()])?)),
            done,
        })
    }

    /// An object that is there is whole. Units of zeros have none: they are filled again.
    fn of_listing(
        dir: &Location,
        place_of: impl Fn(Unit) -> Option<Location>,
        units: impl Fn(&mut dyn FnMut(Unit)),
    ) -> Result<Self, ComputeError> {
        let below = |key: &str| {
            key.strip_prefix(dir.key())
                .map(|key| key.trim_start_matches('/').to_owned())
        };
        let files = dir.walk()?.into_iter().flatten();
        let found: HashMap<String, u64> = files.map(|file| (file.key, file.bytes)).collect();
        let mut done = HashMap::new();
        if !found.is_empty() {
            units(&mut |unit| {
                if let Some(bytes) = place_of(unit).and_then(|place| found.get(&below(place.key())?)) {
                    done.insert(unit, *bytes);
                }
            });
        }
        Ok(Self { lines: None, done })
    }

    /// Whether an earlier run finished a unit, and the size of its file (0: all zeros, no file).
    pub(crate) fn done(&self, unit: Unit) -> Option<u64> {
        self.done.get(&unit).copied()
    }

    /// Forgets a unit that turned out to be damaged.
    pub(crate) fn forget(&mut self, unit: Unit) {
        self.done.remove(&unit);
    }

    /// Whether no earlier run left anything.
    pub(crate) fn is_new(&self) -> bool {
        self.done.is_empty()
    }

    /// Units that an earlier run finished and that have a file.
    pub(crate) fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.done.iter().filter(|(_, bytes)| **bytes > 0).map(|(unit, _)| *unit)
    }

    /// Number of files of a level that an earlier run finished.
    pub(crate) fn files(&self, level: usize) -> u64 {
        self.units().filter(|(of, _)| *of == level).count() as u64
    }

    /// Notes that a unit is in the store, whole.
    pub(crate) fn note(&self, unit: Unit, bytes: u64) -> Result<(), ComputeError> {
        let Some(lines) = &self.lines else { return Ok(()) };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(lines.append(line(unit, bytes).as_bytes())?)
    }
}

fn line((level, [t, c, z, y, x]): Unit, bytes: u64) -> String {
    format!("{level} {t} {c} {z} {y} {x} {bytes}\n")
}

fn parse(line: &str) -> Option<(Unit, u64)> {
    let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    match numbers[..] {
        [level, t, c, z, y, x, bytes] => Some(((level as usize, [t, c, z, y, x]), bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ome_zarr_convert_store::{MemoryStore, Store};

    use super::*;

    fn open(dir: &Location, fingerprint: &str) -> Ledger {
        let place = |(_, index): Unit| Some(dir.child(&index[4].to_string()));
        let units = |visit: &mut dyn FnMut(Unit)| (0..5).for_each(|x| visit((0, [0, 0, 0, 0, x])));
        Ledger::open(dir, fingerprint, place, units, || Ok(())).unwrap()
    }

    #[test]
    fn a_ledger_remembers_whole_lines_of_the_same_conversion() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Location::local(folder.path()).unwrap();
        let ledger = open(&dir, "a");
        dir.child("1").write(&[b"123"]).unwrap();
        ledger.note((0, [0, 0, 0, 0, 1]), 3).unwrap();
        ledger.note((0, [0, 0, 0, 0, 2]), 7).unwrap();
        ledger.note((1, [0, 0, 0, 0, 3]), 0).unwrap();
        let mut lines = ledger.lines.as_ref().unwrap().lock().unwrap();
        lines.append(b"1 0 0 0 0 4 0").unwrap();
        drop(lines);
        let ledger = open(&dir, "a");
        assert_eq!(ledger.done((0, [0, 0, 0, 0, 1])), Some(3));
        assert_eq!(ledger.done((0, [0, 0, 0, 0, 2])), None, "its file is not there");
        assert_eq!(ledger.done((1, [0, 0, 0, 0, 3])), Some(0));
        assert_eq!(ledger.done((1, [0, 0, 0, 0, 4])), None, "its line is torn");
        assert_eq!(ledger.files(0), 1);
        assert_eq!(open(&dir, "b").done((0, [0, 0, 0, 0, 1])), None);
    }

    #[test]
    fn where_objects_are_whole_the_listing_is_the_ledger() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let dir = Location::new(store, "image");
        dir.child("2").write(&[b"12345"]).unwrap();
        let ledger = open(&dir, "a");
        assert_eq!(ledger.done((0, [0, 0, 0, 0, 2])), Some(5));
        assert_eq!(ledger.done((0, [0, 0, 0, 0, 1])), None);
        ledger.note((0, [0, 0, 0, 0, 1]), 3).unwrap();
        assert!(dir.child(NAME).stat().unwrap().is_none());
    }
}
