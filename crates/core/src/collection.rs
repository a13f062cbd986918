//! Where an image goes: into a well of a plate, or on its own. Every name that becomes a path is checked here.

use serde_json::{Map, Value};

use crate::error::CoreError;

/// The place of an image among the outputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Collection {
    /// An image in a well of an HCS plate: `{plate}.zarr/{row}/{column:02}/{acquisition}`.
    ImageInPlate(ImageInPlate),
    /// An image on its own: `{image_path}.zarr`.
    SingleImage(SingleImage),
    /// A collection of a converter's own type, set up by a handler registered for it.
    Custom(CustomCollection),
}

/// Plate, well and acquisition of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageInPlate {
    /// Name of the plate; `.zarr` is added to its folder if missing.
    pub plate_name: String,
    /// Row of the well: `A`, `B` … `AF`.
    pub row: String,
    /// Column of the well, from 1.
    pub column: u32,
    /// Number of the acquisition, the name of the image inside the well.
    pub acquisition: u32,
    /// Keys that others added to the collection in a hand-over document, carried along unchanged.
    pub extra: Map<String, Value>,
}

/// Path of an image that is not part of a plate.
#[derive(Clone, Debug, PartialEq)]
pub struct SingleImage {
    /// Path below the output folder; `.zarr` is added if missing.
    pub image_path: String,
    /// Keys that others added to the collection in a hand-over document, carried along unchanged.
    pub extra: Map<String, Value>,
}

/// A collection that a converter defines: its path, and whatever its handler needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomCollection {
    /// Path of the image below the output folder.
    pub path: String,
    /// Everything else its handler needs, carried along unchanged.
    pub extra: Map<String, Value>,
}

impl Collection {
    /// An image in a plate without extra keys. Small letters of the row become capital ones.
    pub fn in_plate(plate_name: impl Into<String>, row: impl Into<String>, column: u32, acquisition: u32) -> Self {
        let (plate_name, row) = (plate_name.into(), row.into().to_ascii_uppercase());
        Self::ImageInPlate(ImageInPlate {
            plate_name,
            row,
            column,
            acquisition,
            extra: Map::new(),
        })
    }

    /// An image on its own without extra keys.
    pub fn single(image_path: impl Into<String>) -> Self {
        Self::SingleImage(SingleImage {
            image_path: image_path.into(),
            extra: Map::new(),
        })
    }

    /// Path of the image below the output folder, with `suffix` (empty for mosaics, `_{fov_name}` per field of view).
    pub fn path(&self, suffix: &str) -> Result<String, CoreError> {
        match self {
            Self::ImageInPlate(place) => {
                let plate = place.plate_path()?;
                let well = place.well_path()?;
                let image = place.path_in_well(suffix)?;
                Ok(format!("{plate}/{well}/{image}"))
            }
            Self::SingleImage(image) => zarr_folder("image_path", &format!("{}{suffix}", image.image_path)),
            Self::Custom(custom) => {
                for part in custom.path.split('/') {
                    check_name("the path of a collection", part)?;
                }
                Ok(format!("{}{suffix}", custom.path))
            }
        }
    }
}

impl ImageInPlate {
    /// Name of the well: `A01`.
    pub fn well(&self) -> String {
        format!("{}{:02}", self.row, self.column)
    }

    /// Folder of the plate: `{plate_name}.zarr`.
    pub fn plate_path(&self) -> Result<String, CoreError> {
        zarr_folder("plate_name", &self.plate_name)
    }

    /// Folder of the well below the plate: `A/01`.
    pub fn well_path(&self) -> Result<String, CoreError> {
        if self.row.is_empty() || !self.row.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(CoreError::Name {
                what: "a plate row".into(),
                name: self.row.clone(),
            });
        }
        Ok(format!("{}/{:02}", self.row, self.column))
    }

    /// Name of the image inside the well: `0`, or `0_{fov_name}`.
    pub fn path_in_well(&self, suffix: &str) -> Result<String, CoreError> {
        let name = format!("{}{suffix}", self.acquisition);
        check_name("an image in a well (its field of view's name is part of it)", &name)?;
        Ok(name)
    }
}

/// `name` with `.zarr` at its end, once it has been checked.
fn zarr_folder(what: &str, name: &str) -> Result<String, CoreError> {
    check_name(what, name)?;
    Ok(if name.ends_with(".zarr") {
        name.to_owned()
    } else {
        format!("{name}.zarr")
    })
}

