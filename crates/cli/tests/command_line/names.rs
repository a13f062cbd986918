//! Image files without a table: their names and headers make one.

use std::fs;
use std::path::Path;

use crate::acquisition::{Acquisition, output};

/// A copy of the plate whose table is gone and whose files are called `names`, in the order of the old names.
fn renamed(names: [&str; 4]) -> Acquisition {
    let here = Acquisition::plate();
    fs::remove_file(here.path("plate/tiles.csv")).unwrap();
    for (old, new) in ["F000_C0_Z00", "F000_C0_Z01", "F000_C1_Z00", "F000_C1_Z01"]
        .iter()
        .zip(names)
    {
        let to = here.path(&format!("plate/{new}"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(here.path(&format!("plate/data/B03_{old}.tif")), to).unwrap();
    }
    fs::remove_dir_all(here.path("plate/data")).unwrap();
    here
}

const PHENIX: [&str; 4] = [
    "Images/r02c03f01p01-ch1sk1fk1fl1.tif",
    "Images/r02c03f01p02-ch1sk1fk1fl1.tif",
    "Images/r02c03f01p01-ch2sk1fk1fl1.tif",
    "Images/r02c03f01p02-ch2sk1fk1fl1.tif",
];

fn shape(image: &Path) -> String {
    let array: serde_json::Value = serde_json::from_str(&fs::read_to_string(image.join("0/.zarray")).unwrap()).unwrap();
    array["shape"].to_string()
}

#[test]
fn a_folder_of_a_microscope() {
    let here = renamed(PHENIX);
    let said = here.run("convert plate --zarr-dir out").well().stderr;
    assert!(
        said.contains("No table: 4 image files are read by their names as wells of a plate: Opera Phenix"),
        "{said}"
    );
    let shape = shape(&here.path("out/plate.zarr/B/03/0"));
    assert!(shape.starts_with("[2,2,"), "{shape}");
}

#[test]
fn a_saved_table_converts_to_the_same() {
    let here = renamed(PHENIX);
    here.run("convert plate --zarr-dir out").well();
    let said = here
        .run("plan plate --zarr-dir unused --write-table saved/tiles.csv")
        .well()
        .stderr;
    assert!(said.contains("The table is saved as"), "{said}");
    here.run("convert saved --zarr-dir again").well();
    here.run("plan plate --zarr-dir unused --write-table plate/tiles.csv")
        .well();
    here.run("convert plate/tiles.csv --zarr-dir third").well();
    let first = output(&here.path("out"));
    assert!(first.keys().any(|file| file.contains("/0/0/")), "{:?}", first.keys());
    for other in ["again", "third"] {
        assert!(first == output(&here.path(other)), "{other} differs");
    }
    // Nothing is overwritten.
    fs::remove_file(here.path("plate/tiles.csv")).unwrap();
    here.run("plan plate --zarr-dir unused --write-table saved/tiles.csv")
        .with_error(2, &["--write-table", "saved/tiles.csv exists already"]);
}

#[test]
fn a_pattern_of_the_user() {
    let here = renamed(["b3/dapi~0.tif", "b3/dapi~1.tif", "b3/gfp~0.tif", "b3/gfp~1.tif"]);
    let words = r"--pattern (?<row>[a-z])(?<col>\d)/(?<channel>\w+)~(?<z>\d)";
    here.run(&format!("convert plate --zarr-dir out {words} --plate My"))
        .well();
    assert_eq!(&shape(&here.path("out/My.zarr/B/03/0"))[..5], "[2,2,");
    here.run(&format!("convert plate --zarr-dir out {words} --collection image"))
        .well();
    assert_eq!(&shape(&here.path("out/B03.zarr"))[..5], "[2,2,");
    here.run("plan plate --zarr-dir out --pattern (?<well>nothing)")
        .with_error(2, &["matches none of the 4 image files"]);
    here.run("plan plate --zarr-dir out --pattern (?<well>..)/")
        .with_error(2, &["nothing in it tells the file from", "--pattern"]);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let here = renamed(PHENIX);
    fs::copy(
        here.path(&format!("plate/{}", PHENIX[0])),
        here.path("plate/overview.tif"),
    )
    .unwrap();
    let said = here.run("plan plate --zarr-dir out").well().stderr;
    assert!(
        said.contains("warning: 1 file is not used (its name does not match Opera Phenix")
            && said.contains("overview.tif"),
        "{said}"
    );
}

#[test]
fn a_table_that_would_not_be_read_stops_the_conversion() {
    let here = renamed(PHENIX);
    here.write("plate/Tiles (1).csv", "file_path\n");
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["Tiles (1).csv, which would not be read", "called tiles.csv"]);
    // A pattern says that names make the table.
    let pattern = "--pattern r{row}c{col}f{field}p{z}-ch{channel}*";
    let said = here.run(&format!("plan plate --zarr-dir out {pattern}")).well().stderr;
    assert!(said.contains("1 file is not used (a pattern is given"), "{said}");
    let here = Acquisition::plate();
    fs::copy(here.path("plate/tiles.csv"), here.path("plate/Tiles.TSV")).unwrap();
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["it holds 2 tables of tiles: Tiles.TSV, tiles.csv"]);
    here.run("plan plate/tiles.csv --zarr-dir out").well();
    fs::rename(here.path("plate/Tiles.TSV"), here.path("plate/old.csv")).unwrap();
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["it holds old.csv besides tiles.csv"]);
    here.write("plate/old.csv", "well,drug\nA01,x\n");
    let said = here.run("plan plate --zarr-dir out").well().stderr;
    assert!(
        said.contains("1 file is not used (it is not a table of tiles"),
        "{said}"
    );
}

