//! The kinds of pixels, under the names that numpy gives them.

use std::fmt;

/// Type of one pixel, of one sample of a color pixel, or of one element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed, 8 bit.
    Int8,
    /// Signed, 16 bit.
    Int16,
    /// Signed, 32 bit.
    Int32,
    /// Signed, 64 bit.
    Int64,
    /// Unsigned, 8 bit.
    UInt8,
    /// Unsigned, 16 bit.
    UInt16,
    /// Unsigned, 32 bit.
    UInt32,
    /// Unsigned, 64 bit.
    UInt64,
    /// IEEE 754, 32 bit.
    Float32,
    /// IEEE 754, 64 bit.
    Float64,
}

impl PixelType {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Bool,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::Float32,
        Self::Float64,
    ];

    /// Name in numpy, `uint16`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// Type string of numpy for little-endian bytes, `<u2`.
    pub const fn type_string(self) -> &'static str {
        match self {
            Self::Bool => "|b1",
            Self::Int8 => "|i1",
            Self::Int16 => "<i2",
            Self::Int32 => "<i4",
            Self::Int64 => "<i8",
            Self::UInt8 => "|u1",
            Self::UInt16 => "<u2",
            Self::UInt32 => "<u4",
            Self::UInt64 => "<u8",
            Self::Float32 => "<f4",
            Self::Float64 => "<f8",
        }
    }

    /// The type of a numpy name (`uint16`) or numpy type string of any byte order (`<u2`, `>u2`, `=u2`, `|b1`, `u2`).
    pub fn from_name(name: &str) -> Option<Self> {
        let kind = name.trim_start_matches(['<', '>', '=', '|']);
        Self::ALL
            .into_iter()
            .find(|pixel_type| pixel_type.name() == name || &pixel_type.type_string()[1..] == kind)
    }

    /// Bytes of one element.
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::UInt8 => 1,
            Self::Int16 | Self::UInt16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 => 8,
        }
    }

    /// The largest value, for a display window; `None` for floats, which have no useful one.
    pub const fn max_value(self) -> Option<f64> {
        match self {
            Self::Bool => Some(1.0),
            Self::Int8 => Some(i8::MAX as f64),
            Self::Int16 => Some(i16::MAX as f64),
            Self::Int32 => Some(i32::MAX as f64),
            Self::Int64 => Some(i64::MAX as f64),
            Self::UInt8 => Some(u8::MAX as f64),
            Self::UInt16 => Some(u16::MAX as f64),
            Self::UInt32 => Some(u32::MAX as f64),
            Self::UInt64 => Some(u64::MAX as f64),
            Self::Float32 | Self::Float64 => None,
        }
    }
}

impl fmt::Display for PixelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_vocabulary_lead_back() {
        for pixel_type in PixelType::ALL {
            assert_eq!(PixelType::from_name(pixel_type.name()), Some(pixel_type));
            assert_eq!(PixelType::from_name(pixel_type.type_string()), Some(pixel_type));
            let digits: usize = pixel_type.type_string()[2..].parse().unwrap();
            assert_eq!(pixel_type.size_bytes(), digits);
        }
        assert_eq!(PixelType::from_name(">u2"), Some(PixelType::UInt16));
        assert_eq!(PixelType::from_name("=f4"), Some(PixelType::Float32));
        assert_eq!(PixelType::from_name("complex64"), None);
        assert_eq!(PixelType::from_name("<U2"), None);
        assert_eq!(PixelType::from_name("<uint16"), None);
    }
}
