//! Gives each field of view the nearest free corner of a lattice of field sizes: for layouts that are no grid.

use std::collections::HashSet;

use super::{Field, Untileable, check_sizes};

/// Moves `(dx, dy)` per field, fields in order. The lattice covers the bounding box of the starts with one cell of slack per
/// axis, grown until it has a corner for every field; of corners as near, the one with lower x, then lower y is taken.
pub(super) fn snap_to_corners(fields: &[Field]) -> Result<Vec<(f64, f64)>, Untileable> {
    check_sizes(fields)?;
    let Some(first) = fields.first() else {
        return Ok(Vec::new());
    };
    let lattice = Lattice::over(fields, first.width, first.height);
    let mut taken = HashSet::new();
    let mut moves = Vec::with_capacity(fields.len());
    for field in fields {
        let corner = lattice.nearest_free(field.x, field.y, &taken);
        taken.insert(corner);
        let (x, y) = lattice.at(corner);
        moves.push((x - field.x, y - field.y));
    }
    Ok(moves)
}

type Corner = (i64, i64);

struct Lattice {
    origin: (f64, f64),
    size: (f64, f64),
    count: Corner,
}

impl Lattice {
    fn over(fields: &[Field], width: f64, height: f64) -> Self {
        let min = |of: fn(&Field) -> f64| fields.iter().map(of).fold(f64::INFINITY, f64::min);
        let max = |of: fn(&Field) -> f64| fields.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let origin = (min(|f| f.x), min(|f| f.y));
        let cells = |extent: f64, size: f64| (extent / size).ceil() as i64 + 2;
        let mut count = (
            cells(max(|f| f.x) - origin.0, width),
            cells(max(|f| f.y) - origin.1, height),
        );
        while count.0.saturating_mul(count.1) < fields.len() as i64 {
            count = (count.0 + 1, count.1 + 1);
        }
        Self {
            origin,
            size: (width, height),
            count,
        }
    }

    fn at(&self, (i, j): Corner) -> (f64, f64) {
        (
            self.origin.0 + i as f64 * self.size.0,
            self.origin.1 + j as f64 * self.size.1,
        )
    }

    /// Looks at rings of corners around the nearest one until no farther ring can be nearer: the same corner that a search
    /// over all of them finds, without being quadratic in the number of fields.
    fn nearest_free(&self, x: f64, y: f64, taken: &HashSet<Corner>) -> Corner {
        let cell = |position: f64, origin: f64, size: f64, count: i64| {
            (((position - origin) / size).round() as i64).clamp(0, count - 1)
        };
        let centre = (
            cell(x, self.origin.0, self.size.0, self.count.0),
            cell(y, self.origin.1, self.size.1, self.count.1),
        );
        let mut best: Option<(f64, Corner)> = None;
        for radius in 0..=self.count.0.max(self.count.1) {
            // Every corner of this ring is at least (radius - 1/2) cells away along x or y.
            let reach = (radius as f64 - 0.5).max(0.0) * self.size.0.min(self.size.1);
            if best.is_some_and(|(distance, _)| distance < reach * reach) {
                break;
            }
            for corner in ring(centre, radius) {
                let inside = (0..self.count.0).contains(&corner.0) && (0..self.count.1).contains(&corner.1);
                if !inside || taken.contains(&corner) {
                    continue;
                }
                let (cx, cy) = self.at(corner);
                let distance = (cx - x).powi(2) + (cy - y).powi(2);
                let nearer = match best {
                    None => true,
                    Some((least, held)) => distance < least || (distance == least && corner < held),
                };
                if nearer {
                    best = Some((distance, corner));
                }
            }
        }
        best.map_or(centre, |(_, corner)| corner)
    }
}

/// The corners at Chebyshev distance `radius` around `centre`.
fn ring(centre: Corner, radius: i64) -> impl Iterator<Item = Corner> {
    (-radius..=radius).flat_map(move |di| {
        let step = if di.abs() == radius { 1 } else { (2 * radius).max(1) };
        (-radius..=radius)
            .step_by(step as usize)
            .map(move |dj| (centre.0 + di, centre.1 + dj))
    })
}
