//! Reads an acquisition: a folder with a table of tiles, or image files alone, whose names and headers say the rest.

mod files;
mod images;
mod omissions;
mod place;
mod save;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ome_zarr_convert_compute::Cancellation;
use ome_zarr_convert_core::acquisition::{
    AcquisitionDetails, AcquisitionFile, PixelSize, Wanted, find_acquisition_file,
};
use ome_zarr_convert_core::options::{AcquisitionOptions, BadTiles};
use ome_zarr_convert_core::path::{Found, look_up};
use ome_zarr_convert_core::{
    Axis, BadCell, BadCells, BadFiles, CoreError, LeftOut, LeftOutKind, ReadHeader, Tile, TilesTable, add_image_pages,
    add_image_positions, add_image_sizes, apply_condition_table, files_have_time, hcs_images_from_dataframe,
    read_tiles_table, safe_name, single_images_from_dataframe, table_has_time, with_image_path,
};
use ome_zarr_convert_sources::Headers;
use tracing::warn;

use self::files::Files;
use self::omissions::Omissions;
use self::place::Place;
use crate::compute::absolute;
use crate::error::TaskError;

/// What the images of an acquisition become.
#[derive(Clone, Debug, PartialEq)]
pub enum CollectionKind {
    /// Wells of a plate.
    Plate {
        /// Name of the plate.
        name: String,
        /// Number of the acquisition within the plate.
        acquisition_id: u32,
    },
    /// Images on their own, named in the table's column `image_path`.
    Images,
    /// Images on their own.
    NamedImages {
        /// The name of the image where the table names none.
        name: String,
        /// Whether it is the name of all, whatever the table says.
        of_all: bool,
    },
}

impl CollectionKind {
    /// The name that the reference knows it by.
    pub fn collection_type(&self) -> &'static str {
        match self {
            Self::Plate { .. } => "ImageInPlate",
            Self::Images | Self::NamedImages { .. } => "SingleImage",
        }
    }
}

/// How image files without a table become one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageNames {
    /// Regular expression with named groups for the files' paths below the folder; without it, common ones are tried.
    pub pattern: Option<String>,
    /// File to save the table to; `acquisition_details.toml` is written beside it unless there is one.
    pub write_table: Option<PathBuf>,
    /// Whether the names of the files decide between a plate and single images.
    pub names_decide: bool,
    /// Whether the plate's name was given, and does not come from the files.
    pub plate_is_named: bool,
}

/// The tiles of an acquisition.
#[derive(Clone, Debug)]
pub struct Acquisition {
    /// Their file paths are absolute.
    pub tiles: Vec<Tile>,
    /// What they become.
    pub kind: CollectionKind,
    /// What was decided that the user should see: the pattern of file names, what was saved.
    pub notes: Vec<String>,
    /// What lies in the acquisition and is not used.
    pub left_out: Vec<LeftOut>,
}

/// How an acquisition is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What the images become.
    pub kind: &'a CollectionKind,
    /// What goes before what `acquisition_details.toml` says. The filters are left to the aggregation.
    pub options: &'a AcquisitionOptions,
    /// How image files without a table become one.
    pub names: &'a ImageNames,
    /// Whether each field of view becomes an image of its own.
    pub field_is_image: bool,
    /// Stops the reading.
    pub cancellation: &'a Cancellation,
    /// Takes up the headers that are read.
    pub headers: &'a Headers,
    /// What to do with tiles whose files are missing or damaged.
    pub bad_tiles: BadTiles,
}

impl Reading<'_> {
    fn bad_files(&self) -> BadFiles {
        match self.bad_tiles {
            BadTiles::Fail => BadFiles::AreErrors,
            BadTiles::Fill | BadTiles::SkipFov => BadFiles::AreAsOthers,
        }
    }
}

