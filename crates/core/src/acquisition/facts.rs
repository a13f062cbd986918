//! Fills what an acquisition file leaves out from what the image files say of themselves.

use polars::prelude::DataFrame;

use super::AcquisitionFile;
use crate::error::CoreError;
use crate::table::{AskFile, FileFacts, cell_text, cells_of, table_has_depth};

/// Sizes that differ by less are the same: files round them.
const SAME: f64 = 1e-3;

/// What is of use, besides pixel size: nothing else is asked of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Pixel size and spacings.
    pub sizes: bool,
    /// Names of channels.
    pub channels: bool,
    /// Whether the images have time.
    pub time: bool,
}

/// Who says the pixel size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    /// The acquisition file or an image file, or it was not wanted.
    Somebody,
    /// Nobody: this image file was asked.
    Nobody {
        /// Its path in the table.
        file: String,
    },
}

impl AcquisitionFile {
    /// Fills pixel size, spacings and channel names where they are left out, from the files of the table: sizes from its first file,
    /// names from the first file of each channel. Where its last file says another size, that is told to `warn`.
    ///
    /// A file that cannot be opened says nothing here: whoever opens it for its pixels tells why.
    ///
    /// # Errors
    /// A column of the table cannot be read.
    pub fn fill_from_images(
        &mut self,
        table: &DataFrame,
        wanted: Wanted,
        ask: &mut AskFile<'_>,
        warn: &mut dyn FnMut(String),
    ) -> Result<Saying, CoreError> {
        let said = |size: Option<f64>, of_use: bool| size.is_some() || !of_use;
        let sizes = said(self.xy_pixel_size, wanted.sizes)
            && said(self.z_spacing, wanted.sizes)
            && said(self.t_spacing, wanted.sizes && wanted.time);
        let complete = sizes && (self.channel_names.is_some() || !wanted.channels);
        if complete || table.column("file_path").is_err() {
            return Ok(Saying::Somebody);
        }
        let cells = cells_of(table, "file_path")?;
        let files: Vec<String> = cells.iter().map(|cell| cell_text(cell).trim().to_owned()).collect();
        let saying = if wanted.sizes {
            self.fill_sizes(&files, table_has_depth(table)?, wanted.time, ask, warn)?
        } else {
            Saying::Somebody
        };
        if wanted.channels && self.channel_names.is_none() {
            self.channel_names = channel_names(table, &files, ask)?;
        }
        Ok(saying)
    }

    fn fill_sizes(
        &mut self,
        files: &[String],
        depth: bool,
        time: bool,
        ask: &mut AskFile<'_>,
        warn: &mut dyn FnMut(String),
    ) -> Result<Saying, CoreError> {
        let pixel: fn(&FileFacts) -> Option<f64> = |facts| facts.metadata.pixel_size_um.map(|(x, _)| x);
        let slices: fn(&FileFacts) -> Option<f64> = |facts| facts.metadata.z_spacing_um;
        let times: fn(&FileFacts) -> Option<f64> = |facts| facts.metadata.t_spacing_s;
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
            return Ok(Saying::Somebody);
        };
        let facts = ask(first).unwrap_or_default();
        for (size, name, unit, _, of) in missing {
            let Some(found) = of(&facts) else { continue };
            *size = Some(found);
            let Some(last) = files.last().filter(|last| *last != first) else {
                continue;
            };
            if let Some(other) = of(&ask(last).unwrap_or_default()).filter(|other| (other - found).abs() > SAME * found)
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
            None => Ok(Saying::Nobody { file: first.clone() }),
            Some(_) => Ok(Saying::Somebody),
        }
    }
}

