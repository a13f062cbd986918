//! Parallelization lists in files, as init tasks write them and schedulers' jobs read them.

use std::fmt;
use std::path::Path;

use ome_zarr_convert_compute::{Conversion, ImagePlan, plan_image_with};
use ome_zarr_convert_core::{
    DocumentSource, ParallelizationEntry, Retries, TiledImage, image_from_json_str, read_document,
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::error::TaskError;

/// The entries of a list.
pub fn read_list(path: &Path) -> Result<Vec<ParallelizationEntry>, TaskError> {
    let entries = read(path, None)?.kept;
    Ok(entries
        .iter()
        .map(ParallelizationEntry::from_value)
        .collect::<Result<_, _>>()?)
}

/// One entry of a list, counted from 0. The others are skipped: lists are long, and every job reads its own entry.
pub fn read_entry(path: &Path, index: usize) -> Result<ParallelizationEntry, TaskError> {
    let found = read(path, Some(index))?;
    let entry = found.kept.first().ok_or_else(|| TaskError::Arguments {
        place: path.display().to_string(),
        problem: format!("there is no entry {index}; its {} entries count from 0", found.count),
    })?;
    Ok(ParallelizationEntry::from_value(entry)?)
}

/// An entry's plan, and the bytes of the document that it is made from.
pub fn plan_entry(entry: &ParallelizationEntry) -> Result<(ImagePlan, u64), TaskError> {
    let (image, bytes) = image_of(entry)?;
    let conversion = Conversion {
        pipeline: entry.init_args.registration_pipeline.as_deref(),
        ..Conversion::new(Path::new(&entry.zarr_url), &entry.init_args.converter_options)
    };
    Ok((plan_image_with(&image, &conversion)?, bytes))
}

/// Whether the document of an entry is gone: its image was finished.
pub(crate) fn is_used_up(entry: &ParallelizationEntry) -> Result<bool, TaskError> {
    Ok(match entry.init_args.source()? {
        DocumentSource::File(url) => !Path::new(url).exists(),
        DocumentSource::Inline(_) => false,
    })
}

/// The image that an entry describes, and the bytes of its document. Nothing is waited for, nothing is used up.
pub(crate) fn image_of(entry: &ParallelizationEntry) -> Result<(TiledImage, u64), TaskError> {
    let source = entry.init_args.source()?;
    let place = match source {
        DocumentSource::File(url) => url.to_owned(),
        DocumentSource::Inline(_) => format!("tiled_image_json_str of {}", entry.zarr_url),
    };
    let once = Retries {
        tries: 1,
        wait: &|_, _| {},
    };
    let text = read_document(source, once)?;
    Ok((image_from_json_str(&text, &place)?, text.len() as u64))
}

fn read(path: &Path, index: Option<usize>) -> Result<Entries, TaskError> {
    let wrong = |problem: String| TaskError::Arguments {
        place: path.display().to_string(),
        problem,
    };
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong(
                "this list does not exist; give the file that `init` wrote".into(),
            ));
        }
        read => read.map_err(TaskError::io("read the list", path))?,
    };
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let list = Document { index }
        .deserialize(&mut reader)
        .and_then(|list| reader.end().map(|()| list));
    let list = list.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => wrong(format!("{error}; give the file that `init` wrote")),
        _ => wrong(format!("it is no JSON: {error}")),
    })?;
    list.ok_or_else(|| wrong("it holds no parallelization_list; give the file that `init` wrote".into()))
}

/// Entries of a list that are asked for, and the number of all.
struct Entries {
    kept: Vec<Value>,
    count: usize,
}

/// Reads `{"parallelization_list": [...]}`, all entries or the one of that number.
struct Document {
    index: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for Document {
    type Value = Option<Entries>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document {
    type Value = Option<Entries>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a parallelization_list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "parallelization_list" {
                found = Some(map.next_value_seed(List { index: self.index })?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

struct List {
    index: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for List {
    type Value = Entries;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries {
            kept: Vec::new(),
            count: 0,
        };
        loop {
            if self.index.is_none_or(|index| index == entries.count) {
                match list.next_element::<Value>()? {
                    Some(entry) => entries.kept.push(entry),
                    None => break,
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            entries.count += 1;
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn list(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn one_entry_is_read_as_all_are() {
        let file = list(r#"{"other": [{}], "parallelization_list": [{"a": 1}, 2, {"b": [3]}]}"#);
        let all = read(file.path(), None).unwrap();
        assert_eq!((all.kept.len(), all.count), (3, 3));
        for (index, entry) in all.kept.iter().enumerate() {
            let one = read(file.path(), Some(index)).unwrap();
            assert_eq!((one.kept.as_slice(), one.count), (std::slice::from_ref(entry), 3));
        }
        let error = read_entry(file.path(), 3).unwrap_err().to_string();
        assert!(
            error.ends_with("there is no entry 3; its 3 entries count from 0"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (text, word) in [
            ("{\"parallelization_list\": [1", "no JSON: EOF"),
            ("{\"parallelization_list\": []} x", "no JSON: trailing"),
            ("[]", "expected an object with a parallelization_list"),
            ("{\"parallelization_list\": {}}", "expected a list of entries"),
            ("{}", "holds no parallelization_list"),
        ] {
            let file = list(text);
            let error = read_list(file.path()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            assert!(error.contains(&file.path().display().to_string()), "{error}");
        }
    }
}
