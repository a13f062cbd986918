//! What a conversion does to each pixel: tiles put into a chunk, the chunk halved, the chunk encoded. One thread each.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::ArrayD;
use ome_zarr_convert_compute::bench::{Encoder, FirstChunk, arrays, as_bytes, as_bytes_mut, halve_stack};
use ome_zarr_convert_compute::{PlannedImage, Processing};
use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_core::{Attributes, Axis, Collection, Extensions, Region, Roi, Space, Span, TiledImage, model};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::NgffVersion;
use ome_zarr_convert_sources::{
    ImageInfo, ImageLoader, LoaderSpec, MemoryImage, OpenImage, PlaneMut, SourceError, Window,
};
use serde_json::json;

const PLANES: usize = 5;
const HEIGHT: usize = 2160;
const WIDTH: usize = 2560;

/// Camera noise of six bits on a gradient: compresses about as well as what microscopes give.
fn pixel(index: usize) -> u16 {
    let mixed = (index as u64 ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let noise = (mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 58;
    (200 + index % WIDTH / 16 + noise as usize) as u16
}

fn halve(criterion: &mut Criterion) {
    let count = PLANES * HEIGHT * WIDTH;
    let shorts: Vec<u16> = (0..count).map(pixel).collect();
    let bytes: Vec<u8> = shorts.iter().map(|value| (value >> 1) as u8).collect();
    let floats: Vec<f32> = shorts.iter().map(|value| f32::from(*value)).collect();
    let mut group = criterion.benchmark_group("halve");
    macro_rules! bench {
        ($name:literal, $data_type:expr, $source:expr, $type:ty) => {
            let mut target = vec![<$type>::default(); count / 4];
            group.throughput(Throughput::Bytes((count * size_of::<$type>()) as u64));
            group.bench_function($name, |bencher| {
                bencher.iter(|| {
                    let target = as_bytes_mut(&mut target);
                    halve_stack(
                        $data_type,
                        black_box(as_bytes($source)),
                        target,
                        [PLANES, HEIGHT, WIDTH],
                    );
                });
            });
        };
    }
    bench!("uint8", PixelType::UInt8, &bytes, u8);
    bench!("uint16", PixelType::UInt16, &shorts, u16);
    bench!("float32", PixelType::Float32, &floats, f32);
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let image = image([HEIGHT, WIDTH], 1);
    let options = ConverterOptions::default();
    let image = planned(image, &options);
    let encoder = Encoder::new(&arrays(image.plan(), &options)[0], NgffVersion::V04).expect("a codec");
    let pixels: Vec<u16> = (0..PLANES * HEIGHT * WIDTH).map(pixel).collect();
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(2 * pixels.len() as u64));
    group.bench_function("blosc", |bencher| {
        bencher.iter(|| encoder.encode(black_box(as_bytes(&pixels))))
    });
    group.finish();
}

fn stitch(criterion: &mut Criterion) {
    let image = image([HEIGHT / 2, WIDTH / 2], 2);
    let chunks = json!({"mode": "Fixed Size", "xy_chunk": WIDTH, "z_chunk": PLANES});
    let options = json!({"omezarr_options": {"chunks": chunks}});
    let options: ConverterOptions = model::from_json(&options, "options").expect("options");
    let image = planned(image, &options);
    let tile = ArrayD::from_shape_fn(vec![PLANES, HEIGHT / 2, WIDTH / 2], |at| pixel(at[1] * WIDTH + at[2]));
    let loader = Memory(Arc::new(MemoryImage::new(tile)));
    let chunk = FirstChunk::of(&image, &loader);
    let mut group = criterion.benchmark_group("stitch");
    group.throughput(Throughput::Bytes((2 * PLANES * HEIGHT * WIDTH) as u64));
    group.bench_function("four tiles in a chunk", |bencher| {
        bencher.iter(|| chunk.fill());
    });
    group.finish();
}

fn planned(image: TiledImage, options: &ConverterOptions) -> PlannedImage {
    let processing = Processing {
        options: Arc::new(options.clone()),
        pipeline: None,
        extensions: &Extensions::new(),
    };
    PlannedImage::new(image, &processing).expect("a plan")
}

/// An image of `side` × `side` fields of [`PLANES`] slices, side by side.
fn image([height, width]: [usize; 2], side: usize) -> TiledImage {
    let region = |number: usize| {
        let (row, column) = (number / side, number % side);
        let span = |start: usize, length: usize| Span {
            start: start as f64,
            length: length as f64,
        };
        let spans = [
            (Axis::Z, span(0, PLANES)),
            (Axis::Y, span(row * height, height)),
            (Axis::X, span(column * width, width)),
        ];
        Region {
            roi: Roi::new(format!("F{number}"), Space::Pixel, spans),
            image_loader: LoaderSpec::Custom(Box::default()),
        }
    };
    TiledImage {
        regions: (0..side * side).map(region).collect(),
        path: "image.zarr".into(),
        name: None,
        xy_pixel_size: 1.0,
        z_spacing: 1.0,
        t_spacing: 1.0,
        data_type: PixelType::UInt16,
        axes: vec![Axis::Z, Axis::Y, Axis::X],
        collection: Arc::new(Collection::single("image")),
        channels: None,
        translation: None,
        attributes: Attributes::new(),
    }
}

/// Gives the same image for every tile.
struct Memory(Arc<MemoryImage>);

impl ImageLoader for Memory {
    fn open(&self, _: &LoaderSpec, _: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        Ok(Box::new(Shared(self.0.clone())))
    }
}

struct Shared(Arc<MemoryImage>);

impl OpenImage for Shared {
    fn info(&self) -> &ImageInfo {
        self.0.info()
    }

    fn read_window(&self, plane: u64, window: Window, out: PlaneMut<'_>) -> Result<(), SourceError> {
        self.0.read_window(plane, window, out)
    }

    fn cheap_windows(&self) -> bool {
        true
    }
}

criterion_group!(benches, halve, encode, stitch);
criterion_main!(benches);
