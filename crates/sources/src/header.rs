//! What the header of a source says, and a loader that remembers it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{ImageInfo, ImageLoader, LoaderSpec, OpenImage, SourceError};

/// What is known of a source once its header has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Shape and pixel type.
    pub info: ImageInfo,
    /// Whether parts of planes can be read on their own.
    pub cheap_windows: bool,
}

impl Header {
    /// The header of an opened source.
    pub fn of(image: &dyn OpenImage) -> Self {
        Self {
            info: image.info().clone(),
            cheap_windows: image.cheap_windows(),
        }
    }
}

/// Headers that were read, by the keys of their sources.
#[derive(Debug, Default)]
pub struct Headers(Mutex<HashMap<String, Header>>);

impl Headers {
    /// Adds the header of a source.
    pub fn insert(&self, spec: &LoaderSpec, header: Header) {
        self.lock().insert(key(spec), header);
    }

    /// A loader that reads each header once and adds it to these. Errors are not remembered.
    pub fn remembered_by<'a>(&'a self, loader: &'a dyn ImageLoader) -> RememberedHeaders<'a> {
        RememberedHeaders {
            loader,
            headers: self,
            adds: true,
        }
    }

    /// A loader that reads only headers that are not among these, and adds none: what is read for the last time need not stay in memory.
    pub fn known_to<'a>(&'a self, loader: &'a dyn ImageLoader) -> RememberedHeaders<'a> {
        RememberedHeaders {
            adds: false,
            ..self.remembered_by(loader)
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Header>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(spec: &LoaderSpec) -> String {
    Value::Object(spec.to_json()).to_string()
}

/// A loader that does not read headers again ([`Headers`]).
#[derive(Clone, Copy)]
pub struct RememberedHeaders<'a> {
    loader: &'a dyn ImageLoader,
    headers: &'a Headers,
    adds: bool,
}

impl ImageLoader for RememberedHeaders<'_> {
    fn open(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        self.loader.open(spec, resource)
    }

    fn header(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Header, SourceError> {
        let known = self.headers.lock().get(&key(spec)).cloned();
        if let Some(header) = known {
            return Ok(header);
        }
        let header = self.loader.header(spec, resource)?;
        if self.adds {
            self.headers.insert(spec, header.clone());
        }
        Ok(header)
    }

    fn preflight(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<(), SourceError> {
        self.loader.preflight(spec, resource)
    }

    fn source_file(&self, spec: &LoaderSpec, resource: Option<&str>) -> Option<PathBuf> {
        self.loader.source_file(spec, resource)
    }
}
