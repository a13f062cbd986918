//! ImageJ stacks: pages that are not listed, counts that do not fit, and what the description says of values.

use ome_zarr_convert_sources::{FileMetadata, PixelType, open_file};

use crate::Files;
use crate::pages::{first_pixels, firsts, told};
use crate::rawtiff::{RawPage, Value, tiff};

fn page(first: u16) -> RawPage {
    RawPage::gray(first, 6, 4, 6)
}

fn stack(text: &str, pages: &[u16]) -> Vec<u8> {
    let mut pages: Vec<RawPage> = pages.iter().map(|first| page(*first)).collect();
    let resolution = Value::Rational(4, 1);
    let first = pages[0].clone().described(text);
    pages[0] = first.with(282, resolution.clone()).with(283, resolution);
    tiff(&pages)
}

/// One directory, the pixels of more pages behind those of the first.
fn unlisted(text: &str, pages: &[u16]) -> Vec<u8> {
    let mut first = page(0).described(text);
    first.strips = vec![pages.iter().flat_map(|first| page(*first).strips[0].clone()).collect()];
    first.counts = Some(vec![48]);
    tiff(&[first])
}

#[test]
fn pages_that_are_not_listed_are_found() {
    let files = Files::new();
    for text in ["ImageJ=1\nimages=3\nslices=3\n", "ImageJ=1\nimages=3\n"] {
        let image = open_file(&files.write("a.tif", &unlisted(text, &[1, 2, 3]))).unwrap();
        assert_eq!(first_pixels(&*image), [1, 2, 3], "{text}");
        assert_eq!(told(&*image), Vec::<String>::new());
    }
}

#[test]
fn a_stack_whose_end_was_cut_off_has_missing_planes() {
    let files = Files::new();
    // The directory of the writer above lies behind the pixels: its place is taken by one more plane.
    let bytes = unlisted("ImageJ=1\nimages=90\nslices=90\n", &(1..=40).collect::<Vec<_>>());
    let image = open_file(&files.write("a.tif", &bytes)).unwrap();
    let missing = image.missing_planes();
    let held = image.info().planes() as usize - missing.len();
    assert!(image.info().planes() == 1 || (40..50).contains(&held), "{held}");
    if image.info().planes() > 1 {
        assert!(firsts(&*image).last().unwrap().is_err());
    }
    assert!(!told(&*image).is_empty());
}

#[test]
fn counts_that_do_not_fit_keep_all_pages_and_the_sizes() {
    let files = Files::new();
    for says in [
        "images=2\nslices=2",
        "images=5\nslices=5",
        "images=6\nchannels=2\nslices=3",
    ] {
        let text = format!("ImageJ=1\n{says}\nunit=micron\nspacing=-2.5\n");
        let image = open_file(&files.write("a.tif", &stack(&text, &[1, 2, 3]))).unwrap();
        assert_eq!(first_pixels(&*image), [1, 2, 3]);
        let expected = FileMetadata {
            pixel_size_um: Some((0.25, 0.25)),
            z_spacing_um: Some(2.5),
            axes: Some("IYX".into()),
            ..FileMetadata::default()
        };
        assert_eq!(image.metadata(), expected);
        assert_eq!(
            told(&*image),
            [format!(
                "the number of images is not used: it does not fit the 3 pages of the image, which become one axis; the file \
                 says {}",
                says.replace('\n', " ")
            )]
        );
    }
}

#[test]
fn times_and_distances_have_their_units() {
    let files = Files::new();
    let image = |text: &str| open_file(&files.write("a.tif", &stack(text, &[1, 2, 3]))).unwrap();
    let frames = |more: &str| image(&format!("ImageJ=1\nimages=3\nframes=3\nunit=micron\n{more}"));
    assert_eq!(frames("finterval=500\ntunit=ms\n").metadata().t_spacing_s, Some(0.5));
    assert_eq!(frames("finterval=2\ntunit=min\n").metadata().t_spacing_s, Some(120.0));
    assert_eq!(frames("fps=20\n").metadata().t_spacing_s, Some(0.05));
    let unknown = frames("finterval=2\ntunit=moons\n");
    assert_eq!(
        (unknown.metadata().t_spacing_s, told(&*unknown)),
        (
            None,
            vec![
                "the time between frames is not used: its unit is not known; the file says finterval=2 moons"
                    .to_owned()
            ]
        )
    );
    let comma = image("ImageJ=1\nimages=3\nslices=3\nunit=micron\nspacing=2,5\n");
    assert_eq!(
        told(&*comma),
        ["the z spacing is not used: it is not a length above 0; the file says spacing=2,5 micron"]
    );
}

#[test]
fn a_screens_resolution_is_no_pixel_size() {
    let files = Files::new();
    let size = |pixels: u32| {
        let resolution = Value::Rational(pixels, 1);
        let page = page(1).described("ImageJ=1\n").with(296, Value::Short(vec![2]));
        let page = page.with(282, resolution.clone()).with(283, resolution);
        open_file(&files.write("a.tif", &tiff(&[page])))
            .unwrap()
            .metadata()
            .pixel_size_um
    };
    assert_eq!(size(72), None);
    assert_eq!(size(254), Some((100.0, 100.0)));
}

#[test]
fn signed_values_and_calibrated_ones() {
    let files = Files::new();
    let image = |text: &str| {
        let page = RawPage::gray(0x7fff, 1, 2, 1).described(text);
        open_file(&files.write("a.tif", &tiff(&[page]))).unwrap()
    };
    let signed = image("ImageJ=1\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=Gray Value\n");
    assert_eq!(signed.info().pixel_type, PixelType::Int16);
    assert_eq!(first_pixels(&*signed), [(-1_i16).cast_unsigned()]);
    assert_eq!(told(&*signed), Vec::<String>::new());
    let calibrated = image("ImageJ=1\ncf=0\nc0=-1024.0\nc1=1.0\nvunit=HU\n");
    assert_eq!(calibrated.info().pixel_type, PixelType::UInt16);
    assert_eq!(
        told(&*calibrated),
        [
            "the calibration of gray values is not used: pixels are given as stored; the file says cf=0 c0=-1024.0 c1=1.0 \
          vunit=HU"
        ]
    );
    assert_eq!(told(&*image("ImageJ=1\nmin=0\nmax=3\n")), Vec::<String>::new());
}
