"""Init tasks of fractal-uzh-converters feed our compute: the result is that of their own compute."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fractal_uzh_converters.custom_tiff import convert_hcs_tiff_init_task, convert_single_tiff_init_task
from fractal_uzh_converters.operetta.convert_operetta_init_task import convert_operetta_init_task
from fractal_uzh_converters.scanr.convert_scanr_init_task import convert_scanr_init_task

import ours
from acquisitions import Acquisition
from compare import compare
from reference import reference_compute
from test_parity import differences, relative_urls, with_image
from vendor_acquisitions import operetta, scanr


@dataclass
class Converter:
    """An init task with a function that makes its acquisitions."""

    init: object
    write: object
    collection: str = "plate"
    options: dict = field(default_factory=dict)
    task: str = ""
    """Name of our task that takes the same arguments."""

    def arguments(self, acquisitions: list[dict], tree: Path) -> dict:
        # The default writer mode corrupts images whose first plane of a field is missing.
        options = {"writer_mode": "By Tile", **self.options}
        return {"zarr_dir": str(tree), "acquisitions": acquisitions, "converter_options": options}

    def list_images(self, acquisitions: list[dict], tree: Path) -> list[dict]:
        return self.init(**self.arguments(acquisitions, tree))["parallelization_list"]


def table_of_files(folder: Path, acquisition: Acquisition) -> Path:
    """An acquisition as these converters expect it: paths are relative to the table."""
    acquisition.write(folder)
    rows = list(csv.DictReader((folder / "tiles.csv").open()))
    with (folder / "tiles.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "file_path": f"data/{row['file_path']}"} for row in rows)
    return folder


def two_acquisitions_of_a_plate(folder: Path) -> list[dict]:
    """The second has a filter, another pixel size, and channels with colors of the menu."""
    gap = ({"field": 1, "c": 0, "z": 0},)
    first = table_of_files(folder / "first", Acquisition(wells=("A01", "B02"), layout="ragged", missing=gap, seed=11))
    second = table_of_files(folder / "second", Acquisition(wells=("A01", "C03"), times=2, seed=12))
    advanced = {
        "pixel_info": {"xy_pixel_size": 0.65, "z_spacing": 2.0, "t_spacing": 3.0},
        "channels": [
            {"channel_label": "nuclei", "wavelength_id": "405", "color": "Blue (#0000FF)"},
            {"channel_label": "membrane", "color": "Auto"},
        ],
        "filters": [{"name": "Well Filter", "mode": "Exclude", "wells": ["C03"]}],
    }
    return [
        {"path": str(first), "plate_name": "Plate", "acquisition_id": 0},
        {"path": str(second), "plate_name": "Plate", "acquisition_id": 2, "advanced": advanced},
    ]


def named_images(folder: Path) -> list[dict]:
    """Two tables; the image of one is called as its folder."""
    first = table_of_files(
        folder / "first", Acquisition(images=("unnamed",), without=("image_path",), attributes={}, seed=13)
    )
    second = table_of_files(folder / "second", Acquisition(images=("unnamed",), without=("image_path",), nx=3, seed=14))
    return [{"path": str(first), "image_name": "an image"}, {"path": str(second)}]


def single_files(folder: Path) -> list[dict]:
    """Two files without a table."""
    one = Acquisition(images=("alone",), nx=1, ny=1, channels=2, slices=1, attributes={}, seed=16)
    table_of_files(folder, one)
    return [{"path": str(file)} for file in sorted((folder / "data").glob("*.tif"))]


CONVERTERS = {
    "custom TIFF plate": Converter(convert_hcs_tiff_init_task, two_acquisitions_of_a_plate, task="init-hcs-plate"),
    "custom TIFF images": Converter(
        convert_single_tiff_init_task, named_images, collection="image", task="init-images"
    ),
    "custom TIFF images without a table": Converter(convert_single_tiff_init_task, single_files, collection="image"),
    "ScanR": Converter(convert_scanr_init_task, scanr),
    "Operetta": Converter(convert_operetta_init_task, operetta),
    "Operetta, 0.5 in shards, images per field": Converter(
        convert_operetta_init_task,
        operetta,
        options={
            "grouping": {"mode": "Per-FOV"},
            "omezarr_options": {
                "ngff_version": "0.5",
                "chunks": {"mode": "Fixed Size", "xy_chunk": 32},
                "shards": {"mode": "Multiple of Chunks", "xy_factor": 2},
                "table_backend": "parquet",
            },
        },
    ),
}


@pytest.mark.parametrize("name", CONVERTERS)
def test_our_compute_equals_theirs(name, tmp_path):
    converter = CONVERTERS[name]
    acquisitions = converter.write(tmp_path / "acquisitions")

    theirs, mine = tmp_path / "theirs", tmp_path / "ours"
    expected = reference_compute(converter.list_images(acquisitions, theirs), collection=converter.collection)
    updates = ours.compute_as_fractal(converter.list_images(acquisitions, mine), tmp_path / "work")
    assert len(updates) > 1
    assert compare(theirs, mine) == []
    assert differences(relative_urls(expected, theirs), relative_urls(updates, mine), "updates") == []


@pytest.mark.parametrize("name", [name for name, converter in CONVERTERS.items() if converter.task])
def test_our_init_task_equals_theirs(name, tmp_path):
    """Our task takes the arguments of theirs, and lists the same images."""
    converter = CONVERTERS[name]
    acquisitions = converter.write(tmp_path / "acquisitions")
    theirs, mine = tmp_path / "theirs", tmp_path / "ours"
    expected = converter.list_images(acquisitions, theirs)

    arguments, out = tmp_path / "args.json", tmp_path / "out.json"
    arguments.write_text(json.dumps(converter.arguments(acquisitions, mine)))
    ours.run("OZC_BIN", "task", converter.task, "--args-json", arguments, "--out-json", out)
    entries = json.loads(out.read_text())["parallelization_list"]

    listed = relative_urls([with_image(entry) for entry in expected], theirs)
    assert differences(listed, relative_urls([with_image(entry) for entry in entries], mine), "list") == []
    updates = reference_compute(expected, collection=converter.collection)
    assert (
        differences(
            relative_urls(updates, theirs),
            relative_urls(ours.compute_as_fractal(entries, tmp_path / "work"), mine),
            "updates",
        )
        == []
    )
    assert compare(theirs, mine) == []
