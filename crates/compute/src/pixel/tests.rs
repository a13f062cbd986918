//! Values at the extremes of every type, cast and averaged.

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
fn weighted_means_are_exact_and_round_alike() {
    assert_eq!(u64::weighted(&[(u64::MAX, 1 << 40), (u64::MAX - 1, 1 << 40)]), u64::MAX);
    assert_eq!(u64::weighted(&[(u64::MAX, 1), (u64::MAX - 1, 2)]), u64::MAX - 1);
    assert_eq!(i64::weighted(&[(i64::MIN, 7), (i64::MIN, 3)]), i64::MIN);
    assert_eq!(i64::weighted(&[(i64::MIN, 1), (i64::MAX, 1)]), -1);
    assert_eq!(
        (u8::weighted(&[(0, 1), (1, 1)]), i8::weighted(&[(0, 1), (-1, 1)])),
        (1, -1)
    );
    assert_eq!(u16::weighted(&[(10, 3), (20, 1)]), 13);
    let [yes, no] = [Bool8(1), Bool8(0)];
    assert!(Bool8::weighted(&[(yes, 2), (no, 2)]) == yes && Bool8::weighted(&[(yes, 2), (no, 3)]) == no);
}

#[test]
fn what_is_no_number_does_not_count() {
    assert_eq!(f32::weighted(&[(f32::NAN, 9), (2.0, 1), (4.0, 1)]), 3.0);
    assert!(f64::weighted(&[(f64::NAN, 1), (f64::NAN, 1)]).is_nan());
    assert_eq!(f64::weighted(&[(f64::MAX, 3), (f64::MAX, 5)]), f64::MAX);
    assert_eq!(f64::weighted(&[(-f64::MAX, 1), (f64::MAX, 1)]), 0.0);
    assert_eq!(f32::weighted(&[(f32::MAX, 1 << 40), (f32::MAX, 1)]), f32::MAX);
    assert_eq!(f64::weighted(&[(f64::INFINITY, 1), (1.0, 1)]), f64::INFINITY);
}

proptest::proptest! {
    /// A mean of floats lies between the least and the greatest of them, so it is none of what they are not.
    #[test]
    fn weighted_means_lie_between(parts in proptest::collection::vec((proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL, 1..1_u64 << 40), 1..6)) {
        let mean = f64::weighted(&parts);
        let least = parts.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
        let greatest = parts.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
        proptest::prop_assert!((least..=greatest).contains(&mean), "{mean}");
    }

    /// Integers are as near to the mean as their type allows.
    #[test]
    fn weighted_means_of_integers_are_nearest(parts in proptest::collection::vec((proptest::num::i64::ANY, 1..1_u64 << 40), 1..6)) {
        let mean = i128::from(i64::weighted(&parts));
        let sum: i128 = parts.iter().map(|(value, weight)| i128::from(*value) * i128::from(*weight)).sum();
        let weights: i128 = parts.iter().map(|(_, weight)| i128::from(*weight)).sum();
        proptest::prop_assert!((2 * (mean * weights - sum)).abs() <= weights);
    }
}

/// Casts one pixel; the text is the value that does not fit.
fn cast_one<S: bytemuck::NoUninit, T: bytemuck::Pod>(from: PixelType, value: S, to: PixelType) -> Result<T, String> {
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
