//! The first series of a file: which pages make up the array, with the shape and axes that tifffile gives it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::tiff::axes::Axes;
use crate::tiff::directory::{Directory, DirectoryReader};
use crate::tiff::page::{Layout, Page};
use crate::tiff::{imagej, ome, shaped, stk};
use crate::{FileMetadata, SourceError};

/// Pages in the order of the array; `None` is a page that no file has and that reads as zeros.
pub(crate) struct Series {
    pub(crate) axes: Axes,
    pub(crate) layout: Arc<Layout>,
    pub(crate) pages: Vec<Option<Page>>,
    /// The other files in which pages lie: [`Page::file`] minus 1 is an index into them.
    pub(crate) other_files: Vec<PathBuf>,
    pub(crate) metadata: FileMetadata,
}

impl Series {
    pub(crate) fn new(axes: Axes, layout: Arc<Layout>, pages: Vec<Page>) -> Self {
        let pages = pages.into_iter().map(Some).collect();
        Self {
            axes,
            layout,
            pages,
            other_files: Vec::new(),
            metadata: FileMetadata::default(),
        }
    }
}

/// The chain of directories, followed no further than needed.
pub(crate) struct Chain<'r, 'f> {
    pub(crate) reader: &'r mut DirectoryReader<'f>,
    next: u64,
    index: usize,
    seen: HashSet<u64>,
    /// How many strips and tiles may still be listed: pages that share one list could otherwise multiply it.
    chunks_left: u64,
    /// How many tags may still be listed: directories that overlap could otherwise multiply them.
    tags_left: u64,
}

impl<'r, 'f> Chain<'r, 'f> {
    pub(crate) fn new(reader: &'r mut DirectoryReader<'f>) -> Self {
        let length = reader.file().length();
        Self {
            next: reader.first,
            reader,
            index: 0,
            seen: HashSet::new(),
            // A listed chunk takes at least the two bytes of its position, a tag takes twelve.
            chunks_left: length / 2 + 64,
            tags_left: length / 12,
        }
    }

    /// Position of the next directory; 0 after the last.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next
    }

    pub(crate) fn next(&mut self) -> Result<Option<Directory>, SourceError> {
        if self.next == 0 {
            return Ok(None);
        }
        if !self.seen.insert(self.next) {
            let text = format!(
                "the directory after page {} is an earlier one again",
                self.index.saturating_sub(1)
            );
            return Err(self.reader.file().damaged(text));
        }
        let directory = self.reader.directory(self.next, self.index)?;
        self.tags_left = self.tags_left.checked_sub(directory.entries).ok_or_else(|| {
            let text = format!("the directories up to page {} overlap", self.index);
            self.reader.file().damaged(text)
        })?;
        self.next = directory.next;
        self.index += 1;
        Ok(Some(directory))
    }

    pub(crate) fn page(&mut self, directory: &Directory, known: Option<&Arc<Layout>>) -> Result<Page, SourceError> {
        Page::read(self.reader, directory, known, &mut self.chunks_left)
    }

    /// The next `count` pages, fewer where the file has no more.
    pub(crate) fn pages(&mut self, known: &Arc<Layout>, count: u64) -> Result<Vec<Page>, SourceError> {
        let mut pages = Vec::new();
        while (pages.len() as u64) < count
            && let Some(directory) = self.next()?
        {
            pages.push(self.page(&directory, Some(known))?);
        }
        Ok(pages)
    }
}

/// The first page, what comes after it still unread.
pub(crate) struct First {
    pub(crate) directory: Directory,
    pub(crate) page: Page,
    /// The texts that describe it: the place of all metadata.
    pub(crate) descriptions: Vec<String>,
}

impl First {
    /// The first page `count` times if that many lie in one piece behind it, with no directory among them.
    pub(crate) fn repeated(&self, count: u64, chain: &Chain<'_, '_>) -> Option<Page> {
        let start = self.page.contiguous()?;
        let end = self.page.layout.bytes().checked_mul(count)?.checked_add(start)?;
        let outside = |directory: u64| directory < start || end <= directory;
        let free = outside(self.directory.offset) && outside(chain.next_offset());
        (free && end <= chain.reader.file().length()).then(|| self.page.repeated(count, start))
    }
}

/// Finds out what kind of file it is, in the order of tifffile; what none of them recognises is a plain stack.
pub(crate) fn first_series(reader: &mut DirectoryReader<'_>) -> Result<Series, SourceError> {
    let file = reader.file();
    let mut chain = Chain::new(reader);
    let directory = chain.next()?.ok_or_else(|| file.damaged("it has no pages"))?;
    let page = chain.page(&directory, None)?;
    let descriptions = chain.reader.descriptions(&directory)?;
    let first = First {
        directory,
        page,
        descriptions,
    };

    if let Some(series) = shaped::series(&mut chain, &first)? {
        return Ok(series);
    }
    // The others are tried from the same place: a kind that fails after reading pages leaves the rest to the next.
    if ome::is_ome(&first) {
        if let Some(series) = ome::series(&mut chain, &first)? {
            return Ok(series);
        }
        chain = Chain::new(reader);
        chain.next()?;
    }
    if let Some(series) = imagej::series(&mut chain, &first)? {
        return Ok(series);
    }
    if let Some(series) = stk::series(&mut chain, &first)? {
        return Ok(series);
    }
    let reader = chain.reader;
    let mut chain = Chain::new(reader);
    chain.next()?;
    plain(&mut chain, first)
}

/// All pages that look like the first one.
fn plain(chain: &mut Chain<'_, '_>, first: First) -> Result<Series, SourceError> {
    let layout = Arc::clone(&first.page.layout);
    let mut pages = chain.pages(&layout, u64::MAX)?;
    pages.retain(|page| Arc::ptr_eq(&page.layout, &layout));
    pages.insert(0, first.page);
    let mut axes = Axes::new(layout.shape(), layout.axes());
    if pages.len() > 1 {
        axes.shape.insert(0, pages.len() as u64);
        axes.letters.insert(0, 'I');
    }
    Ok(Series::new(axes, layout, pages))
}
