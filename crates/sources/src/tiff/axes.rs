//! Shapes with a letter for each axis, and what tifffile does to them.

/// Sizes with one letter each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axes {
    pub(crate) shape: Vec<u64>,
    pub(crate) letters: String,
}

impl Axes {
    pub(crate) fn new(shape: Vec<u64>, letters: impl Into<String>) -> Self {
        Self {
            shape,
            letters: letters.into(),
        }
    }

    /// Without the axes of size 1 other than Y and X.
    pub(crate) fn squeezed(&self) -> Self {
        let kept = self
            .letters
            .chars()
            .zip(&self.shape)
            .filter(|(letter, size)| **size > 1 || "YX".contains(*letter));
        let (letters, shape) = kept.unzip();
        Self { shape, letters }
    }

    /// The letters for `shape`, an array of the same number of elements: from the last axis on, those whose axes are
    /// unchanged keep theirs, others are `Q`.
    pub(crate) fn letters_for(&self, shape: &[u64]) -> String {
        let mut known = self
            .letters
            .chars()
            .rev()
            .zip(self.shape.iter().rev().copied())
            .peekable();
        let (mut product, mut known_product) = (1u128, 1u128);
        let mut letters = Vec::with_capacity(shape.len());
        for &size in shape.iter().rev() {
            product = product.saturating_mul(u128::from(size));
            while size != 1 && known.peek().is_some_and(|(_, known_size)| *known_size == 1) {
                known.next();
            }
            match known.peek().copied() {
                Some((letter, known_size))
                    if known_size == size && product == known_product.saturating_mul(u128::from(size)) =>
                {
                    known_product = product;
                    letters.push(letter);
                    known.next();
                }
                _ => letters.push('Q'),
            }
        }
        letters.into_iter().rev().collect()
    }
}

/// Number of elements; `None` beyond 64 bits.
pub(crate) fn elements(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size))
}

#[cfg(test)]
mod tests {
    use super::Axes;

    #[test]
    fn letters_follow_their_axes() {
        assert_eq!(Axes::new(vec![219, 301, 1], "YXS").letters_for(&[219, 301, 1]), "YXS");
        assert_eq!(
            Axes::new(vec![12, 219, 301], "IYX").letters_for(&[3, 4, 219, 1, 301, 1]),
            "QQYQXQ"
        );
        assert_eq!(
            Axes::new(vec![5, 1, 2, 1, 1], "TZYXC").squeezed(),
            Axes::new(vec![5, 2, 1], "TYX")
        );
    }
}
