"""Image files of every supported kind, read by ours and by the libraries of the reference, compared value by value.

Needs tifffile, imagecodecs, Pillow, numpy and pytest, and in OZC_DUMP_IMAGE the example `dump_image` of the crate
`ome-zarr-convert-sources` (`cargo build --release -p ome-zarr-convert-sources --example dump_image`).
"""

import os
import re
import struct
import subprocess
import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

DUMP = os.environ.get("OZC_DUMP_IMAGE")
pytestmark = pytest.mark.skipif(not DUMP, reason="OZC_DUMP_IMAGE is not set")


def pixels(shape, dtype, seed=0):
    """Smooth with noise, so that every codec has something to do and every bit is used."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    size = int(np.prod(shape))
    ramp = np.linspace(0, 1, size).reshape(shape)
    noise = rng.random(shape)
    if dtype.kind == "f":
        return ((ramp + noise) * 1000 - 300).astype(dtype)
    if dtype.kind == "b":
        return noise > 0.6
    info = np.iinfo(dtype)
    low, high = float(info.min), float(info.max)
    return np.clip(low + (high - low) * (0.9 * ramp + 0.1 * noise), low, high * 0.999).astype(dtype)


def run(path, out):
    return subprocess.run([DUMP, str(path), str(out)], capture_output=True, text=True, timeout=60)


def ours(path, tmp_path):
    """The array, tifffile's axes and the metadata line."""
    out = tmp_path / "dump.raw"
    result = run(path, out)
    assert result.returncode == 0, result.stderr
    (shape, dtype, axes, metadata), said = result.stdout.splitlines()[:4], result.stdout.splitlines()[4:]
    shape, found = eval(shape), np.fromfile(out, np.dtype(dtype).newbyteorder("<"))
    missing = [eval(line.removeprefix("missing planes: ")) for line in said if line.startswith("missing planes: ")]
    if missing:
        # tifffile gives zeros there, ours an error.
        whole = np.zeros((np.prod(shape[:-2]), *shape[-2:]), found.dtype)
        whole[[plane for plane in range(len(whole)) if plane not in missing[0]]] = found.reshape(-1, *shape[-2:])
        found = whole
    return found.reshape(shape), axes, metadata


def same(path, expected, tmp_path, axes=None):
    found, found_axes, metadata = ours(path, tmp_path)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype.newbyteorder("<")
    np.testing.assert_array_equal(found, expected)
    if axes is not None:
        assert found_axes == axes
    return metadata


def same_tiff(path, tmp_path):
    with tifffile.TiffFile(path) as tif:
        return same(path, tif.asarray(), tmp_path, tif.series[0].axes)


LAYOUTS = {
    "strip1": {"rowsperstrip": 1},
    "strip16": {"rowsperstrip": 16},
    "one strip": {},
    "tile": {"tile": (48, 64)},
}
CODECS = [
    (None, False),
    ("lzw", False),
    ("lzw", True),
    ("zlib", False),
    ("zlib", True),
    ("adobe_deflate", False),
    ("packbits", False),
    ("zstd", False),
    ("zstd", True),
]
CASES = [
    pytest.param(dtype, order, big, layout, codec, predictor, id=f"{dtype}{order}{big}-{layout}-{codec}-{predictor}")
    for dtype in ("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8")
    for order, big in (("<", False), (">", False), ("<", True))
    for layout in LAYOUTS
    for codec, predictor in CODECS
    # Some of each: every pair of two properties occurs.
    if (dtype, order, big) in {("u2", "<", False), ("u2", ">", False), ("f4", ">", False), ("u1", "<", True)}
    or (layout in ("strip16", "tile") and codec in (None, "lzw", "zlib") and not big)
]


