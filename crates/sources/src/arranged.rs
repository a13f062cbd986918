//! An image whose axes lie in another order than t, c, z, y, x, or whose colours are its last axis, as one in that order.

use std::path::PathBuf;

use crate::image::Rect;
use crate::scratch::Scratch;
use crate::{ImageInfo, OpenImage, PlaneMut, SourceError, Window};

/// The order in which images are converted.
const ORDER: [char; 5] = ['T', 'C', 'Z', 'Y', 'X'];

/// Where axes of a file's array lie in the order t, c, z, y, x. Samples of a colour pixel (`S`) count as channels.
///
/// `None` if the letters do not say it: an axis of unknown meaning, one twice, colours beside channels, no y or x, or x before y.
pub fn arrangement(axes: &str) -> Option<Vec<usize>> {
    let letters: Vec<char> = axes.to_uppercase().replace('S', "C").chars().collect();
    let places: Option<Vec<usize>> = letters
        .iter()
        .map(|letter| ORDER.iter().position(|known| known == letter))
        .collect();
    let places = places?;
    let distinct = (1..places.len()).all(|index| !places[..index].contains(&places[index]));
    let y = places.iter().position(|place| *place == 3)?;
    let x = places.iter().position(|place| *place == 4)?;
    // Rows are read as they lie: nothing may come between y and x, and behind x only colours.
    let behind = &letters[x + 1..];
    (distinct && x == y + 1 && matches!(behind, [] | ['C'])).then_some(places)
}

/// An image read in the order t, c, z, y, x.
pub(crate) struct Arranged {
    image: Box<dyn OpenImage>,
    info: ImageInfo,
    path: PathBuf,
    /// For t, c and z: size, and by how many of the file's planes the next one is further on (colours: pixels of a row).
    leading: [(u64, u64); 3],
    /// Colours of a pixel where they lie side by side.
    interleaved: Option<u64>,
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
            unfit("they must be t, c, z, y and x (s for colours), each once, y and x side by side and last but for colours".into())
        })?;
        if places.len() != found.len() {
            return Err(unfit(format!("the file's shape is {found:?}")));
        }
        let interleaved = found.last().copied().filter(|_| places.last() == Some(&1));
        let mut sizes = [1; 5];
        let mut leading = [(1, 0); 3];
        let mut step = 1_u64;
        for (place, size) in places.iter().zip(found).rev() {
            sizes[*place] = *size;
            // Overflow is ruled out: whoever opened the file multiplied the shape.
            if let Some(axis) = leading.get_mut(*place) {
                let samples = *place == 1 && interleaved.is_some();
                *axis = (*size, if samples { 0 } else { step });
                step = if samples { step } else { step.saturating_mul(*size) };
            }
        }
        let first = sizes.iter().position(|size| *size > 1).unwrap_or(3).min(3);
        let info = ImageInfo {
            shape: sizes[first..].to_vec(),
            pixel_type: image.info().pixel_type,
        };
        Ok(Self {
            image,
            info,
            path,
            leading,
            interleaved,
        })
    }

    /// The file's plane, and the channel, for a plane in the order t, c, z.
    fn plane_in_file(&self, plane: u64) -> (u64, u64) {
        let [(_, t_step), (channels, c_step), (slices, z_step)] = self.leading;
        let (z, c, t) = (plane % slices, plane / slices % channels, plane / slices / channels);
        (t * t_step + c * c_step + z * z_step, c)
    }

    /// Reads one colour: in the file, a plane is one row of pixels by their colours.
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
        let (plane, channel) = self.plane_in_file(plane);
        match self.interleaved {
            Some(colors) => self.read_color(plane, (channel, colors), rect, &mut out),
            None => self.image.read_window(plane, window, out),
        }
    }

    fn cheap_windows(&self) -> bool {
        self.interleaved.is_none() && self.image.cheap_windows()
    }

    fn independent_rows(&self) -> Option<u64> {
        self.image.independent_rows().filter(|_| self.interleaved.is_none())
    }

    fn metadata(&self) -> crate::FileMetadata {
        self.image.metadata()
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
    fn colours_become_channels() {
        let (shape, pixels) = read(&[2, 2, 3], "YXS");
        assert_eq!(shape, [3, 1, 2, 2]);
        assert_eq!(pixels, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
        assert_eq!(read(&[2, 2, 1], "YXS"), (vec![2, 2], vec![0, 1, 2, 3]));
        let (shape, pixels) = read(&[2, 1, 2, 2], "ZYXS");
        assert_eq!(shape, [2, 2, 1, 2]);
        assert_eq!(pixels, [0, 2, 4, 6, 1, 3, 5, 7]);
    }

    #[test]
    fn axes_that_say_nothing_are_refused() {
        for axes in ["IYX", "YXC", "XY", "CYXS", "ZZYX", "Y", "CY"] {
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
