//! What a table does not say: sizes and pages from the image files, and whether there is depth or time.

use ome_zarr_convert_sources::arrangement;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::facts::{AskFile, FileFacts, ask_row, differs, distinct, files_of, put_column};
use crate::error::CoreError;
use ome_zarr_convert_geometry::Axis;

/// Adds the columns `length_x` and `length_y` where they are missing, from each row's image file.
pub fn add_image_sizes(mut table: DataFrame, ask: &mut AskFile<'_>) -> Result<DataFrame, CoreError> {
    let missing: Vec<(&str, Axis)> = [("length_y", Axis::Y), ("length_x", Axis::X)]
        .into_iter()
        .filter(|(name, _)| table.column(name).is_err())
        .collect();
    if missing.is_empty() || table.column("file_path").is_err() {
        return Ok(table);
    }
    let mut sizes = Vec::with_capacity(table.height());
    for (row, file) in files_of(&table)?.iter().enumerate() {
        let facts = ask_row(ask, row, file)?;
        if facts.shape.len() < 2 {
            return Err(CoreError::Table {
                place: format!("the table of tiles, row {}, column \"file_path\"", row + 1),
                problem: format!(
                    "the file's shape is {:?}, but an image has at least y and x",
                    facts.shape
                ),
            });
        }
        sizes.push(sizes_by_letters(&facts).unwrap_or_else(|| sizes_by_position(&facts.shape, &[])));
    }
    for (name, axis) in missing {
        let lengths: Vec<i64> = sizes.iter().map(|size| size[axis.index()]).collect();
        put_column(&mut table, Series::new(name.into(), lengths).into_column())?;
    }
    Ok(table)
}

/// Adds the columns `length_z`, `length_c` and `length_t` where they are missing and the files are stacks.
///
/// Which axis is which the file says (`CYX`, or `YXS` for colours); where its array lies in another order than the image, the
/// column `file_axes` is added too. Of a file that does not say it, the axes before its last two are the last of the image's axes before
/// y and x. Where the first row's file is one plane (or cannot be opened, which is told later), nothing is added: a tile is one
/// plane then.
pub fn add_image_pages(mut table: DataFrame, axes: &[Axis], ask: &mut AskFile<'_>) -> Result<DataFrame, CoreError> {
    let columns = [("length_t", Axis::T), ("length_c", Axis::C), ("length_z", Axis::Z)];
    let missing: Vec<(&str, Axis)> = columns
        .into_iter()
        .filter(|(name, axis)| table.column(name).is_err() && axes.contains(axis))
        .collect();
    if missing.is_empty() || table.column("file_path").is_err() {
        return Ok(table);
    }
    let files = files_of(&table)?;
    if !files
        .first()
        .is_some_and(|file| ask(file).is_ok_and(|facts| facts.shape.len() > 2))
    {
        return Ok(table);
    }
    let mut sizes: Vec<[i64; 5]> = Vec::with_capacity(files.len());
    let mut file_axes: Vec<Option<String>> = Vec::with_capacity(files.len());
    for (row, file) in files.iter().enumerate() {
        let facts = ask_row(ask, row, file)?;
        let by_position = sizes_by_position(&facts.shape, axes);
        let by_letters = sizes_by_letters(&facts);
        file_axes.push(facts.metadata.axes.clone().filter(|letters| {
            let places = arrangement(letters).unwrap_or_default();
            let turned = places.windows(2).any(|pair| pair[0] > pair[1]);
            by_letters.is_some_and(|sizes| turned || sizes != by_position)
        }));
        sizes.push(by_letters.unwrap_or(by_position));
    }
    for (name, axis) in missing {
        let lengths: Vec<i64> = sizes.iter().map(|size| size[axis.index()]).collect();
        put_column(&mut table, Series::new(name.into(), lengths).into_column())?;
    }
    if file_axes.iter().any(Option::is_some) && table.column("file_axes").is_err() {
        put_column(&mut table, Series::new("file_axes".into(), file_axes).into_column())?;
    }
    Ok(table)
}

/// The sizes along t, c, z, y and x by the axes that the file names; `None` if it does not name them.
fn sizes_by_letters(facts: &FileFacts) -> Option<[i64; 5]> {
    let places = arrangement(facts.metadata.axes.as_deref()?)?;
    let mut sizes = [1; 5];
    for (place, size) in places.iter().zip(&facts.shape) {
        sizes[*place] = *size as i64;
    }
    (places.len() == facts.shape.len()).then_some(sizes)
}

