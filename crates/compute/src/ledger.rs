//! What is finished of an image that is not: one line per write unit, so that a killed conversion goes on where it was.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::ComputeError;
use crate::plan::Index5;

/// Name of the ledger in the folder where an image is built.
pub(crate) const NAME: &str = ".ledger";

/// The units of an image that are on disk, now and from an earlier run of the same conversion.
pub(crate) struct Ledger {
    path: PathBuf,
    file: Mutex<File>,
    done: HashMap<(usize, Index5), u64>,
}

impl Ledger {
    /// Opens the ledger of the conversion with that fingerprint in `dir`. An earlier run's lines are kept where their files have the
    /// size noted; anything of another conversion is removed by `clear`.
    pub(crate) fn open(
        dir: &Path,
        fingerprint: &str,
        file_of: impl Fn(usize, Index5) -> Option<PathBuf>,
        clear: impl FnOnce() -> Result<(), ComputeError>,
    ) -> Result<Self, ComputeError> {
        let path = dir.join(NAME);
        let head = format!("ome-zarr-convert ledger 1 {fingerprint}");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut done = HashMap::new();
        // The last line may be torn: only what ends in a line break counts.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines();
        if lines.next() == Some(&head) {
            for ((level, unit), bytes) in lines.filter_map(parse) {
                let there = file_of(level, unit).is_some_and(|file| match fs::metadata(file) {
                    Ok(metadata) => metadata.len() == bytes,
                    Err(_) => bytes == 0,
                });
                if there {
                    done.insert((level, unit), bytes);
                }
            }
        } else {
            clear()?;
        }
        let mut file = File::create(&path).map_err(ComputeError::io("create", &path))?;
        let mut text = format!("{head}\n");
        for ((level, unit), bytes) in &done {
            text.push_str(&line(*level, *unit, *bytes));
        }
        file.write_all(text.as_bytes())
            .map_err(ComputeError::io("write", &path))?;
        Ok(Self {
            path,
            file: Mutex::new(file),
            done,
        })
    }

    /// Whether an earlier run finished a unit, and the size of its file (0: all zeros, no file).
    pub(crate) fn done(&self, level: usize, unit: Index5) -> Option<u64> {
        self.done.get(&(level, unit)).copied()
    }

    /// Forgets a unit that turned out to be damaged.
    pub(crate) fn forget(&mut self, level: usize, unit: Index5) {
        self.done.remove(&(level, unit));
    }

    /// Whether no earlier run left anything.
    pub(crate) fn is_new(&self) -> bool {
        self.done.is_empty()
    }

    /// Units that an earlier run finished.
    pub(crate) fn units(&self) -> impl Iterator<Item = (usize, Index5)> + '_ {
        self.done.iter().filter(|(_, bytes)| **bytes > 0).map(|(unit, _)| *unit)
    }

    /// Number of files of a level that an earlier run finished.
    pub(crate) fn files(&self, level: usize) -> u64 {
        self.units().filter(|(of, _)| *of == level).count() as u64
    }

    /// Notes that a unit is on disk, whole.
    pub(crate) fn note(&self, level: usize, unit: Index5, bytes: u64) -> Result<(), ComputeError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line(level, unit, bytes).as_bytes())
            .map_err(ComputeError::io("write", &self.path))
    }
}

fn line(level: usize, [t, c, z, y, x]: Index5, bytes: u64) -> String {
    format!("{level} {t} {c} {z} {y} {x} {bytes}\n")
}

fn parse(line: &str) -> Option<((usize, Index5), u64)> {
    let numbers: Vec<u64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    match numbers[..] {
        [level, t, c, z, y, x, bytes] => Some(((level as usize, [t, c, z, y, x]), bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_remembers_whole_lines_of_the_same_conversion() {
        let dir = tempfile::tempdir().unwrap();
        let open = |fingerprint: &str| {
            let clear = || Ok(());
            Ledger::open(
                dir.path(),
                fingerprint,
                |_, unit| Some(dir.path().join(unit[4].to_string())),
                clear,
            )
            .unwrap()
        };
        let ledger = open("a");
        std::fs::File::create(dir.path().join("1"))
            .unwrap()
            .write_all(b"123")
            .unwrap();
        ledger.note(0, [0, 0, 0, 0, 1], 3).unwrap();
        ledger.note(0, [0, 0, 0, 0, 2], 7).unwrap();
        ledger.note(1, [0, 0, 0, 0, 3], 0).unwrap();
        ledger.file.lock().unwrap().write_all(b"1 0 0 0 0 4 0").unwrap();
        let ledger = open("a");
        assert_eq!(ledger.done(0, [0, 0, 0, 0, 1]), Some(3));
        assert_eq!(ledger.done(0, [0, 0, 0, 0, 2]), None, "its file is not there");
        assert_eq!(ledger.done(1, [0, 0, 0, 0, 3]), Some(0));
        assert_eq!(ledger.done(1, [0, 0, 0, 0, 4]), None, "its line is torn");
        assert_eq!(ledger.files(0), 1);
        assert_eq!(open("b").done(0, [0, 0, 0, 0, 1]), None);
    }
}
