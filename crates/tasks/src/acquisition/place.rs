//! What the path of an acquisition is: a folder with a table, a table, a folder of image files, or an image file.

use std::io::Read;
use std::path::{Path, PathBuf};

use ome_zarr_convert_core::path::{Found, look_up};
use ome_zarr_convert_core::{CoreError, LeftOut, LeftOutKind, TABLE_SUFFIXES, is_image_name};

use super::ImageNames;
use super::omissions::Omissions;
use crate::error::TaskError;

/// Image files of microscopes and others that are not read.
const UNREAD_IMAGES: [&str; 28] = [
    "czi", "lif", "nd2", "oib", "oif", "oir", "vsi", "ims", "scn", "svs", "ndpi", "mrxs", "dv", "r3d", "zvi", "lei",
    "flex", "mvd2", "ipl", "h5", "hdf5", "gif", "webp", "heic", "jxr", "dcm", "xlif", "ome",
];

/// Where an acquisition lies.
pub(super) struct Place {
    /// The folder that relative paths start at.
    pub(super) folder: PathBuf,
    /// Its table, if it has one.
    pub(super) table: Option<PathBuf>,
    /// The one image file that was given, by its name in the folder.
    pub(super) file: Option<String>,
    /// Whether the folder was given, and not a file in it.
    is_folder: bool,
}

