//! A converter for a format of its own: it parses one container file into tiles and reads their pixels with its own loader.
//!
//! `cargo run -p ome-zarr-convert-workspace --example own_loader -- [FOLDER]` writes such a container and converts it into FOLDER (a temporary one unless
//! given). The made-up microscope writes one `.scan` file per run: a header in text, a line per frame, then all pixels.
//!
//! ```text
//! SCAN 1 width 64 height 48 pixel 0.5
//! B02 f1 x 0 y 0 at 160
//! …
//! END
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::ArrayD;
use ome_zarr_convert_core::options::{ChannelInfo, ConverterOptions, OverwriteMode};
use ome_zarr_convert_core::{
    AcquisitionDetails, Aggregation, Axis, Collection, Tile, setup_images_for_conversion, tiles_aggregation_pipeline,
};
use ome_zarr_convert_ngff::{Cell, ImageMetadata};
use ome_zarr_convert_sources::{ImageLoader, LoaderSpec, MemoryImage, OpenImage, SourceError};
use ome_zarr_convert_tasks::{ComputeContext, Location, Threads, generic_compute_task};
use serde_json::{Map, Value, json};

const WIDTH: u64 = 64;
const HEIGHT: u64 = 48;
/// Four fields that overlap by 4 pixels of half a micrometre; the frames of one are of one brightness.
const FRAMES: [(&str, &str, f64, f64, u16); 4] = [
    ("B02", "f1", 0.0, 0.0, 100),
    ("B02", "f2", 30.0, 0.0, 200),
    ("B02", "f3", 0.0, 22.0, 300),
    ("B02", "f4", 30.0, 22.0, 400),
];

/// Loads frames of a `.scan` file. What it needs travels from the init to the compute task as keys of its own.
struct ScanLoader;

impl ScanLoader {
    fn keys(path: &Path, offset: u64) -> LoaderSpec {
        let keys = json!({ "scan_file": path, "offset": offset, "width": WIDTH, "height": HEIGHT });
        LoaderSpec::from_json(keys.as_object().cloned().unwrap_or_default())
    }

    fn failed(origin: impl Into<String>, reason: impl ToString) -> SourceError {
        SourceError::Loader {
            origin: origin.into(),
            reason: reason.to_string(),
        }
    }

    fn scan_file(keys: &Map<String, Value>) -> String {
        let path = keys.get("scan_file").and_then(Value::as_str);
        path.unwrap_or("a scan file without a name").to_owned()
    }

    fn number(keys: &Map<String, Value>, key: &str) -> Result<u64, SourceError> {
        let number = keys.get(key).and_then(Value::as_u64);
        number.ok_or_else(|| Self::failed("image_loader", format!("{key} is missing; it must be a whole number")))
    }
}

impl ImageLoader for ScanLoader {
    fn open(&self, spec: &LoaderSpec, _: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        let keys = spec.to_json();
        let (offset, height) = (Self::number(&keys, "offset")?, Self::number(&keys, "height")?);
        let width = Self::number(&keys, "width")?;
        let path = Self::scan_file(&keys);
        let mut bytes = vec![0; (2 * width * height) as usize];
        let mut file = File::open(&path).map_err(|error| Self::failed(&path, error))?;
        let read = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|error| Self::failed(&path, format!("frame at byte {offset}: {error}")))?;
        let pixels: Vec<u16> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .collect();
        let array = ArrayD::from_shape_vec(vec![height as usize, width as usize], pixels);
        let array = array.map_err(|error| Self::failed(&path, error))?;
        Ok(Box::new(MemoryImage::new(array).named(path)))
    }

    /// With this a changed file is told from the one that was converted.
    fn source_file(&self, spec: &LoaderSpec, _: Option<&str>) -> Option<PathBuf> {
        Some(Self::scan_file(&spec.to_json()).into())
    }
}

