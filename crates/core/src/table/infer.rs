//! A table of tiles from the names of image files.

mod distinct;
mod holes;
mod read;

use std::collections::BTreeSet;

use ome_zarr_convert_sources::unknown_suffix;

use self::holes::holes;
use self::read::{Named, channels, choose, image_name, place_in_plate, ready_pattern};
use super::built_in::EACH_FILE;
use super::fill::{add_image_pages, add_image_sizes};
use super::headers::{BadFiles, ReadHeader};
use super::names::{distinct, indices, natural_order, path_name};
use super::pattern::Part;
use super::positions::{
    fields_differ_in_place, largest, lay_fields_out, put_at_origin, start_from_pixels, try_image_positions,
};
use super::suggest::guess;
use super::{Cell, CoreError, TilesTable, cell_text};
use crate::acquisition::AcquisitionDetails;
use ome_zarr_convert_geometry::Axis;

/// The field of a file whose name says none.
const ONLY_FIELD: &str = "FOV_1";

/// A column of the table as text.
type TextColumn = (String, Vec<Option<String>>);

/// How names are to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naming<'a> {
    /// A pattern in words (`{well}_s{field}_{channel}`), or a regular expression with named groups that is searched for in the path of
    /// each file below the folder, parts joined by `/`. Without it, patterns of common microscopes are tried.
    pub pattern: Option<&'a str>,
    /// Whether the images are wells of a plate; `None`: they are if the names say so.
    pub in_wells: Option<bool>,
    /// Whether the plate has a name already, so that names of files do not give it one.
    pub plate_is_named: bool,
    /// Name of the image of files whose names tell fields, channels or slices, but no image.
    pub image: &'a str,
    /// Channels that the acquisition lists: names and numbers of channels are looked up among them.
    pub channels: Option<&'a [String]>,
}

/// What names of files say: a table that still lacks what only the files or the acquisition know.
#[derive(Clone, Debug)]
pub struct NamedTiles {
    /// The pattern that was chosen.
    pub pattern: String,
    /// Whether the images are wells of a plate.
    pub in_wells: bool,
    /// Names of the channels by index, where the names of the files tell them.
    pub channels: Option<Vec<String>>,
    /// Whether those are made up from numbers, so that any other name is better.
    pub channels_are_numbers: bool,
    /// Files that the pattern does not match: they are left out.
    pub unmatched: Vec<String>,
    /// Files that are left out because they are thumbnails.
    pub thumbnails: Vec<String>,
    /// Files that are left out because they are projections of the planes of others.
    pub projections: Vec<String>,
    /// Fields that lack what others have, a line each.
    pub holes: Vec<String>,
    /// Where each file becomes an image of its own although names are alike: a pattern in words that would make them one.
    pub guess: Option<String>,
    /// The rows: place, field, and starts counted in files.
    table: TilesTable,
    grid: bool,
}

