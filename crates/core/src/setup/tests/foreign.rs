//! What is told before a plate is replaced.

use ome_zarr_convert_ngff::{
    ArrayMetadata, AxisMetadata, Codec, DataTable, ImageMetadata, Level, NgffVersion, Table, TableBackend, add_table,
};
use ome_zarr_convert_store::MemoryStore;

use super::*;

/// An image as a conversion leaves it, with its mark; or of another program, without.
fn finished(dir: &Location, version: NgffVersion, marked: bool) {
    let axes = ["y", "x"];
    let image = ImageMetadata {
        axes: axes.map(AxisMetadata::named).to_vec(),
        levels: vec![Level {
            path: "0".into(),
            scale: vec![1.0, 1.0],
        }],
        translation: None,
        channels: None,
    };
    let array = ArrayMetadata {
        shape: vec![4, 4],
        chunks: vec![4, 4],
        shards: None,
        data_type: PixelType::UInt8,
        codec: Codec::None,
        axes: axes.map(str::to_owned).to_vec(),
    };
    array.write(&dir.child("0"), version).unwrap();
    if marked {
        dir.join("0/.ome-zarr-convert.json").write_whole(&[b"{}"]).unwrap();
    }
    table(dir, version, "well_ROI_table");
    image.write_group(dir, version).unwrap();
}

fn table(dir: &Location, version: NgffVersion, name: &str) {
    let mut table = DataTable::new();
    table.push_column("n", vec![Cell::Int(1)]).unwrap();
    add_table(dir, version, name, Table::Condition(table), TableBackend::Csv.into()).unwrap();
}

#[test]
fn only_what_no_conversion_wrote_is_foreign() {
    for (version, name) in [(NgffVersion::V04, "0.4"), (NgffVersion::V05, "0.5")] {
        let zarr_dir = Location::new(Arc::new(MemoryStore::new()), "out");
        let plate = zarr_dir.child("P.zarr");
        assert_eq!(foreign_content(&plate).unwrap(), Vec::<String>::new());
        let document = json!({"omezarr_options": {"ngff_version": name}});
        let options: ConverterOptions = from_json(&document, "options").unwrap();
        let images = [
            well("A", 1, 0, "DMSO"),
            well("A", 1, 1, "DMSO"),
            well("B", 2, 0, "Drug"),
        ];
        setup_images_for_conversion(&images, &zarr_dir, "ImageInPlate", &options, NEW).unwrap();
        finished(&plate.join("A/01/0"), version, true);
        // One that was interrupted, in its place and beside it.
        let begun = "B/02/0/.ome-zarr-convert.begun.json";
        for file in [
            begun,
            "B/02/0/0/0",
            "B/02/.0.partial/0/0",
            "B/02/.0.lock",
            "..zattrs.partial",
        ] {
            plate.join(file).write_whole(&[b"x"]).unwrap();
        }
        assert_eq!(foreign_content(&plate).unwrap(), Vec::<String>::new(), "{name}");

        finished(&plate.join("A/01/1"), version, false);
        table(&plate.join("A/01/0"), version, "nuclei");
        table(&plate, version, "features");
        for file in [
            "notes.txt",
            "A/Thumbs.db",
            "A/02/0/.zattrs",
            "C/03/scan.tif",
            "A/01/0/labels/nuclei/0/0",
            "B/02/analysis/x",
            ".zattrs.partial",
        ] {
            plate.join(file).write_whole(&[b"{}"]).unwrap();
        }
        let found = foreign_content(&plate).unwrap();
        let expected = [
            ".zattrs.partial",
            "C",
            "notes.txt",
            "tables/features",
            "A/02",
            "A/Thumbs.db",
            "A/01/0/labels",
            "A/01/0/tables/nuclei",
            "A/01/1",
            "B/02/analysis",
        ];
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn in_what_is_no_plate_everything_is_foreign() {
    let place = Location::new(Arc::new(MemoryStore::new()), "P.zarr");
    finished(&place, NgffVersion::V05, true);
    place.child("thesis.docx").write_whole(&[b"years of work"]).unwrap();
    assert_eq!(foreign_content(&place).unwrap(), ["0", "tables", "thesis.docx"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_foreign_whatever_it_is_called() {
    let output = Output::new();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();
    let plate = output.0.path().join("P.zarr");
    std::os::unix::fs::symlink("/data/image.zarr", plate.join("A/01/0")).unwrap();
    let found = foreign_content(&output.place().child("P.zarr")).unwrap();
    assert_eq!(found, ["A/01/0"]);
}
