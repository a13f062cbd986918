//! Where fields of view lie, when the table does not say: from the image files, or side by side.

use std::collections::HashMap;

use super::bad_cells::{BadCell, BadCells};
use super::headers::{BadFiles, ReadHeader, cells_of, files_of, images_of_rows};
use super::{TilesTable, cell_text, missing_column};
use crate::acquisition::AcquisitionDetails;
use crate::error::CoreError;
use ome_zarr_convert_geometry::{Axis, Space};

/// Adds `start_x` and `start_y` where both are missing, from the stage position that the first file of each field of view says of
/// itself.
///
/// # Errors
/// A file cannot be opened, or says no position: the error names it.
pub fn add_image_positions(
    table: TilesTable,
    details: &AcquisitionDetails,
    bad_files: BadFiles,
    read: &mut ReadHeader<'_>,
) -> Result<TilesTable, CoreError> {
    let given = |name: &str| table.has(name);
    if given("start_x") || given("start_y") || !given("file_path") || !given("fov_name") {
        return Ok(table);
    }
    let (table, unknown) = try_image_positions(table, details, bad_files, read)?;
    match unknown {
        None => Ok(table),
        Some(file) => Err(table.wrong(format!(
            "{}; and no stage position can be taken from the image files: {file} says none",
            missing_column("start_x", table.names())
        ))),
    }
}

/// [`add_image_positions`], but when a file says no position, the table is left as it was and that file is named.
pub(crate) fn try_image_positions(
    mut table: TilesTable,
    details: &AcquisitionDetails,
    bad_files: BadFiles,
    read: &mut ReadHeader<'_>,
) -> Result<(TilesTable, Option<String>), CoreError> {
    let files = files_of(&table)?;
    let fields = Fields::of(&table)?;
    let mut positions = Vec::with_capacity(fields.first_rows.len());
    let mut bad = BadCells::default();
    let mut others: HashMap<usize, Vec<usize>> = HashMap::new();
    if bad_files == BadFiles::AreAsOthers {
        for (row, field) in fields.of_row.iter().enumerate() {
            others.entry(*field).or_default().push(row);
        }
    }
    for (field, &first) in fields.first_rows.iter().enumerate() {
        let mut header = read(&files[first]);
        // Another file of the field lies at the same place.
        for row in others.get(&field).into_iter().flatten().filter(|row| **row != first) {
            if header.is_err() {
                header = read(&files[*row]).or(header);
            }
        }
        match header {
            Ok(header) => match header.metadata.stage_position_um {
                Some((x, y, _)) => positions.push((in_space(x, Axis::X, details), in_space(y, Axis::Y, details))),
                None => return Ok((table, Some(files[first].clone()))),
            },
            Err(error) => bad.add(BadCell {
                row: first,
                column: Some("file_path".to_owned()),
                problem: error.to_string(),
            }),
        }
    }
    bad.into_result(&table)?;
    fields.put_starts(&mut table, &positions);
    Ok((table, None))
}

/// Whether no image of several fields has them all in one place.
pub(crate) fn fields_differ_in_place(table: &TilesTable) -> bool {
    let Ok(fields) = Fields::of(table) else { return true };
    let place = |row: usize| {
        [
            cell_text(table.cell("start_x", row)),
            cell_text(table.cell("start_y", row)),
        ]
    };
    // The place of the first field of each image, and whether another lies elsewhere.
    let mut places: HashMap<&String, ([String; 2], usize, bool)> = HashMap::new();
    for (row, image) in fields.first_rows.iter().zip(&fields.images) {
        let this = place(*row);
        let (first, count, differ) = places.entry(image).or_insert_with(|| (this.clone(), 0, false));
        *count += 1;
        *differ |= *first != this;
    }
    places.values().all(|(_, count, differ)| *count == 1 || *differ)
}

/// Adds `start_x` and `start_y` that lay the fields of each image side by side, row by row of a square, in the order of the table.
/// Gives the largest number of fields of one image.
pub(crate) fn lay_fields_out(table: &mut TilesTable, details: &AcquisitionDetails) -> Result<usize, CoreError> {
    let fields = Fields::of(table)?;
    let (width, height) = (largest(table, "length_x"), largest(table, "length_y"));
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
    fields.put_starts(table, &positions);
    Ok(count.values().copied().max().unwrap_or(0))
}

