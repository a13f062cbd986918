//! Boxes: the region of an image that one tile covers, one span per axis, in world units or in pixels.

use ome_zarr_convert_geometry::{Axis, Space, Span};
use serde_json::{Map, Value};

/// A named box: one span per axis of the image, and where the microscope said it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Roi {
    /// Name of the field of view.
    pub name: String,
    /// Label of the region, as label images number them.
    pub label: Option<u64>,
    /// Units of the spans.
    pub space: Space,
    /// Original starts in micrometers by axis (only x, y and z have them): `{axis}_micrometer_original`.
    pub originals: [Option<f64>; 5],
    /// Further columns for the ROI table, carried along.
    pub extra: Option<Box<Map<String, Value>>>,
    spans: [Option<Span>; 5],
}

impl Roi {
    /// A box with the given spans.
    pub fn new(name: impl Into<String>, space: Space, spans: impl IntoIterator<Item = (Axis, Span)>) -> Self {
        let mut roi = Self {
            name: name.into(),
            label: None,
            space,
            originals: [None; 5],
            extra: None,
            spans: [None; 5],
        };
        for (axis, span) in spans {
            roi.spans[axis.index()] = Some(span);
        }
        roi
    }

    /// The span along `axis`, if the box has that axis.
    pub fn get(&self, axis: Axis) -> Option<Span> {
        self.spans[axis.index()]
    }

    /// The span along `axis`; an axis that the box lacks is taken as one cell at 0.
    pub fn span(&self, axis: Axis) -> Span {
        self.get(axis).unwrap_or(Span {
            start: 0.0,
            length: 1.0,
        })
    }

    /// Axes of the box in array order.
    pub fn axes(&self) -> impl Iterator<Item = Axis> + '_ {
        Axis::ALL.into_iter().filter(|axis| self.get(*axis).is_some())
    }

    /// Sets the span along an axis.
    pub fn set(&mut self, axis: Axis, span: Span) {
        self.spans[axis.index()] = Some(span);
    }

    /// Moves the start along `axis`, if the box has it.
    pub fn set_start(&mut self, axis: Axis, start: f64) {
        if let Some(span) = &mut self.spans[axis.index()] {
            span.start = start;
        }
    }

    /// Moves the box along `axis`, if it has it.
    pub fn shift(&mut self, axis: Axis, by: f64) {
        if let Some(span) = &mut self.spans[axis.index()] {
            span.start += by;
        }
    }

    /// The smallest box around all, named after the first; its originals are those of the first box with the smallest
    /// start on the first axis (what the reference's ROI tables hold).
    pub fn union<'a>(rois: impl IntoIterator<Item = &'a Roi>) -> Option<Roi> {
        let mut rois = rois.into_iter();
        let first = rois.next()?;
        let mut whole = first.clone();
        let leading = first.axes().next();
        let mut smallest = leading.and_then(|axis| first.get(axis)).map(|span| span.start);
        for roi in rois {
            for axis in Axis::ALL {
                if let (Some(a), Some(b)) = (whole.get(axis), roi.get(axis)) {
                    let start = a.start.min(b.start);
                    whole.set(
                        axis,
                        Span {
                            start,
                            length: a.end().max(b.end()) - start,
                        },
                    );
                }
            }
            if let (Some(axis), Some(least)) = (leading, smallest)
                && let Some(span) = roi.get(axis)
                && span.start < least
            {
                smallest = Some(span.start);
                whole.originals = roi.originals;
                whole.extra = roi.extra.clone();
                whole.label = roi.label;
            }
        }
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_spans_all_and_keeps_the_first_smallest_original() {
        let roi = |start: f64, original: f64| {
            let span = |start| Span { start, length: 2.0 };
            let mut roi = Roi::new(
                "F",
                Space::Pixel,
                [(Axis::Z, span(start)), (Axis::X, span(10.0 - start))],
            );
            roi.originals[Axis::X.index()] = Some(original);
            roi
        };
        let union = Roi::union(&[roi(3.0, 1.0), roi(1.0, 2.0), roi(1.0, 3.0)]).unwrap();
        assert_eq!(
            union.span(Axis::Z),
            Span {
                start: 1.0,
                length: 4.0
            }
        );
        assert_eq!(
            union.span(Axis::X),
            Span {
                start: 7.0,
                length: 4.0
            }
        );
        assert_eq!(union.originals[Axis::X.index()], Some(2.0));
    }
}
