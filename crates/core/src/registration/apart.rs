//! Which overlap of fields of view a tiling takes away by moving the fields apart.

use std::collections::HashMap;

use super::Field;

/// Fields that overlap on the stage and that a tiling moves apart.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedApart {
    /// Number of fields that overlap another one, and of all.
    pub overlapping: usize,
    /// Number of all fields.
    pub fields: usize,
    /// What neighbors share across their seam, as a part of the field: the median over all pairs.
    pub part: f64,
    /// The same in pixels.
    pub pixels: f64,
    /// The first two fields that are at one place, to a pixel.
    pub same_place: Option<[String; 2]>,
    /// How far the farthest field is moved along x and y, in pixels.
    pub moved: (f64, f64),
}

impl MovedApart {
    /// Of fields and their moves. `None` where at most a pixel overlaps, or nothing moves. Overlaps up to half a field along both axes
    /// belong to neighbors across a corner: the seam is the narrower side.
    pub(super) fn of(fields: &[Field], moves: &[(f64, f64)]) -> Option<Self> {
        let first = fields.first()?;
        let seams = seams(fields, first.width, first.height);
        let most = |of: fn(&(f64, f64)) -> f64| {
            let along = moves.iter().map(of);
            let (least, greatest) = (along.clone().reduce(f64::min), along.reduce(f64::max));
            greatest.unwrap_or(0.0) - least.unwrap_or(0.0)
        };
        let moved = (most(|moves| moves.0), most(|moves| moves.1));
        if moved.0.max(moved.1) < 1.0 {
            return None;
        }
        let mut sizes: Vec<(f64, f64)> = seams.iter().map(|seam| (seam.part, seam.pixels)).collect();
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let &(part, pixels) = sizes.get(sizes.len() / 2)?;
        let same = seams.iter().find(|seam| seam.same_place);
        let mut overlapping: Vec<usize> = seams.iter().flat_map(|seam| seam.fields).collect();
        overlapping.sort_unstable();
        overlapping.dedup();
        Some(Self {
            overlapping: overlapping.len(),
            fields: fields.len(),
            part,
            pixels,
            same_place: same.map(|seam| seam.fields.map(|field| fields[field].name.clone())),
            moved,
        })
    }

    /// Whether the positions are likely wrong: no stage lets neighbors share more than half, or puts two fields at one place.
    pub fn is_strange(&self) -> bool {
        self.part > 0.5 || self.same_place.is_some()
    }

    /// The numbers, what follows, and how to keep the positions, as a sentence without the image's name.
    pub fn told(&self) -> String {
        let mut text = format!(
            "{} of {} fields of view overlap their neighbors by about {:.0} pixels ({:.0} %); the tiling moves fields apart, by up to {:.0} \
             pixels in x and {:.0} in y, so what they share appears twice; choose the tiling strategy `Inplace` (--tiling inplace) to \
             keep positions",
            self.overlapping,
            self.fields,
            self.pixels,
            100.0 * self.part,
            self.moved.0,
            self.moved.1
        );
        if let Some([a, b]) = &self.same_place {
            text.push_str(&format!("; '{a}' and '{b}' have one position"));
        }
        if self.part > 0.5 {
            text.push_str("; fields that overlap so much may have their positions in another unit than µm");
        }
        text
    }
}

/// The overlap of two fields.
struct Seam {
    fields: [usize; 2],
    part: f64,
    pixels: f64,
    same_place: bool,
}

/// Overlaps of more than a pixel between fields of one size, but for those across a corner. Fields are looked up by cells of their size;
/// of many in one cell only the last few are compared.
fn seams(fields: &[Field], width: f64, height: f64) -> Vec<Seam> {
    const MOST_PER_CELL: usize = 8;
    let mut cells: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    let mut seams = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        let (i, j) = ((field.x / width).floor() as i64, (field.y / height).floor() as i64);
        for cell in (i - 1..=i + 1).flat_map(|i| (j - 1..=j + 1).map(move |j| (i, j))) {
            for &other in cells.get(&cell).into_iter().flatten().rev().take(MOST_PER_CELL) {
                let across = width - (field.x - fields[other].x).abs();
                let along = height - (field.y - fields[other].y).abs();
                let (x, y) = (across / width, along / height);
                let (part, pixels, long) = if x < y { (x, across, y) } else { (y, along, x) };
                if pixels > 1.0 && long > 0.5 {
                    seams.push(Seam {
                        fields: [other, number],
                        part,
                        pixels,
                        same_place: width - across <= 1.0 && height - along <= 1.0,
                    });
                }
            }
        }
        cells.entry((i, j)).or_default().push(number);
    }
    seams
}
