"""Our init makes the list that the reference makes, document for document, for acquisitions of every shape."""

import pytest

import ours
from acquisitions import Acquisition
from reference import reference_init
from test_parity import differences, relative_urls, with_image

PER_FOV = {"grouping": {"mode": "Per-FOV"}}
SQUARE = {"height": 48, "width": 48}

CASES = {
    "wells": ({"wells": ("A01", "Z24", "AA03"), "origin": (-1234.5, 88.25)}, {}),
    "pixels": ({"details": {"start_x_space": "pixel", "start_y_space": "pixel"}, "jitter": 0.004}, {}),
    "world": ({"details": {f"start_{axis}_space": None for axis in "zt"}, "times": 2, "first_slice": 3}, {}),
    "swapped": ({**SQUARE, "details": {"stage_orientation": {"swap_xy": True}}}, {}),
    "turned": ({**SQUARE, "details": {"stage_orientation": {"swap_xy": True, "flip_x": True, "flip_y": True}}}, {}),
    "stacks": ({"spans": "z", "slices": 3, "format": "npy"}, {}),
    "no channel names": ({"details": {"channel_names": None, "wavelengths": None}}, {}),
    "no wavelengths": ({"details": {"wavelengths": None}, "channels": 6}, {}),
    "all axes": ({"details": {"axes": ["t", "c", "z", "y", "x"]}}, {}),
    "data type": ({"details": {"data_type": "uint8"}}, {}),
    "numbers": ({"wells": ("A01", "B02"), "attributes": {"dose": (1, None), "ph": (7.25, 1e-7), "n": (3, 4)}}, {}),
    "no attributes": ({"attributes": {}}, {}),
    "field by field": ({"layout": "ragged", "origin": (50.0, -20.0), "missing": ({"z": 0, "c": 0},)}, PER_FOV),
    "single": ({"images": ("one", "two.zarr")}, {}),
    "single, field by field": ({"images": ("one", "two.zarr"), "first_slice": 2}, PER_FOV),
}


@pytest.mark.parametrize("name", CASES)
def test_lists_are_equal(name, tmp_path):
    shape, options = CASES[name]
    Acquisition(**shape, seed=7).write(tmp_path / "acquisition")
    how = {"options": {"writer_mode": "By Tile", **options}, "collection": "image" if "images" in shape else "plate"}
    lists = []
    for init, tree in [(reference_init, tmp_path / "theirs"), (ours.init, tmp_path / "ours")]:
        entries = init(tmp_path / "acquisition", tree, **how)
        lists.append(relative_urls([with_image(entry) for entry in entries], tree))
    assert differences(*lists, "list") == []
    images = [entry["init_args"]["image"] for entry in lists[0]]
    assert all(image["regions"] for image in images) and len(images) >= (4 if options else 1)
