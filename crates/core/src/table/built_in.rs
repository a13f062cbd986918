//! Patterns of file names that microscopes write, as data: name, example, pattern.

/// A pattern that is tried where none is given.
pub(super) struct BuiltIn {
    pub(super) name: &'static str,
    /// A path that the pattern reads, and what it reads of it.
    pub(super) example: (&'static str, &'static str),
    /// A regular expression without look-around, which takes time in proportion to the length of a name.
    pub(super) pattern: &'static str,
}

/// Tried in this order on paths below the folder, parts joined by `/`. Capital letters count only where a pattern does not begin with
/// `(?i)`.
pub(super) const BUILT_IN: [BuiltIn; 18] = [
    BuiltIn {
        name: "Yokogawa CellVoyager",
        example: (
            "20200812-Cycle1_B03_T0001F036L01A01Z18C02.png",
            "Plate 20200812-Cycle1, Well B03, Field 036, Channel 02, Slice 18, Time 0001",
        ),
        pattern: r"(?:^|/)(?:(?<plate>[^/]+)_)?(?<well>[A-Z]{1,2}\d{2})_T(?<t>\d+)F(?<field>\d+)L\d+A\d+Z(?<z>\d+)C(?<channel>\d+)\.[^./]+$",
    },
    BuiltIn {
        name: "Yokogawa CQ1",
        example: (
            "Image/W0029F0002T0001Z003C1.tif",
            "Image W0029, Field 0002, Channel 1, Slice 003, Time 0001",
        ),
        // The number of the well says its row only to who knows how many columns the plate has.
        pattern: r"(?:^|/)(?<image>W\d{4})F(?<field>\d{3,4})T(?<t>\d+)Z(?<z>\d+)C(?<channel>\d+)\.[^./]+$",
    },
    BuiltIn {
        name: "Opera Phenix, Operetta",
        example: (
            "Images/r02c11f07p03-ch4sk1fk1fl1.tiff",
            "Row 02, Column 11, Field 07, Channel 4, Slice 03, Time 1",
        ),
        pattern: r"(?i)(?:^|/)r(?<row>\d+)c(?<column>\d+)f(?<field>\d+)p(?<z>\d+)(?:rc\d+)?-ch(?<channel>\d+)(?:sk(?<t>\d+))?(?:fk\d+)?(?:fl\d+)?\.[^./]+$",
    },
    BuiltIn {
        name: "ScanR",
        example: (
            "A1--W00001--P00002--Z00003--T00004--DAPI.tif",
            "Well A1, Field 00002, Channel DAPI, Slice 00003, Time 00004",
        ),
        pattern: r"(?i)(?:^|/)(?<well>[A-Z]{1,2}-?\d+)--W\d+--P(?<field>\d+)--Z(?<z>\d+)--T(?<t>\d+)--(?<channel>[^/]+?)(?:\.ome)?\.[^./]+$",
    },
    BuiltIn {
        name: "Leica Matrix Screener",
        example: (
            "slide--S00/chamber--U01--V02/field--X03--Y04/image--L0000--S00--U01--V02--J07--E00--O00--X03--Y04--T0005--Z06--C01.ome.tif",
            "Row from 0 02, Column from 0 01, Grid x 03, Grid y 04, Channel 01, Slice 06, Time 0005",
        ),
        pattern: r"(?i)(?:^|/)image--L\d+--S\d+--U(?<column_from_0>\d+)--V(?<row_from_0>\d+)--J\d+--E\d+--O\d+--X(?<grid_x>\d+)--Y(?<grid_y>\d+)--T(?<t>\d+)--Z(?<z>\d+)--C(?<channel>\d+)(?:\.ome)?\.[^./]+$",
    },
    BuiltIn {
        name: "IN Cell Analyzer",
        example: (
            "B - 03(fld 02 wv UV - DAPI z 05).tif",
            "Row B, Column 03, Field 02, Channel UV - DAPI, Slice 05",
        ),
        pattern: r"(?i)(?:^|/)(?<row>[A-Z]{1,2}) - (?<column>\d+)\(fld (?<field>\d+)(?: wv (?<channel>[^)]*?))?(?: z (?<z>\d+))?(?: time (?<t>\d+)[^)]*)?\)\.[^./]+$",
    },
    BuiltIn {
        name: "Cellomics",
        example: (
            "MFGTMP_150101120001_C05f02d1.TIF",
            "Plate MFGTMP_150101120001, Well C05, Field 02, Channel 1",
        ),
        pattern: r"(?i)(?:^|/)(?<plate>[^/]+)_(?<well>[A-Z]{1,2}\d{2})_?f(?<field>\d+)d(?<channel>\d+)\.[^./]+$",
    },
    BuiltIn {
        name: "Nikon JOBS",
        example: (
            "WellC03_PointC03_0004_ChannelDAPI_Seq0012.tif",
            "Well C03, Field 0004, Channel DAPI",
        ),
        pattern: r"(?i)(?:^|/)Well(?<well>[A-Z]{1,2}\d+)_Point[^_/]*_(?<field>\d+)_(?:ZStack\d+_)?Channel(?<channel>[^_/]+)_Seq\d+\.[^./]+$",
    },
    BuiltIn {
        name: "Incucyte",
        example: (
            "MiaPaCa2-PhaseOriginal_A2_1_03d06h40m.tif",
            "Plate MiaPaCa2-PhaseOriginal, Well A2, Field 1, Time 03d06h40m",
        ),
        pattern: r"(?i)(?:^|/)(?:(?<plate>[^/]+?)_)?(?<well>[A-P]\d{1,2})_(?<field>\d+)_(?<t>(?:\d{4}y\d{2}m\d{2}d_\d{2}h\d{2}m|\d{2,3}d\d{2}h\d{2}m)(?:\d{2}s)?)\.[^./]+$",
    },
    BuiltIn {
        name: "Cytation",
        example: (
            "D5_01_2_3Z4_Bright Field_006.tif",
            "Well D5, Field 3, Channel 2, Channel name Bright Field, Slice 4, Time 006",
        ),
        pattern: r"(?i)(?:^|/)(?<well>[A-P]\d{1,2})_-?\d+_(?<channel>\d+)_(?<field>\d+)(?:Z(?<z>\d+))?_(?<channel_name>[^/_]+)_(?<t>\d{3})\.[^./]+$",
    },
    BuiltIn {
        name: "MetaXpress, ImageXpress",
        example: (
            "TimePoint_2/ZStep_1/my_plate_A01_s3_w1D4BA53B7-3A5B-4A1F-9C3E-0123456789AB.tif",
            "Plate my_plate, Well A01, Field 3, Channel 1, Slice 1, Time 2",
        ),
        pattern: r"(?i)(?:^|/)(?:TimePoint_(?<t>\d+)/)?(?:ZStep_(?<z>\d+)/)?(?<plate>[^/]+)_(?<well>[A-Z]{1,2}\d{2})(?:_s(?<field>\d+)(?:_w(?<channel>\d+))?|_w(?<wavelength>\d+))(?:[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})?\.[^./]+$",
    },
    BuiltIn {
        name: "MetaXpress with names of channels",
        example: (
            "plate_B07_s2_w1DAPI.tif",
            "Plate plate, Well B07, Field 2, Channel 1, Channel name DAPI",
        ),
        pattern: r"(?i)(?:^|/)(?:(?<plate>[^/]+)_)?(?<well>[A-P]\d{2})(?:_s(?<field>\d+))?_w(?<channel>\d)(?<channel_name>[A-Z][^_/]*)(?:_s(?<site>\d+))?(?:_t(?<t>\d+))?\.[^./]+$",
    },
    BuiltIn {
        name: "MetaMorph",
        example: (
            "cells_w2GFP 488_s3_t10.TIF",
            "Image cells, Field 3, Channel 2, Channel name GFP 488, Time 10",
        ),
        pattern: r"(?i)(?:^|/)(?<image>[^/]+?)_w(?<channel>\d)(?<channel_name>[A-Z][^_/]*?)(?:_s(?<field>\d+))?(?:_t(?<t>\d+))?\.(?:TIF|TIFF|STK)$",
    },
    BuiltIn {
        name: "Micro-Manager HCS",
        example: (
            "A1-Site_2/img_000000003_DAPI_004.tif",
            "Well A1, Field 2, Channel DAPI, Slice 004, Time 000000003",
        ),
        pattern: r"(?i)(?:^|/)(?<well>[A-Z]{1,2}\d{1,2})-Site_(?<field>\d+)/img_(?<t>\d{9})_(?<channel>[^/]+)_(?<z>\d{3})\.[^./]+$",
    },
    BuiltIn {
        name: "Micro-Manager 2 HCS",
        example: (
            "A1-Site_2/img_channel001_position002_time000000003_z004.tif",
            "Well A1, Field 2, Channel 001, Slice 004, Time 000000003",
        ),
        pattern: r"(?i)(?:^|/)(?<well>[A-Z]{1,2}\d{1,2})-Site_(?<field>\d+)/img_channel(?<channel>\d+)_position\d+_time(?<t>\d+)_z(?<z>\d+)\.[^./]+$",
    },
    BuiltIn {
        name: "Micro-Manager stacks of wells",
        example: ("scan_1_MMStack_B12-Site_3.ome.tif", "Plate scan_1, Well B12, Field 3"),
        pattern: r"(?i)(?:^|/)(?:(?<plate>[^/]+)_)?MMStack_(?<well>[A-Z]{1,2}\d{1,2})-Site_(?<field>\d+)(?:\.ome)?\.[^./]+$",
    },
    BuiltIn {
        name: "Micro-Manager 2",
        example: (
            "Pos0/img_channel000_position001_time000000002_z003.tif",
            "Field 001, Channel 000, Slice 003, Time 000000002",
        ),
        pattern: r"(?i)(?:^|/)img_channel(?<channel>\d+)_position(?<field>\d+)_time(?<t>\d+)_z(?<z>\d+)\.[^./]+$",
    },
    BuiltIn {
        name: "Micro-Manager 1.4",
        example: (
            "1-Pos_000_001/img_000000000_GFP wide_004.tif",
            "Field 1-Pos_000_001, Channel GFP wide, Slice 004, Time 000000000",
        ),
        pattern: r"(?i)(?:(?:^|/)(?<field>[^/]*Pos[^/]*)/|(?:^|/))img_(?<t>\d{9})_(?<channel>[^/]+)_(?<z>\d{3})\.[^./]+$",
    },
];

/// The last resort.
pub(super) const EACH_FILE: &str = "each file an image of its own";
/// The pattern of the last resort.
pub(super) const EACH_FILE_PATTERN: &str = r"^(?<image>.+?)(?:\.ome)?\.[^./]+$";
