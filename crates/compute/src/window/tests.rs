//! Windows of small channels, and counted against listed values.

use bytemuck::NoUninit;
use proptest::prelude::*;

use super::*;

/// The window of one channel: start, end, smallest and largest value.
fn window<T: NoUninit>(data_type: PixelType, pixels: &[T]) -> [f64; 4] {
    let windows = Windows::new(data_type, 1, pixels.len() as u64);
    windows.add(0, std::iter::once(bytemuck::cast_slice::<T, u8>(pixels)));
    let window = windows.finish()[0];
    [window.start, window.end, window.smallest, window.largest]
}

fn of_u16(pixels: &[u16]) -> [f64; 4] {
    window(PixelType::UInt16, pixels)
}

#[test]
fn windows_open_to_something_visible() {
    assert_eq!(of_u16(&[0, 0]), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(of_u16(&[0, 7, 7]), [0.0, 7.0, 0.0, 7.0]);
    let outlier: Vec<u16> = [5; 3000].iter().copied().chain([9]).collect();
    assert_eq!(of_u16(&outlier), [5.0, 9.0, 0.0, 9.0]);
    // 0.1 % of 500 steps is half a step: to the even index 0; 99.9 % is 499.5: to 500.
    let ramp: Vec<u16> = (1..=501).collect();
    assert_eq!(of_u16(&ramp), [1.0, 501.0, 0.0, 501.0]);
    let ramp: Vec<u16> = (0..=2000).collect();
    assert_eq!(of_u16(&ramp), [3.0, 1998.0, 0.0, 2000.0]);
}

#[test]
fn negative_pixels_give_the_smallest_value_and_the_window_where_there_are_no_others() {
    assert_eq!(
        window(PixelType::Int16, &[-32_i16, -1, 0, 5, 9]),
        [5.0, 9.0, -32.0, 9.0]
    );
    assert_eq!(window(PixelType::Int16, &[-32_i16, -7, 0]), [-32.0, -7.0, -32.0, 0.0]);
    assert_eq!(window(PixelType::Int8, &[-128_i8, -128]), [-128.0, 0.0, -128.0, 0.0]);
    assert_eq!(
        window(PixelType::Int16, &[i16::MIN, i16::MAX]),
        [0.0, 32767.0, -32768.0, 32767.0]
    );
    assert_eq!(
        window(PixelType::Float32, &[-1.5_f32, 0.0, -0.5]),
        [-1.5, -0.5, -1.5, 0.0]
    );
    assert_eq!(window(PixelType::Int32, &[-5_i32, 3, 4]), [3.0, 4.0, -5.0, 4.0]);
}

#[test]
fn what_is_no_number_does_not_count() {
    let nan = f32::NAN;
    let pixels = [nan, 0.25, f32::INFINITY, 0.5, f32::NEG_INFINITY, -0.125];
    assert_eq!(window(PixelType::Float32, &pixels), [0.25, 0.5, -0.125, 0.5]);
    assert_eq!(window(PixelType::Float64, &[f64::NAN, f64::NAN]), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn counted_and_listed_values_agree() {
    let scattered: Vec<u16> = (0..50_000_u32).map(|i| (i * i % 40_993) as u16).collect();
    let rising: Vec<u16> = (1..=60_000).collect();
    let falling: Vec<u16> = rising.iter().rev().copied().collect();
    for pixels in [&scattered, &rising, &falling] {
        for (part, most) in [
            (0..5000, 5000),
            (0..pixels.len(), pixels.len()),
            (0..499, 90_000),
            (0..1, 1),
        ] {
            let pixels = &pixels[part];
            let listed = Windows::new(PixelType::UInt32, 1, most as u64);
            let wide: Vec<u32> = pixels.iter().map(|p| u32::from(*p)).collect();
            listed.add(0, std::iter::once(bytemuck::cast_slice::<u32, u8>(&wide)));
            let listed = listed.finish()[0];
            assert_eq!(
                [listed.start, listed.end, listed.smallest, listed.largest],
                of_u16(pixels)
            );
        }
    }
}

/// Many channels of 16 bits do not count every value: a thousand would take half a gigabyte.
#[test]
fn many_channels_take_little_memory() {
    assert_eq!(counted(PixelType::UInt16, 64, 1 << 20), Some(65536));
    assert_eq!(counted(PixelType::UInt16, 1000, 1 << 20), None);
    // Nothing is won where as many values would be listed.
    assert_eq!(counted(PixelType::UInt16, 1000, 1 << 30), Some(65536));
    assert_eq!(counted(PixelType::UInt8, 4000, 1 << 20), Some(256));
    assert!(Windows::most_bytes(PixelType::UInt16, 1000, 16) < 1 << 20);
    assert!(Windows::most_bytes(PixelType::UInt16, 4, 16) >= 4 << 19);
}

proptest! {
    #[test]
    fn windows_lie_in_the_range_of_values(pixels in prop::collection::vec(any::<i16>(), 1..3000)) {
        let counted = window(PixelType::Int16, &pixels);
        let wide: Vec<i64> = pixels.iter().map(|pixel| i64::from(*pixel)).collect();
        prop_assert_eq!(counted, window(PixelType::Int64, &wide));
        let [start, end, smallest, largest] = counted;
        prop_assert!(start < end);
        prop_assert_eq!(smallest, f64::from(pixels.iter().copied().min().unwrap_or(0).min(0)));
        if pixels.iter().any(|pixel| *pixel != 0) {
            prop_assert!(smallest <= start && end <= largest.max(0.0));
        }
    }
}
