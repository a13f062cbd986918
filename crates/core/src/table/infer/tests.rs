//! File names in, tables out.

use expect_test::{Expect, expect};

use super::*;
use crate::table::{FileHeader, tiles_csv};
use ome_zarr_convert_geometry::Space;

fn read(files: &str, naming: &Naming<'_>) -> Result<NamedTiles, CoreError> {
    let files: Vec<String> = files.split(", ").map(str::to_owned).collect();
    NamedTiles::read(&files, naming)
}

fn check(files: &str, naming: &Naming<'_>, expected: Expect) {
    let text = match read(files, naming) {
        Err(error) => format!("{error}\n"),
        Ok(tiles) => {
            let mut text = format!("{} {:?}\n{}", tiles.pattern, tiles.channels, tiles_csv(tiles.rows()));
            for file in &tiles.unmatched {
                text.push_str(&format!("not {file}\n"));
            }
            text
        }
    };
    expected.assert_eq(&text);
}

#[test]
fn a_plate_of_known_names() {
    check(
        "P_B03_T0001F002L01A01Z02C02.png, P_B03_T0001F001L01A01Z03C01.png, P_B03_T0001F001L01A01Z01C01.png, overview.png",
        &Naming::default(),
        expect![[r#"
            Yokogawa CellVoyager (20200812-Cycle1_B03_T0001F036L01A01Z18C02.png) Some(["channel_1", "channel_2"])
            file_path,plate_name,row,column,fov_name,start_z,start_c
            P_B03_T0001F001L01A01Z01C01.png,P,B,3,001,0,0
            P_B03_T0001F001L01A01Z03C01.png,P,B,3,001,2,0
            P_B03_T0001F002L01A01Z02C02.png,P,B,3,002,1,1
            not overview.png
        "#]],
    );
    check(
        "a_A01_s1_w1.tif, a_A01_s1_w2.tif, a_A01_s1_w1_thumb.tif",
        &Naming {
            plate_is_named: true,
            channels: Some(&["DAPI".into(), "GFP".into()]),
            ..Naming::default()
        },
        expect![[r#"
            MetaXpress, ImageXpress (my_plate_A01_s3_w1D4BA53B7-3A5B-4A1F-9C3E-0123456789AB.tif) None
            file_path,row,column,fov_name,start_c
            a_A01_s1_w1.tif,A,1,1,0
            a_A01_s1_w2.tif,A,1,1,1
        "#]],
    );
}

#[test]
fn images_without_wells() {
    check(
        "b/x.tif, a.ome.tif",
        &Naming::default(),
        expect![[r#"
        each file an image of its own None
        file_path,image_path,fov_name
        a.ome.tif,a,FOV_1
        b/x.tif,b_x,FOV_1
    "#]],
    );
    check(
        "Pos0/img_000000000_GFP_000.tif, Pos10/img_000000000_GFP_000.tif, Pos9/img_000000000_GFP_000.tif",
        &Naming {
            image: "run 7",
            ..Naming::default()
        },
        expect![[r#"
            Micro-Manager 1.4 (img_000000000_GFP wide_004.tif) Some(["GFP"])
            file_path,image_path,fov_name,start_c
            Pos0/img_000000000_GFP_000.tif,run 7,Pos0,0
            Pos9/img_000000000_GFP_000.tif,run 7,Pos9,0
            Pos10/img_000000000_GFP_000.tif,run 7,Pos10,0
        "#]],
    );
    check(
        "A01_f1.tif, B01_f1.tif",
        &Naming {
            in_wells: Some(false),
            ..Naming::default()
        },
        expect![[r#"
            a well with numbers (A01_f1_c1_z1_t1) None
            file_path,image_path,fov_name
            A01_f1.tif,A01,1
            B01_f1.tif,B01,1
        "#]],
    );
}

#[test]
fn one_image_is_called_as_its_file() {
    let naming = Naming {
        in_wells: Some(false),
        ..Naming::default()
    };
    check(
        "A01_f1.ome.tif",
        &naming,
        expect![[r#"
        each file an image of its own None
        file_path,image_path,fov_name
        A01_f1.ome.tif,A01_f1,FOV_1
    "#]],
    );
}

#[test]
fn names_that_do_not_do() {
    check(
        "A01_f1.tif, A01_f1.png",
        &Naming::default(),
        expect![[r#"
            the file name "A01_f1.tif": nothing in it tells the file from "A01_f1.png", as a well with numbers (A01_f1_c1_z1_t1) reads them; give a --pattern with a name (field, channel, z, t, image, plate, acquisition ...) for what differs, or move one of the files away
        "#]],
    );
    check(
        "x.tif, y.tif",
        &Naming {
            in_wells: Some(true),
            ..Naming::default()
        },
        expect![[r#"
            the file name "x.tif": no well is known from it (each file an image of its own): give a --pattern with {well}, or {row} and {column}, or leave `--collection plate` out
        "#]],
    );
    let given = |pattern| Naming {
        pattern: Some(pattern),
        ..Naming::default()
    };
    check(
        "x.tif",
        &given("(?<well>[A-H][0-9]+)"),
        expect![[r#"
        the pattern "(?<well>[A-H][0-9]+)": it matches none of the 1 image files; the first is "x.tif"
    "#]],
    );
    check(
        "Z0.tif",
        &given("(?<well>[A-Z][0-9]+)"),
        expect![[r#"
            the file name "Z0.tif": "Z0" is not a well such as B03
        "#]],
    );
    check(
        "A01_GFP.tif, A01_Cy5.tif",
        &Naming {
            channels: Some(&["DAPI".into(), "GFP".into()]),
            ..given("(?<well>[A-H][0-9]+)_(?<channel>[^.]+)")
        },
        expect![[r#"
            the file name "A01_Cy5.tif": its channel "Cy5" is not among those of the acquisition (DAPI, GFP)
        "#]],
    );
}

#[test]
fn groups_of_a_user_become_columns() {
    check(
        "DMSO/1_2_A1.tif, Taxol/2_1_A2.tif, notes.tif",
        &Naming {
            pattern: Some(r"(?<drug>\w+)/(?<grid_x>\d)_(?<grid_y>\d)_(?<well>..)"),
            ..Naming::default()
        },
        expect![[r#"
            --pattern "(?<drug>\\w+)/(?<grid_x>\\d)_(?<grid_y>\\d)_(?<well>..)" None
            file_path,row,column,fov_name,start_x,start_y,drug
            DMSO/1_2_A1.tif,A,1,1_2,0,1,DMSO
            Taxol/2_1_A2.tif,A,2,2_1,1,0,Taxol
            not notes.tif
        "#]],
    );
}

fn complete(files: &str, facts: &FileHeader, details: &AcquisitionDetails, expected: Expect) {
    let mut warnings = String::new();
    let mut tiles = read(files, &Naming::default()).unwrap();
    tiles
        .add_sizes(&details.axes, BadFiles::AreErrors, &mut |_| Ok(facts.clone()))
        .unwrap();
    let table = tiles.into_table(
        details,
        false,
        BadFiles::AreErrors,
        &mut |_| Ok(facts.clone()),
        &mut |text| warnings.push_str(&text),
    );
    expected.assert_eq(&format!("{}{warnings}\n", tiles_csv(&table.unwrap())));
}

#[test]
fn files_complete_the_table() {
    let mut facts = FileHeader {
        shape: vec![2, 8, 10],
        ..FileHeader::default()
    };
    facts.metadata.axes = Some("ZYX".into());
    let details = AcquisitionDetails {
        start_z_space: Space::Pixel,
        ..AcquisitionDetails::default()
    };
    let files = "A01_f1_z0.tif, A01_f1_z1.tif, A01_f2_z0.tif, A01_f3_z0.tif";
    complete(
        files,
        &facts,
        &details,
        expect![[r#"
            file_path,row,column,fov_name,start_z,length_y,length_x,length_t,length_c,length_z,start_x,start_y
            A01_f1_z0.tif,A,1,1,0,8,10,1,1,2,0,0
            A01_f1_z1.tif,A,1,1,2,8,10,1,1,2,0,0
            A01_f2_z0.tif,A,1,2,0,8,10,1,1,2,10,0
            A01_f3_z0.tif,A,1,3,0,8,10,1,1,2,0,8
            where the fields of view lie is not known (A01_f1_z0.tif says no stage position): they are laid side by side in the order of their names; give start_x and start_y in a table (--write-table writes one), or make each field an image of its own (--per-fov)
        "#]],
    );
    facts.metadata.stage_position_um = Some((1.5, -2.0, 7.0));
    let details = AcquisitionDetails {
        z_spacing: 0.5,
        ..details
    };
    complete(
        "A01_f1_z0.tif",
        &facts,
        &details,
        expect![[r#"
        file_path,row,column,fov_name,length_y,length_x,length_t,length_c,length_z,start_x,start_y
        A01_f1_z0.tif,A,1,1,8,10,1,1,2,1.5,-2

    "#]],
    );
}

#[test]
fn files_for_one_place_are_refused_whatever_else_differs() {
    let pattern = Naming {
        pattern: Some("{drug}_{well}"),
        ..Naming::default()
    };
    check(
        "DMSO_A1.tif, Taxol_A1.tif",
        &pattern,
        expect![[r#"
            the file name "Taxol_A1.tif": nothing in it tells the file from "DMSO_A1.tif", as --pattern "{drug}_{well}" reads them (they differ in drug, which does not place a tile); give a --pattern with a name (field, channel, z, t, image, plate, acquisition ...) for what differs, or move one of the files away; for these names, try --pattern '{plate}_{well}'
        "#]],
    );
    check(
        "細胞.tif, 細包.tif",
        &Naming::default(),
        expect![[r#"
            the file name "細胞.tif": it would become part of the same image as "細包.tif", because both names give "XiBao" once they can be paths; rename one of them
        "#]],
    );
}

#[test]
fn names_of_other_alphabets_and_signs() {
    check(
        "细胞+1.tif, #2 ü.tif, ~x.tif,  y.tif",
        &Naming::default(),
        expect![[r#"
            each file an image of its own None
            file_path,image_path,fov_name
            #2 ü.tif,2 u,FOV_1
             y.tif,y,FOV_1
            ~x.tif,x,FOV_1
            细胞+1.tif,XiBao_1,FOV_1
        "#]],
    );
}

#[test]
fn holes_are_said() {
    let files =
        "A01_f1_c1_z1.tif, A01_f1_c2_z1.tif, A01_f1_c1_z2.tif, A01_f2_c1_z1.tif, A01_f2_c1_z2.tif, B02_f1_c1_z1.tif";
    let holes = read(files, &Naming::default()).unwrap().holes;
    assert_eq!(holes, ["A01: 1 of 2 fields lacks channel_2 (2)", "B02 lacks channel_2"]);
    let files = "a_s1_z1.tif, a_s1_z2.tif, a_s2_z1.tif, b_s1_c1_z1.tif";
    let holes = read(files, &Naming::default()).unwrap().holes;
    assert_eq!(holes, ["a: 1 of 2 fields lacks slice 2 (2)"]);
}

#[test]
fn projections_beside_planes_are_left_out() {
    let files = "ZStep_0/p_A01_s1_w1.tif, ZStep_1/p_A01_s1_w1.tif, ZStep_2/p_A01_s1_w1.tif";
    let tiles = read(files, &Naming::default()).unwrap();
    assert_eq!((tiles.projections.len(), tiles.files()), (1, 2));
    let tiles = read("ZStep_0/p_A01_s1_w1.tif, ZStep_0/p_A02_s1_w1.tif", &Naming::default()).unwrap();
    assert_eq!((tiles.projections.len(), tiles.files()), (0, 2));
}