/// The sizes along t, c, z, y and x of an array whose axes are the last of the image's.
fn sizes_by_position(shape: &[u64], axes: &[Axis]) -> [i64; 5] {
    let leading = axes.iter().filter(|axis| !matches!(axis, Axis::Y | Axis::X));
    let from_last = [Axis::X, Axis::Y].into_iter().chain(leading.rev().copied());
    let mut sizes = [1; 5];
    for (axis, length) in from_last.zip(shape.iter().rev()) {
        sizes[axis.index()] = *length as i64;
    }
    sizes
}

/// Whether a table has time: starts along t that differ, or a tile longer than one time point.
pub fn table_has_time(table: &DataFrame) -> Result<bool, CoreError> {
    Ok(differs(table, "start_t")? || longer_than_one(table, "length_t")?)
}

/// Whether a table has depth: starts along z that differ, or a tile of more than one plane.
pub(crate) fn table_has_depth(table: &DataFrame) -> Result<bool, CoreError> {
    Ok(differs(table, "start_z")? || longer_than_one(table, "length_z")?)
}

/// Whether the first row's file has time, where the table leaves the lengths to the files.
pub fn files_have_time(table: &DataFrame, ask: &mut AskFile<'_>) -> Result<bool, CoreError> {
    if table.column("length_t").is_ok() || table.column("file_path").is_err() {
        return Ok(false);
    }
    let facts = files_of(table)?.first().map(|file| ask(file));
    let sizes = facts.and_then(Result::ok).and_then(|facts| sizes_by_letters(&facts));
    Ok(sizes.is_some_and(|sizes| sizes[Axis::T.index()] > 1))
}

fn longer_than_one(table: &DataFrame, name: &str) -> Result<bool, CoreError> {
    Ok(distinct(table, name)?.iter().any(|text| text != "1"))
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_sources::FileMetadata;

    use super::super::facts::cells_of;
    use super::*;

    fn facts(shape: &[u64], axes: Option<&str>) -> FileFacts {
        FileFacts {
            shape: shape.to_vec(),
            metadata: FileMetadata {
                axes: axes.map(str::to_owned),
                ..FileMetadata::default()
            },
        }
    }

    fn table() -> DataFrame {
        let files = Series::new("file_path".into(), ["a", "b"]).into_column();
        DataFrame::new(2, vec![files]).unwrap()
    }

    fn cells(table: &DataFrame, name: &str) -> String {
        cells_of(table, name).map_or_else(|_| "none".into(), |cells| format!("{cells:?}"))
    }

    const CZYX: [Axis; 4] = [Axis::C, Axis::Z, Axis::Y, Axis::X];

    #[test]
    fn stacks_that_name_no_axes_give_their_pages_by_position() {
        let mut stacks = |file: &str| {
            let shape: &[u64] = if file == "a" { &[3, 9, 9] } else { &[2, 5, 9, 9] };
            Ok(facts(shape, None))
        };
        let filled = add_image_pages(table(), &CZYX, &mut stacks).unwrap();
        assert_eq!(cells(&filled, "length_z"), "[Int(3), Int(5)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(1), Int(2)]");
        assert_eq!(cells(&filled, "length_t"), "none");
        let planes = add_image_pages(table(), &CZYX, &mut |_| Ok(facts(&[9, 9], None))).unwrap();
        assert_eq!(cells(&planes, "length_z"), "none");
    }

    #[test]
    fn stacks_that_name_their_axes_are_taken_at_their_word() {
        let mut files = |file: &str| match file {
            "a" => Ok(facts(&[2, 2, 9, 8], Some("ZCYX"))),
            _ => Ok(facts(&[2, 9, 8], Some("ZYX"))),
        };
        let filled = add_image_pages(table(), &CZYX, &mut files).unwrap();
        assert_eq!(cells(&filled, "length_z"), "[Int(2), Int(2)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(2), Int(1)]");
        assert_eq!(cells(&filled, "file_axes"), "[Text(\"ZCYX\"), Null]");
    }

    #[test]
    fn colours_are_channels_and_no_columns() {
        let mut files = |_: &str| Ok(facts(&[9, 8, 3], Some("YXS")));
        let filled = add_image_pages(add_image_sizes(table(), &mut files).unwrap(), &CZYX, &mut files).unwrap();
        assert_eq!(cells(&filled, "length_x"), "[Int(8), Int(8)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(3), Int(3)]");
        assert_eq!(cells(&filled, "file_axes"), "[Text(\"YXS\"), Text(\"YXS\")]");
        assert!(!files_have_time(&filled, &mut files).unwrap());
        assert!(files_have_time(&table(), &mut |_| Ok(facts(&[4, 9, 8], Some("TYX")))).unwrap());
    }
}
