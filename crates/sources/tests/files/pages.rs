//! Which pages become the image, and what is told of those that do not.

use std::path::Path;

use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_sources::{
    DefaultImageLoader, ImageLoader, LoaderSpec, OpenImage, PixelType, PlaneMut, Window, open_file,
};

use crate::Files;
use crate::rawtiff::{RawPage, Value, tiff, write};

/// The first pixel of each plane, or the error.
pub(crate) fn firsts(image: &dyn OpenImage) -> Vec<Result<u16, String>> {
    let first = |plane| {
        let mut data = [0; 2];
        let window = Window {
            y: 0,
            x: 0,
            height: 1,
            width: 1,
        };
        let out = PlaneMut {
            data: &mut data,
            row_stride: 2,
        };
        let read = image.read_window(plane, window, out);
        read.map(|()| u16::from_ne_bytes(data)).map_err(|error| {
            assert_eq!(error.fault(), Fault::Data, "{error}");
            error.to_string()
        })
    };
    (0..image.info().planes()).map(first).collect()
}

/// The first pixel of each plane, all of which can be read.
pub(crate) fn first_pixels(image: &dyn OpenImage) -> Vec<u16> {
    firsts(image).into_iter().map(Result::unwrap).collect()
}

pub(crate) fn told(image: &dyn OpenImage) -> Vec<String> {
    image.left_out().iter().map(ToString::to_string).collect()
}

fn all_pixels(path: &Path) -> Vec<u16> {
    let image = open_file(path).unwrap();
    let (height, width) = image.info().plane_size();
    let mut data = vec![0; (height * width * 2) as usize];
    let window = Window {
        y: 0,
        x: 0,
        height,
        width,
    };
    let out = PlaneMut {
        data: &mut data,
        row_stride: width as usize * 2,
    };
    image.read_window(0, window, out).unwrap();
    data.as_chunks()
        .0
        .iter()
        .map(|pixel| u16::from_ne_bytes(*pixel))
        .collect()
}

fn page(first: u16) -> RawPage {
    RawPage::gray(first, 6, 4, 6)
}

#[test]
fn strips_and_codec_do_not_part_pages_of_one_size_and_type() {
    let files = Files::new();
    let mut deflated = page(300).with(259, Value::Short(vec![8]));
    deflated.strips = vec![libdeflate(&deflated.strips[0])];
    let pages = [RawPage::gray(100, 6, 4, 2), page(200), deflated];
    let image = open_file(&files.write("a.tif", &tiff(&pages))).unwrap();
    assert_eq!(image.info().shape, [3, 6, 4]);
    assert_eq!(first_pixels(&*image), [100, 200, 300]);
    assert!(told(&*image).is_empty());
    assert_eq!(image.independent_rows(), None);
}

#[test]
fn pages_of_another_size_are_told_and_levels_are_not() {
    let files = Files::new();
    let open = |pages: &[RawPage]| open_file(&files.write("a.tif", &tiff(pages))).unwrap();
    let image = open(&[page(1), page(2), RawPage::gray(3, 9, 4, 9), RawPage::gray(4, 9, 4, 9)]);
    assert_eq!(first_pixels(&*image), [1, 2]);
    assert_eq!(
        told(&*image),
        ["pages 2, 3 are not used: 9 x 4 uint16, the image is 6 x 4 uint16"]
    );
    // Half the size in both directions: a level of a pyramid, marked or not.
    let image = open(&[page(1), RawPage::gray(3, 3, 2, 3)]);
    assert!(told(&*image).is_empty());
    let thumbnail = RawPage::gray(5, 2, 3, 2).with(254, Value::Long(vec![1]));
    let image = open(&[page(1), thumbnail.clone(), page(2), thumbnail]);
    assert_eq!((first_pixels(&*image), told(&*image)), (vec![1, 2], vec![]));
    // A reduced copy before the image, marked as such; and one that is not.
    let image = open(&[RawPage::gray(9, 3, 2, 3).with(254, Value::Long(vec![1])), page(1)]);
    assert_eq!((first_pixels(&*image), told(&*image)), (vec![1], vec![]));
    let image = open(&[RawPage::gray(9, 3, 2, 3), page(1)]);
    assert_eq!(
        told(&*image),
        ["page 1 is not used: 6 x 4 uint16, the image is 3 x 2 uint16, which is smaller"]
    );
    let image = open(&[page(1), page(2).with(254, Value::Long(vec![4]))]);
    assert_eq!(first_pixels(&*image), [1]);
    assert_eq!(told(&*image), ["page 1 is not used: it is marked as a mask"]);
}

