//! The reference page of the options: a table per document and union, made from the definitions.

use serde_json::Value;

use super::part::{Part, Schema, Shape};
use super::shortcuts;

const INTRODUCTION: &str = "\
# Options

Every option of a conversion. This page is what `ome-zarr-convert options --markdown` prints; the JSON schema in
`options.schema.json` is what `--schema` prints, and `--defaults` prints both documents with their defaults (without the keys
that are additions to the reference's options, which it would refuse).

Options are two documents, JSON or TOML. A key that is left out has its default; a key that is not known is an error.

| Word | What it gives |
|---|---|
| `--options FILE` | [ConverterOptions](#converteroptions): how images are put together and laid out |
| `--acquisition-options FILE` | [AcquisitionOptions](#acquisitionoptions): what differs from the acquisition's files, and which tiles are converted |
| `--set PATH=VALUE` | one key of ConverterOptions by its path, as `--set omezarr_options.chunks.z_chunk=1`; wins over shortcuts and file |
| `--filter JSON` | one more of the [filters](#filters) |
| `--probe` | a check that every image file is there, and that one per image is as the table says, before anything is written |

A key that only one `mode` has chooses that mode: `--set omezarr_options.chunks.xy_chunk=1024` makes chunks `Fixed Size`.

## Shortcuts

Each stands for one key of ConverterOptions and wins over the file.

| Word | Values | Sets |
|---|---|---|
";

/// The page, Markdown.
pub(super) fn page(documents: &Schema) -> String {
    let mut page = INTRODUCTION.to_owned();
    for [word, values, sets] in shortcuts::rows() {
        page.push_str(&format!("| `{word}` | {values} | `{sets}` |\n"));
    }
    for (_, document) in documents.root().keys() {
        page.push_str(&format!("\n## {}\n\n{}\n", document.title(), document.description()));
        section(&mut page, document, "");
    }
    page
}

/// A row of a table: one key.
struct Row<'a> {
    key: &'a str,
    part: Part<'a>,
    /// The cells after the key: type, default, values, description.
    cells: [String; 4],
    /// The members of a union that have it.
    members: Vec<&'a str>,
}

/// The table of an object or union, then those of its parts.
fn section(page: &mut String, part: Part<'_>, path: &str) {
    let (rows, union) = match part.shape() {
        Shape::Object(_) => {
            let row = |(key, part)| Row {
                key,
                part,
                cells: cells(part, &below(path, key)),
                members: Vec::new(),
            };
            (part.keys().into_iter().map(row).collect(), None)
        }
        Shape::Union { key, members } => (member_rows(&members, path), Some((key, members.len()))),
        Shape::List(element) => return section(page, element, path),
        Shape::Choice(_) | Shape::Plain(_) => return,
    };
    page.push_str("\n| Key | Type | Default | Values | Description |\n|---|---|---|---|---|\n");
    if let Some((key, _)) = union {
        let default = part.default().and_then(|default| default.get(key));
        let default = default.map_or_else(|| "required".to_owned(), code);
        let values = values(part);
        page.push_str(&format!(
            "| `{key}` | choice | {default} | {values} | Which of these it is. |\n"
        ));
    }
    for row in &rows {
        let [kind, default, values, description] = &row.cells;
        let all = union.is_none_or(|(_, members)| members == row.members.len());
        let members: Vec<String> = row.members.iter().map(|name| format!("`{name}`")).collect();
        let when = if all {
            String::new()
        } else {
            format!("With {}: ", members.join(", "))
        };
        page.push_str(&format!(
            "| `{}` | {kind} | {default} | {values} | {when}{description} |\n",
            row.key
        ));
    }
    for row in &rows {
        if has_section(row.part) {
            let path = below(path, row.key);
            page.push_str(&format!("\n### `{path}`\n\n{}\n", row.part.description()));
            section(page, row.part, &path);
        }
    }
}

/// The keys of all members of a union; what members have in common is one row.
fn member_rows<'a>(members: &[(&'a str, Part<'a>)], path: &str) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (name, member) in members {
        for (key, part) in member.keys() {
            let cells = cells(part, &below(path, key));
            match rows.iter_mut().find(|row| row.key == key && row.cells == cells) {
                Some(row) => row.members.push(name),
                None => rows.push(Row {
                    key,
                    part,
                    cells,
                    members: vec![name],
                }),
            }
        }
    }
    rows
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Type, default, values and description of a key.
fn cells(part: Part<'_>, path: &str) -> [String; 4] {
    let values = match part.shape() {
        Shape::Choice(_) => values(part),
        _ => match (part.min(), part.exclusive_min()) {
            (Some(min), _) => format!("at least {min}"),
            (None, Some(bound)) => format!("more than {bound}"),
            (None, None) => String::new(),
        },
    };
    let default = match (part.default(), part.shape()) {
        (None, _) => "required".to_owned(),
        (Some(Value::Null), _) => "empty".to_owned(),
        (Some(default), Shape::Union { key, .. }) => code(&default[key]),
        (Some(Value::Object(_)), _) => "see there".to_owned(),
        (Some(default), _) => code(default),
    };
    let or_empty = if part.is_nullable() { ", or empty" } else { "" };
    let kind = format!("{}{or_empty}", kind(part, path));
    [kind, default, values, in_cell(part.description())]
}

fn kind(part: Part<'_>, path: &str) -> String {
    let anchor: String = path
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    match part.shape() {
        Shape::Object(_) | Shape::Union { .. } => format!("[object](#{anchor})"),
        Shape::List(element) if has_section(element) => format!("list of [objects](#{anchor})"),
        Shape::List(element) => format!("list of {}s", kind(element, path)),
        Shape::Choice(_) => "choice".to_owned(),
        Shape::Plain("integer") => "whole number".to_owned(),
        Shape::Plain("boolean") => "true or false".to_owned(),
        Shape::Plain("string") => "text".to_owned(),
        Shape::Plain(other) => other.to_owned(),
    }
}

fn has_section(part: Part<'_>) -> bool {
    match part.shape() {
        Shape::Object(_) | Shape::Union { .. } => true,
        Shape::List(element) => has_section(element),
        Shape::Choice(_) | Shape::Plain(_) => false,
    }
}

/// What each value means, as one cell.
fn values(part: Part<'_>) -> String {
    let value = |(name, meaning): (&str, &str)| match meaning {
        "" => format!("`{name}`"),
        meaning => format!("`{name}`: {}", in_cell(meaning)),
    };
    part.values().into_iter().map(value).collect::<Vec<_>>().join("<br>")
}

fn code(value: &Value) -> String {
    format!("`{value}`")
}

fn in_cell(text: &str) -> String {
    text.replace("\n\n", "<br>").replace('\n', " ").replace('|', "\\|")
}
