//! The report of `inspect` as tables for people.

use ome_zarr_convert_tasks::inspect::{
    ArrayReport, ChannelReport, ImageReport, Inspection, LevelReport, Node, PlateReport, TableReport, WellImage,
};

use crate::report::bytes;

/// The whole report, without its problems.
pub(crate) fn text(inspection: &Inspection) -> String {
    let kind = match &inspection.node {
        Node::Plate(_) => "Plate",
        Node::Well(_) => "Well",
        Node::Image(_) => "Image",
    };
    let mut facts = vec![
        vec![kind.to_owned(), inspection.path.to_string()],
        vec![
            "Format".to_owned(),
            format!("OME-NGFF {}, Zarr {}", inspection.ngff_version, inspection.zarr_format),
        ],
        vec![
            "Writer".to_owned(),
            inspection.writer.clone().unwrap_or_else(|| "not stated".to_owned()),
        ],
        vec![
            "On disk".to_owned(),
            format!("{} in {} files", bytes(inspection.usage.bytes), inspection.usage.files),
        ],
    ];
    let mut tables = Vec::new();
    match &inspection.node {
        Node::Plate(plate) => {
            facts.extend(plate_facts(plate));
            let images = plate.wells.iter().flat_map(|well| {
                let images = well.well.images.iter();
                images.map(|image| (format!("{}/{}", well.path, image.path), image))
            });
            tables.push(images_table(images));
            tables.push(tables_table(&plate.tables));
        }
        Node::Well(well) => {
            let images = well.images.iter().map(|image| (image.path.clone(), image));
            tables.push(images_table(images));
        }
        Node::Image(image) => {
            facts.push(vec!["Axes".to_owned(), axes(image)]);
            if let Some(translation) = &image.translation {
                facts.push(vec!["Position".to_owned(), joined(translation, ", ")]);
            }
            tables.push(levels_table(&image.levels));
            tables.push(channels_table(&image.channels));
            tables.push(tables_table(&image.tables));
        }
    }
    let mut text = aligned(&facts, &[]);
    for table in tables.iter().filter(|table| !table.is_empty()) {
        text.push('\n');
        text.push_str(table);
    }
    text.truncate(text.trim_end().len());
    text
}

fn plate_facts(plate: &PlateReport) -> Vec<Vec<String>> {
    let acquisition = |(id, name): (u32, &Option<String>)| match name {
        Some(name) => format!("{id} ({name})"),
        None => id.to_string(),
    };
    let acquisitions = plate
        .acquisitions
        .iter()
        .map(|entry| acquisition((entry.id, &entry.name)));
    let images: usize = plate.wells.iter().map(|well| well.well.images.len()).sum();
    vec![
        vec![
            "Name".to_owned(),
            plate.name.clone().unwrap_or_else(|| "none".to_owned()),
        ],
        vec![
            "Layout".to_owned(),
            format!("{} rows × {} columns", plate.rows.len(), plate.columns.len()),
        ],
        vec!["Rows".to_owned(), plate.rows.join(" ")],
        vec!["Columns".to_owned(), plate.columns.join(" ")],
        vec![
            "Wells".to_owned(),
            format!("{} with {images} images", plate.wells.len()),
        ],
        vec!["Acquisitions".to_owned(), acquisitions.collect::<Vec<_>>().join(", ")],
    ]
}

