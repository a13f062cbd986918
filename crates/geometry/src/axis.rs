//! Axes of an image, and intervals along them in world units or in pixels.

/// One number per axis in array order `t c z y x`; an axis that an image lacks counts as one cell.
pub type Index5 = [u64; 5];

/// An axis of an image. The order of the variants is the order of the axes in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Time, in seconds.
    T,
    /// Channel, an index.
    C,
    /// Depth, in micrometers.
    Z,
    /// Rows of a plane, in micrometers.
    Y,
    /// Columns of a plane, in micrometers.
    X,
}

impl Axis {
    /// All axes in array order.
    pub const ALL: [Self; 5] = [Self::T, Self::C, Self::Z, Self::Y, Self::X];

    /// `t`, `c`, `z`, `y` or `x`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::T => "t",
            Self::C => "c",
            Self::Z => "z",
            Self::Y => "y",
            Self::X => "x",
        }
    }

    /// The axis of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|axis| axis.name() == name)
    }

    /// The axes of a text such as `czyx`; `None` for an unknown letter.
    pub fn from_letters(letters: &str) -> Option<Vec<Self>> {
        letters
            .chars()
            .map(|letter| Self::from_name(letter.encode_utf8(&mut [0; 4])))
            .collect()
    }

    /// The names of axes as one text, such as `czyx`.
    pub fn letters(axes: &[Self]) -> String {
        axes.iter().map(|axis| axis.name()).collect()
    }

    /// Position in an [`Index5`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// An interval `[start, start + length)` along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Span {
    /// First coordinate.
    pub start: f64,
    /// Extent; not negative.
    pub length: f64,
}

impl Span {
    /// The coordinate after the last one.
    pub fn end(self) -> f64 {
        self.start + self.length
    }
}

/// The units of a position or length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// Micrometers, seconds, channel indices.
    World,
    /// Pixels, planes, time points, channel indices.
    Pixel,
}

impl Space {
    /// `world` or `pixel`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::World => "world",
            Self::Pixel => "pixel",
        }
    }
}

/// A coordinate in pixels; one within 0.01 of a whole pixel is that pixel, since positions carry rounding errors.
pub fn world_to_pixel(value: f64, pixel_size: f64) -> f64 {
    let pixels = value / pixel_size;
    let whole = pixels.round_ties_even();
    if (whole - pixels).abs() < 0.01 { whole } else { pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_almost_whole_snaps() {
        assert_eq!(world_to_pixel(6.5, 0.65), 10.0);
        assert_eq!(world_to_pixel(10.0099, 1.0), 10.0);
        assert_eq!(world_to_pixel(10.015625, 1.0), 10.015625);
        assert_eq!(world_to_pixel(-0.009, 1.0), 0.0);
    }

    #[test]
    fn letters_are_axes() {
        assert_eq!(
            Axis::from_letters("czyx"),
            Some(vec![Axis::C, Axis::Z, Axis::Y, Axis::X])
        );
        assert_eq!(Axis::from_letters("sx"), None);
        assert_eq!(Axis::letters(&Axis::ALL), "tczyx");
    }
}
