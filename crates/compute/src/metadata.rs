//! What is written beside the pixels: array and image metadata, display windows, ROI and condition tables.

use ome_zarr_convert_core::options::color::CYCLE;
use ome_zarr_convert_core::options::{Compression, ConverterOptions};
use ome_zarr_convert_core::{Roi, TiledImage};
use ome_zarr_convert_geometry::Axis;
use ome_zarr_convert_ngff::{
    self as ngff, ArrayMetadata, AxisMetadata, Cell, Codec, DataTable, ImageMetadata, Level as NgffLevel, OmeroChannel,
    RoiRow, RoiTable, Table, TableWriter, Window as NgffWindow,
};
use ome_zarr_convert_store::Location;
use serde_json::{Value, json};

use crate::error::ComputeError;
use crate::image::PlannedImage;
use crate::plan::ImagePlan;
use crate::report::LeftOut;
use crate::window::Window;

/// Metadata of the array of every level.
pub(crate) fn arrays(plan: &ImagePlan, options: &ConverterOptions) -> Vec<ArrayMetadata> {
    let array = |level: &crate::plan::Level| ArrayMetadata {
        shape: plan.own_axes(level.shape),
        chunks: plan.own_axes(level.chunk),
        shards: level.shard.map(|shard| plan.own_axes(shard)),
        data_type: plan.data_type,
        codec: codec(&options.omezarr_options.compression),
        axes: plan.axes.iter().map(|axis| axis.name().to_owned()).collect(),
    };
    plan.levels.iter().map(array).collect()
}

/// The codec that an option asks for. `auto` is Blosc with LZ4, level 5 and byte shuffle.
fn codec(compression: &Compression) -> Codec {
    match compression {
        Compression::Auto(_) => Codec::default(),
        Compression::Blosc(blosc) => Codec::Blosc {
            cname: blosc.cname,
            level: blosc.level as u8,
            shuffle: blosc.shuffle,
        },
        Compression::Zstd(zstd) => Codec::Zstd {
            level: zstd.level as i32,
        },
        Compression::Gzip(gzip) => Codec::Gzip {
            level: gzip.level as u32,
        },
        Compression::None(_) => Codec::None,
    }
}

/// Writes the group of an image with its multiscale and channel metadata: without it the folder is not an image.
pub(crate) fn write_group(
    dir: &Location,
    image: &PlannedImage,
    windows: &[Window],
    left_out: &[LeftOut],
) -> Result<(), ComputeError> {
    let (tiled, plan) = (image.tiled(), image.plan());
    let version = image.options().omezarr_options.ngff_version;
    let level = |level: &crate::plan::Level| NgffLevel {
        path: level.name.clone(),
        scale: plan
            .axes
            .iter()
            .map(|axis| match axis {
                Axis::Y => tiled.xy_pixel_size * level.factor.0 as f64,
                Axis::X => tiled.xy_pixel_size * level.factor.1 as f64,
                other => tiled.spacing(*other),
            })
            .collect(),
    };
    let metadata = ImageMetadata {
        axes: plan.axes.iter().map(|axis| AxisMetadata::named(axis.name())).collect(),
        levels: plan.levels.iter().map(level).collect(),
        translation: tiled.translation.clone(),
        channels: Some(channels(tiled, plan, windows)),
    };
    let mut attributes = metadata.attributes(version)?;
    if !left_out.is_empty() {
        let tile = |out: &LeftOut| json!({ "tile": out.tile, "problem": out.problem });
        let tiles: Vec<Value> = left_out.iter().map(tile).collect();
        attributes.insert("ome-zarr-convert".into(), json!({ "tiles_left_out": tiles }));
    }
    Ok(ngff::write_group(dir, version, &attributes)?)
}

fn channels(image: &TiledImage, plan: &ImagePlan, windows: &[Window]) -> Vec<OmeroChannel> {
    let count = plan.levels[0].shape[Axis::C.index()] as usize;
    let named = |index: usize| match &image.channels {
        Some(channels) => {
            let channel = &channels[index];
            let color = channel.display_color();
            (
                channel.channel_label.clone(),
                channel.wavelength_id.clone(),
                color.trim_start_matches('#').to_owned(),
            )
        }
        None => {
            let name = format!("channel_{index}");
            (name.clone(), Some(name), CYCLE[index % CYCLE.len()].to_owned())
        }
    };
    let channel = |index: usize| {
        let (label, wavelength_id, color) = named(index);
        let window = windows.get(index).map(|window| NgffWindow {
            min: window.smallest,
            max: plan.data_type.max_value().unwrap_or(window.largest.max(window.end)),
            start: window.start,
            end: window.end,
        });
        OmeroChannel {
            label,
            wavelength_id,
            color,
            active: true,
            window,
        }
    };
    (0..count).map(channel).collect()
}

