//! A table in memory: named columns of cells.

use indexmap::IndexMap;
use serde_json::Value;

use crate::error::{NgffError, Result};

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Missing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
}

impl From<&Value> for Cell {
    /// A list or object becomes its JSON text; a number beyond `i64` a float.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => number
                .as_i64()
                .map(Self::Int)
                .or(number.as_f64().map(Self::Float))
                .unwrap_or(Self::Null),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => Self::Text(value.to_string()),
        }
    }
}

impl From<&Cell> for Value {
    /// NaN and infinities, which JSON does not have, become null.
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Bool(value) => Self::from(*value),
            Cell::Int(value) => Self::from(*value),
            Cell::Float(value) => Self::from(*value),
            Cell::Text(value) => Self::from(value.as_str()),
        }
    }
}

/// Columns of equal length, in order, with distinct names.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DataTable {
    columns: IndexMap<String, Vec<Cell>>,
}

impl DataTable {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column, or replaces the one of that name at its place. Whole numbers in a column that holds floats become
    /// floats, as in a data frame.
    ///
    /// # Errors
    /// [`NgffError::ColumnLength`] if it is not as long as the others.
    pub fn push_column(&mut self, name: impl Into<String>, cells: Vec<Cell>) -> Result<(), NgffError> {
        let (column, found) = (name.into(), cells.len());
        if let Some(expected) = self
            .columns
            .values()
            .next()
            .map(Vec::len)
            .filter(|expected| *expected != found)
        {
            return Err(NgffError::ColumnLength {
                column,
                found,
                expected,
            });
        }
        self.columns.insert(column, one_number_type(cells));
        Ok(())
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.columns.values().next().map_or(0, Vec::len)
    }

    /// The columns in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &[Cell])> {
        self.columns
            .iter()
            .map(|(name, cells)| (name.as_str(), cells.as_slice()))
    }

    /// The cells of a column.
    pub fn column(&self, name: &str) -> Option<&[Cell]> {
        self.columns.get(name).map(Vec::as_slice)
    }

    /// Keeps the rows for whose index `keep` is true.
    pub fn retain_rows(&mut self, keep: impl Fn(usize) -> bool) {
        for cells in self.columns.values_mut() {
            let mut row = 0..;
            cells.retain(|_| row.next().is_some_and(&keep));
        }
    }

    /// Appends the rows of another table. A column that only one of them has is null in the other's rows; new columns
    /// come last.
    pub fn append(&mut self, other: Self) {
        let (before, added) = (self.row_count(), other.row_count());
        for (name, cells) in other.columns {
            self.columns
                .entry(name)
                .or_insert_with(|| vec![Cell::Null; before])
                .extend(cells);
        }
        for cells in self.columns.values_mut() {
            cells.resize(before + added, Cell::Null);
            *cells = one_number_type(std::mem::take(cells));
        }
    }
}

fn one_number_type(mut cells: Vec<Cell>) -> Vec<Cell> {
    if cells.iter().any(|cell| matches!(cell, Cell::Float(_))) {
        for cell in &mut cells {
            if let Cell::Int(value) = *cell {
                *cell = Cell::Float(value as f64);
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_different_columns_are_joined() {
        let table = |columns: &[(&str, Vec<Cell>)]| {
            let mut table = DataTable::new();
            columns
                .iter()
                .for_each(|(name, cells)| table.push_column(*name, cells.clone()).unwrap());
            table
        };
        let mut joined = table(&[
            ("well", vec![Cell::Text("A".into()), Cell::Text("B".into())]),
            ("dose", vec![Cell::Int(1), Cell::Int(2)]),
        ]);
        joined.retain_rows(|row| row != 0);
        joined.append(table(&[
            ("dose", vec![Cell::Float(0.5)]),
            ("drug", vec![Cell::Text("x".into())]),
        ]));
        let expected = table(&[
            ("well", vec![Cell::Text("B".into()), Cell::Null]),
            ("dose", vec![Cell::Float(2.0), Cell::Float(0.5)]),
            ("drug", vec![Cell::Null, Cell::Text("x".into())]),
        ]);
        assert_eq!(joined, expected);
        let mut short = expected.clone();
        assert_eq!(
            short.push_column("n", vec![]).unwrap_err().to_string(),
            "column \"n\" has 0 rows, the table has 2"
        );
    }
}
