//! Units of length and time as image files spell them.

/// µm in one unit of length; `None` for a unit that is not one (ImageJ: `pixel`; OME: `reference frame`).
fn um_per_unit(unit: &str) -> Option<f64> {
    let unit = unit.trim_matches(['"', ' ']);
    Some(match unit {
        "µm" | "μm" | "um" | "\\u00B5m" | "\\u00b5m" => 1.0,
        // The micro sign after a trip through another encoding.
        "Âµm" | "Î¼m" | "?m" | "\u{fffd}m" | "\u{fffd}\u{fffd}m" => 1.0,
        "nm" => 1e-3,
        "pm" => 1e-6,
        "Å" => 1e-4,
        "mm" => 1e3,
        "cm" => 1e4,
        "m" => 1e6,
        "inch" | "in" => 25_400.0,
        _ => match unit.to_lowercase().trim_end_matches('s') {
            "micron" | "micrometer" | "micrometre" => 1.0,
            "nanometer" | "nanometre" => 1e-3,
            "millimeter" | "millimetre" => 1e3,
            "centimeter" | "centimetre" => 1e4,
            "meter" | "metre" => 1e6,
            _ => return None,
        },
    })
}

/// The size of something in µm: `None` for an unknown unit or a size that is not above 0.
pub(crate) fn length_in_um(value: f64, unit: &str) -> Option<f64> {
    position_in_um(value, unit).filter(|length| *length > 0.0)
}

/// A position on one axis in µm: `None` for an unknown unit.
pub(crate) fn position_in_um(value: f64, unit: &str) -> Option<f64> {
    Some(value * um_per_unit(unit)?).filter(|position| position.is_finite())
}

/// A time in seconds.
pub(crate) fn time_in_s(value: f64, unit: &str) -> Option<f64> {
    let factor = match unit.trim_matches(['"', ' ']) {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
        "µs" | "μs" | "us" | "usec" | "\\u00B5s" => 1e-6,
        "ns" => 1e-9,
        "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some(value * factor).filter(|time| time.is_finite() && *time > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_positive_and_positions_need_not_be() {
        assert_eq!(length_in_um(0.65, "\\u00B5m"), Some(0.65));
        assert_eq!(length_in_um(2.0, "inch"), Some(50_800.0));
        assert_eq!(length_in_um(250.0, "nm"), Some(0.25));
        assert_eq!(length_in_um(0.0, "mm"), None);
        assert_eq!(length_in_um(0.1, "Âµm"), Some(0.1));
        assert_eq!(length_in_um(2.0, "Micrometers"), Some(2.0));
        assert_eq!(length_in_um(1.0, "pixel"), None);
        assert_eq!(position_in_um(-1.5, "mm"), Some(-1500.0));
        assert_eq!(position_in_um(0.0, "cm"), Some(0.0));
        assert_eq!(position_in_um(3.0, "reference frame"), None);
        assert_eq!(position_in_um(f64::INFINITY, "m"), None);
        assert_eq!(time_in_s(0.5, "min"), Some(30.0));
    }
}
