//! Setting outputs up: entries, temporary files, and what happens to a plate that is there already.

use std::fs;
use std::sync::Arc;

use expect_test::{Expect, expect};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{Cell, read_attributes, read_table};
use ome_zarr_convert_sources::LoaderSpec;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::handover::{DocumentSource, Retries, image_from_json_str, read_document, remove_document};
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

    fn set_up(&self, images: &[TiledImage], document: Value, mode: OverwriteMode) -> Result<Vec<Value>, CoreError> {
        let options: ConverterOptions = from_json(&document, "options").unwrap();
        let kind = match &*images[0].collection {
            Collection::SingleImage(_) => "SingleImage",
            _ => "ImageInPlate",
        };
        let entries = setup_images_for_conversion(images, self.dir(), kind, &options, mode)?;
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
        let (attributes, version) = read_attributes(&self.0.path().join("P.zarr")).unwrap();
        let plate = match version {
            ome_zarr_convert_ngff::NgffVersion::V04 => &attributes["plate"],
            ome_zarr_convert_ngff::NgffVersion::V05 => &attributes["ome"]["plate"],
        };
        let path = |well: &Value| well["path"].as_str().unwrap().to_owned();
        plate["wells"].as_array().unwrap().iter().map(path).collect()
    }

    /// The plate's condition table, a line per row.
    fn conditions(&self) -> String {
        let table = read_table(&self.0.path().join("P.zarr"), "condition_table").unwrap();
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

fn temp(serialization: &str, bytes: u64) -> Value {
    let options = json!({"serialization": serialization, "max_in_memory_bytes": bytes});
    json!({"runtime_settings": {"temp_json_options": options}})
}

#[test]
fn an_entry_holds_the_image_or_names_its_file() {
    let images = [well("A", 1, 0, "DMSO"), well("B", 2, 0, "Drug")];
    let bytes = images
        .iter()
        .map(|image| image_to_json(image).unwrap().len() as u64)
        .sum::<u64>();
    for (document, inline) in [
        (json!({}), true),
        (temp("Auto", bytes), true),
        (temp("Auto", bytes - 1), false),
        (temp("Memory", 1), true),
        (temp("JSON", bytes), false),
    ] {
        let output = Output::new();
        let entries = output.set_up(&images, document.clone(), NEW).unwrap();
        for (entry, image) in entries.iter().zip(&images) {
            assert_eq!(entry["zarr_url"], format!("{}/{}", output.dir(), image.path));
            let keys: Vec<_> = entry["init_args"].as_object().unwrap().keys().cloned().collect();
            let source = if inline {
                "tiled_image_json_str"
            } else {
                "tiled_image_json_dump_url"
            };
            assert_eq!(keys, [source, "converter_options", "overwrite_mode"], "{document}");
            let args = ParallelizationEntry::from_value(entry).unwrap().init_args;
            let never = Retries {
                tries: 1,
                wait: &|_, _| unreachable!(),
            };
            let text = read_document(args.source().unwrap(), never).unwrap();
            assert_eq!(image_from_json_str(&text, "document").unwrap(), *image);
        }
        assert_eq!(output.0.path().join("_tmp_json").exists(), !inline, "{document}");
    }
}

/// The reference empties the folder first, another run's pending documents included.
#[test]
fn other_files_in_the_temporary_folder_stay() {
    let output = Output::new();
    output.put("_tmp_json/of-another-run.json", "{}");
    let entries = output.set_up(&[well("A", 1, 0, "DMSO")], temp("JSON", 1), NEW).unwrap();
    assert_eq!(fs::read_dir(output.0.path().join("_tmp_json")).unwrap().count(), 2);
    let url = entries[0]["init_args"]["tiled_image_json_dump_url"].as_str().unwrap();

    remove_document(url).unwrap();
    assert!(!Path::new(url).exists());
    assert!(output.0.path().join("_tmp_json/of-another-run.json").exists());
    remove_document(url).unwrap();
    remove_document(
        &output
            .0
            .path()
            .join("_tmp_json/of-another-run.json")
            .display()
            .to_string(),
    )
    .unwrap();
    assert!(
        !output.0.path().join("_tmp_json").exists(),
        "the last one takes the folder along"
    );
}

#[test]
fn a_file_that_does_not_appear_is_waited_for() {
    let waits = std::cell::RefCell::new(Vec::new());
    let wait = |time: std::time::Duration, attempt: u32| waits.borrow_mut().push((time.as_secs(), attempt));
    let retries = Retries { tries: 5, wait: &wait };
    let error = read_document(DocumentSource::File("/nowhere/x.json"), retries).unwrap_err();
    assert_eq!(*waits.borrow(), [(2, 1), (4, 2), (8, 3), (16, 4)]);
    expect![[r#"
        /nowhere/x.json does not exist: this hand-over file did not appear within 5 tries; the init task writes it and the compute task deletes it after use: check that both share the temporary folder, and that the image was not converted before
    "#]].assert_eq(&format!("{error}\n"));
}

#[test]
fn temporary_folders_that_cannot_be() {
    let output = Output::new();
    output.put("file", "");
    let single = [image(Collection::single("img"), &[])];
    let check = |url: &str, expected: Expect| {
        let options = json!({"serialization": "JSON", "temp_url": url});
        let document = json!({"runtime_settings": {"temp_json_options": options}});
        output.fails(&single, document, NEW, expected);
    };
    check(
        "tmp",
        expect![[r#"
        cannot use the path "tmp": temp_url must be an absolute path; begin it with {zarr_dir} or /
    "#]],
    );
    check(
        "{zarr_dir}/{user}",
        expect![[r#"
        cannot use the path "{zarr_dir}/{user}": temp_url knows the placeholder {zarr_dir} only
    "#]],
    );
    check(
        "{zarr_dir}/file",
        expect![[r#"
            cannot use the path "OUT/file": temp_url ("{zarr_dir}/file") is a file, but it must be a folder
        "#]],
    );
    check(
        "s3://bucket/tmp",
        expect![[r#"
        temp_url "s3://bucket/tmp" (object stores) is not supported yet
    "#]],
    );
}

#[test]
fn two_images_with_one_path() {
    let images = [
        well("A", 1, 0, "DMSO"),
        well("A", 1, 1, "DMSO"),
        well("A", 1, 0, "Drug"),
    ];
    Output::new().fails(&images, json!({}), NEW, expect![[r#"
        2 images would be written to the same path "P.zarr/A/01/0": give each its own acquisition number (plates) or image_path (single images)
    "#]]);
}

#[test]
fn a_collection_of_another_kind_or_a_relative_folder() {
    let options = ConverterOptions::default();
    let images = [well("A", 1, 0, "DMSO")];
    let error = setup_images_for_conversion(&images, "/out", "SingleImage", &options, NEW).unwrap_err();
    expect![[r#"
        image P.zarr/A/01/0: its collection is ImageInPlate, but the conversion is set up for "SingleImage"
    "#]]
    .assert_eq(&format!("{error}\n"));
    let error = setup_images_for_conversion(&images, "out", "ImageInPlate", &options, NEW).unwrap_err();
    expect![[r#"
        cannot use the path "out": the output folder must be an absolute path
    "#]]
    .assert_eq(&format!("{error}\n"));
}

#[test]
fn an_existing_output_is_an_error_by_default() {
    let output = Output::new();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();
    output.fails(&[well("B", 2, 0, "DMSO")], json!({}), NEW, expect![[r#"
        OUT/P.zarr exists already: choose `Overwrite` (--overwrite replace) to replace it, or `Extend` (--overwrite extend) to add to it
    "#]]);

    let output = Output::new();
    output.put("img.zarr/notes.txt", "mine");
    output.fails(&[image(Collection::single("img"), &[])], json!({}), NEW, expect![[r#"
        OUT/img.zarr exists already: choose `Overwrite` (--overwrite replace) to replace it, or `Extend` (--overwrite extend) to add to it
    "#]]);
}

#[test]
fn overwrite_replaces_the_whole_plate() {
    let output = Output::new();
    output
        .set_up(&[well("A", 1, 0, "DMSO"), well("C", 3, 0, "Drug")], json!({}), NEW)
        .unwrap();
    for file in [
        "A/01/0/.zattrs",
        "B/02/1/.zattrs",
        "B/02/0/0/0/0/0",
        "B/02/.0.partial/.ledger",
        "tables/own/.zattrs",
        "notes.txt",
    ] {
        output.put(&format!("P.zarr/{file}"), "{}");
    }
    let images = [well("B", 2, 0, "Drug")];
    assert_eq!(
        existing_outputs(&images, output.dir()).unwrap(),
        [output.0.path().join("P.zarr")]
    );
    output.set_up(&images, json!({}), OverwriteMode::Overwrite).unwrap();
    assert_eq!(output.wells(), ["B/02"]);
    // The image that is converted again stays until the new one is complete, and so does what was begun of it.
    let there = [
        "A",
        "notes.txt",
        "tables/own",
        "B/02/1",
        "B/02/0/0/0/0/0",
        "B/02/.0.partial/.ledger",
    ]
    .map(|below| output.0.path().join("P.zarr").join(below).exists());
    assert_eq!(there, [false, false, false, false, true, true]);
    expect![[r#"
        row column acquisition path_in_well drug
        B 2 0 0 Drug
    "#]]
    .assert_eq(&output.conditions());
}

#[test]
fn only_a_zarr_is_removed() {
    let output = Output::new();
    output.put("P.zarr/thesis.docx", "years of work");
    output.fails(
        &[well("A", 1, 0, "DMSO")],
        json!({}),
        OverwriteMode::Overwrite,
        expect![[r#"
            cannot use the path "OUT/P.zarr": it should be replaced, but it holds no zarr; move it away, or choose another output folder
        "#]],
    );
}

#[test]
fn a_plate_is_extended_with_its_condition_table() {
    let output = Output::new();
    output
        .set_up(
            &[well("B", 2, 0, "Drug"), well("A", 1, 0, "DMSO")],
            json!({}),
            OverwriteMode::Extend,
        )
        .unwrap();
    output.put("P.zarr/A/01/0/.zattrs", "{}");
    let again = [
        well("A", 1, 0, "water"),
        well("A", 1, 1, "DMSO"),
        well("C", 11, 0, "Drug"),
    ];
    let entries = output.set_up(&again, json!({}), OverwriteMode::Extend).unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(output.wells(), ["B/02", "A/01", "C/11"]);
    assert!(
        output.0.path().join("P.zarr/A/01/0/.zattrs").exists(),
        "what is there stays"
    );
    expect![[r#"
        row column acquisition path_in_well drug
        B 2 0 0 Drug
        A 1 0 0 water
        A 1 1 1 DMSO
        C 11 0 0 Drug
    "#]]
    .assert_eq(&output.conditions());
    // A column of the old or the new rows only has gaps.
    let dosed = image(Collection::in_plate("P", "D", 1, 0), &[("dose", Cell::Int(5))]);
    output.set_up(&[dosed], json!({}), OverwriteMode::Extend).unwrap();
    expect![[r#"
        row column acquisition path_in_well drug dose
        B 2 0 0 Drug Null
        A 1 0 0 water Null
        A 1 1 1 DMSO Null
        C 11 0 0 Drug Null
        D 1 0 0 Null 5
    "#]]
    .assert_eq(&output.conditions());
    // Without attributes there is nothing to merge: the table stays.
    let plain = image(Collection::in_plate("P", "D", 4, 0), &[]);
    output.set_up(&[plain], json!({}), OverwriteMode::Extend).unwrap();
    expect![[r#"
        row column acquisition path_in_well drug dose
        B 2 0 0 Drug Null
        A 1 0 0 water Null
        A 1 1 1 DMSO Null
        C 11 0 0 Drug Null
        D 1 0 0 Null 5
    "#]]
    .assert_eq(&output.conditions());
}

#[test]
fn a_plate_keeps_its_version() {
    let output = Output::new();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();
    let newer = json!({"omezarr_options": {"ngff_version": "0.5"}});
    output.fails(
        &[well("B", 2, 0, "DMSO")],
        newer.clone(),
        OverwriteMode::Extend,
        expect![[r#"
            the plate OUT/P.zarr is OME-NGFF 0.4, the images to be added are 0.5: set `ngff_version` to 0.4, or write another plate
        "#]],
    );
    output.put("P.zarr/A/01/0/.zattrs", "{}");
    output
        .set_up(&[well("A", 1, 0, "DMSO")], newer, OverwriteMode::Overwrite)
        .unwrap();
    assert_eq!(output.wells(), ["A/01"]);
    assert!(
        !output.0.path().join("P.zarr/A/01/0").exists(),
        "no image of another version in a plate"
    );
}

/// Everything that can be wrong with any plate is found before the first one is touched.
#[test]
fn no_plate_is_touched_when_another_cannot_be() {
    let in_q = || image(Collection::in_plate("Q", "A", 1, 0), &[]);
    let images = [well("A", 1, 0, "DMSO"), in_q()];
    let output = Output::new();
    output.set_up(&images[..1], json!({}), NEW).unwrap();
    output.put("Q.zarr/thesis.docx", "years of work");
    output.fails(&images, json!({}), OverwriteMode::Overwrite, expect![[r#"
        cannot use the path "OUT/Q.zarr": it should be replaced, but it holds no zarr; move it away, or choose another output folder
    "#]]);
    output.fails(
        &images,
        json!({}),
        OverwriteMode::Extend,
        expect![[r#"
        OUT/Q.zarr is no Zarr group: it has neither .zgroup nor zarr.json
    "#]],
    );
    let newer = json!({"omezarr_options": {"ngff_version": "0.5"}});
    let output = Output::new();
    output.set_up(&[in_q()], newer, NEW).unwrap();
    output.fails(&images, json!({}), OverwriteMode::Extend, expect![[r#"
        the plate OUT/Q.zarr is OME-NGFF 0.5, the images to be added are 0.4: set `ngff_version` to 0.5, or write another plate
    "#]]);
}

#[test]
fn attributes_that_make_no_condition_table() {
    let named = |column: u32, attributes: &[(&str, Cell)]| image(Collection::in_plate("P", "A", column, 0), attributes);
    let output = Output::new();
    let images = [named(1, &[("drug", Cell::Null)]), named(2, &[("dose", Cell::Int(1))])];
    output.fails(&images, json!({}), NEW, expect![[r#"
        the condition table, image P.zarr/A/02/0: its attributes are ["dose"], but those of image P.zarr/A/01/0 are ["drug"]; give all images the same attributes (cells may be empty)
    "#]]);
    output.fails(
        &[named(1, &[("column", Cell::Int(1))])],
        json!({}),
        NEW,
        expect![[r#"
        the condition table, image P.zarr/A/01/0: an attribute is called "column", which places a row; rename the column
    "#]],
    );
    let mut uneven = named(1, &[("drug", Cell::Null), ("dose", Cell::Int(1))]);
    uneven.attributes.insert("drug".into(), vec![Cell::Null, Cell::Null]);
    output.fails(
        &[uneven],
        json!({}),
        NEW,
        expect![[r#"
            the condition table, image P.zarr/A/01/0: attribute "drug" has 2 values, but "dose" has 1; fill the shorter one up with null
        "#]],
    );
}

#[test]
fn single_images_need_no_set_up() {
    let output = Output::new();
    let images = [
        image(Collection::single("a"), &[]),
        image(Collection::single("b.zarr"), &[]),
    ];
    let entries = output.set_up(&images, json!({}), NEW).unwrap();
    let urls: Vec<_> = entries
        .iter()
        .map(|entry| entry["zarr_url"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls,
        ["a.zarr", "b.zarr"].map(|name| format!("{}/{name}", output.dir()))
    );
    assert_eq!(output.files(), Vec::<String>::new());
}
