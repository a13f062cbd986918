//! A table of tiles in memory: named columns of cells, with the names that messages give to the table and its rows.

use indexmap::IndexMap;
use indexmap::map::Entry;
use ome_zarr_convert_ngff::Cell;

use crate::error::CoreError;
use crate::left_out::LeftOut;

/// A table of tiles: columns of cells, all of the same height. [`read_tiles_table`](crate::read_tiles_table) reads one from a file;
/// with polars, `TilesTable::try_from(data_frame)` makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct TilesTable {
    name: String,
    columns: IndexMap<String, Vec<Cell>>,
    height: usize,
    /// The number of each row as a spreadsheet shows it; `None`: rows count from 1.
    row_numbers: Option<Vec<usize>>,
    left_out: Vec<LeftOut>,
}

impl TilesTable {
    /// A table of columns with their names. Blanks around names are removed.
    ///
    /// # Errors
    /// Two columns have the same name, or columns differ in height.
    pub fn new<N: AsRef<str>>(columns: impl IntoIterator<Item = (N, Vec<Cell>)>) -> Result<Self, CoreError> {
        let mut table = Self {
            name: "the table of tiles".to_owned(),
            columns: IndexMap::new(),
            height: 0,
            row_numbers: None,
            left_out: Vec::new(),
        };
        for (index, (name, cells)) in columns.into_iter().enumerate() {
            let name = name.as_ref().trim();
            if index == 0 {
                table.height = cells.len();
            }
            if cells.len() != table.height {
                return Err(table.wrong_column(
                    name,
                    format!(
                        "it has {} cells, but the first column has {}",
                        cells.len(),
                        table.height
                    ),
                ));
            }
            match table.columns.entry(name.to_owned()) {
                Entry::Vacant(place) => place.insert(cells),
                Entry::Occupied(_) => {
                    return Err(table.wrong_column(name, "two columns have this name; rename one of them".into()));
                }
            };
        }
        Ok(table)
    }

    /// How messages call the table: its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The table with another name for messages.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The table with the number of each row as a spreadsheet shows it.
    pub(crate) fn with_row_numbers(mut self, numbers: Vec<usize>) -> Self {
        self.row_numbers = Some(numbers);
        self
    }

    /// The table with what is left out of the file that it was read from.
    pub(crate) fn with_left_out(mut self, left_out: Vec<LeftOut>) -> Self {
        self.left_out = left_out;
        self
    }

    /// What was left out of the file that the table was read from: comments and lines before the header.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.keys().map(String::as_str)
    }

    /// The cells of a column, from the first row to the last.
    pub fn column(&self, name: &str) -> Option<&[Cell]> {
        self.columns.get(name).map(Vec::as_slice)
    }

    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// One cell; a missing one where there is no such column.
    pub(crate) fn cell(&self, name: &str, row: usize) -> &Cell {
        self.columns
            .get(name)
            .and_then(|cells| cells.get(row))
            .unwrap_or(&Cell::Null)
    }

    /// Adds a column of the table's height, or puts other cells into the one of this name.
    pub(crate) fn put(&mut self, name: &str, mut cells: Vec<Cell>) {
        if self.columns.is_empty() {
            self.height = cells.len();
        }
        cells.resize(self.height, Cell::Null);
        self.columns.insert(name.to_owned(), cells);
    }

    /// Adds a column of numbers: of whole ones if all are.
    pub(crate) fn put_numbers(&mut self, name: &str, values: &[f64]) {
        let whole = values.iter().all(|value| value.fract() == 0.0 && value.abs() < 1e15);
        let cell = |value: &f64| {
            if whole {
                Cell::Int(*value as i64)
            } else {
                Cell::Float(*value)
            }
        };
        self.put(name, values.iter().map(cell).collect());
    }

    /// The number of a row (from 0 here) as people see it.
    pub fn row_number(&self, row: usize) -> usize {
        let numbers = self.row_numbers.as_ref();
        numbers.and_then(|numbers| numbers.get(row)).copied().unwrap_or(row + 1)
    }

    /// An error of a whole column.
    pub(crate) fn wrong_column(&self, name: &str, problem: String) -> CoreError {
        CoreError::Table {
            place: format!("{}, column {name:?}", self.name),
            problem,
        }
    }

    /// An error of the whole table.
    pub(crate) fn wrong(&self, problem: String) -> CoreError {
        CoreError::Table {
            place: self.name.clone(),
            problem,
        }
    }

    /// An error of a row, or of one of its cells.
    pub(crate) fn wrong_row(&self, row: usize, column: Option<&str>, problem: String) -> CoreError {
        let column = column.map_or_else(String::new, |column| format!(", column {column:?}"));
        CoreError::Table {
            place: format!("{}, row {}{column}", self.name, self.row_number(row)),
            problem,
        }
    }
}

/// A cell as text: whole floats without their `.0`, so that numbered fields and rows read the same from any table.
pub(crate) fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_high_as_the_first_and_have_names_of_their_own() {
        let one = || vec![Cell::Int(1)];
        let error = |columns: [(&str, Vec<Cell>); 2]| TilesTable::new(columns).unwrap_err().to_string();
        assert_eq!(
            error([("a", one()), ("b", Vec::new())]),
            "the table of tiles, column \"b\": it has 0 cells, but the first column has 1"
        );
        assert_eq!(
            error([("a", one()), (" a ", one())]),
            "the table of tiles, column \"a\": two columns have this name; rename one of them"
        );
    }

    #[test]
    fn numbers_are_whole_where_all_are() {
        let mut table = TilesTable::new([("a", vec![Cell::Null; 2])]).unwrap();
        table.put_numbers("b", &[1.0, -2.0]);
        table.put_numbers("c", &[1.0, 0.5]);
        assert_eq!(table.column("b").unwrap(), [Cell::Int(1), Cell::Int(-2)]);
        assert_eq!(table.column("c").unwrap(), [Cell::Float(1.0), Cell::Float(0.5)]);
        assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
