//! Opens the sources of tiles and reads windows of their planes, by several threads where there are more of them than planes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ome_zarr_convert_sources::{OpenImage, Part, PlaneMut, SourceError, Window};

use super::Tiles;
use crate::check::check_source;
use crate::error::ComputeError;
use crate::event::Event;
use crate::job::Counters;

impl Tiles<'_> {
    /// The source of a placement, opened unless it is open.
    pub(super) fn open(&self, number: usize) -> Result<Arc<dyn OpenImage>, ComputeError> {
        let mut state = self.lock(number);
        if let Some(image) = &state.image {
            return Ok(image.clone());
        }
        let (plan, region) = (self.job.plan(), self.job.region(number));
        let opened = self.job.loader.open(&region.image_loader, self.job.resource);
        let image: Arc<dyn OpenImage> = opened.map_err(|error| self.unreadable(number, error))?.into();
        Counters::add(&self.job.counters.files_opened, 1);
        check_source(image.info(), region, &plan.placements[number], plan, self.required_type)?;
        // Other threads may close a source and open it again.
        if !std::mem::replace(&mut state.told, true) {
            self.tell_left_out(number, &*image);
        }
        state.image = Some(image.clone());
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(image)
    }

    /// Says what the file of a placement holds that its image does not. What a file says of itself and is not used is for `inspect`.
    fn tell_left_out(&self, number: usize, image: &dyn OpenImage) {
        let parts = image.left_out();
        let pixels = parts.iter().filter(|left| !matches!(left.part, Part::Metadata { .. }));
        for left in pixels {
            self.job.tell(Event::LeftOut {
                image: Some(self.job.image.path()),
                what: &self.job.describe(number),
                reason: &left.to_string(),
            });
        }
    }

    /// Reads a window; in bands by several threads where there are more of them than tiles.
    pub(super) fn read_window(
        &self,
        number: usize,
        image: &dyn OpenImage,
        plane: u64,
        window: Window,
        out: PlaneMut<'_>,
    ) -> Result<(), ComputeError> {
        const WORTH_IT_PIXELS: u64 = 1 << 20;
        let worth_it = self.bands > 1 && window.height * window.width >= WORTH_IT_PIXELS;
        let bands = match image.independent_rows().filter(|_| worth_it) {
            Some(rows) => window.bands(rows, self.bands),
            None => Vec::new(),
        };
        let read = match bands.len() {
            0 | 1 => image.read_window(plane, window, out),
            _ => read_bands(image, plane, bands, out),
        };
        read.map_err(|error| self.unreadable(number, error))
    }

    fn unreadable(&self, number: usize, source: SourceError) -> ComputeError {
        ComputeError::Source {
            tile: self.job.describe(number),
            source: Box::new(source),
        }
    }
}

/// Reads each band in a thread of its own: a thread of the pool that waits could take up work that needs the plane it has locked.
fn read_bands(image: &dyn OpenImage, plane: u64, bands: Vec<Window>, out: PlaneMut<'_>) -> Result<(), SourceError> {
    let row_stride = out.row_stride;
    std::thread::scope(|scope| {
        let mut rest = out.data;
        let mut threads = Vec::with_capacity(bands.len());
        for band in bands {
            let length = rest.len().min(band.height as usize * row_stride);
            let (data, below) = std::mem::take(&mut rest).split_at_mut(length);
            rest = below;
            threads.push(scope.spawn(move || image.read_window(plane, band, PlaneMut { data, row_stride })));
        }
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect::<Vec<_>>().into_iter().collect()
    })
}
