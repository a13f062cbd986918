//! Renumbers the channels in use to 0, 1, 2 … and cuts the channel list to match.

use std::collections::BTreeSet;

use crate::error::CoreError;
use crate::options::StagePositionCorrections;
use crate::roi::Axis;
use crate::tiled_image::TiledImage;

pub(super) fn reindex_channels(
    image: &mut TiledImage,
    corrections: &StagePositionCorrections,
) -> Result<(), CoreError> {
    if !corrections.reindex_channels || !image.axes.contains(&Axis::C) {
        return Ok(());
    }
    let mut used = BTreeSet::new();
    for region in &image.regions {
        let span = region.roi.span(Axis::C);
        used.extend(span.start as i64..span.end() as i64);
    }
    let used: Vec<i64> = used.into_iter().collect();
    if let Some(channels) = &image.channels {
        let mut kept = Vec::with_capacity(used.len());
        for &index in &used {
            let channel = usize::try_from(index).ok().and_then(|index| channels.get(index));
            kept.push(channel.cloned().ok_or_else(|| CoreError::Registration {
                image: image.path.clone(),
                problem: format!(
                    "a tile holds channel {index}, but the image lists {} channels",
                    channels.len()
                ),
            })?);
        }
        image.channels = Some(kept);
    }
    // A tile's channels are consecutive and all in use, so its length stays and its start decides.
    for region in &mut image.regions {
        let start = region.roi.span(Axis::C).start as i64;
        if let Ok(rank) = used.binary_search(&start) {
            region.roi.set_start(Axis::C, rank as f64);
        }
    }
    Ok(())
}
