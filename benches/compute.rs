//! The whole compute side on a small acquisition of TIFF files, and beside it the floor: the same files read, and the same chunks
//! of all levels encoded and written by the same number of threads, with nothing placed and nothing halved.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ome_zarr_convert_compute::bench::{Encoder, arrays, as_bytes, as_bytes_mut, halve_stack};
use ome_zarr_convert_compute::{Conversion, ImagePlan, Level, PlannedImage, Processing, Threads, convert_image};
use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_core::{Attributes, Axis, Collection, Extensions, Region, Roi, Space, Span, TiledImage};
use ome_zarr_convert_geometry::{Index5, PixelType};
use ome_zarr_convert_ngff::{ArrayMetadata, NgffVersion};
use ome_zarr_convert_sources::{LoaderSpec, PlaneMut, Window, open_file};
use ome_zarr_convert_store::Location;
use rayon::prelude::*;
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype::Gray16};

/// Fields along each side of the square.
const SIDE: usize = 3;
const CHANNELS: usize = 2;
const SLICES: usize = 5;
/// Rows and columns of a field, sizes that halve four times without a rest.
const FIELD: [usize; 2] = [1088, 1280];

/// The acquisition on disk: one plane per file.
struct Acquisition {
    folder: tempfile::TempDir,
}

impl Acquisition {
    fn write(compression: Compression) -> Self {
        let acquisition = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        for_each_file(|field, channel, slice| {
            let file = BufWriter::new(File::create(acquisition.file(field, channel, slice)).expect("a file"));
            let mut encoder = TiffEncoder::new(file)
                .expect("an encoder")
                .with_compression(compression);
            let image = encoder
                .new_image::<Gray16>(FIELD[1] as u32, FIELD[0] as u32)
                .expect("an image");
            image.write_data(&plane(field, channel, slice)).expect("pixels");
        });
        acquisition
    }

    fn file(&self, field: usize, channel: usize, slice: usize) -> PathBuf {
        self.folder.path().join(format!("f{field}_c{channel}_z{slice}.tif"))
    }

    /// The image that core would make of it: fields side by side.
    fn image(&self) -> TiledImage {
        let mut regions = Vec::new();
        for_each_file(|field, channel, slice| {
            let span = |start: usize, length: usize| Span {
                start: start as f64,
                length: length as f64,
            };
            let spans = [
                (Axis::C, span(channel, 1)),
                (Axis::Z, span(slice, 1)),
                (Axis::Y, span(field / SIDE * FIELD[0], FIELD[0])),
                (Axis::X, span(field % SIDE * FIELD[1], FIELD[1])),
            ];
            let file_path = self.file(field, channel, slice).display().to_string();
            regions.push(Region {
                roi: Roi::new(format!("F{field}"), Space::Pixel, spans),
                image_loader: LoaderSpec::File { file_path },
            });
        });
        TiledImage {
            regions,
            path: "image.zarr".into(),
            name: None,
            xy_pixel_size: 0.65,
            z_spacing: 5.0,
            t_spacing: 1.0,
            data_type: PixelType::UInt16,
            axes: vec![Axis::C, Axis::Z, Axis::Y, Axis::X],
            collection: std::sync::Arc::new(Collection::single("image")),
            channels: None,
            translation: None,
            attributes: Attributes::new(),
        }
    }
}

fn for_each_file(mut visit: impl FnMut(usize, usize, usize)) {
    for field in 0..SIDE * SIDE {
        for channel in 0..CHANNELS {
            (0..SLICES).for_each(|slice| visit(field, channel, slice));
        }
    }
}

