//! Files of tifffile itself: the description is JSON with the shape of the array.

use std::sync::Arc;

use serde_json::Value;

use crate::LeftOut;
use crate::tiff::axes::{Axes, elements};
use crate::tiff::pages::Slot;
use crate::tiff::series::{Contents, Series};

/// The series that the description announces; `None` if it announces none, or none that fits the first page.
pub(crate) fn series(contents: &Contents<'_, '_>) -> Option<Series> {
    let mut texts = contents.descriptions.iter().take(2);
    let (shape, letters) = texts.find_map(|text| announced(text))?;
    let layout = &contents.page.layout;
    let page_shape = layout.shape();
    let (size, page_size) = (elements(&shape)?, elements(&page_shape)?);
    if size == 0 || !size.is_multiple_of(page_size) {
        return None;
    }
    let count = size / page_size;
    let pages = match contents.repeated(count) {
        Some(page) if count > 1 => vec![Slot::Page(Arc::new(page))],
        None if contents.pages.found.len() == 1 => contents.unlisted(count).or_else(|| contents.listed(count))?,
        _ => contents.listed(count)?,
    };
    let letters = letters
        .filter(|letters| letters.chars().count() == shape.len())
        .unwrap_or_else(|| {
            let mut known = Axes::new(page_shape, layout.axes());
            if count > 1 {
                known.shape.insert(0, count);
                known.letters.insert(0, 'Q');
            }
            known.letters_for(&shape)
        });
    let mut series = Series::new(Axes::new(shape, letters), Arc::clone(layout), pages);
    series.rest = format!("the description announces an array of {count} pages");
    Some(series)
}

/// What the description announces, if that is none of what [`series`] gives.
pub(crate) fn mismatch(contents: &Contents<'_, '_>) -> Option<LeftOut> {
    let mut texts = contents.descriptions.iter().take(2);
    let (shape, _) = texts.find_map(|text| announced(text))?;
    let reason = format!(
        "an array of {shape:?} does not fit the {} pages of {}",
        contents.pages.found.len(),
        contents.page.layout.describe()
    );
    let path = contents.reader.file().path();
    Some(LeftOut::metadata(path, "shape in the description", "", reason))
}

/// Shape and letters of the axes in a description.
fn announced(text: &str) -> Option<(Vec<u64>, Option<String>)> {
    if let Some(old) = text.strip_prefix("shape=(") {
        let sizes = old
            .split(')')
            .next()?
            .split(',')
            .map(str::trim)
            .filter(|size| !size.is_empty());
        return Some((sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?, None));
    }
    if !text.starts_with('{') || text.contains("\"mibi.") {
        return None;
    }
    let json: Value = serde_json::from_str(text).ok()?;
    let shape = json
        .get("shape")?
        .as_array()?
        .iter()
        .map(Value::as_u64)
        .collect::<Option<_>>()?;
    Some((shape, json.get("axes").and_then(Value::as_str).map(str::to_owned)))
}