fn images_table<'a>(images: impl Iterator<Item = (String, &'a WellImage)>) -> String {
    let row = |(path, entry): (String, &WellImage)| {
        let acquisition = entry.acquisition.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let image = entry.image.as_ref();
        let finest = image.and_then(|image| image.levels.first()?.array.as_ref());
        let missing = || "missing".to_owned();
        vec![
            path,
            acquisition,
            image.map_or_else(missing, |image| {
                image
                    .axes
                    .iter()
                    .map(|axis| axis.name.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            }),
            finest.map_or_else(missing, |array| joined(&array.shape, " × ")),
            finest.map_or_else(String::new, |array| array.data_type.to_owned()),
            image.map_or_else(String::new, |image| image.levels.len().to_string()),
            image.map_or_else(String::new, |image| {
                image
                    .channels
                    .iter()
                    .map(|channel| channel.label.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            }),
            image.map_or_else(String::new, |image| image.tables.len().to_string()),
            entry.usage.files.to_string(),
            bytes(entry.usage.bytes),
        ]
    };
    let header = [
        "Image",
        "Acquisition",
        "Axes",
        "Size",
        "Type",
        "Levels",
        "Channels",
        "Tables",
        "Files",
        "Bytes",
    ];
    table(&header, &[1, 5, 7, 8, 9], images.map(row).collect())
}

fn levels_table(levels: &[LevelReport]) -> String {
    let sharded = |level: &LevelReport| level.array.as_ref().is_some_and(|array| array.shards.is_some());
    let shards = levels.iter().any(sharded);
    let row = |level: &LevelReport| {
        let of =
            |cell: &dyn Fn(&ArrayReport) -> String| level.array.as_ref().map_or_else(|| "missing".to_owned(), cell);
        let mut row = vec![
            level.path.clone(),
            of(&|array| joined(&array.shape, " × ")),
            of(&|array| joined(&array.chunks, " × ")),
            of(&|array| array.data_type.to_owned()),
            of(&|array| array.codec.clone()),
            joined(&level.scale, ", "),
            level.usage.files.to_string(),
            bytes(level.usage.bytes),
        ];
        if shards {
            let size = |array: &ArrayReport| {
                array
                    .shards
                    .as_ref()
                    .map_or_else(String::new, |size| joined(size, " × "))
            };
            row.insert(3, of(&size));
        }
        row
    };
    let mut header = vec!["Level", "Size", "Chunks", "Type", "Codec", "Scale", "Files", "Bytes"];
    let mut right = vec![6, 7];
    if shards {
        header.insert(3, "Shards");
        right = vec![7, 8];
    }
    table(&header, &right, levels.iter().map(row).collect())
}

fn channels_table(channels: &[ChannelReport]) -> String {
    let row = |(index, channel): (usize, &ChannelReport)| {
        let window = channel.window.map(|[start, end]| format!("{start} to {end}"));
        vec![
            index.to_string(),
            channel.label.clone(),
            channel.wavelength_id.clone().unwrap_or_default(),
            channel.color.clone(),
            window.unwrap_or_default(),
        ]
    };
    let header = ["Channel", "Label", "Wavelength", "Colour", "Window"];
    table(&header, &[], channels.iter().enumerate().map(row).collect())
}

fn tables_table(tables: &[TableReport]) -> String {
    let row = |table: &TableReport| {
        vec![
            table.name.clone(),
            table.kind.clone().unwrap_or_default(),
            table.backend.clone().unwrap_or_default(),
            table.rows.map_or_else(|| "unknown".to_owned(), |rows| rows.to_string()),
        ]
    };
    table(
        &["Table", "Kind", "Backend", "Rows"],
        &[3],
        tables.iter().map(row).collect(),
    )
}

fn axes(image: &ImageReport) -> String {
    let axis = |axis: &ome_zarr_convert_tasks::inspect::AxisReport| match &axis.unit {
        Some(unit) => format!("{} ({unit})", axis.name),
        None => axis.name.clone(),
    };
    image.axes.iter().map(axis).collect::<Vec<_>>().join(", ")
}

fn joined<T: std::fmt::Display>(numbers: &[T], between: &str) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(between)
}

/// A table with a header; empty without rows.
fn table(header: &[&str], right: &[usize], mut rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    rows.insert(0, header.iter().map(|&name| name.to_owned()).collect());
    aligned(&rows, right)
}

/// Columns as wide as their widest cell; those in `right` end in one line.
fn aligned(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| Some(row.get(column)?.chars().count()))
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            line.push_str(&match right.contains(&column) {
                true => format!("{cell:>width$}  "),
                false => format!("{cell:<width$}  "),
            });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
