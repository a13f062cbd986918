//! What a conversion tells people before and after.

use std::path::Path;

use ome_zarr_convert_tasks::documents::summary_to_json;
use ome_zarr_convert_tasks::plan::{ImageCost, PlannedConversion};
use ome_zarr_convert_tasks::schedule::Group;
use ome_zarr_convert_tasks::{Decoding, Location, OverwriteMode, Summary};
use serde_json::Value;

/// What will happen to outputs that exist, if anything.
pub(crate) fn existing(outputs: &[Location], mode: OverwriteMode) -> Option<String> {
    let list = || outputs.iter().map(|path| format!("\n  {}", path)).collect::<String>();
    match mode {
        OverwriteMode::Overwrite if !outputs.is_empty() => Some(format!("Replacing what exists:{}", list())),
        OverwriteMode::Extend if !outputs.is_empty() => Some(format!("Adding to what exists:{}", list())),
        _ => None,
    }
}

/// One paragraph: images, tiles, bytes, seconds, memory, place.
pub(crate) fn summary(summary: &Summary, zarr_dir: &Path) -> String {
    format!("{}\nOutput: {}", summary_line(summary), zarr_dir.display())
}

/// [`summary`] without the place.
pub(crate) fn summary_line(summary: &Summary) -> String {
    let seconds = summary.duration.as_secs_f64();
    let mut text = format!(
        "Converted {} ({}) in {seconds:.2} s: read {}, wrote {}",
        count(summary.written, "image"),
        count(summary.tiles, "tile"),
        bytes(summary.bytes_read),
        bytes(summary.bytes_written)
    );
    if let Some(peak) = peak_memory().max(summary.peak_memory_bytes) {
        text.push_str(&format!(", peak memory {}", bytes(peak)));
    }
    if summary.kept > 0 {
        text.push_str(&format!(
            "\n{} complete before and kept",
            count_was(summary.kept, "image")
        ));
    }
    if summary.units_resumed > 0 {
        text.push_str(&format!(
            "\nWent on from an unfinished run: {} chunks were there",
            summary.units_resumed
        ));
    }
    if !summary.left_out.is_empty() {
        text.push_str(&format!("\n{} left empty:", count_was(summary.left_out.len(), "tile")));
        for out in &summary.left_out {
            text.push_str(&format!("\n  {}: {}", out.tile, out.problem));
        }
    }
    text
}

/// The summary as a document.
pub(crate) fn report_json(summary: &Summary, zarr_dir: &Path) -> Value {
    let mut report = summary_to_json(summary);
    if let Some(keys) = report.as_object_mut() {
        keys.insert(
            "peak_memory_bytes".into(),
            peak_memory().max(summary.peak_memory_bytes).into(),
        );
        keys.insert("zarr_dir".into(), zarr_dir.display().to_string().into());
    }
    report
}

/// A plan as lines: an image each, then how they are run, then the whole.
pub(crate) fn plan(plan: &PlannedConversion, zarr_dir: &Path) -> String {
    let mut text: String = plan.images.iter().map(image_line).collect();
    for group in &plan.groups {
        text.push_str(&group_line(group, plan));
    }
    let images = || plan.images.iter();
    let files: u64 = images().map(|image| image.cost.files).sum();
    let folders: u64 = images().map(|image| image.cost.folders).sum();
    let pixels: u64 = images().map(|image| image.cost.pixel_bytes).sum();
    text.push_str(&format!(
        "{}: at most {files} files of pixels in {folders} folders, {} of pixels before compression, up to {} of pixels in memory",
        count(plan.images.len(), "image"),
        bytes(pixels),
        bytes(peak_pixels(plan)),
    ));
    let again = images().filter(|image| image.means.is_some_and(|means| means.decoding == Decoding::PerChunk));
    let again = again.count();
    if again > 0 {
        text.push_str(&format!(
            "\nThe memory limit keeps planes from waiting: in {}, compressed files are decoded again for every chunk they lie in",
            count(again, "image")
        ));
    }
    let bad: usize = images().map(|image| image.problems.len()).sum();
    if bad > 0 {
        text.push_str(&format!("\n{}: it cannot be converted as it is", count(bad, "problem")));
    }
    text.push_str(&format!(
        "\nNothing was written. Output would be: {}",
        zarr_dir.display()
    ));
    text
}

fn image_line(image: &ImageCost) -> String {
    let shape: Vec<String> = image.shape.iter().map(u64::to_string).collect();
    let mut text = format!(
        "{}: {} {}, {}, {} levels, {} files, {}",
        image.path,
        image.axes,
        shape.join(" × "),
        count(image.tiles, "tile"),
        image.levels,
        image.cost.files,
        bytes(image.cost.pixel_bytes)
    );
    if image.overlapping_pixels > 0 {
        text.push_str(&format!(
            ", {} pixels are covered more than once",
            image.overlapping_pixels
        ));
    }
    if !image.problems.is_empty() {
        text.push_str(&format!(", {}", count(image.problems.len(), "problem")));
    }
    text.push('\n');
    text
}

/// How a group of images is run.
fn group_line(group: &Group, plan: &PlannedConversion) -> String {
    let means = group.images.iter().filter_map(|index| plan.images[*index].means);
    let fewest = means.map(|means| means.workers).min().unwrap_or(group.threads);
    let images = count(group.images.len(), "image");
    let mut text = match (group.at_once, group.in_processes) {
        (1, false) => format!("{images} one after the other with {}", count(group.threads, "thread")),
        (at_once, false) => format!(
            "{images}, {at_once} at a time with {} each",
            count(group.threads, "thread")
        ),
        (at_once, true) => format!(
            "{images} in a process each, {at_once} at a time with {} each",
            count(group.threads, "thread")
        ),
    };
    if let Some(limit) = group.memory_limit {
        text.push_str(&format!(
            ", up to {} of memory{}",
            bytes(limit),
            if group.at_once > 1 { " each" } else { "" }
        ));
    }
    if fewest < group.threads {
        text.push_str(&format!(
            "; the memory limit allows {fewest} of {} threads for the largest",
            group.threads
        ));
    }
    text.push('\n');
    text
}

/// Most bytes of pixels in memory at once: those of images that are converted at the same time.
fn peak_pixels(plan: &PlannedConversion) -> u64 {
    let of_group = |group: &Group| {
        let means = group.images.iter().filter_map(|index| plan.images[*index].means);
        let mut peaks: Vec<u64> = means.map(|means| means.peak_bytes).collect();
        peaks.sort_unstable_by(|a, b| b.cmp(a));
        peaks.iter().take(group.at_once).sum::<u64>()
    };
    plan.groups.iter().map(of_group).max().unwrap_or(0)
}

pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn count_was(number: usize, what: &str) -> String {
    format!("{} {}", count(number, what), if number == 1 { "was" } else { "were" })
}

pub(crate) fn bytes(number: u64) -> String {
    indicatif::DecimalBytes(number).to_string()
}

/// The largest resident set of this process so far, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
