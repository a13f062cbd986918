//! A test that authors of loaders run on their own: what callers rely on, tried on images that they choose.

use ome_zarr_convert_geometry::Fault;

use crate::{ImageInfo, ImageLoader, LoaderSpec, OpenImage, PlaneMut, SourceError, Window};

/// A rule of [`ImageLoader`] or [`OpenImage`] that a loader breaks.
#[derive(Debug, thiserror::Error)]
#[error("{spec}: {rule}: {found}")]
pub struct NotConformant {
    /// The entry whose image breaks it.
    pub spec: String,
    /// The rule.
    pub rule: &'static str,
    /// What was found instead.
    pub found: String,
}

/// Byte that reading must leave alone between the rows of a window.
const GUARD: u8 = 0xa5;

/// Planes that are read of each image: the first ones, and the last.
const PLANES: u64 = 3;

/// Opens the images of all entries and holds them against what callers rely on:
///
/// * opening twice gives the same shape, type and metadata, and [`ImageLoader::preflight`] agrees that it can be opened;
/// * a window has the pixels that the whole plane has there, whatever the distance of its rows, and writes nothing between
///   them;
/// * any number of threads reads one image at the same time;
/// * planes, windows and buffers that are out of bounds are errors whose fault is [`Fault::Bug`], empty windows
///   none;
/// * missing planes are listed in order, and reading one is an error;
/// * rows given by [`OpenImage::independent_rows`] lie in the image, and [`OpenImage::kept_bytes`] is no more than its
///   pixels.
///
/// Small images with several planes, and one of each kind that the loader knows, make a good choice.
///
/// # Errors
/// The first rule that is broken.
pub fn loader_conformance(
    loader: &dyn ImageLoader,
    specs: &[LoaderSpec],
    resource: Option<&str>,
) -> Result<(), NotConformant> {
    for spec in specs {
        let spec_text = serde_json::Value::Object(spec.to_json()).to_string();
        check_loader(loader, spec, resource).map_err(|(rule, found)| NotConformant {
            spec: spec_text,
            rule,
            found,
        })?;
    }
    Ok(())
}

