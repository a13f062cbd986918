//! Fills what an acquisition file leaves out from what the image files say of themselves.

use super::AcquisitionFile;
use crate::error::CoreError;
use crate::table::{FileHeader, ReadHeader, TilesTable, cell_text, files_of, table_has_depth};

/// Sizes that differ by less are the same: files round them.
const SAME: f64 = 1e-3;

/// What is to be taken from the image files: nothing else is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Pixel size and spacings.
    pub sizes: bool,
    /// Names of channels.
    pub channels: bool,
    /// Whether the images have time.
    pub time: bool,
}

/// Whether the pixel size is known once the image files were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PixelSize {
    /// The acquisition file or an image file gives it, or it is not wanted.
    Known,
    /// Neither the acquisition file nor this image file gives it.
    Unknown {
        /// Path of the image file in the table.
        file: String,
    },
}

impl AcquisitionFile {
    /// Fills pixel size, spacings and channel names where they are left out, from the files of the table: sizes from its first file,
    /// names from the first file of each channel. Where its last file says another size, `warn` gets it.
    ///
    /// A file that cannot be opened says nothing here: whoever opens it for its pixels tells why.
    ///
    /// # Errors
    /// A column of the table cannot be read.
    pub fn fill_from_images(
        &mut self,
        table: &TilesTable,
        wanted: Wanted,
        read: &mut ReadHeader<'_>,
        warn: &mut dyn FnMut(String),
    ) -> Result<PixelSize, CoreError> {
        let known = |size: Option<f64>, of_use: bool| size.is_some() || !of_use;
        let sizes = known(self.xy_pixel_size, wanted.sizes)
            && known(self.z_spacing, wanted.sizes)
            && known(self.t_spacing, wanted.sizes && wanted.time);
        let complete = sizes && (self.channel_names.is_some() || !wanted.channels);
        if complete || !table.has("file_path") {
            return Ok(PixelSize::Known);
        }
        let files = files_of(table)?;
        let size = if wanted.sizes {
            self.fill_sizes(&files, table_has_depth(table), wanted.time, read, warn)?
        } else {
            PixelSize::Known
        };
        if wanted.channels && self.channel_names.is_none() {
            self.channel_names = channel_names(table, &files, read);
        }
        Ok(size)
    }

    fn fill_sizes(
        &mut self,
        files: &[String],
        depth: bool,
        time: bool,
        read: &mut ReadHeader<'_>,
        warn: &mut dyn FnMut(String),
    ) -> Result<PixelSize, CoreError> {
        let pixel: fn(&FileHeader) -> Option<f64> = |facts| facts.metadata.pixel_size_um.map(|(x, _)| x);
        let slices: fn(&FileHeader) -> Option<f64> = |facts| facts.metadata.z_spacing_um;
        let times: fn(&FileHeader) -> Option<f64> = |facts| facts.metadata.t_spacing_s;
        let sizes = [
            (&mut self.xy_pixel_size, "xy_pixel_size", "µm", true, pixel),
            (&mut self.z_spacing, "z_spacing", "µm", depth, slices),
            (&mut self.t_spacing, "t_spacing", "s", time, times),
        ];
        let missing: Vec<_> = sizes
            .into_iter()
            .filter(|(size, .., use_it, _)| size.is_none() && *use_it)
            .collect();
        let ([first, ..], false) = (files, missing.is_empty()) else {
            return Ok(PixelSize::Known);
        };
        // A damaged first file is found when its pixels are read; another one says the size as well.
        let readable = files.iter().find_map(|file| Some((file, read(file).ok()?)));
        let (first, facts) = readable.unwrap_or((first, FileHeader::default()));
        for (size, name, unit, _, of) in missing {
            let Some(found) = of(&facts) else { continue };
            *size = Some(found);
            let Some(last) = files.last().filter(|last| *last != first) else {
                continue;
            };
            if let Some(other) =
                of(&read(last).unwrap_or_default()).filter(|other| (other - found).abs() > SAME * found)
            {
                warn(format!(
                    "image files differ in {name}: {first} says {found} {unit}, {last} says {other} {unit}; that of the first is \
                     taken, write {name} into acquisition_details.toml to choose"
                ));
            }
        }
        if let Some((x, y)) = facts.metadata.pixel_size_um.filter(|(x, y)| (x - y).abs() > SAME * x) {
            warn(format!(
                "pixels of {first} are {x} µm wide and {y} µm high, but images have one pixel size: the width is taken"
            ));
        }
        match self.xy_pixel_size {
            None => Ok(PixelSize::Unknown { file: first.clone() }),
            Some(_) => Ok(PixelSize::Known),
        }
    }
}

