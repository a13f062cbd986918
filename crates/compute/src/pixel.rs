//! Arithmetic on pixels of each data type: means for the pyramid, exact casts, values for display windows.

use ome_zarr_convert_geometry::PixelType;

/// A pixel value. Means follow the reference: unsigned integers round half up, signed ones half away from zero, floats are the
/// mean of what is a number; booleans, which the reference turns all false, are true where at least half are.
pub(crate) trait Pixel: bytemuck::Pod + PartialOrd + Send + Sync {
    /// Whether [`Self::is_doubtful`] can be true, so that loops without that question stay tight.
    const MAY_DOUBT: bool = false;

    /// Mean of a 2 × 2 block, where [`Self::is_doubtful`] does not say otherwise.
    fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self;
    /// Mean of two neighbors, where [`Self::is_doubtful`] does not say otherwise.
    fn mean2(a: Self, b: Self) -> Self;
    /// Mean of pixels with their weights, which are not all 0. Exact for integers, which then round as [`Self::mean4`] rounds; of floats,
    /// what is no number does not count, and a mean lies between the least and the greatest of them.
    fn weighted(parts: &[(Self, u64)]) -> Self;
    /// Whether a mean made of [`Self::mean4`] or [`Self::mean2`] may have met a NaN or an overflow: [`Self::weighted`] knows better.
    #[inline(always)]
    fn is_doubtful(self) -> bool {
        false
    }
    /// The value as a float, exact up to 2^53.
    fn to_f64(self) -> f64;
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
            #[inline]
            fn weighted(parts: &[(Self, u64)]) -> Self {
                let (sum, weights) = sums(parts.iter().map(|(value, weight)| (i128::from(*value), *weight)));
                ((sum + weights / 2) / weights) as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
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
            #[inline]
            fn weighted(parts: &[(Self, u64)]) -> Self {
                let (sum, weights) = sums(parts.iter().map(|(value, weight)| (i128::from(*value), *weight)));
                ((sum.abs() + weights / 2) / weights * sum.signum()) as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

/// Sum of values times weights, and of weights. Weights are products of two distances in pixels, so 128 bits hold any number of tiles.
#[inline]
fn sums(parts: impl Iterator<Item = (i128, u64)>) -> (i128, i128) {
    parts.fold((0, 0), |(sum, weights), (value, weight)| {
        (sum + value * i128::from(weight), weights + i128::from(weight))
    })
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl Pixel for $t {
            const MAY_DOUBT: bool = true;

            #[inline(always)]
            fn mean4(a: Self, b: Self, c: Self, d: Self) -> Self {
                ((a as f64 + b as f64 + c as f64 + d as f64) / 4.0) as Self
            }
            #[inline(always)]
            fn mean2(a: Self, b: Self) -> Self {
                ((a as f64 + b as f64) / 2.0) as Self
            }
            #[inline]
            fn weighted(parts: &[(Self, u64)]) -> Self {
                weighted_float(parts.iter().map(|(value, weight)| (f64::from(*value), *weight as f64))) as Self
            }
            #[inline(always)]
            fn is_doubtful(self) -> bool {
                !self.is_finite()
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

/// The mean of the numbers among weighted values; NaN if there is none.
fn weighted_float(parts: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let numbers = parts.filter(|(value, _)| !value.is_nan());
    let (mut sum, mut weights, mut least, mut greatest) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for (value, weight) in numbers.clone() {
        sum += value * weight;
        weights += weight;
        least = value.min(least);
        greatest = value.max(greatest);
    }
    if weights == 0.0 {
        return f64::NAN;
    }
    // Sums of numbers near the largest overflow, where shares of them do not.
    let mean = match sum.is_finite() {
        true => sum / weights,
        false => numbers.map(|(value, weight)| value * (weight / weights)).sum(),
    };
    if mean.is_nan() {
        mean
    } else {
        mean.clamp(least, greatest)
    }
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
    #[inline]
    fn weighted(parts: &[(Self, u64)]) -> Self {
        let (votes, weights) = sums(parts.iter().map(|(value, weight)| (i128::from(value.0 != 0), *weight)));
        Self(u8::from(2 * votes >= weights))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self.0 != 0))
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
mod tests;
