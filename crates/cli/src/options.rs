//! Options on the command line: documents in files, single keys of them, and shortcuts, all from the definitions in the
//! engine's `options`.

mod assign;
mod page;
mod part;
mod shortcuts;

use std::path::{Path, PathBuf};

use clap::Args;
use ome_zarr_convert_tasks::options::{
    AcquisitionOptions, ConverterOptions, Filter, ShapeDtypeProbeValidator, Validator,
};
use ome_zarr_convert_tasks::{TaskError, ValidatorStep, model};
use serde_json::Value;

use self::part::Schema;
use self::shortcuts::Shortcuts;

const HEADING: &str = "Options of the conversion (all of them: `ome-zarr-convert options`)";

model::model! {
    /// The two documents that say how to convert an acquisition.
    struct Documents "Options" {
        /// How to turn an acquisition into OME-Zarr. Given with `--options FILE`.
        pub converter_options: ConverterOptions = ConverterOptions::default();
        /// What is to be different from what the acquisition's files say, and which of its tiles are converted. Given with
        /// `--acquisition-options FILE`.
        pub acquisition_options: AcquisitionOptions = AcquisitionOptions::default();
    }
}

/// The options of a conversion as they are given.
#[derive(Args, Debug)]
#[command(next_help_heading = HEADING)]
pub struct OptionArguments {
    /// Options of the conversion: a ConverterOptions document, JSON or TOML (told by the file's suffix).
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    #[command(flatten)]
    shortcuts: Shortcuts,
    /// One option by its path in the document, such as `omezarr_options.chunks.z_chunk=1`; may be repeated. The value is JSON
    /// or plain text. Wins over shortcuts, and these over the file.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// What is to be different from what the acquisition's files say: an AcquisitionOptions document, JSON or TOML.
    #[arg(long, value_name = "FILE")]
    acquisition_options: Option<PathBuf>,
    /// A filter on tiles, such as `{"name": "Well Filter", "wells": ["A01"]}`; may be repeated. Comes after those of the
    /// acquisition options.
    #[arg(long, value_name = "JSON")]
    filter: Vec<String>,
    /// Look for every image file, and read one tile per image to hold it against the table, before anything is written.
    #[arg(long)]
    probe: bool,
}

impl OptionArguments {
    /// The ConverterOptions: the file, over it the shortcuts, over them the single options.
    pub(crate) fn converter(&self) -> Result<ConverterOptions, TaskError> {
        let given: ConverterOptions = read_or_default(self.options.as_deref())?;
        if self.set.is_empty() && self.shortcuts.given.is_empty() {
            return Ok(given);
        }
        let schema = Schema::of::<ConverterOptions>();
        let mut document = model::to_json(&given);
        for (shortcut, value) in &self.shortcuts.given {
            let key = shortcut.key;
            assign::assign(schema.root(), &mut document, key, value.clone())
                .map_err(|problem| wrong(&format!("--{}", shortcut.flag), problem))?;
        }
        for setting in &self.set {
            let place = format!("--set {setting}");
            let Some((key, text)) = setting.split_once('=') else {
                return Err(wrong(
                    &place,
                    "expected PATH=VALUE, such as omezarr_options.ngff_version=0.5".into(),
                ));
            };
            let key = key.trim();
            let value = assign::value(schema.root(), key, text.trim());
            assign::assign(schema.root(), &mut document, key, value).map_err(|problem| wrong(&place, problem))?;
        }
        model::from_json(&document, "options").map_err(|error| wrong("the command line", error.to_string()))
    }

    /// The AcquisitionOptions: the file, with the filters appended.
    pub(crate) fn acquisition(&self) -> Result<AcquisitionOptions, TaskError> {
        let mut options: AcquisitionOptions = read_or_default(self.acquisition_options.as_deref())?;
        for text in &self.filter {
            let place = format!("--filter {text}");
            let document: Value =
                serde_json::from_str(text).map_err(|error| wrong(&place, format!("it is not valid JSON: {error}")))?;
            let filter: Filter =
                model::from_json(&document, "filter").map_err(|error| wrong(&place, error.to_string()))?;
            options.filters.push(filter);
        }
        Ok(options)
    }

    /// The validators asked for.
    pub(crate) fn validators(&self) -> Vec<ValidatorStep> {
        let probe = || ValidatorStep::from(Validator::from(ShapeDtypeProbeValidator {}));
        self.probe.then(probe).into_iter().collect()
    }
}

fn wrong(place: &str, problem: String) -> TaskError {
    TaskError::Arguments {
        place: place.to_owned(),
        problem,
    }
}

fn from_json<T: model::Model>(document: &Value, place: &str) -> Result<T, TaskError> {
    model::from_json(document, place).map_err(|error| wrong(place, error.to_string()))
}

fn read_or_default<T: model::Model + Default>(path: Option<&Path>) -> Result<T, TaskError> {
    path.map_or_else(|| Ok(T::default()), read_document)
}

/// Reads a document: TOML if the file is called so, else JSON.
fn read_document<T: model::Model>(path: &Path) -> Result<T, TaskError> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TaskError::Io {
        action: "read the options",
        path: path.to_owned(),
        source,
    })?;
    let is_toml = path
        .extension()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("toml"));
    let value: Value = if is_toml {
        toml::from_str(&text).map_err(|error| wrong(&place, format!("it is not valid TOML: {error}")))?
    } else {
        serde_json::from_str(&text).map_err(|error| wrong(&place, format!("it is not valid JSON: {error}")))?
    };
    from_json(&value, &place)
}

/// The JSON schema of both documents.
pub(crate) fn schema() -> Value {
    model::schema::<Documents>(model::Dialect::Pydantic)
}

/// Both documents with nothing but defaults.
pub(crate) fn defaults() -> Value {
    model::to_json(&Documents::default())
}

/// The reference page of both documents, Markdown.
pub(crate) fn page() -> String {
    page::page(&Schema::of::<Documents>())
}
