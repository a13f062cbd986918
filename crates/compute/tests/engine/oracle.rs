//! What an image must be, worked out pixel by pixel without any plan: placed tiles, levels, chunks, display windows.

use ome_zarr_convert_core::Axis;
use ome_zarr_convert_geometry::PixelType;
use serde_json::Value;

use crate::scene::{Scene, TileSpec};

/// A pixel with room for every type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// An array in array order, axes that the image lacks being 1 long.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) shape: [u64; 5],
    pub(crate) pixels: Vec<Number>,
    /// Pixels of the finest level per pixel along y and x.
    pub(crate) factor: [u64; 2],
}

impl Level {
    pub(crate) fn at(&self, index: [u64; 5]) -> Number {
        self.pixels[flat(index, self.shape)]
    }

    /// Whether a box has a pixel other than 0.
    pub(crate) fn shows_in(&self, start: [u64; 5], size: [u64; 5]) -> bool {
        let end: [u64; 5] = std::array::from_fn(|axis| (start[axis] + size[axis]).min(self.shape[axis]));
        indices(start, end).any(|index| self.at(index).to_f64() != 0.0)
    }
}

fn flat(index: [u64; 5], shape: [u64; 5]) -> usize {
    index
        .iter()
        .zip(shape)
        .fold(0, |flat, (at, size)| flat * size as usize + *at as usize)
}

/// Every index from `start` to before `end` in C order.
pub(crate) fn indices(start: [u64; 5], end: [u64; 5]) -> impl Iterator<Item = [u64; 5]> {
    let sizes: [u64; 5] = std::array::from_fn(|axis| end[axis] - start[axis]);
    (0..sizes.iter().product()).map(move |mut number| {
        let mut index = [0; 5];
        for axis in (0..5).rev() {
            index[axis] = start[axis] + number % sizes[axis];
            number /= sizes[axis];
        }
        index
    })
}

/// Pixels of any type from their bytes.
pub(crate) fn numbers(bytes: &[u8], type_name: &str) -> Vec<Number> {
    macro_rules! read {
        ($type:ty, $number:expr) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .map(|bytes| $number(<$type>::from_ne_bytes(bytes.try_into().unwrap())))
                .collect()
        };
    }
    match type_name {
        "bool" | "uint8" => read!(u8, |value| Number::Int(value as i128)),
        "uint16" => read!(u16, |value| Number::Int(value as i128)),
        "uint32" => read!(u32, |value| Number::Int(value as i128)),
        "uint64" => read!(u64, |value| Number::Int(value as i128)),
        "int8" => read!(i8, |value| Number::Int(value as i128)),
        "int16" => read!(i16, |value| Number::Int(value as i128)),
        "int32" => read!(i32, |value| Number::Int(value as i128)),
        "int64" => read!(i64, |value| Number::Int(value as i128)),
        "float32" => read!(f32, |value| Number::Float(value as f64)),
        "float64" => read!(f64, Number::Float),
        other => panic!("no type {other}"),
    }
}

fn is_float(data_type: PixelType) -> bool {
    matches!(data_type, PixelType::Float32 | PixelType::Float64)
}

/// A box with 1 for the axes that the image lacks.
fn own(scene: &Scene, values: [u64; 5], other: u64) -> [u64; 5] {
    std::array::from_fn(|axis| {
        if scene.axes.contains(&Axis::ALL[axis]) {
            values[axis]
        } else {
            other
        }
    })
}

fn ends(scene: &Scene, tile: &TileSpec) -> [u64; 5] {
    let (start, size) = (own(scene, tile.start, 0), own(scene, tile.size, 1));
    std::array::from_fn(|axis| start[axis] + size[axis])
}

/// Tiles by field of view, fields by first appearance.
fn in_order(scene: &Scene) -> Vec<&TileSpec> {
    let mut fields: Vec<usize> = Vec::new();
    for tile in &scene.tiles {
        if !fields.contains(&tile.field) {
            fields.push(tile.field);
        }
    }
    let of = |field: usize| scene.tiles.iter().filter(move |tile| tile.field == field);
    fields.into_iter().flat_map(of).collect()
}

/// The finest level: from 0 to the last end, later tiles over earlier ones.
pub(crate) fn stitch(scene: &Scene) -> Level {
    let mut shape = [1; 5];
    for tile in &scene.tiles {
        let ends = ends(scene, tile);
        shape = std::array::from_fn(|axis| shape[axis].max(ends[axis]));
    }
    if let Some(channels) = scene.channels {
        shape[Axis::C as usize] = channels as u64;
    }
    let zero = if is_float(scene.data_type) {
        Number::Float(0.0)
    } else {
        Number::Int(0)
    };
    let mut pixels = vec![zero; shape.iter().product::<u64>() as usize];
    for tile in in_order(scene) {
        let values = numbers(&tile.source.bytes, tile.source.info.pixel_type.name());
        for (index, value) in indices(own(scene, tile.start, 0), ends(scene, tile)).zip(values) {
            pixels[flat(index, shape)] = match value {
                Number::Int(value) if is_float(scene.data_type) => Number::Float(value as f64),
                Number::Float(value) if !is_float(scene.data_type) => Number::Int(value as i128),
                value => value,
            };
        }
    }
    Level {
        shape,
        pixels,
        factor: [1, 1],
    }
}

