//! Setting outputs up.

mod entries;
mod foreign;
mod interrupted;
mod plates;
mod side_by_side;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use expect_test::Expect;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{Cell, ZarrFormat, read_attributes, read_table};
use ome_zarr_convert_sources::LoaderSpec;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::from_json;
use crate::roi::Roi;
use crate::tiled_image::Region;
use ome_zarr_convert_geometry::{Axis, Space, Span};

fn image(collection: Collection, attributes: &[(&str, Cell)]) -> TiledImage {
    let span = |length| Span { start: 0.0, length };
    let spans = [(Axis::Y, span(48.0)), (Axis::X, span(64.0))];
    let region = Region {
        roi: Roi::new("F1", Space::World, spans),
        image_loader: LoaderSpec::File {
            file_path: "a.tif".into(),
        },
    };
    TiledImage {
        regions: vec![region],
        path: collection.path("").unwrap(),
        name: None,
        xy_pixel_size: 0.65,
        z_spacing: 1.0,
        t_spacing: 1.0,
        data_type: PixelType::UInt16,
        axes: vec![Axis::Y, Axis::X],
        collection: Arc::new(collection),
        channels: None,
        translation: None,
        attributes: attributes
            .iter()
            .map(|(key, cell)| ((*key).to_owned(), vec![cell.clone()]))
            .collect(),
    }
}

fn well(row: &str, column: u32, acquisition: u32, drug: &str) -> TiledImage {
    image(
        Collection::in_plate("P", row, column, acquisition),
        &[("drug", Cell::Text(drug.into()))],
    )
}

/// An output folder.
struct Output(TempDir);

impl Output {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn place(&self) -> Location {
        Location::local(self.0.path()).unwrap()
    }

    fn set_up(&self, images: &[TiledImage], document: Value, mode: OverwriteMode) -> Result<Vec<Value>, CoreError> {
        let options: ConverterOptions = from_json(&document, "options").unwrap();
        let kind = match &*images[0].collection {
            Collection::SingleImage(_) => "SingleImage",
            _ => "ImageInPlate",
        };
        let entries = setup_images_for_conversion(images, &self.place(), kind, &options, mode)?;
        Ok(entries.iter().map(ParallelizationEntry::to_value).collect())
    }

    fn fails(&self, images: &[TiledImage], document: Value, mode: OverwriteMode, expected: Expect) {
        let before = self.files();
        let error = self.set_up(images, document, mode).unwrap_err();
        expected.assert_eq(&format!("{}\n", error.to_string().replace(self.dir(), "OUT")));
        assert_eq!(self.files(), before, "nothing is touched");
    }

    /// All files with their contents' length, and empty folders.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            let mut empty = true;
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                empty = false;
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().display().to_string();
                    found.push(format!("{name} {}", fs::metadata(&path).unwrap().len()));
                }
            }
            if empty && folder != root {
                found.push(format!("{}/", folder.strip_prefix(root).unwrap().display()));
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }

    fn wells(&self) -> Vec<String> {
        let (attributes, format) = read_attributes(&self.place().child("P.zarr")).unwrap();
        let plate = match format {
            ZarrFormat::V2 => &attributes["plate"],
            ZarrFormat::V3 => &attributes["ome"]["plate"],
        };
        let path = |well: &Value| well["path"].as_str().unwrap().to_owned();
        plate["wells"].as_array().unwrap().iter().map(path).collect()
    }

    /// The plate's condition table, a line per row.
    fn conditions(&self) -> String {
        let table = read_table(&self.place().child("P.zarr"), "condition_table").unwrap();
        let Some(table) = table else { return "none\n".into() };
        let mut text = table.columns().map(|(name, _)| name).collect::<Vec<_>>().join(" ") + "\n";
        for row in 0..table.row_count() {
            let cell = |cells: &[Cell]| match &cells[row] {
                Cell::Text(text) => text.clone(),
                Cell::Int(int) => int.to_string(),
                other => format!("{other:?}"),
            };
            text += &(table
                .columns()
                .map(|(_, cells)| cell(cells))
                .collect::<Vec<_>>()
                .join(" ")
                + "\n");
        }
        text
    }
}

const NEW: OverwriteMode = OverwriteMode::NoOverwrite;
