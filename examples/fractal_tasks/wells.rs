//! A compound task: the init function groups images by well, the compute function works on one well.

use std::collections::BTreeMap;

use ome_zarr_convert_core::model::{self, Map, Value};
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_tasks::TaskError;
use ome_zarr_convert_tasks::fractal::{ImageUpdate, InitOutput, ParallelizationItem, TaskOutput};

model::model! {
    /// Group images by their well.
    pub struct GroupByWell "GroupByWell" {
        /// Paths of the images. Given by the platform.
        pub zarr_urls: Vec<String>;
        /// Folder of the images. Given by the platform, and not needed here.
        pub zarr_dir: String;
    }
}

model::model! {
    /// What the init function hands over.
    pub struct Well "Well" {
        /// Paths of the images of the well.
        pub images: Vec<String>, min_items 1;
    }
}

model::model! {
    /// Count the images of a well.
    pub struct CountInWell "CountInWell" {
        /// Path of the first image of the well. Given by the platform.
        pub zarr_url: String;
        /// The well. Handed over by the init function.
        pub init_args: Well;
        /// Name of the attribute that holds the number.
        pub attribute: String = "images_in_well".to_owned();
    }
}

pub fn group_by_well(arguments: GroupByWell) -> Result<InitOutput, TaskError> {
    let mut wells: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for url in arguments.zarr_urls {
        let well = url.rsplit_once('/').map_or("", |(well, _)| well).to_owned();
        wells.entry(well).or_default().push(url);
    }
    let item = |images: Vec<String>| ParallelizationItem {
        zarr_url: images[0].clone(),
        init_args: Map::from_iter([("images".to_owned(), Value::from(images))]),
    };
    Ok(InitOutput {
        parallelization_list: wells.into_values().map(item).collect(),
    })
}

pub fn count_in_well(arguments: CountInWell) -> Result<TaskOutput, TaskError> {
    let images = arguments.init_args.images;
    let count = Cell::Int(images.len() as i64);
    let update = |url: &String| ImageUpdate::new(url).attribute(arguments.attribute.as_str(), count.clone());
    Ok(TaskOutput {
        image_list_updates: images.iter().map(update).collect(),
        ..TaskOutput::default()
    })
}
