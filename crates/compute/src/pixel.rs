//! Arithmetic on pixels of each data type: means for the pyramid, exact casts, values for display windows.

use ome_zarr_convert_ngff::DataType;

/// A pixel value. Means follow the reference: unsigned integers round half up, signed ones half away from zero, floats are the
/// mean; booleans, which the reference turns all false, are true where at least half are.
pub(crate) trait Pixel: bytemuck::Pod + PartialOrd + Send + Sync {
    /// Mean of a 2 × 2 block.
    fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self;
    /// Mean of two neighbours.
    fn mean2(a: Self, b: Self) -> Self;
    /// The value as a float, exact up to 2^53.
    fn to_f64(self) -> f64;
    /// The pixel nearest to a mean of pixels: rounded as [`Self::mean4`] rounds.
    fn from_mean(mean: f64) -> Self;
}

macro_rules! unsigned {
    ($($t:ty as $wide:ty),*) => {$(
        impl Pixel for $t {
            #[inline(always)]
            fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self {
                ((a as $wide + b as $wide + c as $wide + d as $wide + 2) >> 2) as Self
            }
            #[inline(always)]
            fn mean2(a: Self, b: Self) -> Self {
                ((a as $wide + b as $wide + 1) >> 1) as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_mean(mean: f64) -> Self {
                (mean + 0.5).floor() as Self
            }
        }
    )*};
}

macro_rules! signed {
    ($($t:ty as $wide:ty),*) => {$(
        impl Pixel for $t {
            #[inline(always)]
            fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self {
                let sum = a as $wide + b as $wide + c as $wide + d as $wide;
                ((sum.abs() + 2) / 4 * sum.signum()) as Self
            }
            #[inline(always)]
            fn mean2(a: Self, b: Self) -> Self {
                let sum = a as $wide + b as $wide;
                ((sum.abs() + 1) / 2 * sum.signum()) as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_mean(mean: f64) -> Self {
                mean.round() as Self
            }
        }
    )*};
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl Pixel for $t {
            #[inline(always)]
            fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self {
                ((a as f64 + b as f64 + c as f64 + d as f64) / 4.0) as Self
            }
            #[inline(always)]
            fn mean2(a: Self, b: Self) -> Self {
                ((a as f64 + b as f64) / 2.0) as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_mean(mean: f64) -> Self {
                mean as Self
            }
        }
    )*};
}

// u16 sums in 32 bits, as the vector units of every x86-64 and AArch64 have them.
unsigned!(u8 as u16, u16 as u32, u32 as u64, u64 as u128);
signed!(i8 as i32, i16 as i32, i32 as i64, i64 as i128);
float!(f32, f64);

/// A boolean pixel, stored as a byte of 0 or 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub(crate) struct Truth(u8);

impl Pixel for Truth {
    #[inline(always)]
    fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self {
        let votes = u8::from(a.0 != 0) + u8::from(b.0 != 0) + u8::from(c.0 != 0) + u8::from(d.0 != 0);
        Self(u8::from(votes >= 2))
    }
    #[inline(always)]
    fn mean2(a: Self, b: Self) -> Self {
        Self(u8::from(a.0 != 0 || b.0 != 0))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self.0 != 0))
    }
    #[inline(always)]
    fn from_mean(mean: f64) -> Self {
        Self(u8::from(mean >= 0.5))
    }
}

