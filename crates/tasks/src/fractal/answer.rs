//! What tasks answer: changes of Fractal's image list, or the list of what a compute task is to be run for.
//!
//! The platform checks answers strictly and shows its user a validation error of its own; here they are checked before they are
//! written, with every problem at once.

use ome_zarr_convert_core::ParallelizationEntry;
use ome_zarr_convert_core::model::{self, InvalidDocument, Map, Model, Path, Problems, Value};
use ome_zarr_convert_ngff::Cell;
use serde_json::json;

/// The most entries that Fractal accepts in a parallelization list.
pub const MOST_ENTRIES: usize = 20_000;

/// What a function gives that is a task.
pub trait Answer {
    /// The answer as Fractal reads it; every problem is listed.
    fn to_answer(&self) -> Result<Value, InvalidDocument>;
}

/// Nothing changed in the image list.
impl Answer for () {
    fn to_answer(&self) -> Result<Value, InvalidDocument> {
        Ok(json!({}))
    }
}

model::model! {
    /// A change of one entry of the image list, or a new entry.
    pub struct ImageUpdate "ImageUpdate" {
        /// Absolute path of the image.
        pub zarr_url: String;
        /// An image in the list whose attributes and types a new entry begins with.
        pub origin: Option<String> = None, ours;
        /// What is to be known of the image, such as `plate` and `well`: numbers, texts, booleans or null.
        pub attributes: ImageAttributes = ImageAttributes::default();
        /// What the image is and is not, such as `is_3D`.
        pub types: ImageTypes = ImageTypes::default();
    }
}

impl ImageUpdate {
    /// A change that says no more than that the image is there.
    pub fn new(zarr_url: impl Into<String>) -> Self {
        Self {
            zarr_url: zarr_url.into(),
            origin: None,
            attributes: ImageAttributes::default(),
            types: ImageTypes::default(),
        }
    }

    /// The change with the attributes and types of another image.
    pub fn origin(self, zarr_url: impl Into<String>) -> Self {
        Self {
            origin: Some(zarr_url.into()),
            ..self
        }
    }

    /// The change with an attribute.
    pub fn attribute(mut self, name: impl Into<String>, value: Cell) -> Self {
        self.attributes.0.push((name.into(), value));
        self
    }

    /// The change with a type.
    pub fn image_type(mut self, name: impl Into<String>, is: bool) -> Self {
        self.types.0.push((name.into(), is));
        self
    }
}

model::model! {
    /// What every task but an init task answers.
    pub struct TaskOutput "TaskOutput" check check_output {
        /// Entries of the image list that change or are new.
        pub image_list_updates: Vec<ImageUpdate> = Vec::new(), ours;
        /// Paths of images that are no longer there.
        pub image_list_removals: Vec<String> = Vec::new(), ours;
    }
}

impl Answer for TaskOutput {
    fn to_answer(&self) -> Result<Value, InvalidDocument> {
        checked(self, check_output)
    }
}

impl From<ImageUpdate> for TaskOutput {
    fn from(update: ImageUpdate) -> Self {
        Self {
            image_list_updates: vec![update],
            ..Self::default()
        }
    }
}

model::model! {
    /// What one compute task is to be run for.
    pub struct ParallelizationItem "ParallelizationItem" {
        /// Absolute path of the image.
        pub zarr_url: String;
        /// Arguments that the init task hands to this compute task.
        pub init_args: Map<String, Value> = Map::new();
    }
}

model::model! {
    /// What an init task answers.
    pub struct InitOutput "InitOutput" check check_init_output {
        /// What the compute task is to be run for, once per entry.
        pub parallelization_list: Vec<ParallelizationItem> = Vec::new();
    }
}

impl From<&[ParallelizationEntry]> for InitOutput {
    /// What a converter's set-up gives.
    fn from(entries: &[ParallelizationEntry]) -> Self {
        let item = |entry: &ParallelizationEntry| ParallelizationItem {
            zarr_url: entry.zarr_url.clone(),
            init_args: match entry.to_value()["init_args"].take() {
                Value::Object(args) => args,
                _ => Map::new(),
            },
        };
        Self {
            parallelization_list: entries.iter().map(item).collect(),
        }
    }
}

impl Answer for InitOutput {
    fn to_answer(&self) -> Result<Value, InvalidDocument> {
        checked(self, check_init_output)
    }
}

