//! Input that cannot be converted: one error that names the place and the remedy, and nothing at the output's path.

use std::fs;

use crate::acquisition::Acquisition;

const A_FILE: &str = "data/B03_F001_C0_Z01.tif";

/// Spoils a copy of the plate, converts it, and holds what is said against `words`.
#[track_caller]
fn refused(code: i32, spoil: impl Fn(&Acquisition), words: &[&str]) {
    let here = Acquisition::plate();
    spoil(&here);
    here.run("convert plate --zarr-dir out").with_error(code, words);
    assert!(
        !here.path("out/plate.zarr").exists(),
        "something is left at the output's path"
    );
}

#[test]
fn folders_and_files_that_are_not_there() {
    let remove = |name: &'static str| move |here: &Acquisition| fs::remove_file(here.path(name)).unwrap();
    refused(
        2,
        |here| fs::rename(here.path("plate"), here.path("p")).unwrap(),
        &["/plate does not exist", "tiles.csv"],
    );
    refused(
        2,
        |here| {
            remove("plate/tiles.csv")(here);
            fs::remove_dir_all(here.path("plate/data")).unwrap();
        },
        &[
            "/plate/tiles.csv does not exist",
            "one row per image file",
            "no image files",
        ],
    );
    refused(
        2,
        remove("plate/acquisition_details.toml"),
        &[
            "/acquisition_details.toml does not exist",
            "xy_pixel_size",
            ".tif, the first image file, does not say its pixel size",
        ],
    );
}

#[test]
fn tables_that_cannot_be_read() {
    let write = |bytes: &'static [u8]| move |here: &Acquisition| here.write("plate/tiles.csv", bytes);
    refused(2, write(b""), &["/plate/tiles.csv"]);
    refused(2, write(b"file_path,row\n"), &["/plate/tiles.csv", "no rows"]);
    refused(2, write(b"file_path,\xff\xfe\n1,2\n"), &["/plate/tiles.csv", "UTF-8"]);
}

#[test]
fn a_column_that_is_missing() {
    let rename = |from: &'static str, to: &'static str| move |here: &Acquisition| here.edit("tiles.csv", from, to);
    refused(
        2,
        rename("start_x", "x_start"),
        &["/plate/tiles.csv", "\"start_x\" is missing"],
    );
    refused(
        2,
        rename("fov_name", "fov_nam"),
        &["\"fov_name\" is missing", "is \"fov_nam\" meant?"],
    );
    refused(2, rename(",column,", ",col,"), &["\"column\" is missing"]);
    refused(
        2,
        rename(",drug", ",collection"),
        &["/plate/tiles.csv", "\"collection\"", "reserved"],
    );
}

#[test]
fn a_cell_of_the_wrong_type() {
    let cell = |from: &'static str, to: &'static str| move |here: &Acquisition| here.edit("tiles.csv", from, to);
    let row_3 = "B03_F000_C0_Z01.tif,B,3,FOV_1,-46.6866";
    refused(
        2,
        cell(row_3, "B03_F000_C0_Z01.tif,B,three,FOV_1,-46.6866"),
        &[
            "/plate/tiles.csv, row 3, column \"column\"",
            "found \"three\"",
            "at least 1",
        ],
    );
    refused(
        2,
        cell(row_3, "B03_F000_C0_Z01.tif,B,3,FOV_1,left"),
        &["row 3, column \"start_x\"", "found \"left\", expected a number"],
    );
    refused(
        2,
        cell(row_3, "B03_F000_C0_Z01.tif,B,3,,-46.6866"),
        &["row 3, column \"fov_name\"", "an empty cell"],
    );
    refused(
        2,
        cell(row_3, "B03_F000_C0_Z01.tif,-1,3,FOV_1,-46.6866"),
        &["row 3, column \"row\"", "found \"-1\""],
    );
}

#[test]
fn a_channel_beyond_the_list() {
    refused(
        2,
        |here| {
            here.edit(
                "acquisition_details.toml",
                "[\"DAPI\", \"GFP\"]\nwavelengths = [\"405\", \"488\"]",
                "[\"DAPI\"]",
            )
        },
        &[
            "/plate/tiles.csv: 16 rows or cells cannot be used",
            "  row 4: tile 'FOV_1' (B03_F000_C1_Z00.tif)",
            "and 6 more",
            "channel 1",
            "lists 1 channels",
        ],
    );
}

