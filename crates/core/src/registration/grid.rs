//! Snaps fields of view to a regular grid of whole field sizes, which removes their overlap.

use super::{Field, Untileable, check_sizes};

/// Moves `(dx, dy)` per field. The steps between sorted positions (those above `tolerance`) must all lie within `tolerance`
/// of their median, per axis; an axis whose every step is within tolerance is one line, and a step under a tenth of the
/// field is stage noise, not a grid (the reference takes a pixel of noise for a cell and throws fields a whole tile aside).
pub(super) fn snap_to_grid(fields: &[Field], tolerance: f64) -> Result<Vec<(f64, f64)>, Untileable> {
    check_sizes(fields)?;
    let Some(first) = fields.first() else {
        return Ok(Vec::new());
    };
    let x = Line::find("x", fields.iter().map(|f| f.x).collect(), first.width, tolerance)?;
    let y = Line::find("y", fields.iter().map(|f| f.y).collect(), first.height, tolerance)?;
    Ok(fields
        .iter()
        .map(|field| (x.snap(field.x) - field.x, y.snap(field.y) - field.y))
        .collect())
}

/// The cells of one axis.
struct Line {
    origin: f64,
    /// Distance between neighbouring cells on the stage; `None` when there is one cell.
    step: Option<f64>,
    size: f64,
    last: f64,
}

impl Line {
    fn find(axis: &str, mut positions: Vec<f64>, size: f64, tolerance: f64) -> Result<Self, Untileable> {
        positions.sort_by(f64::total_cmp);
        let (origin, end) = (positions[0], positions[positions.len() - 1]);
        let mut steps: Vec<f64> = positions.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.retain(|step| *step > tolerance);
        if steps.is_empty() {
            return Ok(Self {
                origin,
                step: None,
                size,
                last: 0.0,
            });
        }
        steps.sort_by(f64::total_cmp);
        let middle = steps.len() / 2;
        let median = if steps.len() % 2 == 1 {
            steps[middle]
        } else {
            (steps[middle - 1] + steps[middle]) / 2.0
        };
        let (least, most) = (steps[0], steps[steps.len() - 1]);
        if steps.iter().any(|step| (step - median).abs() > tolerance) || median < size / 10.0 {
            return Err(Untileable::NotAGrid(format!(
                "fields of view are not on a regular grid: their {axis} steps lie between {least} and {most} pixels \
                 (median {median}, tolerance {tolerance}, field size {size}); raise the tolerance to cover the error of \
                 the stage, or use `Snap to Corners`, `Auto` or `Inplace`"
            )));
        }
        Ok(Self {
            origin,
            step: Some(median),
            size,
            last: ((end - origin) / median).round_ties_even(),
        })
    }

    /// The cell nearest to a position, the lower one of two as near.
    fn snap(&self, position: f64) -> f64 {
        let Some(step) = self.step else { return self.origin };
        let on_grid = self.origin + (position - self.origin) / step * self.size;
        let below = ((on_grid - self.origin) / self.size).floor().clamp(0.0, self.last);
        let above = (below + 1.0).min(self.last);
        let at = |cell: f64| self.origin + cell * self.size;
        let (low, high) = (at(below), at(above));
        if (on_grid - high).abs() < (on_grid - low).abs() {
            high
        } else {
            low
        }
    }
}
