//! Default display colours of channels, by wavelength or by the closest known fluorophore name (the reference's rules).

/// Upper bounds in nanometres and their colours; 750 itself is still red, what lies beyond is magenta.
const WAVELENGTHS: [(u32, &str); 8] = [
    (380, "#FF00FF"),
    (450, "#0000FF"),
    (495, "#00FFFF"),
    (520, "#00FF00"),
    (560, "#00FF80"),
    (590, "#FFFF00"),
    (620, "#FF8000"),
    (751, "#FF0000"),
];

const FLUOROPHORES: [(&str, &str); 20] = [
    ("dapi", "#0000FF"),
    ("hoechst", "#0000FF"),
    ("blue", "#0000FF"),
    ("cfp", "#00FFFF"),
    ("cyan", "#00FFFF"),
    ("gfp", "#00FF00"),
    ("egfp", "#00FF00"),
    ("fitc", "#00FF00"),
    ("green", "#00FF00"),
    ("yfp", "#FFFF00"),
    ("yellow", "#FFFF00"),
    ("cy3", "#FFFF00"),
    ("rfp", "#FF0000"),
    ("mcherry", "#FF0000"),
    ("cy5", "#FF0000"),
    ("red", "#FF0000"),
    ("cy7", "#FF00FF"),
    ("magenta", "#FF00FF"),
    ("brightfield", "#808080"),
    ("gray", "#808080"),
];

/// Colours (`RRGGBB`) of channels that have neither name nor wavelength, in turn.
pub const CYCLE: [&str; 4] = ["00FFFF", "FF00FF", "FFFF00", "00FF00"];

/// `#RRGGBB` for a channel: by the first number in its wavelength id when that is a wavelength (200 to 1500 nm), else
/// by the known name most similar to its label.
pub fn default_color(label: &str, wavelength_id: Option<&str>) -> String {
    wavelength_id
        .and_then(by_wavelength)
        .unwrap_or_else(|| by_label(label))
        .to_owned()
}

/// `#RGB` expanded to `#RRGGBB`; six digits are kept as they are. `None` for anything else.
pub fn expand_hex(color: &str) -> Option<String> {
    let digits = color.strip_prefix('#')?;
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        6 => Some(color.to_owned()),
        3 => Some(
            std::iter::once('#')
                .chain(digits.chars().flat_map(|c| [c, c]))
                .collect(),
        ),
        _ => None,
    }
}

fn by_wavelength(id: &str) -> Option<&'static str> {
    let digits: String = id
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let nm: u32 = digits.parse().ok().filter(|nm| (200..=1500).contains(nm))?;
    Some(
        WAVELENGTHS
            .iter()
            .find(|(bound, _)| nm < *bound)
            .map_or("#FF00FF", |(_, color)| color),
    )
}

fn by_label(label: &str) -> &'static str {
    let label: Vec<char> = label.to_lowercase().chars().collect();
    let mut best = (-1.0, "#808080");
    for (name, color) in FLUOROPHORES {
        let name: Vec<char> = name.chars().collect();
        let ratio = similarity(&label, &name);
        if ratio > best.0 {
            best = (ratio, color);
        }
    }
    best.1
}

/// Twice the characters in matching blocks over all characters (Ratcliff and Obershelp), as Python's difflib counts
/// them: the colours of the reference follow from it. Its "popular characters" rule only starts at 200 characters.
fn similarity(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    2.0 * matching(a, b) as f64 / (a.len() + b.len()) as f64
}

fn matching(a: &[char], b: &[char]) -> usize {
    let (mut start_a, mut start_b, mut size) = (0, 0, 0);
    for i in 0..a.len() {
        for j in 0..b.len() {
            let run = a[i..].iter().zip(&b[j..]).take_while(|(x, y)| x == y).count();
            if run > size {
                (start_a, start_b, size) = (i, j, run);
            }
        }
    }
    if size == 0 {
        return 0;
    }
    let left = matching(&a[..start_a], &b[..start_b]);
    left + size + matching(&a[start_a + size..], &b[start_b + size..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wavelengths_come_before_names() {
        let cases = [
            ("x", Some("405"), "#0000FF"),
            ("x", Some("Ex_488nm"), "#00FFFF"),
            ("x", Some("750"), "#FF0000"),
            ("x", Some("751"), "#FF00FF"),
            ("GFP", Some("A01_C01"), "#00FF00"),
            ("Hoechst 33342", None, "#0000FF"),
            ("mCherry-A", None, "#FF0000"),
            ("Bright field", None, "#808080"),
            ("zzz", None, "#0000FF"),
        ];
        for (label, wavelength, color) in cases {
            assert_eq!(default_color(label, wavelength), color, "{label} {wavelength:?}");
        }
    }

    #[test]
    fn short_hex_is_expanded() {
        assert_eq!(expand_hex("#f0A").as_deref(), Some("#ff00AA"));
        assert_eq!(expand_hex("#00ff7F").as_deref(), Some("#00ff7F"));
        assert_eq!(
            (expand_hex("#ff"), expand_hex("00ff00"), expand_hex("#gggggg")),
            (None, None, None)
        );
    }
}
