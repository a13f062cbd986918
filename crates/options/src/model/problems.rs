//! What is wrong with a document, where, and what to write instead: all problems at once, so that a user mends a file in
//! one go.

use std::fmt;

use serde_json::Value;

/// Where in a document, such as `omezarr_options.chunks.z_chunk` or `filters[0].regex`. Empty for the document itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// Runs `inner` with the path of `key` below this one.
    pub fn key<R>(&mut self, key: &str, inner: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.0.len();
        if length > 0 {
            self.0.push('.');
        }
        self.0.push_str(key);
        let result = inner(self);
        self.0.truncate(length);
        result
    }

    /// Runs `inner` with the path of element `index` (from 0) of this list.
    pub fn index<R>(&mut self, index: usize, inner: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.0.len();
        self.0.push_str(&format!("[{index}]"));
        let result = inner(self);
        self.0.truncate(length);
        result
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `omezarr_options.chunks.z_chunk`; empty for the document itself.
    pub path: String,
    /// What is there, `None` when nothing is.
    pub found: Option<String>,
    /// What should be there.
    pub expected: String,
    /// What the user probably meant.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        match &self.found {
            Some(found) => write!(f, "found {found}, expected {}", self.expected)?,
            None => write!(f, "missing, expected {}", self.expected)?,
        }
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// Collects problems while a document is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a value that is not as expected.
    pub fn unexpected(&mut self, at: &Path, found: &Value, expected: impl Into<String>) {
        self.misspelt(at, found, expected, None);
    }

    /// Adds a value that is not as expected, with what was probably meant.
    pub fn misspelt(&mut self, at: &Path, found: &Value, expected: impl Into<String>, hint: Option<String>) {
        self.add(at, Some(shown(found)), expected, hint);
    }

    /// Adds a problem in words; `found` is `None` when something is missing.
    pub fn add(&mut self, at: &Path, found: Option<String>, expected: impl Into<String>, hint: Option<String>) {
        self.0.push(Problem {
            path: at.to_string(),
            found,
            expected: expected.into(),
            hint,
        });
    }

    /// The error that reports these problems of the document called `what`.
    pub fn into_invalid(self, what: &str) -> InvalidDocument {
        InvalidDocument {
            what: what.to_owned(),
            problems: self.0,
        }
    }
}

/// A document that cannot be used, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDocument {
    /// Which document, such as `converter options`.
    pub what: String,
    /// Everything that is wrong, in reading order.
    pub problems: Vec<Problem>,
}

impl fmt::Display for InvalidDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems.as_slice() {
            return write!(f, "invalid {}: {problem}", self.what);
        }
        write!(f, "invalid {}: {} problems", self.what, self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for InvalidDocument {}

/// The candidate that a misspelt `word` most likely means, if one is near enough to be worth suggesting.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Names in backticks, separated by commas.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The value as JSON, cut where a line of an error message would become unreadable.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
