//! The parallelization list: documents in the entries, or in files.

use expect_test::{Expect, expect};

use super::*;
use crate::handover::{DocumentSource, Retries, image_from_json_str, image_to_json, read_document, remove_document};

fn temp(serialization: &str, bytes: u64) -> Value {
    let options = json!({"serialization": serialization, "max_in_memory_bytes": bytes});
    json!({"runtime_settings": {"temp_json_options": options}})
}

#[test]
fn an_entry_holds_the_image_or_names_its_file() {
    let images = [well("A", 1, 0, "DMSO"), well("B", 2, 0, "Drug")];
    let bytes = images
        .iter()
        .map(|image| image_to_json(image).unwrap().len() as u64)
        .sum::<u64>();
    for (document, inline) in [
        (json!({}), true),
        (temp("Auto", bytes), true),
        (temp("Auto", bytes - 1), false),
        (temp("Memory", 1), true),
        (temp("JSON", bytes), false),
    ] {
        let output = Output::new();
        let entries = output.set_up(&images, document.clone(), NEW).unwrap();
        for (entry, image) in entries.iter().zip(&images) {
            assert_eq!(entry["zarr_url"], format!("{}/{}", output.dir(), image.path));
            let keys: Vec<_> = entry["init_args"].as_object().unwrap().keys().cloned().collect();
            let source = if inline {
                "tiled_image_json_str"
            } else {
                "tiled_image_json_dump_url"
            };
            assert_eq!(keys, [source, "converter_options", "overwrite_mode"], "{document}");
            let args = ParallelizationEntry::from_value(entry).unwrap().init_args;
            let never = Retries {
                tries: 1,
                wait: &|_, _| unreachable!(),
            };
            let text = read_document(args.source().unwrap(), never).unwrap();
            assert_eq!(image_from_json_str(&text, "document").unwrap(), *image);
        }
        assert_eq!(output.0.path().join("_tmp_json").exists(), !inline, "{document}");
    }
}

/// The reference empties the folder first, another run's pending documents included.
#[test]
fn other_files_in_the_temporary_folder_stay() {
    let output = Output::new();
    output.put("_tmp_json/of-another-run.json", "{}");
    let entries = output.set_up(&[well("A", 1, 0, "DMSO")], temp("JSON", 1), NEW).unwrap();
    assert_eq!(fs::read_dir(output.0.path().join("_tmp_json")).unwrap().count(), 2);
    let url = entries[0]["init_args"]["tiled_image_json_dump_url"].as_str().unwrap();

    remove_document(url).unwrap();
    assert!(!Path::new(url).exists());
    assert!(output.0.path().join("_tmp_json/of-another-run.json").exists());
    remove_document(url).unwrap();
    remove_document(
        &output
            .0
            .path()
            .join("_tmp_json/of-another-run.json")
            .display()
            .to_string(),
    )
    .unwrap();
    assert!(
        !output.0.path().join("_tmp_json").exists(),
        "the last one takes the folder along"
    );
}

#[test]
fn a_file_that_does_not_appear_is_waited_for() {
    let waits = std::cell::RefCell::new(Vec::new());
    let wait = |time: std::time::Duration, attempt: u32| {
        waits.borrow_mut().push((time.as_secs(), attempt));
        true
    };
    let retries = Retries { tries: 5, wait: &wait };
    let error = read_document(DocumentSource::File("/nowhere/x.json"), retries).unwrap_err();
    assert_eq!(*waits.borrow(), [(2, 1), (4, 2), (8, 3), (16, 4)]);
    expect![[r#"
        /nowhere/x.json does not exist: this hand-over file did not appear within 5 tries; the init task writes it and the compute task deletes it after use: check that both share the temporary folder, and that the image was not converted before
    "#]].assert_eq(&format!("{error}\n"));
}

#[test]
fn temporary_folders_that_cannot_be() {
    let output = Output::new();
    output.put("file", "");
    let single = [image(Collection::single("img"), &[])];
    let check = |url: &str, expected: Expect| {
        let options = json!({"serialization": "JSON", "temp_url": url});
        let document = json!({"runtime_settings": {"temp_json_options": options}});
        output.fails(&single, document, NEW, expected);
    };
    check(
        "tmp",
        expect![[r#"
        cannot use the path "tmp": temp_url must be an absolute path; begin it with {zarr_dir} or /
    "#]],
    );
    check(
        "{zarr_dir}/{user}",
        expect![[r#"
        cannot use the path "{zarr_dir}/{user}": temp_url knows the placeholder {zarr_dir} only
    "#]],
    );
    check(
        "{zarr_dir}/file",
        expect![[r#"
            cannot use the path "OUT/file": temp_url ("{zarr_dir}/file") is a file, but it must be a folder
        "#]],
    );
    check(
        "s3://bucket/tmp",
        expect![[r#"
        temp_url "s3://bucket/tmp" (object stores) is not supported yet
    "#]],
    );
}
#[test]
fn single_images_need_no_set_up() {
    let output = Output::new();
    let images = [
        image(Collection::single("a"), &[]),
        image(Collection::single("b.zarr"), &[]),
    ];
    let entries = output.set_up(&images, json!({}), NEW).unwrap();
    let urls: Vec<_> = entries
        .iter()
        .map(|entry| entry["zarr_url"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls,
        ["a.zarr", "b.zarr"].map(|name| format!("{}/{name}", output.dir()))
    );
    assert_eq!(output.files(), Vec::<String>::new());
}