@pytest.mark.parametrize(("dtype", "order", "big", "layout", "codec", "predictor"), CASES)
def test_layouts_and_codecs(tmp_path, dtype, order, big, layout, codec, predictor):
    path = tmp_path / "a.tif"
    data = pixels((150, 203), dtype)
    if predictor:
        predictor = 3 if dtype[0] == "f" else 2
    tifffile.imwrite(
        path,
        data,
        byteorder=order,
        bigtiff=big,
        compression=codec,
        predictor=predictor or None,
        metadata=None,
        **LAYOUTS[layout],
    )
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("codec", [None, "lzw", "zlib"])
@pytest.mark.parametrize("layout", ["one strip", "strip16", "tile"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(("dtype", "samples"), [("u1", 3), ("u2", 3), ("u1", 4), ("u2", 2), ("f4", 5)])
def test_samples(tmp_path, codec, layout, planar, dtype, samples):
    path = tmp_path / "a.tif"
    shape = (70, 101, samples) if planar == "contig" else (samples, 70, 101)
    tifffile.imwrite(
        path,
        pixels(shape, dtype),
        photometric="rgb" if samples in (3, 4) else "minisblack",
        planarconfig=planar,
        compression=codec,
        predictor=bool(codec),
        metadata=None,
        **LAYOUTS[layout],
    )
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("bits", [1])
@pytest.mark.parametrize("codec", [None, "packbits", "zlib"])
def test_bits(tmp_path, bits, codec):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels((37, 45), "?"), compression=codec, metadata=None, rowsperstrip=8)
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 3), (3, 33, 41)])
@pytest.mark.parametrize("layout", ["one strip", "strip16", "tile"])
def test_jpeg_in_tiff(tmp_path, shape, layout):
    path = tmp_path / "a.tif"
    rgb = shape[-1] == 3
    data = (np.indices(shape).sum(0) % 251).astype("u1")
    options = dict(LAYOUTS[layout])
    for photometric, options["compressionargs"] in (
        ("rgb" if rgb else "minisblack", {}),
        *([("rgb", {"outcolorspace": "ycbcr"})] if rgb else []),
    ):
        tifffile.imwrite(path, data, photometric=photometric, compression="jpeg", metadata=None, **options)
        expected = tifffile.imread(path).astype(int)
        found, _, _ = ours(path, tmp_path)
        assert found.shape == expected.shape
        # Decoders round the inverse transform differently.
        assert np.abs(found.astype(int) - expected).max() <= 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("codec", [None, "lzw"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((5, 40, 50), "ZYX"),
        ((2, 3, 40, 50), "TZYX"),
        ((2, 3, 40, 50), "ZCYX"),
        ((2, 1, 3, 40, 50), "TZCYX"),
        ((1, 40, 50), "CYX"),
        ((40, 50), "YX"),
        ((40, 50, 3), "YXS"),
        ((2, 40, 50, 3), "ZYXS"),
    ],
)
@pytest.mark.parametrize("kind", ["imagej", "ome", "shaped", "no axes", "plain"])
def test_series(tmp_path, kind, shape, axes, codec, order):
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    options = {
        "imagej": {"imagej": True, "metadata": {"axes": axes}},
        "ome": {"ome": True, "metadata": {"axes": axes}},
        "shaped": {"metadata": {"axes": axes}},
        "no axes": {},
        "plain": {"metadata": None},
    }[kind]
    data = pixels(shape, "u1" if kind == "imagej" and axes.endswith("S") else "u2")
    photometric = "rgb" if axes.endswith("S") else "minisblack"
    tifffile.imwrite(path, data, byteorder=order, compression=codec, photometric=photometric, **options)
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("shape", [(1, 1, 10, 20), (7, 30, 1), (5, 1, 1), (2, 3, 4, 5, 6), (4, 20, 30, 4), (1, 3)])
def test_odd_shapes(tmp_path, shape):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(shape, "u2"), photometric="minisblack")
    same_tiff(path, tmp_path)
    tifffile.imwrite(path, pixels(shape, "u2"), photometric="minisblack", compression="zlib")
    same_tiff(path, tmp_path)


