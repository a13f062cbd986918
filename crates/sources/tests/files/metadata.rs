//! What TIFFs say of themselves: which page is what, and how far apart things are.

use std::io::Cursor;

use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_sources::{FileMetadata, PlaneMut, Window, open_file};
use tiff::encoder::colortype::Gray16;
use tiff::encoder::{Rational, TiffEncoder};
use tiff::tags::Tag;

use crate::{Files, page_with_texts};

/// A stack whose first page is described by `text`.
fn described(text: &str, pages: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for page in 0..pages {
        let mut image = encoder.new_image::<Gray16>(2, 2).unwrap();
        if page == 0 {
            image.encoder().write_tag(Tag::ImageDescription, text).unwrap();
            image
                .encoder()
                .write_tag(Tag::XResolution, Rational { n: 4, d: 1 })
                .unwrap();
            image
                .encoder()
                .write_tag(Tag::YResolution, Rational { n: 2, d: 1 })
                .unwrap();
        }
        image.write_data(&[page as u16; 4]).unwrap();
    }
    bytes.into_inner()
}

#[test]
fn imagej_and_ome_say_what_their_pages_are() {
    let files = Files::new();
    let text =
        "ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=\\u00B5m\nspacing=1.5\nfinterval=30\n";
    let image = open_file(&files.write("imagej.tif", &described(text, 6))).unwrap();
    assert_eq!(image.info().shape, [3, 2, 2, 2]);
    let expected = FileMetadata {
        pixel_size_um: Some((0.25, 0.5)),
        z_spacing_um: Some(1.5),
        t_spacing_s: Some(30.0),
        axes: Some("ZCYX".to_owned()),
        ..FileMetadata::default()
    };
    assert_eq!(image.metadata(), expected);
    // Fewer pages than announced: a plain stack, as for tifffile.
    let image = open_file(&files.write("fewer.tif", &described(text, 5))).unwrap();
    assert_eq!(
        (image.info().shape.as_slice(), image.metadata().axes.as_deref()),
        (&[5, 2, 2][..], Some("IYX"))
    );

    let text = r#"<?xml version="1.0"?><OME xmlns="x"><Image ID="Image:0"><Pixels DimensionOrder="XYCZT" Type="uint16"
        SizeX="2" SizeY="2" SizeC="2" SizeZ="2" SizeT="1" PhysicalSizeX="250" PhysicalSizeXUnit="nm"
        PhysicalSizeY="0.5"><Channel ID="a" Name="DAPI"/><Channel ID="b" Name="GFP"/>
        <TiffData IFD="3" FirstZ="0" FirstC="1"/><TiffData IFD="1" FirstZ="1"/><TiffData IFD="2" FirstZ="1" FirstC="1"/>
        <Plane TheZ="1" TheC="0" TheT="0" PositionX="9" PositionXUnit="mm" PositionY="9" PositionYUnit="mm"/>
        <Plane TheZ="0" TheC="0" TheT="0" PositionX="-1.5" PositionXUnit="mm" PositionY="0" PositionYUnit="&#181;m"/>
        </Pixels></Image></OME>"#;
    let image = open_file(&files.write("ome.tif", &described(text, 4))).unwrap();
    let expected = FileMetadata {
        pixel_size_um: Some((0.25, 0.5)),
        channel_names: vec!["DAPI".to_owned(), "GFP".to_owned()],
        stage_position_um: Some((-1500.0, 0.0, 0.0)),
        axes: Some("ZCYX".to_owned()),
        ..FileMetadata::default()
    };
    assert_eq!(
        (image.info().shape.as_slice(), image.metadata()),
        (&[2, 2, 2, 2][..], expected)
    );
    let plane = |plane| {
        let mut out = [9; 2];
        let window = Window {
            y: 1,
            x: 1,
            height: 1,
            width: 1,
        };
        image
            .read_window(
                plane,
                window,
                PlaneMut {
                    data: &mut out,
                    row_stride: 2,
                },
            )
            .map(|()| u16::from_ne_bytes(out))
    };
    assert_eq!([1, 2, 3].map(|number| plane(number).unwrap()), [3, 1, 2]);
    // The first plane is in no page.
    assert_eq!(image.missing_planes(), [0]);
    let error = plane(0).unwrap_err();
    assert_eq!(error.fault(), Fault::Data);
    assert!(
        error
            .to_string()
            .ends_with("plane 0 is missing: the OME-XML names no page for it"),
        "{error}"
    );
    let told: Vec<String> = image.left_out().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "page 0 is not used: the OME-XML gives it no plane",
            "plane 0 is missing: the OME-XML names no page for it"
        ]
    );
}

