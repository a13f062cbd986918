//! The commands: from words to a conversion, with progress and a summary.

use ome_zarr_convert_tasks::fractal::{CallFiles, write_json};
use ome_zarr_convert_tasks::list::read_list;
use ome_zarr_convert_tasks::offered::run_offered;
use ome_zarr_convert_tasks::plan::{PlannedImage, plan_conversion};
use ome_zarr_convert_tasks::resources::{default_memory_limit, default_open_sources, thread_count};
use ome_zarr_convert_tasks::{
    Cancellation, CollectionKind, ComputeContext, ConverterOptions, ImageNames, OverwriteMode, ParallelizationEntry,
    Prepared, Processes, Request, TaskError, Threads, absolute,
};
use serde_json::{Value, json};

use crate::arguments::{
    Collection, ComputeTask, ConvertArguments, InitArguments, InspectArguments, OptionsArguments, Overwrite,
    PlanArguments, RequestArguments, RunArguments, VerifyArguments,
};
use crate::cluster::own_program;
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
    let progress = Listener::new(
        arguments.progress,
        prepared.images(),
        prepared.pixel_bytes()?.iter().sum(),
    );
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        progress: &progress,
        cancellation,
        ..run_context(&arguments.run)
    };
    let processes = Processes::Own(own_program()?);
    let done = prepared.convert(arguments.runner.runner.runner(&processes), &threads, &context);
    progress.finish();
    let done = done?;
    if let Some(path) = &arguments.report {
        write_json(path, &report_json(&done, &zarr_dir), true)?;
    }
    say(&summary(&done, &zarr_dir));
    Ok(())
}

/// What the arguments say of how to run; the memory limit is that of the system unless they say otherwise.
pub(crate) fn run_context(run: &RunArguments) -> ComputeContext<'static> {
    ComputeContext {
        memory_limit: run.memory_limit.or_else(default_memory_limit),
        open_sources: default_open_sources(),
        durable: run.durable,
        check: run.check,
        ..ComputeContext::new()
    }
}

/// A cancellation that SIGINT and SIGTERM ask for: the conversion stops at its next chunk and can go on later.
pub(crate) fn cancel_on_signals() -> &'static Cancellation {
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
    let images = plan_conversion(
        &prepared,
        &threads,
        arguments.memory_limit.or_else(default_memory_limit),
    )?;
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

/// `ome-zarr-compute`.
pub fn compute_task(arguments: ComputeTask) -> Result<(), TaskError> {
    let files = CallFiles {
        args_json: arguments.args_json,
        out_json: arguments.out_json,
    };
    run_offered("compute", &files, cancel_on_signals())
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

pub(crate) fn threads(asked: Option<u16>, options: &ConverterOptions) -> Result<Threads, TaskError> {
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
                acquisition_id: arguments.acquisition_id.unwrap_or(0),
            },
            Collection::Image if arguments.plate.is_some() || arguments.acquisition_id.is_some() => {
                return Err(TaskError::Arguments {
                    place: "--collection image".into(),
                    problem: "images on their own have no plate: leave --plate and --acquisition-id out".into(),
                });
            }
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
