//! The image of a file: which pages make up the array, with the shape and axes that tifffile gives it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::tiff::axes::Axes;
use crate::tiff::directory::DirectoryReader;
use crate::tiff::layout::Layout;
use crate::tiff::page::Page;
use crate::tiff::pages::{Found, Pages, Slot};
use crate::tiff::{imagej, ome, plain, shaped, stk};
use crate::{FileMetadata, LeftOut, Selection, SourceError};

/// Pages in the order of the array.
pub(crate) struct Series {
    pub(crate) axes: Axes,
    pub(crate) layout: Arc<Layout>,
    pub(crate) pages: Vec<Slot>,
    /// The other files in which pages lie: [`Page::file`] minus 1 is an index into them.
    pub(crate) other_files: Vec<PathBuf>,
    pub(crate) metadata: FileMetadata,
    /// What is known to be left out, beside the pages that are simply not among [`Self::pages`].
    pub(crate) left_out: Vec<LeftOut>,
    /// Why pages of the right size and type are not among [`Self::pages`].
    pub(crate) rest: String,
    /// Pages of this file that other images of it use.
    pub(crate) claimed: Vec<u64>,
    /// The images of the document that have planes in this file.
    pub(crate) images: Vec<usize>,
    /// The place of the first plane by letter, where not the whole image is read.
    pub(crate) first_plane: Option<[(char, u64); 3]>,
    /// How many channels are read, counting the samples of a pixel as one.
    pub(crate) channels: Option<u64>,
    /// Pages that are marked as white for 0 hold values as they are: the mark is about how they are shown.
    pub(crate) inverted_display: bool,
    /// Unsigned samples that stand for signed ones: 0 is the lowest.
    pub(crate) signed: bool,
}

impl Series {
    pub(crate) fn new(axes: Axes, layout: Arc<Layout>, pages: Vec<Slot>) -> Self {
        Self {
            axes,
            layout,
            pages,
            other_files: Vec::new(),
            metadata: FileMetadata::default(),
            left_out: Vec::new(),
            rest: "the image does not count it".to_owned(),
            claimed: Vec::new(),
            images: vec![0],
            first_plane: None,
            channels: None,
            inverted_display: false,
            signed: false,
        }
    }
}

/// A file whose directories have been read.
pub(crate) struct Contents<'r, 'f> {
    pub(crate) reader: &'r mut DirectoryReader<'f>,
    pub(crate) pages: Pages,
    /// The first page.
    pub(crate) page: Arc<Page>,
    /// The texts that describe it: the place of all metadata.
    pub(crate) descriptions: Vec<String>,
}

impl<'r, 'f> Contents<'r, 'f> {
    pub(crate) fn read(reader: &'r mut DirectoryReader<'f>) -> Result<Self, SourceError> {
        let pages = Pages::read(reader, None)?;
        let page = pages
            .first_page()
            .cloned()
            .ok_or_else(|| reader.file().damaged("it has no pages"))?;
        let descriptions = reader.descriptions(&pages.first)?;
        Ok(Self {
            reader,
            pages,
            page,
            descriptions,
        })
    }

    /// How many of `count` pages lie in one piece from the first one's pixels on, with no directory among them; all
    /// `count` of them as one page.
    pub(crate) fn repeated(&self, count: u64) -> Option<Page> {
        let start = self.page.contiguous()?;
        let end = self.page.layout.bytes().checked_mul(count)?.checked_add(start)?;
        let outside = |directory: u64| directory < start || end <= directory;
        let free = outside(self.pages.first.offset) && (self.pages.second == 0 || outside(self.pages.second));
        (free && end <= self.reader.file().length()).then(|| self.page.repeated(count, start))
    }

    /// `count` pages that lie in one piece behind the first one of a file that lists no other; those that a cut file
    /// lacks are missing. `None` if not even two are there.
    pub(crate) fn unlisted(&self, count: u64) -> Option<Vec<Slot>> {
        if let Some(page) = self.repeated(count) {
            return Some(vec![Slot::Page(Arc::new(page))]);
        }
        let start = self.page.contiguous()?;
        let length = self.reader.file().length();
        let held = length.saturating_sub(start).checked_div(self.page.layout.bytes())?;
        if held < 2 || is_beyond(count, held) {
            return None;
        }
        self.repeated(held)?;
        let single = |number: u64| {
            let page = self.page.repeated(1, start + number * self.page.layout.bytes());
            Slot::Page(Arc::new(page))
        };
        let reason: Arc<str> = format!("the file ends after {held} of {count} planes").into();
        let missing = || Slot::missing(Arc::clone(&reason));
        Some(
            (0..count)
                .map(|number| if number < held { single(number) } else { missing() })
                .collect(),
        )
    }

    /// The first `count` pages as parts of an image like the first one; those that are not there are missing. `None` if
    /// one is of another size or type.
    pub(crate) fn listed(&self, count: u64) -> Option<Vec<Slot>> {
        let layout = &self.page.layout;
        let found = self.pages.found.iter().take(count as usize);
        let mut slots = found.map(|found| found.slot(layout)).collect::<Option<Vec<_>>>()?;
        let held = slots.len() as u64;
        if is_beyond(count, held) {
            return None;
        }
        let reason: Arc<str> = format!("the file has {held} of {count} pages").into();
        slots.extend((held..count).map(|_| Slot::missing(Arc::clone(&reason))));
        Some(slots)
    }

    /// All pages of the size and type of `layout`.
    pub(crate) fn like(&self, layout: &Layout) -> Vec<Slot> {
        self.pages.found.iter().filter_map(|found| found.slot(layout)).collect()
    }

    /// How many pages look like the first one.
    pub(crate) fn count_like_first(&self) -> u64 {
        let layout = &self.page.layout;
        let like = |found: &&Found| found.slot(layout).is_some();
        self.pages.found.iter().filter(like).count() as u64
    }
}

/// Whether so few of so many planes are there that they are not those of one image; their list must not grow beyond the file.
fn is_beyond(count: u64, held: u64) -> bool {
    count > held.saturating_mul(8).saturating_add(1024)
}

/// Finds out what kind of file it is, in the order of tifffile; what none of them recognizes is a plain stack.
pub(crate) fn select(contents: &mut Contents<'_, '_>, selection: Selection) -> Result<Series, SourceError> {
    let path = contents.reader.file().path().to_owned();
    if let Some(series) = shaped::series(contents) {
        return Ok(series);
    }
    let mut left_out: Vec<LeftOut> = shaped::mismatch(contents).into_iter().collect();
    let mut metadata = None;
    if ome::is_ome(&contents.descriptions) {
        match ome::series(contents, selection)? {
            ome::Outcome::Series(series) => return Ok(*series),
            ome::Outcome::Unusable { left, stated } => {
                left_out.extend(left);
                metadata = stated;
            }
        }
    }
    if selection.image.is_some_and(|image| image > 0) {
        return Err(SourceError::NoImage {
            path,
            image: selection.image.unwrap_or_default(),
            images: 1,
        });
    }
    let mut series = match imagej::series(contents)? {
        Some(series) => series,
        None => match stk::series(contents)? {
            Some(series) => series,
            None => plain::series(contents),
        },
    };
    if let Some(metadata) = metadata {
        series.metadata = *metadata;
    }
    left_out.append(&mut series.left_out);
    series.left_out = left_out;
    Ok(series)
}
