//! The values of tags as numbers and texts, whatever type a writer chose for them.

use tiff::tags::{Tag, Type, ValueBuffer};

use crate::SourceError;
use crate::tiff::directory::{Directory, DirectoryReader};

impl DirectoryReader<'_> {
    /// The raw bytes of a value.
    pub(crate) fn raw(&mut self, directory: &Directory, tag: Tag) -> Result<Option<&[u8]>, SourceError> {
        Ok(self
            .value(&directory.tags, directory.index, tag)?
            .map(ValueBuffer::as_bytes))
    }

    /// The whole numbers of a tag; `None` if the directory has no such tag.
    pub(crate) fn numbers(&mut self, directory: &Directory, tag: Tag) -> Result<Option<Vec<u64>>, SourceError> {
        let file = self.file();
        let Some(value) = self.value(&directory.tags, directory.index, tag)? else {
            return Ok(None);
        };
        let bytes = value.as_bytes();
        let negative = |number: i64| {
            file.damaged(format!(
                "tag {} of page {} is {number}, below 0",
                tag.to_u16(),
                directory.index
            ))
        };
        let signed = |numbers: &mut dyn Iterator<Item = i64>| -> Result<Vec<u64>, SourceError> {
            numbers
                .map(|number| u64::try_from(number).map_err(|_| negative(number)))
                .collect()
        };
        Ok(Some(match value.data_type() {
            Type::SBYTE => signed(&mut bytes.iter().map(|number| i64::from(*number as i8)))?,
            Type::SSHORT => signed(
                &mut bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|number| i16::from_ne_bytes(*number).into()),
            )?,
            Type::SLONG => signed(
                &mut bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|number| i32::from_ne_bytes(*number).into()),
            )?,
            Type::SLONG8 => signed(&mut bytes.as_chunks().0.iter().map(|number| i64::from_ne_bytes(*number)))?,
            Type::BYTE | Type::UNDEFINED => bytes.iter().copied().map(u64::from).collect(),
            Type::SHORT => {
                let numbers = bytes.as_chunks().0.iter();
                numbers.map(|number| u16::from_ne_bytes(*number).into()).collect()
            }
            Type::LONG | Type::IFD => {
                let numbers = bytes.as_chunks().0.iter();
                numbers.map(|number| u32::from_ne_bytes(*number).into()).collect()
            }
            Type::LONG8 | Type::IFD8 => {
                let numbers = bytes.as_chunks().0.iter();
                numbers.map(|number| u64::from_ne_bytes(*number)).collect()
            }
            kind => {
                return Err(file.damaged(format!(
                    "tag {} of page {} is of type {}, not a whole number",
                    tag.to_u16(),
                    directory.index,
                    kind.to_u16()
                )));
            }
        }))
    }

    /// The first whole number of a tag.
    pub(crate) fn first_number(&mut self, directory: &Directory, tag: Tag) -> Result<Option<u64>, SourceError> {
        let numbers = self.numbers(directory, tag)?;
        Ok(numbers.and_then(|numbers| numbers.first().copied()))
    }

    /// The quotients of a tag of type rational; those divided by zero are left out.
    pub(crate) fn rationals(&mut self, directory: &Directory, tag: Tag) -> Result<Vec<f64>, SourceError> {
        Ok(match self.value(&directory.tags, directory.index, tag)? {
            Some(value) if value.data_type() == Type::RATIONAL => {
                let pairs = value.as_bytes().as_chunks::<4>().0.as_chunks::<2>().0.iter();
                let quotients = pairs.map(|pair| {
                    let [above, below] = pair.map(|number| f64::from(u32::from_ne_bytes(number)));
                    above / below
                });
                quotients.filter(|quotient| quotient.is_finite()).collect()
            }
            _ => Vec::new(),
        })
    }

    /// The descriptions of a page (tifffile writes two, Micro-Manager too), up to the first NUL each.
    pub(crate) fn descriptions(&mut self, directory: &Directory) -> Result<Vec<String>, SourceError> {
        let tag = Tag::ImageDescription;
        if !directory.contains(tag) {
            return Ok(Vec::new());
        }
        let places = self.places(directory.offset, || {
            format!("the directory of page {}", directory.index)
        })?;
        let mut texts = Vec::new();
        for place in places.into_iter().filter(|place| place.tag == tag.to_u16()) {
            let mut tags = tiff::Directory::empty();
            tags.extend([(tag, place.entry)]);
            let value = self.value(&tags, directory.index, tag)?;
            let is_text =
                |value: &&ValueBuffer| matches!(value.data_type(), Type::BYTE | Type::ASCII | Type::UNDEFINED);
            if let Some(value) = value.filter(is_text) {
                let bytes = value.as_bytes();
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                texts.push(match std::str::from_utf8(&bytes[..end]) {
                    Ok(text) => text.to_owned(),
                    // ImageJ and older MetaMorph write µ in Latin-1.
                    Err(_) => bytes[..end].iter().map(|byte| char::from(*byte)).collect(),
                });
            }
        }
        Ok(texts)
    }
}
