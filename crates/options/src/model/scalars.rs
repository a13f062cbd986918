//! Reading and writing of plain values, lists and optional values, as lax as pydantic is.

use serde_json::{Map, Value, json};

use super::{Definitions, Model, Path, Problems};

impl Model for bool {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let read = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
            Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if read.is_none() {
            problems.unexpected(at, value, "true or false");
        }
        read
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "boolean"})
    }
}

/// Integers up to this size are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that pydantic reads from a value, if it does and it fits.
fn whole_number(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(flag) => Some(i128::from(*flag)),
        Value::Number(number) => {
            let integer = number
                .as_i64()
                .map(i128::from)
                .or_else(|| number.as_u64().map(i128::from));
            let float = || {
                number
                    .as_f64()
                    .filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)
            };
            integer.or_else(|| float().map(|float| float as i128))
        }
        Value::String(text) => {
            let text = digits(text)?;
            let whole = text.split_once('.').map_or(Some(text.as_str()), |(whole, fraction)| {
                fraction.bytes().all(|digit| digit == b'0').then_some(whole)
            })?;
            whole.parse().ok()
        }
        _ => None,
    }
}

/// A number in text without the blanks around it and the underscores between its digits, both of which Python allows.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let stray = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!stray).then(|| text.replace('_', ""))
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Model for $type {
            fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
                let Some(number) = whole_number(value) else {
                    problems.unexpected(at, value, "a whole number");
                    return None;
                };
                let read = Self::try_from(number).ok();
                if read.is_none() {
                    problems.unexpected(at, value, format!("a number from {} to {}", Self::MIN, Self::MAX));
                }
                read
            }

            fn write(&self) -> Value {
                json!(self)
            }

            fn schema(_: &mut Definitions) -> Value {
                json!({"type": "integer"})
            }
        }
    )*};
}

integers! { u32 u64 i64 usize }

impl Model for f64 {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let read = match value {
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Value::Number(number) => number.as_f64(),
            Value::String(text) => digits(text).and_then(|text| text.parse().ok()),
            _ => None,
        };
        // JSON cannot hold the others, so a document with them could not be handed on.
        let read = read.filter(|number| number.is_finite());
        if read.is_none() {
            problems.unexpected(at, value, "a finite number");
        }
        read
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn write_default(&self) -> Value {
        if self.fract() == 0.0 && self.abs() <= EXACT {
            json!(*self as i64)
        } else {
            self.write()
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "number"})
    }
}

impl Model for String {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        problems.unexpected(at, value, "a text in quotes");
        None
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string"})
    }
}

impl Model for Map<String, Value> {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        if let Value::Object(object) = value {
            return Some(object.clone());
        }
        problems.unexpected(at, value, "an object");
        None
    }

    fn write(&self) -> Value {
        Value::Object(self.clone())
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"additionalProperties": true, "type": "object"})
    }
}

impl<T: Model> Model for Option<T> {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        if value.is_null() {
            Some(None)
        } else {
            T::read(value, at, problems).map(Some)
        }
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({"anyOf": [T::schema(definitions), {"type": "null"}]})
    }

    fn bullets() -> Option<String> {
        T::bullets()
    }
}

impl<T: Model> Model for Vec<T> {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let Value::Array(elements) = value else {
            problems.unexpected(at, value, "a list");
            return None;
        };
        // Every element is read before any failure counts: all problems are wanted.
        let read: Vec<Option<T>> = elements
            .iter()
            .enumerate()
            .map(|(index, element)| at.index(index, |at| T::read(element, at, problems)))
            .collect();
        read.into_iter().collect()
    }

    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect())
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({"items": T::schema(definitions), "type": "array"})
    }

    fn bullets() -> Option<String> {
        T::bullets()
    }
}
