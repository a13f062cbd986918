//! The init side at scale: a table of 110 592 tiles to a parallelization list, and the tiling of a well of 10 000 fields.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ome_zarr_convert_core::options::{ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    AcquisitionDetails, Aggregation, Axis, Collection, PixelType, Region, Roi, Space, Span, TiledImage,
    hcs_images_from_dataframe, read_tiles_table, register, setup_images_for_conversion, tiles_aggregation_pipeline,
};
use ome_zarr_convert_sources::LoaderSpec;
use ome_zarr_convert_store::Location;

/// 384 wells of 9 fields, 4 channels and 8 slices.
fn table() -> String {
    let mut text = "file_path,row,column,fov_name,start_x,start_y,start_z,start_c,length_x,length_y,drug\n".to_owned();
    for well in 0..384 {
        let (row, column) = (char::from(b'A' + (well / 24) as u8), well % 24 + 1);
        for field in 0..9 {
            let (x, y) = (f64::from(field % 3) * 1498.5, f64::from(field / 3) * 1263.2);
            for (c, z) in (0..4).flat_map(|c| (0..8).map(move |z| (c, z))) {
                let name = format!("{row}{column:02}_{field}_{c}_{z}.tif");
                let _ = writeln!(text, "{name},{row},{column},FOV_{field},{x},{y},{z},{c},2560,2160,DMSO");
            }
        }
    }
    text
}

fn init(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiles.csv");
    std::io::Write::write_all(&mut std::fs::File::create(&path).expect("a file"), table().as_bytes()).expect("a table");
    let details = AcquisitionDetails {
        axes: vec![Axis::C, Axis::Z, Axis::Y, Axis::X],
        data_type: Some(PixelType::UInt16),
        ..AcquisitionDetails::default()
    };
    let options = ConverterOptions::default();
    let zarr_dir = Location::local(&folder.path().join("out")).expect("a place");
    let mut group = criterion.benchmark_group("init");
    group.sample_size(10);
    group.bench_function("110592 tiles of 384 wells", |bencher| {
        bencher.iter(|| {
            let table = read_tiles_table(&path).expect("a table");
            let tiles = hcs_images_from_dataframe(&table, &details, Some("P"), 0).expect("tiles");
            let images = tiles_aggregation_pipeline(tiles, &options, &Aggregation::default()).expect("images");
            let mode = OverwriteMode::Overwrite;
            let list = setup_images_for_conversion(&images, &zarr_dir, "ImageInPlate", &options, mode);
            assert_eq!(black_box(list.expect("a list")).len(), 384);
        });
    });
    group.finish();
}

/// A well of 100 × 100 fields; shifted rows are no grid, so that corners are searched.
fn well(shift: f64) -> TiledImage {
    let region = |number: u32| {
        let (x, y) = (
            f64::from(number % 100) * 90.0 + f64::from(number / 100) * shift,
            f64::from(number / 100) * 90.0,
        );
        let span = |start| Span { start, length: 100.0 };
        Region {
            roi: Roi::new(
                format!("F{number}"),
                Space::World,
                [(Axis::Y, span(y)), (Axis::X, span(x))],
            ),
            image_loader: LoaderSpec::File {
                file_path: String::new(),
            },
        }
    };
    TiledImage {
        regions: (0..10_000).map(region).collect(),
        path: "P.zarr/A/01/0".into(),
        name: None,
        xy_pixel_size: 1.0,
        z_spacing: 1.0,
        t_spacing: 1.0,
        data_type: PixelType::UInt16,
        axes: vec![Axis::Y, Axis::X],
        collection: Arc::new(Collection::in_plate("P", "A", 1, 0)),
        channels: None,
        translation: None,
        attributes: Default::default(),
    }
}

fn tiling(criterion: &mut Criterion) {
    let options = ConverterOptions::default();
    let mut group = criterion.benchmark_group("tiling of 10000 fields");
    group.sample_size(10);
    for (name, shift) in [("grid", 0.0), ("corners", 7.3)] {
        let image = well(shift);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut image = image.clone();
                register(&mut image, &options).expect("registered");
                black_box(image)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, init, tiling);
criterion_main!(benches);
