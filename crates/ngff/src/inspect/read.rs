//! Reads the metadata of a plate, well or image from top to bottom and goes on where a part is missing or broken.

use ome_zarr_convert_store::Location;
use serde_json::Value;

use super::report::{
    AcquisitionReport, ArrayReport, AxisReport, ChannelReport, Fault, ImageReport, Inspection, LevelReport, Node,
    PlateReport, PlateWell, TableReport, Usage, WellImage, WellReport,
};
use super::{Kind, ParquetRows};
use crate::array::ArrayInfo;
use crate::error::{NgffError, Result};
use crate::group::{self, OmeGroup};
use crate::image::ImageMetadata;
use crate::json;
use crate::plate::Plate;
use crate::table::read_table;
use crate::version::NgffVersion;

/// The report of the group in `dir`, without usages.
pub(super) fn read(dir: &Location, kind: Kind, parquet_rows: &ParquetRows) -> Result<Inspection> {
    let group = OmeGroup::read(dir)?;
    let mut reader = Reader {
        root: dir,
        version: group.version,
        parquet_rows,
        faults: Vec::new(),
    };
    let node = match kind {
        Kind::Plate => Node::Plate(reader.plate(dir)?),
        Kind::Well => Node::Well(reader.well(dir)?),
        Kind::Image => Node::Image(reader.image(dir)?),
    };
    Ok(Inspection {
        path: dir.clone(),
        ngff_version: group.version,
        zarr_format: group.version.zarr_format().number(),
        writer: writer(dir, &group),
        usage: Usage::default(),
        node,
        problems: reader.faults,
    })
}

/// The `_creator` that ome-zarr and OMERO write: name and version.
fn writer(dir: &Location, group: &OmeGroup) -> Option<String> {
    let in_ome = group.ome(dir).ok().and_then(|ome| ome.get("_creator"));
    let creator = in_ome.or_else(|| group.attributes.get("_creator"))?;
    let text = |key: &str| creator.get(key).and_then(Value::as_str);
    let name = text("name")?;
    Some(text("version").map_or_else(|| name.to_owned(), |version| format!("{name} {version}")))
}

struct Reader<'a> {
    root: &'a Location,
    version: NgffVersion,
    parquet_rows: &'a ParquetRows,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn plate(&mut self, dir: &Location) -> Result<PlateReport> {
        let plate = Plate::open(dir)?;
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let wells = plate.well_paths();
        let mut rows: Vec<&str> = wells.iter().filter_map(|path| Some(path.split_once('/')?.0)).collect();
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            let row = dir.child(row);
            let found = group::read_attributes(&row);
            self.kept(&row, found);
        }
        let well = |path: &&str| {
            let place = dir.join(path);
            let found = self.well(&place);
            PlateWell {
                path: (*path).to_owned(),
                well: self.kept(&place, found).unwrap_or(WellReport { images: Vec::new() }),
            }
        };
        let wells = wells.iter().map(well).collect();
        let acquisition = |(id, name): (u32, Option<&str>)| AcquisitionReport {
            id,
            name: name.map(str::to_owned),
        };
        Ok(PlateReport {
            name: plate.name().map(str::to_owned),
            rows: texts(plate.rows()),
            columns: texts(plate.columns()),
            acquisitions: plate.acquisitions().into_iter().map(acquisition).collect(),
            wells,
            tables: self.tables(dir),
        })
    }

    fn well(&mut self, dir: &Location) -> Result<WellReport> {
        let group = OmeGroup::read(dir)?;
        self.check_version(dir, group.version);
        let found = group.ome(dir)?.get("well").and_then(|well| well.get("images"));
        let entries = found.and_then(Value::as_array);
        let images: Option<Vec<(String, Option<u32>)>> = entries.and_then(|entries| {
            let entry = |entry: &Value| {
                let path = entry.get("path")?.as_str()?.to_owned();
                let acquisition = entry.get("acquisition").and_then(Value::as_u64);
                Some((path, acquisition.and_then(|number| u32::try_from(number).ok())))
            };
            entries.iter().map(entry).collect()
        });
        let Some(images) = images else {
            let expected = "a list of objects with a path";
            return Err(NgffError::malformed(dir, "well.images", expected, found));
        };
        let image = |(path, acquisition): (String, Option<u32>)| {
            let place = dir.join(&path);
            let found = self.image(&place);
            WellImage {
                path,
                acquisition,
                usage: Usage::default(),
                image: self.kept(&place, found),
            }
        };
        Ok(WellReport {
            images: images.into_iter().map(image).collect(),
        })
    }

    fn image(&mut self, dir: &Location) -> Result<ImageReport> {
        let (metadata, version) = ImageMetadata::read(dir)?;
        self.check_version(dir, version);
        let axes: Vec<&str> = metadata.axes.iter().map(|axis| axis.name.as_str()).collect();
        let mut levels = Vec::with_capacity(metadata.levels.len());
        for level in &metadata.levels {
            let place = dir.join(&level.path);
            let found = array(&place, &axes);
            levels.push(LevelReport {
                path: level.path.clone(),
                scale: level.scale.clone(),
                usage: Usage::default(),
                array: self.kept(&place, found),
            });
        }
        let channels: Vec<ChannelReport> = metadata
            .channels
            .into_iter()
            .flatten()
            .map(|channel| ChannelReport {
                label: channel.label,
                wavelength_id: channel.wavelength_id,
                color: channel.color,
                active: channel.active,
                window: channel.window.map(|window| [window.start, window.end]),
            })
            .collect();
        let finest = levels.first().and_then(|level| level.array.as_ref());
        let c_axis = axes.iter().position(|name| *name == "c");
        let size_c = c_axis.and_then(|axis| finest?.shape.get(axis));
        if let Some(size) = size_c.filter(|size| !channels.is_empty() && **size != channels.len() as u64) {
            let problem = format!("{dir} lists {} channels, but its c axis has {size}", channels.len());
            self.fault(dir, problem);
        }
        Ok(ImageReport {
            levels,
            channels,
            translation: metadata.translation,
            axes: metadata
                .axes
                .into_iter()
                .map(|axis| AxisReport {
                    name: axis.name,
                    kind: axis.kind,
                    unit: axis.unit,
                })
                .collect(),
            tables: self.tables(dir),
        })
    }

    fn tables(&mut self, dir: &Location) -> Vec<TableReport> {
        let tables = dir.child("tables");
        let attributes = match group::read_attributes(&tables) {
            Ok((attributes, _)) => attributes,
            Err(NgffError::NotZarr { .. }) if !self.is_there(&tables) => return Vec::new(),
            Err(error) => {
                self.fault(&tables, error.to_string());
                return Vec::new();
            }
        };
        let found = attributes.get("tables");
        let names: Option<Vec<&str>> = match found {
            None => Some(Vec::new()),
            Some(list) => list
                .as_array()
                .and_then(|list| list.iter().map(Value::as_str).collect()),
        };
        let Some(names) = names else {
            let error = NgffError::malformed(&tables, "tables", "a list of names", found);
            self.fault(&tables, error.to_string());
            return Vec::new();
        };
        let table = |name: &str| {
            let place = tables.child(name);
            let read = group::read_attributes(&place);
            let (attributes, _) = self.kept(&place, read)?;
            let text = |key: &str| attributes.get(key).and_then(Value::as_str).map(str::to_owned);
            let rows = rows(dir, name, text("backend").as_deref(), self.parquet_rows);
            let rows = rows.map_err(|problem| self.fault(&place, problem)).ok().flatten();
            Some(TableReport {
                name: name.to_owned(),
                kind: text("type"),
                backend: text("backend"),
                rows,
            })
        };
        names.into_iter().filter_map(table).collect()
    }

    /// All groups of a hierarchy are of one Zarr format: readers open the parts as they opened the whole.
    fn check_version(&mut self, dir: &Location, found: NgffVersion) {
        if found != self.version {
            let problem = format!("{dir} is OME-NGFF {found}, what it is part of is {}", self.version);
            self.fault(dir, problem);
        }
    }

    /// The value, or its error among the problems.
    fn kept<T>(&mut self, dir: &Location, found: Result<T>) -> Option<T> {
        let error = match found {
            Ok(found) => return Some(found),
            Err(error) => error,
        };
        let problem = match error {
            NgffError::NotZarr { .. } if !self.is_there(dir) => format!("{dir} is listed, but it is not there"),
            error => error.to_string(),
        };
        self.fault(dir, problem);
        None
    }

    /// Whether something is there; what cannot be told is a problem of its own.
    fn is_there(&mut self, dir: &Location) -> bool {
        dir.exists().unwrap_or_else(|error| {
            self.fault(dir, error.to_string());
            true
        })
    }

    fn fault(&mut self, dir: &Location, problem: String) {
        self.faults.push(Fault {
            path: super::usage::relative(self.root, dir),
            problem,
        });
    }
}