/// Camera noise of six bits on a gradient: compresses about as well as what microscopes give.
fn plane(field: usize, channel: usize, slice: usize) -> Vec<u16> {
    let first = ((field * CHANNELS + channel) * SLICES + slice) * FIELD[0] * FIELD[1];
    let pixel = |index: usize| {
        let mixed = (index as u64 ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let noise = (mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 58;
        (200 + index % FIELD[1] / 16 + noise as usize) as u16
    };
    (first..first + FIELD[0] * FIELD[1]).map(pixel).collect()
}

fn planned(acquisition: &Acquisition, options: &ConverterOptions) -> PlannedImage {
    let processing = Processing {
        options: Arc::new(options.clone()),
        pipeline: None,
        extensions: &Extensions::new(),
    };
    PlannedImage::new(acquisition.image(), &processing).expect("a plan")
}

fn convert(acquisition: &Acquisition, target: &Path, options: &ConverterOptions) {
    let target = Location::local(target).expect("a place");
    convert_image(&planned(acquisition, options), &Conversion::new(&target)).expect("a conversion");
}

/// Chunks of all levels: those of the finest are files to be read, the others lie ready.
struct Floor<'a> {
    acquisition: &'a Acquisition,
    arrays: Vec<ArrayMetadata>,
    encoders: Vec<Encoder>,
    levels: Vec<Level>,
    jobs: Vec<Job>,
    buffers: Mutex<Vec<Vec<u16>>>,
}

struct Job {
    level: usize,
    /// Index of the chunk along c, z, y and x.
    index: Index5,
    /// `None`: read from the files of its field.
    pixels: Option<Vec<u16>>,
}

impl<'a> Floor<'a> {
    fn new(acquisition: &'a Acquisition, plan: &ImagePlan, options: &ConverterOptions) -> Self {
        let arrays = arrays(plan, options);
        let encoder = |array| Encoder::new(array, NgffVersion::V04).expect("a codec");
        let mut jobs = Vec::new();
        for channel in 0..CHANNELS {
            let mut pixels = whole_channel(channel);
            for (number, level) in plan.levels.iter().enumerate() {
                let [.., height, width] = level.shape.map(|size| size as usize);
                if number > 0 {
                    let mut halved = vec![0_u16; SLICES * height * width];
                    let finer = [SLICES, 2 * height, 2 * width];
                    halve_stack(PixelType::UInt16, as_bytes(&pixels), as_bytes_mut(&mut halved), finer);
                    pixels = halved;
                }
                let grid = level.chunks().counts();
                for (y, x) in (0..grid[3]).flat_map(|y| (0..grid[4]).map(move |x| (y, x))) {
                    let index = [0, channel as u64, 0, y, x];
                    let pixels = (number > 0).then(|| cut(&pixels, level, [y as usize, x as usize]));
                    jobs.push(Job {
                        level: number,
                        index,
                        pixels,
                    });
                }
            }
        }
        // The largest first, so that no thread is left with a large one at the end.
        jobs.sort_by_key(|job| job.level);
        Self {
            acquisition,
            encoders: arrays.iter().map(encoder).collect(),
            arrays,
            levels: plan.levels.clone(),
            jobs,
            buffers: Mutex::default(),
        }
    }

    fn run(&self, target: &Path) {
        self.jobs.par_iter().with_max_len(1).for_each(|job| {
            let array = &self.arrays[job.level];
            let encoded = match &job.pixels {
                Some(pixels) => self.encoders[job.level].encode(as_bytes(pixels)),
                None => {
                    let mut buffer = self.buffers.lock().expect("no panic").pop().unwrap_or_default();
                    buffer.resize(SLICES * FIELD[0] * FIELD[1], 0);
                    self.read(job, &mut buffer);
                    let encoded = self.encoders[job.level].encode(as_bytes(&buffer));
                    self.buffers.lock().expect("no panic").push(buffer);
                    encoded
                }
            };
            let key = array.chunk_key(NgffVersion::V04, &job.index[1..]);
            let path = target.join(&self.levels[job.level].name).join(key);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            File::create(path)
                .expect("a file")
                .write_all(&encoded.expect("an encoded chunk"))
                .expect("space");
        });
    }

    fn read(&self, job: &Job, buffer: &mut [u16]) {
        let field = job.index[3] as usize * SIDE + job.index[4] as usize;
        let [height, width] = FIELD;
        for (slice, plane) in buffer.chunks_exact_mut(height * width).enumerate() {
            let file = open_file(&self.acquisition.file(field, job.index[1] as usize, slice)).expect("a TIFF file");
            let window = Window {
                y: 0,
                x: 0,
                height: height as u64,
                width: width as u64,
            };
            let out = PlaneMut {
                data: as_bytes_mut(plane),
                row_stride: 2 * width,
            };
            file.read_window(0, window, out).expect("pixels");
        }
    }
}

/// All slices of a channel of the mosaic.
fn whole_channel(channel: usize) -> Vec<u16> {
    let [height, width] = FIELD;
    let mut whole = vec![0; SLICES * SIDE * height * SIDE * width];
    for_each_file(|field, of, slice| {
        if of == channel {
            for (row, pixels) in plane(field, channel, slice).chunks_exact(width).enumerate() {
                let y = slice * SIDE * height + field / SIDE * height + row;
                let start = (y * SIDE + field % SIDE) * width;
                whole[start..start + width].copy_from_slice(pixels);
            }
        }
    });
    whole
}

/// A chunk of a level of one channel, padded with zeros.
fn cut(pixels: &[u16], level: &Level, [y, x]: [usize; 2]) -> Vec<u16> {
    let [_, _, slices, height, width] = level.shape.map(|size| size as usize);
    let [_, _, _, rows, columns] = level.chunk.map(|size| size as usize);
    let mut chunk = vec![0; slices * rows * columns];
    let length = columns.min(width - x * columns);
    for (slice, row) in (0..slices).flat_map(|slice| (0..rows.min(height - y * rows)).map(move |row| (slice, row))) {
        let from = (slice * height + y * rows + row) * width + x * columns;
        let to = (slice * rows + row) * columns;
        chunk[to..to + length].copy_from_slice(&pixels[from..from + length]);
    }
    chunk
}

fn compute(criterion: &mut Criterion) {
    let threads = Threads::new(std::thread::available_parallelism().map_or(1, usize::from)).expect("threads");
    let options = ConverterOptions::default();
    for (name, compression) in [
        ("uncompressed", Compression::Uncompressed),
        ("deflate", Compression::Deflate(DeflateLevel::Balanced)),
        ("lzw", Compression::Lzw),
    ] {
        let acquisition = Acquisition::write(compression);
        let image = planned(&acquisition, &options);
        let plan = image.plan();
        let floor = Floor::new(&acquisition, plan, &options);
        let target = acquisition.folder.path().join("image.zarr");
        assert_same_chunks(&acquisition, &floor, &target, &options);
        let clear = || {
            fs::remove_dir_all(&target).expect("an image of the round before");
        };
        let mut group = criterion.benchmark_group(format!("compute {name}"));
        group.sample_size(20).throughput(Throughput::Bytes(plan.pixel_bytes()));
        group.bench_function("convert", |bencher| {
            let convert = |()| threads.run(|| convert(&acquisition, &target, &options));
            bencher.iter_batched(clear, convert, BatchSize::PerIteration);
        });
        group.bench_function("floor", |bencher| {
            bencher.iter_batched(clear, |()| threads.run(|| floor.run(&target)), BatchSize::PerIteration);
        });
        group.finish();
    }
}

/// Both write the same bytes, or the ratio of their times means nothing. Leaves an image behind for the first round.
fn assert_same_chunks(acquisition: &Acquisition, floor: &Floor<'_>, target: &Path, options: &ConverterOptions) {
    let other = target.with_extension("floor");
    convert(acquisition, target, options);
    floor.run(&other);
    for job in &floor.jobs {
        let key = floor.arrays[job.level].chunk_key(NgffVersion::V04, &job.index[1..]);
        let chunk = |root: &Path| fs::read(root.join(&floor.levels[job.level].name).join(&key)).expect("a chunk");
        assert!(chunk(target) == chunk(&other), "chunk {key} of level {}", job.level);
    }
    fs::remove_dir_all(&other).expect("the floor's chunks");
}

criterion_group!(benches, compute);
criterion_main!(benches);
