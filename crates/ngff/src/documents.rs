//! The documents of each version of OME-NGFF: one folder per version, and the parts that versions share.

mod images;
mod multiscale;
mod plates;
mod v04;
mod v05;

use ome_zarr_convert_store::Location;
use serde_json::{Map, Value};

use crate::error::{NgffError, Result};
use crate::image::ImageMetadata;
use crate::version::{NgffVersion, ZarrFormat};

/// How the documents of one version look, and what they state as their version.
pub(crate) trait Documents: Sync {
    /// Puts OME metadata where this version has it among the attributes of a group.
    fn attributes(&self, ome: Map<String, Value>) -> Map<String, Value>;

    /// The OME metadata among the attributes of a group.
    fn ome<'a>(&self, dir: &Location, attributes: &'a Map<String, Value>) -> Result<&'a Map<String, Value>>;

    /// The OME metadata among attributes that are to be changed, made if there is none.
    fn ome_mut<'a>(&self, dir: &Location, attributes: &'a mut Map<String, Value>)
    -> Result<&'a mut Map<String, Value>>;

    /// The OME metadata of an image that has been checked.
    fn image(&self, image: &ImageMetadata) -> Map<String, Value>;

    /// The first multiscale image in OME metadata, whoever wrote it.
    fn read_image(&self, dir: &Location, ome: &Map<String, Value>) -> Result<ImageMetadata>;

    /// The OME metadata of a plate without rows, columns, wells and acquisitions; their empty lists are there for their order.
    fn new_plate(&self, name: &str) -> Map<String, Value>;

    /// The description of a plate in OME metadata.
    fn plate<'a>(&self, dir: &Location, ome: &'a Map<String, Value>) -> Result<&'a Map<String, Value>>;

    /// The description of a well without images.
    fn new_well(&self) -> Value;
}

impl NgffVersion {
    /// The version of a group by its Zarr format and what its attributes state; none stated is the oldest of the format.
    pub(crate) fn of_group(dir: &Location, format: ZarrFormat, attributes: &Map<String, Value>) -> Result<Self> {
        match format {
            ZarrFormat::V2 => Ok(Self::V04),
            ZarrFormat::V3 => {
                let ome = attributes.get("ome");
                let Some(Value::Object(inner)) = ome else {
                    return Err(NgffError::malformed(dir, "ome", "an object with the OME metadata", ome));
                };
                let stated = match inner.get("version") {
                    None | Some(Value::Null) => return Ok(Self::V05),
                    stated => stated,
                };
                let Some(text) = stated.and_then(Value::as_str) else {
                    return Err(NgffError::malformed(dir, "version", "a text like \"0.5\"", stated));
                };
                let known = Self::from_name(text).filter(|version| version.zarr_format() == format);
                known.ok_or_else(|| NgffError::unsupported(dir, text))
            }
        }
    }

    /// What knows the documents of this version.
    pub(crate) fn documents(self) -> &'static dyn Documents {
        match self {
            Self::V04 => &v04::V04,
            Self::V05 => &v05::V05,
        }
    }
}

/// Holds the version that a part of a document states against the document's own; none stated is fine.
fn check_stated(dir: &Location, version: NgffVersion, stated: Option<&Value>) -> Result<()> {
    match stated {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text == version.as_str() => Ok(()),
        Some(Value::String(text)) => Err(NgffError::unsupported(dir, text)),
        Some(other) => Err(NgffError::malformed(dir, "version", "a text like \"0.5\"", Some(other))),
    }
}
