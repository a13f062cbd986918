//! The text of OME-XML as writers leave it: with byte order marks, bare ampersands, control characters.

use roxmltree::{Document, ParsingOptions};

use crate::LeftOut;
use crate::file::SourceFile;
use crate::left_out::shorten;

/// Whether a description is OME-XML: by its end as tifffile does, or by its first element.
pub(super) fn is_ome(text: &str) -> bool {
    if text.trim_end().ends_with("OME>") {
        return true;
    }
    let text = clean(text);
    let head: String = text.chars().take(2000).collect();
    text.starts_with('<') && (head.contains("<OME ") || head.contains("<OME>") || head.contains(":OME "))
}

/// Without what must not stand before an XML declaration.
pub(super) fn clean(text: &str) -> &str {
    text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
}

pub(super) fn parse(text: &str) -> Result<Document<'_>, roxmltree::Error> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
}

/// The text of a document that [`parse`] refuses with `error`, mended so that it can be parsed; `None` if it cannot. Either
/// is told.
pub(super) fn mended(
    file: &SourceFile,
    text: &str,
    error: &roxmltree::Error,
    left: &mut Vec<LeftOut>,
) -> Option<String> {
    let mended = mend(text);
    if mended != text && parse(&mended).is_ok() {
        let reason = format!("it is not valid XML ({error}); it was read without the characters that XML forbids");
        let name = "exact text of the OME-XML";
        left.push(LeftOut::metadata(file.path(), name, around(text, error), reason));
        return Some(mended);
    }
    let says = text.find("PhysicalSizeX=").map_or("", |at| &text[at..]);
    let says: String = says.chars().take(80).collect();
    let reason = format!("it is not valid XML ({error})");
    left.push(LeftOut::metadata(file.path(), "OME-XML", says, reason));
    None
}

/// What stands where the parser stopped.
fn around(text: &str, error: &roxmltree::Error) -> String {
    let at = error.pos();
    let line = text.lines().nth(at.row.saturating_sub(1) as usize).unwrap_or_default();
    let column = at.col.saturating_sub(1) as usize;
    let piece: String = line.chars().skip(column.saturating_sub(30)).take(60).collect();
    shorten(&piece.replace(char::is_control, "\u{fffd}"))
}

/// Ampersands that begin no reference are escaped, characters that XML forbids are dropped.
fn mend(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '&' if !begins_reference(after) => mended.push_str("&amp;"),
            '\t' | '\n' | '\r' => mended.push(character),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {}
            character => mended.push(character),
        }
        rest = after;
    }
    mended
}

/// Whether what follows an ampersand is a reference: one of the five entities of XML, or a number.
fn begins_reference(after: &str) -> bool {
    let Some((name, _)) = after.split_once(';') else {
        return false;
    };
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).is_ok_and(|code| code >= 0x20);
    match name {
        "amp" | "lt" | "gt" | "quot" | "apos" => true,
        _ => match name.strip_prefix('#') {
            Some(digits) => digits
                .strip_prefix('x')
                .map_or_else(|| number(digits, 10), |digits| number(digits, 16)),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_mended() {
        assert_eq!(
            mend("a & b &amp; &#181; &#xb5; &x; &#1; \u{1}c\n"),
            "a &amp; b &amp; &#181; &#xb5; &amp;x; &amp;#1; c\n"
        );
        assert!(is_ome(
            "\u{feff}<?xml version=\"1.0\"?><OME xmlns=\"x\"></OME><!-- end -->"
        ));
        assert!(is_ome("<OME:OME xmlns:OME=\"x\"></OME:OME>\n"));
        assert!(!is_ome("{\"shape\": [1]}"));
    }
}
