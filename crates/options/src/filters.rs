//! Filters: which tiles of an acquisition are converted.

use super::older_filters::today;
use crate::model::{choice, model, union};

choice! {
    /// What happens to the tiles that a filter matches.
    pub enum FilterMode {
        /// Keeps tiles that match and drops the others.
        Include = "Include",
        /// Drops tiles that match and keeps the others.
        Exclude = "Exclude",
    }
}

model! {
    /// Matches tiles by the path of their image, such as `Plate.zarr/A/01/0`.
    pub struct RegexFilter "Path Regex Filter" tag name = "Path Regex Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// A regular expression that is searched for in the path. Upper and lower case differ.
        pub regex: String;
    }
}

model! {
    /// Matches tiles by their well. For plates only.
    pub struct WellFilter "Well Filter" tag name = "Well Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// The wells, such as `["A01", "B02"]`.
        pub wells: Vec<String>;
    }
}

model! {
    /// Matches tiles by the name of their field of view.
    pub struct FovNameFilter "FOV Name Filter" tag name = "FOV Name Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// A regular expression that is searched for in the name. Upper and lower case differ.
        pub regex: String;
    }
}

model! {
    /// Matches tiles by the number of their acquisition. For plates only.
    pub struct AcquisitionFilter "Acquisition Filter" tag name = "Acquisition Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// The numbers of acquisitions, such as `[0, 1]`.
        pub acquisitions: Vec<i64>;
    }
}

model! {
    /// True or false.
    pub struct BoolValue "Boolean Value" tag type = "Bool" {
        /// The value that an element of the attribute must have.
        pub value: bool = true;
    }
}

model! {
    /// A text.
    pub struct StringValue "String Value" tag type = "String" {
        /// The value that an element of the attribute must have.
        pub value: String;
    }
}

model! {
    /// A whole number.
    pub struct IntValue "Integer Value" tag type = "Integer" {
        /// The value that an element of the attribute must have.
        pub value: i64;
    }
}

model! {
    /// A number.
    pub struct FloatValue "Float Value" tag type = "Float" {
        /// The value that an element of the attribute must have.
        pub value: f64;
    }
}

model! {
    /// No value.
    pub struct IsNoneValue "Is None" tag type = "Is None" {}
}

model! {
    /// Any value, only not none.
    pub struct IsNotNoneValue "Is Not None" tag type = "Is Not None" {}
}

union! {
    /// What an element of an attribute is compared with. Numbers and booleans compare by value, as in Python.
    pub enum AttributeValue by "type" {
        Bool(BoolValue),
        String(StringValue),
        Integer(IntValue),
        Float(FloatValue),
        IsNone(IsNoneValue),
        IsNotNone(IsNotNoneValue),
    }
}

model! {
    /// Matches tiles by one of their attributes, that is by a column of the table that has no other meaning.
    pub struct AttributeFilter "Attribute Filter" tag name = "Attribute Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// The attribute. Every tile must have it.
        pub key: String;
        /// A tile matches when any element of its attribute is any of these.
        pub values: Vec<AttributeValue>;
    }
}

model! {
    /// Matches tiles by the labels of their channels.
    pub struct ChannelFilter "Channel Filter" tag name = "Channel Filter" {
        /// Whether matching tiles are kept or dropped.
        pub mode: FilterMode = FilterMode::Include;
        /// The labels, such as `["DAPI", "GFP"]`. A tile with several channels must have all or none of its channels
        /// among them.
        pub channel_labels: Vec<String>;
    }
}

model! {
    /// Keeps tiles that start within a range of z. Tiles are never cut.
    pub struct ZRangeFilter "Z Range Filter" tag name = "Z Range Filter" {
        /// The smallest start in z, in the unit of the table. Leave empty for no bound.
        pub min_z: Option<f64> = None;
        /// The largest start in z, in the unit of the table. Leave empty for no bound.
        pub max_z: Option<f64> = None;
    }
}

model! {
    /// Keeps tiles that start within a range of time. Tiles are never cut.
    pub struct TRangeFilter "Time Range Filter" tag name = "Time Range Filter" {
        /// The smallest start in time, in the unit of the table. Leave empty for no bound.
        pub min_t: Option<f64> = None;
        /// The largest start in time, in the unit of the table. Leave empty for no bound.
        pub max_t: Option<f64> = None;
    }
}

union! {
    /// A filter keeps or drops whole tiles. Filters are applied in order.
    pub enum Filter by "name" older today {
        PathRegex(RegexFilter),
        Well(WellFilter),
        FovName(FovNameFilter),
        Acquisition(AcquisitionFilter),
        Attribute(AttributeFilter),
        Channel(ChannelFilter),
        ZRange(ZRangeFilter),
        TimeRange(TRangeFilter),
    }
}
