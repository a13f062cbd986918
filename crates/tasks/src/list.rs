//! Parallelization lists in files, as init tasks write them and schedulers' jobs read them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ome_zarr_convert_compute::{PlannedImage, Processing};
use ome_zarr_convert_core::{DocumentSource, ParallelizationEntry, Retries, image_from_json_str, read_document};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::compute::{ComputeContext, document_exists, document_place, expand_home};
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

/// The image of an entry, registered and planned as its conversion will. Nothing is waited for, nothing is used up.
pub fn plan_entry(entry: &ParallelizationEntry, context: &ComputeContext<'_>) -> Result<PlannedImage, TaskError> {
    let (args, source) = (&entry.init_args, entry.init_args.source()?);
    let once = Retries {
        tries: 1,
        wait: &|_, _| true,
    };
    let text = read_document(source, once)?;
    let mut image = image_from_json_str(&text, &document_place(source, &entry.zarr_url))?;
    expand_home(&mut image)?;
    let processing = Processing {
        options: Arc::new(args.converter_options.clone()),
        pipeline: args.registration_pipeline.as_deref(),
        extensions: context.extensions,
    };
    Ok(PlannedImage::new(image, &processing)?)
}

/// Whether the document of an entry is gone: its image was finished.
pub(crate) fn is_used_up(entry: &ParallelizationEntry) -> Result<bool, TaskError> {
    match entry.init_args.source()? {
        DocumentSource::File(url) => Ok(!document_exists(url)?),
        DocumentSource::Inline(_) => Ok(false),
    }
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
        _ => wrong(format!("it is not valid JSON: {error}")),
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
    fn what_is_not_a_list_is_refused() {
        for (text, word) in [
            ("{\"parallelization_list\": [1", "not valid JSON: EOF"),
            ("{\"parallelization_list\": []} x", "not valid JSON: trailing"),
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
