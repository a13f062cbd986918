//! Refuses images whose chunks cannot be counted or held in memory, before anything is allocated for them.

use ome_zarr_convert_core::{TiledImage, spread};

use super::{ImagePlan, Index5, Leaf};
use crate::error::ComputeError;

/// Pixels beyond this many bytes (8 PiB) make no image: sums of such numbers could leave 64 bits.
const MOST_BYTES: u64 = 1 << 53;

/// Chunks of the finest level of an image that is filled, and of one of which more than 80 % is empty: a misplaced tile makes many.
const MOST_CHUNKS: u64 = 1 << 28;
const MOST_EMPTY_CHUNKS: u64 = 1 << 20;

/// Checks a registered image of `shape` cut into chunks of `chunk` pixels.
///
/// # Errors
/// Its pixels or chunks are too many: the error names the tile that spreads them.
pub(super) fn check_countable(image: &TiledImage, shape: Index5, chunk: Index5) -> Result<(), ComputeError> {
    let pixel = image.data_type.size_bytes() as u64;
    let bytes = shape.iter().try_fold(pixel, |bytes, size| bytes.checked_mul(*size));
    let chunks = (0..5).try_fold(1_u64, |count, axis| {
        count.checked_mul(shape[axis].div_ceil(chunk[axis].max(1)))
    });
    let spread = spread(image);
    let most = match spread.as_ref().is_some_and(|spread| spread.is_much()) {
        true => MOST_EMPTY_CHUNKS,
        false => MOST_CHUNKS,
    };
    if bytes.is_some_and(|bytes| bytes <= MOST_BYTES) && chunks.is_some_and(|chunks| chunks <= most) {
        return Ok(());
    }
    let sizes: Vec<String> = image.axes.iter().map(|axis| shape[axis.index()].to_string()).collect();
    let chunks = chunks.map_or_else(|| "more than can be counted".to_owned(), |chunks| chunks.to_string());
    let why = spread.map(|spread| spread.told(image)).unwrap_or_default();
    Err(ComputeError::Image {
        image: image.path.clone(),
        problem: format!(
            "it would have {} pixels in {chunks} chunks, which is too large to be made (at most {most} chunks): {why}",
            sizes.join(" x ")
        ),
    })
}

impl ImagePlan {
    /// Bytes that the plan itself takes in memory, most of them for its chunks.
    pub(super) fn own_bytes(&self) -> u64 {
        let leaf = |leaf: &Leaf| size_of::<Leaf>() + leaf.placements.capacity() * size_of::<usize>();
        self.leaves.iter().map(leaf).sum::<usize>() as u64
    }
}

#[cfg(test)]
mod tests {
    use ome_zarr_convert_core::options::ConverterOptions;
    use ome_zarr_convert_core::{image_from_json, register};
    use serde_json::json;

    use super::*;

    /// A tile of 8 x 8 pixels at the origin, and one at a position.
    fn plan(axis: &str, start: f64) -> Result<ImagePlan, ComputeError> {
        let region = |name: &str, axis: &str, start: f64| {
            let slice = |own: &str, length: f64| json!({"axis_name": own, "start": if own == axis { start } else { 0.0 }, "length": length});
            json!({
                "roi": {"name": name, "slices": [slice("z", 1.0), slice("y", 8.0), slice("x", 8.0)], "space": "world"},
                "image_loader": {"file_path": format!("{name}.tif")},
            })
        };
        let document = json!({
            "regions": [region("A", "x", 0.0), region("B", axis, start)],
            "path": "P.zarr/A/01/0", "xy_pixel_size": 1.0, "z_spacing": 1.0, "t_spacing": 1.0,
            "data_type": "uint16", "axes": ["z", "y", "x"],
            "collection": {"plate_name": "P", "row": "A", "column": 1},
        });
        let mut image = image_from_json(document, "document").unwrap();
        let options = ome_zarr_convert_core::model::from_json(
            &json!({"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": "Inplace"}}}),
            "options",
        );
        let options: ConverterOptions = options.unwrap();
        register(&mut image, &options).unwrap();
        ImagePlan::new(&image, &options)
    }

    #[test]
    fn what_cannot_be_counted_is_refused_with_the_tile_that_spreads_it() {
        assert!(plan("x", 80_000.0).is_ok());
        expect_test::expect![[r#"
            image P.zarr/A/01/0: it would have 1 x 8 x 100000008 pixels in 12500001 chunks, which is too large to be made (at most 1048576 chunks): more than 99 % of it is empty: 99999992 of its 100000008 pixels along x lie between tile 'B' (B.tif) (at x = 100000000) and its neighbor; check its position, and that positions are in µm
        "#]]
        .assert_eq(&format!("{}\n", plan("x", 1e8).unwrap_err()));
        let error = plan("z", 4e15).unwrap_err().to_string();
        assert!(
            error.contains("4000000000000001 x 8 x 8 pixels in 400000000000001 chunks"),
            "{error}"
        );
        for axis in ["x", "y", "z"] {
            for power in 8..=15 {
                assert!(plan(axis, 10_f64.powi(power)).is_err(), "{axis} 1e{power}");
            }
        }
    }

    #[test]
    fn a_plan_counts_itself() {
        let plan = plan("x", 80_000.0).unwrap();
        assert_eq!(plan.leaves.len(), 10_001);
        assert!(plan.own_bytes() >= 64 * 10_001);
        assert!(plan.memory(crate::plan::Decoding::Once).peak_bytes(1) > plan.own_bytes());
    }
}
