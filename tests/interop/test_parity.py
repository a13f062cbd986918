"""Ours and the reference's conversions are equal, whoever does init and whoever does compute."""

import json
from pathlib import Path
from urllib.parse import urlparse

import pytest

import ours
from acquisitions import Acquisition
from compare import attributes, compare
from reference import reference_compute, reference_convert, reference_init


def relative_urls(entries: list[dict], root: Path) -> list[dict]:
    """Entries or updates with `zarr_url` below `root`, ordered by it: they then compare across output folders."""
    short = [{**entry, "zarr_url": Path(entry["zarr_url"]).relative_to(root).as_posix()} for entry in entries]
    return sorted(short, key=lambda entry: entry["zarr_url"])


def differences(a, b, what: str) -> list[str]:
    out: list[str] = []
    attributes(a, b, what, out)
    return out


def updates_differ(case, updates: list[dict], tree: Path) -> list[str]:
    return differences(relative_urls(case.updates, case.tree), relative_urls(updates, tree), "updates")


def with_image(entry: dict) -> dict:
    """An entry with its image document parsed, wherever that lies."""
    init_args = dict(entry["init_args"])
    text = init_args.pop("tiled_image_json_str", None)
    if text is None:
        text = Path(urlparse(init_args.pop("tiled_image_json_dump_url")).path).read_text()
    return {**entry, "init_args": {**init_args, "image": json.loads(text)}}


def test_our_conversion_equals_theirs(case, our_tree):
    assert compare(case.tree, our_tree) == []


def test_our_list_equals_theirs(case, tmp_path):
    entries = ours.init(case.folder, tmp_path / "out", **case.how)
    assert [list(entry) for entry in entries] == [["zarr_url", "init_args"]] * len(case.entries)
    theirs = relative_urls([with_image(entry) for entry in case.entries], case.tree)
    mine = relative_urls([with_image(entry) for entry in entries], tmp_path / "out")
    assert differences(theirs, mine, "list") == []


def test_their_init_our_compute(case, tmp_path):
    tree = tmp_path / "out"
    updates = ours.compute_as_fractal(reference_init(case.folder, tree, **case.how), tmp_path / "work")
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


def test_our_init_their_compute(case, tmp_path):
    tree = tmp_path / "out"
    updates = reference_compute(ours.init(case.folder, tree, **case.how), collection=case.collection)
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


def test_our_init_our_compute(case, tmp_path):
    tree = tmp_path / "out"
    updates = ours.compute(ours.init(case.folder, tree, **case.how), tmp_path / "work")
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


@pytest.mark.parametrize("init_side", ["reference", "ours"])
@pytest.mark.parametrize("case_name", ["grid"], indirect=True)
@pytest.mark.parametrize("version", ["0.4"], indirect=True)
def test_hand_over_in_files(case, tmp_path, init_side):
    """The image documents go through files, which compute removes, and the folder with the last of them."""
    tree, temporary = tmp_path / "out", tmp_path / "hand-over"
    runtime = {"temp_json_options": {"temp_url": str(temporary), "serialization": "JSON"}}
    how = {**case.how, "options": {**case.how["options"], "runtime_settings": runtime}}
    if init_side == "reference":
        entries = reference_init(case.folder, tree, **how)
    else:
        entries = ours.init(case.folder, tree, **how)
    for entry in entries:
        assert sorted(entry["init_args"]) == ["converter_options", "overwrite_mode", "tiled_image_json_dump_url"]
    assert len(list(temporary.glob("*.json"))) == len(entries) == 2
    theirs = [with_image(entry)["init_args"]["image"] for entry in case.entries]
    assert differences(theirs, [with_image(entry)["init_args"]["image"] for entry in entries], "images") == []

    if init_side == "reference":
        updates = ours.compute_as_fractal(entries, tmp_path / "work")
    else:
        updates = reference_compute(entries, collection=case.collection)
    assert not temporary.exists()
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


def test_two_acquisitions_in_one_plate(tmp_path):
    """The second conversion extends the plate of the first: wells of both, and one well with two images."""
    Acquisition(wells=("B02", "A01"), seed=3).write(tmp_path / "first")
    Acquisition(wells=("A01", "Z24"), nx=1, ny=1, channels=1, attributes={}, seed=4).write(tmp_path / "second")
    for convert, tree in [(reference_convert, tmp_path / "theirs"), (ours.convert, tmp_path / "ours")]:
        convert(tmp_path / "first", tree, overwrite="replace", acquisition_id=0)
        convert(tmp_path / "second", tree, overwrite="extend", acquisition_id=1)
    # The second has no attributes: the reference then leaves the plate's condition table as it is.
    assert compare(tmp_path / "theirs", tmp_path / "ours") == []
