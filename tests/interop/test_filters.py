"""Filters, acquisition options and the probe: ours keep the tiles, and make the documents, that the reference does."""

import json

import pytest

import ours
from acquisitions import Acquisition
from ome_zarr_converters_tools import AcquisitionOptions
from reference import reference_init
from test_parity import differences, relative_urls, with_image

SHAPE = {
    "wells": ("A01", "B02", "C03"), "nx": 2, "ny": 2, "channels": 2, "slices": 3, "height": 32, "width": 32,
    "attributes": {"drug": ("DMSO", "Drug", "Drug"), "dose": (0, 1, 2), "ph": (7.5, 6.0, 7.0), "dead": (True, False, False)},
}  # fmt: skip


def value(kind, *given):
    return {"type": kind, **({"value": given[0]} if given else {})}


FILTERS = {
    "path": [{"name": "Path Regex Filter", "regex": r"/B/|C/03"}],
    "path excluded": [{"name": "Path Regex Filter", "mode": "Exclude", "regex": "A/01/0$"}],
    "path looks ahead": [{"name": "Path Regex Filter", "regex": "^MyPlate.zarr/(?!A)"}],
    "wells": [{"name": "Well Filter", "wells": ["A01", "C03", "C3"]}],
    "wells excluded": [{"name": "Well Filter", "mode": "Exclude", "wells": ["A01"]}],
    "fields": [{"name": "FOV Name Filter", "regex": "[13]$"}],
    "acquisitions": [{"name": "Acquisition Filter", "acquisitions": [0, 4]}],
    "text": [{"name": "Attribute Filter", "key": "drug", "values": [value("String", "Drug")]}],
    "text excluded": [{"name": "Attribute Filter", "mode": "Exclude", "key": "drug", "values": [value("String", "Drug")]}],
    "numbers across types": [{"name": "Attribute Filter", "key": "dose", "values": [value("Float", 1.0), value("Bool", False)]}],
    "number as text": [{"name": "Attribute Filter", "mode": "Exclude", "key": "dose", "values": [value("String", "1")]}],
    "truth": [{"name": "Attribute Filter", "key": "dead", "values": [value("Integer", 1)]}],
    "is none": [{"name": "Attribute Filter", "mode": "Exclude", "key": "ph", "values": [value("Is None")]}],
    "is not none": [{"name": "Attribute Filter", "key": "ph", "values": [value("Is Not None")]}],
    "channels": [{"name": "Channel Filter", "channel_labels": ["GFP"]}],
    "channels excluded": [{"name": "Channel Filter", "mode": "Exclude", "channel_labels": ["DAPI", "none such"]}],
    "slices": [{"name": "Z Range Filter", "min_z": 1}],
    "slices to": [{"name": "Z Range Filter", "min_z": 0.5, "max_z": 1.0}],
    "times": [{"name": "Time Range Filter", "max_t": 0}],
    "several": [
        {"name": "Well Filter", "wells": ["A01", "B02"]},
        {"name": "FOV Name Filter", "mode": "Exclude", "regex": "0"},
        {"name": "Z Range Filter", "max_z": 1},
    ],
}  # fmt: skip

# Spelled as earlier versions, or as a user's document: what of today they mean.
OLDER = {
    "include": ({"name": "Path Regex Include Filter", "regex": "B"}, [{"name": "Path Regex Filter", "regex": "B"}]),
    "exclude": (
        {"name": "Path Regex Exclude Filter", "regex": "B"},
        [{"name": "Path Regex Filter", "mode": "Exclude", "regex": "B"}],
    ),
    "wells": (
        {"name": "Well Filter", "wells_to_remove": ["A01"]},
        [{"name": "Well Filter", "mode": "Exclude", "wells": ["A01"]}],
    ),
    "class call": (
        {"name": "RegexIncludeFilter", "field": "fov_name", "pattern": "FOV_[12]"},
        [{"name": "FOV Name Filter", "regex": "FOV_[12]"}],
    ),
}