/// The next level: 2 × 2 means, a last odd row or column left out, an axis of one pixel kept.
pub(crate) fn halve(finer: &Level, data_type: PixelType) -> Level {
    let mut shape = finer.shape;
    let mut factor = finer.factor;
    let halved = [finer.shape[3] > 1, finer.shape[4] > 1];
    for (at, axis) in [3, 4].into_iter().enumerate().filter(|(at, _)| halved[*at]) {
        shape[axis] /= 2;
        factor[at] *= 2;
    }
    let scale = halved.map(|halved| if halved { 2 } else { 1 });
    let pixels = indices([0; 5], shape).map(|[t, c, z, y, x]| {
        let (y, x) = (y * scale[0], x * scale[1]);
        let block = indices([t, c, z, y, x], [t + 1, c + 1, z + 1, y + scale[0], x + scale[1]]);
        mean(&block.map(|index| finer.at(index)).collect::<Vec<_>>(), data_type)
    });
    Level {
        shape,
        pixels: pixels.collect(),
        factor,
    }
}

fn mean(block: &[Number], data_type: PixelType) -> Number {
    let count = block.len() as i128;
    if is_float(data_type) {
        let mean = block.iter().map(|number| number.to_f64()).sum::<f64>() / count as f64;
        let single = data_type == PixelType::Float32;
        return Number::Float(if single { f64::from(mean as f32) } else { mean });
    }
    let sum: i128 = block
        .iter()
        .map(|number| if let Number::Int(value) = number { *value } else { 0 })
        .sum();
    // Half away from zero, which is half up for what has no sign; for booleans: at least half of them.
    Number::Int((2 * sum.abs() + count) / (2 * count) * sum.signum())
}

/// All levels down to `count`, or to one pixel.
pub(crate) fn levels(scene: &Scene, count: usize) -> Vec<Level> {
    let mut levels = vec![stitch(scene)];
    while levels.len() < count {
        let finer = &levels[levels.len() - 1];
        if finer.shape[3..] == [1, 1] {
            break;
        }
        levels.push(halve(finer, scene.data_type));
    }
    levels
}

/// Shape of the chunks of a level.
pub(crate) fn chunk(scene: &Scene, shape: [u64; 5]) -> [u64; 5] {
    let options = &scene.omezarr["chunks"];
    let whole = |value: &Value| value.as_u64().unwrap();
    let mut chunk = [
        whole(&options["t_chunk"]),
        whole(&options["c_chunk"]),
        whole(&options["z_chunk"]),
        0,
        0,
    ];
    if options["mode"] == "Fixed Size" {
        chunk[3] = whole(&options["xy_chunk"]);
        chunk[4] = chunk[3];
    } else {
        let scaling: f64 = options["xy_scaling"].as_str().unwrap().parse().unwrap();
        let first: Vec<_> = scene
            .tiles
            .iter()
            .filter(|tile| tile.field == scene.tiles[0].field)
            .collect();
        for axis in [3, 4] {
            let start = first.iter().map(|tile| tile.start[axis]).min().unwrap();
            let end = first
                .iter()
                .map(|tile| tile.start[axis] + tile.size[axis])
                .max()
                .unwrap();
            chunk[axis] = (((end - start) as f64 * scaling).floor() as u64).max(1);
        }
    }
    std::array::from_fn(|axis| chunk[axis].min(shape[axis]))
}

/// Shape of the shards of a level, where options give their numbers of chunks.
pub(crate) fn shard(scene: &Scene, shape: [u64; 5], chunk: [u64; 5]) -> Option<[u64; 5]> {
    let whole = |value: &Value| value.as_u64().unwrap();
    let shards = &scene.omezarr["shards"];
    (shards["mode"] != "None").then(|| {
        let xy = whole(&shards["xy_factor"]);
        let factors = [
            whole(&shards["t_factor"]),
            whole(&shards["c_factor"]),
            whole(&shards["z_factor"]),
            xy,
            xy,
        ];
        std::array::from_fn(|axis| (shape[axis] / chunk[axis]).min(factors[axis]) * chunk[axis])
    })
}

/// The display window of a channel of the coarsest level: start, end, smallest value below 0 and largest above.
pub(crate) fn window(coarsest: &Level, channel: u64) -> [f64; 4] {
    let inside = |index: &[u64; 5]| index[1] == channel;
    let values = indices([0; 5], coarsest.shape)
        .filter(inside)
        .map(|index| coarsest.at(index).to_f64());
    let (mut below, mut above): (Vec<f64>, Vec<f64>) =
        values.filter(|value| *value != 0.0).partition(|value| *value < 0.0);
    below.sort_by(f64::total_cmp);
    above.sort_by(f64::total_cmp);
    let smallest = below.first().copied().unwrap_or(0.0);
    let largest = above.last().copied().unwrap_or(0.0);
    let percentile = |values: &[f64], percent: f64| {
        let at = (values.len() - 1) as f64 * (percent / 100.0);
        let below = at.floor();
        let up = at - below > 0.5 || (at - below == 0.5 && below % 2.0 == 1.0);
        values[below as usize + usize::from(up)]
    };
    let ends = |values: &[f64]| (percentile(values, 0.1), percentile(values, 99.9));
    let (start, end) = match (&above[..], &below[..]) {
        ([], []) => (0.0, 1.0),
        ([], below) => match ends(below) {
            (start, end) if start < end => (start, end),
            (start, _) => (start, 0.0),
        },
        (above, _) => match ends(above) {
            (start, end) if start < end => (start, end),
            (start, _) if start < largest => (start, largest),
            _ => (0.0, largest),
        },
    };
    [start, end, smallest, largest]
}
