//! JPEG, PNG and BMP: values, damage, and what is told.

use std::path::Path;

use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};
use ome_zarr_convert_geometry::Fault;
use ome_zarr_convert_sources::{
    DefaultImageLoader, ImageLoader, LoaderSpec, OpenImage, PixelType, PlaneMut, Window, open_file,
};

use crate::Files;
use crate::pages::told;
use crate::rawtiff::{RawPage, Value, tiff};

/// All pixels of the first `planes` planes.
fn pixels(image: &dyn OpenImage) -> Result<Vec<u8>, String> {
    let (height, width) = image.info().plane_size();
    let row_stride = width as usize * image.info().pixel_type.size_bytes();
    let mut all = Vec::new();
    for plane in 0..image.info().planes() {
        let mut data = vec![0; height as usize * row_stride];
        let window = Window {
            y: 0,
            x: 0,
            height,
            width,
        };
        let out = PlaneMut {
            data: &mut data,
            row_stride,
        };
        image.read_window(plane, window, out).map_err(|error| {
            assert_eq!(error.fault(), Fault::Data);
            error.to_string()
        })?;
        all.extend(data);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let image = open_file(path).map_err(|error| {
        assert_eq!(error.fault(), Fault::Data);
        error.to_string()
    })?;
    pixels(&*image)
}

fn seed(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name)
}

#[test]
fn jpeg_has_the_values_of_libjpeg() {
    // As Pillow 13 (libjpeg-turbo) reads these files: their third row, and the sum of all.
    let gray = read(&seed("l.jpg")).unwrap();
    assert_eq!(gray[18..27], [151, 53, 207, 200, 94, 42, 210, 178, 93]);
    assert_eq!(gray.iter().map(|value| u32::from(*value)).sum::<u32>(), 7081);
    let color = read(&seed("rgb.jpg")).unwrap();
    assert_eq!(color[54..60], [151, 151, 151, 53, 53, 53]);
    assert_eq!(color.iter().map(|value| u32::from(*value)).sum::<u32>(), 21243);
    // As tifffile with imagecodecs reads it.
    assert_eq!(
        read(&seed("jpeg.tif")).unwrap()[18..27],
        [121, 50, 242, 169, 106, 35, 220, 157, 88]
    );
}

/// Noise that does not compress away.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(&mut next).collect()
}

#[test]
fn a_jpeg_that_is_cut_is_an_error_also_inside_tiff() {
    let files = Files::new();
    let (width, height) = (64, 48);
    let source = noise(width * height);
    for progressive in [false, true] {
        let encoder = Encoder::new(&source, width, height, PixelFormat::Grayscale);
        let bytes = encoder
            .quality(90)
            .subsampling(Subsampling::S444)
            .progressive(progressive)
            .encode()
            .unwrap();
        let whole = read(&files.write("a.jpg", &bytes)).unwrap();
        let end = [0xff, 0xd9];
        for length in (100..bytes.len() - 8).step_by(37) {
            // Cut; and cut, but closed by the marker of the end.
            for bytes in [bytes[..length].to_vec(), [&bytes[..length], &end].concat()] {
                assert!(read(&files.write("a.jpg", &bytes)).is_err(), "{progressive} {length}");
                let mut page = RawPage::gray(0, 1, 1, 1)
                    .with(256, Value::Long(vec![width as u32]))
                    .with(257, Value::Long(vec![height as u32]))
                    .with(278, Value::Long(vec![height as u32]))
                    .with(258, Value::Short(vec![8]))
                    .with(259, Value::Short(vec![7]));
                page.strips = vec![bytes];
                assert!(
                    read(&files.write("a.tif", &tiff(&[page]))).is_err(),
                    "{progressive} {length}"
                );
            }
        }
        // What follows the end is not the image's.
        assert_eq!(
            read(&files.write("a.jpg", &[&bytes[..], b"trailing"].concat())).unwrap(),
            whole
        );
    }
}