#[test]
fn a_later_page_that_cannot_be_read_leaves_its_place_empty() {
    let files = Files::new();
    let mut cut = page(2);
    cut.counts = Some(vec![u32::MAX]);
    let cut = cut.with(259, Value::Short(vec![5]));
    let unknown = page(3).with(259, Value::Short(vec![34934]));
    let vendor = RawPage {
        tags: vec![(65000, Value::Text(b"vendor\0".to_vec()))],
        ..RawPage::default()
    };
    let bytes = tiff(&[page(1), cut, unknown, vendor, page(4)]);
    let path = files.write("a.tif", &bytes);
    let image = open_file(&path).unwrap();
    assert_eq!(image.info().shape, [4, 6, 4]);
    assert_eq!(image.missing_planes(), [1, 2]);
    let firsts = firsts(&*image);
    assert_eq!((&firsts[0], &firsts[3]), (&Ok(1), &Ok(4)));
    let texts: Vec<String> = firsts[1..3].iter().map(|error| error.clone().unwrap_err()).collect();
    assert!(
        texts[0].contains("plane 1 is missing: strip 0 of page 1 needs 4294967"),
        "{}",
        texts[0]
    );
    assert!(
        texts[1].ends_with("plane 2 is missing: TIFF compression 34934 (JPEG XR) is not supported"),
        "{}",
        texts[1]
    );
    let told = told(&*image);
    assert!(
        told.contains(&"page 3 is not used: page 3 is 0 x 0 with 1 samples, none may be 0".to_owned()),
        "{told:?}"
    );
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn a_broken_chain_keeps_the_sound_pages() {
    let files = Files::new();
    let pages = [page(1), page(2)];
    let check = |bytes: &[u8], expected: &[u16], text: &str| {
        let image = open_file(&files.write("a.tif", bytes)).unwrap();
        assert_eq!(first_pixels(&*image), expected);
        let told = told(&*image);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(text), "{told:?}");
        assert!(!told[0].contains("microscope"), "{told:?}");
    };
    let follows = "what follows page 1 is not used: the directory";
    check(
        &write(&pages, |first| first),
        &[1, 2],
        &format!("{follows} after page 1 is an earlier one again"),
    );
    check(
        &write(&pages, |_| 0x7fff_ffff),
        &[1, 2],
        &format!("{follows} of page 2 needs 2147483649 bytes"),
    );
    let mut bytes = write(&pages, |_| 0);
    let length = bytes.len() as u32;
    bytes = write(&pages, |_| length);
    bytes.extend([0; 6]);
    check(&bytes, &[1, 2], &format!("{follows} of page 2 has no tags"));
    // The file ends with the last entry.
    let mut bytes = tiff(&[page(1)]);
    bytes.truncate(bytes.len() - 4);
    check(
        &bytes,
        &[1],
        "what follows page 0 is not used: the file ends inside the directory of page 0",
    );
}

fn libdeflate(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(bytes, &mut out).unwrap();
    out.truncate(length);
    out
}