impl NamedTiles {
    /// Reads the names of image files: paths below the folder, parts joined by `/`.
    ///
    /// # Errors
    /// The pattern is wrong or matches no file, two files would be the same tile, or a well is none.
    pub fn read(files: &[String], naming: &Naming<'_>) -> Result<Self, CoreError> {
        let (thumbnails, files): (Vec<&str>, Vec<&str>) =
            files.iter().map(String::as_str).partition(|file| is_thumbnail(file));
        let (projections, mut files) = without_projections(files, naming);
        files.sort_by(|a, b| natural_order(a, b));
        let (pattern, mut named, unmatched) = choose(&files, naming)?;
        // Fields, time points and channels in order, as people read a table.
        let order = [
            Part::Plate,
            Part::Row,
            Part::Column,
            Part::Well,
            Part::Image,
            Part::Field,
            Part::Time,
            Part::Channel,
            Part::Slice,
        ];
        named.sort_by(|a, b| {
            let mut compared = order
                .iter()
                .map(|part| natural_order(a.part(*part).unwrap_or(""), b.part(*part).unwrap_or("")));
            compared
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let has = |part: Part| named.iter().any(|named| named.part(part).is_some());
        let wells_are_known = named.iter().any(|named| named.read.in_wells());
        if naming.in_wells == Some(true) && !wells_are_known {
            return Err(CoreError::Table {
                place: format!("the file name {:?}", files.first().copied().unwrap_or_default()),
                problem: format!(
                    "no well is known from it ({pattern}): give a --pattern with {{well}}, or {{row}} and {{column}}, or leave \
                     `--collection plate` out{}",
                    ready_pattern(&files)
                ),
            });
        }
        let in_wells = wells_are_known && naming.in_wells != Some(false);
        let mut tiles = Self {
            pattern,
            in_wells,
            channels: None,
            channels_are_numbers: named.iter().all(|named| {
                let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
                named.part(Part::Channel).is_none_or(is_number) && named.part(Part::ChannelName).is_none()
            }),
            unmatched: unmatched.into_iter().map(str::to_owned).collect(),
            thumbnails: thumbnails.into_iter().map(str::to_owned).collect(),
            projections: projections.into_iter().map(str::to_owned).collect(),
            holes: Vec::new(),
            guess: None,
            table: TilesTable::new::<&str>([])?,
            grid: has(Part::GridX) || has(Part::GridY),
        };
        let columns = tiles.columns(&named, naming)?;
        tiles.check_distinct(&files, &named, &columns, naming)?;
        tiles.holes = holes(&columns, naming.channels.or(tiles.channels.as_deref()));
        if tiles.pattern == EACH_FILE && named.len() > 1 {
            tiles.guess = guess(&files);
        }
        for (name, cells) in &columns {
            let cells = match (
                name.as_str(),
                cells
                    .iter()
                    .map(|cell| cell.as_deref()?.parse::<i64>().ok())
                    .collect::<Option<Vec<_>>>(),
            ) {
                (
                    "column" | "acquisition" | "start_c" | "start_z" | "start_t" | "start_x" | "start_y",
                    Some(numbers),
                ) => numbers.into_iter().map(Cell::Int).collect(),
                _ => cells
                    .iter()
                    .map(|cell| cell.clone().map_or(Cell::Null, Cell::Text))
                    .collect(),
            };
            tiles.table.put(name, cells);
        }
        Ok(tiles)
    }

    /// The columns of the table, as text.
    fn columns(&mut self, named: &[Named<'_>], naming: &Naming<'_>) -> Result<Vec<TextColumn>, CoreError> {
        let parts = |part: Part| named.iter().map(|named| named.part(part)).collect::<Vec<_>>();
        let some = |part: Part| parts(part).iter().any(Option::is_some);
        let texts = |part: Part| {
            parts(part)
                .iter()
                .map(|text| text.map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let mut columns: Vec<TextColumn> = Vec::new();
        let mut add = |name: &str, cells: Vec<Option<String>>| columns.push((name.to_owned(), cells));
        add(
            "file_path",
            named.iter().map(|named| Some(named.file.to_owned())).collect(),
        );
        if self.in_wells {
            if some(Part::Plate) && !naming.plate_is_named {
                add(
                    "plate_name",
                    parts(Part::Plate).iter().map(|plate| plate.map(path_name)).collect(),
                );
            }
            let wells = named.iter().map(place_in_plate).collect::<Result<Vec<_>, _>>()?;
            add("row", wells.iter().map(|(row, _)| Some(row.clone())).collect());
            add(
                "column",
                wells.iter().map(|(_, column)| Some(column.to_string())).collect(),
            );
            if some(Part::Acquisition) {
                add("acquisition", texts(Part::Acquisition));
            }
        } else {
            add(
                "image_path",
                named
                    .iter()
                    .map(|named| Some(image_name(named, naming.image)))
                    .collect(),
            );
        }
        let field = |named: &Named<'_>| {
            let grid = [named.part(Part::GridX), named.part(Part::GridY)];
            let grid = || {
                grid.iter()
                    .any(Option::is_some)
                    .then(|| grid.map(|part| part.unwrap_or("0")).join("_"))
            };
            let name = named.part(Part::Field).map(str::to_owned).or_else(grid);
            Some(name.unwrap_or_else(|| ONLY_FIELD.to_owned()))
        };
        add("fov_name", named.iter().map(field).collect());
        let counted = [
            ("start_x", Part::GridX),
            ("start_y", Part::GridY),
            ("start_z", Part::Slice),
            ("start_t", Part::Time),
        ];
        for (name, part) in counted {
            let of_grid = matches!(part, Part::GridX | Part::GridY) && self.grid;
            if of_grid || distinct(&parts(part)).len() > 1 {
                add(
                    name,
                    indices(&parts(part))
                        .iter()
                        .map(|index| Some(index.to_string()))
                        .collect(),
                );
            }
        }
        if some(Part::Channel) {
            let (indices, labels) = channels(&parts(Part::Channel), &parts(Part::ChannelName), naming.channels)
                .map_err(|(row, problem)| named[row].wrong(problem))?;
            add("start_c", indices.iter().map(|index| Some(index.to_string())).collect());
            self.channels = labels;
        }
        let others: BTreeSet<&String> = named.iter().flat_map(|named| named.read.others.keys()).collect();
        for name in others {
            add(
                name,
                named.iter().map(|named| named.read.others.get(name).cloned()).collect(),
            );
        }
        Ok(columns)
    }

    /// Number of files that become tiles.
    pub fn files(&self) -> usize {
        self.table.height()
    }

    /// The rows as far as names tell them: with `file_path`, and starts counted in files.
    pub fn rows(&self) -> &TilesTable {
        &self.table
    }

    /// Adds sizes and pages from the files. Files of several planes, channels or time points: the next file begins where the one
    /// before ends.
    pub fn add_sizes(
        &mut self,
        axes: &[Axis],
        bad_files: BadFiles,
        read: &mut ReadHeader<'_>,
    ) -> Result<(), CoreError> {
        let table = add_image_sizes(self.table.clone(), bad_files, read)?;
        self.table = add_image_pages(table, axes, bad_files, read)?;
        for axis in ["z", "c", "t"] {
            let start = format!("start_{axis}");
            if self.table.has(&start) {
                let each = largest(&self.table, &format!("length_{axis}"));
                scale(&mut self.table, &start, |index| index * each);
                if axis == "c" && each > 1.0 {
                    // A name for each file is none for each channel.
                    self.channels = None;
                }
            }
        }
        Ok(())
    }

    /// The whole table, with starts in the spaces that the acquisition declares, and stage positions from the files. Fields of
    /// files that say no position are laid out by the numbers of a grid in their names, else side by side, with a warning, unless each field becomes an image of its own.
    pub fn into_table(
        mut self,
        details: &AcquisitionDetails,
        field_is_image: bool,
        bad_files: BadFiles,
        read: &mut ReadHeader<'_>,
        warn: &mut dyn FnMut(String),
    ) -> Result<TilesTable, CoreError> {
        let number = |name: &str, row: usize| cell_text(self.table.cell(name, row)).parse().unwrap_or(0.0);
        let grid: Vec<[f64; 2]> = (0..self.files())
            .map(|row| [number("start_x", row), number("start_y", row)])
            .collect();
        for (start, axis) in [("start_z", Axis::Z), ("start_t", Axis::T)] {
            if self.table.has(start) {
                scale(&mut self.table, start, |index| start_from_pixels(index, axis, details));
            }
        }
        let (mut table, silent) = try_image_positions(self.table, details, bad_files, read)?;
        // Files that all say the same position say none.
        let unknown = match silent {
            None if field_is_image || fields_differ_in_place(&table) => None,
            None => Some("each file says the same stage position".to_owned()),
            Some(file) => Some(format!("{file} says no stage position")),
        };
        let Some(why) = unknown else { return Ok(table) };
        if self.grid {
            for (index, (start, length, axis)) in [("start_x", "length_x", Axis::X), ("start_y", "length_y", Axis::Y)]
                .into_iter()
                .enumerate()
            {
                let each = largest(&table, length);
                let places: Vec<f64> = grid
                    .iter()
                    .map(|place| start_from_pixels(place[index] * each, axis, details))
                    .collect();
                table.put_numbers(start, &places);
            }
        } else if field_is_image {
            put_at_origin(&mut table);
        } else if lay_fields_out(&mut table, details)? > 1 {
            warn(format!(
                "where the fields of view lie is not known ({why}): they are laid side by side in the order of their names; give start_x \
                 and start_y in a table (--write-table writes one), or make each field an image of its own (--per-fov)"
            ));
        }
        Ok(table)
    }
}

fn scale(table: &mut TilesTable, name: &str, to: impl Fn(f64) -> f64) {
    let cells = table.column(name).unwrap_or(&[]);
    let values: Vec<f64> = cells
        .iter()
        .map(|cell| to(cell_text(cell).parse().unwrap_or(0.0)))
        .collect();
    table.put_numbers(name, &values);
}

/// Projections that MetaXpress (`ZStep_0`) and CQ1 (`Projection`) write beside the planes, and all other files. Where there are no planes,
/// or the user gives a pattern, projections are images as others.
fn without_projections<'a>(files: Vec<&'a str>, naming: &Naming<'_>) -> (Vec<&'a str>, Vec<&'a str>) {
    let has_folder = |file: &str, name: &str| {
        let mut folders = file.split('/').rev().skip(1);
        folders.any(|folder| folder.eq_ignore_ascii_case(name))
    };
    let has_planes = |file: &&str| {
        let mut folders = file.split('/').rev().skip(1);
        folders.any(|folder| folder.to_lowercase().starts_with("zstep_") && !folder.ends_with("_0"))
            || has_folder(file, "Image")
    };
    if naming.pattern.is_some() || !files.iter().any(has_planes) {
        return (Vec::new(), files);
    }
    files
        .into_iter()
        .partition(|file| has_folder(file, "ZStep_0") || has_folder(file, "Projection"))
}

/// Previews that MetaXpress and others write beside the images.
fn is_thumbnail(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    name.contains("_thumb") || name.starts_with("thumb")
}

/// Whether a file is taken for an image by its suffix.
pub fn is_image_name(name: &str) -> bool {
    let hidden = name.rsplit('/').next().is_some_and(|name| name.starts_with('.'));
    !hidden && unknown_suffix(std::path::Path::new(name)).is_none()
}

#[cfg(test)]
mod tests;
