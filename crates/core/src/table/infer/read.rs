//! One file name: its pattern, well, image and channel.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Naming;
use crate::collection::row_label;
use crate::error::CoreError;
use crate::table::built_in::EACH_FILE;
use crate::table::habits::Habits;
use crate::table::names::{column, distinct, path_name, row, well};
use crate::table::pattern::{NameParts, Part, Pattern};
use crate::table::suggest::guess;

/// Names of wells with letters and numbers.
const HABIT_IN_WELLS: &str = "a well with numbers (A01_f1_c1_z1_t1)";
/// Other names with letters and numbers.
const HABIT: &str = "an image with numbers (sample_f1_c1_z1_t1)";

/// A file with what its name says.
pub(super) struct Named<'a> {
    pub(super) file: &'a str,
    pub(super) read: NameParts,
}

impl Named<'_> {
    pub(super) fn part(&self, part: Part) -> Option<&str> {
        self.read.parts.get(&part).map(String::as_str)
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

/// A pattern in words for some names, as the end of a message.
pub(super) fn ready_pattern(files: &[&str]) -> String {
    guess(files).map_or_else(String::new, |pattern| {
        format!("; for these names, try --pattern '{pattern}'")
    })
}

/// The pattern that reads the most names, with what it reads and what it does not.
pub(super) fn choose<'a>(files: &[&'a str], naming: &Naming<'_>) -> Result<Choice<'a>, CoreError> {
    if let Some(text) = naming.pattern {
        let pattern = Pattern::given(text)?;
        let (named, unmatched) = read_all(files, usize::MAX, |file| pattern.read(file))?;
        return match (named.is_empty(), unmatched.first()) {
            (true, Some(first)) => Err(CoreError::Syntax {
                place: format!("the pattern {text:?}"),
                problem: format!(
                    "it matches none of the {} image files; the first is {first:?}{}",
                    files.len(),
                    ready_pattern(files)
                ),
            }),
            _ => Ok((pattern.name, named, unmatched)),
        };
    }
    // One image on its own has its name, whatever that would say among others.
    let alone = files.len() == 1 && naming.in_wells == Some(false);
    // A few files of another kind may lie among the others (overviews), but not as many.
    let most = files.len() / 2;
    let reads_most = |(named, unmatched): &(Vec<Named<'a>>, Vec<&str>)| {
        named.len() > unmatched.len() && named.len() + unmatched.len() == files.len()
    };
    if !alone {
        for pattern in Pattern::built_in()? {
            let read = read_all(files, most, |file| pattern.read(file))?;
            if reads_most(&read) {
                return Ok((pattern.name, read.0, read.1));
            }
        }
        let habits = Habits::of(files, naming.channels);
        for in_wells in [true, false] {
            let read = read_all(files, most, |file| {
                Ok(habits.read(file).filter(|read| read.in_wells() == in_wells))
            })?;
            if reads_most(&read) {
                let name = if in_wells { HABIT_IN_WELLS } else { HABIT };
                return Ok((name.to_owned(), read.0, read.1));
            }
        }
    }
    let pattern = Pattern::each_file()?;
    let (named, unmatched) = read_all(files, usize::MAX, |file| pattern.read(file))?;
    Ok((EACH_FILE.to_owned(), named, unmatched))
}

/// What is read of the names, and the names that are not; it ends early after more than `most` of those.
fn read_all<'a>(
    files: &[&'a str],
    most: usize,
    read: impl Fn(&str) -> Result<Option<NameParts>, CoreError>,
) -> Result<(Vec<Named<'a>>, Vec<&'a str>), CoreError> {
    let (mut named, mut unmatched) = (Vec::new(), Vec::new());
    for file in files.iter().copied() {
        match read(file)? {
            Some(read) => named.push(Named { file, read }),
            None => unmatched.push(file),
        }
        if unmatched.len() > most {
            break;
        }
    }
    Ok((named, unmatched))
}

