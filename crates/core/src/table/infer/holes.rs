//! Finds the holes of a set of files: fields that lack channels, slices or time points that others have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::TextColumn;

/// A channel, a slice and a time point, as indices.
type Plane = (u32, u32, u32);

/// What is missing where, a line per image and kind of hole. `channels` are names by index.
pub(super) fn holes(columns: &[TextColumn], channels: Option<&[String]>) -> Vec<String> {
    let column = |name: &str| {
        columns
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, cells)| cells.as_slice())
    };
    let text = |name: &str, row: usize| column(name).and_then(|cells| cells.get(row)?.as_deref()).unwrap_or("");
    let index = |name: &str, row: usize| text(name, row).parse::<u32>().unwrap_or(0);
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    let in_wells = column("row").is_some();
    let image = |row: usize| {
        if !in_wells {
            return text("image_path", row).to_owned();
        }
        let plate = text("plate_name", row);
        let well = format!("{}{:0>2}", text("row", row), text("column", row));
        let acquisition = text("acquisition", row);
        let parts = [plate, &well, acquisition];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/")
    };
    let mut images: BTreeMap<String, BTreeMap<&str, BTreeSet<Plane>>> = BTreeMap::new();
    let mut all_channels = BTreeSet::new();
    for row in 0..rows {
        let plane = (index("start_c", row), index("start_z", row), index("start_t", row));
        all_channels.insert(plane.0);
        let fields = images.entry(image(row)).or_default();
        fields.entry(text("fov_name", row)).or_default().insert(plane);
    }
    let mut lines = Vec::new();
    for (image, fields) in &images {
        let expected: BTreeSet<Plane> = fields.values().flatten().copied().collect();
        let mut kinds: HashMap<String, Vec<&str>> = HashMap::new();
        for (field, planes) in fields {
            let missing: Vec<Plane> = expected.difference(planes).copied().collect();
            if !missing.is_empty() {
                let words = missing_words(&missing, &expected, channels);
                kinds.entry(words).or_default().push(field);
            }
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort();
        for (missing, lacking) in kinds {
            let verb = if lacking.len() == 1 { "lacks" } else { "lack" };
            let names = lacking.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            let more = if lacking.len() > 3 { ", …" } else { "" };
            lines.push(format!(
                "{image}: {} of {} fields {verb} {missing} ({names}{more})",
                lacking.len(),
                fields.len()
            ));
        }
        // Images on their own need not have the channels of others.
        let own: BTreeSet<u32> = expected.iter().map(|plane| plane.0).collect();
        for channel in all_channels.difference(&own).filter(|_| in_wells) {
            lines.push(format!("{image} lacks {}", channel_words(*channel, channels)));
        }
    }
    lines
}

fn channel_words(channel: u32, channels: Option<&[String]>) -> String {
    let name = channels.and_then(|names| names.get(channel as usize));
    match name {
        // Made up from numbers: `channel_2`.
        Some(name) if name.starts_with("channel") => name.clone(),
        Some(name) => format!("channel {name}"),
        None => format!("channel {}", channel + 1),
    }
}

/// What is missing in the fewest words: whole channels, slices or time points, else a number of planes.
fn missing_words(missing: &[Plane], expected: &BTreeSet<Plane>, channels: Option<&[String]>) -> String {
    let whole = |part: fn(&Plane) -> u32| {
        let values: BTreeSet<u32> = missing.iter().map(part).collect();
        let of_values = expected.iter().filter(|plane| values.contains(&part(plane))).count();
        (of_values == missing.len()).then_some(values)
    };
    let count = |values: &BTreeSet<u32>, what: &str| {
        let numbers: Vec<String> = values.iter().take(5).map(|value| (value + 1).to_string()).collect();
        let more = if values.len() > 5 { ", …" } else { "" };
        format!("{what} {}{more}", numbers.join(", "))
    };
    if let Some(values) = whole(|plane| plane.0) {
        let names: Vec<String> = values.iter().map(|channel| channel_words(*channel, channels)).collect();
        return names.join(" and ");
    }
    if let Some(values) = whole(|plane| plane.1) {
        return count(&values, "slice");
    }
    if let Some(values) = whole(|plane| plane.2) {
        return count(&values, "time point");
    }
    format!("{} of {} planes", missing.len(), expected.len())
}
