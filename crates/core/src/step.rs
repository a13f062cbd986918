//! The step of positions that lie evenly: what a table says of spacings without naming them.

/// How far steps may be from their mean, as a part of it: stages and clocks are not exact.
const NOISE: f64 = 0.1;

/// Whole steps that may be missing between two positions.
const MOST_MISSING: f64 = 10.0;

/// The step of positions along one axis, in their unit: the distance between neighbors, where all distances are whole multiples of it to
/// 10 %, and at least half of them a single one. Order and repeats do not matter.
///
/// `None`: there is one position only, or the steps are not even.
pub fn even_step(positions: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = positions
        .iter()
        .copied()
        .filter(|position| position.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let range = sorted.last()? - sorted.first()?;
    // Positions that differ by rounding are one.
    sorted.dedup_by(|b, a| *b - *a <= 1e-6 * range);
    let mut steps: Vec<f64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    // At least half are single ones, so the lower median is one.
    let single = *steps.get(steps.len().checked_sub(1)? / 2)?;
    let multiples: Vec<f64> = steps.iter().map(|step| (step / single).round()).collect();
    let even = |(step, multiple): (&f64, &f64)| {
        (1.0..=MOST_MISSING).contains(multiple) && (step / multiple - single).abs() <= NOISE * single
    };
    if !steps.iter().zip(&multiples).all(even) {
        return None;
    }
    Some(rounded(range / multiples.iter().sum::<f64>(), range))
}

/// Without the digits that only the noise of the last bits gives.
fn rounded(step: f64, range: f64) -> f64 {
    let unit = 10_f64.powi(range.log10().floor() as i32 - 9);
    let whole = (step / unit).round();
    // Dividing by a power of ten is exact where multiplying by its inverse is not.
    if unit < 1.0 {
        whole / unit.recip().round()
    } else {
        whole * unit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn even_positions_have_a_step() {
        assert_eq!(even_step(&[0.0, 2.0, 4.0]), Some(2.0));
        assert_eq!(even_step(&[0.9, 0.0, 0.3, 0.6, 0.3]), Some(0.3));
        assert_eq!(even_step(&[5123.4, 5125.4, 5127.4]), Some(2.0));
        assert_eq!(even_step(&[4.0, -1.5, -7.0]), Some(5.5));
        // A missing plane, and noise of the stage.
        assert_eq!(even_step(&[0.0, 2.0, 6.0]), Some(2.0));
        assert_eq!(even_step(&[0.0, 1.98, 4.03]), Some(2.015));
        assert_eq!(even_step(&[0.0, 0.25]), Some(0.25));
    }

    #[test]
    fn others_have_none() {
        assert_eq!(even_step(&[]), None);
        assert_eq!(even_step(&[3.0, 3.0, f64::NAN]), None);
        assert_eq!(even_step(&[0.0, 2.0, 5.0]), None);
        assert_eq!(even_step(&[0.0, 0.01, 2.0, 2.01]), None);
        assert_eq!(even_step(&[0.0, 1.0, 100.0]), None);
    }

    proptest! {
        #[test]
        fn any_even_positions_have_their_step(
            first in -1e4..1e4_f64,
            hundredths in 1..5000_u32,
            count in 2..60_usize,
            turn in 0..60_usize,
        ) {
            let step = f64::from(hundredths) / 100.0;
            let mut positions: Vec<f64> = (0..count).map(|index| first + index as f64 * step).collect();
            positions.rotate_left(turn % count);
            let found = even_step(&positions).unwrap();
            prop_assert!((found - step).abs() <= 1e-6 * step, "{found}, not {step}");
        }
    }
}
