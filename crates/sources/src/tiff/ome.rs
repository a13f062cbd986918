//! OME-TIFF: XML in the first description says which page, in which file, is which plane of which image.

mod metadata;
mod planes;
mod set;
mod xml;

use roxmltree::Node;

use crate::file::SourceFile;
use crate::tiff::axes::Axes;
use crate::tiff::ome::planes::Entry;
use crate::tiff::ome::set::{Files, Master};
use crate::tiff::series::{Contents, Series};
use crate::{FileMetadata, LeftOut, Part, Selection, SourceError};

/// Whether the first page has OME-XML.
pub(crate) fn is_ome(descriptions: &[String]) -> bool {
    descriptions.first().is_some_and(|text| xml::is_ome(text))
}

/// What the XML of a file comes to.
pub(crate) enum Outcome {
    Series(Box<Series>),
    /// It says nothing about the pages that can be used.
    Unusable {
        left: Vec<LeftOut>,
        /// What it says of its only image.
        stated: Option<Box<FileMetadata>>,
    },
}

/// The image of the document that has planes in this file: the first such one, or the one selected.
pub(crate) fn series(contents: &Contents<'_, '_>, selection: Selection) -> Result<Outcome, SourceError> {
    let this = contents.reader.file();
    let mut left = Vec::new();
    let text = xml::clean(contents.descriptions.first().map_or("", String::as_str));
    let mended;
    let document = match xml::parse(text) {
        Ok(document) => Some(document),
        Err(error) => {
            mended = xml::mended(this, text, &error, &mut left).unwrap_or_default();
            xml::parse(&mended).ok()
        }
    };
    let Some(document) = document else {
        return Ok(Outcome::Unusable { left, stated: None });
    };
    let root = document.root_element();
    let uuid = root.attribute("UUID").map(str::to_owned);
    match child(root, "BinaryOnly") {
        None => document_series(&mut Files::new(contents, uuid, true), root, selection, left),
        Some(element) => {
            let name = element.attribute("MetadataFile").unwrap_or_default();
            elsewhere(&mut Files::new(contents, uuid, false), name, selection, left)
        }
    }
}

/// This file's part of an image whose document lies in the file `name`.
fn elsewhere(
    files: &mut Files<'_>,
    name: &str,
    selection: Selection,
    mut left: Vec<LeftOut>,
) -> Result<Outcome, SourceError> {
    let unusable = match Master::read(files.this, name)? {
        Master::Unusable(reason) => reason,
        Master::Text(text) => match xml::parse(xml::clean(&text)) {
            Ok(document) => {
                let selection = Selection {
                    own_planes: true,
                    ..selection
                };
                return document_series(files, document.root_element(), selection, left);
            }
            Err(error) => format!("that of {name} is not valid XML ({error})"),
        },
    };
    left.push(LeftOut::metadata(files.this.path(), "OME-XML", "", unusable));
    Ok(Outcome::Unusable { left, stated: None })
}

/// The image to read from a document that lists some.
fn document_series(
    files: &mut Files<'_>,
    root: Node<'_, '_>,
    selection: Selection,
    mut left: Vec<LeftOut>,
) -> Result<Outcome, SourceError> {
    let this: &SourceFile = files.this;
    let images: Vec<Image<'_, '_>> = root
        .children()
        .filter(|node| node.tag_name().name() == "Image")
        .filter_map(|node| Some((node, child(node, "Pixels")?)))
        .enumerate()
        .map(|(index, (node, pixels))| Image::new(index, node, pixels))
        .collect();
    files.find_this(&images)?;
    let here = images_here(files, &images);
    let chosen = match selection.image {
        Some(image) if image >= images.len() => {
            return Err(SourceError::NoImage {
                path: this.path().into(),
                image,
                images: images.len(),
            });
        }
        image => image.or_else(|| here.first().copied()),
    };
    let Some(image) = chosen.map(|image| &images[image]) else {
        let reason = "none of its images has planes in this file".to_owned();
        return Ok(unusable(files, &images, reason, left));
    };
    files.only_this = selection.own_planes;
    let before = images[..image.index].iter().map(Image::planes);
    let skipped = before.fold(0, u64::saturating_add);
    let mut series = match planes::series(files, image, skipped, selection)? {
        Ok(series) => series,
        // The pages of this file are not those of an image that was asked for.
        Err(reason) if selection.image.is_some() && images.len() > 1 => {
            return Err(this.damaged(format!("image {} of its OME-XML: {reason}", image.index)));
        }
        Err(reason) => return Ok(unusable(files, &images, reason, left)),
    };
    series.metadata = metadata::of_image(this.path(), image, series.first_plane, &mut left);
    series.metadata.channel_names = planes::names_of(&series, series.metadata.channel_names.clone());
    left.extend(here.iter().filter(|index| **index != image.index).map(|index| {
        let name = images[*index].name().to_owned();
        let part = Part::Image { index: *index, name };
        LeftOut::new(this.path(), part, "a file gives one image at a time")
    }));
    series.images = here;
    series.claimed = claimed_pages(files, &images, image.index);
    left.append(&mut series.left_out);
    series.left_out = left;
    Ok(Outcome::Series(Box::new(series)))
}

