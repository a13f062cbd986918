//! Every JSON that machines read from a conversion: events as lines, summaries, plans and verdicts. (The contract with Fractal is in
//! [`fractal`](crate::fractal).)

use std::time::Duration;

use ome_zarr_convert_compute::{Decoding, Event, LeftOut, Phase};
use ome_zarr_convert_geometry::Fault;
use serde_json::{Map, Value, json};

use crate::plan::PlannedConversion;
use crate::summary::Summary;
use crate::verify::Verified;

/// An event as one line of `--progress json`: `event` names it. `None` for events that this version does not write.
pub fn event_to_json(event: &Event<'_>) -> Option<Value> {
    Some(match *event {
        Event::Phase { phase } => json!({"event": "phase", "phase": phase.name()}),
        Event::AcquisitionRead { images, tiles } => {
            json!({"event": "acquisition_read", "images": images, "tiles": tiles})
        }
        Event::ImagePlanned {
            image,
            row,
            column,
            tiles,
            pixel_bytes,
        } => json!({
            "event": "image_planned", "image": image, "row": row, "column": column, "tiles": tiles, "pixel_bytes": pixel_bytes
        }),
        Event::ImageStarted {
            image,
            tiles,
            pixel_bytes,
        } => json!({"event": "image_started", "image": image, "tiles": tiles, "pixel_bytes": pixel_bytes}),
        Event::LevelsLeftOut {
            image,
            written,
            requested,
        } => json!({"event": "levels_left_out", "image": image, "written": written, "requested": requested}),
        Event::HiddenTiles { image, problem } => {
            json!({"event": "hidden_tiles", "image": image, "problem": problem})
        }
        Event::ChunkDone { image, pixel_bytes } => {
            json!({"event": "chunk_done", "image": image, "pixel_bytes": pixel_bytes})
        }
        Event::TileRead {
            image,
            field_of_view,
            file,
        } => json!({"event": "tile_read", "image": image, "field_of_view": field_of_view, "file": file}),
        Event::FileWritten { image, bytes } => json!({"event": "file_written", "image": image, "bytes": bytes}),
        Event::LeftOut { image, what, reason } => {
            json!({"event": "left_out", "image": image, "what": what, "reason": reason})
        }
        Event::ImageComplete { image, pixel_bytes } => {
            json!({"event": "image_complete", "image": image, "pixel_bytes": pixel_bytes})
        }
        Event::ImageKept { image, pixel_bytes } => {
            json!({"event": "image_kept", "image": image, "pixel_bytes": pixel_bytes})
        }
        Event::ImageFailed { image, error } => json!({"event": "image_failed", "image": image, "error": error}),
        _ => return None,
    })
}

/// The event of a line; `None` for lines that are not events of this version.
pub fn event_from_json(line: &Value) -> Option<Event<'_>> {
    let text = |key: &str| line.get(key)?.as_str();
    let number = |key: &str| line.get(key)?.as_u64();
    let count = |key: &str| usize::try_from(number(key)?).ok();
    let image = text("image");
    Some(match text("event")? {
        "phase" => Event::Phase {
            phase: Phase::ALL
                .into_iter()
                .find(|phase| Some(phase.name()) == text("phase"))?,
        },
        "acquisition_read" => Event::AcquisitionRead {
            images: count("images")?,
            tiles: count("tiles")?,
        },
        "image_planned" => Event::ImagePlanned {
            image: image?,
            row: text("row"),
            column: number("column").and_then(|column| u32::try_from(column).ok()),
            tiles: count("tiles")?,
            pixel_bytes: number("pixel_bytes")?,
        },
        "image_started" => Event::ImageStarted {
            image: image?,
            tiles: count("tiles")?,
            pixel_bytes: number("pixel_bytes")?,
        },
        "levels_left_out" => Event::LevelsLeftOut {
            image: image?,
            written: count("written")?,
            requested: count("requested")?,
        },
        "hidden_tiles" => Event::HiddenTiles {
            image: image?,
            problem: text("problem")?,
        },
        "chunk_done" => Event::ChunkDone {
            image: image?,
            pixel_bytes: number("pixel_bytes")?,
        },
        "tile_read" => Event::TileRead {
            image: image?,
            field_of_view: text("field_of_view")?,
            file: text("file"),
        },
        "file_written" => Event::FileWritten {
            image: image?,
            bytes: number("bytes")?,
        },
        "left_out" => Event::LeftOut {
            image,
            what: text("what")?,
            reason: text("reason")?,
        },
        "image_complete" => Event::ImageComplete {
            image: image?,
            pixel_bytes: number("pixel_bytes")?,
        },
        "image_kept" => Event::ImageKept {
            image: image?,
            pixel_bytes: number("pixel_bytes")?,
        },
        "image_failed" => Event::ImageFailed {
            image: image?,
            error: text("error")?,
        },
        _ => return None,
    })
}

