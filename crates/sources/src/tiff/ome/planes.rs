//! Which page is which plane: the `TiffData` elements of an image.

use std::sync::Arc;

use roxmltree::Node;

use crate::tiff::axes::{Axes, elements};
use crate::tiff::layout::Layout;
use crate::tiff::ome::set::{FileRef, Files, Place};
use crate::tiff::ome::{Image, child, named};
use crate::tiff::pages::{Found, Slot};
use crate::tiff::series::Series;
use crate::{LeftOut, Part, Selection, SourceError};

/// A `TiffData` element.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) file: FileRef,
    /// First page and number of pages; 0 pages are all there are.
    page: usize,
    count: usize,
    first: [(char, usize); 3],
}

impl Entry {
    pub(super) fn new(data: Node<'_, '_>) -> Self {
        let number = |key: &str| data.attribute(key).and_then(|value| value.trim().parse::<usize>().ok());
        let count = number("PlaneCount").or_else(|| number("NumPlanes"));
        let file = child(data, "UUID").map_or(FileRef::Unnamed, |uuid| FileRef::Named {
            uuid: uuid.text().unwrap_or_default().trim().to_owned(),
            name: uuid.attribute("FileName").unwrap_or_default().trim().to_owned(),
        });
        Self {
            file,
            page: number("IFD").unwrap_or(0),
            count: count.unwrap_or(usize::from(data.has_attribute("IFD"))),
            first: ['Z', 'C', 'T'].map(|letter| (letter, number(&format!("First{letter}")).unwrap_or(0))),
        }
    }

    /// Number of the plane at which it begins; else the size that it exceeds. Some writers count each of the `samples` of a
    /// color pixel as a channel.
    fn plane(&self, axes: &Axes, samples: u64) -> Result<usize, String> {
        let mut index = 0usize;
        for (letter, size) in axes.letters.chars().zip(&axes.shape).take(3) {
            let at = self
                .first
                .iter()
                .find(|(own, _)| *own == letter)
                .map_or(0, |(_, at)| *at);
            let at = match letter {
                'C' if at as u64 >= *size && (at as u64).is_multiple_of(samples) => at / samples as usize,
                _ => at,
            };
            if at as u64 >= *size {
                return Err(format!(
                    "the OME-XML gives it First{letter}={at}, but Size{letter}={size}"
                ));
            }
            index = index * *size as usize + at;
        }
        Ok(index)
    }
}

/// The pages of an image in the order of its planes; the reason if the document does not fit them.
pub(super) fn series(
    files: &mut Files<'_>,
    image: &Image<'_, '_>,
    skipped: u64,
    selection: Selection,
) -> Result<super::Found, SourceError> {
    let Some(mut axes) = image.axes.clone() else {
        return Ok(Err("its sizes or the order of its dimensions are missing".to_owned()));
    };
    check_samples(files, image)?;
    let Some(layout) = base_layout(files, image, skipped)? else {
        return Ok(Err("no page that it names can be read".to_owned()));
    };
    let samples = layout.interleaved.max(layout.planes);
    if let Some(c) = axes.letters.find('C')
        && axes.shape[c].is_multiple_of(samples)
    {
        axes.shape[c] /= samples;
    }
    let Some(planes) = elements(&axes.shape[..3]).filter(|planes| *planes > 0) else {
        return Ok(Err("one of its sizes is 0".to_owned()));
    };
    check_planes(files, planes)?;
    let mut left_out = Vec::new();
    let shape = Shape {
        axes: &axes,
        samples,
        planes: planes as usize,
    };
    let mut slots = places(files, image, &shape, skipped, &mut left_out)?;
    for slot in &mut slots {
        if let Slot::Page(page) = slot
            && !page.layout.same_pixels(&layout)
        {
            let (index, own, all) = (page.index, page.layout.describe(), layout.describe());
            *slot = Slot::Missing {
                page: (page.file == 0).then_some(index as u64),
                reason: format!("page {index} is {own}, the image is {all}").into(),
            };
        }
    }
    let mut first_plane = None;
    if selection.own_planes {
        first_plane = keep_own(&mut axes, &mut slots);
    }
    if samples > 1 && layout.interleaved > 1 {
        axes.shape.push(samples);
        axes.letters.push('S');
    } else if samples > 1 {
        axes.shape.insert(axes.shape.len() - 2, samples);
        axes.letters.insert(axes.letters.len() - 2, 'S');
    }
    let squeezed = axes.squeezed();
    if !squeezed.shape.ends_with(&layout.shape()) {
        return Ok(Err(format!(
            "its sizes do not fit its pages, which are {}",
            layout.describe()
        )));
    }
    let mut series = Series::new(squeezed, layout, slots);
    series.rest = "the OME-XML gives it no plane".to_owned();
    series.other_files = std::mem::take(&mut files.paths);
    series.first_plane = first_plane;
    series.channels = axes.letters.find('C').map(|c| axes.shape[c]);
    series.left_out = left_out;
    Ok(Ok(series))
}

