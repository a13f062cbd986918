//! Arithmetic on pixels of each data type: means for the pyramid, exact casts, values for display windows.

use ome_zarr_convert_geometry::PixelType;

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
pub(crate) struct Bool8(u8);

impl Pixel for Bool8 {
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
            ome_zarr_convert_geometry::PixelType::Bool => {
                type $T = $crate::pixel::Bool8;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Int8 => {
                type $T = i8;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Int16 => {
                type $T = i16;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Int32 => {
                type $T = i32;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Int64 => {
                type $T = i64;
                $body
            }
            ome_zarr_convert_geometry::PixelType::UInt8 => {
                type $T = u8;
                $body
            }
            ome_zarr_convert_geometry::PixelType::UInt16 => {
                type $T = u16;
                $body
            }
            ome_zarr_convert_geometry::PixelType::UInt32 => {
                type $T = u32;
                $body
            }
            ome_zarr_convert_geometry::PixelType::UInt64 => {
                type $T = u64;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Float32 => {
                type $T = f32;
                $body
            }
            ome_zarr_convert_geometry::PixelType::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(crate) use with_pixel;

/// A pixel value without loss, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    /// An integer above the largest `i64`.
    Large(u64),
    Float(f64),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Large(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}

/// Casts pixels of one data type to another. An error holds the first value that the target cannot hold exactly.
pub(crate) fn cast(source: &[u8], from: PixelType, target: &mut [u8], to: PixelType) -> Result<(), Value> {
    with_pixel!(from, S => {
        let source: &[S] = bytemuck::cast_slice(source);
        with_pixel!(to, T => cast_slice::<S, T>(source, bytemuck::cast_slice_mut(target)))
    })
}

fn cast_slice<S: Exact, T: Exact>(source: &[S], target: &mut [T]) -> Result<(), Value> {
    for (target, source) in target.iter_mut().zip(source) {
        let value = source.value();
        *target = T::exact(value).ok_or(value)?;
    }
    Ok(())
}

/// Conversions that lose nothing.
trait Exact: Copy {
    fn value(self) -> Value;
    /// The value as this type; `None` unless it is exactly the same. NaN stays NaN.
    fn exact(value: Value) -> Option<Self>;
}

macro_rules! exact_integer {
    ($($t:ty),*) => {$(
        impl Exact for $t {
            #[inline(always)]
            fn value(self) -> Value {
                match i64::try_from(self) {
                    Ok(value) => Value::Int(value),
                    // Only u64 gets here, and it is itself.
                    Err(_) => Value::Large(self as u64),
                }
            }

            #[inline(always)]
            fn exact(value: Value) -> Option<Self> {
                match value {
                    Value::Int(value) => Self::try_from(value).ok(),
                    Value::Large(value) => Self::try_from(value).ok(),
                    // A float of 2^64 saturates to a value that compares equal in f64 but is another: i128 does not.
                    Value::Float(value) => {
                        let whole = value as i128;
                        if whole as f64 == value { Self::try_from(whole).ok() } else { None }
                    }
                }
            }
        }
    )*};
}
exact_integer!(u8, u16, u32, u64, i8, i16, i32, i64);

macro_rules! exact_float {
    ($($t:ty),*) => {$(
        impl Exact for $t {
            #[inline(always)]
            fn value(self) -> Value {
                Value::Float(f64::from(self))
            }

            #[inline(always)]
            fn exact(value: Value) -> Option<Self> {
                let of_integer = |value: i128| {
                    let cast = value as Self;
                    (cast as i128 == value).then_some(cast)
                };
                match value {
                    Value::Int(value) => of_integer(i128::from(value)),
                    Value::Large(value) => of_integer(i128::from(value)),
                    Value::Float(value) => {
                        let cast = value as Self;
                        (f64::from(cast) == value || value.is_nan()).then_some(cast)
                    }
                }
            }
        }
    )*};
}
exact_float!(f32, f64);

impl Exact for Bool8 {
    fn value(self) -> Value {
        Value::Int(i64::from(self.0 != 0))
    }

    fn exact(value: Value) -> Option<Self> {
        match value {
            Value::Int(value @ 0..=1) => Some(Self(value as u8)),
            Value::Float(value) if value == 0.0 || value == 1.0 => Some(Self(value as u8)),
            _ => None,
        }
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

    /// Casts one pixel; the text is the value that does not fit.
    fn cast_one<S: bytemuck::NoUninit, T: bytemuck::Pod>(
        from: PixelType,
        value: S,
        to: PixelType,
    ) -> Result<T, String> {
        let mut out = [T::zeroed()];
        let cast = cast(
            bytemuck::cast_slice(&[value]),
            from,
            bytemuck::cast_slice_mut(&mut out),
            to,
        );
        cast.map(|()| out[0]).map_err(|value| value.to_string())
    }

    #[test]
    fn casts_are_exact_or_refused() {
        use PixelType::{Bool, Float32, Float64, Int8, Int64, UInt8, UInt16, UInt32, UInt64};
        assert_eq!(cast_one::<u16, u8>(UInt16, 255, UInt8), Ok(255));
        assert_eq!(cast_one::<u16, u8>(UInt16, 256, UInt8), Err("256".into()));
        assert_eq!(cast_one::<i64, u64>(Int64, -1, UInt64), Err("-1".into()));
        assert_eq!(cast_one::<u64, u64>(UInt64, u64::MAX, UInt64), Ok(u64::MAX));
        assert_eq!(cast_one::<u64, i64>(UInt64, u64::MAX, Int64), Err(u64::MAX.to_string()));
        assert_eq!(
            cast_one::<u64, i64>(UInt64, 9_007_199_254_740_993, Int64),
            Ok(9_007_199_254_740_993)
        );
        assert_eq!(cast_one::<i64, i64>(Int64, i64::MIN, Int64), Ok(i64::MIN));
        assert_eq!(
            cast_one::<i64, f64>(Int64, i64::MIN, Float64),
            Ok(-9_223_372_036_854_775_808.0)
        );
        assert_eq!(
            cast_one::<i64, f64>(Int64, i64::MAX, Float64),
            Err(i64::MAX.to_string())
        );
        assert_eq!(cast_one::<u32, f32>(UInt32, 16_777_216, Float32), Ok(16_777_216.0));
        assert_eq!(
            cast_one::<u32, f32>(UInt32, 16_777_217, Float32),
            Err("16777217".into())
        );
        assert_eq!(
            cast_one::<u32, f32>(UInt32, u32::MAX, Float32),
            Err(u32::MAX.to_string())
        );
        assert_eq!(cast_one::<f64, f32>(Float64, 0.1, Float32), Err("0.1".into()));
        assert_eq!(cast_one::<f64, f32>(Float64, 1e300, Float32), Err(1e300.to_string()));
        assert_eq!(cast_one::<f64, f32>(Float64, f64::INFINITY, Float32), Ok(f32::INFINITY));
        assert!(cast_one::<f64, f32>(Float64, f64::NAN, Float32).unwrap().is_nan());
        assert_eq!(cast_one::<f64, u8>(Float64, f64::NAN, UInt8), Err("NaN".into()));
        assert_eq!(
            cast_one::<f64, u64>(Float64, 18_446_744_073_709_551_616.0, UInt64),
            Err("18446744073709552000".into())
        );
        assert_eq!(
            cast_one::<f64, i64>(Float64, 9_223_372_036_854_775_808.0, Int64),
            Err("9223372036854776000".into())
        );
        assert_eq!(cast_one::<f32, i8>(Float32, -128.0, Int8), Ok(-128));
        assert_eq!(cast_one::<f32, i8>(Float32, 2.5, Int8), Err("2.5".into()));
        assert_eq!(cast_one::<u8, u8>(UInt8, 2, Bool), Err("2".into()));
        assert_eq!(cast_one::<u8, f32>(Bool, 1, Float32), Ok(1.0));
    }
}
