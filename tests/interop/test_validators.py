"""Others' validators accept our output, and ngio reads from it what the source files hold."""

import csv
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import ome_zarr_io
import pytest
import tifffile
import yaozarrs
import zarr
from ngio import open_ome_zarr_container, open_ome_zarr_plate

from compare import Tree, datasets


@pytest.fixture(scope="session")
def ome_groups(our_tree) -> list[Path]:
    """The plate, wells and images that we wrote."""
    tree, found = Tree(our_tree), []
    for path, kind in tree.kinds.items():
        attrs = dict(tree.open(path).attrs)
        if kind == "group" and {"plate", "well", "multiscales"} & set(attrs.get("ome", attrs)):
            found.append(our_tree / path)
    return found


def test_there_is_something_to_validate(case, ome_groups):
    images = len(case.entries)
    assert len(ome_groups) == (1 + 2 * images if case.collection == "plate" else images)


def test_yaozarrs(ome_groups):
    for group in ome_groups:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yaozarrs.validate_zarr_store(str(group))


def test_ome_zarr_models(our_tree):
    """Its command goes from a plate down to the wells and images. A process of its own, because after an import of ngio
    its models of 0.4 refuse their own arrays."""
    groups = sorted(our_tree.glob("*.zarr"))
    assert groups
    for group in groups:
        command = [str(Path(sys.executable).with_name("ome-zarr-models")), "validate", str(group)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["0.5"], indirect=True)
def test_ome_zarr_io(ome_groups):
    for group in ome_groups:
        report = ome_zarr_io.validate(str(group))
        assert report.is_valid, str(report)


def stitched(folder: Path, target: dict, shape: tuple[int, int], columns: int) -> np.ndarray:
    """The fields of one plane, `columns` in a row, edge to edge in the order of their names: overlap is removed."""
    height, width = shape
    tiles = {}
    for row in csv.DictReader(open(folder / "tiles.csv", newline="")):
        if all(row[key] == str(value) for key, value in target.items()):
            tiles[row["fov_name"]] = tifffile.imread(folder / "data" / row["file_path"])
    canvas = np.zeros((len(tiles) // columns * height, columns * width), np.uint16)
    for i, name in enumerate(sorted(tiles)):
        y, x = i // columns * height, i % columns * width
        canvas[y : y + height, x : x + width] = tiles[name]
    return canvas


@pytest.mark.parametrize("case_name", ["hcs_plate"], indirect=True)
def test_ngio_reads_the_plate(case, our_tree, version):
    plate = open_ome_zarr_plate(str(our_tree / "MyPlate.zarr"), mode="r")
    assert (plate.rows, plate.columns, plate.acquisition_ids) == (["B", "C"], ["03", "05"], [0])
    assert plate.wells_paths() == ["B/03", "C/05"]
    conditions = plate.get_condition_table("condition_table").dataframe
    assert sorted(conditions["drug"]) == ["DMSO", "Nocodazole"]

    for (row, column), drug in {("B", "03"): "DMSO", ("C", "05"): "Nocodazole"}.items():
        container = plate.get_image(row=row, column=column, image_path="0")
        image = container.get_image()
        assert (image.axes, image.shape, image.dtype) == (("c", "z", "y", "x"), (2, 2, 240, 320), "uint16")
        assert container.channel_labels == ["DAPI", "GFP"] and container.wavelength_ids == ["405", "488"]
        assert (image.pixel_size.x, image.pixel_size.y, image.pixel_size.z) == (0.65, 0.65, 5.0)
        assert container.meta.version == version
        pixels = image.get_as_numpy()
        for c in range(2):
            for z in range(2):
                plane = {"row": row, "column": int(column), "start_c": c, "start_z": z}
                source = stitched(case.folder, plane, (120, 160), 2)
                assert np.array_equal(pixels[c, z], source)

        assert set(container.list_tables()) == {"FOV_ROI_table", "well_ROI_table", "condition_table"}
        rois = container.get_roi_table("FOV_ROI_table")
        assert [roi.name for roi in rois.rois()] == ["FOV_1", "FOV_2", "FOV_3", "FOV_4"]
        for i, roi in enumerate(rois.rois()):
            y, x = i // 2 * 120, i % 2 * 160
            assert np.array_equal(image.get_roi_as_numpy(roi), pixels[:, :, y : y + 120, x : x + 160])
        (well,) = container.get_roi_table("well_ROI_table").rois()
        assert np.array_equal(image.get_roi_as_numpy(well), pixels)
        assert list(container.get_condition_table("condition_table").dataframe["drug"]) == [drug]


@pytest.mark.parametrize("case_name", ["single_images"], indirect=True)
def test_ngio_reads_single_images(case, our_tree):
    for name, genotype in [("embryo_1", "wild type"), ("embryo_2", "mutant")]:
        container = open_ome_zarr_container(str(our_tree / f"{name}.zarr"), mode="r")
        assert container.get_image().shape == (1, 64, 160)
        assert container.levels == len(datasets(dict(zarr.open_group(str(our_tree / f"{name}.zarr"), mode="r").attrs)))
        assert list(container.get_condition_table("condition_table").dataframe["genotype"]) == [genotype]
