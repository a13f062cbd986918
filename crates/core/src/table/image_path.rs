//! Names the image of every row of a table, for acquisitions whose name comes from outside the table.

use ome_zarr_convert_ngff::Cell;

use super::TilesTable;

/// Gives every row the same `image_path`. A table that has this column keeps it, unless `replace` is set.
pub fn with_image_path(mut table: TilesTable, image_path: &str, replace: bool) -> TilesTable {
    if replace || !table.has("image_path") {
        let cells = vec![Cell::Text(image_path.to_owned()); table.height()];
        table.put("image_path", cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_names_unless_they_are_replaced() {
        let table = TilesTable::new([("file_path", vec![Cell::Text("a".into()); 2])]).unwrap();
        let names = |name: &str| vec![Cell::Text(name.into()); 2];
        let named = with_image_path(table, "one", false);
        assert_eq!(named.column("image_path").unwrap(), names("one"));
        let kept = with_image_path(named.clone(), "two", false);
        assert_eq!(kept.column("image_path").unwrap(), names("one"));
        let replaced = with_image_path(named, "two", true);
        assert_eq!(replaced.column("image_path").unwrap(), names("two"));
    }
}
