//! Names of habit, `plate_A01_s1_w2` or `DAPI/r01c02_t3`: wells, and words with numbers in any order.

mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use self::tokens::{Token, Word, take_apart, word};
use super::channel_words::is_channel_word;
use super::pattern::{NameParts, Part};

/// Names with what is read of them, each on its own.
#[cfg(test)]
pub(super) const EXAMPLES: [(&str, &str); 19] = [
    ("A01_f1_c2_z3_t4.tif", "Well A01, Field 1, Channel 2, Slice 3, Time 4"),
    ("A01_s1_DAPI.tif", "Well A01, Field 1, Channel DAPI"),
    ("A01_DAPI_s1.tif", "Well A01, Field 1, Channel DAPI"),
    ("DAPI/A01_s1.tif", "Well A01, Field 1, Channel DAPI"),
    (
        "run7/B2/t4_z3-ch02 site_9.ome.tif",
        "Well B2, Field 9, Channel 02, Slice 3, Time 4",
    ),
    ("A01_s1_w1_DAPI.tif", "Well A01, Field 1, Channel 1, Channel name DAPI"),
    ("F02_f03.tif", "Well F02, Field 03"),
    ("scan_C12.tif", "Well C12"),
    ("well_a03_pos2.tif", "Well A03, Field 2"),
    ("A01_F1_C2.tif", "Well A01, Field 1, Channel 2"),
    ("row2_col11_ch1.tif", "Row 2, Column 11, Channel 1"),
    ("plate r02c03f04.tif", "Row 02, Column 03, Field 04"),
    ("cells_C01_Z02.tif", "Image cells, Channel 01, Slice 02"),
    ("mouse 3_c0_z12.tif", "Image mouse_3, Channel 0, Slice 12"),
    ("day1/embryo_T001.tif", "Image embryo, Time 001"),
    ("cells_xy01c1t02.tif", "Image cells, Field 01, Channel 1, Time 02"),
    ("scan_s2z0m3c1_ORG.tif", "Image scan_s2, Field 3, Channel 1, Slice 0"),
    ("tile_x000_y002.tif", "Grid x 000, Grid y 002"),
    ("brain_r1_c2.tif", "Row 1, Column 2"),
];

/// What the names of a set have in common, which one name does not tell.
pub(super) struct Habits {
    small_wells: bool,
    /// Rows and columns are those of a mosaic: one has the number 0, or there are wells besides.
    rows_are_of_a_grid: bool,
    /// Folders by their depth that differ, and so are part of the names of images.
    differing_folders: BTreeSet<usize>,
    channels: Vec<String>,
    /// Whether words are channels where they are not known as such, because others in their place are.
    words_are_channels: bool,
}

impl Habits {
    /// What a set of paths has in common; `channels` are those that the acquisition lists.
    pub(super) fn of(files: &[&str], channels: Option<&[String]>) -> Self {
        let mut habits = Self {
            small_wells: false,
            rows_are_of_a_grid: false,
            differing_folders: BTreeSet::new(),
            channels: channels.unwrap_or(&[]).iter().map(|name| name.to_lowercase()).collect(),
            words_are_channels: false,
        };
        let (mut small, mut sure, mut large) = (BTreeSet::new(), false, false);
        let mut folders: BTreeMap<usize, &str> = BTreeMap::new();
        for file in files {
            let taken = take_apart(file);
            let tokens = || taken.folders.iter().flatten().chain(&taken.name);
            let has =
                |part: Part| tokens().any(|token| matches!(token, Token::Pair(word, _) if *word == Word::Of(part)));
            let (has_row, has_column) = (has(Part::Row), has(Part::Column));
            for token in tokens() {
                habits.words_are_channels |= matches!(token, Token::Other(text) if habits.is_channel(text));
                large |= matches!(token, Token::Well(_, None));
                habits.rows_are_of_a_grid |= match token {
                    Token::Pair(Word::Of(Part::Row | Part::Column), number) => number.parse() == Ok(0),
                    Token::Pair(Word::ChannelOrColumn, number) => has_row && !has_column && number.parse() == Ok(0),
                    _ => false,
                };
            }
            let mut small_wells = tokens().filter_map(|token| match token {
                Token::SmallWell(text, pair) => Some((*text, pair.is_none())),
                _ => None,
            });
            if let Some((text, is_sure)) = small_wells.next() {
                small.insert(text.chars().next());
                sure |= is_sure || small_wells.any(|(_, is_sure)| is_sure);
            }
            for (depth, folder) in file.rsplit('/').skip(1).enumerate() {
                if folders.insert(depth, folder).is_some_and(|known| known != folder) {
                    habits.differing_folders.insert(depth);
                }
            }
        }
        // `c01` is a channel, unless other letters lie in the same place.
        habits.small_wells = sure || (!large && small.len() > 1);
        habits.rows_are_of_a_grid |= large || habits.small_wells;
        habits
    }