/// Runs `$body` with `$T` being the pixel type of a data type.
macro_rules! with_pixel {
    ($data_type:expr, $T:ident => $body:expr) => {
        match $data_type {
            ome_zarr_convert_ngff::DataType::Bool => {
                type $T = $crate::pixel::Truth;
                $body
            }
            ome_zarr_convert_ngff::DataType::Int8 => {
                type $T = i8;
                $body
            }
            ome_zarr_convert_ngff::DataType::Int16 => {
                type $T = i16;
                $body
            }
            ome_zarr_convert_ngff::DataType::Int32 => {
                type $T = i32;
                $body
            }
            ome_zarr_convert_ngff::DataType::Int64 => {
                type $T = i64;
                $body
            }
            ome_zarr_convert_ngff::DataType::UInt8 => {
                type $T = u8;
                $body
            }
            ome_zarr_convert_ngff::DataType::UInt16 => {
                type $T = u16;
                $body
            }
            ome_zarr_convert_ngff::DataType::UInt32 => {
                type $T = u32;
                $body
            }
            ome_zarr_convert_ngff::DataType::UInt64 => {
                type $T = u64;
                $body
            }
            ome_zarr_convert_ngff::DataType::Float32 => {
                type $T = f32;
                $body
            }
            ome_zarr_convert_ngff::DataType::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(crate) use with_pixel;

/// Casts pixels of one data type to another, value by value. An error holds the first value that the target cannot hold.
pub(crate) fn cast(source: &[u8], from: DataType, target: &mut [u8], to: DataType) -> Result<(), f64> {
    with_pixel!(from, S => {
        let source: &[S] = bytemuck::cast_slice(source);
        with_pixel!(to, T => cast_slice::<S, T>(source, bytemuck::cast_slice_mut(target), to))
    })
}

fn cast_slice<S: Pixel, T: Pixel + FromF64>(source: &[S], target: &mut [T], to: DataType) -> Result<(), f64> {
    for (to_value, from_value) in target.iter_mut().zip(source) {
        let value = from_value.to_f64();
        *to_value = T::from_f64(value, to).ok_or(value)?;
    }
    Ok(())
}

/// Exact conversion from a float.
trait FromF64: Sized {
    fn from_f64(value: f64, data_type: DataType) -> Option<Self>;
}

macro_rules! from_f64 {
    ($($t:ty),*) => {$(
        impl FromF64 for $t {
            fn from_f64(value: f64, _: DataType) -> Option<Self> {
                let cast = value as Self;
                (cast as f64 == value).then_some(cast)
            }
        }
    )*};
}
from_f64!(u8, u16, u32, u64, i8, i16, i32, i64);

impl FromF64 for f32 {
    fn from_f64(value: f64, _: DataType) -> Option<Self> {
        Some(value as Self)
    }
}

impl FromF64 for f64 {
    fn from_f64(value: f64, _: DataType) -> Option<Self> {
        Some(value)
    }
}

impl FromF64 for Truth {
    fn from_f64(value: f64, _: DataType) -> Option<Self> {
        (value == 0.0 || value == 1.0).then_some(Self(value as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_as_documented() {
        assert_eq!(
            (
                u16::mean4(0, 0, 1, 1),
                u16::mean4(65535, 65535, 65535, 65534),
                u8::mean2(254, 255)
            ),
            (1, 65535, 255)
        );
        assert_eq!(
            (
                i16::mean4(-1, -1, 0, 0),
                i16::mean4(-1, 0, 0, 0),
                i16::mean4(3, 3, 4, 4)
            ),
            (-1, 0, 4)
        );
        assert_eq!(
            (
                i64::mean2(i64::MIN, i64::MIN),
                u64::mean4(u64::MAX, u64::MAX, u64::MAX, u64::MAX)
            ),
            (i64::MIN, u64::MAX)
        );
        assert_eq!(f32::mean4(0.5, 0.25, 0.0, 0.0), 0.1875);
    }

    #[test]
    fn casts_refuse_what_does_not_fit() {
        let mut out = [0_u8; 2];
        let source = [1_u16, 255];
        assert_eq!(
            cast(
                bytemuck::cast_slice(&source),
                DataType::UInt16,
                &mut out,
                DataType::UInt8
            ),
            Ok(())
        );
        assert_eq!(out, [1, 255]);
        let source = [1_u16, 256];
        assert_eq!(
            cast(
                bytemuck::cast_slice(&source),
                DataType::UInt16,
                &mut out,
                DataType::UInt8
            ),
            Err(256.0)
        );
    }
}
