//! The schema of a document as something to walk in: objects with keys, unions with members, lists and plain values.

use ome_zarr_convert_tasks::model::{self, Dialect, Model};
use serde_json::Value;

/// The schema of a document, with every default.
pub(super) struct Schema(Value);

impl Schema {
    pub(super) fn of<T: Model>() -> Self {
        // Fractal's dialect gives the defaults of objects and lists, too.
        Self(model::schema::<T>(Dialect::Fractal))
    }

    pub(super) fn root(&self) -> Part<'_> {
        Part {
            root: &self.0,
            node: &self.0,
        }
    }
}

/// A part of a document: what its schema says of it.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    root: &'a Value,
    node: &'a Value,
}

/// What a part is made of.
pub(super) enum Shape<'a> {
    /// Keys and their parts.
    Object(Vec<(&'a str, Part<'a>)>),
    /// Objects told apart by the value of a key.
    Union {
        key: &'a str,
        members: Vec<(&'a str, Part<'a>)>,
    },
    /// Elements of one kind.
    List(Part<'a>),
    /// One of these texts.
    Choice(Vec<&'a str>),
    /// A JSON schema type, such as `integer`.
    Plain(&'a str),
}

impl<'a> Part<'a> {
    fn of(self, node: &'a Value) -> Self {
        Self { node, ..self }
    }

    /// The schema without references and null.
    fn resolved(self) -> &'a Value {
        let mut node = self.node;
        loop {
            if let Some(reference) = node["$ref"].as_str() {
                node = &self.root["$defs"][reference.trim_start_matches("#/$defs/")];
            } else if let Some(some) = node["anyOf"].as_array().and_then(|parts| parts.first()) {
                node = some;
            } else {
                return node;
            }
        }
    }

    pub(super) fn shape(self) -> Shape<'a> {
        let node = self.resolved();
        if let Some(key) = node["discriminator"]["propertyName"].as_str() {
            // In the order of declaration, which the mapping has not.
            let members = node["oneOf"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|member| self.of(member));
            let tag = |member: Part<'a>| member.resolved()["properties"][key]["const"].as_str();
            let members = members.filter_map(|member| Some((tag(member)?, member))).collect();
            return Shape::Union { key, members };
        }
        if let Some(values) = node["enum"].as_array() {
            return Shape::Choice(values.iter().filter_map(Value::as_str).collect());
        }
        if let Some(properties) = node["properties"].as_object() {
            return Shape::Object(
                properties
                    .iter()
                    .map(|(key, node)| (key.as_str(), self.of(node)))
                    .collect(),
            );
        }
        match node["items"].is_object() {
            true => Shape::List(self.of(&node["items"])),
            false => Shape::Plain(node["type"].as_str().unwrap_or_default()),
        }
    }

    /// The keys of an object, without the one that tells members of a union apart.
    pub(super) fn keys(self) -> Vec<(&'a str, Part<'a>)> {
        match self.shape() {
            Shape::Object(keys) => keys
                .into_iter()
                .filter(|(_, part)| part.node.get("const").is_none())
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn is_nullable(self) -> bool {
        self.node["anyOf"].is_array()
    }

    /// Whether any text is a value of this part.
    pub(super) fn takes_text(self) -> bool {
        matches!(self.shape(), Shape::Choice(_) | Shape::Plain("string"))
    }

    pub(super) fn default(self) -> Option<&'a Value> {
        self.node.get("default")
    }

    pub(super) fn min(self) -> Option<u64> {
        self.node["minimum"].as_u64()
    }

    pub(super) fn exclusive_min(self) -> Option<u64> {
        self.node["exclusiveMinimum"].as_u64()
    }

    pub(super) fn title(self) -> &'a str {
        self.resolved()["title"].as_str().unwrap_or_default()
    }

    /// What the part is for: of the field, or of the definition where there is no field.
    pub(super) fn description(self) -> &'a str {
        let text = self.node["description"]
            .as_str()
            .or(self.resolved()["description"].as_str());
        let text = text.unwrap_or_default();
        // The values have their own place.
        text.split("\n\n- `").next().unwrap_or(text)
    }

    /// The values of a choice, or the tags of a union's members, with what each means; none for other parts.
    pub(super) fn values(self) -> Vec<(&'a str, &'a str)> {
        match self.shape() {
            Shape::Union { members, .. } => members
                .into_iter()
                .map(|(tag, member)| (tag, member.description()))
                .collect(),
            Shape::Choice(values) => {
                let lines = || self.node["description"].as_str().into_iter().flat_map(str::lines);
                let meaning = |value: &str| {
                    let start = format!("- `{value}`: ");
                    lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
                };
                values.into_iter().map(|value| (value, meaning(value))).collect()
            }
            Shape::Object(_) | Shape::List(_) | Shape::Plain(_) => Vec::new(),
        }
    }
}

/// The paths of every option below a part, `omezarr_options.chunks.z_chunk`; each once, as members of a union share keys.
pub(super) fn paths(part: Part<'_>) -> Vec<String> {
    fn collect(part: Part<'_>, path: &str, found: &mut Vec<String>) {
        let mut add = |key: &str, part: Option<Part<'_>>| {
            let path = if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            };
            if let Some(part) = part {
                collect(part, &path, found);
            }
            if !found.contains(&path) {
                found.push(path);
            }
        };
        match part.shape() {
            Shape::Object(keys) => keys.into_iter().for_each(|(key, part)| add(key, Some(part))),
            Shape::Union { key, members } => {
                add(key, None);
                for (_, member) in members {
                    member.keys().into_iter().for_each(|(key, part)| add(key, Some(part)));
                }
            }
            Shape::List(_) | Shape::Choice(_) | Shape::Plain(_) => {}
        }
    }
    let mut found = Vec::new();
    collect(part, "", &mut found);
    found
}
