//! What ImageJ's calibration function makes of the stored values.

use std::path::Path;

use crate::LeftOut;
use crate::tiff::imagej::Values;

fn coefficient(values: &Values<'_>, key: &str) -> Option<f64> {
    values.get(key)?.trim().parse().ok()
}

/// The number of the function; 0 is a straight line.
fn function(values: &Values<'_>) -> Option<i64> {
    values.get("cf")?.trim().parse().ok()
}

/// Whether 16-bit samples are signed ones, which ImageJ stores 32768 higher.
pub(super) fn is_signed(values: &Values<'_>) -> bool {
    function(values) == Some(0) && coefficient(values, "c0") == Some(-32768.0) && coefficient(values, "c1") == Some(1.0)
}

/// A function that changes values, which are given as stored.
pub(super) fn calibration(path: &Path, values: &Values<'_>) -> Option<LeftOut> {
    let function = function(values)?;
    let line = coefficient(values, "c0").zip(coefficient(values, "c1"));
    // Numbers beyond the ten functions of ImageJ stand for none; 20 and 21 are those of optical density.
    if !matches!(function, 0..=10 | 20) || (function == 0 && matches!(line, None | Some((0.0, 1.0)))) {
        return None;
    }
    let says = ["cf", "c0", "c1", "c2", "c3", "c4", "vunit"];
    let says = says
        .iter()
        .filter_map(|key| values.get(key).map(|value| format!("{key}={}", value.trim())));
    let says = says.collect::<Vec<_>>().join(" ");
    Some(LeftOut::metadata(
        path,
        "calibration of gray values",
        says,
        "pixels are given as stored",
    ))
}
