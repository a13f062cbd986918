//! Display windows: percentiles of the pixels above 0 of the coarsest level, per channel, exact over all of it.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::PixelType;

use crate::pixel::{Pixel, with_pixel};

/// The display window of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// Lower and upper end.
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Smallest pixel below 0, or 0.
    pub(crate) smallest: f64,
    /// Largest pixel above 0, or 0.
    pub(crate) largest: f64,
}

/// What counts as different from 0: the reference's bound.
const NEARLY_ZERO: f64 = 1e-16;

/// Collects the pixels of one channel: as counts where 16 bits number the values, else those at either end.
enum Values {
    /// By bit pattern: negative values are in the upper half.
    Counts(Vec<u64>),
    Listed(Listed),
}

/// The ends of the values above 0; of those below, as long as there is none above.
struct Listed {
    above: Ends,
    below: Option<Ends>,
    smallest: f64,
}

impl Listed {
    fn of(most: u64) -> Self {
        Self {
            above: Ends::of(most),
            below: Some(Ends::of(most)),
            smallest: 0.0,
        }
    }

    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if value > NEARLY_ZERO {
            self.below = None;
            self.above.add(value);
        } else if value < -NEARLY_ZERO {
            self.smallest = self.smallest.min(value);
            if let Some(below) = &mut self.below {
                below.add(value);
            }
        }
    }
}

/// The smallest and the largest of many values, as many as percentiles near the ends can ask for.
struct Ends {
    keep: usize,
    most: usize,
    values: u64,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Ends {
    /// For up to `most` values.
    fn of(most: u64) -> Self {
        // One in a thousand from either end, and one for rounding.
        let keep = most / 1000 + 2;
        Self {
            keep: keep as usize,
            // So many that sorting out the rest is rare, or all.
            most: (2 * keep).max(4096).min(most + 1) as usize,
            values: 0,
            low: Vec::new(),
            high: Vec::new(),
        }
    }

    /// Bytes that up to `most` values take.
    fn most_bytes(most: u64) -> u64 {
        2 * 8 * Self::of(most).most as u64
    }

    fn add(&mut self, value: f64) {
        if self.values == 0 {
            self.low.reserve_exact(self.most);
            self.high.reserve_exact(self.most);
        }
        self.values += 1;
        self.low.push(value);
        self.high.push(value);
        if self.low.len() == self.most {
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
    pub(crate) fn new(data_type: PixelType, channels: u64, pixels: u64) -> Self {
        let values = || match counted(data_type, channels, pixels) {
            Some(values) => Values::Counts(vec![0; values]),
            None => Values::Listed(Listed::of(pixels)),
        };
        Self {
            data_type,
            channels: (0..channels).map(|_| Mutex::new(values())).collect(),
        }
    }

    /// Most bytes that the values of so many channels of up to `pixels` pixels take.
    pub(crate) fn most_bytes(data_type: PixelType, channels: u64, pixels: u64) -> u64 {
        let each = match counted(data_type, channels, pixels) {
            Some(values) => 8 * values as u64,
            None => Ends::most_bytes(pixels),
        };
        channels.saturating_mul(each + size_of::<Mutex<Values>>() as u64)
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
                        let bits = counts.len() - 1;
                        for pixel in pixels {
                            counts[pixel.to_f64() as i64 as usize & bits] += 1;
                        }
                    }
                    Values::Listed(listed) => pixels.iter().for_each(|pixel| listed.add(pixel.to_f64())),
                }
            });
        }
    }

    /// The windows of all channels: the 0.1 and 99.9 percentiles of what is above 0; where they coincide up to the largest value,
    /// where that is no more from 0. Where all is below 0, those of that, up to 0 if they coincide; without either from 0 to 1.
    pub(crate) fn finish(self) -> Vec<Window> {
        let is_signed = is_signed(self.data_type);
        let channel = |values: Mutex<Values>| {
            let (above, below, smallest) = match values.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Values::Counts(counts) => {
                    let (above, below) = counts.split_at(if is_signed { counts.len() / 2 } else { counts.len() });
                    let first = -(below.len() as f64);
                    let smallest = below.iter().position(|count| *count > 0);
                    (
                        of_counts(&above[1..], 1.0),
                        of_counts(below, first),
                        smallest.map_or(0.0, |at| first + at as f64),
                    )
                }
                Values::Listed(listed) => (
                    listed.above.finish(),
                    listed.below.and_then(Ends::finish),
                    listed.smallest,
                ),
            };
            match (above, below) {
                (Some((start, end, largest)), _) => {
                    let end = if end <= start { largest } else { end };
                    let start = if end <= start { 0.0 } else { start };
                    Window {
                        start,
                        end,
                        smallest,
                        largest,
                    }
                }
                (None, Some((start, end, _))) => {
                    let end = if end <= start { 0.0 } else { end };
                    Window {
                        start,
                        end,
                        smallest,
                        largest: 0.0,
                    }
                }
                (None, None) => Window {
                    start: 0.0,
                    end: 1.0,
                    smallest,
                    largest: 0.0,
                },
            }
        };
        self.channels.into_iter().map(channel).collect()
    }
}

const fn is_signed(data_type: PixelType) -> bool {
    matches!(
        data_type,
        PixelType::Int8
            | PixelType::Int16
            | PixelType::Int32
            | PixelType::Int64
            | PixelType::Float32
            | PixelType::Float64
    )
}

/// Number of values of a type that are counted one by one: up to 16 bits, unless that takes much memory and listing their ends less.
fn counted(data_type: PixelType, channels: u64, pixels: u64) -> Option<usize> {
    const MUCH: u64 = 32 << 20;
    let values: u64 = match data_type.size_bytes() {
        1 => 256,
        2 => 65536,
        _ => return None,
    };
    let is_worth_it = channels.saturating_mul(8 * values) <= MUCH || 8 * values <= Ends::most_bytes(pixels);
    is_worth_it.then_some(values as usize)
}

/// Index of a percentile among `n` sorted values, the nearest one, rounded half to even (numpy's `nearest`).
fn nearest(n: u64, percent: f64) -> u64 {
    ((n - 1) as f64 * (percent / 100.0)).round_ties_even() as u64
}

/// The percentiles 0.1 and 99.9 and the largest of counted values from `first` on.
fn of_counts(counts: &[u64], first: f64) -> Option<(f64, f64, f64)> {
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
        first + found.unwrap_or(0) as f64
    };
    Some((at(nearest(n, 0.1)), at(nearest(n, 99.9)), at(n - 1)))
}

#[cfg(test)]
mod tests;
