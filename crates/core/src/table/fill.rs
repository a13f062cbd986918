//! What a table does not say: sizes and pages from the image files, and whether there is depth or time.

use ome_zarr_convert_sources::arrangement;

use super::headers::{BadFiles, FileHeader, ReadHeader, differs, distinct, files_of, of_rows};
use super::{Cell, TilesTable};
use crate::error::CoreError;
use ome_zarr_convert_geometry::Axis;

/// Adds the columns `length_x` and `length_y` where they are missing, from each row's image file.
pub fn add_image_sizes(
    mut table: TilesTable,
    bad_files: BadFiles,
    read: &mut ReadHeader<'_>,
) -> Result<TilesTable, CoreError> {
    let missing: Vec<(&str, Axis)> = [("length_y", Axis::Y), ("length_x", Axis::X)]
        .into_iter()
        .filter(|(name, _)| !table.has(name))
        .collect();
    if missing.is_empty() || !table.has("file_path") {
        return Ok(table);
    }
    let sizes = of_rows(&table, bad_files, read, |header| {
        if header.shape.len() < 2 {
            let shape = &header.shape;
            return Err(format!(
                "the file's shape is {shape:?}, but an image has at least y and x"
            ));
        }
        Ok(sizes_by_letters(header).unwrap_or_else(|| sizes_by_position(&header.shape, &[])))
    })?;
    for (name, axis) in missing {
        let lengths = sizes.iter().map(|size| Cell::Int(size[axis.index()])).collect();
        table.put(name, lengths);
    }
    Ok(table)
}

/// Adds the columns `length_z`, `length_c` and `length_t` where they are missing and the files are stacks.
///
/// Which axis is which the file says (`CYX`, or `YXS` for colors); where its array lies in another order than the image, the
/// column `file_axes` is added too. Of a file that does not say it, the axes before its last two are the last of the image's axes before
/// y and x. Where the first file that can be opened is one plane, nothing is added: a tile is one plane then.
pub fn add_image_pages(
    mut table: TilesTable,
    axes: &[Axis],
    bad_files: BadFiles,
    read: &mut ReadHeader<'_>,
) -> Result<TilesTable, CoreError> {
    let columns = [("length_t", Axis::T), ("length_c", Axis::C), ("length_z", Axis::Z)];
    let missing: Vec<(&str, Axis)> = columns
        .into_iter()
        .filter(|(name, axis)| !table.has(name) && axes.contains(axis))
        .collect();
    if missing.is_empty() || !table.has("file_path") {
        return Ok(table);
    }
    let first = files_of(&table)?.iter().find_map(|file| read(file).ok());
    if first.is_none_or(|header| header.shape.len() <= 2) {
        return Ok(table);
    }
    let stacks = of_rows(&table, bad_files, read, |header| {
        let by_position = sizes_by_position(&header.shape, axes);
        let by_letters = sizes_by_letters(header);
        let file_axes = header.metadata.axes.clone().filter(|letters| {
            let places = arrangement(letters).unwrap_or_default();
            let turned = places.windows(2).any(|pair| pair[0] > pair[1]);
            by_letters.is_some_and(|sizes| turned || sizes != by_position)
        });
        Ok((by_letters.unwrap_or(by_position), file_axes))
    })?;
    for (name, axis) in missing {
        let lengths = stacks.iter().map(|(sizes, _)| Cell::Int(sizes[axis.index()])).collect();
        table.put(name, lengths);
    }
    if stacks.iter().any(|(_, axes)| axes.is_some()) && !table.has("file_axes") {
        let cell = |(_, axes): ([i64; 5], Option<String>)| axes.map_or(Cell::Null, Cell::Text);
        table.put("file_axes", stacks.into_iter().map(cell).collect());
    }
    Ok(table)
}

