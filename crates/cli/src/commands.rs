//! The commands: from words to a conversion, with progress and a summary.

use std::path::Path;

use ome_zarr_convert_tasks::fractal::{check_output, compute_from_arguments, read_arguments, write_json, write_output};
use ome_zarr_convert_tasks::plan::{PlannedImage, plan_conversion};
use ome_zarr_convert_tasks::resources::{default_memory_limit, thread_count};
use ome_zarr_convert_tasks::{
    Cancellation, CollectionKind, ComputeContext, ConverterOptions, ImageNames, OverwriteMode, ParallelizationEntry,
    Prepared, Request, TaskError, Threads, absolute, generic_compute_task,
};
use serde_json::{Value, json};

use crate::arguments::{
    Collection, ComputeArguments, ComputeTask, ConvertArguments, InitArguments, InspectArguments, OptionsArguments,
    Overwrite, PlanArguments, RequestArguments, RunArguments, VerifyArguments,
};
use crate::log::say;
use crate::progress::Listener;
use crate::report::{existing, report_json, summary};

/// `ome-zarr-convert convert`.
pub fn convert(arguments: &ConvertArguments) -> Result<(), TaskError> {
    let request = request(&arguments.request)?;
    let threads = threads(arguments.request.threads, &request.options)?;
    let (zarr_dir, overwrite_mode) = (request.zarr_dir.clone(), request.overwrite_mode);
    let prepared = prepare(request)?;
    let outputs = prepared.existing_outputs()?;
    prepared.check_files(&threads)?;
    if let Some(text) = existing(&outputs, overwrite_mode) {
        say(&text);
    }
    let progress = Listener::new(arguments.progress, prepared.images(), prepared.pixel_bytes()?);
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        progress: &progress,
        cancellation,
        ..run_context(&arguments.run)
    };
    let done = prepared.convert(&threads, &context);
    progress.finish();
    let done = done?;
    if let Some(path) = &arguments.report {
        write_json(path, &report_json(&done, &zarr_dir), true)?;
    }
    say(&summary(&done, &zarr_dir));
    Ok(())
}

/// What the arguments say of how to run; the memory limit is that of the system unless they say otherwise.
fn run_context(run: &RunArguments) -> ComputeContext<'static> {
    ComputeContext {
        memory_limit: run.memory_limit.or_else(default_memory_limit),
        durable: run.durable,
        check: run.check,
        ..ComputeContext::new()
    }
}

/// A cancellation that SIGINT and SIGTERM ask for: the conversion stops at its next chunk and can go on later.
fn cancel_on_signals() -> &'static Cancellation {
    static ASKED: Cancellation = Cancellation::new();
    // Fails only where a handler is set already, which then decides.
    let _ = ctrlc::set_handler(|| ASKED.cancel());
    &ASKED
}

/// `ome-zarr-convert plan`: whether every tile can be converted.
pub fn plan(arguments: &PlanArguments) -> Result<bool, TaskError> {
    let request = request(&arguments.request)?;
    let threads = threads(arguments.request.threads, &request.options)?;
    let zarr_dir = request.zarr_dir.clone();
    let prepared = prepare(request)?;
    let images = plan_conversion(&prepared, &threads)?;
    if arguments.json {
        let list: Vec<Value> = images.iter().map(PlannedImage::to_json).collect();
        crate::log::print(&format!(
            "{:#}",
            json!({ "zarr_dir": zarr_dir, "threads": threads.count(), "images": list })
        ));
    } else {
        crate::log::print(&crate::report::plan(&images, &zarr_dir, threads.count()));
    }
    let bad = images.iter().flat_map(|image| &image.problems);
    let count = bad.clone().inspect(|problem| say(&format!("error: {problem}"))).count();
    Ok(count == 0)
}

/// `ome-zarr-convert verify`: whether all is well.
pub fn verify(arguments: &VerifyArguments) -> Result<bool, TaskError> {
    let entries = arguments.against.as_deref().map_or_else(|| Ok(Vec::new()), read_list)?;
    let threads = threads(arguments.threads, &ConverterOptions::default())?;
    let context = ComputeContext {
        resource: arguments.resource.as_deref(),
        ..ComputeContext::new()
    };
    let verified = threads.run(|| ome_zarr_convert_tasks::verify::verify(&arguments.path, &entries, &context))?;
    if arguments.json {
        let findings: Vec<Value> = verified
            .findings
            .iter()
            .map(|f| json!({ "path": f.path, "problem": f.problem }))
            .collect();
        let (images, units) = (verified.images, verified.units);
        crate::log::print(&format!(
            "{:#}",
            json!({ "images": images, "units": units, "findings": findings })
        ));
    } else {
        for finding in &verified.findings {
            say(&format!("error: {}: {}", finding.path.display(), finding.problem));
        }
        let bad = verified.findings.len();
        let (images, units) = (verified.images, verified.units);
        let end = if bad == 0 {
            "all is well".to_owned()
        } else {
            format!("{bad} findings")
        };
        crate::log::print(&format!("Verified {images} images, {units} chunks or shards: {end}"));
    }
    Ok(verified.findings.is_empty())
}