fn png(color: png::ColorType, depth: png::BitDepth, data: &[u8], palette: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

#[test]
fn color_of_16_bits_stays_so() {
    let files = Files::new();
    for (color, samples) in [
        (png::ColorType::Rgb, 3),
        (png::ColorType::Rgba, 4),
        (png::ColorType::GrayscaleAlpha, 2),
    ] {
        let values: Vec<u16> = (0..2 * samples).map(|value| 1000 + value).collect();
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        let path = files.write("a.png", &png(color, png::BitDepth::Sixteen, &data, None));
        let image = open_file(&path).unwrap();
        assert_eq!(image.info().shape, [1, 2, u64::from(samples)]);
        assert_eq!(image.info().pixel_type, PixelType::UInt16);
        let read = pixels(&*image).unwrap();
        let read: Vec<u16> = read
            .as_chunks()
            .0
            .iter()
            .map(|value| u16::from_ne_bytes(*value))
            .collect();
        assert_eq!(read, values);
    }
}

#[test]
fn palettes_other_than_gray_ramps_are_told() {
    let files = Files::new();
    let told = |palette: &[u8]| {
        let bytes = png(
            png::ColorType::Indexed,
            png::BitDepth::Eight,
            &[0, 1],
            Some(palette.to_vec()),
        );
        let image = open_file(&files.write("a.png", &bytes)).unwrap();
        assert_eq!(pixels(&*image).unwrap(), [0, 1]);
        told(&*image)
    };
    let ramp: Vec<u8> = (0..=255).flat_map(|value| [value; 3]).collect();
    assert_eq!(told(&ramp), Vec::<String>::new());
    assert_eq!(
        told(&[0, 0, 0, 200, 0, 0]),
        ["the palette is not used: pixels are given as indices into it"]
    );
}

#[test]
fn a_png_with_one_wrong_checksum_is_read_and_with_two_is_not() {
    let files = Files::new();
    let data: Vec<u8> = vec![1, 2];
    let bytes = png(png::ColorType::Grayscale, png::BitDepth::Eight, &data, None);
    let at = bytes.windows(4).position(|name| name == b"IDAT").unwrap();
    let length = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    let crc = at + 4 + length;
    let spoiled = |places: &[usize]| {
        let mut bytes = bytes.clone();
        places.iter().for_each(|place| bytes[*place] ^= 0x10);
        read(&files.write("a.png", &bytes))
    };
    assert_eq!(spoiled(&[]).unwrap(), data);
    assert_eq!(spoiled(&[crc]).unwrap(), data);
    assert!(spoiled(&[crc - 1, crc]).is_err());
    // Without its end.
    assert_eq!(read(&files.write("a.png", &bytes[..bytes.len() - 12])).unwrap(), data);
}

/// An 8-bit BMP of 2 x 1 pixels, 1 and 2, with a palette of `colors` and pixels at `offset`.
fn bmp(colors: u32, offset: u32) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0".to_vec();
    for value in [offset, 40, 2, 1, 1 | 8 << 16, 0, 4, 0, 0, colors, 0] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend((0..=255).flat_map(|value| [value, value, value, 0]));
    bytes.resize(offset.max(1078) as usize, 0);
    bytes.truncate(offset as usize);
    bytes.extend([1, 2, 0, 0]);
    bytes.resize(bytes.len().max(1100), 0);
    bytes
}

#[test]
fn pixels_of_a_bmp_do_not_lie_in_its_palette() {
    let files = Files::new();
    assert_eq!(read(&files.write("a.bmp", &bmp(0, 1078))).unwrap(), [1, 2]);
    assert_eq!(read(&files.write("a.bmp", &bmp(4, 70))).unwrap(), [1, 2]);
    let error = read(&files.write("a.bmp", &bmp(0, 54))).unwrap_err();
    assert!(
        error.ends_with("its pixels begin at byte 54, inside its palette of 256 colors, which ends at 1078"),
        "{error}"
    );
}

#[test]
fn a_second_array_in_an_npy_is_told_and_half_floats_are_widened() {
    let files = Files::new();
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = "{'descr': '>f2', 'fortran_order': True, 'shape': (1, 2), }\n";
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend([0x3c, 0x00, 0xc1, 0x00]);
    let path = files.write("a.npy", &bytes);
    let image = open_file(&path).unwrap();
    assert_eq!(image.info().pixel_type, PixelType::Float32);
    let values = pixels(&*image).unwrap();
    let values = values.as_chunks::<4>().0.iter().map(|value| f32::from_ne_bytes(*value));
    assert_eq!(values.collect::<Vec<_>>(), [1.0, -2.5]);
    assert_eq!(told(&*image), Vec::<String>::new());
    bytes.extend([0; 7]);
    assert_eq!(
        told(&*open_file(&files.write("a.npy", &bytes)).unwrap()),
        ["the data behind the array is not used: a file gives its first array; the file says 7 bytes"]
    );
}

#[test]
fn an_npy_that_looks_like_colors_is_not_read_as_three_pixels_wide() {
    let files = Files::new();
    let write = |shape: &str| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(0..126);
        files.write("a.npy", &bytes).display().to_string()
    };
    let open = |spec: LoaderSpec| {
        DefaultImageLoader
            .open(&spec, None)
            .map(|image| image.info().shape.clone())
    };
    let file_path = write("(6, 7, 3)");
    let error = open(LoaderSpec::File {
        file_path: file_path.clone(),
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("an array of [6, 7, 3], whose last axis looks like colors, is not supported"),
        "{error}"
    );
    assert_eq!(
        open(LoaderSpec::with_axes(file_path.clone(), "YXS")).unwrap(),
        [3, 1, 6, 7]
    );
    assert_eq!(open(LoaderSpec::with_axes(file_path, "ZYX")).unwrap(), [6, 7, 3]);
    let file_path = write("(3, 6, 7)");
    assert_eq!(open(LoaderSpec::File { file_path }).unwrap(), [3, 6, 7]);
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_sockets_are_errors_at_once() {
    let files = Files::new();
    let socket = files.path("socket.tif");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let pipe = files.path("pipe.tif");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for (path, what) in [(socket, "a socket"), (pipe, "a pipe"), ("/dev/zero".into(), "a device")] {
        let error = open_file(&path).err().unwrap();
        assert_eq!(error.fault(), Fault::Data);
        assert!(error.to_string().contains(&format!("is {what}, not a file")), "{error}");
    }
}
