//! ROI tables: named boxes in world units.

use indexmap::IndexMap;

use super::data::{Cell, DataTable};

/// Regions of an image, in the order of their rows.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RoiTable {
    /// The regions; names are distinct.
    pub rois: Vec<RoiRow>,
}

/// One region. Starts and lengths are in micrometres, of time in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiRow {
    /// Name, the index of the table.
    pub name: String,
    /// Start and length along x.
    pub x: (f64, f64),
    /// Start and length along y.
    pub y: (f64, f64),
    /// Start and length along z; ngio writes (0, 1) for an image without z.
    pub z: (f64, f64),
    /// Start and length in time, if the image has that axis.
    pub t: Option<(f64, f64)>,
    /// Label, if it has one.
    pub label: Option<u64>,
    /// Further columns, `z_micrometer_original` …
    pub extra: Vec<(String, Cell)>,
}

impl RoiTable {
    /// Name of the column that holds the names.
    pub const INDEX_KEY: &'static str = "FieldIndex";

    /// The columns as ngio orders them: name, starts and lengths, then time, label and further columns as rows bring
    /// them. Where a row lacks one, and for NaN, the cell is null.
    pub fn to_data(&self) -> DataTable {
        let mut columns: IndexMap<String, Vec<Cell>> = IndexMap::new();
        for name in BOX_COLUMNS {
            columns.insert(name.to_owned(), Vec::with_capacity(self.rois.len()));
        }
        for (row, roi) in self.rois.iter().enumerate() {
            for (name, cell) in roi.cells() {
                let cells = columns.entry(name).or_default();
                cells.resize(row, Cell::Null);
                cells.push(match cell {
                    Cell::Float(value) if value.is_nan() => Cell::Null,
                    cell => cell,
                });
            }
        }
        let mut table = DataTable::new();
        for (name, mut cells) in columns {
            cells.resize(self.rois.len(), Cell::Null);
            // The length is that of every column, so it cannot fail.
            let _ = table.push_column(name, cells);
        }
        table
    }
}

const BOX_COLUMNS: [&str; 7] = [
    RoiTable::INDEX_KEY,
    "x_micrometer",
    "y_micrometer",
    "z_micrometer",
    "len_x_micrometer",
    "len_y_micrometer",
    "len_z_micrometer",
];

impl RoiRow {
    fn cells(&self) -> impl Iterator<Item = (String, Cell)> {
        let numbers = [self.x.0, self.y.0, self.z.0, self.x.1, self.y.1, self.z.1].map(Cell::Float);
        let of_box = BOX_COLUMNS
            .into_iter()
            .zip([Cell::Text(self.name.clone())].into_iter().chain(numbers));
        let time = self
            .t
            .map(|(start, length)| [("t_second", Cell::Float(start)), ("len_t_second", Cell::Float(length))]);
        let label = self.label.map(|label| {
            (
                "label",
                i64::try_from(label).map_or(Cell::Float(label as f64), Cell::Int),
            )
        });
        let named = of_box.chain(time.into_iter().flatten()).chain(label);
        named
            .map(|(name, cell)| (name.to_owned(), cell))
            .chain(self.extra.iter().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roi(name: &str) -> RoiRow {
        RoiRow {
            name: name.to_owned(),
            x: (0.0, 2.0),
            y: (1.0, 2.0),
            z: (0.0, 1.0),
            t: None,
            label: None,
            extra: vec![],
        }
    }

    #[test]
    fn columns_come_in_the_order_of_ngio() {
        let extra = |name: &str, cell| (name.to_owned(), cell);
        let first = RoiRow {
            extra: vec![extra("y_micrometer_original", Cell::Float(f64::NAN))],
            ..roi("a")
        };
        let second = RoiRow {
            t: Some((0.0, 5.0)),
            label: Some(3),
            extra: vec![
                extra("note", Cell::Text("n".into())),
                extra("y_micrometer_original", Cell::Float(1.5)),
            ],
            ..roi("b")
        };
        let table = RoiTable {
            rois: vec![first, second],
        }
        .to_data();
        let names: Vec<&str> = table.columns().map(|(name, _)| name).skip(7).collect();
        assert_eq!(
            names,
            ["y_micrometer_original", "t_second", "len_t_second", "label", "note"]
        );
        assert_eq!(
            table.column("y_micrometer_original").unwrap(),
            [Cell::Null, Cell::Float(1.5)]
        );
        assert_eq!(table.column("label").unwrap(), [Cell::Null, Cell::Int(3)]);
        assert_eq!(table.row_count(), 2);
    }

    #[test]
    fn an_empty_table_has_its_columns() {
        let table = RoiTable::default().to_data();
        assert_eq!(table.columns().len(), 7);
        assert_eq!(table.row_count(), 0);
    }
}