/// The entries of a parallelization list.
fn read_list(path: &Path) -> Result<Vec<ParallelizationEntry>, TaskError> {
    let document = read_arguments(path)?;
    let Some(Value::Array(entries)) = document.get("parallelization_list") else {
        return Err(TaskError::Arguments {
            place: path.display().to_string(),
            problem: "it holds no parallelization_list; give the file that `init` wrote".into(),
        });
    };
    Ok(entries
        .iter()
        .map(ParallelizationEntry::from_value)
        .collect::<Result<_, _>>()?)
}

/// `ome-zarr-convert init`.
pub fn init(arguments: &InitArguments) -> Result<(), TaskError> {
    let request = request(&arguments.request)?;
    let overwrite_mode = request.overwrite_mode;
    let prepared = prepare(request)?;
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
    let entries = read_list(&arguments.list)?;
    let entry = entries.get(arguments.index).ok_or_else(|| TaskError::Arguments {
        place: arguments.list.display().to_string(),
        problem: format!(
            "there is no entry {}; its {} entries count from 0",
            arguments.index,
            entries.len()
        ),
    })?;
    let threads = threads(arguments.threads, &entry.init_args.converter_options)?;
    let context = ComputeContext {
        resource: arguments.resource.as_deref(),
        cancellation: cancel_on_signals(),
        ..run_context(&arguments.run)
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
    let context = ComputeContext {
        memory_limit: default_memory_limit(),
        cancellation: cancel_on_signals(),
        ..ComputeContext::new()
    };
    let output = threads.run(|| compute_from_arguments(&given, &place, &context))?;
    write_output(&arguments.out_json, &output)
}

/// `ome-zarr-convert inspect`: whether all that is listed is there.
pub fn inspect(arguments: &InspectArguments) -> Result<bool, TaskError> {
    let inspection = ome_zarr_convert_tasks::inspect::inspect(&arguments.path)?;
    if arguments.json {
        crate::log::print(&format!("{:#}", json!(inspection)));
    } else {
        crate::log::print(&crate::inspect::text(&inspection));
    }
    for fault in &inspection.problems {
        say(&format!("error: {}", fault.problem));
    }
    Ok(inspection.problems.is_empty())
}

/// `ome-zarr-convert options`.
pub fn options(arguments: &OptionsArguments) -> Result<(), TaskError> {
    if arguments.schema {
        crate::log::print(&format!("{:#}", crate::options::schema()));
    } else if arguments.defaults {
        crate::log::print(&format!("{:#}", crate::options::defaults()));
    } else {
        crate::log::print(crate::options::page().trim_end());
    }
    Ok(())
}

/// The images of a request; what was decided on the way is said.
fn prepare(request: Request) -> Result<Prepared, TaskError> {
    let prepared = request.prepare()?;
    prepared.notes().iter().for_each(|note| say(note));
    Ok(prepared)
}

fn threads(asked: Option<u16>, options: &ConverterOptions) -> Result<Threads, TaskError> {
    Ok(Threads::new(thread_count(asked.map(usize::from), options))?)
}

fn request(arguments: &RequestArguments) -> Result<Request, TaskError> {
    let acquisition = absolute(&arguments.acquisition.display().to_string())?;
    let folder = match acquisition.parent() {
        Some(folder) if acquisition.is_file() => folder,
        _ => acquisition.as_path(),
    };
    let name = || {
        folder
            .file_name()
            .map_or_else(|| "Plate".into(), |name| name.to_string_lossy().into_owned())
    };
    Ok(Request {
        kind: match arguments.collection.unwrap_or(Collection::Plate) {
            Collection::Plate => CollectionKind::Plate {
                name: arguments.plate.clone().unwrap_or_else(name),
                acquisition_id: arguments.acquisition_id,
            },
            Collection::Image => CollectionKind::Images,
        },
        names: ImageNames {
            pattern: arguments.pattern.clone(),
            write_table: arguments.write_table.clone(),
            names_decide: arguments.collection.is_none(),
            plate_is_named: arguments.plate.is_some(),
        },
        zarr_dir: absolute(&arguments.zarr_dir)?,
        options: arguments.options.converter()?,
        acquisition_options: arguments.options.acquisition()?,
        validators: arguments.options.validators(),
        overwrite_mode: match arguments.overwrite {
            Overwrite::No => OverwriteMode::NoOverwrite,
            Overwrite::Replace => OverwriteMode::Overwrite,
            Overwrite::Extend => OverwriteMode::Extend,
        },
        acquisition,
    })
}