/// The names of all channels; `None` if a file says none for its own, or two would be the same.
fn channel_names(table: &DataFrame, files: &[String], ask: &mut AskFile<'_>) -> Result<Option<Vec<String>>, CoreError> {
    let counts = |name: &str, default: usize| -> Result<Vec<usize>, CoreError> {
        if table.column(name).is_err() {
            return Ok(vec![default; files.len()]);
        }
        let cells = cells_of(table, name)?;
        // Cells that are no counts are errors of the table, told when its rows are read.
        Ok(cells
            .iter()
            .map(|cell| cell_text(cell).parse().unwrap_or(default))
            .collect())
    };
    let (starts, lengths) = (counts("start_c", 0)?, counts("length_c", 1)?);
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
        let said = ask(file).unwrap_or_default().metadata.channel_names;
        let own = match said.len() {
            count if count == length => &said[..],
            // Each file of a set can list the channels of all.
            count if count == total => &said[start..start + length],
            _ => return Ok(None),
        };
        for (name, own) in names[start..].iter_mut().zip(own) {
            name.get_or_insert_with(|| own.clone());
        }
    }
    let names: Option<Vec<String>> = names.into_iter().collect();
    let distinct = |names: &Vec<String>| (1..names.len()).all(|index| !names[..index].contains(&names[index]));
    Ok(names.filter(|names| !names.is_empty() && distinct(names)))
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_sources::FileMetadata;
    use polars::prelude::{IntoColumn, NamedFrom, Series};

    use super::*;

    fn table(starts: [i64; 3]) -> DataFrame {
        let files = Series::new("file_path".into(), ["a", "b", "c"]).into_column();
        DataFrame::new(3, vec![files, Series::new("start_c".into(), starts).into_column()]).unwrap()
    }

    fn says(pixel: Option<f64>, names: &[&str]) -> Result<FileFacts, CoreError> {
        Ok(FileFacts {
            metadata: FileMetadata {
                pixel_size_um: pixel.map(|size| (size, size)),
                channel_names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..FileMetadata::default()
            },
            ..FileFacts::default()
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
        answer: fn(&str) -> Result<FileFacts, CoreError>,
    ) -> (Saying, Vec<String>, String) {
        let (mut asked, mut warnings) = (String::new(), Vec::new());
        let mut ask = |name: &str| {
            asked.push_str(name);
            answer(name)
        };
        let saying = file.fill_from_images(&table([0, 1, 1]), wanted, &mut ask, &mut |text| warnings.push(text));
        (saying.unwrap(), warnings, asked)
    }

    #[test]
    fn sizes_come_from_the_first_file_and_names_from_each_channel() {
        let mut file = AcquisitionFile::default();
        let (saying, warnings, _) = fill(&mut file, ALL, |name| match name {
            "a" => says(Some(0.5), &["DAPI"]),
            "b" => says(None, &["GFP"]),
            _ => says(Some(0.25), &[]),
        });
        assert_eq!(
            (saying, file.xy_pixel_size, file.z_spacing),
            (Saying::Somebody, Some(0.5), None)
        );
        assert_eq!(file.channel_names.unwrap(), ["DAPI", "GFP"]);
        assert!(warnings[0].contains("a says 0.5 µm, c says 0.25 µm"), "{warnings:?}");
    }

    #[test]
    fn what_the_acquisition_says_is_not_asked() {
        let mut file = AcquisitionFile {
            xy_pixel_size: Some(2.0),
            channel_names: Some(vec!["x".into(), "y".into()]),
            ..AcquisitionFile::default()
        };
        let wanted = Wanted { time: false, ..ALL };
        let (saying, _, asked) = fill(&mut file, wanted, |_| says(Some(0.5), &["DAPI"]));
        assert_eq!(
            (saying, file.xy_pixel_size, asked.as_str()),
            (Saying::Somebody, Some(2.0), "")
        );
    }

    #[test]
    fn nobody_says_the_pixel_size() {
        let mut file = AcquisitionFile::default();
        let (saying, _, asked) = fill(&mut file, ALL, |_| says(None, &[]));
        assert_eq!(saying, Saying::Nobody { file: "a".into() });
        assert_eq!((file.channel_names, asked.as_str()), (None, "aa"));
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
