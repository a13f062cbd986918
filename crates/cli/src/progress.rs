//! Who listens to a conversion: a terminal, a program that reads JSON lines, or nobody.

use std::sync::Mutex;

use ome_zarr_convert_tasks::documents::event_to_json;
use ome_zarr_convert_tasks::{Event, Progress, Silent};

use crate::run::ProgressKind;
use crate::terminal::TerminalProgress;

/// Writes every event as one JSON document per line on standard output.
#[derive(Default)]
pub(crate) struct JsonLines(Mutex<()>);

impl Progress for JsonLines {
    fn on(&self, event: Event<'_>) {
        let Some(line) = event_to_json(&event) else { return };
        // One line at a time, whatever thread it comes from.
        let _turn = self.0.lock();
        crate::log::print(&line.to_string());
    }
}

/// Whoever listens to a conversion.
pub(crate) enum Listener {
    Terminal(TerminalProgress),
    Json(JsonLines),
    Nobody(Silent),
}

impl Listener {
    pub(crate) fn new(kind: ProgressKind) -> Self {
        match kind {
            ProgressKind::Auto => Self::Terminal(TerminalProgress::new()),
            ProgressKind::Json => Self::Json(JsonLines::default()),
            ProgressKind::None => Self::Nobody(Silent),
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