/// Channels of unequal numbers of samples would need pages of unequal shapes.
fn check_samples(files: &Files<'_>, image: &Image<'_, '_>) -> Result<(), SourceError> {
    let samples = |channel: Node<'_, '_>| {
        let samples = channel.attribute("SamplesPerPixel");
        samples
            .and_then(|samples| samples.trim().parse::<u64>().ok())
            .unwrap_or(1)
            .max(1)
    };
    let mut samples = named(image.pixels, "Channel").map(samples);
    let first = samples.next().unwrap_or(1);
    match samples.find(|other| *other != first) {
        None => Ok(()),
        Some(other) => Err(files.this.unsupported(
            format!("OME-XML with channels of {first} and {other} samples per pixel"),
            "Save each channel as an image of its own",
        )),
    }
}

/// A plane takes a directory or an entry in the XML, so that their number is bounded by the file's size.
fn check_planes(files: &Files<'_>, planes: u64) -> Result<(), SourceError> {
    let length = files.this.length();
    match planes > length / 16 + 1024 {
        true => Err(files.this.damaged(format!(
            "its OME-XML announces {planes} planes in a file of {length} bytes"
        ))),
        false => Ok(()),
    }
}

/// The layout of the first page that the image names, in this file if it has any here.
fn base_layout(files: &mut Files<'_>, image: &Image<'_, '_>, skipped: u64) -> Result<Option<Arc<Layout>>, SourceError> {
    let layout = |found: Option<&Found>| match found {
        Some(Found::Page(page)) => Some(Arc::clone(&page.layout)),
        _ => None,
    };
    if image.entries.is_empty() {
        return Ok(layout(files.pages[0].get(skipped as usize)));
    }
    let (here, elsewhere): (Vec<&Entry>, Vec<&Entry>) =
        image.entries.iter().partition(|entry| files.is_this(&entry.file));
    for entry in here.into_iter().chain(elsewhere) {
        if let Place::Open(file) = files.find(&entry.file)?
            && let Some(layout) = layout(files.pages[file].get(entry.page))
        {
            return Ok(Some(layout));
        }
    }
    Ok(None)
}

/// What the planes of an image are counted by.
struct Shape<'a> {
    axes: &'a Axes,
    /// Samples of a color pixel.
    samples: u64,
    planes: usize,
}

