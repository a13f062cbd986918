//! Takes names apart: wells, and words with numbers.

use crate::table::names::well;
use crate::table::pattern::Part;

/// Words before numbers and what they mean.
const WORDS: [(&str, Word); 27] = [
    ("f", Word::Of(Part::Field)),
    ("fov", Word::Of(Part::Field)),
    ("field", Word::Of(Part::Field)),
    ("s", Word::Of(Part::Field)),
    ("site", Word::Of(Part::Field)),
    ("pos", Word::Of(Part::Field)),
    ("position", Word::Of(Part::Field)),
    ("point", Word::Of(Part::Field)),
    ("xy", Word::Of(Part::Field)),
    ("tile", Word::Of(Part::Field)),
    ("m", Word::Mosaic),
    ("c", Word::ChannelOrColumn),
    ("ch", Word::Of(Part::Channel)),
    ("channel", Word::Of(Part::Channel)),
    ("w", Word::Of(Part::Channel)),
    ("wv", Word::Of(Part::Channel)),
    ("wavelength", Word::Of(Part::Channel)),
    ("z", Word::Of(Part::Slice)),
    ("slice", Word::Of(Part::Slice)),
    ("t", Word::Of(Part::Time)),
    ("tp", Word::Of(Part::Time)),
    ("time", Word::Of(Part::Time)),
    ("timepoint", Word::Of(Part::Time)),
    ("frame", Word::Of(Part::Time)),
    ("x", Word::Of(Part::GridX)),
    ("y", Word::Of(Part::GridY)),
    ("r", Word::Of(Part::Row)),
];
/// Longer words that are known, too.
const ROW_AND_COLUMN: [(&str, Part); 3] = [("row", Part::Row), ("col", Part::Column), ("column", Part::Column)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Of(Part),
    /// `m`: a tile of a mosaic, only beside other such letters.
    Mosaic,
    /// `c`: a column beside a row, else a channel.
    ChannelOrColumn,
}

pub(super) fn word(text: &str) -> Option<Word> {
    let text = text.to_ascii_lowercase();
    let of_place = ROW_AND_COLUMN.iter().find(|(name, _)| *name == text);
    of_place
        .map(|(_, part)| Word::Of(*part))
        .or_else(|| WORDS.iter().find(|(name, _)| *name == text).map(|(_, word)| *word))
}

/// A part of a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Pair(Word, &'a str),
    /// What can be a well, with the pair that it can be as well (`C01`).
    Well(&'a str, Option<(Word, &'a str)>),
    /// The same in small letters.
    SmallWell(&'a str, Option<(Word, &'a str)>),
    Other(&'a str),
}

/// A name taken apart: its folders, then its own.
pub(super) struct Taken<'a> {
    pub(super) folders: Vec<Vec<Token<'a>>>,
    pub(super) name: Vec<Token<'a>>,
}

impl<'a> Token<'a> {
    pub(super) fn text(&self) -> &'a str {
        match self {
            Self::Pair(_, text) | Self::Well(text, _) | Self::SmallWell(text, _) | Self::Other(text) => text,
        }
    }
}

pub(super) fn take_apart(path: &str) -> Taken<'_> {
    let mut segments: Vec<&str> = path.split('/').collect();
    let name = segments.pop().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = match stem
        .len()
        .checked_sub(4)
        .and_then(|end| Some((stem.get(..end)?, stem.get(end..)?)))
    {
        Some((before, suffix)) if suffix.eq_ignore_ascii_case(".ome") => before,
        _ => stem,
    };
    Taken {
        folders: segments.into_iter().map(tokens).collect(),
        name: tokens(stem),
    }
}

