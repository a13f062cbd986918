//! What a table does not say: sizes and pages from the image files, and whether there is time.

use ome_zarr_convert_ngff::Cell;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::{cell_text, column_cells};
use crate::error::CoreError;
use crate::roi::Axis;

/// Adds the columns `length_x` and `length_y` where they are missing, from the shape of each row's image file.
///
/// `shape_of` is given a `file_path` and answers the shape of that file's array; its last two sizes are y and x.
pub fn add_image_sizes(
    mut table: DataFrame,
    shape_of: &mut dyn FnMut(&str) -> Result<Vec<u64>, CoreError>,
) -> Result<DataFrame, CoreError> {
    let has = |table: &DataFrame, name: &str| table.column(name).is_ok();
    let missing: Vec<(&str, usize)> = [("length_y", 2), ("length_x", 1)]
        .into_iter()
        .filter(|(name, _)| !has(&table, name))
        .collect();
    if missing.is_empty() || !has(&table, "file_path") {
        return Ok(table);
    }
    let mut shapes = Vec::with_capacity(table.height());
    for (row, cell) in cells_of(&table, "file_path")?.iter().enumerate() {
        let place = || format!("the table of tiles, row {}, column \"file_path\"", row + 1);
        let shape = shape_of(cell_text(cell).trim()).map_err(|error| CoreError::Table {
            place: place(),
            problem: error.to_string(),
        })?;
        if shape.len() < 2 {
            return Err(CoreError::Table {
                place: place(),
                problem: format!("the file's shape is {shape:?}, but an image has at least y and x"),
            });
        }
        shapes.push(shape);
    }
    for (name, from_end) in missing {
        let sizes: Vec<i64> = shapes
            .iter()
            .map(|shape| shape[shape.len() - from_end] as i64)
            .collect();
        let column = Series::new(name.into(), sizes).into_column();
        table.with_column(column).map_err(|error| CoreError::Table {
            place: format!("the table of tiles, column {name:?}"),
            problem: error.to_string(),
        })?;
    }
    Ok(table)
}

/// Adds the columns `length_z`, `length_c` and `length_t` where they are missing and the files are stacks: from the axes of each row's file
/// before its last two, which are the last of the image's axes before y and x. Where the first row's file is one plane (or cannot be
/// opened, which is told later), nothing is added: a tile is one plane then.
pub fn add_image_pages(
    mut table: DataFrame,
    axes: &[Axis],
    shape_of: &mut dyn FnMut(&str) -> Result<Vec<u64>, CoreError>,
) -> Result<DataFrame, CoreError> {
    let columns = [("length_t", Axis::T), ("length_c", Axis::C), ("length_z", Axis::Z)];
    let missing: Vec<(&str, Axis)> = columns
        .into_iter()
        .filter(|(name, axis)| table.column(name).is_err() && axes.contains(axis))
        .collect();
    if missing.is_empty() || table.column("file_path").is_err() {
        return Ok(table);
    }
    let files = cells_of(&table, "file_path")?;
    let first = files.first().map(|cell| shape_of(cell_text(cell).trim()));
    if !first.is_some_and(|shape| shape.is_ok_and(|shape| shape.len() > 2)) {
        return Ok(table);
    }
    let leading: Vec<Axis> = axes
        .iter()
        .copied()
        .filter(|axis| !matches!(axis, Axis::Y | Axis::X))
        .collect();
    let mut sizes: Vec<[i64; 5]> = Vec::with_capacity(files.len());
    for (row, cell) in files.iter().enumerate() {
        let shape = shape_of(cell_text(cell).trim()).map_err(|error| CoreError::Table {
            place: format!("the table of tiles, row {}, column \"file_path\"", row + 1),
            problem: error.to_string(),
        })?;
        let mut size = [1; 5];
        for (axis, length) in leading.iter().rev().zip(shape.iter().rev().skip(2)) {
            size[*axis as usize] = *length as i64;
        }
        sizes.push(size);
    }
    for (name, axis) in missing {
        let lengths: Vec<i64> = sizes.iter().map(|size| size[axis as usize]).collect();
        let column = Series::new(name.into(), lengths).into_column();
        table.with_column(column).map_err(|error| CoreError::Table {
            place: format!("the table of tiles, column {name:?}"),
            problem: error.to_string(),
        })?;
    }
    Ok(table)
}

/// Whether a table has time: starts along t that differ, or a tile longer than one time point.
pub fn table_has_time(table: &DataFrame) -> Result<bool, CoreError> {
    let distinct = |name: &str| -> Result<Vec<String>, CoreError> {
        if table.column(name).is_err() {
            return Ok(Vec::new());
        }
        let mut texts: Vec<String> = cells_of(table, name)?
            .iter()
            .map(cell_text)
            .filter(|t| !t.is_empty())
            .collect();
        texts.sort();
        texts.dedup();
        Ok(texts)
    };
    Ok(distinct("start_t")?.len() > 1 || distinct("length_t")?.iter().any(|text| text != "1"))
}

fn cells_of(table: &DataFrame, name: &str) -> Result<Vec<Cell>, CoreError> {
    let column = table.column(name).map_err(|error| CoreError::Table {
        place: format!("the table of tiles, column {name:?}"),
        problem: error.to_string(),
    })?;
    column_cells(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_give_their_pages() {
        let table = || {
            let files = Series::new("file_path".into(), ["a", "b"]).into_column();
            DataFrame::new(2, vec![files]).unwrap()
        };
        let lengths = |table: &DataFrame, name: &str| cells_of(table, name).map(|cells| format!("{cells:?}")).ok();
        let axes = [Axis::C, Axis::Z, Axis::Y, Axis::X];
        let mut stacks = |file: &str| Ok(if file == "a" { vec![3, 9, 9] } else { vec![2, 5, 9, 9] });
        let filled = add_image_pages(table(), &axes, &mut stacks).unwrap();
        assert_eq!(lengths(&filled, "length_z").as_deref(), Some("[Int(3), Int(5)]"));
        assert_eq!(lengths(&filled, "length_c").as_deref(), Some("[Int(1), Int(2)]"));
        assert_eq!(lengths(&filled, "length_t"), None);
        let planes = add_image_pages(table(), &axes, &mut |_| Ok(vec![9, 9])).unwrap();
        assert_eq!(lengths(&planes, "length_z"), None);
    }
}