/// The well of a file.
pub(super) fn place_in_plate(named: &Named<'_>) -> Result<(String, u32), CoreError> {
    if let Some(text) = named.part(Part::Well) {
        return well(text).ok_or_else(|| named.wrong(format!("{text:?} is not a well such as B03")));
    }
    let from_0 = |part: Part| {
        named
            .part(part)
            .and_then(|text| text.parse::<u32>().ok()?.checked_add(1))
    };
    if let (Some(row), Some(column)) = (from_0(Part::RowFrom0), from_0(Part::ColumnFrom0)) {
        let label = row_label(&row.to_string());
        return label
            .map(|row| (row, column))
            .ok_or_else(|| named.wrong(format!("the row {row} is beyond any plate")));
    }
    let (row_text, column_text) = (
        named.part(Part::Row).unwrap_or(""),
        named.part(Part::Column).unwrap_or(""),
    );
    row(row_text).zip(column(column_text)).ok_or_else(|| {
        named.wrong(format!(
            "row {row_text:?} and column {column_text:?} are not a well; a row is a letter or a number, a column a number, both from 1"
        ))
    })
}

/// The name of the image that a file is part of.
pub(super) fn image_name(named: &Named<'_>, default: &str) -> String {
    if let Some(image) = named.part(Part::Image) {
        return path_name(image);
    }
    let has_well = [Part::Well, Part::Row, Part::RowFrom0]
        .iter()
        .any(|part| named.part(*part).is_some());
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
/// numbers, from 1, or from 0 if there is a 0. `names` are those that files give besides a number.
pub(super) fn channels(
    parts: &[Option<&str>],
    names: &[Option<&str>],
    known: Option<&[String]>,
) -> Result<Channels, (usize, String)> {
    if let Some(known) = known {
        return Ok((known_channels(parts, names, known)?, None));
    }
    let ranked = distinct(parts);
    let ranks: HashMap<Option<&str>, u64> = ranked
        .iter()
        .enumerate()
        .map(|(rank, part)| (*part, rank as u64))
        .collect();
    let indices: Vec<u64> = parts.iter().map(|part| ranks.get(part).copied().unwrap_or(0)).collect();
    let labels = names_of_numbers(&indices, names).unwrap_or_else(|| ranked.iter().map(|part| label(*part)).collect());
    Ok((indices, Some(labels)))
}

/// The channels' own names: one for each number.
fn names_of_numbers(indices: &[u64], names: &[Option<&str>]) -> Option<Vec<String>> {
    let mut found: BTreeMap<u64, &str> = BTreeMap::new();
    for (index, name) in indices.iter().zip(names) {
        if found.insert(*index, (*name)?).is_some_and(|known| Some(known) != *name) {
            return None;
        }
    }
    let different: BTreeSet<&&str> = found.values().collect();
    (different.len() == found.len()).then(|| found.values().map(|name| (*name).to_owned()).collect())
}

fn label(part: Option<&str>) -> String {
    match part {
        None => "channel".to_owned(),
        Some(part) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = part.trim_start_matches('0');
            format!("channel_{}", if number.is_empty() { "0" } else { number })
        }
        Some(part) => part.to_owned(),
    }
}

fn known_channels(
    parts: &[Option<&str>],
    names: &[Option<&str>],
    known: &[String],
) -> Result<Vec<u64>, (usize, String)> {
    let numbers: Option<Vec<u64>> = parts
        .iter()
        .map(|part| part.and_then(|part| part.parse().ok()))
        .collect();
    let first = u64::from(!numbers.iter().flatten().any(|number| *number == 0));
    let places: HashMap<String, usize> = known
        .iter()
        .enumerate()
        .rev()
        .map(|(i, name)| (name.to_lowercase(), i))
        .collect();
    let named = |text: Option<&str>| text.and_then(|text| places.get(&text.to_lowercase())).copied();
    let index = |(row, part): (usize, &Option<&str>)| {
        let numbered = || {
            let number = numbers.as_ref()?.get(row)?.checked_sub(first)?;
            Some(number as usize).filter(|index| *index < known.len())
        };
        let index = named(*part).or_else(|| named(names[row])).or_else(numbered);
        index.map(|index| index as u64).ok_or_else(|| {
            let part = part.unwrap_or_default();
            let problem = format!(
                "its channel {part:?} is not among those of the acquisition ({})",
                known.join(", ")
            );
            (row, problem)
        })
    };
    parts.iter().enumerate().map(index).collect()
}

/// Images whose names come from different texts: their files would become one image.
pub(super) fn merged_names(named: &[Named<'_>], part: Part) -> Option<(usize, usize)> {
    let mut known: HashMap<String, (&str, usize)> = HashMap::new();
    for (index, file) in named.iter().enumerate() {
        let Some(text) = file.part(part) else { continue };
        let (first_text, first) = *known.entry(path_name(text)).or_insert((text, index));
        if first_text != text {
            return Some((first, index));
        }
    }
    None
}
