//! `convert`: what is written, what is said, what happens to outputs that exist.

use crate::acquisition::{Acquisition, output, tree};

#[test]
fn a_plate_is_converted() {
    let here = Acquisition::plate();
    let ended = here.run("convert plate --zarr-dir out").well();
    assert_eq!(ended.stdout, "");
    let files = tree(&here.path("out"));
    for file in [
        "plate.zarr/.zattrs",
        "plate.zarr/tables/condition_table/table.csv",
        "plate.zarr/B/03/.zattrs",
        "plate.zarr/B/03/0/.zattrs",
        "plate.zarr/B/03/0/0/.zarray",
        "plate.zarr/B/03/0/0/1/0/1/1",
        "plate.zarr/B/03/0/4/0/0/0/0",
        "plate.zarr/B/03/0/tables/FOV_ROI_table/table.csv",
        "plate.zarr/C/05/0/tables/well_ROI_table/table.csv",
        "plate.zarr/C/05/0/tables/condition_table/table.csv",
    ] {
        assert!(files.contains_key(file), "{file} is missing");
    }
    let left: Vec<_> = files
        .keys()
        .filter(|file| file.contains(".partial") || file.contains(".lock"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // The summary is right: every byte of the image files was read, and what is said to be written is there.
    let read: usize = tree(&here.path("plate/data")).values().map(Vec::len).sum();
    let is_chunk = |file: &str| file.rsplit('/').next().is_some_and(|name| name.parse::<u32>().is_ok());
    let written: usize = files
        .iter()
        .filter(|(file, _)| is_chunk(file))
        .map(|(_, bytes)| bytes.len())
        .sum();
    let said = &ended.stderr;
    let megabytes = |bytes: usize| format!("{:.2} MB", bytes as f64 / 1e6);
    assert!(said.contains("Converted 2 images (32 tiles) in "), "{said}");
    assert!(
        said.contains(&format!("read {}, wrote {}", megabytes(read), megabytes(written))),
        "{said}"
    );
    assert!(
        said.contains(&format!("Output: {}", here.path("out").display())),
        "{said}"
    );
    assert!(said.contains("2/2 done"), "lines where there is no terminal: {said}");
    if cfg!(target_os = "linux") {
        assert!(said.contains("peak memory"), "{said}");
    }
}

#[test]
fn single_images_are_converted() {
    let here = Acquisition::images();
    let ended = here
        .run("convert images --zarr-dir deep/er/out --collection image")
        .well();
    assert!(
        ended.stderr.contains("Converted 2 images (4 tiles)"),
        "{}",
        ended.stderr
    );
    for image in ["embryo_1", "embryo_2"] {
        let conditions = here.read(&format!("deep/er/out/{image}.zarr/tables/condition_table/table.csv"));
        assert!(conditions.starts_with("\"genotype\"\n"), "{conditions}");
    }
}

#[test]
fn names_and_numbers_of_plates_are_taken() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir out --plate Screen_7 --acquisition-id 3")
        .well();
    assert!(here.path("out/Screen_7.zarr/C/05/3/.zattrs").is_file());
}

#[test]
fn options_come_as_json_or_toml() {
    let here = Acquisition::plate();
    let json = r#"{"omezarr_options": {"ngff_version": "0.5", "levels": {"mode": "Custom Names", "level_names": ["full", "half"]}}}"#;
    let toml = "[omezarr_options]\nngff_version = \"0.5\"\n\
                levels = { mode = \"Custom Names\", level_names = [\"full\", \"half\"] }\n";
    here.write("options.json", json);
    here.write("options.toml", toml);
    here.run("convert plate --zarr-dir json --options options.json").well();
    here.run("convert plate --zarr-dir toml --options options.toml").well();
    assert!(here.path("json/plate.zarr/B/03/0/half/zarr.json").is_file());
    assert_eq!(output(&here.path("json")), output(&here.path("toml")));
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir one --threads 1").well();
    here.run("convert plate --zarr-dir five --threads 5").well();
    assert_eq!(output(&here.path("one")), output(&here.path("five")));
}

#[test]
fn what_exists_is_kept_replaced_or_extended() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir out").well();
    let first = tree(&here.path("out"));

    let refused = here.run("convert plate --zarr-dir out");
    refused.with_error(
        1,
        &["plate.zarr exists already", "--overwrite replace", "--overwrite extend"],
    );
    assert_eq!(tree(&here.path("out")), first);

    let kept = here.run("convert plate --zarr-dir out --overwrite extend").well();
    assert!(kept.stderr.contains("Converted 0 images"), "{}", kept.stderr);
    assert!(
        kept.stderr.contains("2 images were complete before and kept"),
        "{}",
        kept.stderr
    );
    assert_eq!(tree(&here.path("out")), first);

    here.run("convert plate --zarr-dir out --overwrite extend --acquisition-id 1")
        .well();
    let both = tree(&here.path("out"));
    assert!(both.contains_key("plate.zarr/B/03/1/.zattrs"));
    assert!(
        first
            .iter()
            .filter(|(file, _)| file.contains("/03/0/"))
            .all(|(file, bytes)| both[file] == *bytes)
    );
    let conditions = here.read("out/plate.zarr/tables/condition_table/table.csv");
    assert_eq!(conditions.lines().count(), 1 + 2 * 2, "{conditions}");

    let replaced = here.run("convert plate --zarr-dir out --overwrite replace").well();
    let place = here.path("out/plate.zarr");
    assert!(
        replaced
            .stderr
            .contains(&format!("Replacing what exists:\n  {}", place.display())),
        "{}",
        replaced.stderr
    );
    assert_eq!(output(&here.path("out")), {
        let mut first = first;
        first.retain(|file, _| !file.ends_with(".ome-zarr-convert.json"));
        first
    });
}

#[test]
fn a_half_written_image_is_converted_again() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir out").well();
    let first = output(&here.path("out"));
    let image = here.path("out/plate.zarr/B/03/0");
    std::fs::remove_file(image.join("0/.ome-zarr-convert.json")).unwrap();
    std::fs::remove_dir_all(image.join("tables")).unwrap();
    let again = here.run("convert plate --zarr-dir out --overwrite extend").well();
    assert!(
        again.stderr.contains("Converted 1 image (16 tiles)"),
        "{}",
        again.stderr
    );
    assert_eq!(output(&here.path("out")), first);
}

#[test]
fn a_folder_that_is_no_zarr_is_never_removed() {
    let here = Acquisition::plate();
    std::fs::create_dir_all(here.path("out/plate.zarr")).unwrap();
    here.write("out/plate.zarr/thesis.txt", "precious");
    let refused = here.run("convert plate --zarr-dir out --overwrite replace");
    refused.with_error(2, &["plate.zarr", "holds no zarr"]);
    assert_eq!(here.read("out/plate.zarr/thesis.txt"), "precious");
}

#[test]
fn help_is_for_a_person_with_a_folder_of_images() {
    let here = Acquisition::images();
    let help = here.run("convert --help").well().stdout;
    for word in [
        "tiles.csv",
        "acquisition_details.toml",
        "xy_pixel_size",
        "start_x",
        "--zarr-dir",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word} is not in:\n{help}");
    }
    let commands = here.run("--help").well().stdout;
    for command in ["convert", "init", "compute"] {
        assert!(commands.contains(command), "{commands}");
    }
}