fn tokens(segment: &str) -> Vec<Token<'_>> {
    let separators = ['_', '-', ' ', '.', '(', ')', '[', ']', ',', '='];
    let parts: Vec<&str> = segment.split(separators).filter(|part| !part.is_empty()).collect();
    let mut tokens = Vec::with_capacity(parts.len());
    let mut index = 0;
    while let Some(part) = parts.get(index).copied() {
        index += 1;
        let next = parts.get(index).copied().filter(|next| is_number(next));
        // `site_9`; the letter of a well may follow `well` or `row` so, too.
        if let (Some(found), Some(number)) = (word(part).filter(|found| *found != Word::Mosaic), next) {
            tokens.push(Token::Pair(found, number));
            index += 1;
        } else if part.eq_ignore_ascii_case("well") && parts.get(index).is_some_and(|next| is_well(next)) {
            tokens.push(Token::Well(parts[index], None));
            index += 1;
        } else if part.eq_ignore_ascii_case("row") && parts.get(index).is_some_and(|next| is_row(next)) {
            tokens.push(Token::Pair(Word::Of(Part::Row), parts[index]));
            index += 1;
        } else {
            token(part, &mut tokens);
        }
    }
    tokens
}

fn token<'a>(part: &'a str, tokens: &mut Vec<Token<'a>>) {
    let of_well = part.get(..4).filter(|start| start.eq_ignore_ascii_case("well"));
    if let Some(rest) = of_well.and_then(|_| part.get(4..)).filter(|rest| is_well(rest)) {
        tokens.push(Token::Well(rest, None));
        return;
    }
    let of_row = part.get(..3).filter(|start| start.eq_ignore_ascii_case("row"));
    if let Some(row) = of_row.and_then(|_| part.get(3..)).filter(|row| is_row(row)) {
        tokens.push(Token::Pair(Word::Of(Part::Row), row));
        return;
    }
    let (before, pairs) = pairs(part);
    if is_well(part) {
        let pair = pairs.first().copied().filter(|_| before.is_empty() && pairs.len() == 1);
        let is_small = part.starts_with(|c: char| c.is_ascii_lowercase());
        tokens.push(if is_small {
            Token::SmallWell(part, pair)
        } else {
            Token::Well(part, pair)
        });
    } else if !pairs.is_empty() {
        if !before.is_empty() {
            tokens.push(Token::Other(before));
        }
        tokens.extend(pairs.into_iter().map(|(word, number)| Token::Pair(word, number)));
    } else {
        tokens.push(Token::Other(part));
    }
}

/// Words with numbers that a part is made of, as `xy01c1t02`; from two on, other text may be before them.
fn pairs(part: &str) -> (&str, Vec<(Word, &str)>) {
    let mut found: Vec<(Word, &str)> = Vec::new();
    let mut rest = part;
    loop {
        let number = rest.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &rest[number.len()..];
        let letters = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let name = &number[letters.len()..];
        if digits.is_empty() || name.is_empty() {
            break;
        }
        if let Some(word) = word(name) {
            found.push((word, digits));
            rest = letters;
            if rest.is_empty() {
                break;
            }
            continue;
        }
        // Other text goes on into the first word.
        let known = (1..name.len()).find_map(|start| Some((start, word(&name[start..])?)));
        if let Some((start, word)) = known.filter(|_| !found.is_empty()) {
            found.push((word, digits));
            rest = &rest[..letters.len() + start];
        }
        break;
    }
    found.reverse();
    let is_mosaic_alone = found.len() == 1 && found[0].0 == Word::Mosaic;
    let too_few = !rest.is_empty() && found.len() < 2;
    if is_mosaic_alone || too_few {
        return (part, Vec::new());
    }
    (rest, found)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A row of a plate by its letters: A to P, AA to AF.
fn is_row(text: &str) -> bool {
    match text.to_ascii_uppercase().as_bytes() {
        [row] => (b'A'..=b'P').contains(row),
        [b'A', row] => (b'A'..=b'F').contains(row),
        _ => false,
    }
}

/// A well as people write it: `B03`, `B3`, `AA12`, `B003`; in small letters with two digits, or up to `h`.
fn is_well(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &text[letters.len()..];
    let is_small = letters.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_large = letters.bytes().all(|byte| byte.is_ascii_uppercase());
    let width = match digits.len() {
        1 => !is_small || letters <= "h",
        2 => true,
        3 => digits.starts_with('0'),
        _ => false,
    };
    (is_small || is_large) && width && is_row(letters) && well(text).is_some()
}
