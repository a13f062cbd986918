//! Fills spacings that nobody says from the positions in the table, where these lie evenly.

use std::collections::HashMap;

use super::AcquisitionFile;
use crate::step::even_step;
use crate::table::{TilesTable, cell_text};
use ome_zarr_convert_geometry::Space;
use ome_zarr_convert_ngff::Cell;

/// Steps of different stacks may differ by this part.
const SAME: f64 = 0.1;

/// Columns that say which stack a row belongs to, along z and along t.
const STACK_ALONG_Z: [&str; 8] = [
    "plate_name",
    "row",
    "column",
    "acquisition",
    "image_path",
    "fov_name",
    "start_c",
    "start_t",
];
const STACK_ALONG_T: [&str; 8] = [
    "plate_name",
    "row",
    "column",
    "acquisition",
    "image_path",
    "fov_name",
    "start_c",
    "start_z",
];

impl AcquisitionFile {
    /// Fills `z_spacing`, and with `time` `t_spacing`, where they are left out and starts are positions (µm, s): from the step of every
    /// stack of the table. Where starts differ but not evenly, `warn` is told that 1 is taken.
    pub fn fill_spacings_from_table(&mut self, table: &TilesTable, time: bool, warn: &mut dyn FnMut(String)) {
        let z = (&mut self.z_spacing, self.start_z_space, "z", "µm", STACK_ALONG_Z, true);
        let t = (&mut self.t_spacing, self.start_t_space, "t", "s", STACK_ALONG_T, time);
        for (spacing, space, axis, unit, stack, of_use) in [z, t] {
            if spacing.is_some() || space != Space::World || !of_use {
                continue;
            }
            match step_of_stacks(table, axis, &stack) {
                Steps::Even(step) => *spacing = Some(step),
                Steps::None => {}
                Steps::Uneven => warn(format!(
                    "nothing says {axis}_spacing, and start_{axis} has no even steps to take it from: 1 {unit} is taken; add a line such \
                     as `{axis}_spacing = 2.5` to acquisition_details.toml"
                )),
            }
        }
    }
}

/// What the stacks of a table have for steps.
#[derive(Debug, PartialEq)]
enum Steps {
    /// No stack has more than one position.
    None,
    /// All stacks have this step.
    Even(f64),
    /// They have different ones, or no even one.
    Uneven,
}

fn step_of_stacks(table: &TilesTable, axis: &str, stack: &[&str]) -> Steps {
    let (column, length) = (&format!("start_{axis}"), &format!("length_{axis}"));
    let Some(starts) = table.column(column) else {
        return Steps::None;
    };
    // The distance of files that hold several planes is not that of planes.
    let mut lengths = table.column(length).into_iter().flatten();
    if lengths.any(|cell| cell_text(cell).trim() != "1") {
        return Steps::None;
    }
    let keys: Vec<&[Cell]> = stack.iter().filter_map(|name| table.column(name)).collect();
    let mut stacks: HashMap<String, Vec<f64>> = HashMap::new();
    for (row, cell) in starts.iter().enumerate() {
        // Cells that are no numbers are errors of the table, told when its rows are read.
        let Ok(start) = cell_text(cell).trim().parse::<f64>() else {
            continue;
        };
        let key: Vec<String> = keys.iter().map(|cells| cell_text(&cells[row])).collect();
        stacks.entry(key.join("\u{1f}")).or_default().push(start);
    }
    let deep = |starts: &&Vec<f64>| starts.iter().any(|start| *start != starts[0]);
    let steps: Vec<Option<f64>> = stacks.values().filter(deep).map(|starts| even_step(starts)).collect();
    let Some(mut even) = steps.iter().copied().collect::<Option<Vec<f64>>>() else {
        return Steps::Uneven;
    };
    even.sort_by(f64::total_cmp);
    match (even.first(), even.get(even.len() / 2), even.last()) {
        (Some(least), Some(median), Some(most)) if most - least <= SAME * least => Steps::Even(*median),
        (None, ..) => Steps::None,
        _ => Steps::Uneven,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields with their starts along z and t; channel 1 has the same.
    fn filled(rows: &[(&str, f64, f64)], mut file: AcquisitionFile) -> (Option<f64>, Option<f64>, Vec<String>) {
        let twice: Vec<_> = rows.iter().flat_map(|row| [(0, *row), (1, *row)]).collect();
        type Row<'a> = (i64, (&'a str, f64, f64));
        let column = |cell: fn(&Row<'_>) -> Cell| twice.iter().map(cell).collect::<Vec<Cell>>();
        let table = TilesTable::new([
            ("fov_name", column(|row| Cell::Text(row.1.0.to_owned()))),
            ("start_c", column(|row| Cell::Int(row.0))),
            ("start_z", column(|row| Cell::Float(row.1.1))),
            ("start_t", column(|row| Cell::Float(row.1.2))),
        ])
        .unwrap();
        let mut warnings = Vec::new();
        file.fill_spacings_from_table(&table, true, &mut |text| warnings.push(text));
        (file.z_spacing, file.t_spacing, warnings)
    }

    #[test]
    fn even_stacks_say_their_spacing_wherever_they_begin() {
        let rows = [
            ("A", 0.0, 0.0),
            ("A", 0.3, 0.0),
            ("A", 0.6, 0.0),
            ("B", 37.15, 0.0),
            ("B", 37.45, 0.0),
        ];
        assert_eq!(filled(&rows, AcquisitionFile::default()), (Some(0.3), None, vec![]));
        let rows = [("A", 5.0, 0.0), ("A", 5.0, 30.0), ("A", 5.0, 90.0)];
        assert_eq!(filled(&rows, AcquisitionFile::default()), (None, Some(30.0), vec![]));
    }

    #[test]
    fn uneven_stacks_are_told_and_what_is_said_is_kept() {
        let rows = [("A", 0.0, 0.0), ("A", 2.0, 0.0), ("A", 5.0, 0.0)];
        let (z, _, warnings) = filled(&rows, AcquisitionFile::default());
        assert_eq!((z, warnings.len()), (None, 1));
        assert!(warnings[0].contains("z_spacing = 2.5"), "{warnings:?}");
        let said = AcquisitionFile {
            z_spacing: Some(4.0),
            ..AcquisitionFile::default()
        };
        assert_eq!(filled(&rows, said), (Some(4.0), None, vec![]));
        let counted = AcquisitionFile {
            start_z_space: Space::Pixel,
            ..AcquisitionFile::default()
        };
        assert_eq!(filled(&rows, counted), (None, None, vec![]));
        // Stacks of different steps.
        let rows = [("A", 0.0, 0.0), ("A", 2.0, 0.0), ("B", 0.0, 0.0), ("B", 3.0, 0.0)];
        assert_eq!(filled(&rows, AcquisitionFile::default()).2.len(), 1);
    }
}