impl Place {
    pub(super) fn of(path: &Path, names: &ImageNames) -> Result<Self, TaskError> {
        let place = match look_up(path)? {
            Found::File => Self::of_file(path),
            Found::Folder => Self::of_folder(path)?,
            Found::Nothing => {
                return Err(CoreError::Missing {
                    path: path.to_owned(),
                    hint: "give the folder of an acquisition, which holds tiles.csv and acquisition_details.toml, or image files; \
                           a table or an image file will do too"
                        .into(),
                }
                .into());
            }
        };
        let Some(table) = &place.table else { return Ok(place) };
        let given = [
            ("--pattern", names.pattern.is_some()),
            ("--write-table", names.write_table.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(place),
            Some((flag, _)) => Err(TaskError::Arguments {
                place: flag.into(),
                problem: format!(
                    "it is for image files without a table, but there is {}; leave {flag} out, or move the table away",
                    table.display()
                ),
            }),
        }
    }

    fn of_file(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let is_table = table_suffix(&path.to_string_lossy()).is_some();
        Self {
            folder,
            table: is_table.then(|| path.to_owned()),
            file: path
                .file_name()
                .filter(|_| !is_table)
                .map(|name| name.to_string_lossy().into_owned()),
            is_folder: false,
        }
    }

    fn of_folder(folder: &Path) -> Result<Self, TaskError> {
        let is_table = |name: &String| {
            let name = name.to_lowercase();
            name.strip_prefix("tiles.")
                .is_some_and(|suffix| TABLE_SUFFIXES.contains(&suffix))
        };
        let tables: Vec<String> = names_in(folder)?.into_iter().filter(is_table).collect();
        if tables.len() > 1 {
            return Err(CoreError::Table {
                place: folder.display().to_string(),
                problem: format!(
                    "it holds {} tables of tiles: {}; keep one of them, or give the path of one",
                    tables.len(),
                    tables.join(", ")
                ),
            }
            .into());
        }
        Ok(Self {
            folder: folder.to_owned(),
            table: tables.first().map(|name| folder.join(name)),
            file: None,
            is_folder: true,
        })
    }

    /// Stops where a table in the folder would not be read: it is likelier a mistake than none at all. `conditions` is the condition
    /// table, which is read. Where the table of tiles is known, other kinds of tables are left out; so are all, where a pattern is given.
    pub(super) fn check_other_tables(
        &self,
        conditions: Option<&Path>,
        names: &ImageNames,
        omissions: &mut Omissions,
    ) -> Result<(), TaskError> {
        if !self.is_folder {
            return Ok(());
        }
        let mut tables = Vec::new();
        let mut names_here = names_in(&self.folder)?;
        if look_up(&self.folder.join("data"))? == Found::Folder {
            names_here.extend(
                names_in(&self.folder.join("data"))?
                    .iter()
                    .map(|name| format!("data/{name}")),
            );
        }
        for name in names_here {
            let path = self.folder.join(&name);
            let last = name.rsplit('/').next().unwrap_or(&name).to_lowercase();
            let is_hidden = last.starts_with('.') || last.starts_with("~$");
            let Some(suffix) = table_suffix(&name).filter(|_| !is_hidden) else {
                continue;
            };
            if Some(&path) == self.table.as_ref()
                || Some(path.as_path()) == conditions
                || look_up(&path)? != Found::File
            {
                continue;
            }
            // Text files are mostly notes and logs.
            let is_of_tiles = last.starts_with("tiles") || names_columns(&path)?;
            if is_of_tiles || (self.table.is_none() && suffix != "txt") {
                tables.push(name);
            } else if suffix != "txt" {
                let reason = "it is not a table of tiles; a condition table is named by condition_table_path";
                omissions.add(LeftOut::new(LeftOutKind::File, name, reason));
            }
        }
        if names.pattern.is_some() {
            let reason = "a pattern is given, so file names make the table";
            tables
                .into_iter()
                .for_each(|name| omissions.add(LeftOut::new(LeftOutKind::File, name, reason)));
            return Ok(());
        }
        let [first, ..] = tables.as_slice() else { return Ok(()) };
        let problem = match &self.table {
            Some(table) => format!(
                "it holds {} besides {}, which would not be read; give the path of the table that is meant, or move the other away",
                tables.join(", "),
                table.file_name().unwrap_or_default().to_string_lossy()
            ),
            None => format!(
                "it holds {}, which would not be read, because a table of tiles is called tiles.csv (or .tsv, .txt, .xlsx, .parquet); \
                 give its path ({}), rename it, or move it away",
                tables.join(", "),
                self.folder.join(first).display()
            ),
        };
        Err(CoreError::Table {
            place: self.folder.display().to_string(),
            problem,
        }
        .into())
    }

    /// The image files: the one that was given, or all below the folder, parts of their paths joined by `/`. Hidden files, links to folders and
    /// OME-Zarr outputs are passed over; what is not an image is left out.
    pub(super) fn image_files(&self, omissions: &mut Omissions) -> Result<Vec<String>, TaskError> {
        if let Some(file) = &self.file {
            return Ok(vec![file.clone()]);
        }
        let mut files = Vec::new();
        let mut folders = vec![(self.folder.clone(), String::new())];
        while let Some((folder, below)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(TaskError::io("list", &folder))? {
                let entry = entry.map_err(TaskError::io("list", &folder))?;
                let mut omit = |kind, reason: &str| {
                    let name = format!("{below}{}", entry.file_name().to_string_lossy());
                    omissions.add(LeftOut::new(kind, name, reason));
                };
                let Ok(name) = entry.file_name().into_string() else {
                    omit(LeftOutKind::File, "its name is not UTF-8 text");
                    continue;
                };
                let path = format!("{below}{name}");
                // Links are followed.
                match look_up(&entry.path())? {
                    Found::Nothing => omit(LeftOutKind::File, "it is a link that leads nowhere"),
                    Found::File if is_image_name(&name) => files.push(path),
                    Found::File if !name.starts_with('.') => {
                        let suffix = name.rsplit('.').next().unwrap_or_default().to_lowercase();
                        let out = LeftOut::new(LeftOutKind::File, path, "it is not an image that can be read");
                        if UNREAD_IMAGES.contains(&suffix.as_str()) {
                            omissions.add(out);
                        } else {
                            omissions.add_quietly(out);
                        }
                    }
                    Found::Folder if name.starts_with('.') || name.ends_with(".zarr") => {}
                    Found::Folder if entry.file_type().is_ok_and(|kind| kind.is_symlink()) => {
                        omit(LeftOutKind::Folder, "it is a link to a folder");
                    }
                    Found::Folder => folders.push((entry.path(), format!("{path}/"))),
                    Found::File => {}
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The suffix of a file that can hold a table.
fn table_suffix(name: &str) -> Option<&'static str> {
    let suffix = name.rsplit_once('.')?.1.to_lowercase();
    TABLE_SUFFIXES.into_iter().find(|known| *known == suffix)
}

/// Names in a folder, sorted.
fn names_in(folder: &Path) -> Result<Vec<String>, TaskError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(TaskError::io("list", folder))? {
        let entry = entry.map_err(TaskError::io("list", folder))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Whether the beginning of a file names columns of a table of tiles.
fn names_columns(path: &Path) -> Result<bool, TaskError> {
    const BEGINNING: u64 = 64 * 1024;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(TaskError::io("read", path))?;
    file.take(BEGINNING)
        .read_to_end(&mut bytes)
        .map_err(TaskError::io("read", path))?;
    // Zeros are half of the bytes of UTF-16.
    bytes.retain(|byte| *byte != 0);
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    Ok(["file_path", "fov_name", "start_x"]
        .iter()
        .any(|name| text.contains(name)))
}
