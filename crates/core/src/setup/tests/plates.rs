//! What happens to a plate that is there already.

use expect_test::expect;

use super::*;

#[test]
fn two_images_with_one_path() {
    let images = [
        well("A", 1, 0, "DMSO"),
        well("A", 1, 1, "DMSO"),
        well("A", 1, 0, "Drug"),
    ];
    Output::new().fails(&images, json!({}), NEW, expect![[r#"
        2 images would be written to the same path "P.zarr/A/01/0": give each its own acquisition number (plates) or image_path (single images)
    "#]]);
}

#[test]
fn a_collection_of_another_kind_or_a_relative_folder() {
    let options = ConverterOptions::default();
    let images = [well("A", 1, 0, "DMSO")];
    let place = |path: &str| Location::local(Path::new(path)).unwrap();
    let error = setup_images_for_conversion(&images, &place("/out"), "SingleImage", &options, NEW).unwrap_err();
    expect![[r#"
        image P.zarr/A/01/0: its collection is ImageInPlate, but the conversion is set up for "SingleImage"
    "#]]
    .assert_eq(&format!("{error}\n"));
    let error = setup_images_for_conversion(&images, &place("out"), "ImageInPlate", &options, NEW).unwrap_err();
    expect![[r#"
        cannot use the path "out": the output folder must be an absolute path
    "#]]
    .assert_eq(&format!("{error}\n"));
}

#[test]
fn an_existing_output_is_an_error_by_default() {
    let output = Output::new();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();
    output.fails(
        &[well("B", 2, 0, "DMSO")],
        json!({}),
        NEW,
        expect![[r#"
        OUT/P.zarr exists already: choose `Overwrite` to replace it, or `Extend` to add to it
    "#]],
    );

    let output = Output::new();
    output.put("img.zarr/notes.txt", "mine");
    output.fails(
        &[image(Collection::single("img"), &[])],
        json!({}),
        NEW,
        expect![[r#"
        OUT/img.zarr exists already: choose `Overwrite` to replace it, or `Extend` to add to it
    "#]],
    );
}

#[test]
fn overwrite_replaces_the_whole_plate() {
    let output = Output::new();
    output
        .set_up(&[well("A", 1, 0, "DMSO"), well("C", 3, 0, "Drug")], json!({}), NEW)
        .unwrap();
    for file in [
        "A/01/0/.zattrs",
        "B/02/1/.zattrs",
        "B/02/0/0/0/0/0",
        "B/02/.0.partial/.ledger",
        "tables/own/.zattrs",
        "notes.txt",
    ] {
        output.put(&format!("P.zarr/{file}"), "{}");
    }
    let images = [well("B", 2, 0, "Drug")];
    assert_eq!(
        existing_outputs(&images, &output.place()).unwrap(),
        [output.place().child("P.zarr")]
    );
    output.set_up(&images, json!({}), OverwriteMode::Overwrite).unwrap();
    assert_eq!(output.wells(), ["B/02"]);
    // The image that is converted again stays until the new one is complete, and so does what was begun of it.
    let there = [
        "A",
        "notes.txt",
        "tables/own",
        "B/02/1",
        "B/02/0/0/0/0/0",
        "B/02/.0.partial/.ledger",
    ]
    .map(|below| output.0.path().join("P.zarr").join(below).exists());
    assert_eq!(there, [false, false, false, false, true, true]);
    expect![[r#"
        row column acquisition path_in_well drug
        B 2 0 0 Drug
    "#]]
    .assert_eq(&output.conditions());
}

#[test]
fn only_a_zarr_is_removed() {
    let output = Output::new();
    output.put("P.zarr/thesis.docx", "years of work");
    output.fails(
        &[well("A", 1, 0, "DMSO")],
        json!({}),
        OverwriteMode::Overwrite,
        expect![[r#"
            cannot use the path "OUT/P.zarr": it should be replaced, but it holds no zarr; move it away, or choose another output folder
        "#]],
    );
}

#[test]
fn a_plate_is_extended_with_its_condition_table() {
    let output = Output::new();
    output
        .set_up(
            &[well("B", 2, 0, "Drug"), well("A", 1, 0, "DMSO")],
            json!({}),
            OverwriteMode::Extend,
        )
        .unwrap();
    output.put("P.zarr/A/01/0/.zattrs", "{}");
    let again = [
        well("A", 1, 0, "water"),
        well("A", 1, 1, "DMSO"),
        well("C", 11, 0, "Drug"),
    ];
    let entries = output.set_up(&again, json!({}), OverwriteMode::Extend).unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(output.wells(), ["B/02", "A/01", "C/11"]);
    assert!(
        output.0.path().join("P.zarr/A/01/0/.zattrs").exists(),
        "what is there stays"
    );
    expect![[r#"
        row column acquisition path_in_well drug
        B 2 0 0 Drug
        A 1 0 0 water
        A 1 1 1 DMSO
        C 11 0 0 Drug
    "#]]
    .assert_eq(&output.conditions());
    // A column of the old or the new rows only has gaps.
    let dosed = image(Collection::in_plate("P", "D", 1, 0), &[("dose", Cell::Int(5))]);
    output.set_up(&[dosed], json!({}), OverwriteMode::Extend).unwrap();
    expect![[r#"
        row column acquisition path_in_well drug dose
        B 2 0 0 Drug Null
        A 1 0 0 water Null
        A 1 1 1 DMSO Null
        C 11 0 0 Drug Null
        D 1 0 0 Null 5
    "#]]
    .assert_eq(&output.conditions());
    // Without attributes there is nothing to merge: the table stays.
    let plain = image(Collection::in_plate("P", "D", 4, 0), &[]);
    output.set_up(&[plain], json!({}), OverwriteMode::Extend).unwrap();
    expect![[r#"
        row column acquisition path_in_well drug dose
        B 2 0 0 Drug Null
        A 1 0 0 water Null
        A 1 1 1 DMSO Null
        C 11 0 0 Drug Null
        D 1 0 0 Null 5
    "#]]
    .assert_eq(&output.conditions());
}

#[test]
fn a_plate_keeps_its_version() {
    let output = Output::new();
    output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), NEW).unwrap();
    let newer = json!({"omezarr_options": {"ngff_version": "0.5"}});
    output.fails(
        &[well("B", 2, 0, "DMSO")],
        newer.clone(),
        OverwriteMode::Extend,
        expect![[r#"
            the plate OUT/P.zarr is OME-NGFF 0.4, the images to be added are 0.5: set `ngff_version` to 0.4, or write another plate
        "#]],
    );
    output.put("P.zarr/A/01/0/.zattrs", "{}");
    output
        .set_up(&[well("A", 1, 0, "DMSO")], newer, OverwriteMode::Overwrite)
        .unwrap();
    assert_eq!(output.wells(), ["A/01"]);
    assert!(
        !output.0.path().join("P.zarr/A/01/0").exists(),
        "no image of another version in a plate"
    );
}

/// Everything that can be wrong with any plate is found before the first one is touched.
#[test]
fn no_plate_is_touched_when_another_cannot_be() {
    let in_q = || image(Collection::in_plate("Q", "A", 1, 0), &[]);
    let images = [well("A", 1, 0, "DMSO"), in_q()];
    let output = Output::new();
    output.set_up(&images[..1], json!({}), NEW).unwrap();
    output.put("Q.zarr/thesis.docx", "years of work");
    output.fails(&images, json!({}), OverwriteMode::Overwrite, expect![[r#"
        cannot use the path "OUT/Q.zarr": it should be replaced, but it holds no zarr; move it away, or choose another output folder
    "#]]);
    output.fails(
        &images,
        json!({}),
        OverwriteMode::Extend,
        expect![[r#"
        OUT/Q.zarr is not a Zarr group: it has neither .zgroup nor zarr.json
    "#]],
    );
    let newer = json!({"omezarr_options": {"ngff_version": "0.5"}});
    let output = Output::new();
    output.set_up(&[in_q()], newer, NEW).unwrap();
    output.fails(&images, json!({}), OverwriteMode::Extend, expect![[r#"
        the plate OUT/Q.zarr is OME-NGFF 0.5, the images to be added are 0.4: set `ngff_version` to 0.5, or write another plate
    "#]]);
}

#[test]
fn attributes_that_make_no_condition_table() {
    let named = |column: u32, attributes: &[(&str, Cell)]| image(Collection::in_plate("P", "A", column, 0), attributes);
    let output = Output::new();
    let images = [named(1, &[("drug", Cell::Null)]), named(2, &[("dose", Cell::Int(1))])];
    output.fails(&images, json!({}), NEW, expect![[r#"
        the condition table, image P.zarr/A/02/0: its attributes are ["dose"], but those of image P.zarr/A/01/0 are ["drug"]; give all images the same attributes (cells may be empty)
    "#]]);
    output.fails(
        &[named(1, &[("column", Cell::Int(1))])],
        json!({}),
        NEW,
        expect![[r#"
        the condition table, image P.zarr/A/01/0: an attribute is called "column", which places a row; rename the column
    "#]],
    );
    let mut uneven = named(1, &[("drug", Cell::Null), ("dose", Cell::Int(1))]);
    uneven.attributes.insert("drug".into(), vec![Cell::Null, Cell::Null]);
    output.fails(
        &[uneven],
        json!({}),
        NEW,
        expect![[r#"
            the condition table, image P.zarr/A/01/0: attribute "drug" has 2 values, but "dose" has 1; fill the shorter one up with null
        "#]],
    );
}

/// `Overwrite` is how a plate is mended whose documents are damaged.
#[test]
fn a_plate_that_is_damaged_is_replaced_and_not_extended() {
    let output = Output::new();
    output.put("P.zarr/.zgroup", "{\"zarr_format\": 2}");
    output.put("P.zarr/.zattrs", "{\"plate\": {");
    let error = output.set_up(&[well("A", 1, 0, "DMSO")], json!({}), OverwriteMode::Extend);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("P.zarr/.zattrs is not valid JSON")
    );
    output
        .set_up(&[well("A", 1, 0, "DMSO")], json!({}), OverwriteMode::Overwrite)
        .unwrap();
    assert_eq!(output.wells(), ["A/01"]);
}