OPTIONS = {
    "channels": {
        "channels": [
            {"channel_label": "one", "wavelength_id": "405", "color": "Coral (#FF7F50)"},
            {"channel_label": "two", "wavelength_id": None, "color": "Auto"},
        ]
    },
    "pixels": {"pixel_info": {"xy_pixel_size": 0.5, "z_spacing": 2.0, "t_spacing": 3.0}},
    "axes": {"axes": "tczyx"},
    "data type": {"data_type": "uint32"},
    "filters": {"filters": FILTERS["several"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filters") / "acquisition"
    Acquisition(**SHAPE, seed=3).write(folder)
    return folder


def documents(entries, tree):
    return relative_urls([with_image(entry) for entry in entries], tree)


def our_init(folder, tree, *words):
    out = tree.with_name("list.json")
    ours.run("OZC_BIN", "init", folder, *ours.conversion_words(tree, options={"writer_mode": "By Tile"}), "--out", out, *words)
    return json.loads(out.read_text())["parallelization_list"]


@pytest.mark.parametrize("name", FILTERS)
def test_filters_keep_the_same_tiles(name, folder, tmp_path):
    words = [word for one in FILTERS[name] for word in ("--filter", json.dumps(one))]
    theirs = documents(reference_init(folder, tmp_path / "theirs", filters=FILTERS[name]), tmp_path / "theirs")
    mine = documents(our_init(folder, tmp_path / "ours", *words), tmp_path / "ours")
    assert differences(theirs, mine, "list") == []
    assert mine


@pytest.mark.parametrize("name", OLDER)
def test_older_spellings_mean_filters_of_today(name, folder, tmp_path):
    older, today = OLDER[name]
    theirs = documents(reference_init(folder, tmp_path / "theirs", filters=today), tmp_path / "theirs")
    mine = documents(our_init(folder, tmp_path / "ours", "--filter", json.dumps(older)), tmp_path / "ours")
    assert differences(theirs, mine, "list") == []


@pytest.mark.parametrize("name", OPTIONS)
def test_acquisition_options_change_the_same(name, folder, tmp_path, monkeypatch):
    import reference

    options = AcquisitionOptions.model_validate(OPTIONS[name])
    read = reference.read_details
    monkeypatch.setattr(reference, "read_details", lambda at: options.update_acquisition_details(read(at)))
    filters = OPTIONS[name].get("filters", [])
    theirs = documents(reference_init(folder, tmp_path / "theirs", filters=filters), tmp_path / "theirs")
    file = tmp_path / "acquisition.json"
    file.write_text(json.dumps(OPTIONS[name]))
    mine = documents(our_init(folder, tmp_path / "ours", "--acquisition-options", file), tmp_path / "ours")
    assert differences(theirs, mine, "list") == []


@pytest.mark.parametrize(
    ("one", "facts"),
    [
        ({"name": "Attribute Filter", "key": "drugs", "values": [value("String", "x")]}, ["drugs", "drug", "dose"]),
        ({"name": "Path Regex Filter", "regex": "("}, ["("]),
        ({"name": "Well Filter", "wells": ["H12"]}, ["filters"]),
        ({"name": "Well Filter", "mode": "Including", "wells": []}, ["mode", "Including", "Include"]),
        ({"name": "No Filter"}, ["No Filter"]),
    ],
)
def test_filters_that_cannot_be_are_told(one, facts, folder, tmp_path):
    with pytest.raises(Exception):  # noqa: B017, PT011: pydantic's, re's or the package's own
        reference_init(folder, tmp_path / "theirs", filters=[one])
    words = ours.conversion_words(tmp_path / "ours")
    done = ours.run("OZC_BIN", "init", folder, *words, "--out", tmp_path / "list.json", "--filter", json.dumps(one), check=False)
    assert done.code == 2
    assert [fact for fact in facts if fact not in done.stderr] == []


def test_the_probe_loads_a_tile_per_image(tmp_path):
    folder = tmp_path / "acquisition"
    Acquisition(**SHAPE, seed=3).write(folder)
    words = ["init", folder, *ours.conversion_words(tmp_path / "ours"), "--out", tmp_path / "list.json", "--probe"]
    assert ours.run("OZC_BIN", *words, check=False).code == 0
    table = (folder / "tiles.csv").read_text().replace(",32,32,", ",32,31,")
    (folder / "tiles.csv").write_text(table)
    done = ours.run("OZC_BIN", *words, check=False)
    assert done.code != 0
    assert "31" in done.stderr and "32" in done.stderr
