//! Progress for people: a bar on a terminal, plain lines elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use ome_zarr_convert_tasks::{Event, Phase, Progress};

use crate::log::say;

/// Shows what is being done, bytes of pixels, and images as they complete.
pub(crate) struct TerminalProgress {
    bar: ProgressBar,
    images: AtomicUsize,
    ended: AtomicUsize,
}

impl TerminalProgress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            images: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn phase(&self, phase: Phase) {
        let text = match phase {
            Phase::Reading => "reading the acquisition",
            Phase::Planning => "planning images",
            Phase::Checking => "checking image files",
            Phase::SettingUp => "setting up outputs",
            _ => {
                let template =
                    "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left, {msg}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    self.bar.set_style(style);
                }
                self.bar.reset_elapsed();
                self.bar
                    .set_message(format!("0/{} images", self.images.load(Ordering::Relaxed)));
                return;
            }
        };
        self.bar.set_message(text);
    }

    /// An image ended, one way or another.
    fn image(&self, what: &str, image: &str) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        let images = self.images.load(Ordering::Relaxed);
        if self.bar.is_hidden() {
            say(&format!("{ended}/{images} {what} {image}"));
        } else {
            self.bar.set_message(format!("{ended}/{images} images"));
        }
    }
}

impl Progress for TerminalProgress {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Phase { phase } => self.phase(phase),
            Event::ImagePlanned { pixel_bytes, .. } => {
                self.images.fetch_add(1, Ordering::Relaxed);
                self.bar.inc_length(pixel_bytes);
            }
            Event::ChunkDone { pixel_bytes, .. } => self.bar.inc(pixel_bytes),
            Event::ImageComplete { image, .. } => self.image("done", image),
            Event::ImageKept { image, pixel_bytes } => {
                self.bar.inc(pixel_bytes);
                self.image("was complete:", image);
            }
            Event::ImageFailed { image, .. } => self.image("failed:", image),
            Event::LevelsLeftOut {
                image,
                written,
                requested,
            } => self.bar.suspend(|| {
                say(&format!(
                    "{image}: {written} of {requested} levels are written, further ones could not get smaller"
                ));
            }),
            _ => {}
        }
    }
}
