//! Makes the test acquisitions of this folder as bytes in memory: one source for the example that writes them and for
//! the test that holds the committed files against it.
//!
//! Everything is integer arithmetic on a seeded generator, so that every platform makes the same bytes.

use std::error::Error;
use std::io::Cursor;

/// One file: its path below the test data folder, with `/`, and its bytes.
pub(crate) type File = (String, Vec<u8>);

/// All files, in the order of the tables that name them.
pub(crate) fn files() -> Result<Vec<File>, Box<dyn Error>> {
    let mut files = hcs_plate()?;
    files.extend(single_images()?);
    Ok(files)
}

/// Stage positions are counted in ten-thousandths of a micrometre, so that their text is exact.
const UNITS_PER_UM: i64 = 10_000;
/// 0.65 µm.
const UNITS_PER_PIXEL: i64 = 6_500;
/// Stage error of one file: up to 0.2 px either way.
const JITTER_UNITS: i64 = UNITS_PER_PIXEL / 5;

/// Two wells of 2×2 fields, 2 channels, 2 planes, one TIFF each; fields are 120 rows by 160 columns and overlap by a
/// tenth. Positions are relative to the centre of the well, as many stages report them.
fn hcs_plate() -> Result<Vec<File>, Box<dyn Error>> {
    const HEIGHT: i64 = 120;
    const WIDTH: i64 = 160;
    let (step_y, step_x) = (HEIGHT - HEIGHT / 10, WIDTH - WIDTH / 10);
    let mut table = String::from(
        "file_path,row,column,fov_name,start_x,start_y,start_z,start_c,start_t,\
         length_x,length_y,length_z,length_c,length_t,drug\n",
    );
    let mut files = Vec::new();
    for (row, column, drug) in [("B", 3, "DMSO"), ("C", 5, "Nocodazole")] {
        let mut stage = Random::new(1000 + column);
        for field in 0..4 {
            let (y, x) = (field / 2 * step_y, field % 2 * step_x);
            for channel in 0..2 {
                for plane in 0..2 {
                    let scene = Scene::new(column * 10 + channel, HEIGHT + step_y, WIDTH + step_x, 40);
                    // The second plane is out of focus: the same blobs, wider and dimmer.
                    let pixels = scene.camera(y, x, HEIGHT, WIDTH, 100 + 35 * plane, &mut stage);
                    let name = format!("{row}{column:02}_F{field:03}_C{channel}_Z{plane:02}.tif");
                    let start_x = (x - step_x / 2) * UNITS_PER_PIXEL + stage.within(JITTER_UNITS);
                    let start_y = (y - step_y / 2) * UNITS_PER_PIXEL + stage.within(JITTER_UNITS);
                    table += &format!(
                        "{name},{row},{column},FOV_{},{},{},{plane},{channel},0,{WIDTH},{HEIGHT},1,1,1,{drug}\n",
                        field + 1,
                        micrometres(start_x),
                        micrometres(start_y),
                    );
                    files.push((format!("hcs_plate/data/{name}"), tiff(&pixels, HEIGHT, WIDTH)?));
                }
            }
        }
    }
    let details = "\
start_z_space = \"pixel\"
start_t_space = \"pixel\"
xy_pixel_size = 0.65
z_spacing = 5.0
t_spacing = 1.0
channel_names = [\"DAPI\", \"GFP\"]
wavelengths = [\"405\", \"488\"]
axes = [\"c\", \"z\", \"y\", \"x\"]
";
    files.push(("hcs_plate/tiles.csv".into(), table.into_bytes()));
    files.push(("hcs_plate/acquisition_details.toml".into(), details.into()));
    Ok(files)
}

/// Two images of two fields side by side, 64 rows by 80 columns, one channel, no z axis, 16-bit gray PNG.
fn single_images() -> Result<Vec<File>, Box<dyn Error>> {
    const HEIGHT: i64 = 64;
    const WIDTH: i64 = 80;
    let step_x = WIDTH - WIDTH / 10;
    let mut table = String::from("file_path,image_path,fov_name,start_x,start_y,length_x,length_y,genotype\n");
    let mut files = Vec::new();
    for (embryo, genotype) in [(1, "wild type"), (2, "mutant")] {
        let mut stage = Random::new(2000 + embryo);
        let scene = Scene::new(200 + embryo, HEIGHT, WIDTH + step_x, 25);
        for field in 0..2 {
            let pixels = scene.camera(0, field * step_x, HEIGHT, WIDTH, 100, &mut stage);
            let name = format!("embryo_{embryo}_field_{}.png", field + 1);
            let start_x = field * step_x * UNITS_PER_PIXEL + stage.within(JITTER_UNITS);
            let start_y = stage.within(JITTER_UNITS);
            table += &format!(
                "{name},embryo_{embryo},FOV_{},{},{},{WIDTH},{HEIGHT},{genotype}\n",
                field + 1,
                micrometres(start_x),
                micrometres(start_y),
            );
            files.push((format!("single_images/data/{name}"), png(&pixels, HEIGHT, WIDTH)?));
        }
    }
    let details = "\
xy_pixel_size = 0.65
channel_names = [\"Brightfield\"]
axes = [\"c\", \"y\", \"x\"]
";
    files.push(("single_images/tiles.csv".into(), table.into_bytes()));
    files.push(("single_images/acquisition_details.toml".into(), details.into()));
    Ok(files)
}

/// What lies under the microscope: round blobs, the same for every field that sees them.
struct Scene {
    /// Row, column, radius (px) and peak (gray values) of each blob.
    blobs: Vec<[i64; 4]>,
}

impl Scene {
    fn new(seed: i64, height: i64, width: i64, count: usize) -> Self {
        let mut random = Random::new(seed);
        let blobs = (0..count)
            .map(|_| {
                [
                    random.below(height),
                    random.below(width),
                    4 + random.below(14),
                    300 + random.below(3000),
                ]
            })
            .collect();
        Self { blobs }
    }

    /// The field of `height` × `width` pixels at `(y, x)`, row by row, with shot noise over an offset of 100 gray
    /// values. `blur_percent` widens the blobs; 100 is in focus.
    fn camera(&self, y: i64, x: i64, height: i64, width: i64, blur_percent: i64, noise: &mut Random) -> Vec<u16> {
        let mut pixels = Vec::new();
        for row in y..y + height {
            for column in x..x + width {
                let mut signal = 100;
                for &[blob_y, blob_x, radius, peak] in &self.blobs {
                    let radius = radius * blur_percent / 100;
                    let (square, distance) = (radius * radius, (row - blob_y).pow(2) + (column - blob_x).pow(2));
                    // A rational bell instead of exp(), whose last bit differs between platforms.
                    signal += peak * 100 / blur_percent * square * square / (square + distance).pow(2);
                }
                let value = signal + noise.bell() * signal.isqrt() * 6 / 10 / BELL_DEVIATION;
                pixels.push(value.clamp(0, i64::from(u16::MAX)) as u16);
            }
        }
        pixels
    }
}

/// Standard deviation of [`Random::bell`]: four uniform numbers of ±1000 add up to about 1155.
const BELL_DEVIATION: i64 = 1155;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn new(seed: i64) -> Self {
        Self(seed.unsigned_abs())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `end`.
    fn below(&mut self, end: i64) -> i64 {
        (self.next() >> 33) as i64 % end
    }

    /// From `-most` to `most`.
    fn within(&mut self, most: i64) -> i64 {
        self.below(2 * most + 1) - most
    }

    /// Bell-shaped around 0.
    fn bell(&mut self) -> i64 {
        (0..4).map(|_| self.within(1000)).sum()
    }
}

/// Ten-thousandths of a micrometre as micrometres with four decimals.
fn micrometres(units: i64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", units.abs() / UNITS_PER_UM, units.abs() % UNITS_PER_UM)
}

/// An uncompressed TIFF of a single strip.
fn tiff(pixels: &[u16], height: i64, width: i64) -> Result<Vec<u8>, Box<dyn Error>> {
    let (height, width) = (u32::try_from(height)?, u32::try_from(width)?);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes)?;
    let mut image = encoder.new_image::<tiff::encoder::colortype::Gray16>(width, height)?;
    image.rows_per_strip(height)?;
    image.write_data(pixels)?;
    Ok(bytes.into_inner())
}

/// A 16-bit gray PNG.
fn png(pixels: &[u16], height: i64, width: i64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Sixteen);
    // The compressor of the png crate itself: that of other levels depends on what else is built.
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(bytes)
}
