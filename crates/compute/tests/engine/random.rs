//! Random images, held against the oracle: pixels of every level, metadata, which chunks there are and who wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ome_zarr_convert_compute::ComputeError;
use ome_zarr_convert_core::Axis;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::{ArrayInfo, ImageMetadata, ZarrFormat};
use ome_zarr_convert_sources::ImageInfo;
use ome_zarr_convert_store::Location;
use proptest::prelude::*;
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayBytes};
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

use crate::oracle::{self, Level, indices, numbers};
use crate::scene::{Run, Scene, Source, TileSpec, noise, tree};

/// Chunks of the finest level that an image of these tests may have: each is a file.
const MOST_CHUNKS: u64 = 500;

fn scenes() -> impl Strategy<Value = Scene> {
    let axes = prop::array::uniform3(any::<bool>()).prop_map(|others| {
        let others = [Axis::T, Axis::C, Axis::Z].into_iter().zip(others);
        let others = others.filter(|(_, there)| *there).map(|(axis, _)| axis);
        others.chain([Axis::Y, Axis::X]).collect::<Vec<_>>()
    });
    let tile = (
        0..4_usize,
        (0..2_u64, 0..2_u64, 0..3_u64, 0..25_u64, 0..25_u64),
        (1..3_u64, 1..3_u64, 1..5_u64, 1..22_u64, 1..22_u64),
        any::<u64>(),
        (0..10_u8, any::<bool>()),
    );
    let tiles = prop::collection::vec(tile, 1..7);
    let casts = prop_oneof![3 => Just(false), 1 => Just(true)];
    (
        axes,
        prop::sample::select(&PixelType::ALL[..]),
        tiles,
        casts,
        any::<bool>(),
        layouts(),
    )
        .prop_map(|(axes, data_type, tiles, cast, list_channels, omezarr)| {
            let cast = cast && data_type != PixelType::Bool;
            let make =
                |(field, start, size, seed, (kind, cheap)): (usize, (u64, _, _, _, _), (u64, _, _, _, _), u64, _)| {
                    let (start, size) = (<[u64; 5]>::from(start), <[u64; 5]>::from(size));
                    let mut shape: Vec<u64> = axes.iter().map(|axis| size[*axis as usize]).collect();
                    let count = shape.iter().product::<u64>() as usize;
                    // Files leave leading axes of one cell out.
                    while kind > 5 && shape.len() > 1 && shape[0] == 1 {
                        shape.remove(0);
                    }
                    let pixel_type = match cast {
                        true if kind % 2 == 0 => PixelType::UInt8,
                        true => PixelType::Float32,
                        false => data_type,
                    };
                    let bytes = match kind {
                        0 => vec![0; count * pixel_type.size_bytes()],
                        _ => noise(pixel_type, count, seed, cast),
                    };
                    let (info, cheap_windows) = (ImageInfo { shape, pixel_type }, cheap);
                    let source = Arc::new(Source {
                        info,
                        bytes,
                        cheap_windows,
                        band_rows: None,
                    });
                    TileSpec {
                        field,
                        start,
                        size,
                        source,
                    }
                };
            let mut tiles: Vec<TileSpec> = tiles.into_iter().map(make).collect();
            // Values are cast only in an image whose first tile has another type.
            if cast && tiles[0].source.info.pixel_type.name() == data_type.name() {
                let first = &mut tiles[0];
                let info = ImageInfo {
                    pixel_type: PixelType::Bool,
                    ..first.source.info.clone()
                };
                let bytes = noise(PixelType::Bool, info.shape.iter().product::<u64>() as usize, 7, true);
                first.source = Arc::new(Source {
                    info,
                    bytes,
                    cheap_windows: true,
                    band_rows: None,
                });
            }
            let channels = (list_channels && axes.contains(&Axis::C)).then_some(3);
            Scene {
                axes,
                data_type,
                tiles,
                channels,
                omezarr,
            }
        })
        .prop_filter("few enough chunks", |scene| {
            let shape = oracle::stitch(scene).shape;
            let chunk = oracle::chunk(scene, shape);
            shape
                .iter()
                .zip(chunk)
                .map(|(size, chunk)| size.div_ceil(chunk))
                .product::<u64>()
                < MOST_CHUNKS
        })
}

