//! Documents of options: one declaration gives the type, its reading, its writing and its JSON schema, so that none of
//! the four can say something else than the others.
//!
//! [`model!`](model!) declares an object, [`choice!`](choice!) a closed set of strings and
//! [`union!`](union!) objects told apart by a key; [`choice_of!`](choice_of!) spells a type of another crate. Documents are those of the reference's pydantic models: the
//! same keys in the same order, the same defaults and bounds, the same schema apart from the wording of descriptions.
//!
//! Reading is as lax as pydantic's for numbers and booleans (`"3"`, `5.0`), and laxer in one point: null where a default
//! exists is that default. Unknown keys are errors. All problems of a document are reported at once.

mod declare;
mod fields;
mod problems;
mod scalars;
mod schema;
mod variants;

pub use self::declare::{choice, choice_of, model, union};
pub use self::fields::{Fields, Rules, put};
pub use self::problems::{InvalidDocument, Path, Problem, Problems, closest};
pub use self::schema::{Definitions, Dialect, ObjectSchema, description, first_paragraph, schema};
pub use self::variants::{bullets, read_choice, read_tag, schema_choice, schema_union};
pub use serde_json::{Map, Value};

/// A part of an options document.
pub trait Model: Sized {
    /// Reads the part from JSON. Every problem is added to `problems` under its path; `None` when there is no value to go
    /// on with. A value that is returned is only good if no problem was added.
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self>;

    /// The JSON that the reference's `model_dump` gives: every key, in the order of declaration.
    fn write(&self) -> Value;

    /// [`write`](Self::write) for a value that equals the default of its field. Differs for floats only: Python writes a
    /// default as its author spelled it, `1` and not `1.0`.
    fn write_default(&self) -> Value {
        self.write()
    }

    /// The JSON schema of the part. Named parts go into `definitions` and are referred to.
    fn schema(definitions: &mut Definitions) -> Value;

    /// What the allowed values mean, as a Markdown list for the description of a field; `None` for open sets.
    fn bullets() -> Option<String> {
        None
    }
}

/// A member of a union: an object with a constant key that says which member it is.
pub trait Tagged: Model {
    /// The key, such as `mode`.
    const KEY: &'static str;
    /// The value of the key, such as `Fixed Size`.
    const TAG: &'static str;
    /// The documentation of the member, as declared.
    const DOC: &'static str;
}

/// Reads a document. `what` names it in the error, such as `converter options`.
///
/// # Errors
///
/// [`InvalidDocument`] lists every problem: unknown or missing keys, values of the wrong type or out of bounds, and what
/// contradicts each other.
pub fn from_json<T: Model>(value: &Value, what: &str) -> Result<T, InvalidDocument> {
    let mut problems = Problems::default();
    let read = T::read(value, &mut Path::default(), &mut problems);
    match read {
        Some(document) if problems.is_empty() => Ok(document),
        _ => Err(problems.into_invalid(what)),
    }
}

/// Writes a document as the reference's `model_dump` does.
pub fn to_json<T: Model>(document: &T) -> Value {
    document.write()
}

#[cfg(test)]
mod tests;