/// Reads the tiles of an acquisition: a folder with a table, a table, a folder of image files, or one image file.
///
/// What the table leaves out comes from `acquisition_details.toml`, then from the image files; no more of them are opened than needed.
/// A `condition_table_path` is read, from the folder if it is relative.
pub fn read_acquisition(path: &Path, how: &Reading<'_>) -> Result<Acquisition, TaskError> {
    let place = Place::of(path, how.names)?;
    let (kind, mut notes) = with_safe_name(how.kind, how.names);
    let how = &Reading { kind: &kind, ..*how };
    let mut omissions = Omissions::default();
    let mut files = Files::of(&place.folder, how.cancellation, how.headers);
    let details_path = place.folder.join("acquisition_details.toml");
    let own = OwnDetails {
        file: find_acquisition_file(&details_path)?,
        path: details_path,
        defaults: AcquisitionFile::default(),
        starts_are_counted: false,
    };
    let conditions = how.options.condition_table_path.as_ref();
    let conditions = conditions.or_else(|| own.file.as_ref()?.condition_table_path.as_ref());
    let conditions = conditions
        .map(|path| condition_table(&place.folder, path))
        .transpose()?;
    place.check_other_tables(conditions.as_deref(), how.names, &mut omissions)?;
    let source = match &place.table {
        Some(table_path) => from_table(table_path, own, how, &mut files, &mut omissions)?,
        None => images::from_names(&place, own, how, &mut files, &mut omissions)?,
    };
    let tiles = match &source.kind {
        CollectionKind::Plate { name, acquisition_id } => {
            hcs_images_from_dataframe(&source.table, &source.details, Some(name), *acquisition_id)
        }
        CollectionKind::Images => single_images_from_dataframe(&source.table, &source.details),
        CollectionKind::NamedImages { name, of_all } => {
            single_images_from_dataframe(&with_image_path(source.table.clone(), name, *of_all), &source.details)
        }
    };
    let mut tiles = tiles?;
    find_files(&source.table, &mut tiles, how, &mut files, &mut omissions)?;
    if let Some(path) = source
        .details
        .condition_table_path
        .as_deref()
        .map(|path| condition_table(&place.folder, path))
        .transpose()?
    {
        let left_out = apply_condition_table(&path, &mut tiles)?;
        left_out.into_iter().for_each(|out| omissions.add(out));
    }
    notes.extend(source.notes);
    Ok(Acquisition {
        tiles,
        kind: source.kind,
        notes,
        left_out: omissions.say(),
    })
}

/// The plate that is named by a folder gets a name that a Zarr folder can have.
fn with_safe_name(kind: &CollectionKind, names: &ImageNames) -> (CollectionKind, Vec<String>) {
    match kind {
        CollectionKind::Plate { name, acquisition_id } if !names.plate_is_named && safe_name(name) != *name => {
            let safe = safe_name(name);
            let note = format!(
                "The plate is called {safe:?}: the name of its folder, {name:?}, has characters that the name of a plate should not \
                 have (--plate NAME gives another)"
            );
            let kind = CollectionKind::Plate {
                name: safe,
                acquisition_id: *acquisition_id,
            };
            (kind, vec![note])
        }
        kind => (kind.clone(), Vec::new()),
    }
}

/// Makes the paths of all tiles absolute. Missing files are errors, all of them named, unless images can do without them.
fn find_files(
    table: &TilesTable,
    tiles: &mut [Tile],
    how: &Reading<'_>,
    files: &mut Files<'_>,
    omissions: &mut Omissions,
) -> Result<(), TaskError> {
    let mut bad = BadCells::default();
    let mut used = HashSet::new();
    for (row, tile) in tiles.iter_mut().enumerate() {
        how.cancellation.check()?;
        let Some(file_path) = tile.image_loader.file_path() else {
            continue;
        };
        let found = match files.find(file_path)? {
            Some(found) => found,
            // The compute task names it among the tiles that are left out.
            None if how.bad_tiles != BadTiles::Fail => files.place_of_missing(file_path),
            None => {
                bad.add(BadCell {
                    row,
                    column: Some("file_path".to_owned()),
                    problem: files.missing(file_path).to_string(),
                });
                continue;
            }
        };
        tile.image_loader.set_file_path(found.display().to_string());
        used.insert(found);
    }
    bad.into_result(table)?;
    for name in files.unused(&used) {
        omissions.add_quietly(LeftOut::new(LeftOutKind::File, name, "no tile is made of it"));
    }
    Ok(())
}

