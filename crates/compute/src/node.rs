//! A chunk of a coarse level that takes in its children as they complete.

use std::sync::{Mutex, PoisonError};

use ome_zarr_convert_geometry::{Index5, PixelType};

use crate::buffer::{Buffer, BufferPool};
use crate::halve::{Halving, Stack, halve};
use crate::plan::{Level, X, Y};

/// An unfinished coarse chunk. A child may begin at an odd row or column of its level; the pair of rows (columns) across such a
/// seam is kept until both sides are there.
pub(crate) struct Node {
    data_type: PixelType,
    /// Shape of the chunk's buffer.
    size: Index5,
    /// First pixel of the chunk in its level along y and x, and how many lie inside the level.
    start: [u64; 2],
    valid: [u64; 2],
    /// Whether y and x are halved from the finer level.
    halved: [bool; 2],
    /// Boundaries between children at odd rows and columns of the finer level.
    seams: [Vec<u64>; 2],
    /// First pixel that the chunk covers in the finer level, and how many, along y and x.
    footprint: [(u64, u64); 2],
    state: Mutex<State>,
}

struct State {
    children_left: u64,
    content: Option<Content>,
}

struct Content {
    buffer: Buffer,
    /// Per seam across y two rows, per seam across x two columns, over the whole footprint and all planes.
    seam_rows: Vec<Vec<u8>>,
    seam_columns: Vec<Vec<u8>>,
}

impl Node {
    /// The node of `chunk` of `level`, whose children are chunks of `finer`.
    pub(crate) fn new(finer: &Level, level: &Level, chunk: Index5, data_type: PixelType) -> Self {
        let valid_all = level.valid(chunk);
        let mut node = Self {
            data_type,
            size: level.chunk,
            start: [0; 2],
            valid: [0; 2],
            halved: [false; 2],
            seams: [Vec::new(), Vec::new()],
            footprint: [(0, 0); 2],
            state: Mutex::new(State {
                children_left: 1,
                content: None,
            }),
        };
        for (at, axis) in [Y, X].into_iter().enumerate() {
            let family = level.children_along(finer, chunk, axis);
            let halved = finer.shape[axis] > 1;
            let scale = if halved { 2 } else { 1 };
            node.start[at] = chunk[axis] * level.chunk[axis];
            node.valid[at] = valid_all[axis];
            node.halved[at] = halved;
            node.footprint[at] = (node.start[at] * scale, node.valid[at] * scale);
            let end = node.footprint[at].0 + node.footprint[at].1;
            node.seams[at] = (family.start + 1..family.end)
                .map(|child| child * finer.chunk[axis])
                .filter(|boundary| halved && boundary % 2 == 1 && *boundary < end)
                .collect();
        }
        node.state = Mutex::new(State {
            children_left: level.children_of(finer, chunk),
            content: None,
        });
        node
    }

