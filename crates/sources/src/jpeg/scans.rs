//! Whether the scans of a progressive JPEG give all of the image: decoders take the coarse image of the first ones for whole.

/// The scan that is lacking, if one is. Anything but a sound progressive stream is left to the decoder.
pub(super) fn lacking(stream: &[u8]) -> Option<String> {
    let mut components: Vec<u8> = Vec::new();
    // For each component and coefficient the lowest bit that a scan gave, plus 1; 0 for none.
    let mut given: Vec<[u8; 64]> = Vec::new();
    let mut rest = stream.get(2..)?;
    loop {
        // Entropy-coded data holds no marker but stuffed zeros and restarts.
        let at = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7 | 0x01))?;
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        if marker == 0xd9 {
            break;
        }
        let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
        let (segment, after) = rest.split_at_checked(length)?;
        match marker {
            // Of other processes a scan gives all there is.
            0xc0 | 0xc1 | 0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return None,
            0xc2 => {
                components = segment
                    .get(8..)?
                    .chunks_exact(3)
                    .map(|component| component[0])
                    .collect();
                given = vec![[0; 64]; components.len()];
            }
            0xda => note(segment, &components, &mut given)?,
            _ => {}
        }
        rest = after;
    }
    for (component, bits) in components.iter().zip(&given) {
        if let Some(coefficient) = bits.iter().position(|bit| *bit != 1) {
            return Some(format!(
                "its scans end before the image is complete: coefficient {coefficient} of component {component} is not exact"
            ));
        }
    }
    None
}

/// Notes down what a scan gives.
fn note(segment: &[u8], components: &[u8], given: &mut [[u8; 64]]) -> Option<()> {
    let count = usize::from(*segment.get(2)?);
    let names = segment.get(3..3 + 2 * count)?.chunks_exact(2).map(|pair| pair[0]);
    let [first, last, bits, ..] = *segment.get(3 + 2 * count..)? else {
        return None;
    };
    let band = usize::from(first)..usize::from(last) + 1;
    for name in names {
        let index = components.iter().position(|component| *component == name)?;
        given[index].get_mut(band.clone())?.fill((bits & 15) + 1);
    }
    Some(())
}