#[test]
fn strips_without_a_count_are_read_and_never_black() {
    let files = Files::new();
    let expected: Vec<u16> = (7..31).collect();
    let read = |page: RawPage| all_pixels(&files.write("a.tif", &tiff(&[page])));
    for rows in [6, 2] {
        let mut plain = RawPage::gray(7, 6, 4, rows);
        plain.counts = Some(vec![0; plain.strips.len()]);
        assert_eq!(read(plain), expected);
        let mut deflated = RawPage::gray(7, 6, 4, rows).with(259, Value::Short(vec![8]));
        deflated.strips.iter_mut().for_each(|strip| *strip = libdeflate(strip));
        deflated.counts = Some(vec![0; deflated.strips.len()]);
        assert_eq!(read(deflated), expected);
    }
    // No rows per strip, and sizes with a sign.
    assert_eq!(
        read(RawPage::gray(7, 6, 4, 6).with(278, Value::Long(vec![0]))),
        expected
    );
    let signed = RawPage::gray(7, 6, 4, 6)
        .with(256, Value::SignedLong(vec![4]))
        .with(257, Value::SignedLong(vec![6]));
    assert_eq!(read(signed), expected);
    // A predictor has no meaning without compression.
    assert_eq!(read(page(7).with(317, Value::Short(vec![2]))), expected);
    assert_eq!(read(page(7).with(317, Value::Short(vec![3]))), expected);
    let negative = page(7).with(256, Value::SignedLong(vec![-4]));
    let error = open_file(&files.write("a.tif", &tiff(&[negative])))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.ends_with("is damaged: tag 256 of page 0 is -4, below 0"),
        "{error}"
    );
}

#[test]
fn a_strip_at_position_0_that_has_bytes_is_damaged() {
    let files = Files::new();
    let mut page = page(7);
    page.strips.clear();
    let page = page.with(273, Value::Long(vec![0])).with(279, Value::Long(vec![48]));
    let error = open_file(&files.write("a.tif", &tiff(&[page])))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.ends_with("strip 0 of page 0 has 48 bytes, but no position"),
        "{error}"
    );
}