#[test]
fn an_acquisition_file_with_mistakes() {
    let edit = |from: &'static str, to: &'static str| {
        move |here: &Acquisition| here.edit("acquisition_details.toml", from, to)
    };
    refused(
        2,
        edit("xy_pixel_size", "xy_pixelsize"),
        &[
            "/plate/acquisition_details.toml",
            "`xy_pixelsize`",
            "did you mean `xy_pixel_size`?",
        ],
    );
    refused(2, edit("0.65", "\"fine\""), &["`xy_pixel_size`", "found \"fine\""]);
    refused(2, edit("0.65", "-0.65"), &["`xy_pixel_size`", "-0.65"]);
    refused(
        2,
        edit("0.65", ""),
        &["/plate/acquisition_details.toml", "not valid TOML"],
    );
    refused(
        2,
        edit("[\"c\", \"z\", ", "[\"z\", \"c\", "),
        &["zcyx", "order t, c, z, y, x"],
    );
}

#[test]
fn an_image_file_that_is_missing() {
    let remove = |here: &Acquisition| fs::remove_file(here.path("plate").join(A_FILE)).unwrap();
    refused(
        2,
        remove,
        &[
            "/plate/tiles.csv, row 7",
            "B03_F001_C0_Z01.tif does not exist",
            "/plate/data",
        ],
    );
}

#[test]
fn an_image_file_that_is_damaged() {
    let cut = |share: f64| {
        move |here: &Acquisition| {
            let path = format!("plate/{A_FILE}");
            let bytes = fs::read(here.path(&path)).unwrap();
            here.write(&path, &bytes[..(bytes.len() as f64 * share) as usize]);
        }
    };
    for share in [0.0, 0.001, 0.5, 0.999] {
        refused(2, cut(share), &["tile 'FOV_2'", "/plate/data/B03_F001_C0_Z01.tif"]);
    }
    refused(
        2,
        |here| here.write(&format!("plate/{A_FILE}"), "no image at all"),
        &["B03_F001_C0_Z01.tif", "is not a TIFF"],
    );
}

/// A PNG is found damaged only when it is decoded: the image that was begun goes away again, and the sound one stays.
#[test]
fn damage_that_shows_late_leaves_no_image() {
    let here = Acquisition::images();
    let path = "images/data/embryo_1_field_2.png";
    let mut bytes = fs::read(here.path(path)).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    here.write(path, bytes);
    let ended = here.run("convert images --zarr-dir out --collection image");
    ended.with_error(2, &["embryo_1.zarr", "tile 'FOV_2'", "embryo_1_field_2.png"]);
    let left: Vec<_> = fs::read_dir(here.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["embryo_2.zarr"]);
}

#[test]
fn an_image_file_of_another_size() {
    let declare = |here: &Acquisition| {
        here.edit(
            "tiles.csv",
            "-46.6866,-35.1376,1,0,0,160,120",
            "-46.6866,-35.1376,1,0,0,161,120",
        );
    };
    refused(
        2,
        declare,
        &["tile 'FOV_1'", "B03_F000_C0_Z01.tif", "161 x 120", "160 x 120"],
    );
}

#[test]
fn an_image_file_of_another_type() {
    let here = Acquisition::images();
    // Two fields of 80 × 64 pixels each: 8 bits instead of 16 in the second.
    let header = b"\x93NUMPY\x01\x00";
    let npy = |kind: &str, bytes: usize| {
        let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (64, 80), }}");
        let padded = format!("{text:<117}\n");
        [
            &header[..],
            &(padded.len() as u16).to_le_bytes(),
            padded.as_bytes(),
            &vec![7; 64 * 80 * bytes],
        ]
        .concat()
    };
    here.write("images/data/a.npy", npy("<u2", 2));
    here.write("images/data/b.npy", npy("|u1", 1));
    here.edit("tiles.csv", "embryo_1_field_1.png", "a.npy");
    here.edit("tiles.csv", "embryo_1_field_2.png", "b.npy");
    let ended = here.run("convert images --zarr-dir out --collection image");
    ended.with_error(2, &["tile 'FOV_2'", "b.npy", "uint8", "uint16", "first tile"]);
    assert!(!here.path("out").exists());

    // Asked for explicitly, the narrower type is widened; a value that does not fit is an error.
    here.edit("acquisition_details.toml", "axes", "data_type = \"uint8\"\naxes");
    let ended = here.run("convert images --zarr-dir out --collection image");
    ended.with_error(
        2,
        &[
            "tile 'FOV_1'",
            "a.npy",
            "value 1799 (uint16) does not fit the requested data type uint8",
        ],
    );
}

