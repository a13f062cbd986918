//! A tree of boxes: finds those that meet a box and rank above it without looking at all.

use super::boxes::TileBox;

/// Boxes under one node at most before it is split.
const LEAF: usize = 8;

/// Boxes by place, halved along the axis on which their centers lie farthest apart.
pub(super) struct Tree<'a> {
    boxes: &'a [TileBox],
    ranks: &'a [usize],
    order: Vec<usize>,
    nodes: Vec<Node>,
}

struct Node {
    around: TileBox,
    highest: usize,
    /// Boxes of a leaf, as a range of the order; empty where there are children.
    first: usize,
    end: usize,
    children: [usize; 2],
}

impl<'a> Tree<'a> {
    /// Over the boxes of `tiles`.
    pub(super) fn over(boxes: &'a [TileBox], ranks: &'a [usize], tiles: Vec<usize>) -> Self {
        let mut tree = Self {
            boxes,
            ranks,
            order: tiles,
            nodes: Vec::new(),
        };
        if !tree.order.is_empty() {
            tree.grow(0, tree.order.len());
        }
        tree
    }

    /// Makes the node over a range of the order, which is not empty, and gives its number. As deep as the logarithm of the number of boxes.
    fn grow(&mut self, first: usize, end: usize) -> usize {
        let own = &self.order[first..end];
        let around = own[1..]
            .iter()
            .fold(self.boxes[own[0]], |around, tile| around.join(&self.boxes[*tile]));
        let highest = own.iter().map(|tile| self.ranks[*tile]).max().unwrap_or(0);
        let number = self.nodes.len();
        self.nodes.push(Node {
            around,
            highest,
            first,
            end,
            children: [0; 2],
        });
        if end - first > LEAF {
            let boxes = self.boxes;
            let center = |tile: usize, axis: usize| boxes[tile].low[axis] + boxes[tile].high[axis];
            let spread = |axis: &usize| {
                let centers = own.iter().map(|tile| center(*tile, *axis));
                let (least, greatest) = centers
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), center| {
                        (center.min(least), center.max(greatest))
                    });
                greatest - least
            };
            let widest = (0..5).max_by(|a, b| spread(a).total_cmp(&spread(b))).unwrap_or(0);
            let middle = (end - first) / 2;
            self.order[first..end].select_nth_unstable_by(middle, |a, b| {
                center(*a, widest).total_cmp(&center(*b, widest)).then(a.cmp(b))
            });
            let children = [self.grow(first, first + middle), self.grow(first + middle, end)];
            let node = &mut self.nodes[number];
            (node.first, node.end, node.children) = (0, 0, children);
        }
        number
    }

    /// Calls `see` with the boxes that meet `own` and rank above `rank`, the nearest about first. It says in which part of `own` it wants to
    /// see more; `None` ends the search.
    pub(super) fn visit(&self, own: &TileBox, rank: usize, see: &mut dyn FnMut(usize) -> Option<TileBox>) {
        let mut wanted = *own;
        let mut open: Vec<usize> = if self.nodes.is_empty() { Vec::new() } else { vec![0] };
        while let Some(number) = open.pop() {
            let node = &self.nodes[number];
            if node.highest <= rank || !node.around.meets(&wanted) {
                continue;
            }
            if node.first == node.end {
                let [near, far] = node.children;
                let distance = |child: usize| self.nodes[child].around.distance(own);
                open.extend(if distance(near) > distance(far) {
                    [near, far]
                } else {
                    [far, near]
                });
                continue;
            }
            for &tile in &self.order[node.first..node.end] {
                if self.ranks[tile] > rank && self.boxes[tile].meets(&wanted) {
                    match see(tile) {
                        Some(more) => wanted = more,
                        None => return,
                    }
                }
            }
        }
    }
}
