"""compare.py finds what is planted, and passes over nothing but what it says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from acquisitions import Acquisition
from compare import compare, ruled_window
from reference import reference_convert

IMAGE = "MyPlate.zarr/A/01/0"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small acquisition as the reference writes it, by kind."""
    root = tmp_path_factory.mktemp("compare")
    Acquisition().write(root / "even")
    Acquisition(height=47, dtype="uint8").write(root / "odd")
    made = {}
    for kind, folder, omezarr in [
        ("0.4", "even", {"ngff_version": "0.4"}),
        ("0.5", "even", {"ngff_version": "0.5"}),
        ("chunked", "even", {"ngff_version": "0.5", "chunks": {"mode": "Fixed Size", "xy_chunk": 32}}),
        ("odd", "odd", {"ngff_version": "0.5"}),
        *((backend, "even", {"table_backend": backend}) for backend in ("json", "parquet", "anndata")),
    ]:
        made[kind] = root / kind
        reference_convert(root / folder, made[kind], options={"omezarr_options": omezarr})
    return made


@pytest.fixture
def copy(trees, tmp_path: Path):
    """A copy of one of the trees to plant a difference in."""

    def make(kind: str, name: str = "ours") -> Path:
        return Path(shutil.copytree(trees[kind], tmp_path / name))

    return make


def edit_json(file: Path, change) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def omero(document: dict) -> dict:
    """The first channel of an image's zarr.json."""
    return document["attributes"]["ome"]["omero"]["channels"][0]


def multiscale(document: dict) -> dict:
    return document["attributes"]["ome"]["multiscales"][0]


def level_scale(document: dict, level: int) -> list[float]:
    return multiscale(document)["datasets"][level]["coordinateTransformations"][0]["scale"]


@pytest.mark.parametrize("kind", ["0.4", "0.5", "chunked", "odd", "json", "parquet", "anndata"])
def test_a_copy_is_equal(trees, copy, kind):
    assert compare(trees[kind], copy(kind)) == []


def test_one_pixel(trees, copy):
    ours = copy("0.5")
    level = zarr.open(str(ours / IMAGE / "2"))
    level[1, 0, 3, 4] += 5
    assert compare(trees["0.5"], ours) == [
        f"{IMAGE}/2 pixels: 1 of {level.size} differ (largest difference 5)"
    ]


@pytest.mark.parametrize(
    "change, where",
    [
        (lambda d: omero(d).update(color="123456"), "omero.channels[0].color:"),
        (lambda d: omero(d)["window"].update(end=1.0), "omero.channels[0].window.end:"),
        (lambda d: omero(d).pop("wavelength_id"), "omero.channels[0].wavelength_id: missing in ours"),
        (lambda d: d["attributes"].update(extra=1), "extra: only in ours (1)"),
        (lambda d: level_scale(d, 1).__setitem__(3, 1.31), "datasets[1].coordinateTransformations[0].scale[3]:"),
    ],
)
def test_one_attribute(trees, copy, change, where):
    ours = copy("0.5")
    edit_json(ours / IMAGE / "zarr.json", change)
    (difference,) = compare(trees["0.5"], ours)
    assert difference.startswith(f"{IMAGE} attributes.") and where in difference


def test_a_table_that_is_missing(trees, copy):
    ours = copy("0.4")
    shutil.rmtree(ours / IMAGE / "tables/well_ROI_table")
    assert f"{IMAGE}/tables/well_ROI_table: 'group' in the reference, 'nothing' in ours" in compare(trees["0.4"], ours)


def test_a_cell_of_a_csv_table(trees, copy):
    ours = copy("0.4")
    file = ours / IMAGE / "tables/FOV_ROI_table/table.csv"
    file.write_text(file.read_text().replace('"FOV_1",41.6,', '"FOV_1",41.7,'))
    assert compare(trees["0.4"], ours) == [
        f"{IMAGE}/tables/FOV_ROI_table table rows[1].x_micrometer: 41.6 in the reference, 41.7 in ours"
    ]


def test_the_order_of_columns(trees, copy):
    ours = copy("0.4")
    file = ours / IMAGE / "tables/FOV_ROI_table/table.csv"
    file.write_text(file.read_text().replace('"x_micrometer","y_micrometer"', '"y_micrometer","x_micrometer"', 1))
    assert any("FOV_ROI_table table columns:" in line for line in compare(trees["0.4"], ours))


def test_a_cell_of_a_json_table(trees, copy):
    ours = copy("json")
    table = zarr.open_group(str(ours / IMAGE / "tables/FOV_ROI_table/table"))
    table.attrs["x_micrometer"] = [x + 1 for x in dict(table.attrs)["x_micrometer"]]
    assert any("FOV_ROI_table table rows[0].x_micrometer" in line for line in compare(trees["json"], ours))