fn array(dir: &Location, axes: &[&str]) -> Result<ArrayReport> {
    let (info, _) = ArrayInfo::read(dir)?;
    for (what, lengths) in [("shape", &info.shape), ("chunks", &info.chunks)] {
        if lengths.len() != axes.len() {
            return Err(NgffError::Inconsistent {
                what: format!("the {what} of {dir}"),
                found: format!("{lengths:?}"),
                expected: format!("one number for each of the axes {}", axes.join(", ")),
            });
        }
    }
    Ok(ArrayReport {
        shape: info.shape,
        chunks: info.chunks,
        shards: info.shards,
        data_type: info.data_type.name(),
        codec: info.compressor,
    })
}

/// Number of rows of a table; `None` if its backend is not known here.
fn rows(
    dir: &Location,
    name: &str,
    backend: Option<&str>,
    parquet_rows: &ParquetRows,
) -> std::result::Result<Option<u64>, String> {
    let place = dir.child("tables").child(name);
    let rows = match backend {
        Some("csv" | "json") => read_table(dir, name).map(|table| table.map(|table| table.row_count() as u64)),
        Some("parquet") => {
            let file = place.child("table.parquet");
            let bytes = file.read().map_err(|error| error.to_string())?;
            let bytes =
                bytes.ok_or_else(|| format!("{file} is not there, but the table's metadata says that it is"))?;
            return parquet_rows(&bytes)
                .map(Some)
                .map_err(|error| format!("cannot read {file}: {error}"));
        }
        Some(backend) if backend.starts_with("anndata") => anndata_rows(&place).map(Some),
        _ => Ok(None),
    };
    rows.map_err(|error| error.to_string())
}

/// The length of the index, whatever the type of its elements.
fn anndata_rows(table: &Location) -> Result<u64> {
    let obs = table.child("obs");
    let (attributes, format) = group::read_attributes(&obs)?;
    let index = attributes.get("_index").and_then(Value::as_str).unwrap_or("_index");
    let dir = obs.join(index);
    let Some(document) = json::read(&dir.child(format.array_document()))? else {
        return Err(NgffError::not_zarr(&dir, "array"));
    };
    let length = document.pointer("/shape/0").and_then(Value::as_u64);
    length.ok_or_else(|| NgffError::malformed(&dir, "shape", "a list of whole numbers", document.get("shape")))
}
