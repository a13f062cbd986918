//! How often one conversion opens an image file.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ome_zarr_convert_core::options::{AcquisitionOptions, ConverterOptions, OverwriteMode};
use ome_zarr_convert_sources::{DefaultImageLoader, ImageLoader, LoaderSpec, OpenImage, SourceError};
use ome_zarr_convert_tasks::{
    CollectionKind, ComputeContext, ImageNames, Processes, Request, Runner, RunnerKind, Threads,
};

/// The built-in loader, which counts what it opens by the name of the file.
#[derive(Default)]
struct Counting(Mutex<BTreeMap<PathBuf, usize>>);

impl ImageLoader for Counting {
    fn open(&self, spec: &LoaderSpec, resource: Option<&str>) -> Result<Box<dyn OpenImage>, SourceError> {
        let path = spec.file_path().unwrap_or_default().into();
        *self.0.lock().unwrap().entry(path).or_default() += 1;
        DefaultImageLoader.open(spec, resource)
    }

    fn source_file(&self, spec: &LoaderSpec, resource: Option<&str>) -> Option<PathBuf> {
        DefaultImageLoader.source_file(spec, resource)
    }
}

/// How often each file was opened by the loader.
fn opened(acquisition: &Path, kind: CollectionKind) -> Vec<usize> {
    let out = tempfile::tempdir().unwrap();
    let loader = Counting::default();
    let context = ComputeContext {
        loader: &loader,
        ..ComputeContext::new()
    };
    let request = Request {
        acquisition: acquisition.to_owned(),
        zarr_dir: out.path().to_owned(),
        kind,
        names: ImageNames::default(),
        options: ConverterOptions::default(),
        acquisition_options: AcquisitionOptions::default(),
        validators: Vec::new(),
        overwrite_mode: OverwriteMode::NoOverwrite,
    };
    let threads = Threads::new(2).unwrap();
    let planned = request
        .prepare(&context)
        .unwrap()
        .plan(RunnerKind::Threads, &context)
        .unwrap();
    planned.check_files(&threads, &context).unwrap();
    let runner = Runner {
        kind: RunnerKind::Threads,
        processes: &Processes::Own(PathBuf::new()),
    };
    planned.convert(runner, &threads, &context).unwrap();
    loader.0.into_inner().unwrap().into_values().collect()
}

/// Once to check what the tile declares, once to decode.
#[test]
fn headers_are_read_at_most_twice() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let kind = CollectionKind::Plate {
        name: "Plate".to_owned(),
        acquisition_id: 0,
    };
    let plate = opened(&testdata.join("hcs_plate"), kind);
    assert_eq!(plate.len(), 32);
    // The first file of each of the two images decides on the data type: its header is not read again for the check.
    assert!(plate.iter().all(|times| *times == 2), "{plate:?}");
}
