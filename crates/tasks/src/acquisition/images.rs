//! Image files without a table: their names say well, field, channel, slice and time, their headers the rest.

use std::collections::HashSet;
use std::path::Path;

use ome_zarr_convert_core::{CoreError, LeftOut, LeftOutKind, NamedTiles, Naming};
use ome_zarr_convert_geometry::Space;
use tracing::warn;

use super::files::Files;
use super::omissions::Omissions;
use super::place::Place;
use super::save::save;
use super::{CollectionKind, OwnDetails, Reading, Source};
use crate::error::TaskError;

/// Holes in a warning at most.
const HOLES: usize = 10;

pub(super) fn from_names(
    place: &Place,
    mut own: OwnDetails,
    how: &Reading<'_>,
    files: &mut Files<'_>,
    omissions: &mut Omissions,
) -> Result<Source, TaskError> {
    let names = place.image_files(omissions)?;
    let names = without_parts_of_sets(names, &place.folder, files, omissions);
    if names.is_empty() {
        return Err(CoreError::Missing {
            path: place.folder.join("tiles.csv"),
            hint: "a table of tiles has one row per image file; there are no image files in the folder either, whose names could make up for it"
                .into(),
        }
        .into());
    }
    let folder_name = place.folder.file_name().unwrap_or_default().to_string_lossy();
    let listed = how
        .options
        .channels
        .as_ref()
        .map(|channels| channels.iter().map(|c| c.channel_label.clone()).collect());
    let listed: Option<Vec<String>> = listed.or_else(|| own.file.as_ref()?.channel_names.clone());
    let in_wells = match (how.kind, how.names.names_decide) {
        // A file on its own is an image on its own, whatever its name.
        (_, true) => place.file.as_ref().map(|_| false),
        (CollectionKind::Plate { .. }, false) => Some(true),
        (CollectionKind::Images | CollectionKind::NamedImages { .. }, false) => Some(false),
    };
    let naming = Naming {
        pattern: how.names.pattern.as_deref(),
        in_wells,
        plate_is_named: how.names.plate_is_named,
        image: &folder_name,
        channels: listed.as_deref(),
    };
    let mut tiles = NamedTiles::read(&names, &naming)?;
    let kind = match how.kind {
        CollectionKind::Plate { .. } if !tiles.in_wells => CollectionKind::Images,
        kind => kind.clone(),
    };
    let mut notes = vec![note(&tiles, &kind)];
    tell(&tiles, omissions);
    own.starts_are_counted = true;
    // Without an acquisition file, starts of slices and time points are counted, whatever the spacing turns out to be.
    own.defaults.start_z_space = Space::Pixel;
    own.defaults.start_t_space = Space::Pixel;
    let mut read = |file: &str| files.header(file);
    let (axes, time) = own.axes(tiles.rows(), how, &mut read)?;
    tiles.add_sizes(&axes, how.bad_files(), &mut read)?;
    if !tiles.channels_are_numbers {
        let file = own.file.as_mut().unwrap_or(&mut own.defaults);
        file.channel_names = file.channel_names.take().or_else(|| tiles.channels.clone());
    }
    let details = own.complete(tiles.rows(), how, (&axes, time), tiles.channels.clone(), &mut read)?;
    let name = format!("the table of {}", place.folder.display());
    let table = tiles.into_table(&details, how.field_is_image, how.bad_files(), &mut read, &mut |text| {
        warn!("{text}")
    })?;
    let table = table.with_name(name);
    if let Some(path) = &how.names.write_table {
        notes.push(save(path, &table, &details, &kind, place)?);
    }
    Ok(Source {
        table,
        details,
        kind,
        notes,
    })
}

/// What was decided.
fn note(tiles: &NamedTiles, kind: &CollectionKind) -> String {
    let what = match kind {
        CollectionKind::Plate { .. } => "wells of a plate",
        CollectionKind::Images | CollectionKind::NamedImages { .. } => "images on their own",
    };
    let thumbnails = match tiles.thumbnails.len() {
        0 => String::new(),
        count => format!(" ({count} thumbnails are left out)"),
    };
    format!(
        "No table: {} image files{thumbnails} are read by their names as {what}: {}",
        tiles.files(),
        tiles.pattern
    )
}

/// Says what the set lacks, keeps what is left out of it.
fn tell(tiles: &NamedTiles, omissions: &mut Omissions) {
    let out = |name: &String, reason: &str| LeftOut::new(LeftOutKind::File, name.clone(), reason);
    for name in &tiles.unmatched {
        omissions.add(out(name, &format!("its name does not match {}", tiles.pattern)));
    }
    for name in &tiles.thumbnails {
        omissions.add_quietly(out(name, "it is a thumbnail"));
    }
    for name in &tiles.projections {
        omissions.add(out(name, "it is a projection of planes that are there"));
    }
    if let Some(pattern) = &tiles.guess {
        warn!(
            "each of {} image files becomes an image of its own, because no pattern reads their names; they look alike: --pattern \
             '{pattern}' makes them parts of one",
            tiles.files()
        );
    }
    if !tiles.holes.is_empty() {
        let shown = tiles.holes.iter().take(HOLES).map(String::as_str).collect::<Vec<_>>();
        let more = match tiles.holes.len().saturating_sub(HOLES) {
            0 => String::new(),
            count => format!("; and {count} more"),
        };
        warn!(
            "the set of files has holes, which stay empty: {}{more}",
            shown.join("; ")
        );
    }
}

/// The files without those that lie in the set of an earlier one: each file of an OME-TIFF set gives the whole image.
fn without_parts_of_sets(
    names: Vec<String>,
    folder: &Path,
    files: &mut Files<'_>,
    omissions: &mut Omissions,
) -> Vec<String> {
    let mut parts = HashSet::new();
    let mut kept = Vec::with_capacity(names.len());
    for name in names {
        let path = folder.join(&name);
        if parts.contains(&path) {
            omissions.add_quietly(LeftOut::new(
                LeftOutKind::File,
                name,
                "the first file of its set gives its planes",
            ));
            continue;
        }
        let lower = name.to_lowercase();
        if (lower.ends_with(".ome.tif") || lower.ends_with(".ome.tiff"))
            && let Ok(header) = files.header(&name)
        {
            parts.extend(header.metadata.other_files);
        }
        kept.push(name);
    }
    kept
}
