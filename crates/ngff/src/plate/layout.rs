//! Rows, columns, wells and acquisitions of a plate: plain data, no files.

use ome_zarr_convert_store::Location;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::PlateImage;
use crate::error::{NgffError, Result};

/// The lists in a plate's document. Each entry keeps the keys that others gave it.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) rows: Vec<Named>,
    pub(super) columns: Vec<Named>,
    pub(super) wells: Vec<Well>,
    pub(super) acquisitions: Vec<Acquisition>,
}

/// A row or column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Well {
    pub(super) path: String,
    #[serde(rename = "rowIndex")]
    row: usize,
    #[serde(rename = "columnIndex")]
    column: usize,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Acquisition {
    pub(super) id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Layout {
    pub(super) fn from_document(dir: &Location, plate: &Map<String, Value>) -> Result<Self> {
        let layout = Self {
            rows: entries(dir, plate, "rows", "a list of objects with a name")?,
            columns: entries(dir, plate, "columns", "a list of objects with a name")?,
            wells: entries(
                dir,
                plate,
                "wells",
                "a list of objects with path, rowIndex and columnIndex",
            )?,
            acquisitions: match plate.get("acquisitions") {
                None | Some(Value::Null) => Vec::new(),
                Some(_) => entries(dir, plate, "acquisitions", "a list of objects with an id")?,
            },
        };
        let outside = |well: &&Well| well.row >= layout.rows.len() || well.column >= layout.columns.len();
        if let Some(well) = layout.wells.iter().find(outside) {
            let expected = "wells whose rowIndex and columnIndex are in the lists of rows and columns";
            return Err(NgffError::malformed(dir, "wells", expected, Some(&json!(well))));
        }
        Ok(layout)
    }

    /// Puts the lists into the plate's document, each at its place there.
    pub(super) fn write_into(&self, plate: &mut Map<String, Value>) {
        if !self.acquisitions.is_empty() {
            plate.insert("acquisitions".to_owned(), json!(self.acquisitions));
        }
        plate.insert("columns".to_owned(), json!(self.columns));
        plate.insert("rows".to_owned(), json!(self.rows));
        plate.insert("wells".to_owned(), json!(self.wells));
    }

    /// Makes room for an image and returns the path of its well.
    pub(super) fn place(&mut self, image: &PlateImage) -> String {
        let (row, moved) = find_or_insert(&mut self.rows, &image.row, row_key);
        self.wells.iter_mut().for_each(|well| well.row = moved(well.row));
        let column_name = format!("{:02}", image.column);
        let (column, moved) = find_or_insert(&mut self.columns, &column_name, column_key);
        self.wells.iter_mut().for_each(|well| well.column = moved(well.column));
        if !self.acquisitions.iter().any(|known| known.id == image.acquisition_id) {
            let name = Some(image.acquisition_name.clone());
            self.acquisitions.push(Acquisition {
                id: image.acquisition_id,
                name,
                extra: Map::new(),
            });
        }
        if let Some(well) = self.wells.iter().find(|well| well.row == row && well.column == column) {
            return well.path.clone();
        }
        // A row that others wrote in small letters keeps its name.
        let path = format!("{}/{column_name}", self.rows[row].name);
        self.wells.push(Well {
            path: path.clone(),
            row,
            column,
            extra: Map::new(),
        });
        path
    }
}

/// The index of a name, and where each former index went: a new name is appended and the list sorted by `key`, an
/// existing one leaves the list as it is.
fn find_or_insert(list: &mut Vec<Named>, name: &str, key: fn(&str) -> Key) -> (usize, impl Fn(usize) -> usize + use<>) {
    let wanted = key(name);
    let mut moved = Vec::new();
    let index = match list.iter().position(|entry| key(&entry.name) == wanted) {
        Some(index) => index,
        None => {
            let new = Named {
                name: name.to_owned(),
                extra: Map::new(),
            };
            let mut sorted: Vec<(usize, Named)> = std::mem::take(list).into_iter().chain([new]).enumerate().collect();
            sorted.sort_by_cached_key(|(_, entry)| key(&entry.name));
            moved = vec![0; sorted.len()];
            for (now, (before, _)) in sorted.iter().enumerate() {
                moved[*before] = now;
            }
            *list = sorted.into_iter().map(|(_, entry)| entry).collect();
            moved[list.len() - 1]
        }
    };
    (index, move |before| moved.get(before).copied().unwrap_or(before))
}

/// What rows or columns are sorted by: names of a plate come before others.
type Key = (bool, usize, String);

/// Rows in the order of a spreadsheet's columns: A…Z, AA, AB…; capital and small letters are one row.
fn row_key(name: &str) -> Key {
    let is_letters = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let length = if is_letters { name.len() } else { 0 };
    (!is_letters, length, name.to_ascii_uppercase())
}

/// Columns by their numbers; those of one number are one column, `1` and `01`.
fn column_key(name: &str) -> Key {
    match name.parse::<usize>() {
        Ok(number) => (false, number, String::new()),
        Err(_) => (true, 0, name.to_owned()),
    }
}

fn entries<T: DeserializeOwned>(
    dir: &Location,
    plate: &Map<String, Value>,
    key: &str,
    expected: &'static str,
) -> Result<Vec<T>> {
    let found = plate.get(key);
    let list = found.and_then(|value| Vec::<T>::deserialize(value).ok());
    list.ok_or_else(|| NgffError::malformed(dir, key, expected, found))
}