/// Adds `start_x` and `start_y` of 0: for fields that become images of their own.
pub(crate) fn put_at_origin(table: &mut TilesTable) {
    let zeros = vec![0.0; table.height()];
    table.put_numbers("start_x", &zeros);
    table.put_numbers("start_y", &zeros);
}

/// A start that is counted in pixels, planes or time points, in the space that the acquisition declares for the table.
pub(crate) fn start_from_pixels(start: f64, axis: Axis, details: &AcquisitionDetails) -> f64 {
    match details.start_space(axis) {
        Some(Space::World) => start * details.spacing(axis),
        Some(Space::Pixel) | None => start,
    }
}

/// The largest number of a column; 1 if there is none.
pub(crate) fn largest(table: &TilesTable, name: &str) -> f64 {
    let cells = table.column(name).unwrap_or(&[]);
    let numbers = cells.iter().filter_map(|cell| cell_text(cell).parse::<f64>().ok());
    numbers.fold(1.0, f64::max)
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
    fn of(table: &TilesTable) -> Result<Self, CoreError> {
        let places = images_of_rows(table);
        let names = cells_of(table, "fov_name")?;
        let mut fields = Self {
            first_rows: Vec::new(),
            images: Vec::new(),
            of_row: Vec::with_capacity(names.len()),
        };
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for ((row, name), image) in names.iter().enumerate().zip(places) {
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

    fn put_starts(&self, table: &mut TilesTable, positions: &[(f64, f64)]) {
        let x: Vec<f64> = self.of_row.iter().map(|field| positions[*field].0).collect();
        let y: Vec<f64> = self.of_row.iter().map(|field| positions[*field].1).collect();
        table.put_numbers("start_x", &x);
        table.put_numbers("start_y", &y);
    }
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_sources::FileMetadata;

    use super::super::Cell;
    use super::super::headers::FileHeader;
    use super::*;

    fn table() -> TilesTable {
        let column = |name, cells: [&str; 4]| (name, cells.map(|cell| Cell::Text(cell.into())).to_vec());
        TilesTable::new([
            column("file_path", ["a1.tif", "a2.tif", "b1.tif", "c1.tif"]),
            column("fov_name", ["1", "1", "2", "1"]),
            column("row", ["A", "A", "A", "B"]),
        ])
        .unwrap()
    }

    fn at(x: f64, y: f64) -> Result<FileHeader, CoreError> {
        Ok(FileHeader {
            metadata: FileMetadata {
                stage_position_um: Some((x, y, 0.0)),
                ..FileMetadata::default()
            },
            ..FileHeader::default()
        })
    }

    fn starts(table: &TilesTable) -> String {
        format!(
            "{:?} {:?}",
            cells_of(table, "start_x").unwrap(),
            cells_of(table, "start_y").unwrap()
        )
    }

    #[test]
    fn the_first_file_of_each_field_gives_its_position() {
        let mut opened = Vec::new();
        let mut read = |file: &str| {
            opened.push(file.to_owned());
            at(opened.len() as f64, -0.5)
        };
        let details = AcquisitionDetails {
            start_y_space: Space::Pixel,
            xy_pixel_size: 0.25,
            ..AcquisitionDetails::default()
        };
        let filled = add_image_positions(table(), &details, BadFiles::AreErrors, &mut read).unwrap();
        assert_eq!(
            starts(&filled),
            "[Int(1), Int(1), Int(2), Int(3)] [Int(-2), Int(-2), Int(-2), Int(-2)]"
        );
        assert_eq!(opened, ["a1.tif", "b1.tif", "c1.tif"]);
    }

    #[test]
    fn a_file_without_a_position_is_named() {
        let mut read = |file: &str| {
            if file == "b1.tif" {
                Ok(FileHeader::default())
            } else {
                at(0.0, 0.0)
            }
        };
        let error =
            add_image_positions(table(), &AcquisitionDetails::default(), BadFiles::AreErrors, &mut read).unwrap_err();
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
            table.put_numbers(name, &[10.0; 4]);
        }
        assert_eq!(lay_fields_out(&mut table, &AcquisitionDetails::default()).unwrap(), 2);
        assert_eq!(
            starts(&table),
            "[Int(0), Int(0), Int(10), Int(0)] [Int(0), Int(0), Int(0), Int(0)]"
        );
    }
}
