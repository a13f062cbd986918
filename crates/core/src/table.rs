//! Tables of tiles: from a CSV file or any data frame to tiles, row by row, with errors that name row, column and value.

mod bad_cells;
mod built_in;
mod channel_words;
mod columns;
mod conditions;
mod data_frame;
mod dialect;
mod encoding;
mod file;
mod fill;
mod habits;
mod headers;
mod image_path;
mod infer;
mod names;
mod parquet;
mod pattern;
mod positions;
mod records;
mod spreadsheet;
mod suggest;
mod tiles_table;
mod words;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

pub use bad_cells::{BadCell, BadCells};
pub use conditions::apply_condition_table;
pub use file::{TABLE_SUFFIXES, read_tiles_table};
pub(crate) use fill::table_has_depth;
pub use fill::{add_image_pages, add_image_sizes, files_have_time, table_has_time};
pub(crate) use headers::files_of;
pub use headers::{BadFiles, FileHeader, ReadHeader};
pub use image_path::with_image_path;
pub use infer::{NamedTiles, Naming, is_image_name};
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::{LoaderSpec, arrangement};
pub use parquet::{parquet_bytes, parquet_rows};
pub use positions::add_image_positions;
pub use tiles_table::TilesTable;
pub(crate) use tiles_table::cell_text;
pub use write::{tiles_csv, with_absolute_files};

use self::names::well;
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

/// One tile per row of an HCS acquisition. Needs `row` and `column` (or `well`: `B03`) besides the columns of every table; `plate_name` and
/// `acquisition` columns go before the arguments. Every other column is an attribute.
///
/// `plate_name` defaults to `Plate`, as in the reference.
pub fn hcs_images_from_dataframe(
    tiles_table: &TilesTable,
    acquisition_details: &AcquisitionDetails,
    plate_name: Option<&str>,
    acquisition_id: u32,
) -> Result<Vec<Tile>, CoreError> {
    // A table without row and column may name wells in one.
    let place: &[&str] = if tiles_table.has("well") && !tiles_table.has("row") && !tiles_table.has("column") {
        &["well"]
    } else {
        &["row", "column"]
    };
    let reader = Reader::new(tiles_table, place, &["plate_name", "acquisition"])?;
    let default_plate = plate_name.unwrap_or("Plate");
    let mut known: HashMap<(String, String, u32, u32), Arc<Collection>> = HashMap::new();
    reader.tiles(acquisition_details, |at, bad| {
        let (row, column) = bad.keep(at.well());
        let plate = if at.has("plate_name") {
            bad.keep(at.text("plate_name"))
        } else {
            default_plate.to_owned()
        };
        let acquisition = if at.has("acquisition") {
            bad.keep(at.count("acquisition", 0))
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
        place.clone()
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
    reader.tiles(acquisition_details, |at, bad| {
        let place = known.entry(bad.keep(at.text("image_path")));
        place
            .or_insert_with_key(|path| Arc::new(Collection::single(path.as_str())))
            .clone()
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
        mut collection: impl FnMut(&Row<'_>, &mut BadCells) -> Arc<Collection>,
    ) -> Result<Vec<Tile>, CoreError> {
        let details = Arc::new(details.clone());
        let mut tiles = Vec::with_capacity(self.table.height());
        let mut bad = BadCells::default();
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
            let known = bad.count();
            let place = collection(&row, &mut bad);
            let tile = Tile {
                fov_name: bad.keep(row.text("fov_name")),
                start_x: bad.keep(row.number("start_x")),
                start_y: bad.keep(row.number("start_y")),
                start_z: bad.keep(row.number_or("start_z", 0.0)),
                start_c: bad.keep(row.whole_or("start_c", 0)),
                start_t: bad.keep(row.number_or("start_t", 0.0)),
                length_x: bad.keep(row.number("length_x")),
                length_y: bad.keep(row.number("length_y")),
                length_z: bad.keep(row.number_or("length_z", 1.0)),
                length_c: bad.keep(row.whole_or("length_c", 1)),
                length_t: bad.keep(row.number_or("length_t", 1.0)),
                attributes,
                collection: place,
                image_loader: row.loader(&mut bad),
                acquisition_details: details.clone(),
            };
            if bad.count() > known {
                continue;
            }
            match tile.check() {
                Ok(()) => tiles.push(tile),
                Err(error) => bad.add(row.wrong_row(error.to_string())),
            }
        }
        bad.into_result(self.table)?;
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

    fn wrong(&self, column: &str, found: &str, expected: &str, hint: &str) -> BadCell {
        let found = if found.is_empty() {
            "an empty cell".to_owned()
        } else {
            format!("{found:?}")
        };
        let problem = format!("found {found}, expected {expected}; {hint}");
        BadCell {
            row: self.index,
            column: Some(column.to_owned()),
            problem,
        }
    }

    fn wrong_row(&self, problem: String) -> BadCell {
        BadCell {
            row: self.index,
            column: None,
            problem,
        }
    }

    /// Row and column of the well, from columns of their own or from `well`.
    fn well(&self) -> Result<(String, u32), BadCell> {
        if !self.table.has("row") {
            let text = self.text("well")?;
            return well(&text).ok_or_else(|| self.wrong("well", &text, "a well such as B03", "correct the cell"));
        }
        let label = self.text("row")?;
        let row = row_label(&label).ok_or_else(|| {
            self.wrong(
                "row",
                &label,
                "letters (`A`, `AF`) or a number from 1",
                "write the row of the well",
            )
        })?;
        Ok((row, self.count("column", 1)?))
    }

    fn text(&self, column: &str) -> Result<String, BadCell> {
        match self.cell(column) {
            Cell::Null => Err(self.wrong(column, "", "text", "fill the cell")),
            Cell::Text(text) if text.trim().is_empty() => Err(self.wrong(column, "", "text", "fill the cell")),
            cell => Ok(cell_text(cell)),
        }
    }

    fn loader(&self, bad: &mut BadCells) -> LoaderSpec {
        let file_path = bad.keep(self.text("file_path"));
        if !self.has("file_axes") {
            return LoaderSpec::File { file_path };
        }
        let axes = bad.keep(self.text("file_axes"));
        if arrangement(axes.trim()).is_none() {
            bad.add(self.wrong(
                "file_axes",
                &axes,
                "the axes of the file's array, such as ZCYX or YXS (s for colors)",
                "correct the cell, or leave it empty for files in the order of the image",
            ));
        }
        LoaderSpec::with_axes(file_path, axes.trim())
    }

    fn number(&self, column: &str) -> Result<f64, BadCell> {
        let value = match self.cell(column) {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            Cell::Bool(value) => Some(f64::from(u8::from(*value))),
            Cell::Text(text) => text.trim().parse().ok(),
            Cell::Null => None,
        };
        value.filter(|value: &f64| value.is_finite()).ok_or_else(|| {
            let found = cell_text(self.cell(column));
            let hint = if found.contains(',') {
                "write it with a decimal point and without separators of thousands, as all numbers of the table"
            } else {
                "correct the cell"
            };
            self.wrong(column, &found, "a number", hint)
        })
    }

    fn number_or(&self, column: &str, default: f64) -> Result<f64, BadCell> {
        if self.has(column) {
            self.number(column)
        } else {
            Ok(default)
        }
    }

    fn whole_or(&self, column: &str, default: i64) -> Result<i64, BadCell> {
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

    fn count(&self, column: &str, least: u32) -> Result<u32, BadCell> {
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
