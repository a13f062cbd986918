//! Names the image of every row of a table, for acquisitions whose name comes from outside the table.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::CoreError;

/// Gives every row the same `image_path`. A table that has this column keeps it, unless `replace` is set.
pub fn with_image_path(mut table: DataFrame, image_path: &str, replace: bool) -> Result<DataFrame, CoreError> {
    let present = table
        .columns()
        .iter()
        .any(|column| column.name().trim() == "image_path");
    if present && !replace {
        return Ok(table);
    }
    let column = Series::new("image_path".into(), vec![image_path; table.height()]).into_column();
    table.with_column(column).map_err(|error| CoreError::Table {
        place: "the table of tiles, column \"image_path\"".into(),
        problem: error.to_string(),
    })?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_names_unless_they_are_replaced() {
        let table = || {
            let files = Series::new("file_path".into(), ["a", "b"]).into_column();
            DataFrame::new(2, vec![files]).unwrap()
        };
        let names = |table: &DataFrame| -> Vec<String> {
            let column = table.column("image_path").unwrap();
            column.str().unwrap().iter().flatten().map(str::to_owned).collect()
        };
        let named = with_image_path(table(), "one", false).unwrap();
        assert_eq!(names(&named), ["one", "one"]);
        assert_eq!(
            names(&with_image_path(named.clone(), "two", false).unwrap()),
            ["one", "one"]
        );
        assert_eq!(names(&with_image_path(named, "two", true).unwrap()), ["two", "two"]);
    }
}
