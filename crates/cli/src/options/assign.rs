//! Puts one value into a document by its path, held against the schema.

use ome_zarr_convert_tasks::model::{self, Map};
use serde_json::{Value, json};

use super::part::{Part, Shape, paths};

/// The value that `text` means for the option at `path`: itself where a text belongs, else JSON.
pub(super) fn value(schema: Part<'_>, path: &str, text: &str) -> Value {
    let is_text = find(schema, path).is_some_and(|found| match found {
        Found::Key(part) => part.takes_text(),
        Found::Tag(_) => true,
    });
    match serde_json::from_str(text) {
        Ok(value @ (Value::String(_) | Value::Null)) => value,
        Ok(value) if !is_text => value,
        _ => Value::String(text.to_owned()),
    }
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// A key with a part of its own.
    Key(Part<'a>),
    /// The key that tells the members of this union apart.
    Tag(Part<'a>),
}

/// What `path` leads to, in whichever member of the unions on the way.
pub(super) fn find<'a>(schema: Part<'a>, path: &str) -> Option<Found<'a>> {
    let (key, rest) = match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    };
    let parts: Vec<Part<'a>> = match schema.shape() {
        Shape::Union { key: tag, .. } if key == tag && rest.is_none() => return Some(Found::Tag(schema)),
        Shape::Union { members, .. } => members
            .into_iter()
            .filter_map(|(_, member)| key_of(member, key))
            .collect(),
        _ => key_of(schema, key).into_iter().collect(),
    };
    match rest {
        None => parts.first().copied().map(Found::Key),
        Some(rest) => parts.into_iter().find_map(|part| find(part, rest)),
    }
}

fn key_of<'a>(object: Part<'a>, key: &str) -> Option<Part<'a>> {
    object
        .keys()
        .into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, part)| part)
}

/// Sets the option at `path`. Where a union on the way is another member than the one that alone has the key, it becomes that
/// one, and keeps what both have.
pub(super) fn assign(schema: Part<'_>, document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let (mut part, mut at) = (schema, document);
    let mut walked = String::new();
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        let is_last = keys.peek().is_none();
        if let (Shape::Union { key: tag, members }, true) = (part.shape(), is_last)
            && key == tag
        {
            match members.iter().find(|(name, _)| value == *name) {
                Some((name, member)) => switch(at, tag, name, *member),
                // Not a member: told with the other problems of the document.
                None => put(at, key, value),
            }
            return Ok(());
        }
        let Some(next) = enter(part, at, key, &walked)? else {
            return Err(unknown(schema, path));
        };
        walked.push_str(if walked.is_empty() { "" } else { "." });
        walked.push_str(key);
        if is_last {
            put(at, key, value);
            return Ok(());
        }
        if !at[key].is_object() {
            put(
                at,
                key,
                next.default()
                    .filter(|value| value.is_object())
                    .cloned()
                    .unwrap_or(json!({})),
            );
        }
        (part, at) = (next, &mut at[key]);
    }
    Err(unknown(schema, path))
}

/// The part below `key`, after the member that has it is in force; `None` if there is no such key.
fn enter<'a>(part: Part<'a>, at: &mut Value, key: &str, walked: &str) -> Result<Option<Part<'a>>, String> {
    let Shape::Union { key: tag, members } = part.shape() else {
        return Ok(key_of(part, key));
    };
    let having: Vec<(&str, Part<'_>)> = members
        .into_iter()
        .filter(|(_, member)| key_of(*member, key).is_some())
        .collect();
    let current = having.iter().find(|(name, _)| at[tag] == *name);
    let (_, member) = match (current, having.as_slice()) {
        (Some(current), _) => current,
        (None, []) => return Ok(None),
        (None, [only]) => {
            switch(at, tag, only.0, only.1);
            only
        }
        (None, several) => {
            let names: Vec<_> = several
                .iter()
                .map(|(name, _)| format!("{walked}.{tag}={name}"))
                .collect();
            return Err(format!(
                "`{key}` means something for several values of `{walked}.{tag}`, which is {}: set one of {} first",
                at[tag],
                names.join(", ")
            ));
        }
    };
    Ok(key_of(*member, key))
}

/// Makes the object another member of its union.
fn switch(at: &mut Value, tag: &str, name: &str, member: Part<'_>) {
    let mut object = Map::new();
    object.insert(tag.to_owned(), json!(name));
    for (key, part) in member.keys() {
        if let Some(value) = at.get(key).or(part.default()) {
            object.insert(key.to_owned(), value.clone());
        }
    }
    *at = Value::Object(object);
}

