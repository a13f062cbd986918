//! Keys: relative text whose parts are joined by `/`; the empty key is the root.

use crate::error::{Result, StoreError};

/// What is wrong with a name of the file system that cannot be a part of a key.
pub(crate) const NOT_UTF8: &str = "its name is not valid UTF-8; rename it, or move it away";

/// Refuses what is not a key, so that no key leads out of its store.
pub(crate) fn check(key: &str) -> Result<()> {
    match key.is_empty() {
        true => Ok(()),
        false => key.split('/').try_for_each(|part| match problem_of(part) {
            None => Ok(()),
            Some(problem) => Err(invalid(key, problem)),
        }),
    }
}

/// Refuses what is not a key below the root: the root itself is not written, replaced or removed.
pub(crate) fn check_below_root(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(invalid(
            key,
            "it is the root of the store, which is not written or removed itself",
        ));
    }
    check(key)
}

pub(crate) fn invalid(key: &str, problem: &'static str) -> StoreError {
    StoreError::InvalidKey {
        key: key.to_owned(),
        problem,
    }
}

/// What keeps a text from being one part of a key.
fn problem_of(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("a part between slashes is empty"),
        "." | ".." => Some("a part is \".\" or \"..\", which is not a name"),
        _ if part.contains('\0') => Some("it has a NUL character, which no name can have"),
        _ if cfg!(windows) && part.contains(['\\', ':']) => {
            Some("a part has a backslash or a colon, which no name can have")
        }
        _ => None,
    }
}

/// A key below another.
pub(crate) fn join(key: &str, below: &str) -> String {
    match (key, below) {
        // Not the root again: an empty name is refused where it is used.
        ("", "") => "/".to_owned(),
        ("", below) => below.to_owned(),
        (key, below) => format!("{key}/{below}"),
    }
}

/// The key above, and the last part; `None` for the root.
pub(crate) fn split(key: &str) -> Option<(&str, &str)> {
    match key {
        "" => None,
        key => Some(key.rsplit_once('/').unwrap_or(("", key))),
    }
}

/// `.{name}.{what}` beside a key: hidden, and derived from it, so that whoever comes next finds it.
pub(crate) fn beside(key: &str, what: &str) -> String {
    let (above, name) = split(key).unwrap_or_default();
    join(above, &format!(".{name}.{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_relative_and_stay_below_the_root() {
        for key in ["", "a", "a/b", ".zattrs", "...", "a b", "ä/µ", "a..b/.c"] {
            assert!(check(key).is_ok(), "{key:?}");
        }
        for key in ["/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0"] {
            let text = check(key).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("{key:?} cannot be a place in a store: ")),
                "{text}"
            );
        }
        assert!(check_below_root("").is_err());
        assert_eq!(check("a\\b").is_ok(), cfg!(unix));
        assert_eq!(check("C:").is_ok(), cfg!(unix));
    }

    #[test]
    fn keys_are_joined_and_split() {
        assert_eq!(join("", "a"), "a");
        assert_eq!(join("a", "b/c"), "a/b/c");
        assert!(check(&join("", "")).is_err());
        assert!(check(&join("a", "")).is_err());
        assert_eq!(split(""), None);
        assert_eq!(split("a"), Some(("", "a")));
        assert_eq!(split("a/b/c"), Some(("a/b", "c")));
        assert_eq!(beside("a/b", "partial"), "a/.b.partial");
        assert_eq!(beside("b", "lock"), ".b.lock");
    }
}
