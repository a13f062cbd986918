//! How the output is laid out: resolution levels, chunks, shards, NGFF version and tables.

use ome_zarr_convert_ngff::{NgffVersion, TableBackend};

use super::compression::Compression;
use crate::model::{Path, Problems, Value, choice, model, union};

model! {
    /// A number of levels, called `0`, `1`, `2` and so on.
    pub struct NumberOfLevels "Number of Levels" tag mode = "Number of Levels" {
        /// How many levels the image has, full resolution included. Levels that would not be smaller are left out.
        pub num_levels: usize = 5, title "Number of Resolution Levels", min 1;
    }
}

model! {
    /// One level per name given.
    pub struct NamedLevels "Custom Names" tag mode = "Custom Names" check usable_names {
        /// The names of the levels from full to lowest resolution, such as `["s0", "s1", "s2"]`. Each is a folder in
        /// the image.
        pub level_names: Vec<String>, title "Level Names", min_items 1;
    }
}

/// Names that mean something else inside an image.
const TAKEN: [&str; 7] = [
    "tables",
    "labels",
    "zarr.json",
    ".zgroup",
    ".zattrs",
    ".zarray",
    ".zmetadata",
];

fn usable_names(levels: &NamedLevels, at: &mut Path, problems: &mut Problems) {
    at.key("level_names", |at| {
        for (index, name) in levels.level_names.iter().enumerate() {
            let mut refuse = |expected: &str| {
                at.index(index, |at| {
                    problems.unexpected(at, &Value::from(name.as_str()), expected)
                });
            };
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.- ".contains(letter);
            if !name.chars().all(allowed) || name.trim() != name || name.starts_with("__") {
                refuse("a name of letters, digits, `_`, `.`, `-` and inner spaces, without `__` in front");
            } else if name.chars().all(|letter| letter == '.') {
                refuse("a name with a letter or digit in it");
            } else if TAKEN.contains(&name.as_str()) {
                refuse("a name without a meaning in OME-Zarr, such as `s0`");
            } else if levels.level_names[..index].contains(name) {
                refuse("a name that no other level has");
            }
        }
    });
}

union! {
    /// The resolution levels of an image.
    pub enum PyramidLevels by "mode" default Number {
        Number(NumberOfLevels),
        Names(NamedLevels),
    }
}

impl PyramidLevels {
    /// The names of the levels from full to lowest resolution.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Number(levels) => (0..levels.num_levels).map(|level| level.to_string()).collect(),
            Self::Names(levels) => levels.level_names.clone(),
        }
    }
}

choice! {
    /// By what the size of a field of view is multiplied to give that of a chunk.
    pub enum XyScaling as "Scalings" {
        /// A quarter of the field of view in x and in y.
        Quarter = "0.25",
        /// Half the field of view in x and in y.
        Half = "0.5",
        /// A chunk per field of view.
        One = "1",
        /// Two by two fields of view.
        Double = "2",
        /// Four by four fields of view.
        Quadruple = "4",
    }
}

impl XyScaling {
    /// The factor as a number.
    pub const fn factor(self) -> f64 {
        match self {
            Self::Quarter => 0.25,
            Self::Half => 0.5,
            Self::One => 1.0,
            Self::Double => 2.0,
            Self::Quadruple => 4.0,
        }
    }
}

model! {
    /// Chunks have the size of a field of view, or a multiple or fraction of it.
    pub struct FovBasedChunking "Same as FOV" tag mode = "Same as FOV" {
        /// By what the size of a field of view is multiplied. Smaller chunks make more files.
        pub xy_scaling: XyScaling = XyScaling::One, title "XY Scaling Factor";
        /// How many planes a chunk has.
        pub z_chunk: u64 = 10, title "Chunk Size for Z", min 1;
        /// How many channels a chunk has.
        pub c_chunk: u64 = 1, title "Chunk Size for C", min 1;
        /// How many time points a chunk has.
        pub t_chunk: u64 = 1, title "Chunk Size for T", min 1;
    }
}

