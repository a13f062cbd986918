//! Condition tables: what was done to each well, from a CSV file of its own, as attributes of the well's tiles.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use indexmap::IndexMap;
use ome_zarr_convert_ngff::Cell;

use super::bad_cells::{BadCell, BadCells};
use super::file::read_table;
use super::names::well;
use super::{TilesTable, cell_text};
use crate::collection::{Collection, ImageInPlate, row_label};
use crate::error::CoreError;
use crate::left_out::{LeftOut, LeftOutKind};
use crate::tile::{Attributes, Tile};

/// A well and, if the table has that column, an acquisition.
type Place = (String, u32, Option<u32>);

/// Gives every tile of a plate the conditions of its well as attributes, and says what found no counterpart: rows of wells without
/// tiles, and wells without a row.
///
/// The table has the columns `row` (letters or a number) and `column` (or `col`), or `well` (`B03`), and perhaps `acquisition`, in any
/// case of letters; every other column is an attribute. Texts are taken without the blanks around them. Several rows of one well make
/// attributes of several values. Empty cells, `NA` and the like are missing values.
///
/// # Errors
/// The table cannot be read, a row names no well (all such rows are named), an attribute is a column of the table of tiles too, or the
/// tiles are not part of a plate.
pub fn apply_condition_table(path: &Path, tiles: &mut [Tile]) -> Result<Vec<LeftOut>, CoreError> {
    let table = read_table(path, &["row", "well"])?;
    let conditions = Conditions::of(&table)?;
    let mut found: HashSet<Place> = HashSet::new();
    let mut missing = BTreeSet::new();
    for tile in tiles.iter_mut() {
        let Collection::ImageInPlate(place) = &*tile.collection else {
            return Err(table.wrong("a condition table is for plates, but these images are not part of one".into()));
        };
        let key = conditions.place(place);
        let Some((_, attributes)) = conditions.of_wells.get(&key) else {
            missing.insert((key.0.len(), key));
            continue;
        };
        for (name, values) in attributes {
            if tile.attributes.insert(name.clone(), values.clone()).is_some() {
                return Err(table.wrong_column(
                    name,
                    "the table of tiles has this column too; rename one of them".into(),
                ));
            }
        }
        found.insert(key);
    }
    let unused = conditions.of_wells.iter().filter(|(place, _)| !found.contains(*place));
    let unused = unused.flat_map(|(place, (rows, _))| {
        rows.iter().map(|row| {
            let name = format!(
                "{}, row {} ({})",
                path.display(),
                table.row_number(*row),
                place_name(place)
            );
            LeftOut::new(LeftOutKind::ConditionRow, name, "no tile lies in this well")
        })
    });
    let missing = missing.iter().map(|(_, place)| {
        let reason = format!("{} has no row for this well", path.display());
        LeftOut::new(LeftOutKind::WellConditions, place_name(place), reason)
    });
    let passed_over = table.left_out().iter().cloned();
    Ok(passed_over.chain(unused).chain(missing).collect())
}

fn place_name((row, column, acquisition): &Place) -> String {
    let acquisition = acquisition.map_or_else(String::new, |number| format!(", acquisition {number}"));
    format!("{row}{column:02}{acquisition}")
}

/// The rows of a condition table by their wells.
struct Conditions {
    /// The rows of each well, and what they say.
    of_wells: IndexMap<Place, (Vec<usize>, Attributes)>,
    has_acquisitions: bool,
}

impl Conditions {
    fn of(table: &TilesTable) -> Result<Self, CoreError> {
        let column_named = |names: &[&str]| table.names().find(|name| names.contains(&name.to_lowercase().as_str()));
        let (row, column) = (column_named(&["row"]), column_named(&["column", "col"]));
        let (well, acquisition) = (column_named(&["well"]), column_named(&["acquisition"]));
        let place_columns = match (row, column, well) {
            (Some(row), Some(column), _) => vec![row, column],
            (_, _, Some(well)) => vec![well],
            _ => {
                return Err(table.wrong(format!(
                    "a condition table has the columns row and column, or well, but this one has {}",
                    table.names().collect::<Vec<_>>().join(", ")
                )));
            }
        };
        let own = |name: &&str| !place_columns.contains(name) && Some(*name) != acquisition;
        let attributes: Vec<&str> = table.names().filter(own).collect();
        let mut conditions = Self {
            of_wells: IndexMap::new(),
            has_acquisitions: acquisition.is_some(),
        };
        let mut bad = BadCells::default();
        for index in 0..table.height() {
            let known = bad.count();
            let cells = Cells { table, index };
            let (row, column) = match place_columns[..] {
                [row, column] => (bad.keep(cells.row(row)), bad.keep(cells.number(column, 1))),
                _ => bad.keep(cells.well(place_columns[0])),
            };
            let acquisition = acquisition.map(|name| bad.keep(cells.number(name, 0)));
            if bad.count() > known {
                continue;
            }
            let (rows, values) = conditions.of_wells.entry((row, column, acquisition)).or_default();
            rows.push(index);
            for name in &attributes {
                values
                    .entry((*name).to_owned())
                    .or_default()
                    .push(cells.attribute(name));
            }
        }
        bad.into_result(table)?;
        Ok(conditions)
    }