/// The page of each plane.
fn places(
    files: &mut Files<'_>,
    image: &Image<'_, '_>,
    shape: &Shape<'_>,
    skipped: u64,
    left_out: &mut Vec<LeftOut>,
) -> Result<Vec<Slot>, SourceError> {
    let Shape { axes, samples, planes } = *shape;
    let mut slots = vec![Slot::missing("the OME-XML names no page for it"); planes];
    let slot = |found: &Found| match found {
        Found::Page(page) => Slot::Page(Arc::clone(page)),
        Found::Unreadable(page) => Slot::Missing {
            page: Some(page.index),
            reason: Arc::clone(&page.reason),
        },
    };
    if image.entries.is_empty() {
        let own = &files.pages[0];
        let lacking: Arc<str> = format!("the file has {} pages, the OME-XML lists none", own.len()).into();
        for (plane, place) in slots.iter_mut().enumerate() {
            let found = own.get((skipped as usize).saturating_add(plane));
            *place = found.map_or_else(|| Slot::missing(Arc::clone(&lacking)), slot);
        }
        return Ok(slots);
    }
    for entry in &image.entries {
        let place = files.find(&entry.file)?;
        let start = match entry.plane(axes, samples) {
            Ok(start) => start,
            Err(reason) => {
                if let Place::Open(file) = place {
                    let pages = pages_of(entry, files.pages[file].len()).collect();
                    let path = file
                        .checked_sub(1)
                        .map_or(files.this.path(), |other| &files.paths[other]);
                    left_out.push(LeftOut::new(path, Part::Pages(pages), reason));
                }
                continue;
            }
        };
        match place {
            Place::Open(file) => {
                let available = files.pages[file].len();
                let count = if entry.count == 0 { available } else { entry.count };
                for (number, place) in slots[start..].iter_mut().take(count).enumerate() {
                    let page = entry.page.saturating_add(number);
                    match files.pages[file].get(page) {
                        Some(found) => *place = slot(found),
                        // "All pages" ends with the last one.
                        None if entry.count == 0 => break,
                        None => {
                            let reason = format!("the OME-XML puts it on a page beyond the {available} of its file");
                            *place = Slot::missing(reason);
                        }
                    }
                }
            }
            Place::Missing(reason) => {
                for place in slots[start..].iter_mut().take(entry.count.max(1)) {
                    *place = Slot::missing(Arc::clone(&reason));
                }
            }
        }
    }
    Ok(slots)
}

/// The pages of a file of `available` pages that an element covers.
fn pages_of(entry: &Entry, available: usize) -> impl Iterator<Item = u64> + use<> {
    let count = if entry.count == 0 { available } else { entry.count };
    let end = entry.page.saturating_add(count).min(available);
    (entry.page.min(end)..end).map(|page| page as u64)
}

/// The pages of this file that an image names.
pub(super) fn pages_here(files: &Files<'_>, image: &Image<'_, '_>) -> Vec<u64> {
    let here = image.entries.iter().filter(|entry| files.is_this(&entry.file));
    here.flat_map(|entry| pages_of(entry, files.pages[0].len())).collect()
}

/// Keeps the planes of this file only: as part of the image where they fill one, else along one axis. Gives place of the
/// first one by letter.
fn keep_own(axes: &mut Axes, slots: &mut Vec<Slot>) -> Option<[(char, u64); 3]> {
    let own: Vec<usize> = (0..slots.len())
        .filter(|plane| slots[*plane].page().is_some_and(|page| page.file == 0))
        .collect();
    let sizes = [axes.shape[0], axes.shape[1], axes.shape[2]];
    let coordinates = |plane: usize| {
        let plane = plane as u64;
        [
            plane / sizes[2] / sizes[1],
            plane / sizes[2] % sizes[1],
            plane % sizes[2],
        ]
    };
    let first = coordinates(*own.first()?);
    let mut used: [Vec<u64>; 3] = Default::default();
    for plane in &own {
        for (used, at) in used.iter_mut().zip(coordinates(*plane)) {
            if let Err(place) = used.binary_search(&at) {
                used.insert(place, at);
            }
        }
    }
    let filled: usize = used.iter().map(Vec::len).product();
    let mut kept = Vec::with_capacity(own.len());
    kept.extend(own.iter().map(|plane| slots[*plane].clone()));
    let letters: Vec<char> = axes.letters.chars().take(3).collect();
    if filled == own.len() {
        for (size, used) in axes.shape.iter_mut().zip(&used) {
            *size = used.len() as u64;
        }
    } else {
        axes.shape.splice(..3, [kept.len() as u64]);
        axes.letters.replace_range(..3, "I");
    }
    *slots = kept;
    Some(std::array::from_fn(|axis| (letters[axis], first[axis])))
}

/// The names of the channels that the series holds.
pub(super) fn names_of(series: &Series, names: Vec<String>) -> Vec<String> {
    let (Some(first), Some(count)) = (series.first_plane, series.channels) else {
        return names;
    };
    let first = first
        .iter()
        .find(|(letter, _)| *letter == 'C')
        .map_or(0, |(_, at)| *at as usize);
    match names.get(first..first.saturating_add(count as usize)) {
        Some(own) => own.to_vec(),
        None => Vec::new(),
    }
}
