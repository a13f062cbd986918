//! An image described in a few numbers, a loader that makes up its tiles and counts what is asked of it, and its conversion.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ome_zarr_convert_compute::{
    Cancellation, ComputeError, Conversion, Event, PlannedImage, Processing, Progress, Report, convert_image,
};
use ome_zarr_convert_core::options::{ChannelInfo, ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{Attributes, Axis, Collection, Extensions, Region, Roi, Space, Span, TiledImage, model};
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_sources::{ImageInfo, ImageLoader, LoaderSpec, OpenImage, PlaneMut, SourceError, Window};
use ome_zarr_convert_store::Location;
use serde_json::{Map, Value, json};

/// One tile: its box in pixels (array order, axes that the image lacks ignored) and its pixels.
#[derive(Clone, Debug)]
pub(crate) struct TileSpec {
    pub(crate) field: usize,
    pub(crate) start: [u64; 5],
    pub(crate) size: [u64; 5],
    pub(crate) source: Arc<Source>,
}

/// What the loader gives for one tile.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) info: ImageInfo,
    /// All planes in C order, native endian.
    pub(crate) bytes: Vec<u8>,
    pub(crate) cheap_windows: bool,
    pub(crate) band_rows: Option<u64>,
}

/// An image to be converted.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) axes: Vec<Axis>,
    pub(crate) data_type: PixelType,
    pub(crate) tiles: Vec<TileSpec>,
    pub(crate) channels: Option<usize>,
    pub(crate) omezarr: Value,
}

/// Pixels by the kind of their type, mixed from a seed: every bit of an integer in use unless `small` (0 to 100, which every
/// type can hold), floats in quarters, about a tenth zeros.
pub(crate) fn noise(pixel_type: PixelType, count: usize, seed: u64, small: bool) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(count * pixel_type.size_bytes());
    for _ in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bits = (state ^ (state >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = bits ^ (bits >> 32);
        let quarter = if small {
            (bits % 101) as f64
        } else {
            (bits % 4001) as f64 / 4.0 - 300.0
        };
        let bits = if small { bits % 101 } else { bits };
        let zero = (state >> 40).is_multiple_of(10);
        let value = if zero { 0 } else { bits };
        match pixel_type {
            PixelType::Bool => bytes.push((value & 1) as u8),
            PixelType::Float32 => bytes.extend(if zero { 0.0 } else { quarter as f32 }.to_ne_bytes()),
            PixelType::Float64 => bytes.extend(if zero { 0.0 } else { quarter }.to_ne_bytes()),
            // The low bytes: the workspace supports little-endian hosts only as far as tests go.
            other => bytes.extend_from_slice(&value.to_le_bytes()[..other.size_bytes()]),
        }
    }
    bytes
}

impl TileSpec {
    /// A tile of noise whose file has the tile's axes.
    pub(crate) fn noise(axes: &[Axis], field: usize, start: [u64; 5], size: [u64; 5], pixel_type: PixelType) -> Self {
        let shape: Vec<u64> = axes.iter().map(|axis| size[*axis as usize]).collect();
        let seed = start.iter().fold(field as u64 + 1, |seed, at| seed * 31 + at);
        let bytes = noise(pixel_type, shape.iter().product::<u64>() as usize, seed, false);
        Self {
            field,
            start,
            size,
            source: Arc::new(Source {
                info: ImageInfo { shape, pixel_type },
                bytes,
                cheap_windows: false,
                band_rows: None,
            }),
        }
    }
}

impl Scene {
    /// The image that core would hand over: boxes in pixels.
    pub(crate) fn image(&self) -> TiledImage {
        let region = |(number, tile): (usize, &TileSpec)| Region {
            roi: Roi::new(
                format!("F{}", tile.field),
                Space::Pixel,
                self.axes.iter().map(|axis| {
                    let (start, length) = (tile.start[*axis as usize] as f64, tile.size[*axis as usize] as f64);
                    (*axis, Span { start, length })
                }),
            ),
            image_loader: LoaderSpec::Custom(Box::new(Map::from_iter([("id".to_owned(), json!(number))]))),
        };
        let channel = |index: usize| ChannelInfo {
            channel_label: format!("stain {index}"),
            wavelength_id: None,
            color: None,
        };
        TiledImage {
            regions: self.tiles.iter().enumerate().map(region).collect(),
            path: "image.zarr".into(),
            name: None,
            xy_pixel_size: 0.25,
            z_spacing: 2.0,
            t_spacing: 30.0,
            data_type: self.data_type,
            axes: self.axes.clone(),
            collection: Arc::new(Collection::single("image")),
            channels: self.channels.map(|count| (0..count).map(channel).collect()),
            translation: None,
            attributes: Attributes::new(),
        }
    }

