//! An image whose axes lie in another order than t, c, z, y, x, or whose colors are its last axis, as one in that order.

use std::path::PathBuf;

use crate::image::Rect;
use crate::scratch::Scratch;
use crate::{FileMetadata, ImageInfo, LeftOut, OpenImage, PlaneMut, SourceError, Window};

/// The order in which images are converted.
const ORDER: [char; 5] = ['T', 'C', 'Z', 'Y', 'X'];
const T: usize = 0;
const C: usize = 1;
const Z: usize = 2;
const Y: usize = 3;
const X: usize = 4;

/// Where axes of a file's array lie in the order t, c, z, y, x. Samples of a color pixel (`S`) are channels, beside an axis
/// `C` too: channel `c * samples + s`. Beside colors, an axis of unknown meaning is z, a second one before it t.
///
/// `None` if the letters do not say it: an axis of unknown meaning without colors, one twice, no y or x, or x before y.
pub fn arrangement(axes: &str) -> Option<Vec<usize>> {
    let letters: Vec<char> = axes.to_uppercase().chars().collect();
    let colors = letters.iter().filter(|letter| **letter == 'S').count();
    let known = |letter: &char| match letter {
        'S' => Some(C),
        letter => ORDER.iter().position(|known| known == letter),
    };
    let mut free = [T, Z]
        .into_iter()
        .filter(|axis| !letters.contains(&ORDER[*axis]))
        .collect::<Vec<_>>();
    let mut places = vec![0; letters.len()];
    for (place, letter) in places.iter_mut().zip(&letters).rev() {
        *place = match known(letter) {
            Some(axis) => axis,
            None if colors > 0 => free.pop()?,
            None => return None,
        };
    }
    let twice = |axis: usize| if axis == C { colors.min(1) + 1 } else { 1 };
    let distinct =
        colors < 2 && (0..5).all(|axis| places.iter().filter(|place| **place == axis).count() <= twice(axis));
    let y = places.iter().position(|place| *place == Y)?;
    let x = places.iter().position(|place| *place == X)?;
    // Rows are read as they lie: nothing may come between y and x, and behind x only colors.
    let behind = &letters[x + 1..];
    (distinct && x == y + 1 && matches!(behind, [] | ['C' | 'S'])).then_some(places)
}

/// The sizes along t, c, z, y and x of an array whose axes are called `axes`; 1 for an axis that it does not have. `None` if
/// [`arrangement`] cannot tell them, or they are not as many as those of the array.
pub fn arranged_sizes(axes: &str, shape: &[u64]) -> Option<[u64; 5]> {
    let places = arrangement(axes).filter(|places| places.len() == shape.len())?;
    let mut sizes = [1u64; 5];
    for (place, size) in places.into_iter().zip(shape) {
        sizes[place] = sizes[place].saturating_mul(*size);
    }
    Some(sizes)
}

/// An axis of the file: size, and by how many of the file's planes the next one is further on.
type Step = (u64, u64);

/// An image read in the order t, c, z, y, x.
pub(crate) struct Arranged {
    image: Box<dyn OpenImage>,
    info: ImageInfo,
    path: PathBuf,
    t: Step,
    c: Step,
    z: Step,
    /// Colors of a pixel, a part of the channels: their step is 0 where they lie side by side.
    colors: Step,
    /// Whether colors of a pixel lie side by side.
    interleaved: bool,
    missing_planes: Vec<u64>,
}

impl Arranged {
    /// The image with its axes, slowest first, as `axes` names them.
    pub(crate) fn new(image: Box<dyn OpenImage>, axes: &str, path: PathBuf) -> Result<Self, SourceError> {
        let found = &image.info().shape;
        let unfit = |reason: String| SourceError::Axes {
            path: path.clone(),
            axes: axes.to_owned(),
            reason,
        };
        let places = arrangement(axes).ok_or_else(|| {
            unfit(
                "they must be t, c, z, y and x (s for colors), each once, y and x side by side and last but for colors"
                    .into(),
            )
        })?;
        let Some(sizes) = arranged_sizes(axes, found) else {
            return Err(unfit(format!("the file's shape is {found:?}")));
        };
        let letters: Vec<char> = axes.to_uppercase().chars().collect();
        let interleaved = places.last() == Some(&C);
        let (mut t, mut c, mut z, mut colors) = ((1, 0), (1, 0), (1, 0), (1, 0));
        let mut step = 1_u64;
        for (index, (place, size)) in places.iter().zip(found).enumerate().rev() {
            // Overflow is ruled out: whoever opened the file multiplied the shape.
            match *place {
                C if interleaved && index + 1 == places.len() => colors = (*size, 0),
                place @ (T | C | Z) => {
                    let axis = match place {
                        T => &mut t,
                        Z => &mut z,
                        _ if letters[index] == 'S' => &mut colors,
                        _ => &mut c,
                    };
                    *axis = (*size, step);
                    step = step.saturating_mul(*size);
                }
                _ => {}
            }
        }
        let first = sizes.iter().position(|size| *size > 1).unwrap_or(Y).min(Y);
        let info = ImageInfo {
            shape: sizes[first..].to_vec(),
            pixel_type: image.info().pixel_type,
        };
        let mut arranged = Self {
            image,
            info,
            path,
            t,
            c,
            z,
            colors,
            interleaved,
            missing_planes: Vec::new(),
        };
        arranged.missing_planes = arranged.find_missing();
        Ok(arranged)
    }

