//! Parts of file names as numbers, wells and indices.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::collection::{row_label, safe_name_with_blanks};

/// Compares texts as people do: runs of digits by their number.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (left, right) = (digits(a), digits(b));
            let (left_number, right_number) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            let order = left_number
                .len()
                .cmp(&right_number.len())
                .then(left_number.cmp(right_number));
            // Equal numbers of other spelling keep an order of their own.
            let order = order.then(left.len().cmp(&right.len()));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[left.len()..], &b[right.len()..]);
        } else if x != y {
            return x.cmp(&y);
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Row and column of a well written in one: `B03`, `b-3`, `AA 12`.
pub(super) fn well(text: &str) -> Option<(String, u32)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let column = text[end..].trim_start_matches(['-', '_', ' ']);
    Some((row(&text[..end])?, self::column(column)?))
}

/// The letters of a row, from letters or a number from 1.
pub(super) fn row(text: &str) -> Option<String> {
    row_label(&text.to_ascii_uppercase())
}

/// The number of a column, from 1.
pub(super) fn column(text: &str) -> Option<u32> {
    text.parse().ok().filter(|column| *column >= 1)
}

/// Indices from 0 of parts that count something: the distance from the smallest number in steps of their common divisor, so that a
/// plane that is missing leaves its place empty. Parts that are no numbers are numbered in their natural order.
pub(super) fn indices(parts: &[Option<&str>]) -> Vec<u64> {
    let numbers: Option<Vec<u64>> = parts.iter().map(|part| part.unwrap_or("0").parse().ok()).collect();
    match numbers {
        Some(numbers) if parts.iter().all(Option::is_some) => {
            let least = numbers.iter().copied().min().unwrap_or(0);
            let step = numbers
                .iter()
                .fold(0, |step, number| divisor(step, number - least))
                .max(1);
            numbers.iter().map(|number| (number - least) / step).collect()
        }
        _ => {
            let ranked = distinct(parts).into_iter().enumerate();
            let ranks: HashMap<Option<&str>, u64> = ranked.map(|(rank, part)| (part, rank as u64)).collect();
            parts.iter().map(|part| ranks.get(part).copied().unwrap_or(0)).collect()
        }
    }
}

/// The different parts in their natural order, none first.
pub(super) fn distinct<'a>(parts: &[Option<&'a str>]) -> Vec<Option<&'a str>> {
    let mut ranked = parts.to_vec();
    ranked.sort_by(|a, b| natural_order(a.unwrap_or(""), b.unwrap_or("")));
    ranked.dedup();
    ranked
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// A name that can become a path, from any text: letters of other alphabets are written in Latin ones, everything else that is not
/// allowed becomes `_`.
pub(super) fn path_name(text: &str) -> String {
    safe_name_with_blanks(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["a10_2", "a9", "a010", "a10_1", "b1", "a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a9", "a10_1", "a10_2", "a010", "b1"]);
    }

    #[test]
    fn wells() {
        assert_eq!(well("B03"), Some(("B".into(), 3)));
        assert_eq!(well("aa-12"), Some(("AA".into(), 12)));
        assert_eq!((well("B00"), well("B"), well("12")), (None, None, None));
        assert_eq!((row("3"), column("0")), (Some("C".into()), None));
    }

    #[test]
    fn what_is_missing_leaves_a_gap() {
        let of = |parts: &[&str]| indices(&parts.iter().map(|part| Some(*part)).collect::<Vec<_>>());
        assert_eq!(of(&["1", "2", "4"]), [0, 1, 3]);
        assert_eq!(of(&["0100", "0300", "0200"]), [0, 2, 1]);
        assert_eq!(of(&["z10", "z9", "z10"]), [1, 0, 1]);
        assert_eq!(of(&["7"]), [0]);
        assert_eq!(indices(&[None, Some("3")]), [0, 1]);
    }
}
