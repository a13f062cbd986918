//! The fields of an object: what is declared about each, and how they are read and written.

use serde_json::{Map, Value};

use super::problems::listed;
use super::{Model, Path, Problems, closest};

/// What is declared about a field. Each method but [`new`](Self::new) is an option of the same name in
/// [`model!`](super::model!).
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The key in the document.
    pub name: &'static str,
    /// The documentation, as declared.
    pub doc: &'static str,
    pub(super) title: Option<&'static str>,
    pub(super) min: Option<i64>,
    pub(super) exclusive_min: Option<i64>,
    pub(super) min_items: Option<usize>,
    older: Option<&'static str>,
    ours: bool,
}

impl Rules {
    /// A field called `name` without any restriction.
    pub fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            ..Self::default()
        }
    }

    /// The title in forms; by default made from the name.
    pub fn title(self, title: &'static str) -> Self {
        Self {
            title: Some(title),
            ..self
        }
    }

    /// The smallest number allowed.
    pub fn min(self, min: i64) -> Self {
        Self { min: Some(min), ..self }
    }

    /// Numbers must be above this one.
    pub fn exclusive_min(self, bound: i64) -> Self {
        Self {
            exclusive_min: Some(bound),
            ..self
        }
    }

    /// The smallest number of elements allowed in a list.
    pub fn min_items(self, count: usize) -> Self {
        Self {
            min_items: Some(count),
            ..self
        }
    }

    /// The key of this field in documents of earlier versions, understood on reading.
    pub fn older(self, name: &'static str) -> Self {
        Self {
            older: Some(name),
            ..self
        }
    }

    /// A field that the reference does not have: left out of the document while it has its default, so that the
    /// reference, which refuses unknown keys, still reads it.
    pub fn ours(self) -> Self {
        Self { ours: true, ..self }
    }

    fn check(&self, value: &Value, at: &Path, problems: &mut Problems) {
        let number = value.as_f64();
        if let (Some(min), Some(number)) = (self.min, number)
            && number < min as f64
        {
            problems.unexpected(at, value, format!("at least {min}"));
        }
        if let (Some(bound), Some(number)) = (self.exclusive_min, number)
            && number <= bound as f64
        {
            problems.unexpected(at, value, format!("more than {bound}"));
        }
        if let (Some(count), Value::Array(elements)) = (self.min_items, value)
            && elements.len() < count
        {
            problems.unexpected(at, value, format!("a list of at least {count}"));
        }
    }
}

/// Reads an object field by field and then says which keys nobody asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: &'a mut Path,
    problems: &'a mut Problems,
    known: Vec<&'static str>,
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Starts reading `value`; `None`, with a problem added, when it is no object.
    pub fn open(value: &'a Value, at: &'a mut Path, problems: &'a mut Problems) -> Option<Self> {
        let Value::Object(object) = value else {
            problems.unexpected(at, value, "an object");
            return None;
        };
        Some(Self {
            object,
            at,
            problems,
            known: Vec::new(),
            taken: Vec::new(),
        })
    }

    /// Checks the constant key of a union's member; absent and null are fine.
    pub fn tag(&mut self, key: &'static str, tag: &str) {
        self.known.push(key);
        self.taken.push(key);
        if let Some(value) = self.object.get(key).filter(|value| !value.is_null() && *value != tag) {
            let problems = &mut *self.problems;
            self.at
                .key(key, |at| problems.unexpected(at, value, format!("`{tag}`")));
        }
    }

    /// Reads a field. Absent and null mean `default` where there is one.
    pub fn take<T: Model>(&mut self, rules: &Rules, default: Option<T>) -> Option<T> {
        let Self {
            object,
            at,
            problems,
            known,
            taken,
        } = self;
        let key = match rules.older {
            Some(older) if !object.contains_key(rules.name) && object.contains_key(older) => older,
            _ => rules.name,
        };
        known.push(rules.name);
        taken.push(key);
        match (object.get(key), default) {
            (None | Some(Value::Null), Some(default)) => Some(default),
            (None, None) => {
                at.key(key, |at| {
                    problems.add(at, None, "a value: this key has no default", None)
                });
                None
            }
            (Some(value), _) => at.key(key, |at| {
                let read = T::read(value, at, problems)?;
                rules.check(&read.write(), at, problems);
                Some(read)
            }),
        }
    }

    /// Adds a problem for each key that is no field.
    pub fn close(self) {
        let Self {
            object,
            at,
            problems,
            known,
            taken,
        } = self;
        for key in object.keys().filter(|key| !taken.contains(&key.as_str())) {
            let expected = format!("one of the keys {}", listed(known.iter().copied()));
            let hint = closest(key, known.iter().copied()).map(|known| format!("did you mean `{known}`?"));
            at.key(key, |at| {
                problems.add(at, Some("an unknown key".to_owned()), expected, hint)
            });
        }
    }
}

/// Writes a field into an object, unless it is one of ours at its default.
pub fn put<T: Model + PartialEq>(object: &mut Map<String, Value>, rules: &Rules, value: &T, default: Option<T>) {
    let is_default = default.as_ref() == Some(value);
    if rules.ours && is_default {
        return;
    }
    let written = if is_default {
        value.write_default()
    } else {
        value.write()
    };
    object.insert(rules.name.to_owned(), written);
}
