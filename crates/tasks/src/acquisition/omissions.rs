//! Keeps what an acquisition holds that is not used, and says it in one warning per reason.

use std::collections::BTreeMap;

use ome_zarr_convert_core::{LeftOut, LeftOutKind};
use tracing::warn;

/// Names in a warning at most.
const SHOWN: usize = 5;

/// What is left out: all of it is data for reports, and what a user may miss is said at once.
#[derive(Debug, Default)]
pub(super) struct Omissions {
    all: Vec<LeftOut>,
    /// Those that are said.
    loud: Vec<usize>,
}

impl Omissions {
    /// Something that a user expects to be used.
    pub(super) fn add(&mut self, out: LeftOut) {
        self.loud.push(self.all.len());
        self.all.push(out);
    }

    /// Something that is not expected to be used.
    pub(super) fn add_quietly(&mut self, out: LeftOut) {
        self.all.push(out);
    }

    /// Warnings, one per kind and reason, in the order of their first.
    fn warnings(&self) -> Vec<String> {
        let mut groups: Vec<((LeftOutKind, &str), Vec<&str>)> = Vec::new();
        let mut places: BTreeMap<(LeftOutKind, &str), usize> = BTreeMap::new();
        for out in self.loud.iter().filter_map(|index| self.all.get(*index)) {
            let key = (out.what, out.reason.as_str());
            let place = *places.entry(key).or_insert(groups.len());
            if place == groups.len() {
                groups.push((key, Vec::new()));
            }
            groups[place].1.push(&out.name);
        }
        let warning = |((what, reason), names): ((LeftOutKind, &str), Vec<&str>)| {
            let (one, more) = what.words();
            let words = if names.len() == 1 { one } else { more };
            let verb = if names.len() == 1 { "is" } else { "are" };
            let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            let rest = match names.len().saturating_sub(SHOWN) {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            match what {
                LeftOutKind::WellConditions => format!("{} {words} ({reason}): {shown}{rest}", names.len()),
                _ => format!("{} {words} {verb} not used ({reason}): {shown}{rest}", names.len()),
            }
        };
        groups.into_iter().map(warning).collect()
    }

    /// Says what a user may miss, and gives all.
    pub(super) fn say(self) -> Vec<LeftOut> {
        self.warnings().iter().for_each(|text| warn!("{text}"));
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_warning_per_reason() {
        let mut omissions = Omissions::default();
        for number in 0..7 {
            omissions.add(LeftOut::new(LeftOutKind::File, format!("{number}.tif"), "no well"));
        }
        omissions.add(LeftOut::new(LeftOutKind::WellConditions, "B02", "no row"));
        omissions.add_quietly(LeftOut::new(LeftOutKind::File, "notes.txt", "not an image"));
        assert_eq!(
            omissions.warnings(),
            [
                "7 files are not used (no well): 0.tif, 1.tif, 2.tif, 3.tif, 4.tif and 2 more",
                "1 well without conditions (no row): B02",
            ]
        );
        assert_eq!(omissions.say().len(), 9);
    }
}