def test_pages_of_different_kinds(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for number, shape in enumerate([(30, 40), (30, 40), (10, 12), (30, 40)]):
            tif.write(pixels(shape, "u2", number), metadata=None, contiguous=False)
    same_tiff(path, tmp_path)
    with tifffile.TiffWriter(path) as tif:
        for number, shape in enumerate([(2, 30, 40), (10, 12)]):
            tif.write(pixels(shape, "u2", number), photometric="minisblack")
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_imagej_pages_not_listed(tmp_path, bigtiff, order):
    """ImageJ lists only the first page of a file above 4 GB, and tifffile with `truncate`."""
    path = tmp_path / "a.tif"
    data = pixels((6, 40, 50), "u2")
    kind = {"imagej": True} if not bigtiff else {"bigtiff": True}
    tifffile.imwrite(path, data, byteorder=order, truncate=True, photometric="minisblack", **kind)
    same_tiff(path, tmp_path)
    text = "ImageJ=1.53t\nimages=6\nslices=6\nunit=micron\nspacing=2.0\nloop=false\n"
    with tifffile.TiffWriter(path, byteorder=order, bigtiff=bigtiff) as tif:
        tif.write(data[0], description=text, metadata=None, resolution=(4, 2))
    with open(path, "ab") as file:
        file.write(data[1:].astype(data.dtype.newbyteorder(order)).tobytes())
    metadata = same_tiff(path, tmp_path)
    assert "pixel_size_um: Some((0.25, 0.5))" in metadata
    assert "z_spacing_um: Some(2.0)" in metadata


def test_imagej_metadata(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        pixels((3, 4, 2, 20, 30), "u2"),
        imagej=True,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 1.5, "finterval": 60.0},
    )
    metadata = same_tiff(path, tmp_path)
    assert "z_spacing_um: Some(1.5)" in metadata
    assert "t_spacing_s: Some(60.0)" in metadata
    assert "pixel_size_um: Some((0.65" in metadata or "pixel_size_um: Some((0.64999" in metadata


def test_ome_metadata(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        pixels((2, 3, 4, 20, 30), "u2"),
        ome=True,
        metadata={
            "axes": "TCZYX",
            "PhysicalSizeX": 325.0,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.325,
            "PhysicalSizeZ": 2.0,
            "TimeIncrement": 0.5,
            "TimeIncrementUnit": "min",
            "Channel": {"Name": ["DAPI", "GFP", "Cy5"]},
            "Plane": {
                "PositionX": [-1.5] * 24,
                "PositionXUnit": ["mm"] * 24,
                "PositionY": [20.0] * 24,
                "PositionYUnit": ["µm"] * 24,
            },
        },
    )
    metadata = same_tiff(path, tmp_path)
    assert "pixel_size_um: Some((0.325" in metadata
    assert "z_spacing_um: Some(2.0)" in metadata
    assert "t_spacing_s: Some(30.0)" in metadata
    assert "stage_position_um: Some((-1500.0, 20.0, 0.0))" in metadata
    assert 'channel_names: ["DAPI", "GFP", "Cy5"]' in metadata


OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" {uuid}>
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" SizeX="30" SizeY="20" SizeZ="{z}"
SizeC="{c}" SizeT="{t}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{data}</Pixels></Image></OME>"""


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT", "XYTCZ", "XYZTC"])
def test_ome_planes_in_any_order(tmp_path, order):
    path = tmp_path / "a.ome.tif"
    sizes = {"z": 2, "c": 3, "t": 2}
    shuffled = np.random.default_rng(1).permutation(12)
    data = "".join(
        f'<TiffData IFD="{shuffled[(t * 3 + c) * 2 + z]}" FirstZ="{z}" FirstC="{c}" FirstT="{t}" PlaneCount="1"/>'
        for t in range(2)
        for c in range(3)
        for z in range(2)
        if (t, c, z) != (1, 1, 1)  # a missing plane
    )
    with tifffile.TiffWriter(path) as tif:
        for page in range(12):
            text = OME.format(uuid="", order=order, data=data, **sizes) if page == 0 else None
            tif.write(pixels((20, 30), "u2", page), description=text, metadata=None, contiguous=False)
    same_tiff(path, tmp_path)