    /// The file's plane, and the color, for a plane in the order t, c, z.
    fn plane_in_file(&self, plane: u64) -> (u64, u64) {
        let channels = self.c.0 * self.colors.0;
        let (z, channel, t) = (
            plane % self.z.0,
            plane / self.z.0 % channels,
            plane / self.z.0 / channels,
        );
        let (c, color) = (channel / self.colors.0, channel % self.colors.0);
        (
            t * self.t.1 + c * self.c.1 + color * self.colors.1 + z * self.z.1,
            color,
        )
    }

    /// The planes of which the file lacks something.
    fn find_missing(&self) -> Vec<u64> {
        let missing = self.image.missing_planes();
        if missing.is_empty() {
            return Vec::new();
        }
        // Where colors lie side by side, a plane of the file is a row of pixels.
        let rows = if self.interleaved { self.info.plane_size().0 } else { 1 };
        let lacks = |plane: &u64| {
            let first = self.plane_in_file(*plane).0 * rows;
            let next = missing.partition_point(|missing| *missing < first);
            missing.get(next).is_some_and(|missing| *missing < first + rows)
        };
        (0..self.info.planes()).filter(lacks).collect()
    }

    /// Reads one color: in the file, a plane is one row of pixels by their colors.
    fn read_color(
        &self,
        plane: u64,
        (color, colors): (u64, u64),
        rect: Rect,
        out: &mut PlaneMut<'_>,
    ) -> Result<(), SourceError> {
        let (height, _) = self.info.plane_size();
        let pixel = colors as usize * rect.pixel_bytes;
        let mut row = Scratch::new(rect.width * pixel);
        let window = Window {
            y: rect.x as u64,
            x: 0,
            height: rect.width as u64,
            width: colors,
        };
        for y in 0..rect.height {
            let whole = PlaneMut {
                data: &mut row,
                row_stride: pixel,
            };
            self.image
                .read_window(plane * height + (rect.y + y) as u64, window, whole)?;
            let samples = row
                .chunks_exact(pixel)
                .map(|samples| &samples[color as usize * rect.pixel_bytes..]);
            let elements = out.row(y, rect.row_bytes()).chunks_exact_mut(rect.pixel_bytes);
            elements
                .zip(samples)
                .for_each(|(element, sample)| element.copy_from_slice(&sample[..rect.pixel_bytes]));
        }
        Ok(())
    }
}