    /// Options that leave every tile where it is.
    pub(crate) fn options(&self) -> ConverterOptions {
        let document = json!({
            "grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": "Inplace"}},
            "stage_position_corrections": {
                "remove_xy_offset": "Keep", "remove_z_offset": "Keep", "remove_t_offset": "Keep",
                "remove_xy_jitter": false, "reindex_channels": false,
            },
            "omezarr_options": self.omezarr,
        });
        model::from_json(&document, "options").unwrap()
    }
}

/// What goes wrong on purpose with one tile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    Open(usize),
    Read(usize),
    PanicOnOpen(usize),
    PanicOnRead(usize),
    /// The system fails with that number.
    System(usize, i32),
    /// Nothing goes wrong, but opening takes long enough for the other threads to fail first.
    SlowOpen(usize),
}

/// Loads the tiles of a scene by their number, and counts.
#[derive(Default)]
pub(crate) struct Loader {
    sources: Vec<Arc<Source>>,
    pub(crate) fault: Fault,
    counts: Arc<Mutex<Counts>>,
}

/// What was asked of a loader, per tile and per plane of a tile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) opened: BTreeMap<usize, usize>,
    pub(crate) read: BTreeMap<(usize, u64), Vec<(u64, u64)>>,
}

impl Loader {
    pub(crate) fn of(scene: &Scene) -> Self {
        Self {
            sources: scene.tiles.iter().map(|tile| tile.source.clone()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().unwrap().clone()
    }
}

impl ImageLoader for Loader {
    fn open(&self, spec: &LoaderSpec, _: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        let id = spec.to_json()["id"].as_u64().unwrap() as usize;
        *self.counts.lock().unwrap().opened.entry(id).or_default() += 1;
        if self.fault == Fault::SlowOpen(id) {
            std::thread::sleep(Duration::from_millis(20));
        }
        match self.fault {
            Fault::Open(tile) if tile == id => Err(broken("the disk is gone")),
            Fault::PanicOnOpen(tile) if tile == id => panic!("no header in tile {id}"),
            fault => Ok(Box::new(Opened {
                id,
                source: self.sources[id].clone(),
                fault,
                counts: self.counts.clone(),
            })),
        }
    }
}

fn broken(reason: &str) -> SourceError {
    SourceError::Loader {
        origin: "tests".into(),
        reason: reason.into(),
    }
}

struct Opened {
    id: usize,
    source: Arc<Source>,
    fault: Fault,
    counts: Arc<Mutex<Counts>>,
}

impl OpenImage for Opened {
    fn info(&self) -> &ImageInfo {
        &self.source.info
    }

    fn read_window(&self, plane: u64, window: Window, out: PlaneMut<'_>) -> Result<(), SourceError> {
        let read = (window.height, window.width);
        self.counts
            .lock()
            .unwrap()
            .read
            .entry((self.id, plane))
            .or_default()
            .push(read);
        match self.fault {
            Fault::Read(tile) if tile == self.id => return Err(broken("the strip is torn")),
            Fault::System(tile, number) if tile == self.id => {
                return Err(SourceError::LoaderIo {
                    origin: "tests".into(),
                    source: std::io::Error::from_raw_os_error(number),
                });
            }
            Fault::PanicOnRead(tile) if tile == self.id => panic!("index out of range in tile {tile}"),
            _ => {}
        }
        let (height, width) = self.source.info.plane_size();
        assert!(
            plane < self.source.info.planes() && window.y + window.height <= height,
            "outside"
        );
        assert!(
            window.x + window.width <= width && window.width > 0 && window.height > 0,
            "outside or empty"
        );
        let size = self.source.info.pixel_type.size_bytes();
        for row in 0..window.height {
            let from = (((plane * height) + window.y + row) * width + window.x) as usize * size;
            let to = row as usize * out.row_stride;
            let length = window.width as usize * size;
            out.data[to..to + length].copy_from_slice(&self.source.bytes[from..from + length]);
        }
        Ok(())
    }

    fn cheap_windows(&self) -> bool {
        self.source.cheap_windows
    }

    fn independent_rows(&self) -> Option<u64> {
        self.source.band_rows
    }
}

/// Counts events; may cancel after some chunks.
#[derive(Default)]
pub(crate) struct Listener {
    events: Mutex<HashMap<&'static str, u64>>,
    pub(crate) bytes: AtomicU64,
    pub(crate) cancellation: Cancellation,
    /// Cancels after so many chunks of the finest level.
    pub(crate) cancel_after: Option<usize>,
    /// Waits this long once the image is planned, before anything of it is written.
    pub(crate) pause_when_planned: Duration,
}

impl Listener {
    pub(crate) fn count(&self, event: &str) -> u64 {
        self.events.lock().unwrap().get(event).copied().unwrap_or_default()
    }
}

impl Progress for Listener {
    fn on(&self, event: Event<'_>) {
        let name = match event {
            Event::LevelsLeftOut { .. } => "levels left out",
            Event::HiddenTiles { .. } => "hidden tiles",
            Event::ChunkDone { .. } => "chunk done",
            Event::TileRead { .. } => "tile read",
            Event::FileWritten { bytes, .. } => {
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                "file written"
            }
            Event::ImageComplete { .. } => "image complete",
            Event::ImageKept { .. } => "already complete",
            _ => "other",
        };
        if let Event::ImageStarted { .. } = event {
            std::thread::sleep(self.pause_when_planned);
        }
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let count = events.entry(name).or_default();
        *count += 1;
        if name == "chunk done" && self.cancel_after.is_some_and(|chunks| *count >= chunks as u64) {
            self.cancellation.cancel();
        }
    }
}

/// An image registered and planned with the built-in steps.
pub(crate) fn plan(image: TiledImage, options: ConverterOptions) -> Result<PlannedImage, ComputeError> {
    let processing = Processing {
        options: Arc::new(options),
        pipeline: None,
        extensions: &Extensions::new(),
    };
    PlannedImage::new(image, &processing)
}

/// A conversion of a scene into a folder of its own.
pub(crate) struct Run<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) folder: &'a Path,
    pub(crate) loader: Loader,
    pub(crate) listener: Listener,
    pub(crate) overwrite_mode: OverwriteMode,
    pub(crate) threads: usize,
    pub(crate) pixel_budget: Option<u64>,
    pub(crate) open_sources: Option<usize>,
    pub(crate) durable: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(scene: &'a Scene, folder: &'a Path) -> Self {
        Self {
            scene,
            folder,
            loader: Loader::of(scene),
            listener: Listener::default(),
            overwrite_mode: OverwriteMode::NoOverwrite,
            threads: 2,
            pixel_budget: None,
            open_sources: None,
            durable: false,
        }
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder.join("image.zarr")
    }