/// What the microscope does.
fn write_scan(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut header = format!("SCAN 1 width {WIDTH} height {HEIGHT} pixel 0.5\n");
    let frame_bytes = 2 * (WIDTH * HEIGHT) as usize;
    for (number, (well, field, x, y, _)) in FRAMES.iter().enumerate() {
        header.push_str(&format!(
            "{well} {field} x {x} y {y} at {}\n",
            512 + number * frame_bytes
        ));
    }
    header.push_str("END\n");
    let mut file = File::create(path)?;
    file.write_all(format!("{header:512}").as_bytes())?;
    for (.., brightness) in FRAMES {
        file.write_all(&brightness.to_le_bytes().repeat(frame_bytes / 2))?;
    }
    Ok(())
}

/// The parser: one tile per line of the header.
fn read_scan(path: &Path) -> Result<Vec<Tile>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut bytes)?;
    let header = String::from_utf8(bytes)?;
    let mut lines = header.lines();
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let ["SCAN", "1", "width", width, "height", height, "pixel", pixel] = first.as_slice() else {
        return Err(format!("{}: found the header {first:?}, expected `SCAN 1 …`", path.display()).into());
    };
    let channel = ChannelInfo {
        channel_label: "Phase".into(),
        wavelength_id: None,
        color: None,
    };
    let details = Arc::new(AcquisitionDetails {
        xy_pixel_size: pixel.parse()?,
        channels: Some(vec![channel]),
        axes: vec![Axis::C, Axis::Y, Axis::X],
        ..AcquisitionDetails::default()
    });
    let mut tiles = Vec::new();
    for line in lines.take_while(|line| *line != "END") {
        let words: Vec<&str> = line.split(' ').collect();
        let [well, field, "x", x, "y", y, "at", offset] = words.as_slice() else {
            return Err(format!(
                "{}: found {line:?}, expected `WELL FIELD x X y Y at BYTE`",
                path.display()
            )
            .into());
        };
        let (row, column) = well.split_at(1);
        let collection = Arc::new(Collection::in_plate("scan", row, column.parse()?, 0));
        let loader = ScanLoader::keys(path, offset.parse()?);
        let mut tile = Tile::new(
            *field,
            width.parse()?,
            height.parse()?,
            collection,
            loader,
            details.clone(),
        );
        (tile.start_x, tile.start_y) = (x.parse()?, y.parse()?);
        tile.attributes
            .insert("operator".into(), vec![Cell::Text("Ada".into())]);
        tiles.push(tile);
    }
    Ok(tiles)
}

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let zarr_dir = match std::env::args_os().nth(1) {
        Some(folder) => std::path::absolute(folder)?,
        None => temporary.path().join("out"),
    };
    let scan = temporary.path().join("run.scan");
    write_scan(&scan)?;

    let options = ConverterOptions::default();
    let with = Aggregation {
        loader: &ScanLoader,
        ..Aggregation::default()
    };
    let images = tiles_aggregation_pipeline(read_scan(&scan)?, &options, &with)?;
    let overwrite = OverwriteMode::Overwrite;
    let zarr_dir = Location::local(&zarr_dir)?;
    let entries = setup_images_for_conversion(&images, &zarr_dir, "ImageInPlate", &options, overwrite)?;

    let context = ComputeContext {
        loader: &ScanLoader,
        ..ComputeContext::new()
    };
    let [entry] = entries.as_slice() else {
        return Err(format!("{} images, expected one", entries.len()).into());
    };
    let computed = Threads::new(2)?.run(|| generic_compute_task(&entry.zarr_url, &entry.init_args, &context))?;

    let report = computed.report.ok_or("converted before")?;
    println!(
        "{}: {} tiles, {} chunks",
        entry.zarr_url, report.tiles, report.chunks_written
    );
    // Snapped to a grid, the fields lie side by side: 2 × 2 of them, of the brightness that their frames have.
    assert_eq!(report.plan.levels[0].shape, [1, 1, 1, 2 * HEIGHT, 2 * WIDTH]);
    let (metadata, _) = ImageMetadata::read(&Location::local(Path::new(&entry.zarr_url))?)?;
    let window = metadata
        .channels
        .and_then(|channels| channels[0].window)
        .ok_or("no display window")?;
    assert_eq!(
        (window.start, window.end),
        (100.0, 400.0),
        "the darkest and the brightest field"
    );
    assert_eq!(computed.update["attributes"]["operator"], "Ada");
    Ok(())
}
