//! ImageJ stacks and hyperstacks: lines of `key=value` in the description; above 4 GB only the first page is listed.

use std::collections::HashMap;
use std::sync::Arc;

use tiff::tags::Tag;

use crate::tiff::axes::{Axes, elements};
use crate::tiff::series::{Chain, First, Series};
use crate::tiff::units::length_in_um;
use crate::{FileMetadata, SourceError};

/// The hyperstack; `None` if the description is not ImageJ's or its counts do not fit the pages.
pub(crate) fn series(chain: &mut Chain<'_, '_>, first: &First) -> Result<Option<Series>, SourceError> {
    let ours = |text: &&String| text.starts_with("ImageJ=") || text.starts_with("SCIFIO=");
    let Some(text) = first.descriptions.iter().take(2).find(ours) else {
        return Ok(None);
    };
    let values: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let metadata = metadata(chain, first, &values)?;
    let count = |key: &str| {
        values
            .get(key)
            .map_or(Some(1), |value| value.trim().parse::<u64>().ok())
    };
    let (Some(frames), Some(slices), Some(mut channels), Some(mut images)) =
        (count("frames"), count("slices"), count("channels"), count("images"))
    else {
        return Ok(None);
    };
    let layout = &first.page.layout;
    let Some(stacks) = frames.checked_mul(slices).filter(|stacks| *stacks > 0 && channels > 0) else {
        return Ok(None);
    };
    let multipage = chain.next_offset() != 0;
    if channels == 1 || (layout.planes > 1 && layout.planes == channels) {
        images = stacks;
    } else if images == stacks && layout.interleaved == channels {
        // Colours of a pixel counted as channels.
        channels = 1;
    } else {
        let Some(all) = stacks.checked_mul(channels) else {
            return Ok(None);
        };
        images = all;
    }
    let mut pages = None;
    if images == 1 && multipage {
        let mut all = vec![first.page.clone()];
        all.extend(chain.pages(layout, u64::MAX)?);
        images = all.len() as u64;
        pages = Some(all);
    }
    let pages = match (pages, first.repeated(images, chain)) {
        (None, _) if images == 1 => vec![first.page.clone()],
        (None, Some(page)) => vec![page],
        (None, None) => {
            let mut pages = vec![first.page.clone()];
            pages.extend(chain.pages(layout, images - 1)?);
            pages
        }
        (Some(pages), _) => pages,
    };
    let planes: u64 = pages.iter().map(|page| page.planes / layout.planes).sum();
    if planes != images || pages.iter().any(|page| !Arc::ptr_eq(&page.layout, layout)) {
        return Ok(None);
    }

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
    let mut series = Series::new(Axes::new(shape, letters).squeezed(), Arc::clone(layout), pages);
    series.metadata = metadata;
    Ok(Some(series))
}

fn metadata(
    chain: &mut Chain<'_, '_>,
    first: &First,
    values: &HashMap<&str, &str>,
) -> Result<FileMetadata, SourceError> {
    let number = |key: &str| {
        values
            .get(key)
            .and_then(|value| value.trim().parse::<f64>().ok())
            .filter(|n| *n > 0.0)
    };
    let unit = match values.get("unit") {
        Some(unit) => unit.trim(),
        // As ImageJ reads it; 1, the default of most writers, says that there is none.
        None => match chain.reader.first_number(&first.directory, Tag::ResolutionUnit)? {
            Some(2) => "inch",
            Some(3) => "cm",
            _ => "",
        },
    };
    let unit_of = |key: &str| values.get(key).map_or(unit, |unit| unit.trim());
    // The resolution is in pixels per unit.
    let mut size = |tag, unit| -> Result<Option<f64>, SourceError> {
        let resolution = chain.reader.rationals(&first.directory, tag)?.first().copied();
        let resolution = resolution.filter(|resolution| *resolution > 0.0);
        Ok(resolution.and_then(|resolution| length_in_um(1.0 / resolution, unit)))
    };
    Ok(FileMetadata {
        pixel_size_um: size(Tag::XResolution, unit)?.zip(size(Tag::YResolution, unit_of("yunit"))?),
        z_spacing_um: number("spacing").and_then(|spacing| length_in_um(spacing, unit_of("zunit"))),
        t_spacing_s: number("finterval").or_else(|| number("fps").map(|fps| 1.0 / fps)),
        ..FileMetadata::default()
    })
}
