//! What deserves a word about an image before it is made: tiles that cannot be seen, empty space, fields that are moved apart.

use crate::error::CoreError;
use crate::extensions::Extensions;
use crate::options::{ConverterOptions, Grouping, HiddenTiles, Overlap};
use crate::registration::{PipelineStep, explain, hidden_tiles, moved_apart, register_with, spread};
use crate::tiled_image::TiledImage;

/// What was found about one image. Sentences do not name the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Tiles of which nothing is left to see, with the likely causes.
    pub hidden: Option<String>,
    /// That more than 80 % of the image is empty, and which tile spreads it.
    pub empty: Option<String>,
    /// That fields of view overlap on the stage and are moved apart, with the numbers.
    pub moved_apart: Option<String>,
    /// The same of fields that overlap so much that their positions are likely wrong.
    pub crowded: Option<String>,
}

/// Registers a copy of an image and looks at it. Without a `pipeline`, by the default steps.
///
/// # Errors
/// The image cannot be registered.
pub fn review_image(
    image: &TiledImage,
    options: &ConverterOptions,
    pipeline: Option<&[PipelineStep]>,
    extensions: &Extensions,
) -> Result<Review, CoreError> {
    register_and_review(&mut image.clone(), options, pipeline, extensions)
}

/// Registers an image and looks at what became of it. Without a `pipeline`, by the default steps.
///
/// # Errors
/// The image cannot be registered.
pub fn register_and_review(
    image: &mut TiledImage,
    options: &ConverterOptions,
    pipeline: Option<&[PipelineStep]>,
    extensions: &Extensions,
) -> Result<Review, CoreError> {
    let before = image.clone();
    let moved = match pipeline {
        None => moved_apart(image, options)?,
        Some(_) => {
            register_with(image, options, pipeline, extensions)?;
            None
        }
    };
    let (crowded, moved_apart) = match moved.map(|moved| (moved.is_strange(), moved.told())) {
        Some((true, sentence)) => (Some(sentence), None),
        Some((false, sentence)) => (None, Some(sentence)),
        None => (None, None),
    };
    Ok(Review {
        moved_apart,
        crowded,
        hidden: hidden_problem(image, Some(&before), options),
        empty: spread(image)
            .filter(|spread| spread.is_much())
            .map(|spread| spread.told(image)),
    })
}

/// What hides tiles of a registered image and why, as a sentence; `None` when every tile can be seen. With the image as it was `before`
/// registration more causes are known.
pub fn hidden_problem(
    registered: &TiledImage,
    before: Option<&TiledImage>,
    options: &ConverterOptions,
) -> Option<String> {
    let overlap = match &options.grouping {
        Grouping::Mosaic(mosaic) => mosaic.overlap,
        Grouping::PerFov(_) => Overlap::Last,
    };
    let hidden = hidden_tiles(registered, overlap);
    (!hidden.is_empty()).then(|| explain(registered, before, &hidden))
}

/// What was found about many images: for each kind the images' paths with a sentence each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviews {
    /// Tiles of which nothing is left to see.
    pub hidden: Vec<(String, String)>,
    /// More than 80 % of an image is empty.
    pub empty: Vec<(String, String)>,
    /// Fields of view overlap on the stage and are moved apart.
    pub moved_apart: Vec<(String, String)>,
    /// They overlap so much that their positions are likely wrong.
    pub crowded: Vec<(String, String)>,
}

impl Reviews {
    /// Reviews images. One that cannot be registered is passed over: whoever converts it tells why.
    pub fn of<'a>(
        images: impl IntoIterator<Item = &'a TiledImage>,
        options: &ConverterOptions,
        pipeline: Option<&[PipelineStep]>,
        extensions: &Extensions,
    ) -> Self {
        let mut reviews = Self::default();
        for image in images {
            if let Ok(review) = review_image(image, options, pipeline, extensions) {
                reviews.add(&image.path, &review);
            }
        }
        reviews
    }

    /// Adds what was found about the image of that path.
    pub fn add(&mut self, image: &str, review: &Review) {
        let named = |sentence: &String| (image.to_owned(), sentence.clone());
        self.hidden.extend(review.hidden.as_ref().map(named));
        self.empty.extend(review.empty.as_ref().map(named));
        self.moved_apart.extend(review.moved_apart.as_ref().map(named));
        self.crowded.extend(review.crowded.as_ref().map(named));
    }

    /// What is good to know, for every kind the first image and the number of others: an ordinary overlap that the tiling takes away.
    pub fn notes(&self) -> Vec<String> {
        first_of(&self.moved_apart).into_iter().collect()
    }

    /// What deserves a warning, likewise: empty space, positions that are likely wrong, hidden tiles that the options let pass.
    pub fn warnings(&self, options: &ConverterOptions) -> Vec<String> {
        let hidden = first_of(&self.hidden).filter(|_| options.hidden_tiles == HiddenTiles::Warn);
        let rest = [first_of(&self.empty), first_of(&self.crowded)];
        hidden.into_iter().chain(rest.into_iter().flatten()).collect()
    }

    /// Decides on hidden tiles.
    ///
    /// # Errors
    /// An image has hidden tiles, and the options do not let them pass.
    pub fn check(&self, options: &ConverterOptions) -> Result<(), CoreError> {
        match (self.hidden.split_first(), options.hidden_tiles) {
            (Some(((image, sentence), others)), HiddenTiles::Fail) => Err(CoreError::Registration {
                image: image.clone(),
                problem: format!(
                    "{sentence}{} (--set hidden_tiles=warn converts it all the same)",
                    same_in(others.len())
                ),
            }),
            _ => Ok(()),
        }
    }
}

/// The first of what was found, with the number of others.
fn first_of(found: &[(String, String)]) -> Option<String> {
    let ((image, sentence), others) = found.split_first()?;
    Some(format!("image {image}: {sentence}{}", same_in(others.len())))
}

fn same_in(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (the same kind in 1 more image)".to_owned(),
        count => format!(" (the same kind in {count} more images)"),
    }
}
