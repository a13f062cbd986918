//! Tables as users write them: what is read, in which types, and what the errors say.

mod dialects;

use std::fmt::Write as _;
use std::io::Write as _;

use expect_test::{Expect, expect};
use polars::prelude::{Column, DataFrame};

use super::*;
use crate::options::ChannelInfo;
use ome_zarr_convert_geometry::Axis;

fn read(csv: &[u8]) -> Result<TilesTable, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiles.csv");
    std::fs::File::create(&path).unwrap().write_all(csv).unwrap();
    let without_folder = |error: CoreError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    let table = read_tiles_table(&path).map_err(without_folder)?;
    Ok(table.with_name("the table of tiles"))
}

/// Lines as text, without the indentation of the test.
fn lines(csv: &str) -> String {
    csv.lines().map(|line| format!("{}\n", line.trim())).collect()
}

/// Columns with type and cells.
fn check_columns(csv: &[u8], expected: Expect) {
    let text = match read(csv) {
        Err(error) => format!("{error}\n"),
        Ok(table) => {
            let mut text = String::new();
            for name in table.names() {
                let _ = writeln!(text, "{name:?}: {:?}", table.column(name).unwrap());
            }
            text
        }
    };
    expected.assert_eq(&text);
}

fn two_channels() -> AcquisitionDetails {
    let channel = |label: &str| ChannelInfo {
        channel_label: label.into(),
        wavelength_id: None,
        color: None,
    };
    AcquisitionDetails {
        channels: Some(vec![channel("DAPI"), channel("GFP")]),
        ..AcquisitionDetails::default()
    }
}

fn describe(tile: &Tile) -> String {
    let place = tile.collection.path("").unwrap_or_else(|error| error.to_string());
    let file = tile.image_loader.file_path().unwrap_or_default();
    format!(
        "{place} {:?} {file:?} x {}+{} y {}+{} z {}+{} c {}+{} t {}+{} {:?}\n",
        tile.fov_name,
        tile.start_x,
        tile.length_x,
        tile.start_y,
        tile.length_y,
        tile.start_z,
        tile.length_z,
        tile.start_c,
        tile.length_c,
        tile.start_t,
        tile.length_t,
        tile.attributes
    )
}

fn check(tiles: Result<Vec<Tile>, CoreError>, expected: Expect) {
    match tiles {
        Ok(tiles) => expected.assert_eq(&tiles.iter().map(describe).collect::<String>()),
        Err(error) => expected.assert_eq(&format!("{error}\n")),
    }
}

fn check_plate(csv: &str, expected: Expect) {
    let table = read(lines(csv).as_bytes()).unwrap();
    check(
        hcs_images_from_dataframe(&table, &two_channels(), Some("MyPlate"), 3),
        expected,
    );
}

fn check_single(csv: &str, expected: Expect) {
    let table = read(lines(csv).as_bytes()).unwrap();
    check(single_images_from_dataframe(&table, &two_channels()), expected);
}