impl OpenImage for Arranged {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(&self.path, &self.info, plane, window, &out)? else {
            return Ok(());
        };
        let (in_file, color) = self.plane_in_file(plane);
        let read = match self.interleaved {
            true => self.read_color(in_file, (color, self.colors.0), rect, &mut out),
            false => self.image.read_window(in_file, window, out),
        };
        read.map_err(|error| match error {
            SourceError::MissingPlane { path, reason, .. } => SourceError::MissingPlane { path, plane, reason },
            error => error,
        })
    }

    fn left_out(&self) -> &[LeftOut] {
        self.image.left_out()
    }

    fn missing_planes(&self) -> &[u64] {
        &self.missing_planes
    }

    fn kept_bytes(&self) -> u64 {
        self.image.kept_bytes()
    }

    fn working_bytes(&self) -> u64 {
        // And a row of pixels of all colors.
        let row = self.info.plane_size().1 * self.colors.0 * self.info.pixel_type.size_bytes() as u64;
        self.image.working_bytes() + if self.interleaved { row } else { 0 }
    }

    fn cheap_windows(&self) -> bool {
        !self.interleaved && self.image.cheap_windows()
    }

    fn independent_rows(&self) -> Option<u64> {
        self.image.independent_rows().filter(|_| !self.interleaved)
    }

    fn metadata(&self) -> FileMetadata {
        let first = ORDER.len() - self.info.shape.len();
        FileMetadata {
            axes: Some(ORDER[first..].iter().collect()),
            ..self.image.metadata()
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;
    use crate::MemoryImage;

    /// All pixels of the image in the order t, c, z, y, x, the file's array counting up.
    fn read(shape: &[usize], axes: &str) -> (Vec<u64>, Vec<u16>) {
        let count = shape.iter().product::<usize>();
        let array = Array::from_iter((0..count as u16).collect::<Vec<_>>())
            .into_shape_with_order(shape)
            .unwrap();
        let image = Arranged::new(Box::new(MemoryImage::new(array)), axes, "a.tif".into()).unwrap();
        let (height, width) = image.info().plane_size();
        let mut pixels = Vec::new();
        for plane in 0..image.info().planes() {
            let mut data = vec![0_u16; (height * width) as usize];
            let out = PlaneMut {
                data: bytemuck::cast_slice_mut(&mut data),
                row_stride: width as usize * 2,
            };
            let window = Window {
                y: 0,
                x: 0,
                height,
                width,
            };
            image.read_window(plane, window, out).unwrap();
            pixels.extend(data);
        }
        (image.info().shape.clone(), pixels)
    }

    #[test]
    fn slices_of_channels_become_channels_of_slices() {
        let (shape, pixels) = read(&[2, 3, 1, 2], "ZCYX");
        assert_eq!(shape, [3, 2, 1, 2]);
        assert_eq!(pixels, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
    }

    #[test]
    fn an_axis_that_is_not_there_has_size_one() {
        assert_eq!(read(&[3, 1, 1], "CYX").0, [3, 1, 1, 1]);
        assert_eq!(read(&[2, 1, 1], "TYX").0, [2, 1, 1, 1, 1]);
        assert_eq!(read(&[4, 5], "YX").0, [4, 5]);
    }

    #[test]
    fn colors_become_channels() {
        let (shape, pixels) = read(&[2, 2, 3], "YXS");
        assert_eq!(shape, [3, 1, 2, 2]);
        assert_eq!(pixels, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
        assert_eq!(read(&[2, 2, 1], "YXS"), (vec![2, 2], vec![0, 1, 2, 3]));
        let (shape, pixels) = read(&[2, 1, 2, 2], "ZYXS");
        assert_eq!(shape, [2, 2, 1, 2]);
        assert_eq!(pixels, [0, 2, 4, 6, 1, 3, 5, 7]);
    }

    #[test]
    fn colors_beside_other_axes_are_channels_too() {
        let (shape, pixels) = read(&[2, 1, 2, 3], "CYXS");
        assert_eq!(shape, [6, 1, 1, 2]);
        assert_eq!(pixels, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
        let (shape, pixels) = read(&[2, 3, 1, 2], "CSYX");
        assert_eq!(shape, [6, 1, 1, 2]);
        assert_eq!(pixels, (0..12).collect::<Vec<_>>());
        // Slices of colors in planes of their own.
        let (shape, pixels) = read(&[2, 3, 1, 1], "ISYX");
        assert_eq!(shape, [3, 2, 1, 1]);
        assert_eq!(pixels, [0, 3, 1, 4, 2, 5]);
        assert_eq!(read(&[2, 1, 2, 3], "QYXS").0, [3, 2, 1, 2]);
        assert_eq!(read(&[2, 4, 1, 2, 3], "QQYXS").0, [2, 3, 4, 1, 2]);
        assert_eq!(read(&[2, 4, 1, 2, 3], "IZYXS").0, [2, 3, 4, 1, 2]);
        assert_eq!(arrangement("QQQYXS"), None);
        assert_eq!(arrangement("QTYXS"), Some(vec![2, 0, 3, 4, 1]));
        assert_eq!(arranged_sizes("CYXS", &[2, 5, 6, 3]), Some([1, 6, 1, 5, 6]));
        assert_eq!(arranged_sizes("CYX", &[2, 5, 6, 3]), None);
    }

    #[test]
    fn axes_that_say_nothing_are_refused() {
        for axes in ["IYX", "YXC", "XY", "SYXS", "ZZYX", "Y", "CY", "CCYX"] {
            assert_eq!(arrangement(axes).is_some(), axes == "YXC", "{axes}");
        }
        let image = || Box::new(MemoryImage::new(Array::<u8, _>::zeros(vec![2, 3])));
        let error = |axes| Arranged::new(image(), axes, "a.tif".into()).err().unwrap().to_string();
        assert!(error("ZYX").contains("the file's shape is [2, 3]"), "{}", error("ZYX"));
        assert!(
            error("QX").starts_with("a.tif: its axes cannot be \"QX\""),
            "{}",
            error("QX")
        );
    }
}