fn put(at: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = at {
        object.insert(key.to_owned(), value);
    }
}

fn unknown(schema: Part<'_>, path: &str) -> String {
    let all = paths(schema);
    let ending = format!(".{path}");
    let last = path.rsplit('.').next().unwrap_or(path);
    let last_of = |known: &str| known.rsplit('.').next().unwrap_or(known).to_owned();
    let names: Vec<String> = all.iter().map(|known| last_of(known)).collect();
    // The whole path may be misspelt, or only its beginning left out, or both.
    let near = all
        .iter()
        .find(|known| known.ends_with(&ending))
        .map(String::as_str)
        .or_else(|| {
            let name = model::closest(last, names.iter().map(String::as_str))?;
            let same = all.iter().map(String::as_str).filter(|known| last_of(known) == name);
            let same: Vec<&str> = same.collect();
            model::closest(path, same.iter().copied()).or(same.first().copied())
        });
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("there is no option `{path}`{hint} (`ome-zarr-convert options` lists all)")
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_tasks::options::ConverterOptions;

    use super::super::part::Schema;
    use super::*;

    fn document() -> Value {
        json!({
            "grouping": {"mode": "Per-FOV"},
            "omezarr_options": {"chunks": {"mode": "Same as FOV", "xy_scaling": "1", "z_chunk": 7}},
        })
    }

    #[test]
    fn a_key_of_one_member_chooses_it_and_keeps_what_both_have() {
        let schema = Schema::of::<ConverterOptions>();
        let mut document = document();
        assign(
            schema.root(),
            &mut document,
            "omezarr_options.chunks.xy_chunk",
            json!(64),
        )
        .unwrap();
        let expected = json!({"mode": "Fixed Size", "xy_chunk": 64, "z_chunk": 7, "c_chunk": 1, "t_chunk": 1});
        assert_eq!(document["omezarr_options"]["chunks"], expected);
        assign(
            schema.root(),
            &mut document,
            "grouping.tiling_strategy.mode",
            json!("Inplace"),
        )
        .unwrap();
        assert_eq!(document["grouping"]["mode"], "Mosaic");
        assert_eq!(document["grouping"]["tiling_strategy"], json!({"mode": "Inplace"}));
    }

    #[test]
    fn a_key_of_several_members_is_not_guessed() {
        let schema = Schema::of::<ConverterOptions>();
        let mut document = json!({"runtime_settings": {"dask_scheduler": {"mode": "Default"}}});
        let path = "runtime_settings.dask_scheduler.num_workers";
        assert_eq!(
            assign(schema.root(), &mut document, path, json!(3)).unwrap_err(),
            "`num_workers` means something for several values of `runtime_settings.dask_scheduler.mode`, which is \"Default\": \
             set one of runtime_settings.dask_scheduler.mode=Threads, runtime_settings.dask_scheduler.mode=Processes first"
        );
    }

    #[test]
    fn values_are_text_where_text_belongs() {
        let schema = Schema::of::<ConverterOptions>();
        let check = |path: &str, text: &str, expected: Value| {
            assert_eq!(value(schema.root(), path, text), expected, "{path}={text}");
        };
        check("omezarr_options.ngff_version", "0.5", json!("0.5"));
        check("omezarr_options.ngff_version", "\"0.5\"", json!("0.5"));
        check("omezarr_options.chunks.mode", "Fixed Size", json!("Fixed Size"));
        check("omezarr_options.chunks.z_chunk", "3", json!(3));
        check("omezarr_options.levels.level_names", "[\"s0\"]", json!(["s0"]));
        check("stage_position_corrections.remove_xy_jitter", "false", json!(false));
        check("stage_position_corrections.remove_xy_jitter", "no", json!("no"));
    }

    #[test]
    fn unknown_paths_name_the_closest() {
        let schema = Schema::of::<ConverterOptions>();
        for (path, expected) in [
            ("ngff_version", "omezarr_options.ngff_version"),
            ("omezarr_options.ngff_versoin", "omezarr_options.ngff_version"),
            ("omezar_options.chunks.z_chunk", "omezarr_options.chunks.z_chunk"),
            ("z_chunks", "omezarr_options.chunks.z_chunk"),
            ("omezarr_options.ngff_version.major", "omezarr_options.ngff_version"),
        ] {
            let problem = assign(schema.root(), &mut document(), path, json!(1)).unwrap_err();
            let told = problem.starts_with(&format!("there is no option `{path}`"));
            let named = problem.contains(&format!("did you mean `{expected}`?")) || path.ends_with("major");
            assert!(told && named, "{problem}");
        }
    }
}
