//! Finds tiles of which nothing is left to see: they lie wholly under tiles that win over them.

mod boxes;
mod cause;
mod tree;

use std::collections::HashMap;

pub(crate) use cause::explain;

use self::boxes::{Fragments, TileBox};
use self::tree::Tree;
use crate::options::Overlap;
use crate::tiled_image::TiledImage;

/// A tile that cannot be seen in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenTile {
    /// Its index among the regions of the registered image.
    pub tile: usize,
    /// The tiles that hide it, the one that hides most of it first.
    pub under: Vec<usize>,
}

/// The tiles of a registered image of which no pixel is left to see, in their order. Several tiles can hide one together.
///
/// Where overlapping tiles are blended (`mean`, `max`, `linear`) every tile counts; hidden is only what repeats another tile, the same
/// file at the same place. Takes about `n log n` steps for `n` tiles.
pub fn hidden_tiles(image: &TiledImage, overlap: Overlap) -> Vec<HiddenTile> {
    let boxes: Vec<TileBox> = image.regions.iter().map(|region| TileBox::of(&region.roi)).collect();
    let count = boxes.len();
    match overlap {
        Overlap::Last => covered(&boxes, |tile| tile),
        Overlap::First => covered(&boxes, |tile| count - 1 - tile),
        Overlap::Mean | Overlap::Max | Overlap::Linear => repeated(image, &boxes),
    }
}

/// Tiles that lie under the union of those of higher rank.
fn covered(boxes: &[TileBox], rank: impl Fn(usize) -> usize) -> Vec<HiddenTile> {
    let ranks: Vec<usize> = (0..boxes.len()).map(rank).collect();
    // Of tiles in one box only the highest can be seen or hide others.
    let mut highest: HashMap<[u64; 10], usize> = HashMap::new();
    for (tile, own) in boxes.iter().enumerate() {
        let held = highest.entry(own.bits()).or_insert(tile);
        if ranks[tile] > ranks[*held] {
            *held = tile;
        }
    }
    let mut distinct: Vec<usize> = highest.values().copied().collect();
    distinct.sort_unstable();
    let tree = Tree::over(boxes, &ranks, distinct);
    let hidden = |(tile, own): (usize, &TileBox)| {
        let under = match highest.get(&own.bits()) {
            Some(&top) if top != tile => vec![top],
            _ => cover(tile, boxes, &ranks, &tree)?,
        };
        Some(HiddenTile { tile, under })
    };
    boxes.iter().enumerate().filter_map(hidden).collect()
}

/// The tiles of higher rank that cover a tile, the largest part first; `None` if some of it can be seen.
fn cover(tile: usize, boxes: &[TileBox], ranks: &[usize], tree: &Tree<'_>) -> Option<Vec<usize>> {
    let own = &boxes[tile];
    let mut left = Fragments::of(own);
    let mut under: Vec<(f64, usize)> = Vec::new();
    tree.visit(own, ranks[tile], &mut |other| {
        if left.subtract(&boxes[other]) {
            under.push((own.shared(&boxes[other]), other));
        }
        left.around()
    });
    under.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    left.is_empty()
        .then(|| under.into_iter().map(|(_, other)| other).collect())
}

/// Tiles that repeat an earlier one.
fn repeated(image: &TiledImage, boxes: &[TileBox]) -> Vec<HiddenTile> {
    let mut first: HashMap<([u64; 10], String), usize> = HashMap::new();
    let mut hidden = Vec::new();
    for (tile, region) in image.regions.iter().enumerate() {
        let file = region.image_loader.file_path();
        let name = file.map_or_else(|| region.describe(), str::to_owned);
        let earlier = *first.entry((boxes[tile].bits(), name)).or_insert(tile);
        if earlier != tile && image.regions[earlier].image_loader == region.image_loader {
            hidden.push(HiddenTile {
                tile,
                under: vec![earlier],
            });
        }
    }
    hidden
}

#[cfg(test)]
mod tests;
