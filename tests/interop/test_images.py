"""Image files without a table, written by tifffile, Pillow and numpy: what comes out is the array that went in, with what the files
say of themselves."""

import json
import shutil
import uuid

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

import ours

SHAPE = (64, 80)


def pixels(*leading, dtype="uint16", seed=0):
    return np.random.default_rng(seed).integers(1, 250, (*leading, *SHAPE)).astype(dtype)


def convert(source, zarr_dir, *words):
    return ours.run("OZC_BIN", "convert", source, "--zarr-dir", zarr_dir, *words)


def attributes(image):
    return json.loads((image / ".zattrs").read_text())


def scale(image):
    axes = [axis["name"] for axis in attributes(image)["multiscales"][0]["axes"]]
    transformations = attributes(image)["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    return dict(zip(axes, transformations[0]["scale"]))


def labels(image):
    return [channel["label"] for channel in attributes(image)["omero"]["channels"]]


def level0(image):
    return zarr.open(str(image), mode="r")["0"][:]


def ome(path, array, axes, position=None, **metadata):
    planes = int(np.prod(array.shape[:-2]))
    metadata = {"axes": axes, "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm", **metadata}
    if position is not None:
        x, y = position
        metadata["Plane"] = {
            "PositionX": [x] * planes,
            "PositionXUnit": ["µm"] * planes,
            "PositionY": [y] * planes,
            "PositionYUnit": ["µm"] * planes,
        }
    tifffile.imwrite(path, array, metadata=metadata, ome=True)


@pytest.mark.parametrize("axes", ["CZYX", "ZCYX", "TCZYX", "ZTCYX", "CYX", "TYX", "ZYX", "YX"])
def test_one_ome_tiff(axes, tmp_path):
    sizes = {"T": 2, "C": 3, "Z": 4}
    array = pixels(*(sizes[axis] for axis in axes[:-2]), seed=len(axes))
    names = {"Channel": {"Name": ["DAPI", "GFP", "Cy5"]}} if "C" in axes else {}
    path = tmp_path / "embryo.ome.tif"
    ome(path, array, axes, PhysicalSizeZ=2.5, PhysicalSizeZUnit="µm", TimeIncrement=3.0, TimeIncrementUnit="s", **names)
    convert(path, tmp_path / "out")
    image = tmp_path / "out" / "embryo.zarr"
    order = sorted(range(len(axes)), key=lambda axis: "TCZYX".index(axes[axis]))
    found = level0(image)
    np.testing.assert_array_equal(found.squeeze(), array.transpose(order))
    assert ("t" in scale(image)) == ("T" in axes)
    assert scale(image)["x"] == 0.5
    if "Z" in axes:
        assert scale(image)["z"] == 2.5
    if "T" in axes:
        assert scale(image)["t"] == 3.0
    if "C" in axes:
        assert labels(image) == ["DAPI", "GFP", "Cy5"]


@pytest.mark.parametrize("axes", ["ZCYX", "CYX", "TZCYX", "ZYX"])
def test_one_imagej_stack(axes, tmp_path):
    sizes = {"T": 2, "C": 2, "Z": 3}
    array = pixels(*(sizes[axis] for axis in axes[:-2]))
    path = tmp_path / "a stack.tif"
    tifffile.imwrite(path, array, imagej=True, resolution=(4, 4), metadata={"axes": axes, "unit": "um", "spacing": 1.5})
    convert(path, tmp_path / "out")
    image = tmp_path / "out" / "a stack.zarr"
    order = sorted(range(len(axes)), key=lambda axis: "TCZYX".index(axes[axis]))
    np.testing.assert_array_equal(level0(image).squeeze(), array.transpose(order))
    assert scale(image)["y"] == 0.25
    if "Z" in axes:
        assert scale(image)["z"] == 1.5


@pytest.mark.parametrize("kind", ["png", "bmp", "tif", "planar.tif", "deflate.tif"])
def test_colours_are_channels(kind, tmp_path):
    array = pixels(3, dtype="uint8").transpose(1, 2, 0)
    path = tmp_path / f"slide.{kind}"
    match kind:
        case "png" | "bmp":
            Image.fromarray(array).save(path)
        case "planar.tif":
            tifffile.imwrite(path, array.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
        case "deflate.tif":
            tifffile.imwrite(path, array, photometric="rgb", compression="deflate", predictor=True, rowsperstrip=7)
        case _:
            tifffile.imwrite(path, array, photometric="rgb")
    (tmp_path / "acquisition_details.toml").write_text("xy_pixel_size = 0.2\n")
    convert(path, tmp_path / "out")
    found = level0(next((tmp_path / "out").glob("*.zarr")))
    np.testing.assert_array_equal(found.squeeze(), array.transpose(2, 0, 1))


def test_stage_positions_make_a_mosaic(tmp_path):
    folder = tmp_path / "my plate"
    folder.mkdir()
    fields = {}
    for well in ("A01", "H12"):
        for number, position in enumerate([(100.0, 50.0), (140.0, 50.0), (100.0, 82.0)]):
            fields[well, number] = pixels(2, seed=number)
            ome(folder / f"{well}_f{number}.ome.tif", fields[well, number], "CYX", position, Channel={"Name": ["a", "b"]})
    convert(folder, tmp_path / "out")
    found = level0(tmp_path / "out" / "my_plate.zarr" / "A" / "01" / "0")
    assert found.shape == (2, 1, 128, 160)
    np.testing.assert_array_equal(found[:, 0, :64, :80], fields["A01", 0])
    np.testing.assert_array_equal(found[:, 0, :64, 80:], fields["A01", 1])
    np.testing.assert_array_equal(found[:, 0, 64:, :80], fields["A01", 2])
    assert (found[:, 0, 64:, 80:] == 0).all()


def yokogawa(folder, fields=2):
    folder.mkdir()
    for field in range(1, fields + 1):
        for z in (1, 2):
            for channel in (1, 2):
                name = f"AP1_B03_T0001F{field:03d}L01A01Z{z:02d}C{channel:02d}.png"
                array = pixels(dtype="uint16", seed=100 * field + 10 * z + channel)
                Image.fromarray(array).save(folder / name)
    (folder / "acquisition_details.toml").write_text("xy_pixel_size = 0.325\nz_spacing = 2.0\n")


def tree(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != ".ome-zarr-convert.json")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_fields_without_positions_never_overlap(tmp_path):
    yokogawa(tmp_path / "run")
    done = convert(tmp_path / "run", tmp_path / "out")
    assert "warning: where the fields of view lie is not known" in done.stderr
    found = level0(tmp_path / "out" / "AP1.zarr" / "B" / "03" / "0")
    assert found.shape == (2, 2, 64, 160)
    for channel in (1, 2):
        for z in (1, 2):
            for field in (1, 2):
                expected = pixels(seed=100 * field + 10 * z + channel)
                part = found[channel - 1, z - 1, :, 80 * (field - 1) : 80 * field]
                np.testing.assert_array_equal(part, expected)
    done = convert(tmp_path / "run", tmp_path / "each", "--per-fov")
    assert "warning" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "each" / "AP1.zarr" / "B" / "03").glob("0*")) == ["0_001", "0_002"]


