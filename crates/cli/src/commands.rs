//! The commands: from words to a conversion, with progress and a summary.

use ome_zarr_convert_tasks::documents::{plan_to_json, verified_to_json};
use ome_zarr_convert_tasks::fractal::{CallFiles, write_json};
use ome_zarr_convert_tasks::list::read_list;
use ome_zarr_convert_tasks::offered::run_offered;
use ome_zarr_convert_tasks::plan::plan_conversion;
use ome_zarr_convert_tasks::{
    CollectionKind, ComputeContext, ConverterOptions, ImageNames, OverwriteMode, ParallelizationEntry, Prepared,
    Processes, Request, TaskError, absolute,
};
use serde_json::{Value, json};

use crate::arguments::{
    Collection, ComputeTask, ConvertArguments, InitArguments, InspectArguments, OptionsArguments, Overwrite,
    PlanArguments, RequestArguments, VerifyArguments,
};
use crate::log::say;
use crate::progress::Listener;
use crate::report::{existing, report_json, summary};
use crate::run::{cancel_on_signals, own_program, run_context, threads};

/// `ome-zarr-convert convert`.
pub fn convert(arguments: &ConvertArguments) -> Result<(), TaskError> {
    let request = request(&arguments.request)?;
    let threads = threads(arguments.request.threads, &request.options)?;
    let (zarr_dir, overwrite_mode) = (request.zarr_dir.clone(), request.overwrite_mode);
    let progress = Listener::new(arguments.progress);
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        progress: &progress,
        cancellation: &cancellation,
        ..run_context(&arguments.run)
    };
    let processes = Processes::Own(own_program()?);
    let runner = arguments.runner.runner.runner(&processes);
    let done = (|| {
        let prepared = prepare(request, &context)?;
        let outputs = prepared.existing_outputs()?;
        let planned = prepared.plan(runner.kind, &context)?;
        planned.notes().iter().for_each(|note| say(note));
        planned.check_files(&threads, &context)?;
        if let Some(text) = existing(&outputs, overwrite_mode) {
            say(&text);
        }
        planned.convert(runner, &threads, &context)
    })();
    progress.finish();
    let done = done?;
    if let Some(path) = &arguments.report {
        write_json(path, &report_json(&done, &zarr_dir), true)?;
    }
    say(&summary(&done, &zarr_dir));
    Ok(())
}

/// `ome-zarr-convert plan`: whether every tile can be converted.
pub fn plan(arguments: &PlanArguments) -> Result<bool, TaskError> {
    let request = request(&arguments.request)?;
    let threads = threads(arguments.request.threads, &request.options)?;
    let zarr_dir = request.zarr_dir.clone();
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        cancellation: &cancellation,
        ..run_context(&arguments.run)
    };
    let processes = Processes::Own(own_program()?);
    let planned = prepare(request, &context)?.plan(arguments.runner.runner.runner(&processes).kind, &context)?;
    planned.notes().iter().for_each(|note| say(note));
    let plan = plan_conversion(&planned, &threads, &context)?;
    if arguments.json {
        crate::log::print(&format!("{:#}", plan_to_json(&plan, &zarr_dir.display().to_string())));
    } else {
        crate::log::print(&crate::report::plan(&plan, &zarr_dir));
    }
    let bad = plan.images.iter().flat_map(|image| &image.problems);
    let count = bad.inspect(|problem| say(&format!("error: {problem}"))).count();
    Ok(count == 0)
}

/// `ome-zarr-convert verify`: whether all is well.
pub fn verify(arguments: &VerifyArguments) -> Result<bool, TaskError> {
    let entries = arguments.against.as_deref().map_or_else(|| Ok(Vec::new()), read_list)?;
    let threads = threads(arguments.threads, &ConverterOptions::default())?;
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        resource: arguments.resource.as_deref(),
        cancellation: &cancellation,
        ..ComputeContext::new()
    };
    let verified = threads.run(|| ome_zarr_convert_tasks::verify::verify(&arguments.path, &entries, &context))?;
    if arguments.json {
        crate::log::print(&format!("{:#}", verified_to_json(&verified)));
    } else {
        for finding in &verified.findings {
            say(&format!("error: {}: {}", finding.path, finding.problem));
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
    let cancellation = cancel_on_signals();
    let context = ComputeContext {
        cancellation: &cancellation,
        ..ComputeContext::new()
    };
    let prepared = prepare(request, &context)?;
    if let Some(text) = existing(&prepared.existing_outputs()?, overwrite_mode) {
        say(&text);
    }
    let entries = prepared.init(&context)?;
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
    run_offered("compute", &files, &cancel_on_signals())
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
fn prepare(request: Request, context: &ComputeContext<'_>) -> Result<Prepared, TaskError> {
    let prepared = request.prepare(context)?;
    prepared.notes().iter().for_each(|note| say(note));
    Ok(prepared)
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