/// Where the condition table lies: relative to the folder of the acquisition, or an absolute path.
fn condition_table(folder: &Path, path: &str) -> Result<PathBuf, CoreError> {
    let beside = folder.join(path);
    if !path.starts_with('~') && look_up(&beside)? != Found::Nothing {
        return Ok(beside);
    }
    match absolute(path) {
        Ok(path) if look_up(&path)? == Found::File => Ok(path),
        _ => Ok(beside),
    }
}

/// What the acquisition says of itself: its `acquisition_details.toml`, if there is one.
struct OwnDetails {
    path: PathBuf,
    file: Option<AcquisitionFile>,
    /// What holds where there is none.
    defaults: AcquisitionFile,
    /// Whether starts along z and t are numbers that file names count, not positions.
    starts_are_counted: bool,
}

/// A complete table, and what it belongs to.
struct Source {
    table: TilesTable,
    details: AcquisitionDetails,
    kind: CollectionKind,
    notes: Vec<String>,
}

fn from_table(
    path: &Path,
    own: OwnDetails,
    how: &Reading<'_>,
    files: &mut Files<'_>,
    omissions: &mut Omissions,
) -> Result<Source, TaskError> {
    let mut read = |file: &str| files.header(file);
    let table = read_tiles_table(path)?;
    table
        .left_out()
        .iter()
        .for_each(|out| omissions.add_quietly(out.clone()));
    let table = add_image_sizes(table, how.bad_files(), &mut read)?;
    let (axes, time) = own.axes(&table, how, &mut read)?;
    let table = add_image_pages(table, &axes, how.bad_files(), &mut read)?;
    let details = own.complete(&table, how, (&axes, time), None, &mut read)?;
    let table = add_image_positions(table, &details, how.bad_files(), &mut read)?;
    Ok(Source {
        table,
        details,
        kind: how.kind.clone(),
        notes: Vec::new(),
    })
}

impl OwnDetails {
    /// The axes of the images as far as they are known before image files are read, and whether there is time.
    fn axes(
        &self,
        table: &TilesTable,
        how: &Reading<'_>,
        read: &mut ReadHeader<'_>,
    ) -> Result<(Vec<Axis>, bool), CoreError> {
        let file = self.file().clone();
        let open = file.axes.is_none() && how.options.axes.is_none();
        let time = table_has_time(table) || (open && files_have_time(table, read)?);
        let details = file.details(&self.place(), time)?;
        Ok((details.with_options(how.options)?.axes, time))
    }

    /// What the acquisition is: the options, then the acquisition file, then the image files. `from_names` are channels that the
    /// names of the files tell, which come last.
    fn complete(
        &self,
        table: &TilesTable,
        how: &Reading<'_>,
        (axes, time): (&[Axis], bool),
        from_names: Option<Vec<String>>,
        read: &mut ReadHeader<'_>,
    ) -> Result<AcquisitionDetails, TaskError> {
        let mut file = self.file().clone();
        let wanted = Wanted {
            sizes: how.options.pixel_info.is_none(),
            channels: how.options.channels.is_none() && axes.contains(&Axis::C),
            time,
        };
        let size = file.fill_from_images(table, wanted, read, &mut |text| warn!("{text}"))?;
        if let PixelSize::Unknown { file: image } = size {
            // That the file cannot be opened is the better message.
            read(&image)?;
            if self.file.is_none() {
                return Err(CoreError::Missing {
                    path: self.path.clone(),
                    hint: format!(
                        "it says pixel size, channels and axes, and {image}, the first image file, does not say its pixel size; \
                         write one, at least with a line `xy_pixel_size = 0.65` (micrometers)"
                    ),
                }
                .into());
            }
            warn!(
                "neither {} nor {image} says the pixel size: 1 µm is taken; add a line such as `xy_pixel_size = 0.65`",
                self.path.display()
            );
        }
        if wanted.sizes && !self.starts_are_counted {
            file.fill_spacings_from_table(table, time, &mut |text| warn!("{text}"));
        }
        if file.channel_names.is_none() && wanted.channels {
            file.channel_names = from_names;
        }
        let details = file.details(&self.place(), time)?;
        Ok(details.with_options(how.options)?)
    }

    fn file(&self) -> &AcquisitionFile {
        self.file.as_ref().unwrap_or(&self.defaults)
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}
