//! Palettes: pixels are given as indices into them, which is worth telling unless they are a plain gray ramp.

use std::path::Path;

use crate::LeftOut;

/// What to tell of a palette of `colors` (red, green, blue, each up to `max`); nothing for a gray ramp.
pub(crate) fn told(path: &Path, colors: &[[u32; 3]], max: u32) -> Option<LeftOut> {
    let last = (colors.len() as u32).saturating_sub(1).max(1);
    let gray = |(index, [red, green, blue]): (usize, &[u32; 3])| {
        let index = index as u32;
        // The index itself, with as many bits as a color has, or spread over all of its range.
        let same = *red == index || *red == index * max.div_ceil(255) || red * last == index * max;
        red == green && green == blue && same
    };
    if colors.iter().enumerate().all(gray) {
        return None;
    }
    Some(LeftOut::metadata(
        path,
        "palette",
        "",
        "pixels are given as indices into it",
    ))
}

/// Colors of three bytes each, in rows of `step` bytes.
pub(crate) fn of_bytes(bytes: &[u8], step: usize) -> Vec<[u32; 3]> {
    let colors = bytes.chunks_exact(step);
    colors
        .map(|color| [color[0].into(), color[1].into(), color[2].into()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gray_ramps_say_nothing() {
        let told = |colors: &[[u32; 3]], max| told(Path::new("a"), colors, max).is_some();
        let ramp = |step: u32, count: u32| (0..count).map(|value| [value * step; 3]).collect::<Vec<_>>();
        assert!(!told(&ramp(1, 256), 255));
        assert!(!told(&ramp(1, 4), 255));
        assert!(!told(&ramp(257, 256), 65535));
        assert!(!told(&ramp(17, 16), 255));
        assert!(told(&ramp(3, 16), 255));
        assert!(told(&[[0, 0, 0], [255, 0, 0]], 255));
        assert!(told(&[[255; 3], [0; 3]], 255));
    }
}
