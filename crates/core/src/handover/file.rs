//! Hand-over files: named by what they hold, waited for, and deleted after use.

use std::path::Path;
use std::time::Duration;

use ome_zarr_convert_store::Location;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::{ConvertParallelInitArgs, DocumentSource};
use crate::error::CoreError;
use crate::model;

/// Name of the file for a document: a UUID of version 8 whose first 16 hexadecimal digits follow from the document and the arguments that
/// go with it, and whose rest is random, so that two runs never share a file.
pub(crate) fn document_name(document: &str, args: &ConvertParallelInitArgs) -> String {
    let mut hash = Sha256::new();
    hash.update(document);
    let args = model::to_json(&ConvertParallelInitArgs {
        tiled_image_json_dump_url: None,
        tiled_image_json_str: None,
        ..args.clone()
    });
    hash.update(args.to_string());
    let mut bytes = Uuid::new_v4().into_bytes();
    bytes[..8].copy_from_slice(&hash.finalize()[..8]);
    let name = Builder::from_custom_bytes(bytes).into_uuid();
    format!("{name}.json")
}

/// What tells the document of a hand-over file from others: the first 16 hexadecimal digits of the UUID that is its name, whoever gave
/// it. It holds nothing of where the file lies. `None` if the file is not named by a UUID.
pub fn document_identity(file_stem_or_url: &str) -> Option<String> {
    let name = file_stem_or_url.rsplit(['/', '\\']).next()?;
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let uuid = Uuid::try_parse(stem).ok()?;
    let mut digits = uuid.simple().to_string();
    digits.truncate(16);
    Some(digits)
}

/// How often to look for a hand-over file that is not there yet (slow shared file systems).
#[derive(Clone, Copy)]
pub struct Retries<'a> {
    /// Number of tries, at least 1; the waits between them are 2, 4, 8 … seconds.
    pub tries: u32,
    /// Waits; called with the wait and the number of the try that failed. `false` ends the wait: a cancellation was requested.
    pub wait: &'a dyn Fn(Duration, u32) -> bool,
}

/// The text of the document that an entry's source names.
///
/// # Errors
/// [`CoreError::Missing`] if its file does not appear, [`CoreError::Canceled`] if the wait was ended; those of the store.
pub fn read_document(source: DocumentSource<'_>, retries: Retries<'_>) -> Result<String, CoreError> {
    let url = match source {
        DocumentSource::Inline(text) => return Ok(text.to_owned()),
        DocumentSource::File(url) => url,
    };
    let place = locate(url)?;
    let mut attempt = 1;
    loop {
        if let Some(bytes) = place.read()? {
            return String::from_utf8(bytes).map_err(|error| CoreError::Syntax {
                place: url.to_owned(),
                problem: format!("it is not a document of an image: {error}"),
            });
        }
        if attempt >= retries.tries {
            return Err(CoreError::Missing {
                path: url.into(),
                hint: format!(
                    "this hand-over file did not appear within {attempt} tries; the init task writes it and the compute \
                     task deletes it after use: check that both share the temporary folder, and that the image was \
                     not converted before"
                ),
            });
        }
        if !(retries.wait)(Duration::from_secs(1 << attempt.min(20)), attempt) {
            return Err(CoreError::Canceled { place: url.to_owned() });
        }
        attempt += 1;
    }
}

/// Deletes a hand-over file after use, and its folder if that is empty now.
///
/// # Errors
/// Those of the store.
pub fn remove_document(url: &str) -> Result<(), CoreError> {
    locate(url)?.remove()?;
    if let Some(folder) = Path::new(url).parent() {
        // Other documents may wait there, or others may have removed it: the document is gone all the same.
        let _ = Location::local(folder).and_then(|folder| folder.remove_empty_folder());
    }
    Ok(())
}

fn locate(url: &str) -> Result<Location, CoreError> {
    if url.contains("://") {
        return Err(CoreError::NotSupported {
            option: format!("a hand-over file in an object store ({url})"),
        });
    }
    Ok(Location::local(Path::new(url))?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::options::OverwriteMode;

    fn args() -> ConvertParallelInitArgs {
        ConvertParallelInitArgs::from_value(&json!({"tiled_image_json_str": "{}", "converter_options": {}})).unwrap()
    }

    #[test]
    fn names_of_equal_documents_begin_alike_and_differ() {
        let name = document_name("{}", &args());
        let again = document_name("{}", &args());
        assert_eq!(name[..18], again[..18]);
        assert_ne!(name, again);
        let uuid = Uuid::try_parse(name.strip_suffix(".json").unwrap()).unwrap();
        assert_eq!(
            (uuid.get_version_num(), uuid.get_variant()),
            (8, uuid::Variant::RFC4122)
        );
        // Where the document is handed over does not count, what it is made into does.
        let elsewhere = ConvertParallelInitArgs {
            tiled_image_json_dump_url: Some("/x".into()),
            tiled_image_json_str: None,
            ..args()
        };
        assert_eq!(document_name("{}", &elsewhere)[..18], name[..18]);
        let others = [
            document_name("{} ", &args()),
            document_name(
                "{}",
                &ConvertParallelInitArgs {
                    overwrite_mode: OverwriteMode::Extend,
                    ..args()
                },
            ),
            document_name(
                "{}",
                &ConvertParallelInitArgs {
                    image_loader: Some("own".into()),
                    ..args()
                },
            ),
        ];
        assert!(others.iter().all(|other| other[..18] != name[..18]), "{others:?}");
    }

    #[test]
    fn a_document_is_known_by_the_first_half_of_its_name() {
        let same = [
            "/data/_tmp_json/0123abcd-4567-4eef-8123-456789abcdef.json",
            "0123ABCD-4567-4eef-8123-456789abcdef",
            r"C:\tmp\0123abcd-4567-4eef-9999-000000000000.json",
        ];
        assert_eq!(
            same.map(document_identity),
            [(); 3].map(|()| Some("0123abcd45674eef".to_owned()))
        );
        for other in ["image.json", "/data/0123abcd", "", "0123abcd-4567-4eef-8123.json"] {
            assert_eq!(document_identity(other), None, "{other}");
        }
    }

    #[test]
    fn a_wait_can_be_ended() {
        let retries = Retries {
            tries: 5,
            wait: &|_, attempt| attempt < 2,
        };
        let error = read_document(DocumentSource::File("/nowhere/x.json"), retries).unwrap_err();
        assert_eq!(error.to_string(), "canceled at /nowhere/x.json");
        let error = read_document(DocumentSource::File("s3://bucket/x.json"), retries).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a hand-over file in an object store (s3://bucket/x.json) is not supported yet"
        );
    }
}
