//! One file name: its pattern, well, image and channel.

use super::Naming;
use crate::error::CoreError;
use crate::table::names::{column, distinct, path_name, row, well};
use crate::table::pattern::{EACH_FILE, Part, Pattern, Said};

/// A file with what its name says.
pub(super) struct Named<'a> {
    pub(super) file: &'a str,
    pub(super) said: Said,
}

impl Named<'_> {
    pub(super) fn part(&self, part: Part) -> Option<&str> {
        self.said.parts.get(&part).map(String::as_str)
    }

    pub(super) fn wrong(&self, problem: String) -> CoreError {
        CoreError::Table {
            place: format!("the file name {:?}", self.file),
            problem,
        }
    }
}

/// The name of a pattern, the names that it reads, and those that it does not.
pub(super) type Choice<'a> = (String, Vec<Named<'a>>, Vec<&'a str>);

/// The index of the channel of each file, and the channels' names where the acquisition does not list them.
pub(super) type Channels = (Vec<u64>, Option<Vec<String>>);

/// The pattern that reads the most names, with what it reads and what it does not.
pub(super) fn choose<'a>(files: &[&'a str], naming: &Naming<'_>) -> Result<Choice<'a>, CoreError> {
    let read = |pattern: &Pattern, most: usize| -> Result<(Vec<Named<'a>>, Vec<&'a str>), CoreError> {
        let (mut named, mut unmatched) = (Vec::new(), Vec::new());
        for file in files.iter().copied() {
            match pattern.read(file)? {
                Some(said) => named.push(Named { file, said }),
                None => unmatched.push(file),
            }
            if unmatched.len() > most {
                break;
            }
        }
        Ok((named, unmatched))
    };
    if let Some(text) = naming.pattern {
        let pattern = Pattern::given(text)?;
        let (named, unmatched) = read(&pattern, usize::MAX)?;
        return match (named.is_empty(), unmatched.first()) {
            (true, Some(first)) => Err(CoreError::Syntax {
                place: format!("the pattern {text:?}"),
                problem: format!(
                    "it matches none of the {} image files; the first is {first:?}",
                    files.len()
                ),
            }),
            _ => Ok((pattern.name, named, unmatched)),
        };
    }
    // One image on its own has its name, whatever that would say among others.
    let alone = files.len() == 1 && naming.in_wells == Some(false);
    for pattern in Pattern::known()?
        .into_iter()
        .filter(|pattern| !alone || pattern.name == EACH_FILE)
    {
        // A few files of another kind may lie among the others (overviews), but not as many.
        let (named, unmatched) = read(&pattern, files.len() / 2)?;
        if named.len() > unmatched.len() && named.len() + unmatched.len() == files.len() {
            return Ok((pattern.name, named, unmatched));
        }
    }
    Ok((EACH_FILE.to_owned(), Vec::new(), files.to_vec()))
}

/// The well of a file.
pub(super) fn place_in_plate(named: &Named<'_>) -> Result<(String, u32), CoreError> {
    if let Some(text) = named.part(Part::Well) {
        return well(text).ok_or_else(|| named.wrong(format!("{text:?} is no well such as B03")));
    }
    let (row_text, column_text) = (
        named.part(Part::Row).unwrap_or(""),
        named.part(Part::Column).unwrap_or(""),
    );
    row(row_text).zip(column(column_text)).ok_or_else(|| {
        named.wrong(format!(
            "row {row_text:?} and column {column_text:?} are no well; a row is a letter or a number, a column a number, both from 1"
        ))
    })
}

/// The name of the image that a file is part of.
pub(super) fn image_name(named: &Named<'_>, default: &str) -> String {
    if let Some(image) = named.part(Part::Image) {
        return path_name(image);
    }
    let has_well = [Part::Well, Part::Row].iter().any(|part| named.part(*part).is_some());
    let well = place_in_plate(named).ok().filter(|_| has_well);
    let well = well.map(|(row, column)| format!("{row}{column:02}"));
    match (named.part(Part::Plate), well) {
        (Some(plate), Some(well)) => path_name(&format!("{plate}_{well}")),
        (Some(name), None) => path_name(name),
        (None, Some(name)) => path_name(&name),
        (None, None) => path_name(default),
    }
}

/// The index of each part among the channels, and their names. Names that the acquisition lists are looked up there; so are
/// numbers, from 1, or from 0 if there is a 0.
pub(super) fn channels(parts: &[Option<&str>], known: Option<&[String]>) -> Result<Channels, (usize, String)> {
    let ranked = distinct(parts);
    let numbers: Option<Vec<u64>> = parts
        .iter()
        .map(|part| part.and_then(|part| part.parse().ok()))
        .collect();
    if let Some(known) = known {
        let first = u64::from(!numbers.iter().flatten().any(|number| *number == 0));
        let index = |(row, part): (usize, &Option<&str>)| {
            let named = known
                .iter()
                .position(|name| part.is_some_and(|part| name.eq_ignore_ascii_case(part)));
            let numbered = || {
                numbers
                    .as_ref()
                    .map(|numbers| (numbers[row] - first) as usize)
                    .filter(|index| *index < known.len())
            };
            let index = named.or_else(numbered);
            index.map(|index| index as u64).ok_or_else(|| {
                let part = part.unwrap_or_default();
                (
                    row,
                    format!(
                        "its channel {part:?} is not among those of the acquisition ({})",
                        known.join(", ")
                    ),
                )
            })
        };
        return Ok((parts.iter().enumerate().map(index).collect::<Result<_, _>>()?, None));
    }
    let rank = |part: &Option<&str>| ranked.iter().position(|known| known == part).unwrap_or(0) as u64;
    let label = |part: &Option<&str>| match part {
        None => "channel".to_owned(),
        Some(part) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = part.trim_start_matches('0');
            format!("channel_{}", if number.is_empty() { "0" } else { number })
        }
        Some(part) => (*part).to_owned(),
    };
    Ok((
        parts.iter().map(rank).collect(),
        Some(ranked.iter().map(label).collect()),
    ))
}