#[test]
fn tiles_that_disagree() {
    // Fields of two sizes cannot be snapped to a grid.
    let here = Acquisition::images();
    here.edit("tiles.csv", "46.6882,0.0414,80,64", "46.6882,0.0414,80,60");
    let ended = here.run("convert images --zarr-dir out --collection image");
    ended.with_error(
        2,
        &[
            "embryo_1.zarr",
            "y sizes differ",
            "'FOV_1' has 64",
            "'FOV_2' has 60",
            "`Inplace`",
        ],
    );
    assert!(!here.path("out").exists());

    // Tiles of one image with different attributes: the first tile's are taken, and that is said once.
    let here = Acquisition::plate();
    here.edit(
        "tiles.csv",
        "1,1,1,DMSO\nB03_F000_C0_Z01",
        "1,1,1,Taxol\nB03_F000_C0_Z01",
    );
    let ended = here.run("convert plate --zarr-dir out").well();
    let warnings: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", ended.stderr);
    assert!(warnings[0].contains("\"drug\" of plate.zarr/B/03/0"), "{}", warnings[0]);
    assert!(
        here.read("out/plate.zarr/B/03/0/tables/condition_table/table.csv")
            .contains("Taxol")
    );
}

#[test]
fn names_that_climb_out() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir out --plate ../elsewhere")
        .with_error(2, &["\"../elsewhere\"", "plate_name"]);
    assert!(!here.path("out").exists() && !here.path("elsewhere.zarr").exists());
    let here = Acquisition::images();
    here.edit("tiles.csv", ",embryo_1,", ",../embryo,");
    here.run("convert images --zarr-dir out --collection image")
        .with_error(2, &["\"../embryo\"", "image_path"]);
    assert!(!here.path("embryo.zarr").exists());
}

#[test]
fn options_with_mistakes() {
    let with = |options: &'static str| move |here: &Acquisition| here.write("options.json", options);
    let refused = |options: &'static str, words: &[&str]| {
        let here = Acquisition::plate();
        with(options)(&here);
        here.run("convert plate --zarr-dir out --options options.json")
            .with_error(2, words);
        assert!(!here.path("out").exists());
    };
    refused(
        "{\"omezar_options\": {}}",
        &["options.json", "`omezar_options`", "did you mean `omezarr_options`?"],
    );
    refused(
        "{\"omezarr_options\": {\"ngff_version\": \"0.6\"}}",
        &["omezarr_options.ngff_version", "\"0.6\""],
    );
    refused(
        "{\"omezarr_options\": {\"shards\": {\"mode\": \"Multiple of Chunks\"}}}",
        &["shards", "0.5"],
    );
    refused("[omezarr", &["options.json", "not valid JSON"]);
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir out --options gone.json")
        .with_error(1, &["gone.json"]);
}

#[test]
fn all_missing_files_are_named_at_once_or_stay_empty() {
    let here = Acquisition::plate();
    for name in ["B03_F000_C0_Z01.tif", "B03_F001_C0_Z01.tif"] {
        fs::remove_file(here.path("plate/data").join(name)).unwrap();
    }
    // Lengths would come from the files as well.
    let table = here
        .read("plate/tiles.csv")
        .replace("length_x,length_y", "width,height");
    here.write("plate/tiles.csv", table);
    here.run("convert plate --zarr-dir out").with_error(
        2,
        &[
            "2 rows or cells cannot be used",
            "B03_F000_C0_Z01.tif",
            "B03_F001_C0_Z01.tif",
        ],
    );
    let said = here
        .run("convert plate --zarr-dir out --set bad_tiles=fill")
        .well()
        .stderr;
    assert!(said.contains("B03_F001_C0_Z01.tif"), "{said}");
    assert!(here.path("out/plate.zarr/B/03/0/.zattrs").exists());
}