    fn place(&self, place: &ImageInPlate) -> Place {
        let acquisition = self.has_acquisitions.then_some(place.acquisition);
        // Tiles of a converter's own may name a row in small letters.
        let row = row_label(&place.row).unwrap_or_else(|| place.row.clone());
        (row, place.column, acquisition)
    }
}

/// The cells of one row.
struct Cells<'a> {
    table: &'a TilesTable,
    index: usize,
}

impl Cells<'_> {
    fn bad(&self, column: &str, expected: &str) -> BadCell {
        let found = cell_text(self.table.cell(column, self.index));
        BadCell {
            row: self.index,
            column: Some(column.to_owned()),
            problem: format!("found {found:?}, expected {expected}"),
        }
    }

    fn row(&self, column: &str) -> Result<String, BadCell> {
        let text = cell_text(self.table.cell(column, self.index));
        row_label(&text).ok_or_else(|| self.bad(column, "letters or a number from 1"))
    }

    fn well(&self, column: &str) -> Result<(String, u32), BadCell> {
        let text = cell_text(self.table.cell(column, self.index));
        well(text.trim()).ok_or_else(|| self.bad(column, "a well such as B03"))
    }

    fn number(&self, column: &str, least: u32) -> Result<u32, BadCell> {
        let number = cell_text(self.table.cell(column, self.index))
            .trim()
            .parse::<u32>()
            .ok();
        let number = number.filter(|number| *number >= least);
        number.ok_or_else(|| self.bad(column, &format!("a whole number from {least}")))
    }

    fn attribute(&self, column: &str) -> Cell {
        match self.table.cell(column, self.index) {
            Cell::Text(text) => match text.trim() {
                "" | "Na" | "NA" | "N/A" => Cell::Null,
                text => Cell::Text(text.to_owned()),
            },
            cell => cell.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use ome_zarr_convert_sources::LoaderSpec;

    use super::*;
    use crate::acquisition::AcquisitionDetails;

    fn tiles() -> Vec<Tile> {
        let details = Arc::new(AcquisitionDetails::default());
        let tile = |row: &str, column: u32, acquisition: u32| {
            let place = Arc::new(Collection::in_plate("P", row, column, acquisition));
            let loader = LoaderSpec::File {
                file_path: "x.tif".into(),
            };
            Tile::new("F", 4.0, 4.0, place, loader, details.clone())
        };
        vec![tile("A", 1, 0), tile("A", 1, 1), tile("B", 2, 0)]
    }

    fn apply(text: &str) -> Result<Vec<Attributes>, String> {
        apply_with_left_out(text).map(|(attributes, _)| attributes)
    }

    fn apply_with_left_out(text: &str) -> Result<(Vec<Attributes>, String), String> {
        let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut tiles = tiles();
        let name = |text: String| text.replace(&file.path().display().to_string(), "FILE");
        let left_out = apply_condition_table(file.path(), &mut tiles).map_err(|error| name(error.to_string()))?;
        let left_out: Vec<String> = left_out
            .iter()
            .map(|out| name(format!("{} {}: {}", out.what, out.name, out.reason)))
            .collect();
        let attributes = tiles.into_iter().map(|tile| tile.attributes).collect();
        Ok((attributes, left_out.join("; ")))
    }

    #[test]
    fn rows_and_wells_without_a_counterpart_are_left_out() {
        let (_, left_out) = apply_with_left_out("row,column,drug\nA,1,x\nC,9,y\nC,9,z\n").unwrap();
        assert_eq!(
            left_out,
            "row of the condition table FILE, row 3 (C09): no tile lies in this well; row of the condition table FILE, row 4 \
             (C09): no tile lies in this well; well without conditions B02: FILE has no row for this well"
        );
        let (_, left_out) = apply_with_left_out("Well;drug\na1;001\nB02;002\n").unwrap();
        assert_eq!(left_out, "");
        let attributes = apply("Well;code\na1;001\nB02;1E5\n").unwrap();
        assert_eq!(attributes[0]["code"], [Cell::Text("001".into())]);
        assert_eq!(attributes[2]["code"], [Cell::Text("1E5".into())]);
    }

    #[test]
    fn rows_of_a_well_become_its_attributes() {
        let attributes = apply("Row,Col,drug,dose\nA,1, DMSO ,1\n1,01, N/A,2\nC,9,x,3\n").unwrap();
        assert_eq!(attributes[0]["drug"], [Cell::Text("DMSO".into()), Cell::Null]);
        assert_eq!(attributes[0]["dose"], [Cell::Int(1), Cell::Int(2)]);
        assert_eq!(attributes[0], attributes[1]);
        assert!(attributes[2].is_empty());
        let attributes = apply("row,column,acquisition,drug\nA,1,1,a\nB,2,0,b\n").unwrap();
        assert!(attributes[0].is_empty());
        assert_eq!(attributes[1]["drug"], [Cell::Text("a".into())]);
    }

    #[test]
    fn rows_that_name_no_well_are_errors() {
        assert!(apply("place,drug\nA1,x\n").unwrap_err().contains("has place, drug"));
        let text = apply("row,column,drug\nA,0,x\n").unwrap_err();
        assert_eq!(
            text,
            "FILE, row 2, column \"column\": found \"0\", expected a whole number from 1"
        );
    }
}