def test_ome_set_of_files(tmp_path):
    names = [f"c{channel}.ome.tif" for channel in range(3)]
    uuids = [f"urn:uuid:{uuid.uuid4()}" for _ in names]
    data = "".join(
        f'<TiffData FirstC="{channel}" FirstZ="0" FirstT="0" IFD="0" PlaneCount="4">'
        f'<UUID FileName="{name}">{text}</UUID></TiffData>'
        for channel, (name, text) in enumerate(zip(names, uuids, strict=True))
    )
    for channel, name in enumerate(names):
        text = OME.format(uuid=f'UUID="{uuids[channel]}"', order="XYZCT", z=4, c=3, t=1, data=data)
        with tifffile.TiffWriter(tmp_path / name) as tif:
            for z in range(4):
                options = {"description": text} if z == 0 else {}
                tif.write(pixels((20, 30), "u2", channel * 4 + z), metadata=None, contiguous=False, **options)
    for name in names:
        same_tiff(tmp_path / name, tmp_path)
    # With a companion gone its planes are missing, which is told; reading one of them would be an error.
    (tmp_path / "sub").mkdir()
    os.rename(tmp_path / names[2], tmp_path / "sub" / names[2])
    result = run(tmp_path / names[0], tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert f"left out: planes 8 to 11 are missing: {names[2]} is not there" in result.stdout
    assert "missing planes: [8, 9, 10, 11]" in result.stdout


def test_stk(tmp_path):
    path = tmp_path / "a.stk"
    data = pixels((4, 20, 30), "u2")
    with tifffile.TiffWriter(path) as tif:
        extra = [
            (33629, 5, 4, tuple(n for z in range(4) for n in (z + 1, 2)), True),
            (33628, 4, 1, (0,), True),
        ]
        tif.write(data[0], metadata=None, extratags=extra)
    # What tifffile cannot write: planes behind the first one, and the long form of the tags.
    raw = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", raw, 4)
    (count,) = struct.unpack_from("<H", raw, first)
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[0].dataoffsets[0]
    raw = raw[:start] + data.astype("<u2").tobytes()
    end = len(raw)
    for z in range(4):
        raw += struct.pack("<6I", 3, 2, 2459000, 1000 * z, 2459000, 1000 * z)
    uic1 = len(raw)
    units = uic1 + 3 * 8 + 16
    raw += struct.pack("<6I", 4, uic1 + 24, 5, uic1 + 32, 6, units)
    raw += struct.pack("<4I", 13, 20, 13, 20) + struct.pack("<I", 3) + b"um\0"
    for entry in range(count):
        at = first + 2 + 12 * entry
        (tag,) = struct.unpack_from("<H", raw, at)
        if tag == 33629:
            struct.pack_into("<HHII", raw, at, tag, 5, 4, end)
        if tag == 33628:
            struct.pack_into("<HHII", raw, at, tag, 4, 3, uic1)
    path.write_bytes(raw)
    metadata = same_tiff(path, tmp_path)
    assert "pixel_size_um: Some((0.65, 0.65))" in metadata
    assert "z_spacing_um: Some(1.5)" in metadata


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("first", ["ome", "imagej"])
def test_two_descriptions(tmp_path, first, bigtiff, order):
    """Micro-Manager describes its pages twice: the first description counts for OME, any for ImageJ."""
    path = tmp_path / "a.ome.tif"
    ome = OME.format(uuid="", order="XYZCT", z=1, c=4, t=1, data="<TiffData/>")
    imagej = "ImageJ=1.48v\nimages=4\nslices=4\n"
    texts = (ome, imagej) if first == "ome" else (imagej, ome)
    with tifffile.TiffWriter(path, byteorder=order, bigtiff=bigtiff) as tif:
        for page in range(4):
            extra = [(271, 2, None, texts[1], True)] if page == 0 else []
            options = {"description": texts[0]} if page == 0 else {}
            data = pixels((20, 30), "u2", page)
            tif.write(data, metadata=None, contiguous=False, extratags=extra, **options)
    # tifffile refuses to write the second one under its number.
    raw = path.read_bytes()
    assert raw.count(struct.pack(order + "HH", 271, 2)) == 1
    path.write_bytes(raw.replace(struct.pack(order + "HH", 271, 2), struct.pack(order + "HH", 270, 2)))
    with tifffile.TiffFile(path) as tif:
        assert len(tif.pages[0].tags.getall(270)) == 2
    same_tiff(path, tmp_path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_tags_of_unknown_type(tmp_path, bigtiff, order):
    path = tmp_path / "a.tif"
    extra = [(65000, 4, 1, 7, False), (40000, 4, 1, 7, False)]
    tifffile.imwrite(path, pixels((2, 20, 30), "u2"), byteorder=order, bigtiff=bigtiff, extratags=extra, metadata=None)
    raw = bytearray(path.read_bytes())
    count = struct.pack(order + ("Q" if bigtiff else "I"), 1)
    for tag in (65000, 40000):
        entry = struct.pack(order + "HH", tag, 4) + count
        assert raw.count(entry) == 2
        raw = raw.replace(entry, struct.pack(order + "HH", tag, 99) + count)
    path.write_bytes(raw)
    same_tiff(path, tmp_path)


def test_what_the_document_lists(tmp_path):
    """Every suffix and compression of docs/formats.md is read, and the latter is among those compared above."""
    text = (Path(__file__).parents[2] / "docs/formats.md").read_text()
    suffixes = re.findall(r"^\| `(\.\w+)` \| (\w+)", text, re.M)
    assert len(suffixes) == 11
    gray = pixels((20, 30), "u1")
    for suffix, kind in suffixes:
        path = tmp_path / f"a{suffix}"
        if kind == "TIFF":
            tifffile.imwrite(path, gray)
        elif kind == "NPY":
            np.save(path, gray)
        else:
            Image.fromarray(gray).save(path)
        assert ours(path, tmp_path)[0].shape == gray.shape
    compressions = re.findall(r"^\| (\w+) \| ([\d, ]+) \| none", text, re.M)
    numbers = {int(number) for _, codes in compressions for number in codes.split(",")}
    names = {(codec or "none").upper().replace("ZLIB", "ADOBE_DEFLATE") for codec, _ in CODECS}
    compared = {int(tifffile.COMPRESSION[name]) for name in names}
    # Deflate and Zstd have a second number each; JPEG is compared above with a tolerance.
    # The rest is held against files of their own in crates/sources.
    assert numbers == compared | {7, 32946, 34926, 34887, 34925, 34927, 50001}


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "RGB", "RGBA", "P", "LA"])
def test_png(tmp_path, mode):
    path = tmp_path / "a.png"
    data = pixels((40, 51), "u1")
    if mode == "I;16":
        image = Image.fromarray(pixels((40, 51), "u2"))
    else:
        image = Image.fromarray(data).convert(mode)
    image.save(path)
    same(path, np.array(Image.open(path)), tmp_path)


