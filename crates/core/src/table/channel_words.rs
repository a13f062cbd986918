//! Names of channels that people write into names of files.

/// Beginnings of names of dyes, proteins and kinds of light, in small letters.
const BEGINNINGS: [&str; 50] = [
    "dapi",
    "hoechst",
    "draq",
    "sytox",
    "syto",
    "gfp",
    "egfp",
    "fitc",
    "yfp",
    "eyfp",
    "cfp",
    "ecfp",
    "bfp",
    "ebfp",
    "rfp",
    "mrfp",
    "tagrfp",
    "mcherry",
    "mkate",
    "tdtomato",
    "dsred",
    "cy2",
    "cy3",
    "cy5",
    "cy7",
    "alexa",
    "af405",
    "af488",
    "af5",
    "af6",
    "af7",
    "atto",
    "texasred",
    "txred",
    "tritc",
    "rhodamine",
    "phalloidin",
    "tubulin",
    "actin",
    "mito",
    "lysotracker",
    "citrine",
    "mscarlet",
    "mneongreen",
    "mturquoise",
    "calcein",
    "brightfield",
    "transmitted",
    "ki67",
    "concanavalin",
];
/// Names that are channels only as a whole.
const WHOLE: [&str; 32] = [
    "bf",
    "dic",
    "ph",
    "tl",
    "pol",
    "ir",
    "nir",
    "pi",
    "er",
    "agp",
    "rna",
    "dna",
    "wga",
    "cona",
    "blue",
    "red",
    "green",
    "far",
    "farred",
    "uv",
    "orange",
    "cyan",
    "magenta",
    "yellow",
    "golgi",
    "bright",
    "phase",
    "phasecontrast",
    "trans",
    "edu",
    "brdu",
    "venus",
];
/// Wavelengths of lasers and lamps in nm.
const WAVELENGTHS: [&str; 34] = [
    "365", "385", "395", "405", "430", "440", "442", "445", "457", "458", "470", "473", "475", "488", "490", "514",
    "532", "546", "550", "555", "559", "560", "561", "568", "594", "633", "635", "637", "640", "647", "658", "660",
    "680", "730",
];

/// Whether a word is the name of a channel.
pub(super) fn is_channel_word(text: &str) -> bool {
    let text = text.to_lowercase();
    let number = text.strip_suffix("nm").unwrap_or(&text);
    WHOLE.contains(&text.as_str())
        || WAVELENGTHS.contains(&number)
        || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dyes_lights_and_wavelengths() {
        let channels = [
            "DAPI",
            "Hoechst33342",
            "GFP",
            "mCherry",
            "Cy5",
            "BF",
            "488",
            "561nm",
            "Brightfield",
            "Ki67",
        ];
        assert!(channels.into_iter().all(is_channel_word));
        let others = ["plate", "rep1", "DMSO", "100", "run", "A01", "transfected", "reduced"];
        assert!(!others.into_iter().any(is_channel_word));
    }
}
