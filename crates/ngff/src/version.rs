//! The versions of OME-NGFF that are written and read, and the Zarr format that each is in.

use std::fmt;

/// Version of OME-NGFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum NgffVersion {
    /// 0.4: Zarr format 2, metadata in `.zattrs`. The reference's default.
    #[default]
    V04,
    /// 0.5: Zarr format 3, metadata under `ome` in `zarr.json`, shards possible.
    V05,
}

impl NgffVersion {
    /// All versions, oldest first.
    pub const ALL: &[Self] = &[Self::V04, Self::V05];

    /// `0.4` or `0.5`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V04 => "0.4",
            Self::V05 => "0.5",
        }
    }

    /// The version that documents write as `text`.
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.as_str() == text)
    }

    /// The Zarr format that it is in.
    pub const fn zarr_format(self) -> ZarrFormat {
        match self {
            Self::V04 => ZarrFormat::V2,
            Self::V05 => ZarrFormat::V3,
        }
    }
}

impl fmt::Display for NgffVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Format of a Zarr hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZarrFormat {
    /// Format 2: `.zgroup`, `.zarray` and `.zattrs`.
    V2,
    /// Format 3: `zarr.json`.
    V3,
}

impl ZarrFormat {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}
