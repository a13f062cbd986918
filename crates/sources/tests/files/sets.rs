//! OME-TIFF: which file of a set gives what, and what is told of XML that does not fit.

use std::path::Path;

use ome_zarr_convert_sources::{
    DefaultImageLoader, ImageLoader, LoaderSpec, Part, Selection, SourceError, list_images, open_file, open_image,
    open_selected,
};

use crate::Files;
use crate::pages::{first_pixels, firsts, told};
use crate::rawtiff::{RawPage, tiff};

/// Pages whose first pixels are these, the first one described by `text`.
fn file(text: &str, pixels: &[u16]) -> Vec<u8> {
    let mut pages: Vec<RawPage> = pixels.iter().map(|first| RawPage::gray(*first, 6, 4, 6)).collect();
    pages[0] = pages[0].clone().described(text);
    tiff(&pages)
}

/// An image of 6 x 4 with sizes, and `inside` its pixels.
fn image(name: &str, sizes: &str, inside: &str) -> String {
    format!(
        r#"<Image ID="i" Name="{name}"><Pixels DimensionOrder="XYZCT" Type="uint16" SizeX="4" SizeY="6" {sizes}
        PhysicalSizeX="0.65" PhysicalSizeY="0.65">{inside}</Pixels></Image>"#
    )
}

fn ome(root: &str, images: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="x" {root}>{images}</OME>"#)
}