/// The names of all channels; `None` if a file says none for its own, or two would be the same.
fn channel_names(table: &TilesTable, files: &[String], read: &mut ReadHeader<'_>) -> Option<Vec<String>> {
    // Cells that are not counts are errors of the table, found when its rows are read.
    let counts = |name: &str, default: usize| -> Vec<usize> {
        let count = |row: usize| cell_text(table.cell(name, row)).parse().unwrap_or(default);
        (0..files.len()).map(count).collect()
    };
    let (starts, lengths) = (counts("start_c", 0), counts("length_c", 1));
    let total = starts
        .iter()
        .zip(&lengths)
        .map(|(start, length)| start.saturating_add(*length))
        .max();
    // More than any microscope has: such a cell is a mistake.
    let total = total.filter(|total| *total <= 1000).unwrap_or(0);
    let mut names: Vec<Option<String>> = vec![None; total];
    for ((&start, &length), file) in starts.iter().zip(&lengths).zip(files) {
        if names
            .get(start..start + length)
            .is_none_or(|own| own.iter().all(Option::is_some))
        {
            continue;
        }
        let said = read(file).unwrap_or_default().metadata.channel_names;
        let own = match said.len() {
            count if count == length => &said[..],
            // Each file of a set can list the channels of all.
            count if count == total => &said[start..start + length],
            _ => return None,
        };
        for (name, own) in names[start..].iter_mut().zip(own) {
            name.get_or_insert_with(|| own.clone());
        }
    }
    let names: Option<Vec<String>> = names.into_iter().collect();
    let distinct = |names: &Vec<String>| (1..names.len()).all(|index| !names[..index].contains(&names[index]));
    names.filter(|names| !names.is_empty() && distinct(names))
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_ngff::Cell;
    use ome_zarr_convert_sources::FileMetadata;

    use super::*;

    fn table(starts: [i64; 3]) -> TilesTable {
        let files = ["a", "b", "c"].map(|file| Cell::Text(file.into()));
        let starts = starts.map(Cell::Int);
        TilesTable::new([("file_path", files.to_vec()), ("start_c", starts.to_vec())]).unwrap()
    }

    fn says(pixel: Option<f64>, names: &[&str]) -> Result<FileHeader, CoreError> {
        Ok(FileHeader {
            metadata: FileMetadata {
                pixel_size_um: pixel.map(|size| (size, size)),
                channel_names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..FileMetadata::default()
            },
            ..FileHeader::default()
        })
    }

    const ALL: Wanted = Wanted {
        sizes: true,
        channels: true,
        time: true,
    };

    fn fill(
        file: &mut AcquisitionFile,
        wanted: Wanted,
        answer: fn(&str) -> Result<FileHeader, CoreError>,
    ) -> (PixelSize, Vec<String>, String) {
        let (mut opened, mut warnings) = (String::new(), Vec::new());
        let mut read = |name: &str| {
            opened.push_str(name);
            answer(name)
        };
        let size = file.fill_from_images(&table([0, 1, 1]), wanted, &mut read, &mut |text| warnings.push(text));
        (size.unwrap(), warnings, opened)
    }

    #[test]
    fn sizes_come_from_the_first_file_and_names_from_each_channel() {
        let mut file = AcquisitionFile::default();
        let (size, warnings, _) = fill(&mut file, ALL, |name| match name {
            "a" => says(Some(0.5), &["DAPI"]),
            "b" => says(None, &["GFP"]),
            _ => says(Some(0.25), &[]),
        });
        assert_eq!(
            (size, file.xy_pixel_size, file.z_spacing),
            (PixelSize::Known, Some(0.5), None)
        );
        assert_eq!(file.channel_names.unwrap(), ["DAPI", "GFP"]);
        assert!(warnings[0].contains("a says 0.5 µm, c says 0.25 µm"), "{warnings:?}");
    }

    #[test]
    fn what_the_acquisition_file_says_is_not_read_from_images() {
        let mut file = AcquisitionFile {
            xy_pixel_size: Some(2.0),
            channel_names: Some(vec!["x".into(), "y".into()]),
            ..AcquisitionFile::default()
        };
        let wanted = Wanted { time: false, ..ALL };
        let (size, _, opened) = fill(&mut file, wanted, |_| says(Some(0.5), &["DAPI"]));
        assert_eq!(
            (size, file.xy_pixel_size, opened.as_str()),
            (PixelSize::Known, Some(2.0), "")
        );
    }

    #[test]
    fn the_pixel_size_is_in_no_file() {
        let mut file = AcquisitionFile::default();
        let (size, _, opened) = fill(&mut file, ALL, |_| says(None, &[]));
        assert_eq!(size, PixelSize::Unknown { file: "a".into() });
        assert_eq!((file.channel_names, opened.as_str()), (None, "aa"));
    }

    #[test]
    fn names_that_are_not_of_their_own_are_no_names() {
        let mut file = AcquisitionFile::default();
        fill(&mut file, ALL, |_| says(Some(1.0), &["Channel:0"]));
        assert_eq!(file.channel_names, None);
        fill(&mut file, ALL, |_| says(Some(1.0), &["DAPI", "GFP"]));
        assert_eq!(file.channel_names.unwrap(), ["DAPI", "GFP"]);
    }
}
