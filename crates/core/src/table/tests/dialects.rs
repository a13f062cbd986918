//! Tables in all the dialects that people have, and spreadsheets.

use expect_test::expect;

use super::*;

/// Every way of writing the same table.
#[test]
fn dialects_of_one_table() {
    let table = "file_path,row,column,fov_name,start_x,start_y,length_x,length_y\n\
                 a.tif,A,1,F1,0.25,0,64,48\nb.tif,a,2,F2,24.25,16.5,64,48\n";
    let semicolons = table.replace(',', ";");
    let commas = semicolons.replace('.', ",").replace(",tif", ".tif");
    let expected = read(table.as_bytes()).unwrap();
    let tiles = |table: &TilesTable| {
        let tiles = hcs_images_from_dataframe(table, &two_channels(), None, 0).unwrap();
        tiles.iter().map(describe).collect::<String>()
    };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("semicolons", semicolons.clone().into_bytes()),
        ("decimal commas", commas.into_bytes()),
        ("tabs", table.replace(',', "\t").into_bytes()),
        ("old Mac line ends", table.replace('\n', "\r").into_bytes()),
        ("UTF-16", utf16(&table.replace(',', "\t"))),
        ("separator line", format!("sep=;\r\n{semicolons}").into_bytes()),
        (
            "comments",
            format!("# by a stage\n\n{table}# the end,,,\n").into_bytes(),
        ),
        ("empty columns and rows", table.replace('\n', ",,\n").into_bytes()),
        ("blanks", table.replace(',', ", ").into_bytes()),
        (
            "capitals",
            table.replace("start_x", "Start X").replace("row", "ROW").into_bytes(),
        ),
        (
            "quoted",
            table
                .replace("0.25", "\"0,25\"")
                .replace("24.25", "\"24,25\"")
                .replace("16.5", "\"16,5\"")
                .into_bytes(),
        ),
    ] {
        let read = read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tiles(&read), tiles(&expected), "{name}");
    }
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_shows_them() {
    let text = format!("# title\n{HEADER}\na.tif,A,1,F1,0,0,64,48\n\n# note\nb.tif,A,1,F2,x,0,64,48\n");
    let table = read(text.as_bytes()).unwrap();
    let error = hcs_images_from_dataframe(&table, &two_channels(), None, 0).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the table of tiles, row 6, column \"start_x\""),
        "{error}"
    );
    let left_out: Vec<(String, &str)> = table
        .left_out()
        .iter()
        .map(|out| (out.name.rsplit('/').next().unwrap().to_owned(), out.reason.as_str()))
        .collect();
    assert_eq!(
        left_out,
        [
            ("tiles.csv, row 1".to_owned(), "it is before the header"),
            ("tiles.csv, row 5".to_owned(), "it is a comment")
        ]
    );
}

#[test]
fn all_bad_cells_are_named_at_once() {
    let rows: String = (0..12).map(|row| format!("a.tif,A,0,F{row},x,1e999,64,\n")).collect();
    let table = read(format!("{HEADER}\n{rows}").as_bytes()).unwrap();
    let error = hcs_images_from_dataframe(&table, &two_channels(), None, 0)
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "the table of tiles: 48 rows or cells cannot be used:");
    assert_eq!(
        lines[1],
        "  row 2, column \"column\": found \"0\", expected a whole number of at least 1; correct the cell"
    );
    assert_eq!(
        lines[2],
        "  row 2, column \"start_x\": found \"x\", expected a number; correct the cell"
    );
    assert_eq!((lines.len(), lines[11]), (12, "  and 38 more"));
}

#[test]
fn blanks_are_no_delimiter() {
    let error = read(b"file_path fov_name start_x\na.tif F1 0\n").unwrap_err();
    assert_eq!(
        error,
        "tiles.csv: blanks are between its cells; write commas, semicolons or tabs there"
    );
}

#[test]
fn a_well_can_be_one_column() {
    check_plate(
        "file_path,well,fov_name,start_x,start_y,length_x,length_y
         a.tif,aa-3,F1,0,0,64,48",
        expect![[r#"
            MyPlate.zarr/AA/03/3 "F1" "a.tif" x 0+64 y 0+48 z 0+1 c 0+1 t 0+1 {}
        "#]],
    );
}

/// A ZIP archive whose files are stored as they are: the form of a spreadsheet.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
    };
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let start = archive.len() as u32;
        let sizes = [crc(text.as_bytes()), text.len() as u32, text.len() as u32]
            .map(u32::to_le_bytes)
            .concat();
        let name_size = (name.len() as u16).to_le_bytes();
        archive.extend(
            [
                b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".as_slice(),
                &sizes,
                &name_size,
                b"\0\0",
            ]
            .concat(),
        );
        archive.extend([name.as_bytes(), text.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0".as_slice(), &sizes, &name_size].concat());
        directory.extend([[0; 12].as_slice(), &start.to_le_bytes(), name.as_bytes()].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let places = [directory.len() as u32, archive.len() as u32]
        .map(u32::to_le_bytes)
        .concat();
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &places, b"\0\0"].concat();
    [archive, directory, end].concat()
}

#[test]
fn a_spreadsheet() {
    let text = |cell: &str| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>");
    let number = |cell: &str| format!("<c><v>{cell}</v></c>");
    let row = |cells: Vec<String>| format!("<row>{}</row>", cells.concat());
    let header: Vec<String> = "file_path,row,column,fov_name,start_x,start_y,length_x,length_y,code"
        .split(',')
        .map(text)
        .collect();
    let tile = |y: String| {
        let mut cells = vec![text("a.tif"), text("A"), number("1"), number("7"), number("0.25"), y];
        cells.extend([number("64"), number("48"), text("1E5")]);
        row(cells)
    };
    let sheet = |rows: &[String]| {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let sheets = format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"tiles\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
        );
        let links = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
        );
        let data = format!(
            "<worksheet xmlns=\"{main}\"><sheetData>{}</sheetData></worksheet>",
            rows.concat()
        );
        let root = format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        zip(&[
            ("_rels/.rels", &root),
            ("xl/workbook.xml", &sheets),
            ("xl/_rels/workbook.xml.rels", &links),
            ("xl/worksheets/sheet1.xml", &data),
        ])
    };
    let title = row(vec![text("Plate 7")]);
    // Its content tells that it is a spreadsheet, whatever its suffix.
    let table = read(&sheet(&[title.clone(), row(header.clone()), tile(number("16.5"))])).unwrap();
    check(
        hcs_images_from_dataframe(&table, &two_channels(), None, 0),
        expect![[r#"
            Plate.zarr/A/01/0 "7" "a.tif" x 0.25+64 y 16.5+48 z 0+1 c 0+1 t 0+1 {"code": [Text("1E5")]}
        "#]],
    );
    let table = read(&sheet(&[
        title,
        row(header),
        tile("<c t=\"e\"><v>#REF!</v></c>".into()),
    ]))
    .unwrap();
    check(
        hcs_images_from_dataframe(&table, &two_channels(), None, 0),
        expect![[r##"
            the table of tiles, row 3, column "start_y": found "#REF!", expected a number; correct the cell
        "##]],
    );
    assert_eq!(
        read(b"PK\x03\x04 cut").unwrap_err().split(": ").nth(1),
        Some("it is not a spreadsheet that can be read")
    );
}
