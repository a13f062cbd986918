//! Display windows: percentiles of the pixels above 0 of the coarsest level, per channel, exact over all of it.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::PixelType;

use crate::pixel::{Pixel, with_pixel};

/// Lower and upper end of a display window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Largest pixel above 0, or 0.
    pub(crate) largest: f64,
}

/// Collects the pixels of one channel: as counts where 16 bits number the values, else those at either end.
enum Values {
    Counts(Vec<u64>),
    Ends(Ends),
}

/// The smallest and the largest of many values, as many as percentiles near the ends can ask for.
pub(crate) struct Ends {
    keep: usize,
    values: u64,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Ends {
    /// For up to `most` values.
    fn of(most: u64) -> Self {
        Self {
            // One in a thousand from either end, and one for rounding.
            keep: (most / 1000 + 2) as usize,
            values: 0,
            low: Vec::new(),
            high: Vec::new(),
        }
    }

    /// Bytes that up to `most` values take.
    pub(crate) fn most_bytes(most: u64) -> u64 {
        2 * 8 * Self::of(most).length() as u64
    }

    /// Values that are held at either end: so many that sorting out the rest is rare.
    fn length(&self) -> usize {
        (2 * self.keep).max(4096)
    }

    fn add(&mut self, value: f64) {
        let most = self.length();
        self.values += 1;
        self.low.push(value);
        self.high.push(value);
        if self.low.len() == most {
            self.low.select_nth_unstable_by(self.keep, f64::total_cmp);
            self.low.truncate(self.keep);
            self.high.select_nth_unstable_by(self.keep, |a, b| b.total_cmp(a));
            self.high.truncate(self.keep);
        }
    }

    /// The percentiles 0.1 and 99.9, and the largest value.
    fn finish(mut self) -> Option<(f64, f64, f64)> {
        let largest = self.high.iter().copied().reduce(f64::max)?;
        let low = nearest(self.values, 0.1) as usize;
        let high = (self.values - 1 - nearest(self.values, 99.9)) as usize;
        let start = *self.low.select_nth_unstable_by(low, f64::total_cmp).1;
        let end = *self.high.select_nth_unstable_by(high, |a, b| b.total_cmp(a)).1;
        Some((start, end, largest))
    }
}

/// Collects pixels per channel, from any thread and in any order.
pub(crate) struct Windows {
    data_type: PixelType,
    channels: Vec<Mutex<Values>>,
}

impl Windows {
    /// For channels of up to `pixels` pixels.
    pub(crate) fn new(data_type: PixelType, channels: usize, pixels: u64) -> Self {
        let values = || match data_type {
            PixelType::UInt8 | PixelType::Int8 | PixelType::Bool => Values::Counts(vec![0; 256]),
            PixelType::UInt16 | PixelType::Int16 => Values::Counts(vec![0; 65536]),
            _ => Values::Ends(Ends::of(pixels)),
        };
        Self {
            data_type,
            channels: (0..channels).map(|_| Mutex::new(values())).collect(),
        }
    }

    /// Adds a run of pixels of a channel.
    pub(crate) fn add(&self, channel: usize, rows: impl Iterator<Item = impl AsRef<[u8]>>) {
        let Some(values) = self.channels.get(channel) else {
            return;
        };
        let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            with_pixel!(self.data_type, T => {
                let pixels: &[T] = bytemuck::cast_slice(row.as_ref());
                match &mut *values {
                    Values::Counts(counts) => {
                        for pixel in pixels {
                            let value = pixel.to_f64();
                            if value > 0.0 {
                                counts[value as usize] += 1;
                            }
                        }
                    }
                    Values::Ends(ends) => pixels
                        .iter()
                        .map(|pixel| pixel.to_f64())
                        .filter(|value| *value > 1e-16 && value.is_finite())
                        .for_each(|value| ends.add(value)),
                }
            });
        }
    }

    /// The windows of all channels: the 0.1 and 99.9 percentiles; where they coincide up to the largest value, where that is no
    /// more from 0; without pixels above 0 from 0 to 1.
    pub(crate) fn finish(self) -> Vec<Window> {
        let channel = |values: Mutex<Values>| {
            let (start, end, largest) = match values.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Values::Counts(counts) => of_counts(&counts),
                Values::Ends(ends) => ends.finish(),
            }?;
            let end = if end <= start { largest } else { end };
            let start = if end <= start { 0.0 } else { start };
            Some(Window { start, end, largest })
        };
        let empty = Window {
            start: 0.0,
            end: 1.0,
            largest: 0.0,
        };
        self.channels
            .into_iter()
            .map(|values| channel(values).unwrap_or(empty))
            .collect()
    }
}

/// Index of a percentile among `n` sorted values, the nearest one, rounded half to even (numpy's `nearest`).
fn nearest(n: u64, percent: f64) -> u64 {
    ((n - 1) as f64 * (percent / 100.0)).round_ties_even() as u64
}

fn of_counts(counts: &[u64]) -> Option<(f64, f64, f64)> {
    let n: u64 = counts.iter().sum();
    if n == 0 {
        return None;
    }
    let at = |index: u64| {
        let mut before = 0;
        let found = counts.iter().position(|count| {
            before += count;
            before > index
        });
        found.unwrap_or(0) as f64
    };
    Some((at(nearest(n, 0.1)), at(nearest(n, 99.9)), at(n - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(pixels: &[u16]) -> Window {
        let windows = Windows::new(PixelType::UInt16, 1, pixels.len() as u64);
        windows.add(0, std::iter::once(bytemuck::cast_slice::<u16, u8>(pixels)));
        windows.finish()[0]
    }

    #[test]
    fn windows_open_to_something_visible() {
        assert_eq!(
            window(&[0, 0]),
            Window {
                start: 0.0,
                end: 1.0,
                largest: 0.0
            }
        );
        assert_eq!(
            window(&[0, 7, 7]),
            Window {
                start: 0.0,
                end: 7.0,
                largest: 7.0
            }
        );
        assert_eq!(
            window(&[5; 3000].iter().copied().chain([9]).collect::<Vec<_>>()),
            Window {
                start: 5.0,
                end: 9.0,
                largest: 9.0
            }
        );
        // 0.1 % of 500 steps is half a step: to the even index 0; 99.9 % is 499.5: to 500.
        let ramp: Vec<u16> = (1..=501).collect();
        assert_eq!(
            window(&ramp),
            Window {
                start: 1.0,
                end: 501.0,
                largest: 501.0
            }
        );
        let ramp: Vec<u16> = (0..=2000).collect();
        assert_eq!(
            window(&ramp),
            Window {
                start: 3.0,
                end: 1998.0,
                largest: 2000.0
            }
        );
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
                assert_eq!(listed.finish()[0], window(pixels));
            }
        }
    }
}
