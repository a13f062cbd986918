//! Where fields of view lie, when the table does not say: from the image files, or side by side.

use std::collections::HashMap;

use polars::prelude::DataFrame;

use super::facts::{AskFile, ask_row, cells_of, files_of, put_numbers};
use super::{cell_text, missing_column};
use crate::acquisition::AcquisitionDetails;
use crate::error::CoreError;
use ome_zarr_convert_geometry::{Axis, Space};

/// Columns that say which image a row belongs to.
const PLACE: [&str; 5] = ["plate_name", "row", "column", "acquisition", "image_path"];

/// Adds `start_x` and `start_y` where both are missing, from the stage position that the first file of each field of view says of
/// itself.
///
/// # Errors
/// A file cannot be opened, or says no position: the error names it.
pub fn add_image_positions(
    table: DataFrame,
    details: &AcquisitionDetails,
    ask: &mut AskFile<'_>,
) -> Result<DataFrame, CoreError> {
    let given = |name: &str| table.column(name).is_ok();
    if given("start_x") || given("start_y") || !given("file_path") || !given("fov_name") {
        return Ok(table);
    }
    let names: Vec<String> = table
        .get_column_names()
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let (table, unknown) = try_image_positions(table, details, ask)?;
    match unknown {
        None => Ok(table),
        Some(file) => Err(CoreError::Table {
            place: "the table of tiles".into(),
            problem: format!(
                "{}; and no stage position can be taken from the image files: {file} says none",
                missing_column("start_x", names.iter().map(String::as_str))
            ),
        }),
    }
}

/// [`add_image_positions`], but when a file says no position, the table is left as it was and that file is named.
pub(crate) fn try_image_positions(
    mut table: DataFrame,
    details: &AcquisitionDetails,
    ask: &mut AskFile<'_>,
) -> Result<(DataFrame, Option<String>), CoreError> {
    let files = files_of(&table)?;
    let fields = Fields::of(&table)?;
    let mut positions = Vec::with_capacity(fields.first_rows.len());
    for &row in &fields.first_rows {
        match ask_row(ask, row, &files[row])?.metadata.stage_position_um {
            Some((x, y, _)) => positions.push((in_space(x, Axis::X, details), in_space(y, Axis::Y, details))),
            None => return Ok((table, Some(files[row].clone()))),
        }
    }
    fields.put_starts(&mut table, &positions)?;
    Ok((table, None))
}

/// Adds `start_x` and `start_y` that lay the fields of each image side by side, row by row of a square, in the order of the table.
/// Gives the largest number of fields of one image.
pub(crate) fn lay_fields_out(table: &mut DataFrame, details: &AcquisitionDetails) -> Result<usize, CoreError> {
    let fields = Fields::of(table)?;
    let (width, height) = (largest(table, "length_x")?, largest(table, "length_y")?);
    let mut count: HashMap<&String, usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(fields.images.len());
    for image in &fields.images {
        let count = count.entry(image).or_default();
        numbers.push(*count);
        *count += 1;
    }
    let positions: Vec<(f64, f64)> = numbers
        .iter()
        .zip(&fields.images)
        .map(|(number, image)| {
            let across = (count[image] as f64).sqrt().ceil() as usize;
            let (x, y) = ((number % across) as f64 * width, (number / across) as f64 * height);
            (
                start_from_pixels(x, Axis::X, details),
                start_from_pixels(y, Axis::Y, details),
            )
        })
        .collect();
    fields.put_starts(table, &positions)?;
    Ok(count.values().copied().max().unwrap_or(0))
}

/// Adds `start_x` and `start_y` of 0: for fields that become images of their own.
pub(crate) fn put_at_origin(table: &mut DataFrame) -> Result<(), CoreError> {
    let zeros = vec![0.0; table.height()];
    put_numbers(table, "start_x", &zeros)?;
    put_numbers(table, "start_y", &zeros)
}

/// A start that is counted in pixels, planes or time points, in the space that the acquisition declares for the table.
pub(crate) fn start_from_pixels(start: f64, axis: Axis, details: &AcquisitionDetails) -> f64 {
    match details.start_space(axis) {
        Some(Space::World) => start * details.spacing(axis),
        Some(Space::Pixel) | None => start,
    }
}

/// The largest number of a column; 1 if there is none.
pub(crate) fn largest(table: &DataFrame, name: &str) -> Result<f64, CoreError> {
    if table.column(name).is_err() {
        return Ok(1.0);
    }
    let numbers = cells_of(table, name)?;
    let numbers = numbers.iter().filter_map(|cell| cell_text(cell).parse::<f64>().ok());
    Ok(numbers.fold(1.0, f64::max))
}

