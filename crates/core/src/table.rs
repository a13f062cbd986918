//! Tables of tiles: from a CSV file or any data frame to tiles, row by row, with errors that name row, column and value.

mod conditions;
mod data_frame;
mod file;
mod fill;
mod headers;
mod image_path;
mod infer;
mod names;
mod parquet;
mod pattern;
mod positions;
mod tiles_table;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

pub use conditions::apply_condition_table;
pub use file::read_tiles_table;
pub(crate) use fill::table_has_depth;
pub use fill::{add_image_pages, add_image_sizes, files_have_time, table_has_time};
pub(crate) use headers::files_of;
pub use headers::{FileHeader, ReadHeader};
pub use image_path::with_image_path;
pub use infer::{NamedTiles, Naming, is_image_name};
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::{LoaderSpec, arrangement};
pub use parquet::{parquet_bytes, parquet_rows};
pub use positions::add_image_positions;
pub use tiles_table::TilesTable;
pub(crate) use tiles_table::cell_text;
pub use write::{tiles_csv, with_absolute_files};

use crate::acquisition::AcquisitionDetails;
use crate::collection::{Collection, row_label};
use crate::error::CoreError;
use crate::tile::{Attributes, Tile};

/// Columns that every table has, and those that it may have.
const REQUIRED: [&str; 6] = ["file_path", "fov_name", "start_x", "start_y", "length_x", "length_y"];
const OPTIONAL: [&str; 7] = [
    "start_z",
    "start_c",
    "start_t",
    "length_z",
    "length_c",
    "length_t",
    "file_axes",
];
/// Names that mean something else in the reference: as columns they would be lost or fail later.
const RESERVED: [&str; 5] = [
    "path_in_well",
    "attributes",
    "collection",
    "image_loader",
    "acquisition_details",
];

/// One tile per row of an HCS acquisition. Needs `row` and `column` besides the columns of every table; `plate_name` and
/// `acquisition` columns go before the arguments. Every other column is an attribute.
///
/// `plate_name` defaults to `Plate`, as in the reference.
pub fn hcs_images_from_dataframe(
    tiles_table: &TilesTable,
    acquisition_details: &AcquisitionDetails,
    plate_name: Option<&str>,
    acquisition_id: u32,
) -> Result<Vec<Tile>, CoreError> {
    let reader = Reader::new(tiles_table, &["row", "column"], &["plate_name", "acquisition"])?;
    let default_plate = plate_name.unwrap_or("Plate");
    let mut known: HashMap<(String, String, u32, u32), Arc<Collection>> = HashMap::new();
    reader.tiles(acquisition_details, |at| {
        let label = at.text("row")?;
        let row = row_label(&label).ok_or_else(|| {
            at.wrong(
                "row",
                &label,
                "letters (`A`, `AF`) or a number from 1",
                "write the row of the well",
            )
        })?;
        let column = at.count("column", 1)?;
        let plate = if at.has("plate_name") {
            at.text("plate_name")?
        } else {
            default_plate.to_owned()
        };
        let acquisition = if at.has("acquisition") {
            at.count("acquisition", 0)?
        } else {
            acquisition_id
        };
        let place = known.entry((plate, row, column, acquisition));
        let place = place.or_insert_with_key(|(plate, row, column, acquisition)| {
            Arc::new(Collection::in_plate(
                plate.as_str(),
                row.as_str(),
                *column,
                *acquisition,
            ))
        });
        Ok(place.clone())
    })
}

/// One tile per row of an acquisition of images that are not part of a plate. Needs `image_path` besides the columns of every
/// table; every other column (`row` and `column` too) is an attribute.
pub fn single_images_from_dataframe(
    tiles_table: &TilesTable,
    acquisition_details: &AcquisitionDetails,
) -> Result<Vec<Tile>, CoreError> {
    let reader = Reader::new(tiles_table, &["image_path"], &[])?;
    let mut known: HashMap<String, Arc<Collection>> = HashMap::new();
    reader.tiles(acquisition_details, |at| {
        let place = known.entry(at.text("image_path")?);
        Ok(place
            .or_insert_with_key(|path| Arc::new(Collection::single(path.as_str())))
            .clone())
    })
}

/// Says that a column is missing, and which one may be meant.
fn missing_column<'a>(needed: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let like = crate::model::closest(needed, names.clone());
    let hint = like.map_or_else(String::new, |like| format!(" (is {like:?} meant?)"));
    let names: Vec<&str> = names.collect();
    format!(
        "the column {needed:?} is missing; its columns are {}{hint}",
        names.join(", ")
    )
}