/// The numbers of the images that have planes in this file.
fn images_here(files: &Files<'_>, images: &[Image<'_, '_>]) -> Vec<usize> {
    // Without any list the pages are the planes in their order.
    if images.iter().all(|image| image.entries.is_empty()) {
        return (0..images.len()).collect();
    }
    let here = |image: &&Image<'_, '_>| image.entries.iter().any(|entry| files.is_this(&entry.file));
    images.iter().filter(here).map(|image| image.index).collect()
}

/// What is left of a document that does not fit the pages: sizes of its only image.
fn unusable(files: &Files<'_>, images: &[Image<'_, '_>], reason: String, mut left: Vec<LeftOut>) -> Outcome {
    let path = files.this.path();
    let says = match images {
        [only] => only.says(),
        _ => files.own_name(),
    };
    left.push(LeftOut::metadata(path, "OME-XML", says, reason));
    let stated = match images {
        [only] => Some(Box::new(metadata::of_image(path, only, None, &mut left))),
        _ => None,
    };
    Outcome::Unusable { left, stated }
}

/// The pages of this file that belong to other images than the chosen one.
fn claimed_pages(files: &Files<'_>, images: &[Image<'_, '_>], chosen: usize) -> Vec<u64> {
    let mut next = 0u64;
    let mut claimed = Vec::new();
    for image in images {
        let end = next.saturating_add(image.planes());
        if image.index != chosen && image.entries.is_empty() {
            claimed.extend(next..end.min(files.pages[0].len() as u64));
        } else if image.index != chosen {
            claimed.extend(planes::pages_here(files, image));
        }
        next = end;
    }
    claimed
}

/// An `Image` element.
pub(crate) struct Image<'a, 'i> {
    pub(crate) index: usize,
    node: Node<'a, 'i>,
    pixels: Node<'a, 'i>,
    /// The five axes, slowest first; `None` if they are not all given.
    axes: Option<Axes>,
    entries: Vec<Entry>,
}

impl<'a, 'i> Image<'a, 'i> {
    fn new(index: usize, node: Node<'a, 'i>, pixels: Node<'a, 'i>) -> Self {
        Self {
            index,
            node,
            pixels,
            axes: declared_axes(pixels),
            entries: named(pixels, "TiffData").map(Entry::new).collect(),
        }
    }

    fn name(&self) -> &'a str {
        self.node.attribute("Name").unwrap_or_default()
    }

    /// How many planes it announces.
    fn planes(&self) -> u64 {
        self.axes
            .as_ref()
            .and_then(|axes| crate::tiff::axes::elements(&axes.shape[..3]))
            .unwrap_or(0)
    }

    /// Its sizes in its own words.
    fn says(&self) -> String {
        let keys = [
            "DimensionOrder",
            "SizeX",
            "SizeY",
            "SizeZ",
            "SizeC",
            "SizeT",
            "PhysicalSizeX",
            "PhysicalSizeXUnit",
        ];
        let said = keys
            .iter()
            .filter_map(|key| Some(format!("{key}={:?}", self.pixels.attribute(*key)?)));
        said.collect::<Vec<_>>().join(" ")
    }
}

fn declared_axes(pixels: Node<'_, '_>) -> Option<Axes> {
    let letters: String = pixels.attribute("DimensionOrder")?.trim().chars().rev().collect();
    let size = |letter: char| pixels.attribute(format!("Size{letter}").as_str())?.trim().parse().ok();
    let shape = letters.chars().map(size).collect::<Option<Vec<u64>>>()?;
    (letters.len() == 5 && letters.ends_with("YX")).then(|| Axes::new(shape, letters))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn named<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

/// A series, or why the document says nothing about the pages.
type Found = Result<Series, String>;
