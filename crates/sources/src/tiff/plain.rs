//! A plain stack: all pages that look like the first one that is no reduced copy; and what is left of any file.

use std::sync::Arc;

use tiff::tags::Tag;

use crate::tiff::axes::Axes;
use crate::tiff::layout::Layout;
use crate::tiff::page::{MASK, REDUCED};
use crate::tiff::pages::{Found, Pages, Slot};
use crate::tiff::series::{Contents, Series};
use crate::{FileMetadata, LeftOut, Part, SourceError, palette};

/// The stack of all pages that look like the first one.
pub(crate) fn series(contents: &Contents<'_, '_>) -> Series {
    let full = |found: &Found| match found {
        Found::Page(page) if page.kind & (REDUCED | MASK) == 0 => Some(Arc::clone(&page.layout)),
        _ => None,
    };
    let first = full_or_first(contents, full);
    let mut series = stack(contents, &first, FileMetadata::default());
    series.rest = "it is marked as a mask".to_owned();
    series
}

/// The layout of the first page that is neither a reduced copy nor a mask; of the first page if all are.
fn full_or_first(contents: &Contents<'_, '_>, full: impl Fn(&Found) -> Option<Arc<Layout>>) -> Arc<Layout> {
    let layout = contents.pages.found.iter().find_map(full);
    layout.unwrap_or_else(|| Arc::clone(&contents.page.layout))
}

/// All pages of a layout as one axis.
pub(crate) fn stack(contents: &Contents<'_, '_>, layout: &Arc<Layout>, metadata: FileMetadata) -> Series {
    let kind = |slot: &Slot| slot.page().map_or(0, |page| page.kind & (REDUCED | MASK));
    let mut pages = contents.like(layout);
    if let Some(first) = pages.first().map(kind) {
        pages.retain(|slot| kind(slot) == first || matches!(slot, Slot::Missing { .. }));
    }
    let mut axes = Axes::new(layout.shape(), layout.axes());
    if pages.len() > 1 {
        axes.shape.insert(0, pages.len() as u64);
        axes.letters.insert(0, 'I');
    }
    let mut series = Series::new(axes, Arc::clone(layout), pages);
    series.metadata = metadata;
    series
}

/// What the tags of the first page say about the image's values that a plain array does not show.
pub(crate) fn notes(contents: &mut Contents<'_, '_>, series: &Series) -> Result<Vec<LeftOut>, SourceError> {
    let path = contents.reader.file().path();
    let layout = &series.layout;
    let mut notes = Vec::new();
    if layout.photometric == 0 && !series.inverted_display && layout.interleaved == 1 && layout.planes == 1 {
        let reason = "pixels are given as stored, other programs may show them inverted";
        notes.push(LeftOut::metadata(path, "inverted gray scale", "WhiteIsZero", reason));
    }
    if layout.photometric == 3 {
        let colors = contents
            .reader
            .numbers(&contents.pages.first, Tag::ColorMap)?
            .unwrap_or_default();
        let entries = colors.len() / 3;
        let color = |index: usize| [0, 1, 2].map(|band| colors[band * entries + index] as u32);
        let colors: Vec<[u32; 3]> = (0..entries).map(color).collect();
        notes.extend(palette::told(path, &colors, 0xffff));
    }
    Ok(notes)
}

/// The pages of this file that the series does not use, in groups of one reason; levels of a pyramid are not named.
pub(crate) fn unused(contents: &Contents<'_, '_>, series: &Series) -> Vec<LeftOut> {
    let path = contents.reader.file().path();
    let Pages { found, broken, .. } = &contents.pages;
    let mut used = vec![false; found.len()];
    let named = series.left_out.iter().filter_map(|left| match &left.part {
        Part::Pages(pages) if left.path == path => Some(pages.as_slice()),
        _ => None,
    });
    let of_slots = series.pages.iter().filter_map(|slot| match slot {
        Slot::Page(page) => (page.file == 0).then_some(page.index as u64),
        Slot::Missing { page, .. } => *page,
    });
    for index in of_slots
        .chain(named.flatten().copied())
        .chain(series.claimed.iter().copied())
    {
        if let Some(used) = used.get_mut(index as usize) {
            *used = true;
        }
    }
    // Pages that follow each other unlisted can have directories all the same.
    let inside: Vec<_> = series
        .pages
        .iter()
        .filter_map(Slot::page)
        .filter_map(|page| page.unlisted_bytes())
        .collect();
    for found in found {
        if let Found::Page(page) = found
            && let Some(start) = page.start()
            && inside.iter().any(|bytes| bytes.contains(&start))
        {
            used[page.index] = true;
        }
    }
    let mut groups: Vec<(String, Vec<u64>)> = Vec::new();
    for found in found.iter().filter(|found| !used[found.index() as usize]) {
        let Some(reason) = reason(found, series) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, pages)) => pages.push(found.index()),
            None => groups.push((reason, vec![found.index()])),
        }
    }
    let mut left: Vec<LeftOut> = groups
        .into_iter()
        .map(|(reason, pages)| LeftOut::new(path, Part::Pages(pages), reason))
        .collect();
    if let Some(broken) = broken {
        let page = found.len() as u64 - 1;
        left.push(LeftOut::new(path, Part::After { page }, broken.clone()));
    }
    left
}

/// Why a page is not used; `None` for a level of the image's pyramid.
fn reason(found: &Found, series: &Series) -> Option<String> {
    let page = match found {
        Found::Unreadable(page) => return Some(page.reason.to_string()),
        Found::Page(page) => page,
    };
    let (own, image) = (&*page.layout, &*series.layout);
    if page.kind & REDUCED != 0 || is_level(own, image) {
        return None;
    }
    if own.same_pixels(image) {
        return Some(series.rest.clone());
    }
    let larger = own.rows > image.rows && own.columns > image.columns;
    let larger = if larger { ", which is smaller" } else { "" };
    Some(format!("{}, the image is {}{larger}", own.describe(), image.describe()))
}

/// Whether pages of a layout can be a smaller copy of the image.
fn is_level(own: &Layout, image: &Layout) -> bool {
    let alike = (own.planes, own.interleaved, own.pixel_type) == (image.planes, image.interleaved, image.pixel_type);
    let (width, height) = (own.width(), own.rows);
    let (full_width, full_height) = (image.width(), image.rows);
    // Sizes are 32 bits: products do not overflow.
    let off = |a: u64, b: u64, most: u64| a.abs_diff(b) <= most;
    let proportional = off(height * full_width, full_height * width, full_width.max(full_height));
    alike && width < full_width && height < full_height && proportional
}
