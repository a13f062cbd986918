//! A small TIFF writer: every tag, count and position can be wrong on purpose.

/// A tag's value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Short(Vec<u16>),
    Long(Vec<u32>),
    SignedLong(Vec<i32>),
    Text(Vec<u8>),
    Rational(u32, u32),
}

impl Value {
    /// Type, count and bytes.
    fn encode(&self) -> (u16, u32, Vec<u8>) {
        match self {
            Self::Short(values) => (
                3,
                values.len() as u32,
                values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
            Self::Long(values) => (
                4,
                values.len() as u32,
                values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
            Self::SignedLong(values) => (
                9,
                values.len() as u32,
                values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
            Self::Text(bytes) => (2, bytes.len() as u32, bytes.clone()),
            Self::Rational(above, below) => (
                5,
                1,
                [*above, *below].iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
        }
    }
}

/// A page with its strips.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawPage {
    pub(crate) tags: Vec<(u16, Value)>,
    pub(crate) strips: Vec<Vec<u8>>,
    /// Byte counts where they are not those of the strips.
    pub(crate) counts: Option<Vec<u32>>,
}

impl RawPage {
    /// Uncompressed 16-bit gray in strips of `rows`: pixel `i` is `first + i`.
    pub(crate) fn gray(first: u16, height: u32, width: u32, rows: u32) -> Self {
        let pixels: Vec<u16> = (0..(height * width) as u16).map(|pixel| first + pixel).collect();
        let strip = |pixels: &[u16]| pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        let strips = pixels.chunks((rows * width) as usize).map(strip).collect();
        let tags = vec![
            (256, Value::Long(vec![width])),
            (257, Value::Long(vec![height])),
            (258, Value::Short(vec![16])),
            (259, Value::Short(vec![1])),
            (262, Value::Short(vec![1])),
            (277, Value::Short(vec![1])),
            (278, Value::Long(vec![rows])),
        ];
        Self {
            tags,
            strips,
            counts: None,
        }
    }

    /// The same with a tag set.
    pub(crate) fn with(mut self, tag: u16, value: Value) -> Self {
        self.tags.retain(|(other, _)| *other != tag);
        self.tags.push((tag, value));
        self
    }

    pub(crate) fn described(self, text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.with(270, Value::Text(bytes))
    }
}

/// A little-endian TIFF of pages, pixels first; `last_next` is the position after the last directory, given the position of
/// the first.
pub(crate) fn write(pages: &[RawPage], last_next: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\0\0\0\0".to_vec();
    let mut first = 0;
    let mut patch = 4;
    let offsets: Vec<Vec<u32>> = pages.iter().map(|page| put_strips(&mut bytes, page)).collect();
    for (page, offsets) in pages.iter().zip(offsets) {
        let mut tags = page.tags.clone();
        if !offsets.is_empty() {
            let counts = page.strips.iter().map(|strip| strip.len() as u32).collect();
            tags.push((273, Value::Long(offsets)));
            tags.push((279, Value::Long(page.counts.clone().unwrap_or(counts))));
        }
        tags.sort_by_key(|(tag, _)| *tag);
        let start = bytes.len() as u32;
        bytes[patch..patch + 4].copy_from_slice(&start.to_le_bytes());
        first = if first == 0 { start } else { first };
        let mut extra = Vec::new();
        let extra_at = start + 2 + 12 * tags.len() as u32 + 4;
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in &tags {
            let (kind, count, mut data) = value.encode();
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            if data.len() > 4 {
                bytes.extend((extra_at + extra.len() as u32).to_le_bytes());
                data.resize(data.len().next_multiple_of(2), 0);
                extra.extend(data);
            } else {
                data.resize(4, 0);
                bytes.extend(data);
            }
        }
        patch = bytes.len();
        bytes.extend([0; 4]);
        bytes.extend(extra);
    }
    bytes[patch..patch + 4].copy_from_slice(&last_next(first).to_le_bytes());
    bytes
}

fn put_strips(bytes: &mut Vec<u8>, page: &RawPage) -> Vec<u32> {
    let put = |strip: &Vec<u8>| {
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        let offset = bytes.len() as u32;
        bytes.extend(strip);
        offset
    };
    page.strips.iter().map(put).collect()
}

/// A sound TIFF.
pub(crate) fn tiff(pages: &[RawPage]) -> Vec<u8> {
    write(pages, |_| 0)
}
