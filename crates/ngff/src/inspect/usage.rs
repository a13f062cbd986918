//! Counts files and bytes: one walk over the folder, whatever number of parts is asked for.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::report::{Fault, Inspection, Usage};
use crate::error::NgffError;

/// Fills in every usage of the report. Links are counted as files and not followed.
pub(super) fn fill(dir: &Path, inspection: &mut Inspection) {
    let mut walk = Walk {
        root: dir,
        asked: HashMap::new(),
        faults: Vec::new(),
    };
    inspection.each_usage(&mut |part, _| {
        walk.asked.insert(part, Usage::default());
    });
    inspection.usage = walk.measure(dir.to_owned());
    inspection.each_usage(&mut |part, usage| *usage = walk.asked.get(&part).copied().unwrap_or_default());
    inspection.problems.extend(walk.faults);
}

struct Walk<'a> {
    root: &'a Path,
    asked: HashMap<PathBuf, Usage>,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn measure(&mut self, dir: PathBuf) -> Usage {
        let mut usage = Usage::default();
        let mut folders = Vec::new();
        let mut look = || -> std::io::Result<()> {
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    usage.files += 1;
                    usage.bytes += entry.metadata()?.len();
                }
            }
            Ok(())
        };
        if let Err(error) = look() {
            self.faults.push(Fault {
                path: relative(self.root, &dir),
                problem: NgffError::io("read", &dir)(error).to_string(),
            });
        }
        for folder in folders {
            let below = self.measure(folder);
            usage.files += below.files;
            usage.bytes += below.bytes;
        }
        if let Some(asked) = self.asked.get_mut(&dir) {
            *asked = usage;
        }
        usage
    }
}

/// A path below the root, with `/`; `.` for the root.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}