fn in_space(um: f64, axis: Axis, details: &AcquisitionDetails) -> f64 {
    match details.start_space(axis) {
        Some(Space::Pixel) => um / details.spacing(axis),
        Some(Space::World) | None => um,
    }
}

/// The fields of view of a table.
struct Fields {
    /// The first row of each.
    first_rows: Vec<usize>,
    /// The image of each.
    images: Vec<String>,
    /// The field of each row.
    of_row: Vec<usize>,
}

impl Fields {
    fn of(table: &DataFrame) -> Result<Self, CoreError> {
        let present = PLACE.into_iter().filter(|name| table.column(name).is_ok());
        let place: Vec<_> = present.map(|name| cells_of(table, name)).collect::<Result<_, _>>()?;
        let names = cells_of(table, "fov_name")?;
        let mut fields = Self {
            first_rows: Vec::new(),
            images: Vec::new(),
            of_row: Vec::with_capacity(names.len()),
        };
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for (row, name) in names.iter().enumerate() {
            let image: Vec<String> = place.iter().map(|cells| cell_text(&cells[row])).collect();
            let image = image.join("\u{1f}");
            let next = fields.first_rows.len();
            let number = *known.entry((image.clone(), cell_text(name))).or_insert(next);
            if number == next {
                fields.first_rows.push(row);
                fields.images.push(image);
            }
            fields.of_row.push(number);
        }
        Ok(fields)
    }

    fn put_starts(&self, table: &mut DataFrame, positions: &[(f64, f64)]) -> Result<(), CoreError> {
        let x: Vec<f64> = self.of_row.iter().map(|field| positions[*field].0).collect();
        let y: Vec<f64> = self.of_row.iter().map(|field| positions[*field].1).collect();
        put_numbers(table, "start_x", &x)?;
        put_numbers(table, "start_y", &y)
    }
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_sources::FileMetadata;
    use polars::prelude::{IntoColumn, NamedFrom, Series};

    use super::super::facts::FileFacts;
    use super::*;

    fn table() -> DataFrame {
        let column = |name: &str, cells: [&str; 4]| Series::new(name.into(), cells).into_column();
        let columns = vec![
            column("file_path", ["a1.tif", "a2.tif", "b1.tif", "c1.tif"]),
            column("fov_name", ["1", "1", "2", "1"]),
            column("row", ["A", "A", "A", "B"]),
        ];
        DataFrame::new(4, columns).unwrap()
    }

    fn at(x: f64, y: f64) -> Result<FileFacts, CoreError> {
        Ok(FileFacts {
            metadata: FileMetadata {
                stage_position_um: Some((x, y, 0.0)),
                ..FileMetadata::default()
            },
            ..FileFacts::default()
        })
    }

    fn starts(table: &DataFrame) -> String {
        format!(
            "{:?} {:?}",
            cells_of(table, "start_x").unwrap(),
            cells_of(table, "start_y").unwrap()
        )
    }

    #[test]
    fn the_first_file_of_each_field_is_asked_for_its_position() {
        let mut asked = Vec::new();
        let mut ask = |file: &str| {
            asked.push(file.to_owned());
            at(asked.len() as f64, -0.5)
        };
        let details = AcquisitionDetails {
            start_y_space: Space::Pixel,
            xy_pixel_size: 0.25,
            ..AcquisitionDetails::default()
        };
        let filled = add_image_positions(table(), &details, &mut ask).unwrap();
        assert_eq!(
            starts(&filled),
            "[Int(1), Int(1), Int(2), Int(3)] [Int(-2), Int(-2), Int(-2), Int(-2)]"
        );
        assert_eq!(asked, ["a1.tif", "b1.tif", "c1.tif"]);
    }

    #[test]
    fn a_file_without_a_position_is_named() {
        let mut ask = |file: &str| {
            if file == "b1.tif" {
                Ok(FileFacts::default())
            } else {
                at(0.0, 0.0)
            }
        };
        let error = add_image_positions(table(), &AcquisitionDetails::default(), &mut ask).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the table of tiles: the column \"start_x\" is missing; its columns are file_path, fov_name, row; and no stage \
             position can be taken from the image files: b1.tif says none"
        );
    }

    #[test]
    fn fields_without_a_position_do_not_overlap() {
        let mut table = table();
        for name in ["length_x", "length_y"] {
            put_numbers(&mut table, name, &[10.0; 4]).unwrap();
        }
        assert_eq!(lay_fields_out(&mut table, &AcquisitionDetails::default()).unwrap(), 2);
        assert_eq!(
            starts(&table),
            "[Int(0), Int(0), Int(10), Int(0)] [Int(0), Int(0), Int(0), Int(0)]"
        );
    }
}
