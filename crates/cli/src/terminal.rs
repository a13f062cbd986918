//! Progress for people: a bar on a terminal, plain lines elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use ome_zarr_convert_tasks::{Event, Progress};

use crate::log::say;

/// Shows bytes of pixels done, and images as they complete.
pub(crate) struct TerminalProgress {
    bar: ProgressBar,
    images: usize,
    complete: AtomicUsize,
}

impl TerminalProgress {
    pub(crate) fn new(images: usize, pixel_bytes: u64) -> Self {
        let bar = ProgressBar::new(pixel_bytes);
        let template = "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(format!("0/{images} images"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            images,
            complete: AtomicUsize::new(0),
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn image(&self, what: &str, path: &std::path::Path) {
        let complete = self.complete.fetch_add(1, Ordering::Relaxed) + 1;
        if self.bar.is_hidden() {
            say(&format!("{complete}/{} {what} {}", self.images, path.display()));
        } else {
            self.bar.set_message(format!("{complete}/{} images", self.images));
        }
    }
}

impl Progress for TerminalProgress {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::ChunkDone { pixel_bytes } => self.bar.inc(pixel_bytes),
            Event::ImageComplete { path } => self.image("done", path),
            Event::AlreadyComplete { path } => self.image("was complete:", path),
            Event::LevelsLeftOut { image, written, asked } => self.bar.suspend(|| {
                say(&format!(
                    "{image}: {written} of {asked} levels are written, smaller ones would not shrink any more"
                ));
            }),
            _ => {}
        }
    }
}
