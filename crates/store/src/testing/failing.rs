//! A store that counts its calls, and fails when it is told to.

mod call;
mod opened;

use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Result, StoreError};
use crate::handle::{Append, Lock, ReadAt};
use crate::stat::{Entry, Found, Publishing, Stat};
use crate::store::Store;

pub use call::Call;
use opened::{Growing, Opened};

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it does anything.
    Before,
    /// After half of the bytes, for the calls that may be torn: [`Store::write`] and [`Append::append`]. Others fail before.
    Halfway,
    /// After it has done everything: the answer is lost.
    After,
}

/// A store that hands its calls on to another, counts them, and fails when it is told to. Its clones are the same store.
#[derive(Clone, Debug)]
pub struct FailingStore {
    inner: Arc<dyn Store>,
    record: Arc<Mutex<Record>>,
}

/// Says of a call, by its number from 1, its kind and its key, whether it fails.
type Chosen = Box<dyn FnMut(usize, Call, &str) -> bool + Send>;

#[derive(Default)]
struct Record {
    log: Vec<(Call, String)>,
    failure: Option<Failure>,
    failed: usize,
}

/// What fails, and how.
struct Failure {
    chosen: Chosen,
    kind: ErrorKind,
    moment: Moment,
    /// Whether everything fails from the first failure on.
    for_good: bool,
    began: bool,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("log", &self.log).finish_non_exhaustive()
    }
}

impl FailingStore {
    /// A store that does what `inner` does, until it is told to fail.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            record: Arc::default(),
        }
    }

    /// Fails call `number`, counted from 1 since the store was made or [forgot](Self::forget), and no other.
    pub fn fail_nth(&self, number: usize, kind: ErrorKind, moment: Moment) {
        self.fail(move |at, _, _| at == number, kind, moment, false);
    }

    /// Fails call `number` at that moment and everything after it before it does anything: what the store holds then is what a process
    /// leaves that is killed there.
    pub fn fail_from(&self, number: usize, kind: ErrorKind, moment: Moment) {
        self.fail(move |at, _, _| at >= number, kind, moment, true);
    }

    /// Fails the calls that `chosen` says, by their kind and key.
    pub fn fail_when(
        &self,
        mut chosen: impl FnMut(Call, &str) -> bool + Send + 'static,
        kind: ErrorKind,
        moment: Moment,
    ) {
        self.fail(move |_, call, key| chosen(call, key), kind, moment, false);
    }

    fn fail(
        &self,
        chosen: impl FnMut(usize, Call, &str) -> bool + Send + 'static,
        kind: ErrorKind,
        moment: Moment,
        for_good: bool,
    ) {
        self.record().failure = Some(Failure {
            chosen: Box::new(chosen),
            kind,
            moment,
            for_good,
            began: false,
        });
    }

    /// Fails no more.
    pub fn mend(&self) {
        self.record().failure = None;
    }

    /// Forgets the calls so far, so that they are counted from 1 again.
    pub fn forget(&self) {
        let mut record = self.record();
        record.log.clear();
        record.failed = 0;
    }

    /// The calls so far, each with its key (of two keys the first), in order of their beginning.
    pub fn log(&self) -> Vec<(Call, String)> {
        self.record().log.clone()
    }

    /// How many calls of a kind there were.
    pub fn count(&self, call: Call) -> usize {
        self.record().log.iter().filter(|(of, _)| *of == call).count()
    }

    /// How many calls failed on purpose.
    pub fn failed(&self) -> usize {
        self.record().failed
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call; says how it fails, if it does.
    fn note(&self, call: Call, key: &str) -> Option<(ErrorKind, Moment)> {
        let mut record = self.record();
        record.log.push((call, key.to_owned()));
        let number = record.log.len();
        let failure = record.failure.as_mut()?;
        let gone = failure.for_good && failure.began;
        if !gone && !(failure.chosen)(number, call, key) {
            return None;
        }
        failure.began = true;
        let moment = if gone { Moment::Before } else { failure.moment };
        let how = (failure.kind, moment);
        record.failed += 1;
        Some(how)
    }

    /// Carries a call out, or fails it.
    fn call<T>(&self, call: Call, key: &str, inner: impl FnOnce() -> Result<T>) -> Result<T> {
        self.torn(call, key, inner, || Ok(()))
    }

    /// Carries a call out, or fails it, perhaps after `half` of it.
    fn torn<T>(
        &self,
        call: Call,
        key: &str,
        inner: impl FnOnce() -> Result<T>,
        half: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        let Some((kind, moment)) = self.note(call, key) else {
            return inner();
        };
        match moment {
            Moment::Before => {}
            Moment::Halfway => half()?,
            Moment::After => drop(inner()?),
        }
        Err(StoreError::io("carry out, on purpose,", self.inner.location(key))(
            kind.into(),
        ))
    }
}

