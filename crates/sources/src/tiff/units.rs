//! Units of length and time as image files spell them.

/// A length in µm; `None` for a unit that is not one (ImageJ: `pixel`).
pub(crate) fn length_in_um(value: f64, unit: &str) -> Option<f64> {
    let factor = match unit.trim_matches('"') {
        "µm" | "μm" | "um" | "\\u00B5m" | "micron" | "microns" | "micrometer" | "micrometre" => 1.0,
        "nm" | "nanometer" => 1e-3,
        "pm" => 1e-6,
        "Å" => 1e-4,
        "mm" | "millimeter" => 1e3,
        "cm" | "centimeter" => 1e4,
        "m" | "meter" => 1e6,
        "inch" | "in" => 25_400.0,
        _ => return None,
    };
    Some(value * factor).filter(|length| length.is_finite() && *length > 0.0)
}

/// A time in seconds.
pub(crate) fn time_in_s(value: f64, unit: &str) -> Option<f64> {
    let factor = match unit {
        "s" | "sec" => 1.0,
        "ms" | "msec" => 1e-3,
        "µs" | "μs" | "us" => 1e-6,
        "ns" => 1e-9,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(value * factor).filter(|time| time.is_finite() && *time > 0.0)
}
