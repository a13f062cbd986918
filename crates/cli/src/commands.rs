//! The commands: from words to a conversion, with progress and a summary.

use std::path::Path;

use ome_zarr_convert_tasks::fractal::{check_output, compute_from_arguments, read_arguments, write_json, write_output};
use ome_zarr_convert_tasks::{
    CollectionKind, ComputeContext, ConverterOptions, OverwriteMode, ParallelizationEntry, Request, TaskError, Threads,
    absolute, generic_compute_task, model, thread_count,
};
use serde_json::{Value, json};

use crate::arguments::{
    Collection, ComputeArguments, ComputeTask, ConvertArguments, InitArguments, Overwrite, RequestArguments,
};
use crate::log::say;
use crate::report::{existing, summary};
use crate::terminal::TerminalProgress;

/// `ome-zarr-convert convert`.
pub fn convert(arguments: &ConvertArguments) -> Result<(), TaskError> {
    let request = request(&arguments.request)?;
    let threads = threads(arguments.request.threads, &request.options)?;
    let (zarr_dir, overwrite_mode) = (request.zarr_dir.clone(), request.overwrite_mode);
    let prepared = request.prepare()?;
    let outputs = prepared.existing_outputs()?;
    prepared.check_files(&threads)?;
    if let Some(text) = existing(&outputs, overwrite_mode) {
        say(&text);
    }
    let progress = TerminalProgress::new(prepared.images(), prepared.pixel_bytes()?);
    let done = prepared.convert(
        &threads,
        &ComputeContext {
            progress: &progress,
            ..ComputeContext::new()
        },
    );
    progress.finish();
    say(&summary(&done?, &zarr_dir));
    Ok(())
}

/// `ome-zarr-convert init`.
pub fn init(arguments: &InitArguments) -> Result<(), TaskError> {
    let request = request(&arguments.request)?;
    let overwrite_mode = request.overwrite_mode;
    let prepared = request.prepare()?;
    if let Some(text) = existing(&prepared.existing_outputs()?, overwrite_mode) {
        say(&text);
    }
    let entries = prepared.init()?;
    let list: Vec<Value> = entries.iter().map(ParallelizationEntry::to_value).collect();
    write_json(&arguments.out, &json!({ "parallelization_list": list }), true)?;
    say(&format!(
        "{} images ({} tiles) are set up in {}; their list is {}",
        prepared.images(),
        prepared.tiles(),
        arguments.request.zarr_dir,
        arguments.out.display()
    ));
    Ok(())
}

/// `ome-zarr-convert compute`.
pub fn compute(arguments: &ComputeArguments) -> Result<(), TaskError> {
    if let Some(out) = &arguments.out_json {
        check_output(out)?;
    }
    let document = read_arguments(&arguments.list)?;
    let place = arguments.list.display().to_string();
    let wrong = |problem: String| TaskError::Arguments {
        place: place.clone(),
        problem,
    };
    let Some(Value::Array(entries)) = document.get("parallelization_list") else {
        return Err(wrong(
            "it holds no parallelization_list; give the file that `init` wrote".into(),
        ));
    };
    let entry = entries.get(arguments.index).ok_or_else(|| {
        wrong(format!(
            "there is no entry {}; its {} entries count from 0",
            arguments.index,
            entries.len()
        ))
    })?;
    let entry = ParallelizationEntry::from_value(entry)?;
    let threads = threads(arguments.threads, &entry.init_args.converter_options)?;
    let context = ComputeContext {
        resource: arguments.resource.as_deref(),
        ..ComputeContext::new()
    };
    let computed = threads.run(|| generic_compute_task(&entry.zarr_url, &entry.init_args, &context))?;
    match &arguments.out_json {
        Some(out) => write_output(out, &computed.output()),
        None => {
            crate::log::print(&computed.output().to_string());
            Ok(())
        }
    }
}

/// `ome-zarr-compute`.
pub fn compute_task(arguments: &ComputeTask) -> Result<(), TaskError> {
    check_output(&arguments.out_json)?;
    let given = read_arguments(&arguments.args_json)?;
    let place = arguments.args_json.display().to_string();
    let options = ome_zarr_convert_tasks::fractal::ComputeArguments::read(&given, &place)?
        .init_args
        .converter_options;
    let threads = threads(None, &options)?;
    let output = threads.run(|| compute_from_arguments(&given, &place, &ComputeContext::new()))?;
    write_output(&arguments.out_json, &output)
}

fn threads(asked: Option<u16>, options: &ConverterOptions) -> Result<Threads, TaskError> {
    Ok(Threads::new(thread_count(asked.map(usize::from), options))?)
}

fn request(arguments: &RequestArguments) -> Result<Request, TaskError> {
    let acquisition = absolute(&arguments.acquisition.display().to_string())?;
    let name = || {
        acquisition
            .file_name()
            .map_or_else(|| "Plate".into(), |name| name.to_string_lossy().into_owned())
    };
    Ok(Request {
        kind: match arguments.collection {
            Collection::Plate => CollectionKind::Plate {
                name: arguments.plate.clone().unwrap_or_else(name),
                acquisition_id: arguments.acquisition_id,
            },
            Collection::Image => CollectionKind::Images,
        },
        zarr_dir: absolute(&arguments.zarr_dir)?,
        options: arguments
            .options
            .as_deref()
            .map_or_else(|| Ok(ConverterOptions::default()), read_options)?,
        overwrite_mode: match arguments.overwrite {
            Overwrite::No => OverwriteMode::NoOverwrite,
            Overwrite::Replace => OverwriteMode::Overwrite,
            Overwrite::Extend => OverwriteMode::Extend,
        },
        acquisition,
    })
}

/// Reads a ConverterOptions document: TOML if the file is called so, else JSON.
fn read_options(path: &Path) -> Result<ConverterOptions, TaskError> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TaskError::Io {
        action: "read the options",
        path: path.to_owned(),
        source,
    })?;
    let wrong = |problem: String| TaskError::Arguments {
        place: place.clone(),
        problem,
    };
    let value: Value = if path
        .extension()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("toml"))
    {
        toml::from_str(&text).map_err(|error| wrong(format!("it is no TOML: {error}")))?
    } else {
        serde_json::from_str(&text).map_err(|error| wrong(format!("it is no JSON: {error}")))?
    };
    model::from_json(&value, &place).map_err(|error| wrong(error.to_string()))
}
