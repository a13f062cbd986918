//! All pages of a file: its chain of directories, followed to its end or to where it breaks.

use std::collections::HashSet;
use std::sync::Arc;

use ome_zarr_convert_geometry::Fault;
use tiff::tags::Tag;

use crate::SourceError;
use crate::tiff::directory::{Directory, DirectoryReader};
use crate::tiff::layout::Layout;
use crate::tiff::page::Page;

/// A page of the chain, readable or not.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Page(Arc<Page>),
    Unreadable(Unreadable),
}

/// A page whose pixels cannot be had, with what its directory says of them all the same.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub(crate) index: u64,
    layout: Option<Arc<Layout>>,
    /// Rows and columns in pixels.
    size: Option<(u64, u64)>,
    pub(crate) reason: Arc<str>,
}

impl Unreadable {
    /// Whether it stands for a page of this layout: what can be read of it does not contradict.
    pub(crate) fn stands_for(&self, layout: &Layout) -> bool {
        match (&self.layout, self.size) {
            (Some(own), _) => own.same_pixels(layout),
            (None, size) => size == Some((layout.rows, layout.width())),
        }
    }
}

impl Found {
    pub(crate) fn index(&self) -> u64 {
        match self {
            Self::Page(page) => page.index as u64,
            Self::Unreadable(page) => page.index,
        }
    }

    /// The page as part of an image of this layout; `None` if it is of another.
    pub(crate) fn slot(&self, layout: &Layout) -> Option<Slot> {
        match self {
            Self::Page(page) => page.layout.same_pixels(layout).then(|| Slot::Page(Arc::clone(page))),
            Self::Unreadable(page) => page.stands_for(layout).then(|| Slot::Missing {
                page: Some(page.index),
                reason: Arc::clone(&page.reason),
            }),
        }
    }
}

/// One page of an image, or the reason why there is none.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    Page(Arc<Page>),
    Missing {
        /// The page of this file that should hold it, if there is one.
        page: Option<u64>,
        reason: Arc<str>,
    },
}

impl Slot {
    pub(crate) fn missing(reason: impl Into<Arc<str>>) -> Self {
        Self::Missing {
            page: None,
            reason: reason.into(),
        }
    }

    pub(crate) fn page(&self) -> Option<&Arc<Page>> {
        match self {
            Self::Page(page) => Some(page),
            Self::Missing { .. } => None,
        }
    }
}

pub(crate) struct Pages {
    pub(crate) found: Vec<Found>,
    /// The directory of the first one: the place of all metadata.
    pub(crate) first: Directory,
    /// Why the chain ends earlier than its directories say.
    pub(crate) broken: Option<String>,
    /// Position of the second directory; 0 if there is none.
    pub(crate) second: u64,
}

impl Pages {
    /// Reads every directory. `known` is a layout that pages are likely to have.
    ///
    /// # Errors
    /// The first page cannot be read, or the environment fails. Of later pages that are damaged the reason is kept.
    pub(crate) fn read(reader: &mut DirectoryReader<'_>, known: Option<&Arc<Layout>>) -> Result<Self, SourceError> {
        let file = reader.file();
        let mut chain = Chain::new(reader);
        let first = chain.next(reader)?.ok_or_else(|| file.damaged("it has no pages"))?;
        let page = chain.page(reader, &first, known).map_err(|(_, error)| error)?;
        let layout = Arc::clone(&page.layout);
        let mut pages = Self {
            second: first.next,
            broken: first.unterminated.clone(),
            found: vec![Found::Page(Arc::new(page))],
            first,
        };
        loop {
            let directory = match chain.next(reader) {
                Ok(Some(directory)) => directory,
                Ok(None) => return Ok(pages),
                Err(error) if error.fault() == Fault::Data => {
                    pages.broken = Some(error.reason());
                    return Ok(pages);
                }
                Err(error) => return Err(error),
            };
            pages.broken = directory.unterminated.clone();
            pages.found.push(match chain.page(reader, &directory, Some(&layout)) {
                Ok(page) => Found::Page(Arc::new(page)),
                Err((layout, error)) if error.fault() == Fault::Data => {
                    let mut number = |tag| reader.first_number(&directory, tag).ok().flatten();
                    Found::Unreadable(Unreadable {
                        index: directory.index as u64,
                        size: number(Tag::ImageLength).zip(number(Tag::ImageWidth)),
                        layout,
                        reason: error.reason().into(),
                    })
                }
                Err((_, error)) => return Err(error),
            });
        }
    }

    /// The first page that can be read; the first of all for a file that opened.
    pub(crate) fn first_page(&self) -> Option<&Arc<Page>> {
        self.found.iter().find_map(|found| match found {
            Found::Page(page) => Some(page),
            Found::Unreadable(_) => None,
        })
    }
}

/// The chain of directories, read once from its start.
struct Chain {
    next: u64,
    index: usize,
    seen: HashSet<u64>,
    /// How many strips and tiles may still be listed: pages that share one list could otherwise multiply it.
    chunks_left: u64,
    /// How many tags may still be listed: directories that overlap could otherwise multiply them.
    tags_left: u64,
}

impl Chain {
    fn new(reader: &DirectoryReader<'_>) -> Self {
        let length = reader.file().length();
        Self {
            next: reader.first,
            index: 0,
            seen: HashSet::new(),
            // A listed chunk takes at least the two bytes of its position, a tag takes twelve.
            chunks_left: length / 2 + 64,
            tags_left: length / 12,
        }
    }

    fn next(&mut self, reader: &mut DirectoryReader<'_>) -> Result<Option<Directory>, SourceError> {
        if self.next == 0 {
            return Ok(None);
        }
        if !self.seen.insert(self.next) {
            let text = format!(
                "the directory after page {} is an earlier one again",
                self.index.saturating_sub(1)
            );
            return Err(reader.file().damaged(text));
        }
        let directory = reader.directory(self.next, self.index)?;
        self.tags_left = self.tags_left.checked_sub(directory.entries).ok_or_else(|| {
            let text = format!("the directories up to page {} overlap", self.index);
            reader.file().damaged(text)
        })?;
        self.next = directory.next;
        self.index += 1;
        Ok(Some(directory))
    }

    fn page(
        &mut self,
        reader: &mut DirectoryReader<'_>,
        directory: &Directory,
        known: Option<&Arc<Layout>>,
    ) -> Result<Page, (Option<Arc<Layout>>, SourceError)> {
        let layout = Layout::read(reader, directory).map_err(|error| (None, error))?;
        let layout = match known {
            Some(known) if **known == layout => Arc::clone(known),
            _ => Arc::new(layout),
        };
        Page::read(reader, directory, Arc::clone(&layout), &mut self.chunks_left).map_err(|error| (Some(layout), error))
    }
}
