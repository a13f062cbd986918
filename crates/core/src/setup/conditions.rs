//! The condition table of a plate: what was done to the sample of each image.

use std::collections::HashSet;

use indexmap::IndexMap;
use ome_zarr_convert_ngff::{Cell, DataTable};

use super::plates::Placed;
use crate::error::CoreError;
use crate::tiled_image::TiledImage;

/// Name of the table.
pub(super) const NAME: &str = "condition_table";

/// Columns that place a row; no attribute may be called so.
const PLACE: [&str; 4] = ["row", "column", "acquisition", "path_in_well"];

/// The condition table of a plate: place columns, then the attributes; images without attributes are left out. `None` without
/// any attribute.
pub(super) fn condition_table(placed: &[Placed<'_>]) -> Result<Option<DataTable>, CoreError> {
    let described: Vec<_> = placed
        .iter()
        .filter(|placed| !placed.image.attributes.is_empty())
        .collect();
    let Some(first) = described.first() else {
        return Ok(None);
    };
    let wrong = |image: &TiledImage, problem: String| {
        Err(CoreError::Table {
            place: format!("the condition table, image {}", image.path),
            problem,
        })
    };
    if let Some(reserved) = PLACE.iter().find(|name| first.image.attributes.contains_key(**name)) {
        return wrong(
            first.image,
            format!("an attribute is called {reserved:?}, which places a row; rename the column"),
        );
    }
    let mut columns: IndexMap<&str, Vec<Cell>> = PLACE.iter().map(|name| (*name, Vec::new())).collect();
    for placed in &described {
        let attributes = &placed.image.attributes;
        let mut keys: Vec<_> = attributes.keys().collect();
        let mut expected: Vec<_> = first.image.attributes.keys().collect();
        keys.sort();
        expected.sort();
        if keys != expected {
            return wrong(
                placed.image,
                format!(
                    "its attributes are {keys:?}, but those of image {} are {expected:?}; give all images the same attributes \
                     (cells may be empty)",
                    first.image.path
                ),
            );
        }
        let rows = match placed.image.attribute_rows() {
            Ok(rows) => rows,
            Err(problem) => return wrong(placed.image, problem),
        };
        let place = [
            Cell::Text(placed.place.row.clone()),
            Cell::Int(i64::from(placed.place.column)),
            Cell::Int(i64::from(placed.place.acquisition)),
            Cell::Text(placed.path_in_well.clone()),
        ];
        for (name, cell) in PLACE.into_iter().zip(place) {
            columns.entry(name).or_default().extend(std::iter::repeat_n(cell, rows));
        }
        for (key, values) in attributes {
            columns.entry(key).or_default().extend(values.iter().cloned());
        }
    }
    let mut table = DataTable::new();
    for (name, cells) in columns {
        table.push_column(name, cells)?;
    }
    Ok(Some(table))
}

/// The rows of `old` whose images are not in `new`, then those of `new`.
pub(super) fn merge(mut old: DataTable, new: DataTable) -> DataTable {
    // Read back from CSV, `0` is a number where it was text.
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Int(int) => int.to_string(),
        other => format!("{other:?}"),
    };
    let key = |table: &DataTable, row: usize| -> Vec<String> {
        PLACE
            .iter()
            .map(|name| table.column(name).map_or_else(String::new, |cells| text(&cells[row])))
            .collect()
    };
    let replaced: HashSet<_> = (0..new.row_count()).map(|row| key(&new, row)).collect();
    let keep: Vec<bool> = (0..old.row_count())
        .map(|row| !replaced.contains(&key(&old, row)))
        .collect();
    old.retain_rows(|row| keep[row]);
    old.append(new);
    old
}
