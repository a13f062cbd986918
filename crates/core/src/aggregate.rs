//! From tiles to images: filters, grouping by path, and the data type of each image.

use std::collections::HashMap;
use std::sync::LazyLock;

use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader};

use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::filter::{FilterStep, apply_step};
use crate::options::{ConverterOptions, Grouping, HiddenTiles, Overlap};
use crate::tile::Tile;
use crate::tiled_image::{Region, TiledImage};
use crate::validator::{Validation, ValidatorStep, apply_all};
use ome_zarr_convert_geometry::Axis;

/// What the aggregation needs besides tiles and options.
#[derive(Clone, Copy)]
pub struct Aggregation<'a> {
    /// Filters on tiles, applied in order before aggregation.
    pub filters: &'a [FilterStep],
    /// Validators on images, applied after aggregation.
    pub validators: &'a [ValidatorStep],
    /// Base folder of relative file paths.
    pub resource: Option<&'a str>,
    /// How tiles are loaded; asked for the data type of each image's first tile.
    pub loader: &'a dyn ImageLoader,
    /// Filters and validators that the program added by name.
    pub extensions: &'a Extensions,
    /// Told what deserves a word but is no error.
    pub warn: &'a dyn Fn(String),
}

impl Default for Aggregation<'_> {
    fn default() -> Self {
        static NONE: LazyLock<Extensions> = LazyLock::new(Extensions::new);
        Self {
            filters: &[],
            validators: &[],
            resource: None,
            loader: &DefaultImageLoader,
            extensions: &NONE,
            warn: &|_| {},
        }
    }
}

/// Filters the tiles and groups them by the path of their image, in order of first appearance.
///
/// All tiles of an image share axes, channels and spacings. The data type is that of the image's first tile (the reference takes
/// the first tile of the whole list for every image), or the one the acquisition asks for.
pub fn tiles_aggregation_pipeline(
    mut tiles: Vec<Tile>,
    options: &ConverterOptions,
    with: &Aggregation<'_>,
) -> Result<Vec<TiledImage>, CoreError> {
    for filter in with.filters {
        tiles = apply_step(filter, tiles, with.extensions)?;
    }
    if tiles.is_empty() {
        return Err(CoreError::NoTiles);
    }
    check_axes_left_out(&tiles, options, with.warn)?;
    let per_fov = matches!(options.grouping, Grouping::PerFov(_));
    let mut images: Vec<TiledImage> = Vec::new();
    let mut by_path: HashMap<String, usize> = HashMap::new();
    for tile in tiles {
        tile.check()?;
        let suffix = if per_fov {
            format!("_{}", tile.fov_name)
        } else {
            String::new()
        };
        let path = tile.collection.path(&suffix)?;
        let index = match by_path.get(&path) {
            Some(&index) => index,
            None => {
                images.push(image_of(&tile, path.clone(), with)?);
                by_path.insert(path, images.len() - 1);
                images.len() - 1
            }
        };
        add_tile(&mut images[index], tile, per_fov)?;
    }
    let validation = Validation {
        loader: with.loader,
        resource: with.resource,
        warn: with.warn,
    };
    apply_all(with.validators, &images, &validation, with.extensions)?;
    Ok(images)
}