/// Writes the tables of an image: its fields of view (when there is more than one), the whole of it, its conditions.
pub(crate) fn write_tables(dir: &Location, image: &PlannedImage) -> Result<(), ComputeError> {
    let writer = TableWriter {
        backend: image.options().omezarr_options.table_backend,
        parquet: PARQUET,
    };
    let version = image.options().omezarr_options.ngff_version;
    Ok(ngff::write_tables(
        dir,
        version,
        &tables(image.tiled(), image.plan())?,
        writer,
    )?)
}

/// How Parquet is encoded, in programs that can.
#[cfg(feature = "tables")]
const PARQUET: Option<&ngff::ParquetEncoder> = Some(&ome_zarr_convert_core::parquet_bytes);
#[cfg(not(feature = "tables"))]
const PARQUET: Option<&ngff::ParquetEncoder> = None;

fn tables(image: &TiledImage, plan: &ImagePlan) -> Result<Vec<(&'static str, Table)>, ComputeError> {
    let mut tables: Vec<(&'static str, Table)> = Vec::new();
    let fields = image.fields_of_view();
    if fields.len() > 1 {
        let field = |group: &Vec<usize>| {
            let union = Roi::union(group.iter().map(|index| &image.regions[*index].roi));
            union.map(|roi| table_roi(image, &roi))
        };
        tables.push((
            "FOV_ROI_table",
            Table::Roi(RoiTable {
                rois: fields.iter().filter_map(field).collect(),
            }),
        ));
    }
    let size = |axis: Axis| {
        let length = plan.levels[0].shape[axis.index()] as f64;
        if image.axes.contains(&axis) {
            length * image.spacing(axis)
        } else {
            1.0
        }
    };
    let whole = RoiRow {
        name: "image".into(),
        x: (0.0, size(Axis::X)),
        y: (0.0, size(Axis::Y)),
        z: (0.0, size(Axis::Z)),
        t: image.axes.contains(&Axis::T).then(|| (0.0, size(Axis::T))),
        label: None,
        extra: Vec::new(),
    };
    tables.push(("well_ROI_table", Table::Roi(RoiTable { rois: vec![whole] })));
    if let Some(conditions) = conditions(image)? {
        tables.push(("condition_table", Table::Condition(conditions)));
    }
    Ok(tables)
}

fn conditions(image: &TiledImage) -> Result<Option<DataTable>, ComputeError> {
    if image.attributes.is_empty() {
        return Ok(None);
    }
    let mut table = DataTable::new();
    for (key, values) in &image.attributes {
        table.push_column(key.clone(), values.clone())?;
    }
    Ok(Some(table))
}

/// A box in pixels as a row of a ROI table: world units, with its original position.
fn table_roi(image: &TiledImage, roi: &Roi) -> RoiRow {
    let world = |axis: Axis| {
        let span = roi.span(axis);
        if image.axes.contains(&axis) {
            (span.start * image.spacing(axis), span.length * image.spacing(axis))
        } else {
            (0.0, 1.0)
        }
    };
    let mut extra: Vec<(String, Cell)> = Vec::new();
    for axis in &image.axes {
        if let Some(original) = roi.originals[axis.index()] {
            extra.push((format!("{}_micrometer_original", axis.name()), Cell::Float(original)));
        }
    }
    for (key, value) in roi.extra.iter().flat_map(|extra| extra.iter()) {
        let cell = match value {
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(int) => Cell::Int(int),
                None => number.as_f64().map_or(Cell::Null, Cell::Float),
            },
            Value::String(text) => Cell::Text(text.clone()),
            other => Cell::Text(other.to_string()),
        };
        extra.push((key.clone(), cell));
    }
    RoiRow {
        name: roi.name.clone(),
        x: world(Axis::X),
        y: world(Axis::Y),
        z: world(Axis::Z),
        t: image.axes.contains(&Axis::T).then(|| world(Axis::T)),
        label: roi.label,
        extra,
    }
}
