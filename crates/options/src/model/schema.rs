//! JSON schemas as pydantic writes them, and as Fractal's manifests want them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Model, Rules};

/// Whose schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// That of pydantic's `model_json_schema`: no defaults for objects and lists.
    #[default]
    Pydantic,
    /// That of fractal-task-tools for manifests: every default is given, every property has a title, and a definition
    /// is described by the first paragraph.
    Fractal,
}

/// The named parts that a schema refers to.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    dialect: Dialect,
    parts: BTreeMap<String, Value>,
}

impl Definitions {
    /// No parts yet.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            parts: BTreeMap::new(),
        }
    }

    /// Defines the part called `name`, unless it is defined already, and gives the reference to it.
    pub fn define(&mut self, name: &str, part: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.parts.contains_key(name) {
            let part = part(self);
            self.parts.insert(name.to_owned(), part);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// The description of a definition with this documentation.
    pub fn definition_description(&self, doc: &str) -> String {
        let description = description(doc);
        match self.dialect {
            Dialect::Pydantic => description,
            Dialect::Fractal => first_paragraph(&description).to_owned(),
        }
    }
}

/// The JSON schema of a document, with all that it refers to under `$defs`.
pub fn schema<T: Model>(dialect: Dialect) -> Value {
    let mut definitions = Definitions::new(dialect);
    let mut root = T::schema(&mut definitions);
    let name = root["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    if let Some(part) = name.and_then(|name| definitions.parts.remove(name)) {
        root = part;
    }
    if let (Value::Object(root), false) = (&mut root, definitions.parts.is_empty()) {
        root.insert(
            "$defs".to_owned(),
            Value::Object(definitions.parts.into_iter().collect()),
        );
    }
    sorted(root, "")
}

/// Keys in pydantic's order: by name, apart from properties and defaults, which keep the order of declaration.
fn sorted(value: Value, parent: &str) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            if parent != "properties" && parent != "default" {
                entries.sort_by(|left, right| left.0.cmp(&right.0));
            }
            let sort = |(key, value): (String, Value)| {
                let value = sorted(value, &key);
                (key, value)
            };
            Value::Object(entries.into_iter().map(sort).collect())
        }
        Value::Array(elements) => Value::Array(elements.into_iter().map(|element| sorted(element, parent)).collect()),
        scalar => scalar,
    }
}

/// The schema of an object while its properties are being added.
#[derive(Debug)]
pub struct ObjectSchema {
    title: &'static str,
    doc: &'static str,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl ObjectSchema {
    /// An object without properties.
    pub fn new(title: &'static str, doc: &'static str) -> Self {
        Self {
            title,
            doc,
            properties: Map::new(),
            required: Vec::new(),
        }
    }

    /// Adds the constant key of a union's member.
    pub fn tag(&mut self, key: &str, tag: &str) {
        let description = description(self.doc);
        let property = json!({
            "const": tag,
            "default": tag,
            "description": first_paragraph(&description),
            "title": title_case(key),
            "type": "string",
        });
        self.properties.insert(key.to_owned(), property);
    }

    /// Adds a field; one without default is required.
    pub fn field<T: Model>(&mut self, rules: &Rules, default: Option<T>, definitions: &mut Definitions) {
        let mut property = T::schema(definitions);
        let title = match rules.title {
            Some(title) => Some(title.to_owned()),
            // pydantic leaves it to the definition to give the title; fractal-task-tools does not.
            None if !refers(&property) => Some(title_case(rules.name)),
            None if definitions.dialect == Dialect::Fractal => Some(capitalised(rules.name)),
            None => None,
        };
        let bullets = T::bullets().map(|bullets| format!("\n\n{bullets}")).unwrap_or_default();
        property["description"] = Value::String(description(rules.doc) + &bullets);
        if let Some(title) = title {
            property["title"] = Value::String(title);
        }
        let bounds = [("minimum", rules.min), ("exclusiveMinimum", rules.exclusive_min)];
        for (key, bound) in bounds.into_iter().filter_map(|(key, bound)| Some((key, bound?))) {
            property[key] = json!(bound);
        }
        if let Some(count) = rules.min_items {
            property["minItems"] = json!(count);
        }
        match default.map(|default| default.write_default()) {
            None => self.required.push(rules.name),
            Some(Value::Object(_) | Value::Array(_)) if definitions.dialect == Dialect::Pydantic => {}
            Some(default) => property["default"] = default,
        }
        self.properties.insert(rules.name.to_owned(), property);
    }

    /// The finished schema.
    pub fn finish(self, definitions: &Definitions) -> Value {
        let mut schema = json!({
            "additionalProperties": false,
            "description": definitions.definition_description(self.doc),
            "properties": self.properties,
            "title": self.title,
            "type": "object",
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}

/// Whether a schema is a reference, or a reference or null.
fn refers(schema: &Value) -> bool {
    let nullable = || {
        schema["anyOf"]
            .as_array()
            .is_some_and(|parts| parts.iter().any(|part| part.get("$ref").is_some()))
    };
    schema.get("$ref").is_some() || nullable()
}

/// `max_z` as `Max Z`.
fn title_case(name: &str) -> String {
    name.split('_').map(capitalised).collect::<Vec<_>>().join(" ")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The text of a doc comment: one line per paragraph and per list item.
pub fn description(doc: &str) -> String {
    let mut text = String::new();
    for line in doc.lines().map(str::trim) {
        let starts_line = line.is_empty() || line.starts_with("- ") || text.is_empty() || text.ends_with("\n\n");
        if line.is_empty() {
            text.push_str("\n\n");
        } else {
            if !starts_line {
                text.push(' ');
            } else if line.starts_with("- ") && !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(line);
        }
    }
    text.trim().to_owned()
}

/// What stands before the first empty line.
pub fn first_paragraph(description: &str) -> &str {
    description.split("\n\n").next().unwrap_or(description)
}
