//! What a conversion tells people before and after.

use std::path::{Path, PathBuf};

use ome_zarr_convert_tasks::{OverwriteMode, Summary};

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
    let seconds = summary.duration.as_secs_f64();
    let mut text = format!(
        "Converted {} ({}) in {seconds:.2} s: read {}, wrote {}",
        count(summary.written, "image"),
        count(summary.tiles, "tile"),
        bytes(summary.bytes_read),
        bytes(summary.bytes_written)
    );
    if let Some(peak) = peak_memory() {
        text.push_str(&format!(", peak memory {}", bytes(peak)));
    }
    if summary.kept > 0 {
        text.push_str(&format!("\n{} complete before and kept", count_was(summary.kept)));
    }
    text.push_str(&format!("\nOutput: {}", zarr_dir.display()));
    text
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn count_was(number: usize) -> String {
    format!(
        "{} {}",
        count(number, "image"),
        if number == 1 { "was" } else { "were" }
    )
}

fn bytes(number: u64) -> String {
    indicatif::DecimalBytes(number).to_string()
}

/// The largest resident set of this process so far, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