type Broken = (&'static str, String);

fn check_loader(loader: &dyn ImageLoader, spec: &LoaderSpec, resource: Option<&str>) -> Result<(), Broken> {
    let open = || {
        loader
            .open(spec, resource)
            .map_err(|error| ("the image can be opened", error.to_string()))
    };
    loader
        .preflight(spec, resource)
        .map_err(|error| ("preflight passes for an image that can be opened", error.to_string()))?;
    let (image, again) = (open()?, open()?);
    let same = image.info() == again.info() && image.metadata() == again.metadata();
    if !same || image.missing_planes() != again.missing_planes() {
        let found = format!("{:?} and {:?}", image.info(), again.info());
        return Err(("opening twice gives the same", found));
    }
    check_image(&*image)
}

/// Holds one image against what callers rely on, as [`loader_conformance`] does.
fn check_image(image: &dyn OpenImage) -> Result<(), Broken> {
    let info = image.info();
    let size = info.pixel_type.size_bytes();
    let bytes = info
        .shape
        .iter()
        .try_fold(size as u64, |bytes, size| bytes.checked_mul(*size));
    let Some(bytes) = bytes.filter(|bytes| isize::try_from(*bytes).is_ok()) else {
        return Err(("the shape can be multiplied", format!("{:?}", info.shape)));
    };
    check_missing(image)?;
    check_bounds(image)?;
    let present: Vec<u64> = (0..info.planes())
        .filter(|plane| !image.missing_planes().contains(plane))
        .filter(|plane| *plane < PLANES || plane + 1 == info.planes())
        .collect();
    let mut wholes = Vec::new();
    for &plane in &present {
        let whole =
            read(image, plane, whole_of(info), 0).map_err(|error| ("a plane can be read", error.to_string()))?;
        for window in windows(info, image.independent_rows()) {
            check_window(image, plane, window, &whole)?;
        }
        wholes.push((plane, whole));
    }
    check_threads(image, &wholes)?;
    if image.kept_bytes() > bytes {
        let found = format!("{} bytes of {bytes}", image.kept_bytes());
        return Err(("kept_bytes is no more than the pixels", found));
    }
    let height = info.plane_size().0;
    match image.independent_rows() {
        Some(rows) if rows == 0 || rows > height => {
            Err(("independent_rows lie in the image", format!("{rows} of {height} rows")))
        }
        _ => Ok(()),
    }
}

fn whole_of(info: &ImageInfo) -> Window {
    let (height, width) = info.plane_size();
    Window {
        y: 0,
        x: 0,
        height,
        width,
    }
}

/// Parts of a plane: its halves, its middle, single rows, columns and pixels, and where it may be cut.
fn windows(info: &ImageInfo, rows: Option<u64>) -> Vec<Window> {
    let whole = whole_of(info);
    let (height, width) = (whole.height, whole.width);
    let window = |y: u64, x: u64, height: u64, width: u64| Window { y, x, height, width };
    let mut windows = whole.bands(rows.unwrap_or(1), 3);
    windows.extend(
        [
            window(0, 0, height.div_ceil(2), width),
            window(height / 2, 0, height - height / 2, width),
            window(0, width / 2, height, width - width / 2),
            window(height / 3, width / 3, height.div_ceil(3), width.div_ceil(3)),
            window(height.saturating_sub(1), 0, 1, width),
            window(0, width.saturating_sub(1), height, 1),
            window(height / 2, width / 2, 1, 1),
            window(0, 0, 0, width),
            window(height, width, 0, 0),
        ]
        .into_iter()
        .filter(|part| part.y + part.height <= height && part.x + part.width <= width),
    );
    windows
}

/// The window, its rows `gap` bytes apart.
fn read(image: &dyn OpenImage, plane: u64, window: Window, gap: usize) -> Result<Vec<u8>, SourceError> {
    let row_stride = window.width as usize * image.info().pixel_type.size_bytes() + gap;
    let mut data = vec![GUARD; window.height as usize * row_stride];
    let out = PlaneMut {
        data: &mut data,
        row_stride,
    };
    image.read_window(plane, window, out)?;
    Ok(data)
}

fn check_window(image: &dyn OpenImage, plane: u64, window: Window, whole: &[u8]) -> Result<(), Broken> {
    const GAP: usize = 7;
    let rule = "a window has the pixels of its plane";
    let size = image.info().pixel_type.size_bytes();
    let data =
        read(image, plane, window, GAP).map_err(|error| (rule, format!("{window:?} of plane {plane}: {error}")))?;
    let (row_bytes, plane_row) = (
        window.width as usize * size,
        whole_of(image.info()).width as usize * size,
    );
    for (row, found) in data.chunks_exact(row_bytes + GAP).enumerate() {
        let start = (window.y as usize + row) * plane_row + window.x as usize * size;
        if found[..row_bytes] != whole[start..][..row_bytes] {
            return Err((rule, format!("{window:?} of plane {plane} differs in row {row}")));
        }
        if found[row_bytes..].iter().any(|byte| *byte != GUARD) {
            let found = format!("{window:?} of plane {plane}, row {row}");
            return Err(("nothing is written between the rows of a window", found));
        }
    }
    Ok(())
}

fn check_threads(image: &dyn OpenImage, wholes: &[(u64, Vec<u8>)]) -> Result<(), Broken> {
    let same = |plane: u64, whole: &Vec<u8>| {
        let data = read(image, plane, whole_of(image.info()), 0);
        data.is_ok_and(|data| data == *whole)
    };
    let read_all = || wholes.iter().all(|(plane, whole)| same(*plane, whole));
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(read_all)).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap_or(false));
        results.filter(|same| !same).count()
    });
    match failed {
        0 => Ok(()),
        failed => Err((
            "many threads read one image",
            format!("{failed} of 4 read something else"),
        )),
    }
}

fn check_missing(image: &dyn OpenImage) -> Result<(), Broken> {
    let missing = image.missing_planes();
    let planes = image.info().planes();
    if missing.windows(2).any(|pair| pair[0] >= pair[1]) || missing.last().is_some_and(|last| *last >= planes) {
        return Err(("missing planes are listed in order", format!("{missing:?} of {planes}")));
    }
    match missing.first() {
        Some(plane) if read(image, *plane, whole_of(image.info()), 0).is_ok() => {
            Err(("reading a missing plane is an error", format!("plane {plane} was read")))
        }
        _ => Ok(()),
    }
}