    pub(crate) fn convert(&self) -> Result<Report, ComputeError> {
        self.convert_image(self.scene.image())
    }

    pub(crate) fn convert_image(&self, image: TiledImage) -> Result<Report, ComputeError> {
        let target = Location::local(&self.target())?;
        self.convert_at(image, &target)
    }

    /// Converts an image to any place.
    pub(crate) fn convert_at(&self, image: TiledImage, target: &Location) -> Result<Report, ComputeError> {
        let planned = plan(image, self.scene.options())?;
        let note = json!(planned.plan().levels.len());
        let usual = Conversion::new(target);
        let conversion = Conversion {
            overwrite_mode: self.overwrite_mode,
            pixel_budget: self.pixel_budget,
            open_sources: self.open_sources.unwrap_or(usual.open_sources),
            loader: &self.loader,
            progress: &self.listener,
            cancellation: &self.listener.cancellation,
            durable: self.durable,
            note: &note,
            ..usual
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .unwrap();
        pool.install(|| convert_image(&planned, &conversion))
    }
}

/// Every file below a folder by its path relative to it, with `/`.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(
                tree(&path)
                    .into_iter()
                    .map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

/// Whether a file below an image holds pixels.
pub(crate) fn is_chunk(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    name.contains('/') && file.bytes().all(|byte| byte.is_ascii_digit())
}
