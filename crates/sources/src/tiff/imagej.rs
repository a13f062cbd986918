//! ImageJ stacks and hyperstacks: lines of `key=value` in the description; above 4 GB only the first page is listed.

use std::collections::HashMap;
use std::sync::Arc;

use tiff::tags::Tag;

use crate::tiff::axes::{Axes, elements};
use crate::tiff::series::{Contents, Series};
use crate::tiff::units::{length_in_um, position_in_um, time_in_s};
use crate::tiff::{imagej_values, plain};
use crate::{FileMetadata, LeftOut, PixelType, SourceError};

/// The values of a description by their keys.
pub(super) type Values<'t> = HashMap<&'t str, &'t str>;

/// The hyperstack, or all pages as one axis where its counts do not fit them; `None` if the description is not ImageJ's.
pub(crate) fn series(contents: &mut Contents<'_, '_>) -> Result<Option<Series>, SourceError> {
    let ours = |text: &&String| text.starts_with("ImageJ=") || text.starts_with("SCIFIO=");
    let Some(text) = contents.descriptions.iter().take(2).find(ours).cloned() else {
        return Ok(None);
    };
    let values: Values<'_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let path = contents.reader.file().path().to_owned();
    let mut left_out = Vec::new();
    let metadata = metadata(contents, &values, &mut left_out)?;
    let mut series = match hyperstack(contents, &values) {
        Some(series) => series,
        None => {
            let layout = Arc::clone(&contents.page.layout);
            let series = plain::stack(contents, &layout, FileMetadata::default());
            let reason = format!(
                "it does not fit the {} pages of the image, which become one axis",
                series.pages.len()
            );
            left_out.push(LeftOut::metadata(&path, "number of images", counts(&values), reason));
            series
        }
    };
    series.metadata = metadata;
    series.inverted_display = true;
    series.rest = "the description does not count it".to_owned();
    series.signed = imagej_values::is_signed(&values) && series.layout.pixel_type == PixelType::UInt16;
    if !series.signed {
        left_out.extend(imagej_values::calibration(&path, &values));
    }
    series.left_out = left_out;
    Ok(Some(series))
}

/// What the description says of the number of pages.
fn counts(values: &Values<'_>) -> String {
    let keys = ["images", "channels", "slices", "frames"];
    let said = keys
        .iter()
        .filter_map(|key| values.get(key).map(|value| format!("{key}={}", value.trim())));
    said.collect::<Vec<_>>().join(" ")
}

/// The pages as the counts of the description have them; `None` if they do not fit.
fn hyperstack(contents: &Contents<'_, '_>, values: &Values<'_>) -> Option<Series> {
    let count = |key: &str| {
        let value = values
            .get(key)
            .map_or(Some(1), |value| value.trim().parse::<u64>().ok());
        value.filter(|count| *count > 0)
    };
    let (frames, slices, mut channels) = (count("frames")?, count("slices")?, count("channels")?);
    let layout = &contents.page.layout;
    let stacks = frames.checked_mul(slices)?;
    let listed = contents.pages.found.len() as u64;
    let mut images = stacks;
    if channels == 1 || (layout.planes > 1 && layout.planes == channels) {
    } else if count("images") == Some(stacks) && layout.interleaved == channels {
        // Colors of a pixel counted as channels.
        channels = 1;
    } else {
        images = stacks.checked_mul(channels)?;
    }
    if images == 1 {
        // ImageJ leaves the kind of a stack's axis out.
        images = if listed > 1 {
            contents.count_like_first()
        } else {
            count("images")?
        };
    }
    let alike = contents.count_like_first();
    let pages = match alike {
        1 if images > 1 => contents.unlisted(images)?,
        _ if alike == images => contents.like(layout),
        _ => return None,
    };

    let order = values
        .get("order")
        .map_or("czt".to_owned(), |order| order.trim().to_lowercase());
    let (letters, mut shape) = match order.as_str() {
        "ctz" => ("ZTC", vec![slices, frames, channels]),
        "zct" => ("TCZ", vec![frames, channels, slices]),
        "ztc" => ("CTZ", vec![channels, frames, slices]),
        "tcz" => ("ZCT", vec![slices, channels, frames]),
        "tzc" => ("CZT", vec![channels, slices, frames]),
        _ => ("TZC", vec![frames, slices, channels]),
    };
    let mut letters = letters.to_owned();
    let remaining = elements(&shape).map_or(0, |size| images / size);
    if remaining > 1 {
        shape.insert(0, remaining);
        letters.insert(0, 'I');
    }
    if layout.planes > 1 && letters.ends_with('C') {
        // Bio-Formats stores channels as separate samples of one page.
        shape.pop();
        letters.push_str(&layout.axes()[1..]);
    } else {
        letters.push_str(layout.axes());
    }
    shape.extend(layout.shape());
    Some(Series::new(
        Axes::new(shape, letters).squeezed(),
        Arc::clone(layout),
        pages,
    ))
}

