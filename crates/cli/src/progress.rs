//! Progress for programs: one JSON document per line on standard output.

use std::sync::Mutex;

use ome_zarr_convert_tasks::{Event, Progress};
use serde_json::{Value, json};

use crate::arguments::ProgressKind;
use crate::terminal::TerminalProgress;

/// Writes every event as a line.
struct JsonLines(Mutex<()>);

impl Progress for JsonLines {
    fn on(&self, event: Event<'_>) {
        let Some(line) = document(event) else { return };
        // One line at a time, whatever thread it comes from.
        let _turn = self.0.lock();
        crate::log::print(&line.to_string());
    }
}

fn document(event: Event<'_>) -> Option<Value> {
    Some(match event {
        Event::Planned {
            image,
            tiles,
            pixel_bytes,
        } => {
            json!({"event": "planned", "image": image, "tiles": tiles, "pixel_bytes": pixel_bytes})
        }
        Event::LevelsLeftOut { image, written, asked } => {
            json!({"event": "levels_left_out", "image": image, "written": written, "asked": asked})
        }
        Event::ChunkDone { pixel_bytes } => json!({"event": "chunk_done", "pixel_bytes": pixel_bytes}),
        Event::TileRead { field_of_view, file } => {
            json!({"event": "tile_read", "field_of_view": field_of_view, "file": file})
        }
        Event::FileWritten { bytes } => json!({"event": "file_written", "bytes": bytes}),
        Event::ImageComplete { path } => json!({"event": "image_complete", "path": path}),
        Event::AlreadyComplete { path } => json!({"event": "already_complete", "path": path}),
        _ => return None,
    })
}

/// Whoever listens to a conversion.
pub(crate) enum Listener {
    Terminal(TerminalProgress),
    Json(Box<dyn Progress>),
    Nobody(ome_zarr_convert_tasks::Silent),
}

impl Listener {
    pub(crate) fn new(kind: ProgressKind, images: usize, pixel_bytes: u64) -> Self {
        match kind {
            ProgressKind::Auto => Self::Terminal(TerminalProgress::new(images, pixel_bytes)),
            ProgressKind::Json => Self::Json(Box::new(JsonLines(Mutex::new(())))),
            ProgressKind::None => Self::Nobody(ome_zarr_convert_tasks::Silent),
        }
    }

    pub(crate) fn finish(&self) {
        if let Self::Terminal(terminal) = self {
            terminal.finish();
        }
    }
}

impl Progress for Listener {
    fn on(&self, event: Event<'_>) {
        match self {
            Self::Terminal(terminal) => terminal.on(event),
            Self::Json(json) => json.on(event),
            Self::Nobody(silent) => silent.on(event),
        }
    }
}