#[test]
fn deflate_streams_that_end_early_or_late_are_read_and_wrong_ones_are_not() {
    let files = Files::new();
    let expected: Vec<u16> = (7..31).collect();
    let with = |strip: Vec<u8>| {
        let mut page = page(7).with(259, Value::Short(vec![8]));
        page.strips = vec![strip];
        files.write("a.tif", &tiff(&[page]))
    };
    let whole = libdeflate(&page(7).strips[0]);
    let checksum = whole.len() - 4;
    assert_eq!(all_pixels(&with(whole[..checksum].to_vec())), expected);
    // A byte more than the rows, and as much again as they have.
    for more in [1, 48, 5000] {
        let mut pixels = page(7).strips[0].clone();
        pixels.resize(pixels.len() + more, 9);
        assert_eq!(all_pixels(&with(libdeflate(&pixels))), expected);
    }
    let mut wrong = whole.clone();
    wrong[checksum..].copy_from_slice(b"abcd");
    for (strip, text) in [
        (wrong, "its checksum is wrong"),
        (whole[..whole.len() / 2].to_vec(), "bytes of pixels, 48 are needed"),
    ] {
        let image = open_file(&with(strip)).unwrap();
        let error = firsts(&*image)[0].clone().unwrap_err();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn packed_samples_and_half_floats_are_widened() {
    let files = Files::new();
    let mut packed = RawPage::gray(0, 2, 3, 2).with(258, Value::Short(vec![12]));
    // Rows begin at a byte: three samples of 12 bits take five.
    packed.strips = vec![vec![0xab, 0xc1, 0x23, 0x45, 0x60, 0, 0x10, 0x02, 0xff, 0xf0]];
    let path = files.write("a.tif", &tiff(&[packed]));
    assert_eq!(all_pixels(&path), [0xabc, 0x123, 0x456, 0x001, 0x002, 0xfff]);

    let mut half = RawPage::gray(0, 1, 2, 1).with(339, Value::Short(vec![3]));
    half.strips = vec![
        [0x3c00_u16, 0xc100]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    ];
    let image = open_file(&files.write("a.tif", &tiff(&[half]))).unwrap();
    assert_eq!(image.info().pixel_type, PixelType::Float32);
    let mut data = [0; 8];
    let window = Window {
        y: 0,
        x: 0,
        height: 1,
        width: 2,
    };
    let out = PlaneMut {
        data: &mut data,
        row_stride: 8,
    };
    image.read_window(0, window, out).unwrap();
    let values = data.as_chunks::<4>().0.iter().map(|value| f32::from_ne_bytes(*value));
    assert_eq!(values.collect::<Vec<_>>(), [1.0, -2.5]);
}

#[test]
fn values_that_are_shown_otherwise_are_told() {
    let files = Files::new();
    let told = |page: RawPage| told(&*open_file(&files.write("a.tif", &tiff(&[page]))).unwrap());
    assert_eq!(
        told(page(1).with(262, Value::Short(vec![0]))),
        [
            "the inverted gray scale is not used: pixels are given as stored, other programs may show them inverted; the file \
          says WhiteIsZero"
        ]
    );
    let indexed = |colors: Vec<u16>| {
        let mut page = RawPage::gray(0, 2, 2, 2)
            .with(258, Value::Short(vec![8]))
            .with(262, Value::Short(vec![3]));
        page.strips = vec![vec![0, 1, 2, 3]];
        page.with(320, Value::Short(colors))
    };
    let ramp: Vec<u16> = (0..256).map(|value| value * 257).collect();
    assert_eq!(told(indexed(ramp.repeat(3))), Vec::<String>::new());
    let inverted: Vec<u16> = ramp.iter().rev().copied().collect();
    assert_eq!(
        told(indexed(inverted.repeat(3))),
        ["the palette is not used: pixels are given as indices into it"]
    );
}

#[test]
fn colors_are_channels_or_refused() {
    let files = Files::new();
    let color = |first: u16| {
        RawPage::gray(first, 2, 12, 2)
            .with(256, Value::Long(vec![4]))
            .with(258, Value::Short(vec![16; 3]))
            .with(262, Value::Short(vec![2]))
            .with(277, Value::Short(vec![3]))
    };
    let pages: Vec<RawPage> = (0..8).map(|page| color(100 * page)).collect();
    let path = files.write("a.tif", &tiff(&pages)).display().to_string();
    let image = DefaultImageLoader
        .open(&LoaderSpec::with_axes(path, "IYXS"), None)
        .unwrap();
    assert_eq!(image.info().shape, [3, 8, 2, 4]);
    assert_eq!(image.metadata().axes.as_deref(), Some("CZYX"));
    let firsts = first_pixels(&*image);
    assert_eq!(firsts[..8], [0, 100, 200, 300, 400, 500, 600, 700]);
    assert_eq!(firsts[8..10], [1, 101]);

    let mut many = pages;
    many[0] = many[0].clone().described(r#"{"shape": [2, 2, 2, 2, 4, 3]}"#);
    let file_path = files.write("b.tif", &tiff(&many)).display().to_string();
    let error = DefaultImageLoader
        .open(&LoaderSpec::File { file_path }, None)
        .err()
        .unwrap();
    assert_eq!(error.fault(), Fault::Data);
    assert!(
        error
            .to_string()
            .contains("an image of colors with the axes QQQYXS is not supported"),
        "{error}"
    );
}

#[test]
fn a_series_of_tifffile_that_is_cut_has_missing_planes() {
    let files = Files::new();
    let text = r#"{"shape": [4, 6, 4]}"#;
    let pages = [page(1).described(text), page(2), page(3)];
    let image = open_file(&files.write("a.tif", &tiff(&pages))).unwrap();
    assert_eq!(image.info().shape, [4, 6, 4]);
    assert_eq!(image.missing_planes(), [3]);
    assert_eq!(told(&*image), ["plane 3 is missing: the file has 3 of 4 pages"]);
    // A second series behind it.
    let text = r#"{"shape": [2, 6, 4]}"#;
    let image = open_file(&files.write("a.tif", &tiff(&[page(1).described(text), page(2), page(3)]))).unwrap();
    assert_eq!(first_pixels(&*image), [1, 2]);
    assert_eq!(
        told(&*image),
        ["page 2 is not used: the description announces an array of 2 pages"]
    );
}
