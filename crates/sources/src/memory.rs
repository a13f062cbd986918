//! An image that already lies in memory: for loaders whose format can only be read as a whole.

use std::path::PathBuf;

use ndarray::ArrayD;

use crate::image::Rect;
use crate::{ImageInfo, OpenImage, Pixel, PlaneMut, SourceError, Window};

/// An [`OpenImage`] over an array in memory.
pub struct MemoryImage {
    name: PathBuf,
    info: ImageInfo,
    array: Box<dyn Bytes>,
}

/// The bytes of an array whatever its element type, without a copy of it.
trait Bytes: Send + Sync {
    fn bytes(&self) -> &[u8];
}

struct Typed<T>(Vec<T>);

impl<T: Pixel> Bytes for Typed<T> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

impl MemoryImage {
    /// An image with the shape and the pixels of `array`, which is copied only if it is not in C order.
    pub fn new<T: Pixel>(array: ArrayD<T>) -> Self {
        let shape = array.shape().iter().map(|size| *size as u64).collect();
        let array = if array.is_standard_layout() {
            array
        } else {
            array.as_standard_layout().into_owned()
        };
        let length = array.len();
        let (mut pixels, offset) = array.into_raw_vec_and_offset();
        pixels.drain(..offset.unwrap_or(0));
        pixels.truncate(length);
        Self {
            name: PathBuf::from("image in memory"),
            info: ImageInfo {
                shape,
                pixel_type: T::TYPE,
            },
            array: Box::new(Typed(pixels)),
        }
    }

    /// The same with `name` in error texts, where otherwise `image in memory` stands.
    #[must_use]
    pub fn named(mut self, name: impl Into<PathBuf>) -> Self {
        self.name = name.into();
        self
    }
}

impl std::fmt::Debug for MemoryImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryImage")
            .field("name", &self.name)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl OpenImage for MemoryImage {
    fn info(&self) -> &ImageInfo {
        &self.info
    }

    fn read_window(&self, plane: u64, window: Window, mut out: PlaneMut<'_>) -> Result<(), SourceError> {
        let Some(rect) = Rect::check(&self.name, &self.info, plane, window, &out)? else {
            return Ok(());
        };
        let (height, width) = self.info.plane_size();
        let plane_bytes = (height * width) as usize * rect.pixel_bytes;
        let start = plane as usize * plane_bytes;
        out.copy_from_packed(&self.array.bytes()[start..][..plane_bytes], width as usize, rect);
        Ok(())
    }

    fn cheap_windows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, ShapeBuilder};

    use super::*;

    #[test]
    fn windows_of_planes_in_any_memory_order() {
        for array in [Array3::<u16>::zeros((2, 3, 4)), Array3::<u16>::zeros((2, 3, 4).f())] {
            let mut array = array;
            array
                .indexed_iter_mut()
                .for_each(|((z, y, x), value)| *value = (z * 100 + y * 10 + x) as u16);
            for array in [
                array.clone().into_dyn(),
                array.slice_move(ndarray::s![1.., .., ..]).into_dyn(),
            ] {
                let last = array.shape()[0] as u64 - 1;
                let image = MemoryImage::new(array);
                let mut data = [7u16; 8];
                let out = PlaneMut {
                    data: bytemuck::cast_slice_mut(&mut data),
                    row_stride: 8,
                };
                image
                    .read_window(
                        last,
                        Window {
                            y: 1,
                            x: 2,
                            height: 2,
                            width: 2,
                        },
                        out,
                    )
                    .unwrap();
                assert_eq!(data, [112, 113, 7, 7, 122, 123, 7, 7]);
            }
        }
    }

    #[test]
    fn a_window_outside_is_an_error_that_says_so() {
        let image = MemoryImage::new(ArrayD::<u8>::zeros(vec![4, 5])).named("tile 7");
        let out = PlaneMut {
            data: &mut [0; 100],
            row_stride: 10,
        };
        let error = image
            .read_window(
                0,
                Window {
                    y: 2,
                    x: u64::MAX,
                    height: 1,
                    width: 1,
                },
                out,
            )
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "tile 7: window 2:18446744073709551615 1 x 1 of plane 0 is outside the image of 1 planes of 4 x 5"
        );
        let out = PlaneMut {
            data: &mut [0; 19],
            row_stride: 5,
        };
        let error = image
            .read_window(
                0,
                Window {
                    y: 0,
                    x: 0,
                    height: 4,
                    width: 5,
                },
                out,
            )
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "tile 7: the buffer has 19 bytes, the window needs 20"
        );
    }
}