/// Tiles that differ only along an axis that the images are to do without would lie on each other: an error, or a warning where the options
/// let hidden tiles pass. Where overlapping tiles are blended they may: that projects the axis.
fn check_axes_left_out(tiles: &[Tile], options: &ConverterOptions, warn: &dyn Fn(String)) -> Result<(), CoreError> {
    if let Grouping::Mosaic(mosaic) = &options.grouping
        && !matches!(mosaic.overlap, Overlap::Last | Overlap::First)
    {
        return Ok(());
    }
    let mut first: HashMap<(String, &str, [u64; 5]), &Tile> = HashMap::new();
    for tile in tiles {
        let has = |axis: &Axis| tile.acquisition_details.axes.contains(axis);
        if Axis::ALL.iter().all(has) {
            continue;
        }
        let place = Axis::ALL.map(|axis| if has(&axis) { tile.start(axis).to_bits() } else { 0 });
        let Ok(path) = tile.collection.path("") else { continue };
        let other = *first.entry((path, &tile.fov_name, place)).or_insert(tile);
        let differs = |axis: &Axis| !has(axis) && tile.start(*axis) != other.start(*axis);
        let Some(axis) = Axis::ALL.into_iter().find(differs) else {
            continue;
        };
        let problem = format!(
            "start_{axis} is {}, but {} of {}, at the same place, and the axes of the image ({}) have no {axis}: one would hide the \
             other; add {axis} to `axes`, or leave one of them out with a filter",
            tile.start(axis),
            other.start(axis),
            other.describe(),
            Axis::letters(&tile.acquisition_details.axes),
            axis = axis.name(),
        );
        match options.hidden_tiles {
            HiddenTiles::Fail => {
                return Err(CoreError::Tile {
                    tile: tile.describe(),
                    problem,
                });
            }
            HiddenTiles::Warn => {
                warn(format!("{}: {problem}", tile.describe()));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// An image without tiles yet, as its first tile describes it.
fn image_of(tile: &Tile, path: String, with: &Aggregation<'_>) -> Result<TiledImage, CoreError> {
    let details = &*tile.acquisition_details;
    let data_type = match details.data_type {
        Some(asked) => asked,
        None => {
            let header = with.loader.header(&tile.image_loader, with.resource);
            let header = header.map_err(|source| CoreError::Source {
                tile: tile.describe(),
                source: Box::new(source),
            })?;
            header.info.pixel_type
        }
    };
    Ok(TiledImage {
        regions: Vec::new(),
        path,
        name: None,
        xy_pixel_size: details.xy_pixel_size,
        z_spacing: details.z_spacing,
        t_spacing: details.t_spacing,
        data_type,
        axes: details.axes.clone(),
        collection: tile.collection.clone(),
        channels: details.channels.clone(),
        translation: None,
        attributes: tile.attributes.clone(),
    })
}

fn add_tile(image: &mut TiledImage, tile: Tile, with_translation: bool) -> Result<(), CoreError> {
    check_agreement(image, &tile)?;
    let roi = tile.to_roi();
    if with_translation {
        let here = image.axes.iter().map(|axis| roi.originals[axis.index()].unwrap_or(0.0));
        image.translation = Some(match image.translation.take() {
            None => here.collect(),
            Some(before) => before
                .into_iter()
                .zip(here)
                .map(|(a, b)| if b < a { b } else { a })
                .collect(),
        });
    }
    image.regions.push(Region {
        roi,
        image_loader: tile.image_loader,
    });
    Ok(())
}

/// The fields that all tiles of an image share.
fn check_agreement(image: &TiledImage, tile: &Tile) -> Result<(), CoreError> {
    let details = &*tile.acquisition_details;
    let axes = |axes: &[Axis]| axes.iter().map(|axis| axis.name()).collect::<String>();
    let labels = |channels: &Option<Vec<crate::options::ChannelInfo>>| match channels {
        None => "none".to_owned(),
        Some(channels) => {
            let each = channels.iter().map(|channel| {
                let wavelength = channel.wavelength_id.as_deref().unwrap_or("-");
                format!("{} ({wavelength}, {})", channel.channel_label, channel.display_color())
            });
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let differing = if image.axes != details.axes {
        ("axes", axes(&image.axes), axes(&details.axes))
    } else if image.channels != details.channels {
        ("channels", labels(&image.channels), labels(&details.channels))
    } else if image.xy_pixel_size != details.xy_pixel_size {
        (
            "xy_pixel_size",
            image.xy_pixel_size.to_string(),
            details.xy_pixel_size.to_string(),
        )
    } else if image.z_spacing != details.z_spacing {
        ("z_spacing", image.z_spacing.to_string(), details.z_spacing.to_string())
    } else if image.t_spacing != details.t_spacing {
        ("t_spacing", image.t_spacing.to_string(), details.t_spacing.to_string())
    } else {
        return Ok(());
    };
    let (field, of_image, of_tile) = differing;
    let first = image
        .regions
        .first()
        .map_or_else(|| "its first tile".to_owned(), Region::describe);
    Err(CoreError::Tile {
        tile: tile.describe(),
        problem: format!(
            "cannot join image {}: its {field} is {of_tile}, but {first} has {of_image}; tiles of one image share axes, \
             channels and spacings: correct the tile, or give it another acquisition number or image path",
            image.path
        ),
    })
}

/// Attributes that differ between the tiles of an image: `(image path, attribute)`. The image takes those of its first tile,
/// which deserves a word.
pub fn differing_attributes(tiles: &[Tile]) -> Vec<(String, String)> {
    let mut first: HashMap<String, &Tile> = HashMap::new();
    let mut found = Vec::new();
    for tile in tiles {
        let Ok(path) = tile.collection.path("") else { continue };
        let leader = *first.entry(path.clone()).or_insert(tile);
        for (key, values) in &tile.attributes {
            if leader.attributes.get(key) != Some(values) && !found.iter().any(|(p, k)| *p == path && k == key) {
                found.push((path.clone(), key.clone()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use ome_zarr_convert_geometry::PixelType;
    use ome_zarr_convert_sources::LoaderSpec;
    use serde_json::json;

    use super::*;
    use crate::collection::Collection;
    use crate::{AcquisitionDetails, model};

    fn tiles(axes: &str) -> Vec<Tile> {
        let details = Arc::new(AcquisitionDetails {
            axes: Axis::from_letters(axes).unwrap(),
            data_type: Some(PixelType::UInt16),
            ..AcquisitionDetails::default()
        });
        let well = Arc::new(Collection::in_plate("P", "A", 1, 0));
        let tile = |z: u32| {
            let file = LoaderSpec::File {
                file_path: format!("{z}.tif"),
            };
            let mut tile = Tile::new("F", 10.0, 10.0, well.clone(), file, details.clone());
            tile.start_z = f64::from(z);
            tile
        };
        (0..3).map(tile).collect()
    }

    fn aggregated(axes: &str, options: serde_json::Value) -> Result<String, CoreError> {
        let told = RefCell::new(String::new());
        let with = Aggregation {
            warn: &|text| told.borrow_mut().push_str(&text),
            ..Aggregation::default()
        };
        let options: ConverterOptions = model::from_json(&options, "options").unwrap();
        tiles_aggregation_pipeline(tiles(axes), &options, &with)?;
        Ok(told.into_inner())
    }

    #[test]
    fn tiles_along_an_axis_left_out_are_refused_or_told() {
        let text = "tile 'F' (1.tif): start_z is 1, but 0 of tile 'F' (0.tif), at the same place, and the axes of the image (cyx) have no \
                    z: one would hide the other; add z to `axes`, or leave one of them out with a filter";
        assert_eq!(aggregated("cyx", json!({})).unwrap_err().to_string(), text);
        assert_eq!(aggregated("cyx", json!({"hidden_tiles": "warn"})).unwrap(), text);
        assert_eq!(aggregated("czyx", json!({})).unwrap(), "");
        let projection = json!({"grouping": {"mode": "Mosaic", "overlap": "max"}});
        assert_eq!(aggregated("cyx", projection).unwrap(), "");
    }
}
