//! Collects everything that is wrong in the cells of a table, so that one run names it all.

use super::TilesTable;
use crate::error::CoreError;

/// How many are written out.
const SHOWN: usize = 10;

/// What is wrong with a row, or with one of its cells.
#[derive(Clone, Debug)]
pub struct BadCell {
    /// Index of the row, from 0.
    pub row: usize,
    /// The column, if it is one cell.
    pub column: Option<String>,
    /// What was found, what was expected, what to do.
    pub problem: String,
}

/// The bad cells of a table: the first few, and their number.
#[derive(Debug, Default)]
pub struct BadCells {
    shown: Vec<BadCell>,
    count: usize,
}

impl BadCells {
    /// Keeps what is wrong.
    pub fn add(&mut self, bad: BadCell) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(bad);
        }
    }

    /// The value, or a default one while what is wrong is kept.
    pub fn keep<T: Default>(&mut self, read: Result<T, BadCell>) -> T {
        read.unwrap_or_else(|bad| {
            self.add(bad);
            T::default()
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// An error that names the first ten and the number of all.
    ///
    /// # Errors
    /// There is a bad cell.
    pub fn into_result(self, table: &TilesTable) -> Result<(), CoreError> {
        match self.shown.as_slice() {
            [] => Ok(()),
            [bad] => Err(table.wrong_row(bad.row, bad.column.as_deref(), bad.problem.clone())),
            shown => {
                let mut problem = format!("{} rows or cells cannot be used:", self.count);
                for bad in shown {
                    let column = bad
                        .column
                        .as_ref()
                        .map_or_else(String::new, |name| format!(", column {name:?}"));
                    let row = table.row_number(bad.row);
                    problem.push_str(&format!("\n  row {row}{column}: {}", bad.problem));
                }
                if self.count > shown.len() {
                    problem.push_str(&format!("\n  and {} more", self.count - shown.len()));
                }
                Err(table.wrong(problem))
            }
        }
    }
}
