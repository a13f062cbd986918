//! The plan of a whole conversion, before anything is written: files, bytes, memory, what is missing, what overlaps. It is the plan that
//! `convert` carries out: the same images, groups, threads and shares of memory.

use ome_zarr_convert_compute::{ComputeError, Cost, Footprint, Means, PlannedImage, Threads};
use ome_zarr_convert_geometry::Axis;

use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::runner::Planned;
use crate::schedule::{Group, Resources, schedule};

/// What a conversion will do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedConversion {
    /// Which images are converted at the same time, in order.
    pub groups: Vec<Group>,
    /// Number of threads of the whole conversion.
    pub threads: usize,
    /// Every image.
    pub images: Vec<ImageCost>,
}

/// The plan of one image.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImageCost {
    /// Path below the output folder.
    pub path: String,
    /// Shape of its finest level, per axis.
    pub shape: Vec<u64>,
    /// Axes of the shape, such as `czyx`.
    pub axes: String,
    /// Number of tiles.
    pub tiles: usize,
    /// Number of levels.
    pub levels: usize,
    /// What it costs on disk.
    pub cost: Cost,
    /// What it is converted with; `None` when the memory limit is too small, which is one of the problems then.
    pub means: Option<Means>,
    /// Memory that its conversion may take.
    pub memory_limit: Option<u64>,
    /// Pixels of the finest level that more than one tile covers.
    pub overlapping_pixels: u64,
    /// Tiles that cannot be converted, and other reasons why the image cannot.
    pub problems: Vec<String>,
}

/// Opens the header of every file and says what the conversion will take, writing nothing.
pub fn plan_conversion(
    planned: &Planned,
    threads: &Threads,
    context: &ComputeContext<'_>,
) -> Result<PlannedConversion, TaskError> {
    let all = Resources {
        threads: threads.count(),
        memory_limit: context.memory_limit,
    };
    let groups = schedule(planned.runner(), planned.pixel_bytes(), all);
    let mut images: Vec<Option<ImageCost>> = planned.images().iter().map(|_| None).collect();
    for group in &groups {
        let pool = Threads::new(group.threads)?;
        for &index in &group.images {
            context.cancellation.check()?;
            let image = &planned.images()[index];
            let documents = match group.in_processes {
                true => image.document_bytes(),
                false => planned.document_bytes(),
            };
            images[index] = Some(cost_of(
                image,
                planned.hidden(image.path()),
                group,
                documents,
                (threads, &pool),
                context,
            )?);
        }
    }
    Ok(PlannedConversion {
        groups,
        threads: threads.count(),
        images: images.into_iter().flatten().collect(),
    })
}

fn cost_of(
    image: &PlannedImage,
    hidden: Option<&str>,
    group: &Group,
    document_bytes: u64,
    (threads, pool): (&Threads, &Threads),
    context: &ComputeContext<'_>,
) -> Result<ImageCost, TaskError> {
    let loading = context.loading(None)?;
    let problems = threads.run(|| image.check_sources(loading, context.cancellation))?;
    let mut problems: Vec<String> = problems
        .iter()
        .map(|(_, error): &(usize, ComputeError)| error.to_string())
        .collect();
    problems.extend(hidden.map(|problem| format!("image {}: {problem}", image.path())));
    let choose = |threads: &Threads, limit: Option<u64>| {
        let footprint = Footprint::new(document_bytes, threads.count());
        let budget = limit.map(|limit| footprint.pixel_budget(limit));
        let means = threads.run(|| image.choose_means(budget, loading));
        means.map_err(|error| TaskError::of_process(error, &footprint, limit))
    };
    let mut limit = group.memory_limit;
    let mut means = choose(pool, limit);
    if means.is_err() && group.at_once > 1 && !group.in_processes {
        // An image that is too large for a share is converted alone.
        limit = context.memory_limit;
        means = choose(threads, limit);
    }
    let plan = image.plan();
    Ok(ImageCost {
        path: image.path().to_owned(),
        shape: plan.own_axes(plan.levels[0].shape),
        axes: Axis::letters(&plan.axes),
        tiles: plan.placements.len(),
        levels: plan.levels.len(),
        cost: plan.cost(),
        means: means.map_err(|error| problems.push(error.to_string())).ok(),
        memory_limit: limit,
        overlapping_pixels: plan.overlapping_pixels(),
        problems,
    })
}