/// Zarr names (BEHAVIOUR of the reference): letters, digits, `_ . -` and inner spaces, no leading `__`, not only dots.
fn check_name(what: &str, name: &str) -> Result<(), CoreError> {
    let good = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ' '))
        && !name.starts_with("__")
        && !name.starts_with(' ')
        && !name.ends_with(' ')
        && !name.chars().all(|c| c == '.');
    if good {
        Ok(())
    } else {
        Err(CoreError::Name {
            what: what.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// A name that can become a path, from any text such as the name of a folder: letters of other alphabets are written in Latin ones,
/// and what is not a letter, a digit, `.` or `-`, blanks too, becomes `_`.
pub fn safe_name(text: &str) -> String {
    latin_name(text, |c| matches!(c, '.' | '-'))
}

/// The same with blanks inside of it kept.
#[cfg(feature = "tables")]
pub(crate) fn safe_name_with_blanks(text: &str) -> String {
    latin_name(text, |c| matches!(c, '.' | '-' | ' '))
}

fn latin_name(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            c if c.is_ascii_alphanumeric() || is_kept(c) => name.push(c),
            // Marks that are put on the letter before them: ü as two characters.
            '\u{300}'..='\u{36f}' => {}
            c if c.is_ascii() => push_mark(&mut name),
            c => {
                let latin = deunicode::deunicode_char(c).unwrap_or("").trim();
                let letters = latin.chars().filter(char::is_ascii_alphanumeric);
                let before = name.len();
                name.extend(letters);
                if name.len() == before {
                    push_mark(&mut name);
                }
            }
        }
    }
    let name = name.trim_matches(['_', ' ']);
    if name.chars().all(|c| matches!(c, '.' | '_' | '-' | ' ')) {
        "image".to_owned()
    } else {
        name.to_owned()
    }
}

/// One `_` for however many characters that are not allowed.
fn push_mark(name: &mut String) {
    if !name.ends_with('_') {
        name.push('_');
    }
}

/// The row of a well as letters. Numbers count from 1 and go beyond 26 as in spreadsheets: 27 is `AA` (1536-well
/// plates end at `AF`); text that is a number is taken as one, small letters are capital ones.
pub fn row_label(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic()) {
        return Some(text.to_ascii_uppercase());
    }
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let mut number: u32 = whole.parse().ok().filter(|n| (1..=702).contains(n))?;
    let mut letters = Vec::new();
    while number > 0 {
        number -= 1;
        letters.push(char::from(b'A' + (number % 26) as u8));
        number /= 26;
    }
    Some(letters.iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_letters_or_numbers_from_one() {
        let label = |text: &str| row_label(text).unwrap_or_else(|| "error".into());
        let read: Vec<_> = ["A", "1", "2", "26", "27", "32", "af", "3.0", "0", "-1", "1.5", "", "é"]
            .map(label)
            .into();
        assert_eq!(
            read,
            [
                "A", "A", "B", "Z", "AA", "AF", "AF", "C", "error", "error", "error", "error", "error"
            ]
        );
    }

    #[test]
    fn any_text_becomes_a_name() {
        for (text, expected) in [
            (" sub/ünö(1) ", "sub_uno_1"),
            ("Plate #3", "Plate_3"),
            ("Platte Zürich", "Platte_Zurich"),
            ("u\u{308}ber+1", "uber_1"),
            ("细胞", "XiBao"),
            ("exp (2024-05-01)", "exp_2024-05-01"),
            ("a.b_c", "a.b_c"),
            ("...", "image"),
            ("__x", "x"),
            ("#", "image"),
        ] {
            let name = safe_name(text);
            assert_eq!(name, expected, "{text}");
            assert!(check_name("a test", &name).is_ok());
        }
    }

    #[cfg(feature = "tables")]
    #[test]
    fn names_of_images_keep_their_blanks() {
        assert_eq!(safe_name_with_blanks(" my embryo (ü) "), "my embryo _u");
        assert_eq!(safe_name_with_blanks("# #"), "image");
        assert!(check_name("a test", &safe_name_with_blanks(" # ü ")).is_ok());
    }

    #[test]
    fn paths_do_not_climb_out() {
        let plate = Collection::in_plate("P", "A", 1, 0);
        assert_eq!(plate.path("").unwrap(), "P.zarr/A/01/0");
        assert_eq!(plate.path("_F1").unwrap(), "P.zarr/A/01/0_F1");
        assert_eq!(
            Collection::in_plate("P", "af", 1, 0).path("").unwrap(),
            "P.zarr/AF/01/0"
        );
        for suffix in ["_../../b", "_a/b", "_é", "_a "] {
            assert!(plate.path(suffix).is_err(), "{suffix}");
        }
        for name in ["", "__x", " x", "x ", "..", "a/b", "é", "x\n"] {
            assert!(Collection::single(name).path("").is_err(), "{name:?}");
            assert!(Collection::in_plate(name, "A", 1, 0).path("").is_err(), "{name:?}");
        }
        assert_eq!(Collection::single("img.zarr").path("").unwrap(), "img.zarr");
        assert!(Collection::in_plate("P", "..", 1, 0).path("").is_err());
    }
}
