//! How much of a registered image is empty, and which tile spreads it.

use crate::tiled_image::TiledImage;
use ome_zarr_convert_geometry::Axis;

/// An image of which more than this part is empty is told.
const MUCH: f64 = 0.8;

/// How the tiles of a registered image lie in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The part of the image's pixels that no tile covers, from 0 to 1. Tiles that overlap count twice, so it can be more.
    pub empty: f64,
    /// The widest hole, as a part of the image's size along its axis; `None` where tiles reach everywhere along every axis.
    pub hole: Option<Hole>,
}

/// A stretch along one axis without any tile, between two tiles or before the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// The axis.
    pub axis: Axis,
    /// Pixels (planes, time points) without a tile, of how many.
    pub length: f64,
    /// Size of the image along the axis.
    pub of: f64,
    /// The tile beside the hole, on the side that has fewer tiles: an index among the regions.
    pub tile: usize,
    /// Its start, in pixels.
    pub start: f64,
}

/// How the tiles of a registered image lie in it; `None` for an image without tiles.
pub fn spread(image: &TiledImage) -> Option<Spread> {
    let size = |axis: Axis| match (&image.channels, axis) {
        (Some(channels), Axis::C) => channels.len() as f64,
        _ => {
            let ends = image.regions.iter().map(|region| region.roi.span(axis).end());
            ends.fold(1.0, f64::max)
        }
    };
    let pixels: f64 = image.axes.iter().map(|axis| size(*axis)).product();
    let volume =
        |region: &crate::Region| -> f64 { image.axes.iter().map(|axis| region.roi.span(*axis).length).product() };
    let covered: f64 = image.regions.iter().map(volume).sum();
    let holes = image
        .axes
        .iter()
        .filter_map(|axis| widest_hole(image, *axis, size(*axis)));
    let hole = holes.reduce(|widest, hole| match hole.length * widest.of > widest.length * hole.of {
        true => hole,
        false => widest,
    });
    (!image.regions.is_empty()).then(|| Spread {
        empty: (1.0 - covered / pixels).max(0.0),
        hole,
    })
}

fn widest_hole(image: &TiledImage, axis: Axis, of: f64) -> Option<Hole> {
    let mut tiles: Vec<(f64, f64, usize)> = image
        .regions
        .iter()
        .enumerate()
        .map(|(tile, region)| (region.roi.span(axis).start, region.roi.span(axis).end(), tile))
        .collect();
    tiles.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    let (mut reached, mut last) = (0.0_f64, None);
    let mut widest: Option<(f64, usize, usize)> = None;
    for (number, (start, end, tile)) in tiles.iter().enumerate() {
        let length = start - reached;
        if length > widest.map_or(0.0, |(length, ..)| length) {
            // On the side with fewer tiles is the one that lies wrong.
            let lonely = match last {
                Some(before) if 2 * number < tiles.len() => before,
                _ => *tile,
            };
            widest = Some((length, lonely, number));
        }
        if last.is_none() || *end > reached {
            (reached, last) = (reached.max(*end), Some(*tile));
        }
    }
    let (length, tile, _) = widest?;
    Some(Hole {
        axis,
        length,
        of,
        tile,
        start: image.regions[tile].roi.span(axis).start,
    })
}

impl Spread {
    /// Whether so much is empty that positions or spacings are likely wrong: more than 80 %.
    pub fn is_much(&self) -> bool {
        self.empty > MUCH
    }

    /// What is empty and which tile is the cause, as a sentence without the image's name.
    pub fn told(&self, image: &TiledImage) -> String {
        let percent = (self.empty * 100.0 - 0.5).ceil().clamp(0.0, 99.0);
        let part = match self.empty > 0.995 {
            true => "more than 99 %".to_owned(),
            false => format!("{percent:.0} %"),
        };
        let Some(hole) = &self.hole else {
            return format!(
                "{part} of it is empty: its {} tiles cover the rest",
                image.regions.len()
            );
        };
        let (what, setting) = match hole.axis {
            Axis::T => ("time points", "t_spacing, and that start_t is in s"),
            Axis::C => ("channels", "start_c, or leave unused channels out (`reindex_channels`)"),
            Axis::Z => ("slices", "z_spacing, and that start_z is in µm"),
            Axis::Y | Axis::X => ("pixels", "its position, and that positions are in µm"),
        };
        let name = hole.axis.name();
        let tile = format!(
            "{} (at {name} = {:.0})",
            image.regions[hole.tile].describe(),
            hole.start
        );
        let place = match hole.start == hole.length {
            true => format!("come before {tile}, the first"),
            false => format!("lie between {tile} and its neighbor"),
        };
        format!(
            "{part} of it is empty: {:.0} of its {:.0} {what} along {name} {place}; check {setting}",
            hole.length, hole.of
        )
    }
}