/// What else a process says in lines beside events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something that deserves attention but is no error.
    Warning(String),
    /// The error that ended the process.
    Failed {
        /// Its text.
        error: String,
        /// Whose fault it is.
        fault: Fault,
    },
}

const FAULTS: [(&str, Fault); 5] = [
    ("usage", Fault::Usage),
    ("data", Fault::Data),
    ("environment", Fault::Environment),
    ("transient", Fault::Transient),
    ("bug", Fault::Bug),
];

impl Notice {
    /// The notice as a line.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Warning(message) => json!({"event": "warning", "message": message}),
            Self::Failed { error, fault } => {
                let fault = FAULTS.iter().find(|(_, known)| known == fault).map(|(name, _)| *name);
                json!({"event": "failed", "error": error, "fault": fault})
            }
        }
    }

    /// The notice of a line, if it is one.
    pub fn from_json(line: &Value) -> Option<Self> {
        let text = |key: &str| Some(line.get(key)?.as_str()?.to_owned());
        match line.get("event")?.as_str()? {
            "warning" => Some(Self::Warning(text("message")?)),
            "failed" => {
                let fault = text("fault")?;
                let fault = FAULTS.iter().find(|(name, _)| **name == fault)?.1;
                Some(Self::Failed {
                    error: text("error")?,
                    fault,
                })
            }
            _ => None,
        }
    }
}

/// What a conversion did, as `--report` writes it.
pub fn summary_to_json(summary: &Summary) -> Value {
    let left_out = summary.left_out.iter();
    let left_out = left_out.map(|out| json!({"tile": out.tile, "problem": out.problem}));
    json!({
        "images_written": summary.written,
        "images_kept": summary.kept,
        "tiles": summary.tiles,
        "pixel_bytes": summary.pixel_bytes,
        "bytes_read": summary.bytes_read,
        "bytes_written": summary.bytes_written,
        "units_resumed": summary.units_resumed,
        "seconds": summary.duration.as_secs_f64(),
        "tiles_left_out": left_out.collect::<Vec<_>>(),
        "peak_memory_bytes": summary.peak_memory_bytes,
    })
}

