//! The files of an OME-TIFF set: which of them is this one, which lie beside it, and which are not there.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use ome_zarr_convert_geometry::Fault;

use crate::file::SourceFile;
use crate::tiff::directory::DirectoryReader;
use crate::tiff::layout::Layout;
use crate::tiff::ome::Image;
use crate::tiff::page::Page;
use crate::tiff::pages::{Found, Pages};
use crate::tiff::series::Contents;

use crate::SourceError;

/// How a `TiffData` element names a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum FileRef {
    /// Not at all: the file with the document.
    Unnamed,
    Named {
        uuid: String,
        name: String,
    },
}

/// A file of the set that was looked for.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Its number.
    Open(usize),
    Missing(Arc<str>),
}

pub(super) struct Files<'f> {
    pub(super) this: &'f SourceFile,
    /// The pages of each; this file is number 0.
    pub(super) pages: Vec<Vec<Found>>,
    pub(super) paths: Vec<PathBuf>,
    root_uuid: Option<String>,
    /// Whether the UUID of this file stands for files of several names, so that it says nothing.
    shared_uuid: bool,
    /// The one name that stands for this file, which was renamed.
    renamed: Option<FileRef>,
    known: HashMap<FileRef, Place>,
    /// Whether the document lies in another file.
    pub(super) binary_only: bool,
    /// Whether the other files are left alone.
    pub(super) only_this: bool,
    layout: Arc<Layout>,
}

impl<'f> Files<'f> {
    pub(super) fn new(contents: &Contents<'_, 'f>, root_uuid: Option<String>, own_document: bool) -> Self {
        Self {
            this: contents.reader.file(),
            pages: vec![contents.pages.found.clone()],
            paths: Vec::new(),
            root_uuid,
            shared_uuid: false,
            renamed: None,
            known: HashMap::new(),
            binary_only: !own_document,
            only_this: false,
            layout: Arc::clone(&contents.page.layout),
        }
    }

    /// Whether a name stands for this file.
    pub(super) fn is_this(&self, file: &FileRef) -> bool {
        match file {
            FileRef::Unnamed => !self.binary_only,
            FileRef::Named { uuid, name } => {
                let own = self.this.path().file_name().unwrap_or_default().to_string_lossy();
                (self.root_uuid.as_deref() == Some(uuid) && !self.shared_uuid)
                    || own.eq_ignore_ascii_case(base_name(name))
                    || self.renamed.as_ref() == Some(file)
            }
        }
    }

    /// Finds out whether this file goes by another name in its document: if no name is its own, and of all that are
    /// listed exactly one is not there.
    pub(super) fn find_this(&mut self, images: &[Image<'_, '_>]) -> Result<(), SourceError> {
        let own_uuid =
            |file: &&FileRef| matches!(file, FileRef::Named { uuid, .. } if self.root_uuid.as_ref() == Some(uuid));
        let entries = || images.iter().flat_map(|image| &image.entries).map(|entry| &entry.file);
        let mut called = entries().filter(own_uuid);
        let first = called.next();
        self.shared_uuid = called.any(|file| Some(file) != first);
        let mut names: HashSet<&FileRef> = HashSet::new();
        for file in entries() {
            if self.is_this(file) {
                return Ok(());
            }
            names.insert(file);
        }
        let mut absent: Vec<&FileRef> = Vec::new();
        for file in names {
            if !self.is_beside(file)? {
                absent.push(file);
                if absent.len() > 1 {
                    return Ok(());
                }
            }
        }
        self.renamed = absent.first().map(|file| (*file).clone());
        Ok(())
    }

    fn path(&self, file: &FileRef) -> Option<PathBuf> {
        match file {
            FileRef::Named { name, .. } if !base_name(name).is_empty() => {
                Some(self.this.path().with_file_name(base_name(name)))
            }
            _ => None,
        }
    }

    fn is_beside(&self, file: &FileRef) -> Result<bool, SourceError> {
        self.path(file).map_or(Ok(false), |path| SourceFile::is_there(&path))
    }

    /// The file of a name, opened if it is not yet.
    pub(super) fn find(&mut self, file: &FileRef) -> Result<Place, SourceError> {
        if self.is_this(file) {
            return Ok(Place::Open(0));
        }
        if self.only_this {
            return Ok(Place::Missing("it lies in another file".into()));
        }
        if let Some(place) = self.known.get(file) {
            return Ok(place.clone());
        }
        let place = match self.path(file) {
            None => Place::Missing("the OME-XML does not name its file".into()),
            Some(path) => match self.open(path) {
                Ok(number) => Place::Open(number),
                Err(error @ SourceError::Missing { .. }) => Place::Missing(error.reason().into()),
                Err(error) if error.fault() == Fault::Data => Place::Missing(error.to_string().into()),
                Err(error) => return Err(error),
            },
        };
        self.known.insert(file.clone(), place.clone());
        Ok(place)
    }

    fn open(&mut self, path: PathBuf) -> Result<usize, SourceError> {
        let file = SourceFile::open(&path)?;
        let mut reader = DirectoryReader::new(&file)?;
        let number = self.pages.len();
        let mut pages = Pages::read(&mut reader, Some(&self.layout))?.found;
        for found in &mut pages {
            if let Found::Page(page) = found {
                *page = Arc::new(Page {
                    file: number,
                    ..(**page).clone()
                });
            }
        }
        self.pages.push(pages);
        self.paths.push(path);
        Ok(number)
    }

    /// What the document calls this file, for messages.
    pub(super) fn own_name(&self) -> String {
        let uuid = self.root_uuid.as_ref();
        uuid.map_or_else(String::new, |uuid| format!("that this one is {uuid}"))
    }
}

/// The last part of a path as any system writes it.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default().trim()
}

/// The document of a set that lies in another file than the pixels.
pub(super) enum Master {
    Text(String),
    Unusable(String),
}

impl Master {
    /// Reads the document from the file `name` beside `this`: a TIFF or plain XML.
    pub(super) fn read(this: &SourceFile, name: &str) -> Result<Self, SourceError> {
        let name = base_name(name);
        let path = this.path().with_file_name(name);
        let text = if name.is_empty() {
            return Ok(Self::Unusable("it names no file that holds it".to_owned()));
        } else {
            Self::text(&path)
        };
        match text {
            Ok(text) => Ok(Self::Text(text)),
            Err(error) if error.fault() == Fault::Data => {
                Ok(Self::Unusable(format!("it lies in another file: {}", error.reason())))
            }
            Err(error) => Err(error),
        }
    }

    fn text(path: &std::path::Path) -> Result<String, SourceError> {
        let file = SourceFile::open(path)?;
        let mut head = [0; 1];
        file.read(0, &mut head, || "the header".to_owned())?;
        if matches!(head, [b'I' | b'M']) {
            let mut reader = DirectoryReader::new(&file)?;
            let first = reader.first;
            let directory = reader.directory(first, 0)?;
            let texts = reader.descriptions(&directory)?;
            return texts
                .into_iter()
                .next()
                .ok_or_else(|| file.damaged("it has no description"));
        }
        let mut bytes = vec![0; file.length() as usize];
        file.read(0, &mut bytes, || "the document".to_owned())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