fn data(attributes: &str, file: &str, uuid: &str) -> String {
    format!(r#"<TiffData {attributes}><UUID FileName="{file}">{uuid}</UUID></TiffData>"#)
}

fn position(x: u32) -> String {
    format!(
        r#"<Plane TheZ="0" TheC="0" TheT="0" PositionX="{x}" PositionXUnit="µm" PositionY="5" PositionYUnit="µm"/>"#
    )
}

const ONE_PLANE: &str = r#"SizeZ="1" SizeC="1" SizeT="1""#;
const TWO_TIMES: &str = r#"SizeZ="1" SizeC="1" SizeT="2""#;

#[test]
fn each_file_of_a_set_gives_its_own_position() {
    let files = Files::new();
    let images: String = (0..2)
        .map(|position_number| {
            let name = format!("pos{position_number}.tif");
            let uuid = format!("u{position_number}");
            let planes = [0, 1].map(|t| data(&format!(r#"FirstT="{t}" IFD="{t}" PlaneCount="1""#), &name, &uuid));
            image(
                &name,
                TWO_TIMES,
                &(planes.concat() + &position(1000 + 4 * position_number)),
            )
        })
        .collect();
    for number in 0..2_u16 {
        let text = ome(&format!(r#"UUID="u{number}""#), &images);
        files.write(
            &format!("pos{number}.tif"),
            &file(&text, &[10 * number + 1, 10 * number + 2]),
        );
    }
    let check = |path: &Path, pixels: &[u16], x: f64| {
        let image = open_file(path).unwrap();
        assert_eq!(first_pixels(&*image), pixels);
        assert_eq!(image.metadata().stage_position_um, Some((x, 5.0, 0.0)));
        assert_eq!(image.metadata().pixel_size_um, Some((0.65, 0.65)));
        assert_eq!(told(&*image), Vec::<String>::new());
        assert_eq!(list_images(path).unwrap().len(), 1);
    };
    let path = |name: &str| files.path(name);
    check(&path("pos0.tif"), &[1, 2], 1000.0);
    check(&path("pos1.tif"), &[11, 12], 1004.0);
    // The other file is asked for by its number, and is not needed for this one.
    let other = open_image(&path("pos1.tif"), 0).unwrap();
    assert_eq!(first_pixels(&*other), [1, 2]);
    std::fs::remove_file(path("pos0.tif")).unwrap();
    check(&path("pos1.tif"), &[11, 12], 1004.0);
    let error = open_image(&path("pos1.tif"), 0).err().unwrap().to_string();
    assert!(
        error.ends_with("is damaged: image 0 of its OME-XML: no page that it names can be read"),
        "{error}"
    );
}

#[test]
fn further_images_of_a_file_are_told_listed_and_opened() {
    let files = Files::new();
    let images = image("left", ONE_PLANE, &(r#"<TiffData IFD="0"/>"#.to_owned() + &position(1)))
        + &image(
            "right",
            ONE_PLANE,
            &(r#"<TiffData IFD="1"/>"#.to_owned() + &position(2)),
        );
    let path = files.write("a.ome.tif", &file(&ome("", &images), &[7, 8]));
    let opened = open_file(&path).unwrap();
    assert_eq!(first_pixels(&*opened), [7]);
    assert_eq!(
        told(&*opened),
        ["image 1 (\"right\") is not used: a file gives one image at a time"]
    );
    assert!(matches!(&opened.left_out()[0].part, Part::Image { index: 1, name } if name == "right"));
    let entries = list_images(&path).unwrap();
    let names = entries
        .iter()
        .map(|entry| (entry.index, entry.metadata.name.clone().unwrap()));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [(0, "left".to_owned()), (1, "right".to_owned())]
    );
    assert_eq!(entries[1].info.shape, [6, 4]);
    assert_eq!(entries[1].metadata.stage_position_um, Some((2.0, 5.0, 0.0)));
    assert_eq!(first_pixels(&*open_image(&path, 1).unwrap()), [8]);
    let second = Selection {
        image: Some(1),
        ..Selection::default()
    };
    let spec = LoaderSpec::with(path.display().to_string(), None, second);
    assert_eq!(first_pixels(&*DefaultImageLoader.open(&spec, None).unwrap()), [8]);
    let error = open_image(&path, 2).err().unwrap();
    assert!(
        matches!(
            error,
            SourceError::NoImage {
                image: 2,
                images: 2,
                ..
            }
        ),
        "{error}"
    );
    let plain = files.write("b.tif", &file("nothing", &[1]));
    let error = open_image(&plain, 1).err().unwrap();
    assert!(
        matches!(
            error,
            SourceError::NoImage {
                image: 1,
                images: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_whatever_its_name_is_the_only_one_of_its_set() {
    let files = Files::new();
    let two = r#"SizeZ="1" SizeC="2" SizeT="1""#;
    for (root, name) in [
        (r#"UUID="u1""#, "before.tif"),
        ("", "before.tif"),
        (r#"UUID="u2""#, "before.tif"),
        (r#"UUID="u2""#, r"C:\run\before.tif"),
        (r#"UUID="u2""#, ""),
    ] {
        let planes = [0, 1].map(|c| data(&format!(r#"FirstC="{c}" IFD="{c}""#), name, "u1"));
        let text = ome(root, &image("", two, &planes.concat()));
        let opened = open_file(&files.write("after.tif", &file(&text, &[3, 4]))).unwrap();
        assert_eq!(opened.metadata().axes.as_deref(), Some("CYX"), "{root} {name}");
        assert_eq!(first_pixels(&*opened), [3, 4], "{root} {name}");
        assert_eq!(told(&*opened), Vec::<String>::new());
    }
}

#[test]
fn a_copy_beside_its_set_gives_its_own_pixels() {
    let files = Files::new();
    let part = |number: u32| {
        image(
            "",
            ONE_PLANE,
            &data(r#"IFD="0""#, &format!("p{number}.tif"), &format!("u{number}")),
        )
    };
    let text = ome("", &(part(0) + &part(1)));
    files.write("p0.tif", &file(&text, &[5]));
    files.write("p1.tif", &file(&text, &[6]));
    let image = open_file(&files.write("copy.tif", &file(&text, &[6]))).unwrap();
    assert_eq!(first_pixels(&*image), [6]);
    assert_eq!(
        told(&*image),
        ["the OME-XML is not used: none of its images has planes in this file"]
    );
}

#[test]
fn a_uuid_that_all_files_share_says_nothing() {
    let files = Files::new();
    let part = |number: u32| image("", ONE_PLANE, &data(r#"IFD="0""#, &format!("p{number}.tif"), "same"));
    let text = ome(r#"UUID="same""#, &(part(0) + &part(1)));
    for number in 0..2_u16 {
        let path = files.write(&format!("p{number}.tif"), &file(&text, &[number + 5]));
        assert_eq!(first_pixels(&*open_file(&path).unwrap()), [number + 5]);
    }
}

#[test]
fn the_document_of_a_set_can_be_a_file_of_its_own() {
    let files = Files::new();
    let parts: String = (0..2)
        .map(|t| {
            data(
                &format!(r#"FirstT="{t}" IFD="0""#),
                &format!("p{t}.tif"),
                &format!("u{t}"),
            )
        })
        .collect();
    files.write(
        "run.companion.ome",
        ome("", &image("run", TWO_TIMES, &(parts + &position(3)))).as_bytes(),
    );
    for number in 0..2_u16 {
        let only = r#"<BinaryOnly MetadataFile="run.companion.ome" UUID="m"/>"#;
        let text = ome(&format!(r#"UUID="u{number}""#), only);
        let path = files.write(&format!("p{number}.tif"), &file(&text, &[number + 5]));
        let image = open_file(&path).unwrap();
        assert_eq!(first_pixels(&*image), [number + 5]);
        assert_eq!(image.metadata().pixel_size_um, Some((0.65, 0.65)));
        assert_eq!(told(&*image), Vec::<String>::new());
    }
}

/// A set of a file for each of two times and two channels, the XML in the first.
fn plane_files(files: &Files) -> Vec<std::path::PathBuf> {
    let name = |c: u16, t: u16| format!("c{c}t{t}.tif");
    let places = [(0, 0), (1, 0), (0, 1), (1, 1)];
    let channels = r#"<Channel ID="a" Name="DAPI"/><Channel ID="b" Name="GFP"/>"#;
    let planes: String = places
        .iter()
        .map(|(c, t)| {
            data(
                &format!(r#"FirstC="{c}" FirstT="{t}" IFD="0""#),
                &name(*c, *t),
                &format!("u{c}{t}"),
            )
        })
        .collect();
    let sizes = r#"SizeZ="1" SizeC="2" SizeT="2""#;
    let full = ome(r#"UUID="u00""#, &image("run", sizes, &(channels.to_owned() + &planes)));
    let write = |(c, t): &(u16, u16)| {
        let only = format!(r#"<BinaryOnly MetadataFile="{}" UUID="u00"/>"#, name(0, 0));
        let only = ome(&format!(r#"UUID="u{c}{t}""#), &only);
        let text = if (*c, *t) == (0, 0) { &full } else { &only };
        files.write(&name(*c, *t), &file(text, &[10 * c + t + 1]))
    };
    places.iter().map(write).collect()
}

#[test]
fn plane_files_give_the_whole_or_their_own_planes() {
    let files = Files::new();
    let paths = plane_files(&files);
    let whole = open_file(&paths[0]).unwrap();
    assert_eq!(whole.metadata().axes.as_deref(), Some("TCYX"));
    assert_eq!(first_pixels(&*whole), [1, 11, 2, 12]);
    assert_eq!(whole.metadata().other_files, paths[1..]);
    let own = Selection {
        own_planes: true,
        ..Selection::default()
    };
    for (path, pixel, channel) in [
        (&paths[0], 1, "DAPI"),
        (&paths[1], 11, "GFP"),
        (&paths[2], 2, "DAPI"),
        (&paths[3], 12, "GFP"),
    ] {
        let image = open_selected(path, own).unwrap();
        assert_eq!(
            (image.info().shape.as_slice(), first_pixels(&*image)),
            (&[6, 4][..], vec![pixel])
        );
        assert_eq!(image.metadata().channel_names, [channel]);
        assert_eq!(image.metadata().pixel_size_um, Some((0.65, 0.65)));
        assert_eq!(told(&*image), Vec::<String>::new());
    }
    // The others are not even opened.
    files.write("c1t0.tif", b"not a TIFF");
    let image = open_selected(&paths[2], own).unwrap();
    assert_eq!((first_pixels(&*image), image.metadata().other_files), (vec![2], vec![]));
    // Those without the XML give their own planes anyway.
    assert_eq!(first_pixels(&*open_file(&paths[3]).unwrap()), [12]);
}

#[test]
fn files_of_a_set_that_are_not_there_are_missing_planes() {
    let files = Files::new();
    let paths = plane_files(&files);
    std::fs::remove_file(&paths[3]).unwrap();
    let image = open_file(&paths[0]).unwrap();
    assert_eq!(image.info().shape, [2, 2, 6, 4]);
    assert_eq!(image.missing_planes(), [3]);
    assert_eq!(told(&*image), ["plane 3 is missing: c1t1.tif is not there"]);
    let error = firsts(&*image)[3].clone().unwrap_err();
    assert!(error.ends_with("plane 3 is missing: c1t1.tif is not there"), "{error}");
    // The XML is not there.
    std::fs::remove_file(&paths[0]).unwrap();
    let image = open_file(&paths[1]).unwrap();
    assert_eq!(first_pixels(&*image), [11]);
    assert_eq!(
        told(&*image),
        ["the OME-XML is not used: it lies in another file: c0t0.tif is not there"]
    );
}

#[test]
fn planes_without_a_page_and_pages_without_a_plane_are_told() {
    let files = Files::new();
    let open = |sizes: &str, inside: &str, pixels: &[u16]| {
        open_file(&files.write("a.tif", &file(&ome("", &image("", sizes, inside)), pixels))).unwrap()
    };
    let four = r#"SizeZ="1" SizeC="1" SizeT="4""#;
    let image = open(four, r#"<TiffData IFD="0" PlaneCount="4"/>"#, &[1, 2]);
    assert_eq!(image.missing_planes(), [2, 3]);
    assert_eq!(
        told(&*image),
        ["planes 2, 3 are missing: the OME-XML puts it on a page beyond the 2 of its file"]
    );
    // Without a list the pages are the planes.
    let image = open(TWO_TIMES, "<MetadataOnly/>", &[1, 2]);
    assert_eq!(
        (first_pixels(&*image), image.metadata().axes.as_deref().unwrap()),
        (vec![1, 2], "TYX")
    );
    let image = open(TWO_TIMES, r#"<TiffData IFD="0" PlaneCount="2"/>"#, &[1, 2, 3]);
    assert_eq!(first_pixels(&*image), [1, 2]);
    assert_eq!(told(&*image), ["page 2 is not used: the OME-XML gives it no plane"]);
    let image = open(
        ONE_PLANE,
        r#"<TiffData FirstC="0" IFD="0"/><TiffData FirstC="1" IFD="1"/>"#,
        &[1, 2],
    );
    assert_eq!(
        told(&*image),
        ["page 1 is not used: the OME-XML gives it FirstC=1, but SizeC=1"]
    );
}

#[test]
fn xml_that_cannot_be_used_is_quoted() {
    let files = Files::new();
    let open = |text: &str| open_file(&files.write("a.tif", &file(text, &[1, 2]))).unwrap();
    let sound = ome("", &image("a", TWO_TIMES, "<TiffData/>"));
    for (before, after) in [("", ""), ("\u{feff}", ""), ("\n", ""), ("", "\n<!-- end -->")] {
        let image = open(&format!("{before}{sound}{after}"));
        assert_eq!(image.metadata().axes.as_deref(), Some("TYX"), "{before:?} {after:?}");
        assert_eq!(told(&*image), Vec::<String>::new());
    }
    let image = open(&sound.replace("Name=\"a\"", "Name=\"a & b\u{1}\""));
    assert_eq!(image.metadata().name.as_deref(), Some("a & b"));
    let told_of = told(&*image);
    assert!(
        told_of[0].starts_with("the exact text of the OME-XML is not used: it is not valid XML"),
        "{told_of:?}"
    );
    let image = open(&sound.replace("</Pixels>", ""));
    assert_eq!(image.metadata().axes.as_deref(), Some("IYX"));
    let told_of = told(&*image);
    assert!(told_of[0].contains("not valid XML"), "{told_of:?}");
    assert!(
        told_of[0].contains(r#"the file says PhysicalSizeX="0.65""#),
        "{told_of:?}"
    );
    // Sizes that do not fit the pages: a stack, with the pixel size all the same.
    let image = open(&sound.replace("SizeX=\"4\"", "SizeX=\"5\""));
    assert_eq!(image.metadata().pixel_size_um, Some((0.65, 0.65)));
    assert_eq!(image.info().shape, [2, 6, 4]);
    let told_of = told(&*image);
    assert!(
        told_of[0].starts_with(
            "the OME-XML is not used: its sizes do not fit its pages, which are 6 x 4 uint16; the file says \
                                DimensionOrder=\"XYZCT\" SizeX=\"5\""
        ),
        "{told_of:?}"
    );
}

#[test]
fn sizes_without_a_usable_unit_are_quoted() {
    let files = Files::new();
    let told_of = |size: &str| {
        let text = ome("", &image("a", TWO_TIMES, "<TiffData/>"));
        let text = text.replace(r#"PhysicalSizeX="0.65" PhysicalSizeY="0.65""#, size);
        let image = open_file(&files.write("a.tif", &file(&text, &[1, 2]))).unwrap();
        assert_eq!(image.metadata().pixel_size_um.is_some(), told(&*image).is_empty());
        told(&*image)
    };
    assert_eq!(
        told_of(r#"PhysicalSizeX="0,65" PhysicalSizeXUnit="µm" PhysicalSizeY="0,65""#),
        [
            "the pixel size is not used: it is not a number above 0 in a known unit; the file says PhysicalSizeX=\"0,65\" \
          PhysicalSizeXUnit=\"µm\" PhysicalSizeY=\"0,65\""
        ]
    );
    assert_eq!(
        told_of(r#"PhysicalSizeX="1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1""#).len(),
        1
    );
    assert_eq!(told_of(r#"PhysicalSizeX="1""#).len(), 1);
    assert_eq!(
        told_of(r#"PhysicalSizeX="1" PhysicalSizeXUnit="?m" PhysicalSizeY="1" PhysicalSizeYUnit="Âµm""#).len(),
        0
    );
}