fn checked<T: Model>(output: &T, check: fn(&T, &mut Path, &mut Problems)) -> Result<Value, InvalidDocument> {
    let mut problems = Problems::default();
    check(output, &mut Path::default(), &mut problems);
    if problems.is_empty() {
        Ok(output.write())
    } else {
        Err(problems.into_invalid("answer of the task"))
    }
}

fn check_output(output: &TaskOutput, at: &mut Path, problems: &mut Problems) {
    let mut seen = std::collections::HashSet::new();
    at.key("image_list_updates", |at| {
        for (index, update) in output.image_list_updates.iter().enumerate() {
            at.index(index, |at| {
                at.key("zarr_url", |at| {
                    check_url(&update.zarr_url, at, problems);
                    check_once(&mut seen, &update.zarr_url, at, problems);
                });
                if let Some(origin) = &update.origin {
                    at.key("origin", |at| check_url(origin, at, problems));
                }
                at.key("attributes", |at| update.attributes.check(at, problems));
                at.key("types", |at| {
                    check_names(update.types.0.iter().map(|(name, _)| name), at, problems)
                });
            });
        }
    });
    at.key("image_list_removals", |at| {
        for (index, url) in output.image_list_removals.iter().enumerate() {
            at.index(index, |at| {
                check_url(url, at, problems);
                check_once(&mut seen, url, at, problems);
            });
        }
    });
}

fn check_init_output(output: &InitOutput, at: &mut Path, problems: &mut Problems) {
    let list = &output.parallelization_list;
    at.key("parallelization_list", |at| {
        if list.len() > MOST_ENTRIES {
            let expected = format!("at most {MOST_ENTRIES}, which is Fractal's limit");
            let hint = "convert fewer acquisitions at once".to_owned();
            problems.add(at, Some(format!("{} entries", list.len())), expected, Some(hint));
        }
        for (index, item) in list.iter().enumerate() {
            at.index(index, |at| {
                at.key("zarr_url", |at| check_url(&item.zarr_url, at, problems))
            });
        }
    });
}

/// The platform takes absolute paths and URLs of S3.
fn check_url(url: &str, at: &Path, problems: &mut Problems) {
    let absolute = std::path::Path::new(url).is_absolute() || url.starts_with("s3://");
    let climbs = url.split('/').any(|part| part == "..");
    if !absolute || climbs {
        problems.unexpected(at, &json!(url), "an absolute path without `..`");
    }
}

fn check_once<'a>(seen: &mut std::collections::HashSet<&'a str>, url: &'a str, at: &Path, problems: &mut Problems) {
    if !seen.insert(url) {
        problems.unexpected(at, &json!(url), "each image once in updates and removals together");
    }
}

/// Keys are compared without the blanks around them, and must differ then.
fn check_names<'a>(names: impl Iterator<Item = &'a String>, at: &Path, problems: &mut Problems) {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        let bare = name.trim();
        if bare.is_empty() || !seen.insert(bare) {
            problems.unexpected(at, &json!(name), "names that differ, none of them empty");
        }
    }
}

/// What is known of an image: names and single values, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageAttributes(pub Vec<(String, Cell)>);

impl ImageAttributes {
    fn check(&self, at: &mut Path, problems: &mut Problems) {
        check_names(self.0.iter().map(|(name, _)| name), at, problems);
        for (name, value) in &self.0 {
            if let Cell::Float(number) = value
                && !number.is_finite()
            {
                let hint = Some("give null where there is no value".to_owned());
                at.key(name, |at| {
                    problems.add(at, Some(number.to_string()), "a finite number", hint)
                });
            }
        }
    }
}

impl Model for ImageAttributes {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let object = Map::read(value, at, problems)?;
        let mut read = Vec::with_capacity(object.len());
        for (name, value) in object {
            if value.is_array() || value.is_object() {
                at.key(&name, |at| {
                    problems.unexpected(at, &value, "a number, text, true, false or null")
                });
            } else {
                read.push((name, Cell::from(&value)));
            }
        }
        Some(Self(read))
    }

    fn write(&self) -> Value {
        Value::Object(
            self.0
                .iter()
                .map(|(name, value)| (name.clone(), value.into()))
                .collect(),
        )
    }

    fn schema(_: &mut model::Definitions) -> Value {
        json!({"additionalProperties": {"type": ["number", "string", "boolean", "null"]}, "type": "object"})
    }
}