#[test]
fn rows_become_tiles() {
    check_plate(
        "file_path,row,column,fov_name,start_x,start_y,start_z,start_c,start_t,length_x,length_y,length_z,length_c,length_t,drug,dose
         a.tif,A,1,F1,-10.5,0,2,1,3,64,48,4,1,2,DMSO,0.5
         sub/b.tif,AF,12,F2,1e3,+5,0,0,0,64,48,1,2,1,,",
        expect![[r#"
            MyPlate.zarr/A/01/3 "F1" "a.tif" x -10.5+64 y 0+48 z 2+4 c 1+1 t 3+2 {"drug": [Text("DMSO")], "dose": [Float(0.5)]}
            MyPlate.zarr/AF/12/3 "F2" "sub/b.tif" x 1000+64 y 5+48 z 0+1 c 0+2 t 0+1 {"drug": [Null], "dose": [Null]}
        "#]],
    );
}

#[test]
fn what_is_left_out_has_defaults() {
    check_plate(
        "file_path,row,column,fov_name,start_x,start_y,length_x,length_y,start_z,length_c
         a.tif,A,1,F1,0,0,64,48,,",
        expect![[r#"
            MyPlate.zarr/A/01/3 "F1" "a.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {}
        "#]],
    );
}

#[test]
fn numbers_are_names_of_rows_and_fields() {
    check_plate(
        "file_path,row,column,fov_name,start_x,start_y,length_x,length_y,plate_name,acquisition
         a.tif,2,03,01,0,0,64,48,Other,7
         b.tif,27,4.0,1,0,0,64,48,,
         c.tif, b,5,1.0,0,0,64,48,Other,",
        expect![[r#"
            Other.zarr/B/03/7 "01" "a.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {}
            MyPlate.zarr/AA/04/3 "1" "b.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {}
            Other.zarr/B/05/3 "1.0" "c.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {}
        "#]],
    );
}

#[test]
fn single_images_take_rows_and_columns_for_attributes() {
    check_single(
        "image_path,file_path,fov_name,start_x,start_y,length_x,length_y,row,column
         img,a.tif,1,0,0,64,48,A,3",
        expect![[r#"
            img.zarr "1" "a.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {"row": [Text("A")], "column": [Int(3)]}
        "#]],
    );
}

#[test]
fn a_data_frame_of_any_types_will_do() {
    let float = |name: &str, value: f64| Column::new(name.into(), [value]);
    let table = DataFrame::new(
        1,
        vec![
            Column::new("file_path".into(), ["a.tif"]),
            Column::new("row".into(), [2_i64]),
            float("column", 3.0),
            Column::new("fov_name".into(), [7_u32]),
            float("start_x", 1.5),
            Column::new("start_y".into(), ["-2"]),
            Column::new("length_x".into(), [64_i32]),
            float("length_y", 48.0),
            float("dose", f64::NAN),
        ],
    );
    let table = TilesTable::try_from(table.unwrap()).unwrap();
    let tiles = hcs_images_from_dataframe(&table, &two_channels(), None, 0);
    check(
        tiles,
        expect![[r#"
        Plate.zarr/B/03/0 "7" "a.tif" x 1.5+64 y -2+48 z 0+1 c 0+1 t 0+1 {"dose": [Null]}
    "#]],
    );
}

const HEADER: &str = "file_path,row,column,fov_name,start_x,start_y,length_x,length_y";

/// A good row with one cell replaced.
fn check_cell(column: &str, cell: &str, expected: Expect) {
    let mut names: Vec<&str> = HEADER.split(',').collect();
    let mut cells = vec!["b.tif", "A", "1", "F2", "0", "0", "64", "48"];
    match names.iter().position(|name| *name == column) {
        Some(index) => cells[index] = cell,
        None => {
            names.push(column);
            cells.push(cell);
        }
    }
    let first = ["a.tif", "A", "1", "F1", "0", "0", "64", "48"].join(",");
    let comma = if names.len() > 8 { "," } else { "" };
    check_plate(
        &format!("{}\n{first}{comma}\n{}\n", names.join(","), cells.join(",")),
        expected,
    );
}

#[test]
fn a_missing_column_is_named_with_the_nearest_one() {
    check_plate(
        "file_path,row,column,fov_name,startx,start_y,length_x,length_y
         a.tif,A,1,F1,0,0,64,48",
        expect![[r#"
            the table of tiles: the column "start_x" is missing; its columns are file_path, row, column, fov_name, startx, start_y, length_x, length_y (is "startx" meant?)
        "#]],
    );
    check_plate(
        "file_path,qqqqq\na.tif,A",
        expect![[r#"
        the table of tiles: the column "fov_name" is missing; its columns are file_path, qqqqq
    "#]],
    );
    check_single(
        &format!("{HEADER}\na.tif,A,1,F1,0,0,64,48"),
        expect![[r#"
        the table of tiles: the column "image_path" is missing; its columns are file_path, row, column, fov_name, start_x, start_y, length_x, length_y
    "#]],
    );
}

#[test]
fn wrong_cells_are_named_by_row_column_and_value() {
    check_cell(
        "start_x",
        "left",
        expect![[r#"
            the table of tiles, row 3, column "start_x": found "left", expected a number; correct the cell
        "#]],
    );
    check_cell(
        "start_x",
        "",
        expect![[r#"
            the table of tiles, row 3, column "start_x": found an empty cell, expected a number; correct the cell
        "#]],
    );
    check_cell(
        "start_y",
        "inf",
        expect![[r#"
            the table of tiles, row 3, column "start_y": found "inf", expected a number; correct the cell
        "#]],
    );
    check_cell(
        "start_c",
        "0.5",
        expect![[r#"
            the table of tiles, row 3, column "start_c": found "0.5", expected a whole number; correct the cell
        "#]],
    );
    check_cell(
        "fov_name",
        "",
        expect![[r#"
            the table of tiles, row 3, column "fov_name": found an empty cell, expected text; fill the cell
        "#]],
    );
    check_cell(
        "file_path",
        "NA",
        expect![[r#"
            the table of tiles, row 3, column "file_path": found an empty cell, expected text; fill the cell
        "#]],
    );
}

#[test]
fn rows_and_columns_of_wells() {
    check_cell(
        "row",
        "0",
        expect![[r#"
            the table of tiles, row 3, column "row": found "0", expected letters (`A`, `AF`) or a number from 1; write the row of the well
        "#]],
    );
    check_cell(
        "row",
        "A1",
        expect![[r#"
            the table of tiles, row 3, column "row": found "A1", expected letters (`A`, `AF`) or a number from 1; write the row of the well
        "#]],
    );
    check_cell(
        "row",
        "",
        expect![[r#"
            the table of tiles, row 3, column "row": found an empty cell, expected text; fill the cell
        "#]],
    );
    check_cell(
        "column",
        "0",
        expect![[r#"
            the table of tiles, row 3, column "column": found "0", expected a whole number of at least 1; correct the cell
        "#]],
    );
    check_cell(
        "column",
        "1.5",
        expect![[r#"
            the table of tiles, row 3, column "column": found "1.5", expected a whole number of at least 1; correct the cell
        "#]],
    );
    check_cell(
        "column",
        "C",
        expect![[r#"
            the table of tiles, row 3, column "column": found "C", expected a whole number of at least 1; correct the cell
        "#]],
    );
    check_cell(
        "column",
        "",
        expect![[r#"
            the table of tiles, row 3, column "column": found an empty cell, expected a whole number of at least 1; correct the cell
        "#]],
    );
    check_cell(
        "acquisition",
        "-1",
        expect![[r#"
            the table of tiles, row 3, column "acquisition": found "-1", expected a whole number of at least 0; correct the cell
        "#]],
    );
}

#[test]
fn tiles_that_contradict_the_acquisition() {
    check_cell(
        "start_c",
        "2",
        expect![[r#"
            the table of tiles, row 3: tile 'F2' (b.tif): it holds channel 2, but the acquisition lists 2 channels (numbers 0 to 1); list one channel per number, or leave the list out to get names made up
        "#]],
    );
    check_cell(
        "start_c",
        "-1",
        expect![[r#"
            the table of tiles, row 3: tile 'F2' (b.tif): start_c is -1, but channels count from 0
        "#]],
    );
    check_cell(
        "length_x",
        "0",
        expect![[r#"
            the table of tiles, row 3: tile 'F2' (b.tif): length_x is 0, but it must be more than 0
        "#]],
    );
    check_cell(
        "length_z",
        "-2",
        expect![[r#"
            the table of tiles, row 3: tile 'F2' (b.tif): length_z is -2, but it must be more than 0
        "#]],
    );
}

#[test]
fn reserved_names_are_refused() {
    for name in RESERVED {
        let csv = format!("{HEADER},{name}\na.tif,A,1,F1,0,0,64,48,x\n");
        let table = read(csv.as_bytes()).unwrap();
        let error = hcs_images_from_dataframe(&table, &two_channels(), None, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the table of tiles, column {name:?}: this name is reserved; rename the column")
        );
    }
}

/// Types and values as pandas 2.3 reads the same text. Two points differ on purpose: names of fields and rows stay text, and
/// a gap in a column of text or booleans is a missing value in every row.
#[test]
fn columns_have_the_types_that_pandas_gives_them() {
    check_columns(
        lines(
            "plus,gap,nan,empty,zero,exp,bool,mixed,gappy,quoted,float,space,inf,under,hex,long,dot,capital,fov_name
             +5,1,NaN,,01,1e3,True,True,true,\"1\",\"1.5\",1,inf,1_000,0x10,99999999999999999999999,.5,NAN,01
             6,,2.5,,2,2,FALSE,1,,\"2\",2,2 ,-Infinity,2,2,1,1.,1,1.0",
        )
        .as_bytes(),
        expect![[r#"
            "plus": [Int(5), Int(6)]
            "gap": [Float(1.0), Null]
            "nan": [Null, Float(2.5)]
            "empty": [Null, Null]
            "zero": [Text("01"), Text("2")]
            "exp": [Float(1000.0), Float(2.0)]
            "bool": [Bool(true), Bool(false)]
            "mixed": [Text("True"), Text("1")]
            "gappy": [Bool(true), Null]
            "quoted": [Text("1"), Text("2")]
            "float": [Float(1.5), Float(2.0)]
            "space": [Int(1), Int(2)]
            "inf": [Float(inf), Float(-inf)]
            "under": [Text("1_000"), Text("2")]
            "hex": [Text("0x10"), Text("2")]
            "long": [Text("99999999999999999999999"), Text("1")]
            "dot": [Float(0.5), Float(1.0)]
            "capital": [Text("NAN"), Text("1")]
            "fov_name": [Text("01"), Text("1.0")]
        "#]],
    );
}

#[test]
fn blank_lines_and_line_ends_do_not_count() {
    check_columns(
        b"\xef\xbb\xbfa,b\r\n1,x\r\n\r\n   \r\n,\r\n2,\"y, \"\"z\"\"\"\r\n",
        expect![[r#"
            "a": [Int(1), Int(2)]
            "b": [Text("x"), Text("y, \"z\"")]
        "#]],
    );
    check_columns(
        b"\n\na,b\n1,2",
        expect![[r#"
        "a": [Int(1)]
        "b": [Int(2)]
    "#]],
    );
    check_columns(
        b" a ,b\n1,\"two\nlines\"\n",
        expect![[r#"
        "a": [Int(1)]
        "b": [Text("two\nlines")]
    "#]],
    );
    // Spreadsheets leave an empty column behind.
    check_columns(
        b"a,b,\n1,2,\n",
        expect![[r#"
            "a": [Int(1)]
            "b": [Int(2)]
        "#]],
    );
}

#[test]
fn files_that_are_no_table() {
    check_columns(
        b"a,b\n",
        expect![[r#"
        tiles.csv: it has no rows; write one row per image file
    "#]],
    );
    check_columns(
        b"",
        expect![[r#"
            tiles.csv: it is empty; write a header and one row per image file
        "#]],
    );
    check_columns(
        b"a,b\n1,2,3\n",
        expect![[r#"
            tiles.csv: rows have more cells than the header has names (2): row 2 has 3; they are read as cells between commas: put text that holds the delimiter into double quotes, and numbers with a decimal comma too
        "#]],
    );
    check_columns(
        b"a,b\n1,2\n3\n",
        expect![[r#"
        "a": [Int(1), Int(3)]
        "b": [Float(2.0), Null]
    "#]],
    );
    check_columns(
        b"a,a\n1,2\n",
        expect![[r#"
            tiles.csv: the header names "a" twice (columns 1 and 2); rename or remove one of them
        "#]],
    );
    check_columns(
        b"a\xff,b\n1,2\n",
        expect![[r#"
            tiles.csv: it is not UTF-8 text: the byte 0xFF in line 1 belongs to another encoding, such as Windows-1252; save it as CSV with UTF-8 encoding
        "#]],
    );
    // Found by the fuzz target `table`.
    check_columns(
        b"file_path,row,columnofov_.ame\na./if,B,1fi,1le_path,\n\"",
        expect![[r#"
            tiles.csv: a double quote in row 3 is not closed; close it, and write a quote inside of quoted text twice
        "#]],
    );
    check_columns(
        b"a,b\nx\"y\"z\"\"\"\"\"\"5,\"",
        expect![[r#"
            tiles.csv: a double quote in row 2 is not closed; close it, and write a quote inside of quoted text twice
        "#]],
    );
    check_columns(
        b"plate,text\n5\" wide,\"a,\"",
        expect![[r#"
            "plate": [Text("5\" wide")]
            "text": [Text("a,")]
        "#]],
    );
    let missing = read_tiles_table(std::path::Path::new("none/tiles.csv")).unwrap_err();
    expect![[r#"
        none/tiles.csv does not exist: a table has one row per image file and is CSV text, a spreadsheet (.xlsx) or Parquet; give the folder that holds it
    "#]].assert_eq(&format!("{missing}\n"));
}

#[test]
fn tiles_become_boxes_in_world_units() {
    let table = read(format!("{HEADER},start_z\na.tif,A,1,F1,6.502,-3,64,48,2\n").as_bytes()).unwrap();
    let mut details = AcquisitionDetails {
        xy_pixel_size: 0.65,
        z_spacing: 5.0,
        start_z_space: ome_zarr_convert_geometry::Space::Pixel,
        ..AcquisitionDetails::default()
    };
    let boxed = |details: &AcquisitionDetails| {
        let roi = single(&table, details).to_roi();
        let span = |axis: Axis| format!("{} {}+{}", axis.name(), roi.span(axis).start, roi.span(axis).length);
        [Axis::Z, Axis::Y, Axis::X].map(span).join(", ")
    };
    let straight = boxed(&details);
    (details.stage_orientation.swap_xy, details.stage_orientation.flip_x) = (true, true);
    let turned = boxed(&details);
    expect![[r#"
        z 10+5, y -3+31.200000000000003, x 6.5+41.6
        z 10+5, y 6.5+31.200000000000003, x 3+41.6
    "#]]
    .assert_eq(&format!("{straight}\n{turned}\n"));
}

fn single(table: &TilesTable, details: &AcquisitionDetails) -> Tile {
    hcs_images_from_dataframe(table, details, None, 0).unwrap().remove(0)
}
