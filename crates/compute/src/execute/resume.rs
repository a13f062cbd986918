//! Goes on where an earlier run was killed: what is finished is not filled again.

use ome_zarr_convert_geometry::{Index5, PixelBox};

use super::Execution;
use crate::disk::{DiskLevel, Finding};
use crate::error::ComputeError;
use crate::ledger::Ledger;
use crate::plan::{ImagePlan, Y};

impl Execution<'_> {
    /// Whether an earlier run finished everything that a leaf ends in.
    pub(super) fn is_finished(&self, leaf: Index5) -> bool {
        !self.finished.is_empty() && self.finished[root_of(self.job.plan(), 0, leaf)]
    }

    /// Display windows need the coarsest level: what an earlier run finished of it is read again.
    pub(super) fn read_finished_windows(&self) -> Result<(), ComputeError> {
        let Some(writer) = self.writers.last().filter(|_| self.finished.contains(&true)) else {
            return Ok(());
        };
        let disk = DiskLevel::open(&writer.dir).map_err(unreadable)?;
        let chunks = writer.level.chunks();
        let mut read = Vec::new();
        chunks.each_cell(|chunk| {
            if self.finished[chunks.position(chunk)] {
                read.push(chunks.pixels_of(chunk));
            }
        });
        read.iter().try_for_each(|chunk| self.read_windows(&disk, chunk))
    }

    fn read_windows(&self, disk: &DiskLevel, chunk: &PixelBox) -> Result<(), ComputeError> {
        self.job.check_cancelled()?;
        let plan = self.job.plan();
        let own = |index: Index5| plan.own_axes(index);
        let pixels = disk.read_own(&own(chunk.start), &own(chunk.size)).map_err(unreadable)?;
        let [_, channels, planes, ..] = chunk.size;
        let row = (planes * chunk.size[Y] * chunk.size[Y + 1]) as usize * plan.data_type.size_bytes();
        for (number, row) in pixels.chunks(row.max(1)).enumerate() {
            let channel = chunk.start[1] + number as u64 % channels;
            // Bytes read from a store need not be aligned for their pixels.
            let aligned = self.job.pool.copy_of(row);
            self.windows.add(channel as usize, std::iter::once(aligned.bytes()));
        }
        Ok(())
    }
}

fn unreadable(finding: Finding) -> ComputeError {
    ComputeError::Resume {
        path: finding.path,
        problem: finding.problem,
    }
}

/// Position in the grid of the coarsest level of the chunk that `chunk` of a level ends in.
fn root_of(plan: &ImagePlan, level: usize, chunk: Index5) -> usize {
    let coarser = plan.levels[level + 1..].iter();
    let root = coarser.fold(chunk, |chunk, level| level.parent_of(chunk));
    plan.coarsest().chunks().position(root)
}

/// For every chunk of the coarsest level whether the ledger has all units that end in it; empty when it has none at all.
pub(super) fn finished(plan: &ImagePlan, ledger: &Ledger) -> Vec<bool> {
    if ledger.is_new() {
        return Vec::new();
    }
    let mut finished = vec![true; plan.coarsest().chunks().len() as usize];
    for (number, level) in plan.levels.iter().enumerate() {
        level.chunks().each_cell(|chunk| {
            if ledger.done((number, level.unit_of(chunk))).is_none() {
                finished[root_of(plan, number, chunk)] = false;
            }
        });
    }
    finished
}