fn check_bounds(image: &dyn OpenImage) -> Result<(), Broken> {
    let whole = whole_of(image.info());
    let planes = image.info().planes();
    let pixel = Window {
        height: 1,
        width: 1,
        ..whole
    };
    let outside = [
        (planes, pixel),
        (u64::MAX, pixel),
        (
            0,
            Window {
                y: whole.height,
                ..pixel
            },
        ),
        (
            0,
            Window {
                x: whole.width,
                ..pixel
            },
        ),
        (0, Window { y: u64::MAX, ..pixel }),
        (0, Window { x: u64::MAX, ..pixel }),
    ];
    let rule = "what lies out of bounds is an error of the caller";
    for (plane, window) in outside {
        let found = match read(image, plane, window, 0) {
            Err(error) if error.fault() == Fault::Bug => continue,
            Err(error) => error.to_string(),
            Ok(_) => "it was read".to_owned(),
        };
        return Err((rule, format!("{window:?} of plane {plane}: {found}")));
    }
    let short = PlaneMut {
        data: &mut vec![0; image.info().pixel_type.size_bytes() - 1],
        row_stride: 8,
    };
    let is_empty = planes == 0 || whole.height == 0 || whole.width == 0;
    match image.read_window(0, pixel, short) {
        Err(error) if error.fault() == Fault::Bug => Ok(()),
        _ if is_empty || image.missing_planes().first() == Some(&0) => Ok(()),
        Err(error) => Err((
            "a buffer that is too short is an error of the caller",
            error.to_string(),
        )),
        Ok(()) => Err((
            "a buffer that is too short is an error of the caller",
            "it was read".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ndarray::Array3;

    use super::*;
    use crate::{DefaultImageLoader, MemoryImage};

    #[test]
    fn the_built_in_loader_keeps_all_rules() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let names = std::fs::read_dir(&seeds).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut specs = Vec::new();
        for name in names.filter(|name| !name.starts_with("description")) {
            if name.starts_with("rgb") || name == "webp.tif" {
                specs.push(LoaderSpec::with_axes(name.clone(), "YXS"));
            }
            specs.push(LoaderSpec::File { file_path: name });
        }
        assert!(specs.len() > 35);
        loader_conformance(&DefaultImageLoader, &specs, seeds.to_str()).unwrap();
    }

    /// An image in memory that breaks one rule.
    struct Wrong(
        MemoryImage,
        fn(&MemoryImage, u64, Window, PlaneMut<'_>) -> Result<(), SourceError>,
    );

    impl OpenImage for Wrong {
        fn info(&self) -> &ImageInfo {
            self.0.info()
        }
        fn read_window(&self, plane: u64, window: Window, out: PlaneMut<'_>) -> Result<(), SourceError> {
            (self.1)(&self.0, plane, window, out)
        }
    }

    #[test]
    fn each_rule_finds_who_breaks_it() {
        let rule = |read: fn(&MemoryImage, u64, Window, PlaneMut<'_>) -> Result<(), SourceError>| {
            let pixels = Array3::from_shape_fn((2, 5, 6), |(z, y, x)| (z * 100 + y * 10 + x) as u16);
            let image = Wrong(MemoryImage::new(pixels.into_dyn()), read);
            check_image(&image).err().map(|(rule, _)| rule)
        };
        assert_eq!(
            rule(|image, plane, window, out| image.read_window(plane, window, out)),
            None
        );
        assert_eq!(
            rule(|image, _, window, out| image.read_window(0, window, out)),
            Some("what lies out of bounds is an error of the caller")
        );
        assert_eq!(
            rule(|image, plane, window, out| {
                // The upper left corner instead of the middle.
                let part = window.height == 2 && window.width == 2;
                let y = if part { 0 } else { window.y };
                image.read_window(plane, Window { y, ..window }, out)
            }),
            Some("a window has the pixels of its plane")
        );
        assert_eq!(
            rule(|image, plane, window, out| {
                let (data, row_stride) = (out.data, out.row_stride);
                image.read_window(
                    plane,
                    window,
                    PlaneMut {
                        data: &mut *data,
                        row_stride,
                    },
                )?;
                if let Some(last) = data.last_mut() {
                    *last = 0;
                }
                Ok(())
            }),
            Some("nothing is written between the rows of a window")
        );
    }
}
