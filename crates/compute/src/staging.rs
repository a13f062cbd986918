//! All or nothing: an image is built where no reader takes it for one, and becomes visible in one step, complete.
//!
//! Where the store can move a folder, it is built in `.{name}.partial` beside its path and moved there. Where it cannot, it is built in
//! place, and the group's own document, without which nothing is an image, is written last.

use std::cell::Cell;

use ome_zarr_convert_ngff::{is_group_document, remove_group};
use ome_zarr_convert_store::{Kind, Location, Lock, Publishing};

use crate::error::ComputeError;
use crate::ledger;
use crate::mark::Mark;
use crate::plan::ImagePlan;

/// Name of the document that claims a place in which an image is built.
const CLAIM: &str = ".ome-zarr-convert.begun.json";

/// Where an image is built. A lock beside it keeps other processes away, from the first look at the output until what it replaced is
/// removed.
pub(crate) struct Staging {
    dir: Location,
    target: Location,
    fate: Cell<Fate>,
    /// Held while the image is ours to build.
    _lock: Lock,
}

/// What becomes of the folder when it is let go of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is removed, so that a failure leaves nothing behind.
    Removed,
    /// It stays, so that the next run goes on with it.
    Kept,
    /// It has become the image.
    Published,
}

impl Staging {
    /// Makes the folder, or takes the one that an earlier run left. Fails when another process has it.
    pub(crate) fn begin(target: &Location, fingerprint: &str) -> Result<Self, ComputeError> {
        let lock = lock(target)?;
        let in_place = target.publishing() == Publishing::DocumentLast;
        let dir = if in_place {
            target.clone()
        } else {
            target.beside("partial")
        };
        let staging = Self {
            dir,
            target: target.clone(),
            fate: Cell::new(Fate::Removed),
            _lock: lock,
        };
        if in_place {
            staging.claim(fingerprint)?;
        } else {
            staging.dir.create_folder()?;
        }
        Ok(staging)
    }

    /// Where to write.
    pub(crate) fn dir(&self) -> &Location {
        &self.dir
    }

    /// Claims the image's own place for one conversion: what another conversion left there goes, its group's document first.
    fn claim(&self, fingerprint: &str) -> Result<(), ComputeError> {
        let claim = self.dir.child(CLAIM);
        if claim.read()?.is_some_and(|claimed| claimed == fingerprint.as_bytes()) {
            return Ok(());
        }
        remove_group(&self.dir)?;
        self.dir.remove_all()?;
        Ok(claim.write_whole(&[fingerprint.as_bytes()])?)
    }

    fn is_in_place(&self) -> bool {
        self.dir == self.target
    }

    /// Removes everything in the folder.
    pub(crate) fn clear(&self) -> Result<(), ComputeError> {
        if self.is_in_place() {
            return self.remove_from(&self.dir, |name, _| name != CLAIM);
        }
        self.dir.remove_all()?;
        Ok(self.dir.create_folder()?)
    }

    /// Removes what an earlier run left besides chunks and the ledger: it is written anew, and may be torn.
    pub(crate) fn clear_all_but_chunks(&self, plan: &ImagePlan) -> Result<(), ComputeError> {
        let kept =
            |name: &str| name == ledger::NAME || name == CLAIM || plan.levels.iter().any(|level| level.name == name);
        self.remove_from(&self.dir, |name, _| !kept(name))?;
        // Chunks lie in folders, what describes an array does not.
        let levels = plan.levels.iter().map(|level| self.dir.child(&level.name));
        levels
            .into_iter()
            .try_for_each(|level| self.remove_from(&level, |_, kind| kind != Kind::Folder))
    }

    fn remove_from(&self, folder: &Location, chosen: impl Fn(&str, Kind) -> bool) -> Result<(), ComputeError> {
        for entry in folder.list()?.into_iter().flatten() {
            let name = entry.name()?;
            if chosen(name, entry.kind) {
                folder.child(name).remove_all()?;
            }
        }
        Ok(())
    }

    /// Leaves the folder for the next run.
    pub(crate) fn keep(&self) {
        self.fate.set(Fate::Kept);
    }