    /// What a path says; `None` if it has neither a well nor a word with a number.
    pub(super) fn read(&self, path: &str) -> Option<NameParts> {
        let taken = take_apart(path);
        let mut reading = Reading::new(self);
        for (index, folder) in taken.folders.iter().enumerate() {
            reading.folder(folder, taken.folders.len() - 1 - index);
        }
        reading.tokens(&taken.name);
        reading.finish()
    }

    fn is_channel(&self, text: &str) -> bool {
        self.channels.contains(&text.to_lowercase()) || is_channel_word(text)
    }
}

/// What was found so far in one path.
struct Reading<'a, 'b> {
    habits: &'a Habits,
    well: Option<&'b str>,
    /// The pair that the well can be as well.
    well_as_pair: Option<(Word, &'b str)>,
    pairs: Vec<(Word, &'b str)>,
    words: Vec<&'b str>,
    folders: Vec<String>,
    /// What the file's own name begins with, before anything known.
    prefix: Vec<&'b str>,
}

impl<'a, 'b> Reading<'a, 'b> {
    fn new(habits: &'a Habits) -> Self {
        Self {
            habits,
            well: None,
            well_as_pair: None,
            pairs: Vec::new(),
            words: Vec::new(),
            folders: Vec::new(),
            prefix: Vec::new(),
        }
    }

    fn folder(&mut self, tokens: &[Token<'b>], depth: usize) {
        let known = self.pairs.len() + usize::from(self.well.is_some());
        let words: Vec<&str> = tokens.iter().map(Token::text).collect();
        self.tokens(tokens);
        self.prefix.clear();
        let found = self.pairs.len() + usize::from(self.well.is_some());
        if found == known {
            self.words.truncate(self.words.len().saturating_sub(words.len()));
            let name = words.join("_");
            if self.habits.is_channel(&name) {
                self.words.push(tokens.first().map_or("", Token::text));
            } else if self.habits.differing_folders.contains(&depth) {
                self.folders.push(name);
            }
        }
    }

    fn tokens(&mut self, tokens: &[Token<'b>]) {
        let mut found = false;
        for (index, token) in tokens.iter().enumerate() {
            let next_is_slice_or_time = || {
                matches!(
                    tokens.get(index + 1),
                    Some(Token::Pair(Word::Of(Part::Slice | Part::Time), _))
                )
            };
            let (candidate, pair) = match token {
                Token::Pair(word, number) => {
                    self.pairs.push((*word, number));
                    found = true;
                    continue;
                }
                Token::Other(text) => {
                    if found || !self.prefix_takes(text) {
                        self.words.push(text);
                    }
                    continue;
                }
                Token::Well(text, pair) => (Some(*text).filter(|_| pair.is_none() || !next_is_slice_or_time()), pair),
                Token::SmallWell(text, pair) => (Some(*text).filter(|_| self.habits.small_wells), pair),
            };
            match (candidate, pair) {
                (Some(well), pair)
                    if self
                        .well
                        .is_none_or(|known| self.is_better(known, well, pair.is_none())) =>
                {
                    match (self.well_as_pair.take(), self.well) {
                        (Some(pair), _) => self.pairs.push(pair),
                        (None, Some(other)) => self.prefix.push(other),
                        (None, None) => {}
                    }
                    (self.well, self.well_as_pair) = (Some(well), *pair);
                    found = true;
                }
                (_, Some((word, number))) => {
                    self.pairs.push((*word, number));
                    found = true;
                }
                (_, None) => {
                    if found || !self.prefix_takes(token.text()) {
                        self.words.push(token.text());
                    }
                }
            }
        }
    }

    /// Whether a later part is likelier a well than the one before: it can be nothing else, or its column has two digits (`P1_A01`).
    fn is_better(&self, known: &str, well: &str, is_sure: bool) -> bool {
        let long = |well: &str| well.bytes().filter(u8::is_ascii_digit).count() >= 2;
        let known_is_sure = self.well_as_pair.is_none();
        is_sure && (!known_is_sure || (long(well) && !long(known)))
    }

    fn prefix_takes(&mut self, text: &'b str) -> bool {
        let is_prefix = !self.habits.is_channel(text);
        if is_prefix {
            self.prefix.push(text);
        }
        is_prefix
    }

    fn finish(self) -> Option<NameParts> {
        let mut read = NameParts::default();
        let has = |part: Part| self.pairs.iter().any(|(word, _)| *word == Word::Of(part));
        let has_row = has(Part::Row);
        let c_is_column = has_row && !has(Part::Column);
        let is_mosaic = self.pairs.iter().any(|(word, _)| *word == Word::Mosaic);
        let of_grid = self.habits.rows_are_of_a_grid || self.well.is_some();
        let mut scene = None;
        let mut fields: Vec<&str> = Vec::new();
        for (word, number) in &self.pairs {
            let part = match word {
                Word::Mosaic => Part::Field,
                Word::ChannelOrColumn if c_is_column => Part::Column,
                Word::ChannelOrColumn => Part::Channel,
                Word::Of(part) => *part,
            };
            let part = match part {
                Part::Row if of_grid => Part::GridY,
                Part::Column if of_grid => Part::GridX,
                part => part,
            };
            match part {
                // Beside tiles of a mosaic, `s` is a scene: an image of its own.
                Part::Field if is_mosaic && *word != Word::Mosaic => scene = Some(*number),
                Part::Field => fields.push(number),
                part => {
                    read.parts.entry(part).or_insert_with(|| (*number).to_owned());
                }
            }
        }
        // One letter of a pair says nothing.
        for (one, other) in [(Part::GridX, Part::GridY), (Part::GridY, Part::GridX)] {
            if read.parts.contains_key(&one) && !read.parts.contains_key(&other) {
                read.parts.remove(&one);
            }
        }
        fields.dedup();
        if !fields.is_empty() {
            read.parts.insert(Part::Field, fields.join("_"));
        }
        if let Some(well) = self.well {
            read.parts.insert(Part::Well, well.to_ascii_uppercase());
        }
        let channel = self.words.iter().find(|text| self.habits.is_channel(text));
        let only_word = || match self.words.as_slice() {
            [word] if self.habits.words_are_channels => Some(word),
            _ => None,
        };
        let channel = channel.or_else(only_word).map(|text| (*text).to_owned());
        let in_well =
            self.well.is_some() || (read.parts.contains_key(&Part::Row) && read.parts.contains_key(&Part::Column));
        if !in_well {
            read.parts.remove(&Part::Row);
            read.parts.remove(&Part::Column);
            let least = if self.prefix.is_empty() { 2 } else { 1 };
            if read.parts.len() + usize::from(scene.is_some()) < least {
                return None;
            }
        }
        if let Some(name) = channel {
            let part = if read.parts.contains_key(&Part::Channel) {
                Part::ChannelName
            } else {
                Part::Channel
            };
            read.parts.insert(part, name);
        }
        if !in_well {
            // `tile` before its numbers is not a name.
            let prefix = self.prefix.iter().filter(|text| word(text).is_none()).copied();
            let mut image: Vec<&str> = self.folders.iter().map(String::as_str).chain(prefix).collect();
            let scene = scene.map(|number| format!("s{number}"));
            image.extend(scene.as_deref());
            if !image.is_empty() {
                read.parts.insert(Part::Image, image.join("_"));
            }
        }
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::words;
    use super::*;

    fn read(files: &[&str]) -> Vec<String> {
        let habits = Habits::of(files, None);
        let text = |file: &&str| {
            habits
                .read(file)
                .map_or_else(|| "nothing".to_owned(), |read| words(&read))
        };
        files.iter().map(text).collect()
    }

    #[test]
    fn examples() {
        for (path, expected) in EXAMPLES {
            assert_eq!(read(&[path]), [expected], "{path}");
        }
    }

    #[test]
    fn letters_are_wells_where_they_can_be_nothing_else() {
        assert_eq!(read(&["c01_f02.tif"]), ["Field 02, Channel 01"]);
        assert_eq!(
            read(&["c01_f02.tif", "d01_f02.tif"]),
            ["Well C01, Field 02", "Well D01, Field 02"]
        );
        assert_eq!(
            read(&["A01_c1.tif", "b02_c1.tif"]),
            ["Well A01, Channel 1", "Well B02, Channel 1"]
        );
        assert_eq!(read(&["f1_c2_a01.tif"]), ["Well A01, Field 1, Channel 2"]);
        assert_eq!(read(&["P1_A01_s1.tif"]), ["Well A01, Field 1"]);
        assert_eq!(read(&["C01_A02.tif"]), ["Well A02, Channel 01"]);
        assert_eq!(read(&["AA12_s1.tif"]), ["Well AA12, Field 1"]);
        assert_eq!(read(&["Z1.tif", "photo.tif", "m3.tif", "x1.tif"]), ["nothing"; 4]);
    }

    #[test]
    fn rows_of_a_mosaic_are_not_rows_of_a_plate() {
        let expected = ["Image brain, Grid x 0, Grid y 1", "Image brain, Grid x 1, Grid y 1"];
        assert_eq!(read(&["brain_r1_c0.tif", "brain_r1_c1.tif"]), expected);
        assert_eq!(read(&["A01_r1_c2.tif"]), ["Well A01, Grid x 2, Grid y 1"]);
    }

    #[test]
    fn folders_that_differ_are_part_of_an_image() {
        assert_eq!(
            read(&["day1/embryo_T1.tif", "day2/embryo_T1.tif"]),
            ["Image day1_embryo, Time 1", "Image day2_embryo, Time 1"]
        );
        assert_eq!(
            read(&["488nm/A01_s1.tif", "BF/A01_s1.tif"]),
            ["Well A01, Field 1, Channel 488nm", "Well A01, Field 1, Channel BF"]
        );
    }
}
