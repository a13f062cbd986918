//! What a conversion tells people before and after.

use std::path::{Path, PathBuf};

use ome_zarr_convert_tasks::Decoding;
use ome_zarr_convert_tasks::plan::PlannedImage;
use ome_zarr_convert_tasks::{OverwriteMode, Summary};
use serde_json::Value;

/// What will happen to outputs that exist, if anything.
pub(crate) fn existing(outputs: &[PathBuf], mode: OverwriteMode) -> Option<String> {
    let list = || {
        outputs
            .iter()
            .map(|path| format!("\n  {}", path.display()))
            .collect::<String>()
    };
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
    if summary.units_kept > 0 {
        text.push_str(&format!(
            "\nWent on from an unfinished run: {} chunks were there",
            summary.units_kept
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
    let mut report = summary.to_json();
    if let Some(keys) = report.as_object_mut() {
        keys.insert(
            "peak_memory_bytes".into(),
            peak_memory().max(summary.peak_memory_bytes).into(),
        );
        keys.insert("zarr_dir".into(), zarr_dir.display().to_string().into());
    }
    report
}

/// A plan as lines: an image each, then the whole.
pub(crate) fn plan(images: &[PlannedImage], zarr_dir: &Path, threads: usize) -> String {
    let mut text = String::new();
    let (mut files, mut folders, mut pixels, mut peak, mut bad) = (0, 0, 0, 0, 0);
    let (mut workers, mut again) = (threads, 0);
    for image in images {
        let shape: Vec<String> = image.shape.iter().map(u64::to_string).collect();
        text.push_str(&format!(
            "{}: {} {}, {}, {} levels, {} files, {}",
            image.path,
            image.axes,
            shape.join(" × "),
            count(image.tiles, "tile"),
            image.levels,
            image.cost.files,
            bytes(image.cost.pixel_bytes)
        ));
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
        files += image.cost.files;
        folders += image.cost.folders;
        pixels += image.cost.pixel_bytes;
        peak = peak.max(image.means.map_or(0, |means| means.peak_bytes));
        workers = workers.min(image.means.map_or(threads, |means| means.workers));
        again += usize::from(image.means.is_some_and(|means| means.decoding == Decoding::PerChunk));
        bad += image.problems.len();
    }
    text.push_str(&format!(
        "{}: at most {files} files of pixels in {folders} folders, {} of pixels before compression, up to {} of pixels in memory with {}",
        count(images.len(), "image"),
        bytes(pixels),
        bytes(peak),
        count(workers, "thread")
    ));
    if workers < threads {
        text.push_str(&format!(
            "\nThe memory limit allows {workers} of {threads} threads for the largest image"
        ));
    }
    if again > 0 {
        text.push_str(&format!(
            "\nThe memory limit keeps planes from waiting: in {}, compressed files are decoded again for every chunk they lie in",
            count(again, "image")
        ));
    }
    if bad > 0 {
        text.push_str(&format!("\n{}: it cannot be converted as it is", count(bad, "problem")));
    }
    text.push_str(&format!(
        "\nNothing was written. Output would be: {}",
        zarr_dir.display()
    ));
    text
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
