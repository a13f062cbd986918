//! Channels and their colors, as documents spell them.

use serde_json::{Value, json};

use crate::color::{default_color, expand_hex};
use crate::model::{Definitions, Model, Path, Problems, closest, model};

/// The colors of the menu: name and `RRGGBB`.
const MENU: [(&str, &str); 18] = [
    ("Blue", "0000FF"),
    ("Red", "FF0000"),
    ("Yellow", "FFFF00"),
    ("Magenta", "FF00FF"),
    ("Cyan", "00FFFF"),
    ("Gray", "808080"),
    ("Green", "00FF00"),
    ("Orange", "FF8000"),
    ("Purple", "8000FF"),
    ("Teal", "008080"),
    ("Lime", "00FF80"),
    ("Amber", "FFBF00"),
    ("Pink", "FF0080"),
    ("Navy", "000080"),
    ("Maroon", "800000"),
    ("Olive", "808000"),
    ("Coral", "FF7F50"),
    ("Violet", "EE82EE"),
];

/// A color `#RRGGBB`, with the case of the letters as given. The short form `#RGB` is expanded on reading.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HexColor(String);

impl HexColor {
    /// Reads `#RRGGBB` or `#RGB`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        expand_hex(text).map(Self)
    }

    /// The color with `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The color without `#`, as OMERO metadata has it.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('#')
    }
}

impl Model for HexColor {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let read = value.as_str().and_then(Self::parse);
        if read.is_none() {
            problems.unexpected(at, value, "a color like \"#FF8000\" or \"#F80\"");
        }
        read
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({"pattern": "^#([A-Fa-f0-9]{6}|[A-Fa-f0-9]{3})$", "type": "string"})
    }
}

/// The display color of a channel as a user chooses it: `Auto`, a color of the menu such as `Blue (#0000FF)`, or any
/// other as `#RRGGBB`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ColorMenu {
    /// By the wavelength, else by the label of the channel.
    #[default]
    Auto,
    /// This color.
    Color(HexColor),
}

impl ColorMenu {
    /// The color chosen, `None` for `Auto`.
    pub const fn color(&self) -> Option<&HexColor> {
        match self {
            Self::Auto => None,
            Self::Color(color) => Some(color),
        }
    }

    /// What the menu offers.
    fn entries() -> Vec<String> {
        let colors = MENU.iter().map(|(name, digits)| format!("{name} (#{digits})"));
        std::iter::once("Auto".to_owned()).chain(colors).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "Auto" {
            return Some(Self::Auto);
        }
        let named = MENU
            .iter()
            .find(|(name, digits)| text == *name || text == format!("{name} (#{digits})"));
        let color = named.map_or_else(
            || HexColor::parse(text),
            |(_, digits)| HexColor::parse(&format!("#{digits}")),
        );
        color.map(Self::Color)
    }
}

impl Model for ColorMenu {
    fn read(value: &Value, at: &mut Path, problems: &mut Problems) -> Option<Self> {
        let read = value.as_str().and_then(Self::parse);
        if read.is_none() {
            let names = MENU.iter().map(|(name, _)| *name).chain(["Auto"]);
            let near = closest(value.as_str().unwrap_or_default(), names.clone());
            let expected = format!("{}, or a color like \"#FF8000\"", names.collect::<Vec<_>>().join(", "));
            let hint = near.map(|name| format!("did you mean `{name}`?"));
            problems.misspelt(at, value, expected, hint);
        }
        read
    }

    fn write(&self) -> Value {
        let Self::Color(color) = self else { return json!("Auto") };
        let named = MENU
            .iter()
            .find(|(_, digits)| digits.eq_ignore_ascii_case(color.digits()));
        named.map_or_else(
            || json!(color.as_str()),
            |(name, digits)| json!(format!("{name} (#{digits})")),
        )
    }

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.define("ColorMenu", |_| {
            json!({
                "description": "Display color of the channel. `Auto` takes it from the wavelength, else from the label.",
                "enum": Self::entries(),
                "title": "ColorMenu",
                "type": "string",
            })
        })
    }
}

model! {
    /// A channel as a user describes it.
    pub struct ChannelInfoUI "ChannelInfoUI" {
        /// The label of the channel, such as `DAPI`.
        pub channel_label: String;
        /// The wavelength of the channel, such as `405`. Channels of several acquisitions that have it in common can be
        /// treated alike.
        pub wavelength_id: Option<String> = None, title "Wavelength ID";
        /// The color in which viewers show the channel.
        pub color: ColorMenu = ColorMenu::Auto;
    }
}

model! {
    /// A channel of an acquisition.
    pub struct ChannelInfo "ChannelInfo" {
        /// The label of the channel, such as `DAPI`.
        pub channel_label: String;
        /// The wavelength of the channel, such as `405`.
        pub wavelength_id: Option<String> = None;
        /// The color in which viewers show the channel. Leave empty to take it from the wavelength, else from the label.
        pub color: Option<HexColor> = None;
    }
}

impl ChannelInfo {
    /// The color to show the channel in, `#RRGGBB`: its own, else that of its wavelength, else that of the known label
    /// most like its own.
    pub fn display_color(&self) -> String {
        let given = self.color.as_ref().map(|color| color.as_str().to_owned());
        given.unwrap_or_else(|| default_color(&self.channel_label, self.wavelength_id.as_deref()))
    }
}