/// The summary that another process of this program wrote; what it does not say is none.
pub fn summary_from_json(document: &Map<String, Value>) -> Summary {
    let get = |key: &str| document.get(key).unwrap_or(&Value::Null);
    let number = |key: &str| get(key).as_u64().unwrap_or(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let left_out = get("tiles_left_out").as_array().into_iter().flatten();
    Summary {
        written: number("images_written") as usize,
        kept: number("images_kept") as usize,
        tiles: number("tiles") as usize,
        pixel_bytes: number("pixel_bytes"),
        bytes_read: number("bytes_read"),
        bytes_written: number("bytes_written"),
        units_resumed: number("units_resumed"),
        left_out: left_out
            .map(|out| LeftOut {
                tile: text(&out["tile"]),
                problem: text(&out["problem"]),
            })
            .collect(),
        peak_memory_bytes: get("peak_memory_bytes").as_u64(),
        duration: Duration::try_from_secs_f64(get("seconds").as_f64().unwrap_or(0.0)).unwrap_or_default(),
    }
}

/// The plan of a conversion, as `plan --json` prints it.
pub fn plan_to_json(plan: &PlannedConversion, zarr_dir: &str) -> Value {
    let images = plan.images.iter().map(|image| {
        json!({
            "path": image.path,
            "axes": image.axes,
            "shape": image.shape,
            "tiles": image.tiles,
            "levels": image.levels,
            "chunks": image.cost.chunks,
            "files": image.cost.files,
            "folders": image.cost.folders,
            "pixel_bytes": image.cost.pixel_bytes,
            "peak_bytes": image.means.map(|means| means.peak_bytes),
            "threads": image.means.map(|means| means.workers),
            "memory_limit": image.memory_limit,
            "planes_decoded": image.means.map(|means| match means.decoding {
                Decoding::Once => "once",
                Decoding::PerChunk => "per chunk",
                Decoding::InPlace => "in place",
            }),
            "overlapping_pixels": image.overlapping_pixels,
            "problems": image.problems,
        })
    });
    let groups = plan.groups.iter().map(|group| {
        let images = group.images.iter().map(|index| &plan.images[*index].path);
        json!({
            "images": images.collect::<Vec<_>>(),
            "at_once": group.at_once,
            "threads": group.threads,
            "memory_limit": group.memory_limit,
            "in_processes": group.in_processes,
        })
    });
    json!({
        "zarr_dir": zarr_dir,
        "threads": plan.threads,
        "groups": groups.collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
    })
}

/// What was verified, as `verify --json` prints it.
pub fn verified_to_json(verified: &Verified) -> Value {
    let findings = verified.findings.iter();
    let findings = findings.map(|finding| json!({ "path": finding.path, "problem": finding.problem }));
    json!({ "images": verified.images, "units": verified.units, "findings": findings.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_writes_is_read_as_it_was() {
        let summary = Summary {
            written: 1,
            kept: 2,
            tiles: 3,
            pixel_bytes: 4,
            bytes_read: 5,
            bytes_written: 6,
            units_resumed: 7,
            left_out: vec![LeftOut {
                tile: "t".into(),
                problem: "p".into(),
            }],
            peak_memory_bytes: Some(8),
            duration: Duration::from_millis(1500),
        };
        let document = summary_to_json(&summary);
        assert_eq!(summary_from_json(document.as_object().unwrap()), summary);
        for notice in [
            Notice::Warning("a \"b\"\nc".into()),
            Notice::Failed {
                error: "e".into(),
                fault: Fault::Transient,
            },
        ] {
            assert_eq!(Notice::from_json(&notice.to_json()), Some(notice));
        }
    }

    #[test]
    fn events_are_read_as_they_were() {
        let (image, pixel_bytes) = ("P.zarr/A/01/0", 6);
        let events = [
            Event::Phase { phase: Phase::Checking },
            Event::AcquisitionRead { images: 2, tiles: 32 },
            Event::ImagePlanned {
                image,
                row: Some("A"),
                column: Some(1),
                tiles: 4,
                pixel_bytes,
            },
            Event::ImageStarted {
                image,
                tiles: 4,
                pixel_bytes,
            },
            Event::LevelsLeftOut {
                image,
                written: 3,
                requested: 5,
            },
            Event::HiddenTiles {
                image,
                problem: "nothing is left to see of \"F1\"",
            },
            Event::ChunkDone { image, pixel_bytes },
            Event::TileRead {
                image,
                field_of_view: "F\"1",
                file: None,
            },
            Event::FileWritten { image, bytes: 7 },
            Event::LeftOut {
                image: None,
                what: "a.tif",
                reason: "no well",
            },
            Event::ImageComplete { image, pixel_bytes },
            Event::ImageKept { image, pixel_bytes },
            Event::ImageFailed { image, error: "e" },
        ];
        for event in events {
            let line = event_to_json(&event).unwrap().to_string();
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(event_from_json(&line), Some(event));
        }
        assert_eq!(event_from_json(&json!({"event": "later"})), None);
    }
}