fn metadata(
    contents: &mut Contents<'_, '_>,
    values: &Values<'_>,
    left_out: &mut Vec<LeftOut>,
) -> Result<FileMetadata, SourceError> {
    let path = contents.reader.file().path().to_owned();
    let mut resolution = |tag| -> Result<Option<f64>, SourceError> {
        let found = contents.reader.rationals(&contents.pages.first, tag)?.first().copied();
        Ok(found.filter(|resolution| *resolution > 0.0))
    };
    let (x, y) = (resolution(Tag::XResolution)?, resolution(Tag::YResolution)?);
    let unit = match values.get("unit") {
        Some(unit) => unit.trim(),
        // As ImageJ reads it: 1, the default of most writers, says that there is none; 72 per inch is a screen's.
        None => match contents
            .reader
            .first_number(&contents.pages.first, Tag::ResolutionUnit)?
        {
            Some(2) if x == Some(72.0) => "",
            Some(2) => "inch",
            Some(3) => "cm",
            _ => "",
        },
    };
    let unit_of = |key: &str| values.get(key).map_or(unit, |unit| unit.trim());
    let number = |key: &str| values.get(key).and_then(|value| value.trim().parse::<f64>().ok());
    // The resolution is in pixels per unit.
    let width = x.and_then(|x| length_in_um(1.0 / x, unit));
    let height = y.and_then(|y| length_in_um(1.0 / y, unit_of("yunit")));
    let mut unusable = |name: &str, says: String, reason: &str| {
        left_out.push(LeftOut::metadata(&path, name, says, reason));
    };
    if let (Some(x), None) = (x, width.zip(height))
        && !unit.is_empty()
        && !matches!(unit, "pixel" | "pixels")
    {
        let says = format!("unit={unit}, {x} pixels per unit");
        unusable(
            "pixel size",
            says,
            "its unit is not a known length, or it is given for one axis only",
        );
    }
    // Stacks that were taken downwards have a negative distance.
    let z_spacing_um = number("spacing").and_then(|spacing| position_in_um(spacing.abs(), unit_of("zunit")));
    let z_spacing_um = z_spacing_um.filter(|spacing| *spacing > 0.0);
    if let (Some(spacing), None) = (values.get("spacing"), z_spacing_um)
        && (number("spacing").is_none() || width.is_some())
    {
        let says = format!("spacing={} {}", spacing.trim(), unit_of("zunit"));
        unusable("z spacing", says, "it is not a length above 0");
    }
    let time_unit = values.get("tunit").map_or("s", |unit| unit.trim());
    let interval = number("finterval").filter(|interval| *interval > 0.0);
    let mut t_spacing_s = interval.and_then(|interval| time_in_s(interval, time_unit));
    if interval.is_some() && t_spacing_s.is_none() {
        let says = format!("finterval={} {time_unit}", values.get("finterval").unwrap_or(&""));
        unusable("time between frames", says, "its unit is not known");
    }
    if interval.is_none() {
        t_spacing_s = number("fps").filter(|fps| *fps > 0.0).map(|fps| 1.0 / fps);
    }
    Ok(FileMetadata {
        pixel_size_um: width.zip(height),
        z_spacing_um,
        t_spacing_s,
        ..FileMetadata::default()
    })
}
