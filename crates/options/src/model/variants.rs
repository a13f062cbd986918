//! Closed sets: strings of which one is chosen, and objects that a key tells apart.

use serde_json::{Map, Value, json};

use super::problems::listed;
use super::schema::{description, first_paragraph};
use super::{Definitions, Path, Problems, closest};

/// Finds the string of `value` among the allowed ones.
pub fn read_choice(
    value: &Value,
    allowed: &[&'static str],
    at: &Path,
    problems: &mut Problems,
) -> Option<&'static str> {
    // Numbers and booleans are compared as text, to tell the user when only the quotes are missing.
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let same = allowed.iter().copied().find(|candidate| *candidate == text);
    if value.is_string() && same.is_some() {
        return same;
    }
    let hint = match same {
        Some(same) => Some(format!("write it in quotes: \"{same}\"")),
        None => closest(&text, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?")),
    };
    let expected = format!("one of {}", listed(allowed.iter().copied()));
    problems.misspelt(at, value, expected, hint);
    None
}

/// Finds which member of a union an object is. An empty object is the default member, if there is one.
pub fn read_tag(
    value: &Value,
    key: &str,
    tags: &[&'static str],
    default: Option<&'static str>,
    at: &mut Path,
    problems: &mut Problems,
) -> Option<&'static str> {
    let Value::Object(object) = value else {
        let hint = tags
            .iter()
            .find(|tag| value == **tag)
            .map(|tag| format!("write {}", json!({key: tag})));
        let expected = format!("an object whose `{key}` is one of {}", listed(tags.iter().copied()));
        problems.misspelt(at, value, expected, hint);
        return None;
    };
    match (object.get(key), default) {
        (None, Some(default)) if object.is_empty() => Some(default),
        (None | Some(Value::Null), _) => {
            let expected = format!(
                "one of {}, which says what the other keys mean",
                listed(tags.iter().copied())
            );
            at.key(key, |at| problems.add(at, None, expected, None));
            None
        }
        (Some(tag), _) => at.key(key, |at| read_choice(tag, tags, at, problems)),
    }
}

/// The schema of a choice; one with a name becomes a definition.
pub fn schema_choice(name: Option<&str>, doc: &str, allowed: &[&str], definitions: &mut Definitions) -> Value {
    let Some(name) = name else {
        return json!({"enum": allowed, "type": "string"});
    };
    definitions.define(name, |definitions| {
        let description = definitions.definition_description(doc);
        json!({"description": description, "enum": allowed, "title": name, "type": "string"})
    })
}

/// The schema of a union of the given members (tag and schema), told apart by `key`.
pub fn schema_union(key: &str, members: Vec<(&str, Value)>) -> Value {
    let mapping: Map<String, Value> = members
        .iter()
        .map(|(tag, member)| ((*tag).to_owned(), member["$ref"].clone()))
        .collect();
    let members: Vec<Value> = members.into_iter().map(|(_, member)| member).collect();
    json!({"discriminator": {"mapping": mapping, "propertyName": key}, "oneOf": members})
}

/// A Markdown list of the allowed values and what each means.
pub fn bullets(values: &[(&str, &str)]) -> String {
    let line = |(value, doc): &(&str, &str)| format!("- `{value}`: {}", first_paragraph(&description(doc)));
    values.iter().map(line).collect::<Vec<_>>().join("\n")
}