def test_a_saved_table_converts_to_the_same_bytes(tmp_path):
    yokogawa(tmp_path / "run", fields=3)
    convert(tmp_path / "run", tmp_path / "out", "--write-table", tmp_path / "saved" / "tiles.csv")
    convert(tmp_path / "saved", tmp_path / "again")
    assert tree(tmp_path / "out") == tree(tmp_path / "again")
    shutil.copy(tmp_path / "saved" / "tiles.csv", tmp_path / "run" / "tiles.csv")
    # The acquisition's own file counts slices in micrometres, and the saved one in planes: each belongs to its table.
    (tmp_path / "run" / "acquisition_details.toml").write_text((tmp_path / "saved" / "acquisition_details.toml").read_text())
    convert(tmp_path / "run", tmp_path / "third")
    assert tree(tmp_path / "out") == tree(tmp_path / "third")


def test_a_set_of_ome_tiffs_is_one_image(tmp_path):
    """Two files, each with the metadata of both: the second is part of the first."""
    array = pixels(2)
    folder = tmp_path / "set"
    folder.mkdir()
    ids = [f"urn:uuid:{uuid.UUID(int=number)}" for number in (1, 2)]
    names = ["x_C0.ome.tif", "x_C1.ome.tif"]
    blocks = "".join(
        f'<TiffData IFD="0" FirstC="{c}" PlaneCount="1"><UUID FileName="{names[c]}">{ids[c]}</UUID></TiffData>' for c in (0, 1)
    )
    for own, name in enumerate(names):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{ids[own]}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="80" SizeY="64" '
            'SizeC="2" SizeZ="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5"><Channel ID="Channel:0:0" Name="DAPI"/>'
            f'<Channel ID="Channel:0:1" Name="GFP"/>{blocks}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / name, array[own], description=xml, metadata=None)
    convert(folder, tmp_path / "out")
    images = list((tmp_path / "out").glob("*.zarr"))
    assert len(images) == 1
    np.testing.assert_array_equal(level0(images[0]).squeeze(), array)
    assert labels(images[0]) == ["DAPI", "GFP"]
