//! Condition tables: what was done to each well, from a CSV file of its own, as attributes of the well's tiles.

use std::collections::HashMap;
use std::path::Path;

use indexmap::IndexMap;
use ome_zarr_convert_ngff::Cell;

use super::{cell_text, read_tiles_table};
use crate::collection::{Collection, row_label};
use crate::error::CoreError;
use crate::tile::{Attributes, Tile};

/// A well and, if the table has that column, an acquisition.
type Place = (String, u32, Option<u32>);

/// Gives every tile of a plate the conditions of its well as attributes.
///
/// The table has the columns `row` (letters or a number), `column` (or `col`) and perhaps `acquisition`, in any case of letters; every
/// other column is an attribute. Texts are taken without the blanks around them. Several rows of one well make attributes of several values. Empty cells, `NA` and the like are
/// missing values. Wells that the table does not list get no attributes.
pub fn apply_condition_table(path: &Path, tiles: &mut [Tile]) -> Result<(), CoreError> {
    let wrong = |problem: String| CoreError::Table {
        place: path.display().to_string(),
        problem,
    };
    let table = read_tiles_table(path)?;
    let names = table.names().map(str::to_owned);
    let mut columns: IndexMap<String, &[Cell]> = names
        .filter_map(|name| table.column(&name).map(|cells| (name.clone(), cells)))
        .collect();
    let mut take = |names: &[&str]| {
        let found = columns
            .keys()
            .find(|key| names.contains(&key.to_lowercase().as_str()))
            .cloned()?;
        columns.shift_remove(&found)
    };
    let (rows, numbers, acquisitions) = (take(&["row"]), take(&["column", "col"]), take(&["acquisition"]));
    let (Some(rows), Some(numbers)) = (rows, numbers) else {
        let names: Vec<&str> = table.names().collect();
        return Err(wrong(format!(
            "a condition table has the columns row and column, but this one has {}",
            names.join(", ")
        )));
    };
    let whole = |cell: &Cell| cell_text(cell).trim().parse::<u32>().ok();
    let mut conditions: HashMap<Place, Attributes> = HashMap::new();
    for index in 0..table.height() {
        let bad = |column: &str, cell: &Cell, expected: &str| {
            let found = cell_text(cell);
            wrong(format!(
                "row {}, column {column:?}: found {found:?}, expected {expected}",
                index + 1
            ))
        };
        let row = row_label(&cell_text(&rows[index]))
            .ok_or_else(|| bad("row", &rows[index], "letters or a number from 1"))?;
        let column = whole(&numbers[index]).filter(|column| *column >= 1);
        let column = column.ok_or_else(|| bad("column", &numbers[index], "a whole number from 1"))?;
        let acquisition = match &acquisitions {
            None => None,
            Some(cells) => {
                Some(whole(&cells[index]).ok_or_else(|| bad("acquisition", &cells[index], "a whole number from 0"))?)
            }
        };
        let of_well = conditions.entry((row, column, acquisition)).or_default();
        for (key, cells) in &columns {
            let cell = match &cells[index] {
                Cell::Text(text) => match text.trim() {
                    "" | "Na" | "NA" | "N/A" => Cell::Null,
                    text => Cell::Text(text.to_owned()),
                },
                cell => cell.clone(),
            };
            of_well.entry(key.clone()).or_default().push(cell);
        }
    }
    for tile in tiles {
        let Collection::ImageInPlate(place) = &*tile.collection else {
            return Err(wrong(
                "a condition table is for plates, but these images are not part of one".into(),
            ));
        };
        let acquisition = acquisitions.as_ref().map(|_| place.acquisition);
        let Some(attributes) = conditions.get(&(place.row.clone(), place.column, acquisition)) else {
            continue;
        };
        for (key, values) in attributes {
            if tile.attributes.insert(key.clone(), values.clone()).is_some() {
                return Err(wrong(format!(
                    "the column {key:?} is a column of the table of tiles too; rename one of them"
                )));
            }
        }
    }
    Ok(())
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
        let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut tiles = tiles();
        apply_condition_table(file.path(), &mut tiles)
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"))?;
        Ok(tiles.into_iter().map(|tile| tile.attributes).collect())
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
    fn what_places_no_row_is_told() {
        assert!(apply("well,drug\nA1,x\n").unwrap_err().contains("has well, drug"));
        let text = apply("row,column,drug\nA,0,x\n").unwrap_err();
        assert_eq!(
            text,
            "FILE: row 1, column \"column\": found \"0\", expected a whole number from 1"
        );
    }
}
