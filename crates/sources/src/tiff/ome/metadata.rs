//! What OME-XML says of an image: sizes, channels, where the stage was.

use std::path::Path;

use roxmltree::Node;

use crate::tiff::ome::{Image, named};
use crate::tiff::units::{length_in_um, position_in_um, time_in_s};
use crate::{FileMetadata, LeftOut};

/// The metadata of an image; what cannot be used is told in the file's words. `first_plane` is the place of the first
/// plane by letter where not the whole image is read.
pub(super) fn of_image(
    path: &Path,
    image: &Image<'_, '_>,
    first_plane: Option<[(char, u64); 3]>,
    left: &mut Vec<LeftOut>,
) -> FileMetadata {
    let pixels = image.pixels;
    let mut told = |name: &str, attributes: &[String], reason: &str| {
        let says = attributes
            .iter()
            .filter_map(|key| Some(format!("{key}={:?}", pixels.attribute(key.as_str())?)));
        let says = says.collect::<Vec<_>>().join(" ");
        left.push(LeftOut::metadata(path, name, says, reason));
    };
    let keys = |stem: &str| [stem.to_owned(), format!("{stem}Unit")];
    let size = |axis: char| measure(pixels, &format!("PhysicalSize{axis}"), "µm", length_in_um);
    let said = |stem: &str| pixels.has_attribute(stem);
    let reason = "it is not a number above 0 in a known unit";

    let pixel_size_um = size('X').zip(size('Y'));
    if pixel_size_um.is_none() && (said("PhysicalSizeX") || said("PhysicalSizeY")) {
        let reason = if said("PhysicalSizeX") && said("PhysicalSizeY") {
            reason
        } else {
            "it is given for one axis only"
        };
        told(
            "pixel size",
            &[keys("PhysicalSizeX"), keys("PhysicalSizeY")].concat(),
            reason,
        );
    }
    let z_spacing_um = size('Z');
    if z_spacing_um.is_none() && said("PhysicalSizeZ") && number(pixels, "SizeZ") != Some(1.0) {
        told("z spacing", &keys("PhysicalSizeZ"), reason);
    }
    let t_spacing_s = measure(pixels, "TimeIncrement", "s", time_in_s);
    if t_spacing_s.is_none() && said("TimeIncrement") && number(pixels, "SizeT") != Some(1.0) {
        told("time between frames", &keys("TimeIncrement"), reason);
    }
    let names: Vec<String> = named(pixels, "Channel")
        .map(|channel| channel.attribute("Name").unwrap_or_default().to_owned())
        .collect();
    FileMetadata {
        name: Some(image.name().to_owned()).filter(|name| !name.is_empty()),
        pixel_size_um,
        z_spacing_um,
        t_spacing_s,
        channel_names: if names.iter().all(|name| !name.is_empty()) {
            names
        } else {
            Vec::new()
        },
        stage_position_um: stage_position_um(pixels, first_plane),
        ..FileMetadata::default()
    }
}

fn number(node: Node<'_, '_>, key: &str) -> Option<f64> {
    node.attribute(key)?.trim().parse().ok()
}

fn measure(node: Node<'_, '_>, key: &str, default: &str, to: fn(f64, &str) -> Option<f64>) -> Option<f64> {
    let unit = node.attribute(format!("{key}Unit").as_str()).unwrap_or(default);
    to(number(node, key)?, unit.trim())
}

/// Where the stage was for the first plane. Without a unit, which is allowed, a position says nothing.
fn stage_position_um(pixels: Node<'_, '_>, first_plane: Option<[(char, u64); 3]>) -> Option<(f64, f64, f64)> {
    let first = first_plane.unwrap_or([('Z', 0), ('C', 0), ('T', 0)]);
    let is_first = |plane: &Node<'_, '_>| {
        first.iter().all(|(letter, at)| {
            let number = plane.attribute(format!("The{letter}").as_str());
            number.is_none_or(|number| number.trim().parse() == Ok(*at))
        })
    };
    let plane = named(pixels, "Plane").find(is_first)?;
    let position = |axis: char| {
        let unit = plane.attribute(format!("Position{axis}Unit").as_str())?;
        position_in_um(number(plane, &format!("Position{axis}"))?, unit.trim())
    };
    Some((position('X')?, position('Y')?, position('Z').unwrap_or(0.0)))
}
