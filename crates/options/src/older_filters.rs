//! Filters as earlier versions of the reference spelled them, turned into those of today.

use serde_json::{Map, Value};

use crate::model::{Path, Problems};

/// The filter of today that an older `filter` means, or `None` when it is not an older one.
///
/// Understood are `Path Regex Include Filter` and `Path Regex Exclude Filter` with `regex`, `Well Filter` with
/// `wells_to_remove`, and class names (`RegexIncludeFilter`, `RegexExcludeFilter`) under `name` or `type` with `pattern`
/// and a `field` that is `path` (which is meant when there is none) or `fov_name`. Keys that do not belong stay, and are
/// reported as unknown.
pub(super) fn today(filter: &Value, at: &mut Path, problems: &mut Problems) -> Option<Value> {
    let mut object = filter.as_object()?.clone();
    let name_key = ["name", "type"].into_iter().find(|key| object.contains_key(*key))?;
    let (name, mode) = match object[name_key].as_str()? {
        "Path Regex Include Filter" => ("Path Regex Filter", "Include"),
        "Path Regex Exclude Filter" => ("Path Regex Filter", "Exclude"),
        "RegexIncludeFilter" => (regex_filter(&mut object, at, problems), "Include"),
        "RegexExcludeFilter" => (regex_filter(&mut object, at, problems), "Exclude"),
        "Well Filter" if object.contains_key("wells_to_remove") => {
            rename(&mut object, "wells_to_remove", "wells");
            ("Well Filter", "Exclude")
        }
        _ => return None,
    };
    object.shift_remove(name_key);
    object.insert("name".to_owned(), Value::from(name));
    match object.insert("mode".to_owned(), Value::from(mode)) {
        Some(given) if !given.is_null() && given != mode => {
            at.key("mode", |at| {
                problems.unexpected(at, &given, format!("`{mode}`, which this older filter means"))
            });
        }
        _ => {}
    }
    Some(Value::Object(object))
}

/// Renames the keys of a class call and says which filter of today it means.
fn regex_filter(object: &mut Map<String, Value>, at: &mut Path, problems: &mut Problems) -> &'static str {
    rename(object, "pattern", "regex");
    let field = object.shift_remove("field").unwrap_or_default();
    match field.as_str() {
        Some("fov_name") => "FOV Name Filter",
        Some("path") => "Path Regex Filter",
        _ => {
            if !field.is_null() {
                at.key("field", |at| {
                    problems.unexpected(at, &field, "one of `path`, `fov_name`")
                });
            }
            "Path Regex Filter"
        }
    }
}

/// Renames a key, unless the key of today is there as well: then the older one is reported as unknown.
fn rename(object: &mut Map<String, Value>, from: &str, to: &str) {
    if !object.contains_key(to)
        && let Some(value) = object.shift_remove(from)
    {
        object.insert(to.to_owned(), value);
    }
}
