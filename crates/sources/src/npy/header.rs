//! The header of an NPY file: a Python dictionary in text, `{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }`.

use crate::file::SourceFile;
use crate::{PixelType, SourceError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) pixel_type: PixelType,
    /// Floating point numbers of 16 bits, which are widened.
    pub(crate) half: bool,
    pub(crate) big_endian: bool,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<u64>,
}

impl Header {
    /// Bytes of an element in the file.
    pub(crate) fn stored_bytes(&self) -> usize {
        if self.half { 2 } else { self.pixel_type.size_bytes() }
    }

    pub(crate) fn parse(file: &SourceFile, text: &str) -> Result<Self, SourceError> {
        let missing = |key: &str| file.damaged(format!("the NPY header has no valid {key}: {}", shorten(text)));
        let descr = value_of(text, "descr").ok_or_else(|| missing("descr"))?;
        let Some(descr) = quoted(descr) else {
            return Err(file.unsupported(
                format!("an NPY of structured type {}", shorten(descr)),
                "Save an array of numbers with numpy.save",
            ));
        };
        let fortran_order = match value_of(text, "fortran_order") {
            Some(value) if value.starts_with("True") => true,
            Some(value) if value.starts_with("False") => false,
            _ => return Err(missing("fortran_order")),
        };
        let shape = value_of(text, "shape")
            .and_then(tuple)
            .ok_or_else(|| missing("shape"))?;
        let Some(pixel_type) = pixel_type(descr) else {
            return Err(file.unsupported(
                format!("an NPY of type {descr:?}"),
                "Save it as bool, int8 to int64, uint8 to uint64, float32 or float64",
            ));
        };
        Ok(Self {
            pixel_type,
            half: code(descr) == HALF,
            big_endian: descr.starts_with('>'),
            fortran_order,
            shape,
        })
    }
}

/// What follows `'key':` in the dictionary.
fn value_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let (_, rest) = text.split_once(&format!("{quote}{key}{quote}"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    })
}

fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    Some(value[1..].split_once(quote)?.0)
}

fn tuple(value: &str) -> Option<Vec<u64>> {
    let (inside, _) = value.strip_prefix('(')?.split_once(')')?;
    let items = inside.split(',').map(str::trim).filter(|item| !item.is_empty());
    // Python 2 wrote long integers with an L.
    items.map(|item| item.trim_end_matches('L').parse().ok()).collect()
}

/// Numpy's codes of the types that are read, without byte order.
pub(crate) const TYPES: [(&str, PixelType); 12] = [
    ("b1", PixelType::Bool),
    ("?", PixelType::Bool),
    ("i1", PixelType::Int8),
    ("i2", PixelType::Int16),
    ("i4", PixelType::Int32),
    ("i8", PixelType::Int64),
    ("u1", PixelType::UInt8),
    ("u2", PixelType::UInt16),
    ("u4", PixelType::UInt32),
    ("u8", PixelType::UInt64),
    ("f4", PixelType::Float32),
    ("f8", PixelType::Float64),
];

const HALF: &str = "f2";

fn code(descr: &str) -> &str {
    descr.trim_start_matches(['<', '>', '|', '='])
}

fn pixel_type(descr: &str) -> Option<PixelType> {
    let code = code(descr);
    if code == HALF {
        return Some(PixelType::Float32);
    }
    TYPES.iter().find(|(name, _)| *name == code).map(|row| row.1)
}

fn shorten(text: &str) -> String {
    text.trim_end().chars().take(100).collect()
}
