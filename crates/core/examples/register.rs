//! Registers images as the compute task does, to hold the placements against the reference's (`tests/interop`).
//!
//! Reads lines `{"document": …, "options": …}` from standard input, an image document and converter options each, and
//! answers every line in turn: `{"document": …}` after registration, or `{"error": …}`.

use std::error::Error;
use std::io::{BufRead, Write};

use ome_zarr_convert_core::options::ConverterOptions;
use ome_zarr_convert_core::{image_from_json, image_to_json, model, register};
use serde_json::{Value, json};

fn registered(line: &str) -> Result<Value, Box<dyn Error>> {
    let request: Value = serde_json::from_str(line)?;
    let options: ConverterOptions = model::from_json(&request["options"], "options")?;
    let mut image = image_from_json(request["document"].clone(), "document")?;
    register(&mut image, &options)?;
    let document: Value = serde_json::from_str(&image_to_json(&image)?)?;
    Ok(json!({ "document": document }))
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = registered(&line?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