@pytest.mark.parametrize("bits", [2, 4])
def test_png_of_few_colours(tmp_path, bits):
    path = tmp_path / "a.png"
    image = Image.fromarray(pixels((10, 13), "u1") >> (8 - bits)).convert("P")
    image.save(path, bits=bits)
    same(path, np.array(Image.open(path)), tmp_path)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(tmp_path, mode):
    path = tmp_path / "a.jpg"
    Image.fromarray((np.indices((40, 56)).sum(0) % 251).astype("u1")).convert(mode).save(path, quality=95)
    expected = np.array(Image.open(path))
    found, _, _ = ours(path, tmp_path)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 4


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P"])
def test_bmp(tmp_path, mode):
    path = tmp_path / "a.BMP"
    Image.fromarray(pixels((40, 51), "u1")).convert(mode).save(path, "BMP")
    same(path, np.array(Image.open(path)), tmp_path)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("dtype", ["?", "u1", "<u2", ">u2", "<i4", ">i8", "<u8", ">f4", "<f8"])
def test_npy(tmp_path, dtype, fortran, version):
    path = tmp_path / "a.npy"
    for shape in [(3, 4, 5, 6), (7, 8), (9,), ()]:
        data = np.asarray(pixels(shape, np.dtype(dtype).newbyteorder("=")), dtype)
        data = np.asfortranarray(data) if fortran else data
        with open(path, "wb") as file:
            np.lib.format.write_array(file, data.reshape(shape, order="A"), version)
        same(path, np.load(path), tmp_path)


@pytest.mark.parametrize("codec", [None, "lzw", "zlib"])
def test_truncated(tmp_path, codec):
    path = tmp_path / "a.tif"
    data = pixels((3, 60, 70), "u2")
    tifffile.imwrite(path, data, compression=codec, photometric="minisblack")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, len(whole) // 40):
        path.write_bytes(whole[:length])
        result = run(path, tmp_path / "out")
        if result.returncode == 0:
            # Pages before the cut are whole, and what is gone is told.
            read = (tmp_path / "out").read_bytes()
            assert data.astype("<u2").tobytes().startswith(read) and len(read) % (60 * 70 * 2) == 0, length
            assert len(read) == data.nbytes or "left out: " in result.stdout, length
        else:
            assert result.returncode == 1 and "a.tif" in result.stderr, length
