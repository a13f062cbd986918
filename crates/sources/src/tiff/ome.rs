//! OME-TIFF: XML in the first description says which page, in which file, is which plane.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::{Document, Node};

use crate::file::SourceFile;
use crate::tiff::axes::{Axes, elements};
use crate::tiff::directory::DirectoryReader;
use crate::tiff::page::Page;
use crate::tiff::series::{Chain, First, Series};
use crate::tiff::units::{length_in_um, position_in_um, time_in_s};
use crate::{FileMetadata, SourceError};

/// Whether the first page has OME-XML, by the end of its description as tifffile does.
pub(crate) fn is_ome(first: &First) -> bool {
    first
        .descriptions
        .first()
        .is_some_and(|text| text.trim_end().ends_with("OME>"))
}

/// The first image of the document that has pages; `None` if there is none (the master is another file, the file was
/// renamed, the XML is broken): then the pages are a plain stack.
pub(crate) fn series(chain: &mut Chain<'_, '_>, first: &First) -> Result<Option<Series>, SourceError> {
    let Some(Ok(document)) = first.descriptions.first().map(|text| Document::parse(text)) else {
        return Ok(None);
    };
    let root = document.root_element();
    let mut own = vec![first.page.clone()];
    own.extend(chain.pages(&first.page.layout, u64::MAX)?);
    let mut files = Files {
        this: chain.reader.file(),
        pages: vec![own],
        paths: Vec::new(),
        root_uuid: root.attribute("UUID").map(str::to_owned),
        known: HashMap::new(),
        missing: None,
    };
    for element in root.children().filter(Node::is_element) {
        match element.tag_name().name() {
            "BinaryOnly" => return Ok(None),
            "Image" => {
                if let Some(pixels) = child(element, "Pixels")
                    && let Some(series) = image(&mut files, pixels)?
                {
                    return Ok(Some(series));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The files of the set, each with all its pages.
struct Files<'f> {
    this: &'f SourceFile,
    pages: Vec<Vec<Page>>,
    paths: Vec<std::path::PathBuf>,
    root_uuid: Option<String>,
    /// UUID to number; none for a file that is not there.
    known: HashMap<String, Option<usize>>,
    missing: Option<SourceError>,
}

impl Files<'_> {
    /// Number of the file that a `TiffData` element names.
    fn find(&mut self, data: Node<'_, '_>) -> Result<Option<usize>, SourceError> {
        let Some(uuid) = child(data, "UUID") else {
            return Ok(Some(0));
        };
        let text = uuid.text().unwrap_or_default().trim().to_owned();
        if self.root_uuid.as_deref() == Some(&text) {
            return Ok(Some(0));
        }
        if let Some(number) = self.known.get(&text) {
            return Ok(*number);
        }
        let name = uuid.attribute("FileName").unwrap_or_default();
        let own_name = self.this.path().file_name().unwrap_or_default().to_string_lossy();
        let number = if self.root_uuid.is_none() && own_name.eq_ignore_ascii_case(name) {
            self.root_uuid = Some(text.clone());
            Some(0)
        } else {
            match self.open(name) {
                Ok(number) => Some(number),
                Err(error @ SourceError::Missing { .. }) => {
                    self.missing.get_or_insert(error);
                    None
                }
                Err(error) => return Err(error),
            }
        };
        self.known.insert(text, number);
        Ok(number)
    }

    /// A plane takes a directory or an entry in the XML, so that their number is bounded by the file's size.
    fn check_planes(&self, planes: u64) -> Result<(), SourceError> {
        let length = self.this.length();
        match planes > length / 16 + 1024 {
            true => Err(self.this.damaged(format!(
                "its OME-XML announces {planes} planes in a file of {length} bytes"
            ))),
            false => Ok(()),
        }
    }

    fn open(&mut self, name: &str) -> Result<usize, SourceError> {
        let path = self.this.path().with_file_name(name);
        let file = SourceFile::open(&path)?;
        let mut reader = DirectoryReader::new(&file)?;
        let layout = Arc::clone(&self.pages[0][0].layout);
        let number = self.pages.len();
        let mut pages = Chain::new(&mut reader).pages(&layout, u64::MAX)?;
        pages.iter_mut().for_each(|page| page.file = number);
        self.pages.push(pages);
        self.paths.push(path);
        Ok(number)
    }
}

fn image(files: &mut Files<'_>, pixels: Node<'_, '_>) -> Result<Option<Series>, SourceError> {
    let Some(mut axes) = declared_axes(pixels) else {
        return Ok(None);
    };
    let samples = match samples_per_pixel(pixels) {
        Ok(samples) => samples,
        Err(text) => return Err(files.this.unsupported(text, "Save each channel as an image of its own")),
    };
    if samples > 1
        && let Some(c) = axes.letters.find('C')
    {
        axes.shape[c] /= samples;
    }
    let Some(planes) = elements(&axes.shape[..3]).filter(|planes| *planes > 0) else {
        return Ok(None);
    };
    files.check_planes(planes)?;

    // (file, page) of each plane.
    let mut places: Vec<Option<(usize, usize)>> = vec![None; planes as usize];
    for data in pixels.children().filter(|node| node.tag_name().name() == "TiffData") {
        let number = |key: &str| data.attribute(key).and_then(|value| value.trim().parse::<usize>().ok());
        let Some(start) = plane_index(&axes, &number) else {
            continue;
        };
        let first_page = number("IFD").unwrap_or(0);
        let count = number("PlaneCount")
            .or(number("NumPlanes"))
            .unwrap_or(usize::from(data.has_attribute("IFD")));
        let Some(file) = files.find(data)? else { continue };
        let available = files.pages[file].len();
        let count = if count == 0 { available } else { count };
        for (place, page) in places[start..].iter_mut().zip(first_page..available).take(count) {
            *place = Some((file, page));
        }
    }
    let Some(&(file, page)) = places.iter().flatten().next() else {
        return Ok(None);
    };
    // A file that was renamed finds none of its pages above; one that lost its companions finds some.
    if let Some(error) = files.missing.take() {
        return Err(error);
    }
    let layout = Arc::clone(&files.pages[file][page].layout);
    if samples > 1 && layout.interleaved > 1 {
        axes.shape.push(samples);
        axes.letters.push('S');
    } else if samples > 1 {
        axes.shape.insert(3, samples);
        axes.letters.insert(3, 'S');
    }
    let squeezed = axes.squeezed();
    if !squeezed.shape.ends_with(&layout.shape()) {
        return Ok(None);
    }
    // The XML may count what the pages hold differently.
    let pages_needed = elements(&squeezed.shape)
        .zip(elements(&layout.shape()))
        .map_or(0, |(all, page)| all / page);
    files.check_planes(pages_needed)?;
    places.resize(pages_needed as usize, None);
    let mut pages = Vec::with_capacity(places.len());
    for place in places {
        let page = place.map(|(file, page)| files.pages[file][page].clone());
        if let Some(other) = page.as_ref().filter(|page| !page.layout.same_pixels(&layout)) {
            return Err(files.this.damaged(format!(
                "page {} is {:?} of {}, the image of {:?} of {}",
                other.index,
                other.layout.shape(),
                other.layout.pixel_type,
                layout.shape(),
                layout.pixel_type
            )));
        }
        pages.push(page);
    }
    let metadata = metadata(pixels);
    Ok(Some(Series {
        axes: squeezed,
        layout,
        pages,
        other_files: std::mem::take(&mut files.paths),
        metadata,
    }))
}

/// The five axes, slowest first.
fn declared_axes(pixels: Node<'_, '_>) -> Option<Axes> {
    let letters: String = pixels.attribute("DimensionOrder")?.chars().rev().collect();
    let size = |letter: char| pixels.attribute(format!("Size{letter}").as_str())?.trim().parse().ok();
    let shape = letters.chars().map(size).collect::<Option<Vec<u64>>>()?;
    (letters.len() == 5 && letters.ends_with("YX")).then(|| Axes::new(shape, letters))
}

fn samples_per_pixel(pixels: Node<'_, '_>) -> Result<u64, String> {
    let channels = pixels.children().filter(|node| node.tag_name().name() == "Channel");
    let mut samples = channels.map(|channel| {
        channel
            .attribute("SamplesPerPixel")
            .and_then(|samples| samples.trim().parse::<u64>().ok())
            .unwrap_or(1)
            .max(1)
    });
    let first = samples.next().unwrap_or(1);
    match samples.find(|other| *other != first) {
        None => Ok(first),
        Some(other) => Err(format!(
            "OME-XML with channels of {first} and {other} samples per pixel"
        )),
    }
}

/// Number of the plane at which a `TiffData` element begins; `None` outside the image.
fn plane_index(axes: &Axes, number: &impl Fn(&str) -> Option<usize>) -> Option<usize> {
    let mut index = 0;
    for (letter, size) in axes.letters.chars().zip(&axes.shape).take(3) {
        let at = number(&format!("First{letter}")).unwrap_or(0);
        let size = usize::try_from(*size).ok().filter(|size| at < *size)?;
        index = index * size + at;
    }
    Some(index)
}

fn metadata(pixels: Node<'_, '_>) -> FileMetadata {
    let number = |key: &str| pixels.attribute(key).and_then(|value| value.trim().parse::<f64>().ok());
    let length = |axis: char| {
        let unit = pixels
            .attribute(format!("PhysicalSize{axis}Unit").as_str())
            .unwrap_or("µm");
        number(&format!("PhysicalSize{axis}")).and_then(|value| length_in_um(value, unit))
    };
    let time_unit = pixels.attribute("TimeIncrementUnit").unwrap_or("s");
    let channels = pixels.children().filter(|node| node.tag_name().name() == "Channel");
    let names: Vec<String> = channels
        .map(|channel| channel.attribute("Name").unwrap_or_default().to_owned())
        .collect();
    FileMetadata {
        pixel_size_um: length('X').zip(length('Y')),
        z_spacing_um: length('Z'),
        t_spacing_s: number("TimeIncrement").and_then(|value| time_in_s(value, time_unit)),
        channel_names: if names.iter().all(|name| !name.is_empty()) {
            names
        } else {
            Vec::new()
        },
        stage_position_um: stage_position_um(pixels),
        ..FileMetadata::default()
    }
}

/// Where the stage was for the first plane. Without a unit, which is allowed, a position says nothing.
fn stage_position_um(pixels: Node<'_, '_>) -> Option<(f64, f64, f64)> {
    let is_first = |plane: &Node<'_, '_>| {
        plane.tag_name().name() == "Plane"
            && ["TheZ", "TheC", "TheT"]
                .iter()
                .all(|key| plane.attribute(*key).is_none_or(|number| number.trim() == "0"))
    };
    let plane = pixels.children().find(is_first)?;
    let position = |axis: char| {
        let value = plane
            .attribute(format!("Position{axis}").as_str())?
            .trim()
            .parse()
            .ok()?;
        position_in_um(value, plane.attribute(format!("Position{axis}Unit").as_str())?)
    };
    Some((position('X')?, position('Y')?, position('Z').unwrap_or(0.0)))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}
