//! Prints shape, type and metadata of an image file and writes its pixels raw, so that other readers' can be compared:
//! `dump_image IN OUT` (little-endian, C order).

use std::error::Error;
use std::io::Write;
use std::path::Path;

use ome_zarr_convert_sources::{PlaneMut, Window, open_file};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        return Err("usage: dump_image IN OUT".into());
    };
    let image = open_file(Path::new(input))?;
    let info = image.info();
    let metadata = image.metadata();
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:?}\n{}\n{}\n{metadata:?}",
        info.shape,
        info.pixel_type,
        metadata.axes.as_deref().unwrap_or("")
    )?;

    for left in image.left_out() {
        writeln!(out, "left out: {left}")?;
    }
    let missing = image.missing_planes();
    if !missing.is_empty() {
        writeln!(out, "missing planes: {missing:?}")?;
    }

    let (height, width) = info.plane_size();
    let size = info.pixel_type.size_bytes();
    let row_stride = width as usize * size;
    let mut plane = vec![0; height as usize * row_stride];
    let mut file = std::io::BufWriter::new(std::fs::File::create(output)?);
    for number in (0..info.planes()).filter(|number| !missing.contains(number)) {
        // In two parts, so that windows are compared too.
        let upper = height / 3;
        for (y, height) in [(0, upper), (upper, height - upper)] {
            let data = &mut plane[y as usize * row_stride..];
            image.read_window(number, Window { y, x: 0, height, width }, PlaneMut { data, row_stride })?;
        }
        if cfg!(target_endian = "big") {
            plane.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        file.write_all(&plane)?;
    }
    Ok(file.flush()?)
}