model! {
    /// Chunks have the size given, whatever the size of a field of view.
    pub struct FixedSizeChunking "Fixed Size" tag mode = "Fixed Size" {
        /// How many pixels a chunk has in x and in y.
        pub xy_chunk: u64 = 4096, title "Chunk Size for XY", min 1;
        /// How many planes a chunk has.
        pub z_chunk: u64 = 10, title "Chunk Size for Z", min 1;
        /// How many channels a chunk has.
        pub c_chunk: u64 = 1, title "Chunk Size for C", min 1;
        /// How many time points a chunk has.
        pub t_chunk: u64 = 1, title "Chunk Size for T", min 1;
    }
}

union! {
    /// How an image is cut into chunks.
    pub enum ChunkingStrategy by "mode" default SameAsFov {
        SameAsFov(FovBasedChunking),
        FixedSize(FixedSizeChunking),
    }
}

model! {
    /// Every chunk is a file of its own.
    pub struct NoSharding "No Sharding" tag mode = "None" {}
}

model! {
    /// A shard, which is one file, holds a fixed number of chunks along each axis.
    pub struct ChunkMultipleSharding "Multiple of Chunks" tag mode = "Multiple of Chunks" {
        /// How many chunks a shard holds along x and along y.
        pub xy_factor: u64 = 4, title "Chunks per Shard in XY", min 1;
        /// How many chunks a shard holds along z.
        pub z_factor: u64 = 1, title "Chunks per Shard in Z", min 1;
        /// How many chunks a shard holds along the channels.
        pub c_factor: u64 = 1, title "Chunks per Shard in C", min 1;
        /// How many chunks a shard holds along time.
        pub t_factor: u64 = 1, title "Chunks per Shard in T", min 1;
        /// About how many bytes of pixels a shard holds, in place of the factors. Chosen per level. An addition to the
        /// reference's options.
        pub target_bytes: Option<u64> = None, title "Bytes per Shard", min 1, ours;
    }
}

union! {
    /// How chunks are gathered into files.
    pub enum ShardingStrategy by "mode" default None {
        None(NoSharding),
        MultipleOfChunks(ChunkMultipleSharding),
    }
}

model! {
    /// How the output is laid out.
    pub struct OmeZarrOptions "OmeZarrOptions" check shards_need_zarr_3 {
        /// How many resolution levels an image has and what they are called.
        pub levels: PyramidLevels = PyramidLevels::default(), title "Resolution Levels";
        /// How an image is cut into chunks, the smallest part that can be read.
        pub chunks: ChunkingStrategy = ChunkingStrategy::default(), title "Chunking Strategy";
        /// How chunks are gathered into files. Shards need NGFF version 0.5.
        pub shards: ShardingStrategy = ShardingStrategy::default(), title "Sharding Strategy";
        /// Version of the OME-NGFF specification to write.
        pub ngff_version: NgffVersion = NgffVersion::V04, title "NGFF Version";
        /// File format of the ROI tables. Condition tables are always CSV.
        pub table_backend: TableBackend = TableBackend::Csv, title "Table Backend";
        /// How chunks are compressed. An addition to the reference's options.
        pub compression: Compression = Compression::default(), ours;
    }
}

fn shards_need_zarr_3(options: &OmeZarrOptions, at: &mut Path, problems: &mut Problems) {
    let sharded = !matches!(options.shards, ShardingStrategy::None(_));
    if sharded && options.ngff_version == NgffVersion::V04 {
        let found = format!("`{}` with `ngff_version` 0.4", options.shards.tag());
        let hint = "set `ngff_version` to \"0.5\", or `shards` to {\"mode\": \"None\"}";
        at.key("shards", |at| {
            problems.add(at, Some(found), "shards only in NGFF 0.5", Some(hint.to_owned()))
        });
    }
}
