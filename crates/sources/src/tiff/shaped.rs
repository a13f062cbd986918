//! Files of tifffile itself: the description is JSON with the shape of the array.

use std::sync::Arc;

use serde_json::Value;

use crate::SourceError;
use crate::tiff::axes::{Axes, elements};
use crate::tiff::series::{Chain, First, Series};

/// The series that the description announces; `None` if it announces none, or none that fits the first page.
pub(crate) fn series(chain: &mut Chain<'_, '_>, first: &First) -> Result<Option<Series>, SourceError> {
    let Some((shape, letters)) = first.descriptions.iter().take(2).find_map(|text| announced(text)) else {
        return Ok(None);
    };
    let layout = &first.page.layout;
    let page_shape = layout.shape();
    let (Some(size), Some(page_size)) = (elements(&shape), elements(&page_shape)) else {
        return Ok(None);
    };
    if size == 0 || !size.is_multiple_of(page_size) {
        return Ok(None);
    }
    let count = size / page_size;
    let pages = match first.repeated(count, chain) {
        _ if count == 1 => vec![first.page.clone()],
        Some(page) => vec![page],
        None => {
            let mut pages = vec![first.page.clone()];
            pages.extend(chain.pages(layout, count - 1)?);
            if (pages.len() as u64) < count {
                let text = format!(
                    "it announces an array of {shape:?}, which takes {count} pages, and has {}",
                    pages.len()
                );
                return Err(chain.reader.file().damaged(text));
            }
            if pages.iter().any(|page| !Arc::ptr_eq(&page.layout, layout)) {
                return Ok(None);
            }
            pages
        }
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
    Ok(Some(Series::new(Axes::new(shape, letters), Arc::clone(layout), pages)))
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
