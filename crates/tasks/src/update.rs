//! What a compute task answers: the entry of its image in Fractal's image list.

use ome_zarr_convert_compute::ImagePlan;
use ome_zarr_convert_core::{Attributes, Cell, Collection, TiledImage};
use ome_zarr_convert_geometry::Axis;
use serde_json::{Map, Value, json};

/// What is known of an image: `{types: {is_3D, is_time_series?}, attributes: {…, plate, well, acquisition}}`. Where it lies is up to the
/// caller.
pub(crate) fn image_list_update(image: &TiledImage, plan: &ImagePlan) -> Value {
    let size = |axis: Axis| plan.levels[0].shape[axis.index()];
    let mut types = Map::new();
    types.insert("is_3D".into(), json!(size(Axis::Z) > 1));
    if size(Axis::T) > 1 {
        types.insert("is_time_series".into(), json!(true));
    }
    let mut attributes = joined(&image.attributes);
    if let Collection::ImageInPlate(place) = &*image.collection {
        // A name that is not allowed has been refused before.
        let plate = place.plate_path().unwrap_or_else(|_| place.plate_name.clone());
        attributes.insert("plate".into(), json!(plate));
        attributes.insert("well".into(), json!(place.well()));
        attributes.insert("acquisition".into(), json!(place.acquisition));
    }
    json!({ "types": types, "attributes": attributes })
}

/// A single value as it is; several joined by ` & ` as Python writes them.
fn joined(attributes: &Attributes) -> Map<String, Value> {
    let value = |values: &Vec<Cell>| match values.as_slice() {
        [one] => Value::from(one),
        many => Value::String(many.iter().map(python_text).collect::<Vec<_>>().join(" & ")),
    };
    attributes
        .iter()
        .map(|(key, values)| (key.clone(), value(values)))
        .collect()
}

fn python_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "None".into(),
        Cell::Bool(true) => "True".into(),
        Cell::Bool(false) => "False".into(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) if value.fract() == 0.0 && value.abs() < 1e16 => format!("{value:.1}"),
        Cell::Float(value) if value.abs() < 1e-4 || value.abs() >= 1e16 => python_exponent(*value),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// `1e-07`: Python writes exponents with a sign and two digits.
fn python_exponent(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, number) = match exponent.strip_prefix('-') {
                Some(number) => ('-', number),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{number:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_read_as_python_writes_them() {
        let cells = [
            Cell::Int(1),
            Cell::Null,
            Cell::Bool(true),
            Cell::Float(1.0),
            Cell::Float(2.5),
            Cell::Float(1e-7),
        ];
        let attributes: Attributes = [
            ("several".to_owned(), cells.to_vec()),
            ("one".to_owned(), vec![Cell::Float(1.5)]),
        ]
        .into_iter()
        .collect();
        let joined = joined(&attributes);
        assert_eq!(joined["several"], "1 & None & True & 1.0 & 2.5 & 1e-07");
        assert_eq!(joined["one"], 1.5);
    }
}