/// What an image is and is not: names and flags, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageTypes(pub Vec<(String, bool)>);

impl Model for ImageTypes {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let object = Map::read(value, at, problems)?;
        let mut read = Vec::with_capacity(object.len());
        for (name, value) in object {
            match value {
                Value::Bool(is) => read.push((name, is)),
                other => at.key(&name, |at| problems.unexpected(at, &other, "true or false")),
            }
        }
        Some(Self(read))
    }

    fn write(&self) -> Value {
        Value::Object(
            self.0
                .iter()
                .map(|(name, is)| (name.clone(), Value::Bool(*is)))
                .collect(),
        )
    }

    fn schema(_: &mut model::Definitions) -> Value {
        json!({"additionalProperties": {"type": "boolean"}, "type": "object"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn problems(answer: &impl Answer) -> Vec<String> {
        let invalid = answer.to_answer().unwrap_err();
        invalid.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_said_is_not_written() {
        assert_eq!(().to_answer().unwrap().to_string(), "{}");
        let update = ImageUpdate::new("/p.zarr/A/01/0")
            .origin("/p.zarr/A/01/1")
            .attribute("well", Cell::Text("A01".into()))
            .attribute("dose", Cell::Null)
            .image_type("is_3D", false);
        assert_eq!(
            TaskOutput::from(update).to_answer().unwrap().to_string(),
            r#"{"image_list_updates":[{"zarr_url":"/p.zarr/A/01/0","origin":"/p.zarr/A/01/1","attributes":{"well":"A01","dose":null},"types":{"is_3D":false}}]}"#
        );
        let bare = TaskOutput::from(ImageUpdate::new("/a")).to_answer().unwrap();
        assert_eq!(
            bare.to_string(),
            r#"{"image_list_updates":[{"zarr_url":"/a","attributes":{},"types":{}}]}"#
        );
        let init = InitOutput::default().to_answer().unwrap();
        assert_eq!(init.to_string(), r#"{"parallelization_list":[]}"#);
    }

    #[test]
    fn every_problem_of_an_answer_is_told() {
        let output = TaskOutput {
            image_list_updates: vec![
                ImageUpdate::new("p.zarr").attribute("dose", Cell::Float(f64::NAN)),
                ImageUpdate::new("/p.zarr/../q").image_type(" ", true),
                ImageUpdate::new("/r")
                    .origin("r")
                    .attribute("a", Cell::Null)
                    .attribute("a ", Cell::Null),
            ],
            image_list_removals: vec!["/r".into()],
        };
        assert_eq!(
            problems(&output),
            [
                "`image_list_updates[0].zarr_url`: found \"p.zarr\", expected an absolute path without `..`",
                "`image_list_updates[0].attributes.dose`: found NaN, expected a finite number; give null where there is no value",
                "`image_list_updates[1].zarr_url`: found \"/p.zarr/../q\", expected an absolute path without `..`",
                "`image_list_updates[1].types`: found \" \", expected names that differ, none of them empty",
                "`image_list_updates[2].origin`: found \"r\", expected an absolute path without `..`",
                "`image_list_updates[2].attributes`: found \"a \", expected names that differ, none of them empty",
                "`image_list_removals[0]`: found \"/r\", expected each image once in updates and removals together",
            ]
        );
    }

    #[test]
    fn a_list_has_an_end() {
        let item = ParallelizationItem {
            zarr_url: "/p.zarr".into(),
            init_args: Map::new(),
        };
        let mut output = InitOutput {
            parallelization_list: vec![item; MOST_ENTRIES],
        };
        assert!(output.to_answer().is_ok());
        output.parallelization_list.push(output.parallelization_list[0].clone());
        assert!(problems(&output)[0].contains("20001 entries, expected at most 20000"));
    }

    #[test]
    fn answers_of_others_are_held_to_the_same() {
        let document = json!({"image_list_updates": [{"zarr_url": "/a", "attributes": {"list": [1]}, "types": {"is_3D": "yes"}, "extra": 1}]});
        let invalid = model::from_json::<TaskOutput>(&document, "answer").unwrap_err();
        assert_eq!(invalid.problems.len(), 3, "{invalid}");
    }
}