#[test]
fn tables_of_any_name_and_dialect() {
    for (name, delimiter) in [("Tiles.CSV", ";"), ("tiles.tsv", "\t"), ("tiles.txt", "\t")] {
        let here = Acquisition::plate();
        let table = here.read("plate/tiles.csv").replace(',', delimiter);
        fs::remove_file(here.path("plate/tiles.csv")).unwrap();
        here.write(&format!("plate/{name}"), table);
        here.run("convert plate --zarr-dir out").well();
        assert_eq!(&shape(&here.path("out/plate.zarr/B/03/0"))[..5], "[2,2,", "{name}");
    }
}

#[test]
fn a_table_that_cannot_be_read_is_not_replaced_by_names() {
    let here = renamed(PHENIX);
    std::os::unix::fs::symlink("nowhere.csv", here.path("plate/tiles.csv")).unwrap();
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["/plate/tiles.csv does not exist"]);
    fs::remove_file(here.path("plate/tiles.csv")).unwrap();
    fs::create_dir(here.path("plate/tiles.csv")).unwrap();
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["/plate/tiles.csv: it is a folder"]);
}

#[test]
fn holes_and_conditions_without_a_counterpart_are_named() {
    let here = renamed(["A01_s1_w1.tif", "A01_s1_w2.tif", "A01_s2_w1.tif", "b02_s1_w1.tif"]);
    here.write(
        "plate/acquisition_details.toml",
        "xy_pixel_size = 0.5\ncondition_table_path = \"wells.xls.csv\"\n",
    );
    here.write("plate/wells.xls.csv", "Well;code\nA01;007\nC05;1E5\n");
    let said = here.run("convert plate --zarr-dir out").well().stderr;
    for words in [
        "the set of files has holes, which stay empty: A01: 1 of 2 fields lacks channel_2 (2)",
        "row 3 (C05)",
        "1 well without conditions",
        "B02",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let conditions = here.read("out/plate.zarr/tables/condition_table/table.csv");
    assert!(conditions.contains("\"007\""), "{conditions}");
}

#[test]
fn alike_names_of_images_give_a_pattern() {
    let here = renamed(["k.001.tif", "k.002.tif", "k.003.tif", "k.004.tif"]);
    let said = here.run("plan plate --zarr-dir out").well().stderr;
    assert!(said.contains("--pattern 'k.{field}' makes them parts of one"), "{said}");
    here.run("plan plate --zarr-dir out --collection plate")
        .with_error(2, &["no well is known from it", "try --pattern 'k.{field}'"]);
}

#[test]
fn a_folder_of_any_name_makes_a_plate() {
    let here = Acquisition::plate();
    fs::rename(here.path("plate"), here.path("Platte #3 (Zürich)")).unwrap();
    let said = here
        .execute_words(&["convert", "Platte #3 (Zürich)", "--zarr-dir", "out"])
        .well()
        .stderr;
    assert!(said.contains("The plate is called \"Platte_3_Zurich\""), "{said}");
    assert!(here.path("out/Platte_3_Zurich.zarr/B/03/0/.zattrs").exists());
}

#[test]
fn a_table_goes_before_names() {
    let here = Acquisition::plate();
    for flag in ["--pattern (?<well>.)", "--write-table x.csv"] {
        here.run(&format!("convert plate --zarr-dir out {flag}"))
            .with_error(2, &["plate/tiles.csv", "move the table away"]);
    }
}

#[test]
fn one_file() {
    let here = renamed(PHENIX);
    fs::rename(
        here.path(&format!("plate/{}", PHENIX[0])),
        here.path("plate/my embryo.tif"),
    )
    .unwrap();
    here.run("plan plate/none.tif --zarr-dir out")
        .with_error(2, &["plate/none.tif does not exist"]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ome-zarr-convert"))
        .args(["convert", "plate/my embryo.tif", "--zarr-dir", "out"])
        .current_dir(here.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(&shape(&here.path("out/my embryo.zarr"))[..5], "[1,1,");
}

#[test]
fn what_the_table_leaves_out_must_be_somewhere() {
    let here = Acquisition::plate();
    here.edit("acquisition_details.toml", "xy_pixel_size = 0.65", "");
    let said = here.run("plan plate --zarr-dir out").well().stderr;
    assert!(
        said.contains("warning: neither") && said.contains("1 µm is taken"),
        "{said}"
    );
    here.edit("tiles.csv", "start_x,start_y", "stage_x,stage_y");
    here.run("plan plate --zarr-dir out").with_error(
        2,
        &[
            "\"start_x\" is missing",
            "no stage position can be taken from the image files",
            "says none",
        ],
    );
}