def test_a_cell_of_a_parquet_table(trees, copy):
    import polars as pl

    ours = copy("parquet")
    file = ours / IMAGE / "tables/FOV_ROI_table/table.parquet"
    pl.read_parquet(file).with_columns(pl.col("y_micrometer") * 2 + 1).write_parquet(file)
    assert any("FOV_ROI_table table rows[0].y_micrometer" in line for line in compare(trees["parquet"], ours))


def test_a_cell_of_an_anndata_table(trees, copy):
    ours = copy("anndata")
    zarr.open(str(ours / IMAGE / "tables/FOV_ROI_table/X"))[0, 0] = 77
    assert any("FOV_ROI_table table rows[0]." in line and "77" in line for line in compare(trees["anndata"], ours))


def test_chunks_and_data_type(trees, copy):
    ours = copy("0.5")
    path = ours / IMAGE / "0"
    level = zarr.open(str(path), mode="r")
    values = level[...]
    zarr.create_array(
        str(path), shape=values.shape, chunks=(1, 1, 32, 32), dtype="uint32", dimension_names="czyx", overwrite=True
    )[...] = values
    differences = compare(trees["0.5"], ours)
    assert [line.split(": ")[0] for line in differences] == [f"{IMAGE}/0 chunks", f"{IMAGE}/0 dtype"]


def test_what_a_writer_left_behind(trees, copy):
    ours = copy("0.5")
    (ours / IMAGE / "notes.txt").write_text("")
    (ours / "MyPlate.zarr/A/01/.0.part").mkdir()
    (ours / "_tmp_json").mkdir()
    (ours / "MyPlate.zarr/.mark").write_text("")
    assert compare(trees["0.5"], ours) == [
        "MyPlate.zarr/A/01/.0.part: only in ours",
        f"{IMAGE}/notes.txt: only in ours",
        "_tmp_json: only in ours",
    ]


def test_an_empty_reference_is_no_agreement(tmp_path):
    assert compare(tmp_path, tmp_path) != []


def test_ignored_lines(trees, copy):
    ours = copy("0.5")
    edit_json(ours / IMAGE / "zarr.json", lambda d: omero(d).update(color="123456"))
    assert compare(trees["0.5"], ours, ignore=("*.color: *",)) == []


def test_windows_that_are_right_where_theirs_are_not(copy):
    """Coarsest level in several chunks per channel: exact percentiles pass, others do not."""
    theirs, ours = copy("chunked", "theirs"), copy("chunked")
    # Two levels only, so that the last has several chunks.
    for tree in (theirs, ours):
        edit_json(tree / IMAGE / "zarr.json", lambda d: multiscale(d).update(datasets=multiscale(d)["datasets"][:2]))
    start, end = ruled_window(zarr.open(str(ours / IMAGE / "1"), mode="r")[0])
    edit_json(ours / IMAGE / "zarr.json", lambda d: omero(d)["window"].update(start=start, end=end))
    assert compare(theirs, ours) == []
    edit_json(ours / IMAGE / "zarr.json", lambda d: omero(d)["window"].update(start=start + 1, end=end))
    assert [line.split(": ")[0] for line in compare(theirs, ours)] == [
        f"{IMAGE} attributes.ome.omero.channels[0].window.end",
        f"{IMAGE} attributes.ome.omero.channels[0].window.start",
    ]


def test_levels_of_odd_size(trees, copy):
    """94, 47, 23 … rows: level 1 is exact, from level 2 on means and scales of 2 pass. 8 bits: a maximum of 255."""
    ours = copy("odd")

    def as_ours(document: dict) -> None:
        for i in range(5):
            level_scale(document, i)[:] = [1.0, 5.0, 0.65 * 2**i, 0.65 * 2**i]
        for channel in document["attributes"]["ome"]["omero"]["channels"]:
            channel["window"]["max"] = 255.0

    edit_json(ours / IMAGE / "zarr.json", as_ours)
    level = zarr.open(str(ours / IMAGE / "2"))
    level[0, 0, 3, 4] += 1
    assert compare(trees["odd"], ours) == []

    level[...] = np.asarray(level[...]) // 2
    zarr.open(str(ours / IMAGE / "1"))[0, 0, 0, 0] += 1
    edit_json(ours / IMAGE / "zarr.json", lambda d: omero(d)["window"].update(max=254.0))
    places = [line.split(": ")[0] for line in compare(trees["odd"], ours)]
    assert places == [
        f"{IMAGE}/1 pixels",
        f"{IMAGE}/2 pixels",
        f"{IMAGE} attributes.ome.omero.channels[0].window.max",
    ]


@pytest.mark.parametrize(
    "values, window",
    [
        ([], (0.0, 1.0)),
        ([7], (0.0, 7.0)),
        ([0, -4, 3, 3, 3], (0.0, 3.0)),
        (list(range(1, 1002)), (2.0, 1000.0)),
        # Index 0.1 % of 500 is 0.5: half to even, so 0; 99.9 % is 499.5: 500.
        (list(range(1, 502)), (1.0, 501.0)),
    ],
)
def test_the_window_that_our_rules_give(values, window):
    assert ruled_window(np.array(values, np.int32)) == window