/// The first half of the bytes of some parts.
fn first_half(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = parts.concat();
    bytes.truncate(bytes.len() / 2);
    bytes
}

impl Store for FailingStore {
    fn location(&self, key: &str) -> String {
        self.inner.location(key)
    }

    fn local_path(&self, key: &str) -> Option<PathBuf> {
        self.inner.local_path(key)
    }

    fn stat(&self, key: &str) -> Result<Option<Stat>> {
        self.call(Call::Stat, key, || self.inner.stat(key))
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.call(Call::Read, key, || self.inner.read(key))
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Option<Vec<u8>>> {
        self.call(Call::ReadRange, key, || self.inner.read_range(key, range))
    }

    fn open(&self, key: &str) -> Result<Option<Box<dyn ReadAt>>> {
        let file = self.call(Call::Open, key, || self.inner.open(key))?;
        Ok(file.map(|file| {
            let (store, key) = (self.clone(), key.to_owned());
            Box::new(Opened { store, key, file }) as Box<dyn ReadAt>
        }))
    }

    fn list(&self, key: &str) -> Result<Option<Vec<Entry>>> {
        self.call(Call::List, key, || self.inner.list(key))
    }

    fn walk(&self, key: &str) -> Result<Option<Vec<Found>>> {
        self.call(Call::Walk, key, || self.inner.walk(key))
    }

    fn write_whole(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        self.call(Call::WriteWhole, key, || self.inner.write_whole(key, parts))
    }

    fn create(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        self.call(Call::Create, key, || self.inner.create(key, parts))
    }

    fn write_if_unchanged(&self, key: &str, seen: Option<&[u8]>, parts: &[&[u8]]) -> Result<bool> {
        self.call(Call::WriteIfUnchanged, key, || {
            self.inner.write_if_unchanged(key, seen, parts)
        })
    }

    fn write(&self, key: &str, parts: &[&[u8]]) -> Result<()> {
        let half = || self.inner.write(key, &[&first_half(parts)]);
        self.torn(Call::Write, key, || self.inner.write(key, parts), half)
    }

    fn appender(&self, key: &str, start: &[&[u8]]) -> Result<Box<dyn Append>> {
        let file = self.call(Call::Appender, key, || self.inner.appender(key, start))?;
        let (store, key) = (self.clone(), key.to_owned());
        Ok(Box::new(Growing { store, key, file }))
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.call(Call::Copy, from, || self.inner.copy(from, to))
    }

    fn create_folder(&self, key: &str) -> Result<()> {
        self.call(Call::CreateFolder, key, || self.inner.create_folder(key))
    }

    fn sync(&self, key: &str) -> Result<()> {
        self.call(Call::Sync, key, || self.inner.sync(key))
    }

    fn sync_tree(&self, key: &str) -> Result<()> {
        self.call(Call::SyncTree, key, || self.inner.sync_tree(key))
    }

    fn remove(&self, key: &str) -> Result<()> {
        self.call(Call::Remove, key, || self.inner.remove(key))
    }

    fn remove_empty_folder(&self, key: &str) -> Result<bool> {
        self.call(Call::RemoveEmptyFolder, key, || self.inner.remove_empty_folder(key))
    }

    fn remove_all(&self, key: &str) -> Result<()> {
        self.call(Call::RemoveAll, key, || self.inner.remove_all(key))
    }

    fn lock(&self, key: &str) -> Result<Option<Lock>> {
        self.call(Call::Lock, key, || self.inner.lock(key))
    }

    fn publishing(&self) -> Publishing {
        self.inner.publishing()
    }

    fn publish(&self, from: &str, to: &str, replace: bool) -> Result<Option<String>> {
        self.call(Call::Publish, from, || self.inner.publish(from, to, replace))
    }
}
