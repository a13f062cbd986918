//! Renumbers the channels in use to 0, 1, 2 … and cuts the channel list to match.

use crate::error::CoreError;
use crate::options::StagePositionCorrections;
use crate::tiled_image::TiledImage;
use ome_zarr_convert_geometry::{Axis, Span};

/// # Errors
/// A tile holds a channel that the image does not list, or one before the first.
pub(super) fn reindex_channels(
    image: &mut TiledImage,
    corrections: &StagePositionCorrections,
) -> Result<(), CoreError> {
    if !image.axes.contains(&Axis::C) {
        return Ok(());
    }
    let runs = runs_in_use(image);
    let known = image
        .channels
        .as_ref()
        .map_or(f64::INFINITY, |channels| channels.len() as f64);
    if let Some(wrong) = runs.iter().find(|run| run.start < 0.0 || run.end() > known) {
        let channel = if wrong.start < 0.0 {
            wrong.start
        } else {
            wrong.end() - 1.0
        };
        return Err(CoreError::Registration {
            image: image.path.clone(),
            problem: match &image.channels {
                Some(channels) => format!(
                    "a tile holds channel {channel}, but the image lists {} channels (numbers from 0)",
                    channels.len()
                ),
                None => format!("a tile holds channel {channel}, but channels count from 0"),
            },
        });
    }
    if !corrections.reindex_channels {
        return Ok(());
    }
    if let Some(channels) = &mut image.channels {
        let used = |index: usize| {
            let index = index as f64;
            runs.iter().any(|run| (run.start..run.end()).contains(&index))
        };
        let kept = std::mem::take(channels).into_iter().enumerate();
        *channels = kept
            .filter(|(index, _)| used(*index))
            .map(|(_, channel)| channel)
            .collect();
    }
    // A tile's channels are consecutive and all in use, so its length stays and its start decides.
    for region in &mut image.regions {
        let start = region.roi.span(Axis::C).start;
        let before = runs.iter().take_while(|run| run.start <= start);
        let rank = before.map(|run| run.end().min(start) - run.start).sum();
        region.roi.set_start(Axis::C, rank);
    }
    Ok(())
}

/// The channels that tiles hold, as runs of consecutive numbers in order: tables may name channels without bound.
fn runs_in_use(image: &TiledImage) -> Vec<Span> {
    let mut spans: Vec<Span> = image.regions.iter().map(|region| region.roi.span(Axis::C)).collect();
    spans.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut runs: Vec<Span> = Vec::new();
    for span in spans {
        match runs.last_mut() {
            Some(run) if span.start <= run.end() => run.length = run.length.max(span.end() - run.start),
            _ => runs.push(span),
        }
    }
    runs
}
