//! The two versions of OME-NGFF that are written and read, and the Zarr format each implies.

use std::fmt;

/// Version of OME-NGFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum NgffVersion {
    /// 0.4: Zarr format 2, metadata in `.zattrs`. The reference's default.
    #[default]
    V04,
    /// 0.5: Zarr format 3, metadata under `ome` in `zarr.json`, shards possible.
    V05,
}

impl NgffVersion {
    /// `0.4` or `0.5`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V04 => "0.4",
            Self::V05 => "0.5",
        }
    }

    /// The version that documents write as `text`.
    pub fn from_name(text: &str) -> Option<Self> {
        [Self::V04, Self::V05]
            .into_iter()
            .find(|version| version.as_str() == text)
    }

    /// The Zarr format that belongs to it: 2 or 3.
    pub const fn zarr_format(self) -> u8 {
        match self {
            Self::V04 => 2,
            Self::V05 => 3,
        }
    }
}

impl fmt::Display for NgffVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