/// `omezarr_options` of every kind.
fn layouts() -> impl Strategy<Value = Value> {
    let depths = (1..4_u64, 1..3_u64, 1..3_u64);
    let chunks = (
        depths,
        prop::sample::select(vec!["0.25", "0.5", "1", "2", "4", ""]),
        1..20_u64,
    );
    let chunks = chunks.prop_map(|((z, c, t), scaling, xy)| match scaling {
        "" => json!({"mode": "Fixed Size", "xy_chunk": xy, "z_chunk": z, "c_chunk": c, "t_chunk": t}),
        _ => json!({"mode": "Same as FOV", "xy_scaling": scaling, "z_chunk": z, "c_chunk": c, "t_chunk": t}),
    });
    let levels = prop_oneof![
        (1..7_u64).prop_map(|count| json!({"mode": "Number of Levels", "num_levels": count})),
        (1..4_usize).prop_map(|count| json!({"mode": "Custom Names", "level_names": &["s0", "half", "s 2"][..count]})),
    ];
    // As many as possible along x and y: no number of chunks is too large.
    let factors = (prop_oneof![1..5_u64, Just(u64::MAX)], 1..4_u64, 1..3_u64, 1..3_u64);
    let shards = prop_oneof![
        2 => Just(json!({"mode": "None"})),
        2 => factors.prop_map(|(xy, z, c, t)| {
            json!({"mode": "Multiple of Chunks", "xy_factor": xy, "z_factor": z, "c_factor": c, "t_factor": t})
        }),
        1 => (1..20_000_u64).prop_map(|bytes| json!({"mode": "Multiple of Chunks", "target_bytes": bytes})),
    ];
    let compression = prop::sample::select(vec![
        json!({"mode": "auto"}),
        json!({"mode": "blosc", "cname": "zstd", "level": 1, "shuffle": "bit"}),
        json!({"mode": "blosc", "shuffle": "none"}),
        json!({"mode": "zstd"}),
        json!({"mode": "gzip", "level": 1}),
        json!({"mode": "none"}),
    ]);
    (chunks, levels, shards, compression, any::<bool>()).prop_map(|(chunks, levels, shards, compression, old)| {
        let version = if old && shards["mode"] == "None" { "0.4" } else { "0.5" };
        json!({
            "chunks": chunks, "levels": levels, "shards": shards, "compression": compression, "ngff_version": version,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_level_is_what_the_oracle_says(scene in scenes(), threads in 1..4_usize) {
        check(&scene, threads);
    }

    #[test]
    fn any_number_of_threads_and_any_memory_give_the_same_bytes(scene in scenes()) {
        check_threads_and_memory(&scene);
    }

    #[test]
    fn an_interrupted_conversion_ends_in_the_same_bytes(
        scene in scenes(),
        stops in prop::collection::vec((1..40_usize, 1..4_usize), 1..3),
    ) {
        check_interrupted(&scene, &stops);
    }
}

/// One thread, two, seven, and seven with the least memory that is said to work and with twice as much: the same files. What is in
/// memory is held against the plan where buffers are taken (`buffer.rs`).
fn check_threads_and_memory(scene: &Scene) {
    let convert = |threads: usize, pixel_budget: Option<u64>| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(scene, folder.path());
        (run.threads, run.pixel_budget) = (threads, pixel_budget);
        run.convert().map(|_| tree(&run.target()))
    };
    let one = convert(1, None).unwrap();
    let Err(ComputeError::Memory { needed, .. }) = convert(7, Some(1)) else {
        panic!("a byte is not enough");
    };
    convert(7, Some(needed - 1)).unwrap_err();
    for (threads, budget) in [(2, None), (7, None), (7, Some(needed)), (7, Some(2 * needed))] {
        let many = convert(threads, budget).unwrap();
        assert_eq!(one.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>());
        let different = one.iter().filter(|(name, bytes)| many[*name] != **bytes);
        let different: Vec<_> = different.map(|(name, _)| name).collect();
        assert!(
            different.is_empty(),
            "{threads} threads, {budget:?} bytes: {different:?}"
        );
    }
}

/// Runs that are stopped after some chunks, then one that is not: its image is that of a single run, file by file.
fn check_interrupted(scene: &Scene, stops: &[(usize, usize)]) {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at_once = Run::new(scene, whole.path());
    at_once.convert().unwrap();
    let mut written = 0;
    for (chunks, threads) in stops {
        let mut run = Run::new(scene, parts.path());
        run.threads = *threads;
        run.listener.cancel_after = Some(*chunks);
        // An image of few chunks ends before it is stopped.
        let ended = run.convert().is_ok();
        written += run.listener.count("file written");
        assert_eq!(run.target().exists(), ended, "complete or absent");
    }
    let last = Run::new(scene, parts.path());
    last.convert().unwrap();
    written += last.listener.count("file written");
    let (found, expected) = (tree(&last.target()), tree(&at_once.target()));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let different: Vec<_> = found
        .iter()
        .filter(|(name, bytes)| expected[*name] != **bytes)
        .collect();
    assert!(
        different.is_empty(),
        "{:?}",
        different.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    assert_eq!(
        written,
        at_once.listener.count("file written"),
        "no file is written twice"
    );
}

fn check(scene: &Scene, threads: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(scene, folder.path());
    run.threads = threads;
    let report = run.convert().unwrap();

    let levels_option = &scene.omezarr["levels"];
    let asked: Vec<String> = match levels_option["level_names"].as_array() {
        Some(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        None => (0..levels_option["num_levels"].as_u64().unwrap())
            .map(|level| level.to_string())
            .collect(),
    };
    let levels = oracle::levels(scene, asked.len());
    let names = &asked[..levels.len()];
    assert_eq!(
        run.listener.count("levels left out"),
        u64::from(levels.len() < asked.len())
    );

    check_image_metadata(scene, &run.target(), names, &levels);
    let files = tree(&run.target());
    let store = Arc::new(MemoryStore::new());
    for (name, bytes) in &files {
        store.set(&StoreKey::new(name).unwrap(), bytes.clone().into()).unwrap();
    }
    let (mut expected_files, mut chunks_shown, mut leaves) = (BTreeSet::new(), 0, 0);
    for (number, (name, level)) in names.iter().zip(&levels).enumerate() {
        let (chunk, shard) = check_array_metadata(scene, &run.target().join(name), level);
        let array = Array::open(store.clone(), &format!("/{name}")).unwrap();
        let bytes: ArrayBytes<'_> = array.retrieve_array_subset(&array.subset_all()).unwrap();
        let found = numbers(&bytes.into_fixed().unwrap(), scene.data_type.name());
        let wrong = indices([0; 5], level.shape)
            .zip(found.iter().zip(&level.pixels))
            .find(|(_, (a, b))| a != b);
        assert_eq!(
            wrong, None,
            "level {name} of shape {:?}: index, found, expected",
            level.shape
        );
        assert_eq!(found.len(), level.pixels.len());

        let shown = |unit: [u64; 5]| {
            let grid: [u64; 5] = std::array::from_fn(|axis| level.shape[axis].div_ceil(unit[axis]));
            indices([0; 5], grid).filter(move |at| level.shows_in(std::array::from_fn(|a| at[a] * unit[a]), unit))
        };
        chunks_shown += shown(chunk).count() as u64;
        expected_files.extend(shown(shard.unwrap_or(chunk)).map(|at| chunk_file(scene, name, at)));
        if number == 0 {
            leaves = level
                .shape
                .iter()
                .zip(chunk)
                .map(|(size, chunk)| size.div_ceil(chunk))
                .product();
        }
    }
    let is_chunk = |name: &&String| {
        let last = name.rsplit('/').next().unwrap();
        names.iter().any(|level| name.starts_with(&format!("{level}/"))) && last.parse::<u64>().is_ok()
    };
    let chunk_files: BTreeMap<&String, &Vec<u8>> = files.iter().filter(|(name, _)| is_chunk(name)).collect();
    let found_files: BTreeSet<String> = chunk_files.keys().map(|name| (*name).clone()).collect();
    assert_eq!(
        found_files, expected_files,
        "files of chunks, of all that show something"
    );
    assert_eq!(
        run.listener.count("file written"),
        expected_files.len() as u64,
        "one writer per file"
    );
    assert_eq!(report.chunks_written, chunks_shown, "chunks encoded");
    assert_eq!(run.listener.count("chunk done"), leaves);
    let bytes: usize = chunk_files.values().map(|bytes| bytes.len()).sum();
    assert_eq!(
        (report.bytes_written, run.listener.bytes.load(Ordering::Relaxed)),
        (bytes as u64, bytes as u64)
    );
    let opened = run.loader.counts().opened;
    assert!(
        opened.len() == scene.tiles.len() && opened.values().all(|times| *times == 1),
        "{opened:?}"
    );
}

fn own_axes<T: Copy>(scene: &Scene, values: [T; 5]) -> Vec<T> {
    scene.axes.iter().map(|axis| values[*axis as usize]).collect()
}

fn chunk_file(scene: &Scene, level: &str, index: [u64; 5]) -> String {
    let index: Vec<String> = own_axes(scene, index).iter().map(u64::to_string).collect();
    let prefix = if scene.omezarr["ngff_version"] == "0.5" {
        "c/"
    } else {
        ""
    };
    format!("{level}/{prefix}{}", index.join("/"))
}

fn check_array_metadata(scene: &Scene, dir: &Path, level: &Level) -> ([u64; 5], Option<[u64; 5]>) {
    let chunk = oracle::chunk(scene, level.shape);
    let (info, format) = ArrayInfo::read(&Location::local(dir).unwrap()).unwrap();
    let expected = if scene.omezarr["ngff_version"] == "0.5" {
        ZarrFormat::V3
    } else {
        ZarrFormat::V2
    };
    assert_eq!(format, expected);
    assert_eq!(info.shape, own_axes(scene, level.shape));
    assert_eq!(info.chunks, own_axes(scene, chunk));
    let shard = match scene.omezarr["shards"]["target_bytes"].as_u64() {
        None => oracle::shard(scene, level.shape, chunk),
        Some(target) => {
            let mut shard = [1; 5];
            for (axis, size) in scene.axes.iter().zip(info.shards.as_ref().unwrap()) {
                shard[*axis as usize] = *size;
            }
            let bytes = |size: [u64; 5]| size.iter().product::<u64>() * scene.data_type.size_bytes() as u64;
            let whole = shard.iter().zip(chunk).all(|(shard, chunk)| shard % chunk == 0);
            let inside = shard.iter().zip(level.shape).all(|(shard, size)| *shard <= size);
            assert!(
                whole && inside,
                "shard {shard:?}, chunk {chunk:?}, level {:?}",
                level.shape
            );
            assert!(
                bytes(shard) <= target.max(bytes(chunk)),
                "shard {shard:?}, target {target}"
            );
            Some(shard)
        }
    };
    assert_eq!(info.shards, shard.map(|shard| own_axes(scene, shard)));
    assert_eq!(info.data_type, scene.data_type);
    let named = format == ZarrFormat::V3;
    assert_eq!(
        info.axes,
        scene
            .axes
            .iter()
            .filter(|_| named)
            .map(|axis| axis.name())
            .collect::<Vec<_>>()
    );
    (chunk, shard)
}

fn check_image_metadata(scene: &Scene, target: &Path, names: &[String], levels: &[Level]) {
    let (metadata, _) = ImageMetadata::read(&Location::local(target).unwrap()).unwrap();
    let axes: Vec<_> = metadata.axes.iter().map(|axis| axis.name.as_str()).collect();
    assert_eq!(axes, scene.axes.iter().map(|axis| axis.name()).collect::<Vec<_>>());
    let found: Vec<_> = metadata
        .levels
        .iter()
        .map(|level| (level.path.clone(), level.scale.clone()))
        .collect();
    let expected = names.iter().zip(levels).map(|(name, level)| {
        let [y, x] = level.factor.map(|factor| 0.25 * factor as f64);
        (name.clone(), own_axes(scene, [30.0, 1.0, 2.0, y, x]))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let coarsest = levels.last().unwrap();
    let channels = metadata.channels.unwrap();
    assert_eq!(channels.len() as u64, coarsest.shape[1]);
    for (index, channel) in channels.iter().enumerate() {
        let label = if scene.channels.is_some() { "stain " } else { "channel_" };
        assert_eq!(channel.label, format!("{label}{index}"));
        let window = channel.window.unwrap();
        let [start, end, smallest, largest] = oracle::window(coarsest, index as u64);
        let max = scene.data_type.max_value().unwrap_or(largest.max(end));
        assert_eq!(
            (window.min, window.max, window.start, window.end),
            (smallest, max, start, end)
        );
    }
}

/// Chunks of one pixel have every seam between rows and columns at once.
#[test]
fn chunks_of_one_pixel() {
    let axes = vec![Axis::Y, Axis::X];
    let tile = |field, start, size| TileSpec::noise(&axes, field, start, size, PixelType::Int16);
    let scene = Scene {
        tiles: vec![
            tile(0, [0, 0, 0, 0, 0], [1, 1, 1, 9, 13]),
            tile(1, [0, 0, 0, 5, 2], [1, 1, 1, 8, 7]),
        ],
        axes,
        data_type: PixelType::Int16,
        channels: None,
        omezarr: json!({
            "chunks": {"mode": "Fixed Size", "xy_chunk": 1, "z_chunk": 1, "c_chunk": 1, "t_chunk": 1},
            "levels": {"mode": "Number of Levels", "num_levels": 6},
            "shards": {"mode": "None"}, "ngff_version": "0.4",
        }),
    };
    check(&scene, 3);
}