#[test]
fn the_first_of_two_descriptions_counts() {
    // As Micro-Manager writes them.
    let ome = r#"<OME><Image><Pixels DimensionOrder="XYZCT" SizeX="2" SizeY="2" SizeC="2" SizeZ="1" SizeT="1"><TiffData/>
        </Pixels></Image></OME>"#;
    let imagej = "ImageJ=1.48v\nimages=2\nslices=2\n";
    let files = Files::new();
    let axes = |texts: &[&str]| {
        let image = open_file(&files.write("a.tif", &page_with_texts(texts, &[], 2))).unwrap();
        assert_eq!(image.info().shape, [2, 2, 2]);
        image.metadata().axes
    };
    assert_eq!(axes(&[ome, imagej]).as_deref(), Some("CYX"));
    assert_eq!(axes(&[imagej, ome]).as_deref(), Some("ZYX"));
}

#[test]
fn imagej_without_a_unit_uses_that_of_the_resolution() {
    let files = Files::new();
    let size = |unit: &str, resolution_unit: u32| {
        // The value of the resolution is the pixels and what follows: 0x04030201 / 0x67616d49.
        let text = format!("ImageJ=1.54f\nimages=1\n{unit}");
        let data = 8 + 6 + 12 * 9;
        let more = [(282, 5, 1, data), (283, 5, 1, data), (296, 3, 1, resolution_unit)];
        let image = open_file(&files.write("a.tif", &page_with_texts(&[&text], &more, 1))).unwrap();
        image.metadata().pixel_size_um.map(|(x, y)| {
            assert_eq!(x, y);
            x / (f64::from(0x6761_6d49) / f64::from(0x0403_0201))
        })
    };
    let close =
        |found: Option<f64>, expected: f64| assert!((found.unwrap() / expected - 1.0).abs() < 1e-12, "{found:?}");
    close(size("", 3), 1e4);
    close(size("", 2), 25_400.0);
    close(size("unit=nm\n", 3), 1e-3);
    assert_eq!(size("", 1), None);
    assert_eq!(size("unit=pixel\n", 3), None);
}

#[test]
fn metamorph_says_how_its_planes_lie_apart() {
    let seed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/metamorph.stk")).unwrap();
    let files = Files::new();
    let image = open_file(&files.write("a.stk", &seed)).unwrap();
    let in_z = FileMetadata {
        pixel_size_um: Some((0.65, 0.65)),
        z_spacing_um: Some(1.5),
        axes: Some("ZYX".to_owned()),
        ..FileMetadata::default()
    };
    assert_eq!(
        (image.info().shape.as_slice(), image.metadata()),
        (&[2, 6, 9][..], in_z.clone())
    );
    // Six numbers for each plane: the distance as a fraction, day, milliseconds.
    let table = 8 + 2 + 12 * 9 + 4 + 2 * 108;
    let mut bytes = seed.clone();
    bytes[table + 24] = 4;
    let uneven = FileMetadata {
        z_spacing_um: None,
        ..in_z.clone()
    };
    assert_eq!(open_file(&files.write("a.stk", &bytes)).unwrap().metadata(), uneven);
    let mut bytes = seed;
    (bytes[table], bytes[table + 24], bytes[table + 24 + 8]) = (0, 0, bytes[table + 24 + 8] + 1);
    let in_t = FileMetadata {
        z_spacing_um: None,
        t_spacing_s: Some(86_402.0),
        axes: Some("TYX".to_owned()),
        ..in_z
    };
    assert_eq!(open_file(&files.write("a.stk", &bytes)).unwrap().metadata(), in_t);
}