/// The sizes along t, c, z, y and x by the axes that the file names; `None` if it does not name them.
fn sizes_by_letters(header: &FileHeader) -> Option<[i64; 5]> {
    let places = arrangement(header.metadata.axes.as_deref()?)?;
    let mut sizes = [1; 5];
    for (place, size) in places.iter().zip(&header.shape) {
        sizes[*place] = *size as i64;
    }
    (places.len() == header.shape.len()).then_some(sizes)
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
pub fn table_has_time(table: &TilesTable) -> bool {
    differs(table, "start_t") || longer_than_one(table, "length_t")
}

/// Whether a table has depth: starts along z that differ, or a tile of more than one plane.
pub(crate) fn table_has_depth(table: &TilesTable) -> bool {
    differs(table, "start_z") || longer_than_one(table, "length_z")
}

/// Whether the first file that can be opened has time, where the table leaves the lengths to the files.
pub fn files_have_time(table: &TilesTable, read: &mut ReadHeader<'_>) -> Result<bool, CoreError> {
    if table.has("length_t") || !table.has("file_path") {
        return Ok(false);
    }
    let header = files_of(table)?.first().map(|file| read(file));
    let sizes = header.and_then(Result::ok).and_then(|header| sizes_by_letters(&header));
    Ok(sizes.is_some_and(|sizes| sizes[Axis::T.index()] > 1))
}

fn longer_than_one(table: &TilesTable, name: &str) -> bool {
    distinct(table, name).iter().any(|text| text != "1")
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_sources::FileMetadata;

    use super::super::headers::cells_of;
    use super::*;

    fn header(shape: &[u64], axes: Option<&str>) -> FileHeader {
        FileHeader {
            shape: shape.to_vec(),
            metadata: FileMetadata {
                axes: axes.map(str::to_owned),
                ..FileMetadata::default()
            },
        }
    }

    fn table() -> TilesTable {
        let files = ["a", "b"].map(|file| Cell::Text(file.into()));
        TilesTable::new([("file_path", files.to_vec())]).unwrap()
    }

    fn cells(table: &TilesTable, name: &str) -> String {
        cells_of(table, name).map_or_else(|_| "none".into(), |cells| format!("{cells:?}"))
    }

    const CZYX: [Axis; 4] = [Axis::C, Axis::Z, Axis::Y, Axis::X];

    #[test]
    fn stacks_that_name_no_axes_give_their_pages_by_position() {
        let mut stacks = |file: &str| {
            let shape: &[u64] = if file == "a" { &[3, 9, 9] } else { &[2, 5, 9, 9] };
            Ok(header(shape, None))
        };
        let filled = add_image_pages(table(), &CZYX, BadFiles::AreErrors, &mut stacks).unwrap();
        assert_eq!(cells(&filled, "length_z"), "[Int(3), Int(5)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(1), Int(2)]");
        assert_eq!(cells(&filled, "length_t"), "none");
        let planes = add_image_pages(table(), &CZYX, BadFiles::AreErrors, &mut |_| Ok(header(&[9, 9], None))).unwrap();
        assert_eq!(cells(&planes, "length_z"), "none");
    }

    #[test]
    fn stacks_that_name_their_axes_are_taken_at_their_word() {
        let mut files = |file: &str| match file {
            "a" => Ok(header(&[2, 2, 9, 8], Some("ZCYX"))),
            _ => Ok(header(&[2, 9, 8], Some("ZYX"))),
        };
        let filled = add_image_pages(table(), &CZYX, BadFiles::AreErrors, &mut files).unwrap();
        assert_eq!(cells(&filled, "length_z"), "[Int(2), Int(2)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(2), Int(1)]");
        assert_eq!(cells(&filled, "file_axes"), "[Text(\"ZCYX\"), Null]");
    }

    #[test]
    fn colors_are_channels_not_columns() {
        let mut files = |_: &str| Ok(header(&[9, 8, 3], Some("YXS")));
        let filled = add_image_pages(
            add_image_sizes(table(), BadFiles::AreErrors, &mut files).unwrap(),
            &CZYX,
            BadFiles::AreErrors,
            &mut files,
        )
        .unwrap();
        assert_eq!(cells(&filled, "length_x"), "[Int(8), Int(8)]");
        assert_eq!(cells(&filled, "length_c"), "[Int(3), Int(3)]");
        assert_eq!(cells(&filled, "file_axes"), "[Text(\"YXS\"), Text(\"YXS\")]");
        assert!(!files_have_time(&filled, &mut files).unwrap());
        assert!(files_have_time(&table(), &mut |_| Ok(header(&[4, 9, 8], Some("TYX")))).unwrap());
    }

    #[test]
    fn bad_files_are_all_named_or_as_others() {
        let table = || {
            let text = |texts: [&str; 4]| texts.map(|text| Cell::Text(text.into())).to_vec();
            TilesTable::new([
                ("file_path", text(["bad1", "a", "bad2", "b"])),
                ("row", text(["A", "A", "B", "B"])),
            ])
            .unwrap()
        };
        let mut read = |file: &str| match file {
            "a" => Ok(header(&[3, 8, 9], Some("ZYX"))),
            "b" => Ok(header(&[3, 6, 7], Some("ZYX"))),
            _ => Err(CoreError::NoTiles),
        };
        let error = add_image_sizes(table(), BadFiles::AreErrors, &mut read)
            .unwrap_err()
            .to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines[0], "the table of tiles: 2 rows or cells cannot be used:");
        assert!(
            lines[1].starts_with("  row 1, column \"file_path\": ") && lines[2].starts_with("  row 3, "),
            "{error}"
        );
        let filled = add_image_sizes(table(), BadFiles::AreAsOthers, &mut read).unwrap();
        assert_eq!(cells(&filled, "length_y"), "[Int(8), Int(8), Int(6), Int(6)]");
        let filled = add_image_pages(filled, &CZYX, BadFiles::AreAsOthers, &mut read).unwrap();
        assert_eq!(cells(&filled, "length_z"), "[Int(3), Int(3), Int(3), Int(3)]");
        let none = add_image_sizes(table(), BadFiles::AreAsOthers, &mut |_| Err(CoreError::NoTiles));
        assert!(none.unwrap_err().to_string().contains("4 rows or cells cannot be used"));
    }
}
