//! Shortcuts: flags for the options that are asked for most, whose values and help come from the definitions.

use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, value_parser};
use ome_zarr_convert_tasks::model;
use ome_zarr_convert_tasks::options::ConverterOptions;
use serde_json::{Value, json};

use super::assign::{Found, find};
use super::part::Schema;

/// A flag for one option.
#[derive(Debug)]
pub(super) struct Shortcut {
    /// The flag without `--`.
    pub(super) flag: &'static str,
    /// The path of the option in ConverterOptions.
    pub(super) key: &'static str,
    /// What the flag stands for if it takes no value.
    pub(super) fixed: Option<&'static str>,
    /// A flag that says the contrary.
    contrary: Option<&'static str>,
}

const fn shortcut(flag: &'static str, key: &'static str) -> Shortcut {
    Shortcut {
        flag,
        key,
        fixed: None,
        contrary: None,
    }
}

/// All shortcuts, in the order of the help.
pub(super) static SHORTCUTS: [Shortcut; 6] = [
    shortcut("ngff-version", "omezarr_options.ngff_version"),
    shortcut("levels", "omezarr_options.levels.num_levels"),
    shortcut("chunk-xy", "omezarr_options.chunks.xy_chunk"),
    shortcut("table-backend", "omezarr_options.table_backend"),
    shortcut("tiling", "grouping.tiling_strategy.mode"),
    Shortcut {
        fixed: Some("Per-FOV"),
        contrary: Some("tiling"),
        ..shortcut("per-fov", "grouping.mode")
    },
];

/// What the definitions say of a shortcut.
struct Meaning {
    /// How the value is called in the help.
    value_name: String,
    help: String,
    values: Values,
}

enum Values {
    /// No value: the flag is enough.
    None,
    /// Words of the command line, what they stand for, and what that means.
    Words(Vec<(String, String, String)>),
    /// A whole number of at least this.
    Number(u64),
}

static MEANINGS: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let schema = Schema::of::<ConverterOptions>();
    SHORTCUTS.iter().map(|shortcut| meaning(&schema, shortcut)).collect()
});

fn meaning(schema: &Schema, shortcut: &Shortcut) -> Meaning {
    let (Found::Key(part) | Found::Tag(part)) = find(schema.root(), shortcut.key).unwrap_or(Found::Key(schema.root()));
    let values = part.values();
    let value_name = shortcut.flag.rsplit('-').next().unwrap_or_default().to_uppercase();
    if let Some(fixed) = shortcut.fixed {
        let meaning = values.iter().find(|(value, _)| *value == fixed);
        return Meaning {
            value_name,
            help: meaning.map_or_else(String::new, |(_, meaning)| sentence(meaning)),
            values: Values::None,
        };
    }
    // Without a default where the option belongs to a mode that is not the default.
    let defaults = model::to_json(&ConverterOptions::default());
    let default = defaults.pointer(&format!("/{}", shortcut.key.replace('.', "/")));
    let default = default.map(|value| value.as_str().map_or_else(|| value.to_string(), word));
    let default = default.map_or_else(String::new, |default| format!(" [default: {default}]"));
    let words = values
        .iter()
        .map(|(value, meaning)| (word(value), (*value).to_owned(), sentence(meaning)));
    Meaning {
        help: format!("{}{default}", sentence(part.description())),
        values: match part.min() {
            Some(min) => Values::Number(min),
            None => Values::Words(words.collect()),
        },
        value_name: if part.min().is_some() {
            "N".to_owned()
        } else {
            value_name
        },
    }
}

/// A description as the help writes sentences: without the full stop at the end.
fn sentence(description: &str) -> String {
    model::first_paragraph(description).trim_end_matches('.').to_owned()
}

/// `Snap to Grid` as `grid`: what a shell takes without quotes.
fn word(value: &str) -> String {
    value.split(' ').next_back().unwrap_or(value).to_lowercase()
}

/// The shortcuts that were given, with the values that they stand for.
#[derive(Debug)]
pub(super) struct Shortcuts {
    pub(super) given: Vec<(&'static Shortcut, Value)>,
}

impl clap::Args for Shortcuts {
    fn augment_args(command: Command) -> Command {
        SHORTCUTS
            .iter()
            .zip(MEANINGS.iter())
            .fold(command, |command, (shortcut, meaning)| {
                let arg = Arg::new(shortcut.flag).long(shortcut.flag).help(meaning.help.as_str());
                let arg = shortcut
                    .contrary
                    .iter()
                    .fold(arg, |arg, contrary| arg.conflicts_with(*contrary));
                command.arg(match &meaning.values {
                    Values::None => arg.action(ArgAction::SetTrue),
                    Values::Number(min) => arg
                        .value_name(meaning.value_name.as_str())
                        .value_parser(value_parser!(u64).range(*min..)),
                    Values::Words(words) => {
                        let possible = words.iter().map(|(word, value, help)| {
                            let possible = PossibleValue::new(word.as_str()).help(help.as_str());
                            if word == value {
                                possible
                            } else {
                                possible.alias(value.as_str())
                            }
                        });
                        arg.value_name(meaning.value_name.as_str())
                            .value_parser(PossibleValuesParser::new(possible))
                    }
                })
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Shortcuts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |shortcut: &Shortcut, meaning: &Meaning| match &meaning.values {
            Values::None => matches.get_flag(shortcut.flag).then(|| json!(shortcut.fixed)),
            Values::Number(_) => matches.get_one::<u64>(shortcut.flag).map(|number| json!(number)),
            Values::Words(words) => matches.get_one::<String>(shortcut.flag).map(|given| {
                let known = words.iter().find(|(word, value, _)| given == word || given == value);
                json!(known.map_or(given, |(_, value, _)| value))
            }),
        };
        let given = SHORTCUTS.iter().zip(MEANINGS.iter());
        Ok(Self {
            given: given
                .filter_map(|(shortcut, meaning)| Some((shortcut, value(shortcut, meaning)?)))
                .collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The shortcuts for the reference page: the word, its values, and what it sets.
pub(super) fn rows() -> impl Iterator<Item = [String; 3]> {
    SHORTCUTS.iter().zip(MEANINGS.iter()).map(|(shortcut, meaning)| {
        let word = format!("--{}", shortcut.flag);
        match &meaning.values {
            Values::None => [
                word,
                String::new(),
                format!("{}={}", shortcut.key, shortcut.fixed.unwrap_or_default()),
            ],
            Values::Number(min) => [word, format!("whole number, at least {min}"), shortcut.key.to_owned()],
            Values::Words(words) => {
                let words = words.iter().map(|(word, value, _)| match word == value {
                    true => format!("`{word}`"),
                    false => format!("`{word}` ({value})"),
                });
                [word, words.collect::<Vec<_>>().join(", "), shortcut.key.to_owned()]
            }
        }
    })
}
