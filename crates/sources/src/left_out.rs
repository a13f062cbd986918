//! What a file holds that its image does not: pages, images, planes and metadata, each with the reason.

use std::fmt;
use std::path::{Path, PathBuf};

/// A part of a file that does not reach the image, or is not used as the file says it.
///
/// [`Display`](fmt::Display) gives one sentence without the name of the file, such as `page 3 is not used: it is
/// 8 x 6 uint8, the image is 64 x 48 uint16`. Levels of a pyramid are not parts of this kind: they hold nothing new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file in which the part lies.
    pub path: PathBuf,
    /// Which part it is.
    pub part: Part,
    /// Why it is left out, as the second half of a sentence.
    pub reason: String,
}

/// A part of an image file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Pages of a TIFF, counted from 0 along its chain of directories.
    Pages(Vec<u64>),
    /// Whatever comes after a page of a TIFF: the chain of directories breaks there.
    After {
        /// The last page that can be reached, counted from 0.
        page: u64,
    },
    /// A further image: [`open_image`](crate::open_image) opens it.
    Image {
        /// Its number, counted from 0.
        index: usize,
        /// Its name; empty if it has none.
        name: String,
    },
    /// Planes of the image that no file holds, counted as
    /// [`OpenImage::read_window`](crate::OpenImage::read_window) does.
    Planes(Vec<u64>),
    /// Something that the file says of itself.
    Metadata {
        /// What it is about, such as `pixel size`.
        name: String,
        /// The file's own words; empty if there are none worth quoting.
        says: String,
    },
}

impl LeftOut {
    pub(crate) fn new(path: &Path, part: Part, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            part,
            reason: reason.into(),
        }
    }

    pub(crate) fn metadata(path: &Path, name: &str, says: impl Into<String>, reason: impl Into<String>) -> Self {
        let says = shorten(&says.into());
        let name = name.to_owned();
        Self::new(path, Part::Metadata { name, says }, reason)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = &self.reason;
        match &self.part {
            Part::Pages(pages) => write!(f, "{} not used: {reason}", are("page", pages)),
            Part::After { page } => write!(f, "what follows page {page} is not used: {reason}"),
            Part::Image { index, name } if name.is_empty() => write!(f, "image {index} is not used: {reason}"),
            Part::Image { index, name } => write!(f, "image {index} ({name:?}) is not used: {reason}"),
            Part::Planes(planes) => write!(f, "{} missing: {reason}", are("plane", planes)),
            Part::Metadata { name, says } if says.is_empty() => write!(f, "the {name} is not used: {reason}"),
            Part::Metadata { name, says } => write!(f, "the {name} is not used: {reason}; the file says {says}"),
        }
    }
}

/// `page 3 is`, `pages 3 to 7 and 9 are`.
fn are(what: &str, numbers: &[u64]) -> String {
    match numbers {
        [number] => format!("{what} {number} is"),
        _ => format!("{what}s {} are", ranges(numbers)),
    }
}

/// Ascending numbers as people list them, neighbors joined; after ten ranges only their count.
pub(crate) fn ranges(numbers: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = |(first, last): &(u64, u64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    let mut texts: Vec<String> = ranges.iter().take(10).map(text).collect();
    if ranges.len() > texts.len() {
        let rest: u64 = ranges[texts.len()..].iter().map(|(first, last)| last - first + 1).sum();
        texts.push(format!("{rest} more"));
    }
    match texts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Text of a file for a message: one line, no longer than is read.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 160;
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(MOST) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_sentence_without_the_file() {
        let text = |part, reason: &str| LeftOut::new(Path::new("a.tif"), part, reason).to_string();
        assert_eq!(
            text(Part::Pages(vec![3, 4, 5, 9]), "they are 8 x 6"),
            "pages 3 to 5 and 9 are not used: they are 8 x 6"
        );
        assert_eq!(
            text(Part::Planes(vec![2]), "no page holds it"),
            "plane 2 is missing: no page holds it"
        );
        let image = |name: &str| Part::Image {
            index: 1,
            name: name.to_owned(),
        };
        assert_eq!(
            text(image("Pos1"), "only one is read"),
            "image 1 (\"Pos1\") is not used: only one is read"
        );
        assert_eq!(text(image(""), "x"), "image 1 is not used: x");
        let size = LeftOut::metadata(
            Path::new("a"),
            "pixel size",
            "PhysicalSizeX=\"0,1\"\n",
            "it is not a number",
        );
        assert_eq!(
            size.to_string(),
            "the pixel size is not used: it is not a number; the file says PhysicalSizeX=\"0,1\""
        );
        assert_eq!(text(Part::After { page: 0 }, "x"), "what follows page 0 is not used: x");
    }

    #[test]
    fn long_lists_are_counted() {
        assert_eq!(ranges(&[1, 2]), "1, 2");
        assert_eq!(ranges(&[1, 3, 4, 5]), "1 and 3 to 5");
        let odd: Vec<u64> = (0..40).map(|number| 2 * number).collect();
        assert_eq!(ranges(&odd), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and 30 more");
        assert_eq!(ranges(&[]), "");
    }
}
