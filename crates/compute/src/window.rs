//! Display windows: percentiles of the pixels above 0 of the coarsest level, per channel, exact over all of it.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_ngff::DataType;

use crate::pixel::{Pixel, with_pixel};

/// Lower and upper end of a display window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Largest pixel above 0, or 0.
    pub(crate) largest: f64,
}

/// Collects the pixels of one channel: as counts where 16 bits number the values, else one by one.
enum Values {
    Counts(Vec<u64>),
    Each(Vec<f64>),
}

/// Collects pixels per channel, from any thread and in any order.
pub(crate) struct Windows {
    data_type: DataType,
    channels: Vec<Mutex<Values>>,
}

impl Windows {
    pub(crate) fn new(data_type: DataType, channels: usize) -> Self {
        let values = || match data_type {
            DataType::UInt8 | DataType::Int8 | DataType::Bool => Values::Counts(vec![0; 256]),
            DataType::UInt16 | DataType::Int16 => Values::Counts(vec![0; 65536]),
            _ => Values::Each(Vec::new()),
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
                    Values::Each(each) => each.extend(pixels.iter().map(|p| p.to_f64()).filter(|value| *value > 1e-16 && value.is_finite())),
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
                Values::Each(each) => of_values(each),
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

fn of_values(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    let n = values.len() as u64;
    let largest = values.iter().copied().reduce(f64::max)?;
    let mut at = |index: u64| *values.select_nth_unstable_by(index as usize, f64::total_cmp).1;
    Some((at(nearest(n, 0.1)), at(nearest(n, 99.9)), largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(pixels: &[u16]) -> Window {
        let windows = Windows::new(DataType::UInt16, 1);
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
        let pixels: Vec<u16> = (0..5000_u32).map(|i| (i * i % 4099) as u16).collect();
        let listed = Windows::new(DataType::UInt32, 1);
        let wide: Vec<u32> = pixels.iter().map(|p| u32::from(*p)).collect();
        listed.add(0, std::iter::once(bytemuck::cast_slice::<u32, u8>(&wide)));
        assert_eq!(listed.finish()[0], window(&pixels));
    }
}