    /// Makes the image visible: `write_group` writes the group's own document into the folder given. What was there (only allowed with `replace`) is
    /// removed after. With `durable`, every file and folder of the image is on disk before it appears, and so is its name before what it
    /// replaced goes.
    pub(crate) fn publish(
        self,
        mark: &Mark,
        finest: &str,
        how: Appearance,
        write_group: impl FnOnce(&Location) -> Result<(), ComputeError>,
    ) -> Result<(), ComputeError> {
        mark.write(&self.dir, finest)?;
        if self.is_in_place() {
            write_group(&self.dir)?;
            self.fate.set(Fate::Published);
            return Ok(self.dir.child(CLAIM).remove()?);
        }
        write_group(&self.dir)?;
        if how.durable {
            self.dir.sync_tree()?;
        }
        let published = self.dir.publish_to(self.target.key(), how.replace);
        let replaced = published.map_err(|error| match error.is_already_exists() {
            true => ComputeError::OutputExists {
                path: self.target.to_string(),
            },
            false => error.into(),
        })?;
        self.fate.set(Fate::Published);
        if how.durable
            && let Some(folder) = self.target.parent()
        {
            folder.sync()?;
        }
        // The image is complete: a ledger left in it would do no harm.
        let _ = self.target.child(ledger::NAME).remove();
        if let Some(replaced) = replaced {
            replaced.remove_all()?;
        }
        Ok(())
    }
}

/// How a finished image appears.
#[derive(Clone, Copy)]
pub(crate) struct Appearance {
    /// Whether it may take the place of what is there.
    pub(crate) replace: bool,
    /// Whether it must outlast a loss of power.
    pub(crate) durable: bool,
}

impl Drop for Staging {
    /// Removes the folder after a failure that running again would not mend, so that nothing is left behind.
    fn drop(&mut self) {
        // The error that led here is the one to report.
        if self.fate.get() == Fate::Removed {
            let _ = self.dir.remove_all();
        }
    }
}

/// Removes what a killed conversion left beside an image that is complete: what it replaced, a lock, a ledger.
pub(crate) fn sweep(target: &Location) -> Result<(), ComputeError> {
    target.child(ledger::NAME).remove()?;
    if is_claimed(target)? {
        target.child(CLAIM).remove()?;
    }
    let (partial, replaced, stale) = (
        target.beside("partial"),
        target.beside("replaced"),
        target.beside("lock"),
    );
    let mut left = false;
    for place in [&partial, &replaced, &stale] {
        left |= place.stat()?.is_some();
    }
    if !left {
        return Ok(());
    }
    // Another process may be at it: then it sweeps.
    let Some(_lock) = target.beside("lock").lock()? else {
        return Ok(());
    };
    partial.remove_all()?;
    Ok(replaced.remove_all()?)
}

/// Whether an interrupted conversion of the image at `target` left something that the next one goes on with.
///
/// # Errors
/// The store cannot tell.
pub fn is_unfinished(target: &Location) -> Result<bool, ComputeError> {
    Ok(target.beside("partial").stat()?.is_some() || is_claimed(target)?)
}

/// Whether an interrupted conversion claimed the place of an image that it builds there.
pub(crate) fn is_claimed(target: &Location) -> Result<bool, ComputeError> {
    let in_place = target.publishing() == Publishing::DocumentLast;
    Ok(in_place && target.child(CLAIM).stat()?.is_some())
}

/// Whether what lies at a location may be removed for an image: a Zarr of any kind, or a folder without files.
///
/// # Errors
/// The store cannot tell.
pub(crate) fn may_be_replaced(target: &Location) -> Result<bool, ComputeError> {
    for entry in target.list()?.into_iter().flatten() {
        if entry.name().is_ok_and(is_group_document) && entry.kind == Kind::File {
            return Ok(true);
        }
    }
    Ok(target.walk()?.is_none_or(|files| files.is_empty()))
}

fn lock(target: &Location) -> Result<Lock, ComputeError> {
    target.beside("lock").lock()?.ok_or_else(|| ComputeError::Busy {
        path: target.to_string(),
    })
}
