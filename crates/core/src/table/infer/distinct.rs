//! Checks that no two files land on one place.

use std::collections::{BTreeSet, HashMap};

use super::read::{Named, merged_names, ready_pattern};
use super::{NamedTiles, Naming, TextColumn};
use crate::error::CoreError;
use crate::table::names::path_name;
use crate::table::pattern::Part;

/// Columns that place a tile.
const PLACE: [&str; 11] = [
    "plate_name",
    "row",
    "column",
    "acquisition",
    "image_path",
    "fov_name",
    "start_x",
    "start_y",
    "start_z",
    "start_c",
    "start_t",
];

impl NamedTiles {
    /// Two files for one place would overwrite each other, whatever else their names say; so would images whose names are the same once
    /// they can be paths.
    pub(super) fn check_distinct(
        &self,
        files: &[&str],
        named: &[Named<'_>],
        columns: &[TextColumn],
        naming: &Naming<'_>,
    ) -> Result<(), CoreError> {
        let named_by = match (self.in_wells, naming.plate_is_named) {
            (true, true) => &[][..],
            (true, false) => &[Part::Plate],
            (false, _) => &[Part::Image, Part::Plate],
        };
        for part in named_by {
            if let Some((first, second)) = merged_names(named, *part) {
                return Err(named[second].wrong(format!(
                    "it would become part of the same {} as {:?}, because both names give {:?} once they can be paths; rename one of them",
                    if *part == Part::Plate { "plate" } else { "image" },
                    named[first].file,
                    path_name(named[second].part(*part).unwrap_or_default())
                )));
            }
        }
        let places: Vec<&TextColumn> = columns
            .iter()
            .filter(|(name, _)| PLACE.contains(&name.as_str()))
            .collect();
        let mut known: HashMap<Vec<&str>, usize> = HashMap::new();
        for (index, file) in named.iter().enumerate() {
            let place = places.iter().map(|column| place_cell(column, index)).collect();
            if let Some(first) = known.insert(place, index) {
                let differ = differing_groups(&named[first], file);
                let differ = if differ.is_empty() {
                    String::new()
                } else {
                    format!(" (they differ in {differ}, which does not place a tile)")
                };
                return Err(file.wrong(format!(
                    "nothing in it tells the file from {:?}, as {} reads them{differ}; give a --pattern with a name (field, channel, z, \
                     t, image, plate, acquisition ...) for what differs, or move one of the files away{}",
                    named[first].file,
                    self.pattern,
                    ready_pattern(files)
                )));
            }
        }
        Ok(())
    }
}

/// A cell of a column that places a tile; `01` and `1` are one acquisition.
fn place_cell((name, cells): &TextColumn, row: usize) -> &str {
    let text = cells[row].as_deref().unwrap_or("");
    if name == "acquisition" {
        text.trim_start_matches('0')
    } else {
        text
    }
}

/// Names of groups of a user in which two files differ.
fn differing_groups(a: &Named<'_>, b: &Named<'_>) -> String {
    let names: BTreeSet<&String> = a.read.others.keys().chain(b.read.others.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| a.read.others.get(*name) != b.read.others.get(*name));
    differ.map(String::as_str).collect::<Vec<_>>().join(", ")
}