    /// Takes in a child (`None`: all zeros). After the last one the chunk is complete: its pixels, or `None` if all are zeros.
    pub(crate) fn absorb(
        &self,
        finer: &Level,
        child: Index5,
        pixels: Option<&Buffer>,
        pool: &BufferPool,
    ) -> Option<Option<Buffer>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = pixels {
            let content = state.content.get_or_insert_with(|| self.content(pool));
            self.halve_child(finer, child, pixels, content);
        }
        state.children_left -= 1;
        if state.children_left > 0 {
            return None;
        }
        let content = state.content.take();
        drop(state);
        Some(content.map(|mut content| {
            self.close_seams(&mut content);
            content.buffer
        }))
    }

    fn planes(&self) -> usize {
        (self.size[0] * self.size[1] * self.size[2]) as usize
    }

    fn stack(&self) -> Stack {
        Stack {
            planes: self.planes(),
            height: self.size[Y] as usize,
            stride: self.size[X] as usize,
        }
    }

    fn content(&self, pool: &BufferPool) -> Content {
        let pixel = self.data_type.size_bytes();
        let bytes = self.size.iter().product::<u64>() as usize * pixel;
        let [rows, columns] = self.footprint.map(|(_, length)| length as usize);
        let strip = |length: usize| vec![0; self.planes() * 2 * length * pixel];
        Content {
            buffer: pool.take_zeroed(bytes),
            seam_rows: self.seams[0].iter().map(|_| strip(columns)).collect(),
            seam_columns: self.seams[1].iter().map(|_| strip(rows)).collect(),
        }
    }

    fn halve_child(&self, finer: &Level, child: Index5, pixels: &Buffer, content: &mut Content) {
        let from = Stack {
            planes: self.planes(),
            height: finer.chunk[Y] as usize,
            stride: finer.chunk[X] as usize,
        };
        let valid = finer.valid(child);
        // The child's part of the footprint along an axis: [first, end) in pixels of the finer level.
        let part = |at: usize, axis: usize| {
            let first = child[axis] * finer.chunk[axis];
            let end = (first + valid[axis]).min(self.footprint[at].0 + self.footprint[at].1);
            (first, end)
        };
        let (y, x) = (part(0, Y), part(1, X));
        if y.0 >= y.1 || x.0 >= x.1 {
            return;
        }
        let even = |at: usize, (first, end): (u64, u64)| {
            if self.halved[at] {
                (first.next_multiple_of(2), end / 2 * 2)
            } else {
                (first, end)
            }
        };
        let ((even_top, even_bottom), (even_left, even_right)) = (even(0, y), even(1, x));
        let to = |at: usize, first: u64| (if self.halved[at] { first / 2 } else { first } - self.start[at]) as usize;
        if even_top < even_bottom && even_left < even_right {
            let inner = Halving {
                from_y: (even_top - y.0) as usize,
                from_x: (even_left - x.0) as usize,
                height: (even_bottom - even_top) as usize,
                width: (even_right - even_left) as usize,
                to_y: to(0, even_top),
                to_x: to(1, even_left),
                halve_y: self.halved[0],
                halve_x: self.halved[1],
            };
            halve(
                self.data_type,
                (pixels.bytes(), from),
                (content.buffer.bytes_mut(), self.stack()),
                inner,
            );
        }
        let pixel = self.data_type.size_bytes();
        let (rows, columns) = (self.footprint[0].1 as usize, self.footprint[1].1 as usize);
        let (top, left) = (self.footprint[0].0, self.footprint[1].0);
        for (seam, strip) in self.seams[0].iter().zip(&mut content.seam_rows) {
            for (side, row) in [seam - 1, *seam]
                .into_iter()
                .enumerate()
                .filter(|(_, row)| (y.0..y.1).contains(row))
            {
                for plane in 0..from.planes {
                    let source = ((plane * from.height + (row - y.0) as usize) * from.stride) * pixel;
                    let length = (x.1 - x.0) as usize * pixel;
                    let target = ((plane * 2 + side) * columns + (x.0 - left) as usize) * pixel;
                    strip[target..target + length].copy_from_slice(&pixels.bytes()[source..source + length]);
                }
            }
        }
        for (seam, strip) in self.seams[1].iter().zip(&mut content.seam_columns) {
            for (side, column) in [seam - 1, *seam]
                .into_iter()
                .enumerate()
                .filter(|(_, c)| (x.0..x.1).contains(c))
            {
                for plane in 0..from.planes {
                    for row in y.0..y.1 {
                        let source =
                            (plane * from.height + (row - y.0) as usize) * from.stride + (column - x.0) as usize;
                        let target = (plane * rows + (row - top) as usize) * 2 + side;
                        strip[target * pixel..(target + 1) * pixel]
                            .copy_from_slice(&pixels.bytes()[source * pixel..(source + 1) * pixel]);
                    }
                }
            }
        }
    }

    /// Halves the pairs of rows and columns across seams, both sides of which are there now.
    fn close_seams(&self, content: &mut Content) {
        let (rows, columns) = (self.footprint[0].1 as usize, self.footprint[1].1 as usize);
        let Content {
            buffer,
            seam_rows,
            seam_columns,
        } = content;
        for (seam, strip) in self.seams[0].iter().zip(seam_rows) {
            let from = Stack {
                planes: self.planes(),
                height: 2,
                stride: columns,
            };
            let whole = Halving {
                from_y: 0,
                from_x: 0,
                height: 2,
                width: columns,
                to_y: ((seam - 1) / 2 - self.start[0]) as usize,
                to_x: 0,
                halve_y: true,
                halve_x: self.halved[1],
            };
            halve_strip(self.data_type, strip, from, buffer, self.stack(), whole);
        }
        for (seam, strip) in self.seams[1].iter().zip(seam_columns) {
            let from = Stack {
                planes: self.planes(),
                height: rows,
                stride: 2,
            };
            let whole = Halving {
                from_y: 0,
                from_x: 0,
                height: rows,
                width: 2,
                to_y: 0,
                to_x: ((seam - 1) / 2 - self.start[1]) as usize,
                halve_y: self.halved[0],
                halve_x: true,
            };
            halve_strip(self.data_type, strip, from, buffer, self.stack(), whole);
        }
    }
}

/// Halves a strip, which is a plain vector of bytes and so must first be aligned for its pixels.
fn halve_strip(data_type: PixelType, strip: &[u8], from: Stack, buffer: &mut Buffer, to: Stack, part: Halving) {
    let mut aligned = vec![0_u64; strip.len().div_ceil(8)];
    bytemuck::cast_slice_mut(&mut aligned)[..strip.len()].copy_from_slice(strip);
    let aligned = &bytemuck::cast_slice(&aligned)[..strip.len()];
    halve(data_type, (aligned, from), (buffer.bytes_mut(), to), part);
}