/// A table with what its columns are for.
struct Reader<'a> {
    table: &'a TilesTable,
    attributes: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn new(table: &'a TilesTable, own: &[&str], optional: &[&str]) -> Result<Self, CoreError> {
        if let Some(needed) = REQUIRED.iter().chain(own).find(|name| !table.has(name)) {
            return Err(table.wrong(missing_column(needed, table.names())));
        }
        if let Some(reserved) = RESERVED.iter().find(|name| table.has(name)) {
            return Err(table.wrong_column(reserved, "this name is reserved; rename the column".into()));
        }
        let known = |name: &str| {
            REQUIRED.contains(&name) || OPTIONAL.contains(&name) || own.contains(&name) || optional.contains(&name)
        };
        let attributes = table.names().filter(|name| !known(name)).collect();
        Ok(Self { table, attributes })
    }

    fn tiles(
        &self,
        details: &AcquisitionDetails,
        mut collection: impl FnMut(&Row<'_>) -> Result<Arc<Collection>, CoreError>,
    ) -> Result<Vec<Tile>, CoreError> {
        let details = Arc::new(details.clone());
        let mut tiles = Vec::with_capacity(self.table.height());
        for index in 0..self.table.height() {
            let row = Row {
                table: self.table,
                index,
            };
            let attributes: Attributes = self
                .attributes
                .iter()
                .map(|name| ((*name).to_owned(), vec![row.cell(name).clone()]))
                .collect();
            let tile = Tile {
                fov_name: row.text("fov_name")?,
                start_x: row.number("start_x")?,
                start_y: row.number("start_y")?,
                start_z: row.number_or("start_z", 0.0)?,
                start_c: row.whole_or("start_c", 0)?,
                start_t: row.number_or("start_t", 0.0)?,
                length_x: row.number("length_x")?,
                length_y: row.number("length_y")?,
                length_z: row.number_or("length_z", 1.0)?,
                length_c: row.whole_or("length_c", 1)?,
                length_t: row.number_or("length_t", 1.0)?,
                attributes,
                collection: collection(&row)?,
                image_loader: row.loader()?,
                acquisition_details: details.clone(),
            };
            tile.check()
                .map_err(|error| self.table.wrong_row(index, None, error.to_string()))?;
            tiles.push(tile);
        }
        Ok(tiles)
    }
}

/// One row, for reading cells with errors that name them.
struct Row<'a> {
    table: &'a TilesTable,
    index: usize,
}

impl Row<'_> {
    fn has(&self, column: &str) -> bool {
        self.cell(column) != &Cell::Null
    }

    fn cell(&self, column: &str) -> &Cell {
        self.table.cell(column, self.index)
    }

    fn wrong(&self, column: &str, found: &str, expected: &str, hint: &str) -> CoreError {
        let found = if found.is_empty() {
            "an empty cell".to_owned()
        } else {
            format!("{found:?}")
        };
        let problem = format!("found {found}, expected {expected}; {hint}");
        self.table.wrong_row(self.index, Some(column), problem)
    }

    fn text(&self, column: &str) -> Result<String, CoreError> {
        match self.cell(column) {
            Cell::Null => Err(self.wrong(column, "", "text", "fill the cell")),
            Cell::Text(text) if text.trim().is_empty() => Err(self.wrong(column, "", "text", "fill the cell")),
            cell => Ok(cell_text(cell)),
        }
    }

    fn loader(&self) -> Result<LoaderSpec, CoreError> {
        let file_path = self.text("file_path")?.trim().to_owned();
        if !self.has("file_axes") {
            return Ok(LoaderSpec::File { file_path });
        }
        let axes = self.text("file_axes")?;
        if arrangement(axes.trim()).is_none() {
            return Err(self.wrong(
                "file_axes",
                &axes,
                "the axes of the file's array, such as ZCYX or YXS (s for colors)",
                "correct the cell, or leave it empty for files in the order of the image",
            ));
        }
        Ok(LoaderSpec::with_axes(file_path, axes.trim()))
    }

    fn number(&self, column: &str) -> Result<f64, CoreError> {
        let value = match self.cell(column) {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            Cell::Bool(value) => Some(f64::from(u8::from(*value))),
            Cell::Text(text) => text.trim().parse().ok(),
            Cell::Null => None,
        };
        value
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| self.wrong(column, &cell_text(self.cell(column)), "a number", "correct the cell"))
    }

    fn number_or(&self, column: &str, default: f64) -> Result<f64, CoreError> {
        if self.has(column) {
            self.number(column)
        } else {
            Ok(default)
        }
    }

    fn whole_or(&self, column: &str, default: i64) -> Result<i64, CoreError> {
        if !self.has(column) {
            return Ok(default);
        }
        let value = self.number(column)?;
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return Ok(value as i64);
        }
        Err(self.wrong(
            column,
            &cell_text(self.cell(column)),
            "a whole number",
            "correct the cell",
        ))
    }

    fn count(&self, column: &str, least: u32) -> Result<u32, CoreError> {
        let wrong = |found: &str| {
            self.wrong(
                column,
                found,
                &format!("a whole number of at least {least}"),
                "correct the cell",
            )
        };
        if !self.has(column) {
            return Err(wrong(""));
        }
        let value = self
            .number(column)
            .ok()
            .filter(|value| value.fract() == 0.0 && *value >= f64::from(least));
        let value = value.filter(|value| *value <= f64::from(u32::MAX));
        value
            .map(|value| value as u32)
            .ok_or_else(|| wrong(&cell_text(self.cell(column))))
    }
}

#[cfg(test)]
mod tests;
