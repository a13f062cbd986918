"""Whatever the reference refuses, we refuse too, and say at least as much.

Each case spoils a sound acquisition or request in one way. The reference has to fail for the reason that the case says
(`theirs`, a regular expression on its message), and our one message has to name all of `facts`: what was found, where,
and what would do. Where the reference only stumbles (a KeyError, a shape of numpy), ours says more. The acquisition
folder is read for the reference as its converters do it (reference.py), and fails there when that cannot be read.
"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import ours
from acquisitions import Acquisition, write_image, write_table
from reference import reference_compute, reference_convert, reference_init
from test_bad_input import assert_refused, read_rows

FIRST, SECOND = "A01_F000_T00_C0_Z00", "A01_F001_T00_C1_Z00"
"""The tiles of the first and of the last row of the table."""
KINDS = {
    "plate": Acquisition(ny=1, slices=1, height=24, width=32, jitter=0.0, seed=1),
    "image": Acquisition(ny=1, slices=1, height=24, width=32, jitter=0.0, images=("one", "two"), seed=1),
    "stack": Acquisition(ny=1, channels=1, height=24, width=32, spans="z", jitter=0.0, seed=1),
    "ragged": Acquisition(nx=3, slices=1, height=24, width=32, layout="ragged", jitter=0.0, seed=1),
    "time": Acquisition(nx=1, ny=1, slices=1, times=2, height=24, width=32, jitter=0.0, seed=1),
}


@dataclass(frozen=True)
class Case:
    """One way to be wrong."""

    name: str
    theirs: str
    facts: tuple[str, ...]
    spoil: Callable[[Path], object] = lambda folder: None
    """What is done to the acquisition folder."""
    how: dict = field(default_factory=dict)
    """Arguments of the conversion."""
    kind: str = "plate"
    before: Callable[[Path], object] = lambda zarr_dir: None
    """What is done to the output folder first."""


def cells(which: int | None = -1, **values) -> Callable[[Path], None]:
    """Other values in a row of the table, or in all; None leaves the columns out."""

    def spoil(folder: Path) -> None:
        rows = read_rows(folder)
        for row in rows if which is None else [rows[which]]:
            row.update(values)
        gone = {key for key, value in values.items() if value is None}
        write_table(folder, [{key: value for key, value in row.items() if key not in gone} for row in rows])

    return spoil


def without(*columns: str) -> Callable[[Path], None]:
    return cells(None, **dict.fromkeys(columns))


def details(**values) -> Callable[[Path], None]:
    """Other lines in the acquisition file: TOML as text; None leaves a key out."""

    def spoil(folder: Path) -> None:
        file = folder / "acquisition_details.toml"
        lines = [line for line in file.read_text().splitlines() if line.partition(" ")[0] not in values]
        added = [f"{key} = {value}" for key, value in values.items() if value is not None]
        file.write_text("\n".join([*added, *lines, ""]))

    return spoil


def tile_file(change: Callable[[Path], object], name: str = SECOND) -> Callable[[Path], None]:
    return lambda folder: change(folder / "data" / f"{name}.tif")


def renamed(suffix: str) -> Callable[[Path], None]:
    """The second tile as a text file with another suffix."""

    def spoil(folder: Path) -> None:
        (folder / "data" / f"{SECOND}.{suffix}").write_text("no image")
        cells(file_path=f"{SECOND}.{suffix}")(folder)

    return spoil


def empty_table(folder: Path) -> None:
    file = folder / "tiles.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")


def table(name: str, theirs: str, *facts: str, kind: str = "plate", **values) -> Case:
    """A cell of the last row of the table is wrong. Ours says which row and where it stands."""
    where = (r"tiles\.csv", r"\brow \d+|\bline \d+|" + SECOND)
    return Case(name, theirs, (*where, *facts), cells(**values), kind=kind)


def acquisition_file(name: str, theirs: str, *facts: str, kind: str = "plate", **values) -> Case:
    return Case(name, theirs, (r"acquisition_details\.toml", *facts), details(**values), kind=kind)


def options(path: str, value, theirs: str, *facts: str, beside: dict | None = None, kind: str = "plate") -> Case:
    """A wrong value in the options, at a path of keys; ours names the last key of it. `beside` joins it there."""
    keys = path.split(".")
    document: dict = {**(beside or {}), keys[-1]: value}
    for key in reversed(keys[:-1]):
        document = {key: document}
    return Case(f"{path} = {value!r}", theirs, (rf"\b{keys[-1]}\b", *facts), how={"options": document}, kind=kind)


def levels(mode: str, **values) -> dict:
    return {"mode": mode, **values}


OMEZARR, STAGE, JSON = "omezarr_options", "stage_position_corrections", "runtime_settings.temp_json_options"
FIELD = re.escape("FOV_1")
SNAP_TO_GRID = {"grouping": {"mode": "Mosaic", "tiling_strategy": {"mode": "Snap to Grid"}}}

CASES = [
    # -- the table
    *(
        Case(f"no column {column}", rf"{column}\b", (r"tiles\.csv", rf"\b{column}\b"), without(column))
        for column in ("file_path", "fov_name", "start_x", "start_y", "row", "column")
    ),
    Case("no column image_path", "image_path", (r"tiles\.csv", r"\bimage_path\b"), without("image_path"), kind="image"),
    Case("an empty table", "No tiles provided", (r"tiles\.csv", r"\bno rows\b"), empty_table),
    Case("row 0", "Row index 0 out of range", (r"tiles\.csv", r"\brow\b", r"\b0\b", r"\b1\b"), cells(None, row="0")),
    table("an empty row", "cannot convert float NaN", r"\brow\b", row=""),
    table("a row that climbs", r"Row[\s\S]*\.\.", r"\brow\b", r"\.\.", row=".."),
    table("a row with a slash", "Row[\\s\\S]*A/B", r"\brow\b", r"A/B", row="A/B"),
    table("a row of another alphabet", "Row[\\s\\S]*Ä", r"\brow\b", "Ä", row="Ä"),
    table("column 0", r"column[\s\S]*greater than or equal to 1", r"\bcolumn\b", r"\b0\b", r"\b1\b", column="0"),
    table("a negative column", "greater than or equal to 1", r"\bcolumn\b", r"-3\b", column="-3"),
    table("a fractional column", r"column[\s\S]*fractional part", r"\bcolumn\b", r"\b1\.5\b", column="1.5"),
    table("an empty column", r"column[\s\S]*finite number", r"\bcolumn\b", column=""),
    table("a column of letters", r"column[\s\S]*valid integer", r"\bcolumn\b", "first", column="first"),
    table("an empty field name", r"fov_name[\s\S]*valid string", r"\bfov_name\b", fov_name=""),
    table("an empty image path", r"image_path[\s\S]*valid string", r"\bimage_path\b", image_path="", kind="image"),
    table("a start of letters", r"start_x[\s\S]*valid number", r"\bstart_x\b", "left", start_x="left"),
    table("a fractional channel", r"start_c[\s\S]*fractional part", r"\bstart_c\b", r"\b0\.5\b", start_c="0.5"),
    table(
        "a fractional number of channels", r"length_c[\s\S]*fractional", r"\blength_c\b", r"\b1\.5\b", length_c="1.5"
    ),
    *(
        Case(
            f"{key} = {value}",
            rf"{key}[\s\S]*greater than 0",
            (rf"\b{key}\b", rf"(?<![\d.]){value}\b", SECOND, FIELD),
            cells(**{key: value}),
        )
        for key in ("length_x", "length_y", "length_z", "length_c", "length_t")
        for value in ("0", "-2")
    ),
    Case(
        "a negative channel", "start_c=-1; channel indices", (FIELD, SECOND, r"\bstart_c\b", "-1"), cells(start_c="-1")
    ),
    Case(
        "a channel beyond the list",
        "channel index 2 but[\\s\\S]*2 entries",
        (FIELD, SECOND, r"(?i)channel", r"\b2\b"),
        cells(start_c="2"),
    ),
    Case(
        "channels that reach beyond the list",
        "channel index 5 but[\\s\\S]*2 entries",
        (FIELD, SECOND, r"(?i)channel", r"\b5\b", r"\b2\b"),
        cells(start_c="1", length_c="5"),
    ),
    *(
        Case(
            f"a column {column}",
            f"(?s)multiple values for keyword argument '{column}'|{column}.*reserved",
            (r"tiles\.csv", rf"\b{column}\b", r"reserved"),
            cells(None, **{column: "1"}),
        )
        for column in ("attributes", "collection", "image_loader", "acquisition_details", "path_in_well")
    ),
    # -- names that become paths
    *(
        Case(
            f"a plate called {name!r}",
            "Invalid Zarr name",
            (re.escape(name), "letters, digits|A-Z"),
            how={"plate": name},
        )
        for name in ("../x", "a/b", "__x", " x", "x ", "...", "plätte")
    ),
    *(
        Case(f"an image called {name!r}", "Invalid Zarr name", (re.escape(name),), cells(image_path=name), kind="image")
        for name in ("../x", "a/b", "__x", "...", "imäge")
    ),
    Case(
        "a field whose name becomes part of a path",
        "Invalid Zarr name 'two_a/b'",
        (r"a/b",),
        cells(fov_name="a/b"),
        how={"options": {"grouping": {"mode": "Per-FOV"}}},
        kind="image",
    ),
    Case(
        "a negative acquisition",
        r"acquisition[\s\S]*greater than or equal to 0",
        (r"acquisition", "-1"),
        how={"acquisition_id": -1},
    ),
    # -- the acquisition file
    acquisition_file("an unknown key", r"pixel_size\s*\n?[\s\S]*Extra inputs", r"\bpixel_sizes\b", pixel_sizes="1.0"),
    *(
        acquisition_file(
            f"{key} = {value}", rf"{key}[\s\S]*greater than 0", rf"\b{key}\b", rf"(?<![\d.]){value}\b", **{key: value}
        )
        for key in ("xy_pixel_size", "z_spacing", "t_spacing")
        for value in ("0", "-1")
    ),
    acquisition_file(
        "a size in words", r"xy_pixel_size[\s\S]*valid number", r"\bxy_pixel_size\b", "small", xy_pixel_size='"small"'
    ),
    *(
        acquisition_file(
            f"{key} in inches",
            rf"{key}[\s\S]*'world' or 'pixel'",
            rf"\b{key}\b",
            r"\binch\b",
            r"\bworld\b",
            r"\bpixel\b",
            **{key: '"inch"'},
        )
        for key in ("start_x_space", "start_z_space", "length_y_space", "length_t_space")
    ),
    acquisition_file(
        "axes in disorder", "canonical order", r"\baxes\b", r"z", r"t, c, z, y, x|tczyx", axes='["z", "c", "y", "x"]'
    ),
    acquisition_file("an axis twice", "canonical order", r"\baxes\b", r"\by\b", axes='["c", "y", "y", "x"]'),
    acquisition_file(
        "an unknown axis", r"axes[\s\S]*'t', 'c', 'z', 'y' or 'x'", r"\baxes\b", r"\bw\b", axes='["w", "y", "x"]'
    ),
    acquisition_file("one axis", r"axes[\s\S]*at least 2 items", r"\baxes\b", axes='["x"]'),
    acquisition_file("no y axis", "^$", r"\baxes\b", r"\by\b", axes='["c", "x"]'),
    acquisition_file(
        "a data type that is no option",
        r"data_type[\s\S]*'uint16'",
        r"\bdata_type\b",
        "float32",
        "uint8",
        "uint16",
        "uint32",
        data_type='"float32"',
    ),
    acquisition_file(
        "fewer wavelengths than channels", "shorter than", r"\bwavelengths\b", r"\b1\b", r"\b2\b", wavelengths='["405"]'
    ),
    acquisition_file("channels without names", r"channel_label", r"\bchannel_names\b", channel_names="[1, 2]"),
    acquisition_file(
        "an unknown stage correction",
        "flip_z[\\s\\S]*Extra inputs",
        r"\bflip_z\b",
        stage_orientation="{ flip_z = true }",
    ),
    acquisition_file(
        "a stage correction that is no boolean",
        r"flip_x[\s\S]*valid boolean",
        r"\bflip_x\b",
        "maybe",
        stage_orientation='{ flip_x = "maybe" }',
    ),
    acquisition_file("no TOML", "Expected newline.*line 1", r"\bline 1\b|1:\d+", xy_pixel_size="1.0 0.5"),
    Case(
        "no acquisition file",
        "No such file",
        (r"acquisition_details\.toml",),
        lambda f: (f / "acquisition_details.toml").unlink(),
    ),
    # Ours reads a folder of images without a table (test_images.py): here there is neither.
    Case(
        "no table",
        "No such file",
        (r"tiles\.csv",),
        lambda f: ((f / "tiles.csv").unlink(), shutil.rmtree(f / "data")),
    ),
    Case(
        "two channels of one name",
        "must be unique",
        (r"\bDAPI\b", r"(?i)channel"),
        details(channel_names='["DAPI", "DAPI"]'),
    ),
    Case(
        "channels without an axis for them",
        r"2 channel\(s\) \(DAPI, GFP\)[\s\S]*no 'c' axis",
        (r"\bDAPI\b", r"\bGFP\b", r"\bc\b", r"\bz\b.*\by\b.*\bx\b|zyx"),
        details(axes='["z", "y", "x"]'),
    ),
    # -- options
    options("writer_mod", "By Tile", "Extra inputs", r"\bwriter_mode\b"),
    options("writer_mode", "By tile", "'By Tile', 'By FOV'", "By tile", "By Tile", "In Memory"),
    options("grouping.mode", "Mosaik", "'Mosaic', 'Per-FOV'", "Mosaik", "Mosaic", "Per-FOV"),
    options("grouping.tiling_strategy", {"mode": "Inplace"}, "Extra inputs", beside={"mode": "Per-FOV"}),
    options(
        "grouping", {"tiling_strategy": {"mode": "Auto"}}, "Unable to extract tag", r"\bmode\b", "Mosaic", "Per-FOV"
    ),
    options(
        "grouping.tiling_strategy",
        {"mode": "Grid"},
        "'Auto', 'Snap to Grid'",
        r"\bGrid\b",
        "Snap to Grid",
        beside={"mode": "Mosaic"},
    ),
    options(
        "grouping.tiling_strategy",
        {"mode": "Auto", "tolerance": -1},
        "greater than or equal to 0",
        r"\btolerance\b",
        "-1",
        beside={"mode": "Mosaic"},
    ),
    options(
        "grouping.tiling_strategy",
        {"mode": "Inplace", "tolerance": 1},
        "Extra inputs",
        r"\btolerance\b",
        beside={"mode": "Mosaic"},
    ),
    options(
        "grouping.tiling_strategy",
        {"mode": "Auto", "tolerance": "wide"},
        "valid number",
        r"\btolerance\b",
        "wide",
        beside={"mode": "Mosaic"},
    ),
    options(f"{STAGE}.remove_xy_offset", "Per-FOV", "'Keep' or 'Global'", "Per-FOV", "Keep", "Global"),
    options(f"{STAGE}.remove_z_offset", "Local", "'Keep', 'Per-FOV' or 'Global'", "Local", "Keep", "Per-FOV", "Global"),
    options(f"{STAGE}.remove_t_offset", "Per-FOV", "'Keep' or 'Global'", "Per-FOV", "Keep", "Global"),
    options(f"{STAGE}.remove_xy_jitter", "maybe", "valid boolean", "maybe"),
    options(f"{STAGE}.reindex_channels", 2, "valid boolean", r"\b2\b"),
    options(f"{STAGE}.remove_jitter", True, "Extra inputs", r"\bremove_xy_jitter\b"),
    options(
        f"{OMEZARR}.levels",
        levels("Number of Levels", num_levels=0),
        "greater than or equal to 1",
        r"\bnum_levels\b",
        r"\b0\b",
        r"\b1\b",
    ),
    options(
        f"{OMEZARR}.levels",
        levels("Number of Levels", num_levels=2.5),
        "fractional part",
        r"\bnum_levels\b",
        r"\b2\.5\b",
    ),
    options(f"{OMEZARR}.levels", levels("Number of Levels", level_names=["a"]), "Extra inputs", r"\blevel_names\b"),
    options(f"{OMEZARR}.levels", levels("Custom Names"), "Field required", r"\blevel_names\b"),
    options(f"{OMEZARR}.levels", levels("Custom Names", level_names=[]), "at least 1 item", r"\blevel_names\b"),
    *(
        options(
            f"{OMEZARR}.levels",
            levels("Custom Names", level_names=["s0", name]),
            "Invalid level name",
            r"\blevel_names\b",
            re.escape(repr(name)[1:-1]),
        )
        for name in ("", "a/b", " a", "a ")
    ),
    options(
        f"{OMEZARR}.levels",
        levels("Custom Names", level_names=["a", "a"]),
        "Duplicate level names",
        r"\blevel_names\b",
        r"\ba\b",
    ),
    options(f"{OMEZARR}.levels", 3, "valid dictionary", r"\b3\b", "Number of Levels"),
    options(
        f"{OMEZARR}.chunks",
        {"mode": "Same as FOV", "xy_scaling": "3"},
        "'0.25', '0.5', '1', '2' or '4'",
        r"\bxy_scaling\b",
        r"\b3\b",
        r"0\.25",
    ),
    options(f"{OMEZARR}.chunks", {"mode": "Same as FOV", "xy_chunk": 64}, "Extra inputs", r"\bxy_chunk\b"),
    *(
        options(
            f"{OMEZARR}.chunks", {"mode": mode, key: 0}, "greater than or equal to 1", rf"\b{key}\b", r"\b0\b", r"\b1\b"
        )
        for mode, key in (
            ("Same as FOV", "z_chunk"),
            ("Same as FOV", "c_chunk"),
            ("Same as FOV", "t_chunk"),
            ("Fixed Size", "xy_chunk"),
            ("Fixed Size", "z_chunk"),
        )
    ),
    options(f"{OMEZARR}.chunks.mode", "Fixed", "'Same as FOV', 'Fixed Size'", r"\bFixed\b", "Fixed Size"),
    *(
        options(
            f"{OMEZARR}.shards",
            {"mode": "Multiple of Chunks", key: 0},
            "greater than or equal to 1",
            rf"\b{key}\b",
            r"\b0\b",
            beside={"ngff_version": "0.5"},
        )
        for key in ("xy_factor", "z_factor", "c_factor", "t_factor")
    ),
    options(f"{OMEZARR}.shards", {"mode": "Multiple of Chunks"}, "requires OME-Zarr 0.5", r"0\.4", r"0\.5", "None"),
    options(f"{OMEZARR}.ngff_version", "0.3", "'0.4' or '0.5'", r"0\.3", r"0\.4", r"0\.5"),
    options(
        f"{OMEZARR}.table_backend",
        "zarr",
        "'anndata', 'json', 'csv' or 'parquet'",
        "zarr",
        "anndata",
        "json",
        "csv",
        "parquet",
    ),
    options("runtime_settings.use_zarrs_codec", "sometimes", "valid boolean", "sometimes"),
    options(
        "runtime_settings.dask_scheduler",
        {"mode": "Threads", "num_workers": 0},
        "greater than or equal to 1",
        r"\bnum_workers\b",
        r"\b0\b",
    ),
    options(
        "runtime_settings.dask_scheduler.mode", "Cluster", "'Threads', 'Processes'", "Cluster", "Threads", "Default"
    ),
    options(f"{JSON}.serialization", "Disk", "'Auto', 'Memory' or 'JSON'", "Disk", "Auto", "Memory", "JSON"),
    options(f"{JSON}.max_in_memory_bytes", 0, "greater than or equal to 1", r"\b0\b", r"\b1\b"),
    options(
        f"{JSON}.temp_url", "relative/folder", "not supported", "relative/folder", beside={"serialization": "JSON"}
    ),
    options(f"{JSON}.temp_url", "{here}/x", "here", r"\{here\}", r"\{zarr_dir\}", beside={"serialization": "JSON"}),
    options(f"{JSON}.temp_url", "ftp://host/x", "not supported", "ftp", beside={"serialization": "JSON"}),
    Case(
        "the folder of the hand-over is a file",
        "it is a file, not a directory",
        (r"out/notes", r"(?i)file|directory"),
        how={
            "options": {
                "runtime_settings": {"temp_json_options": {"temp_url": "{zarr_dir}/notes", "serialization": "JSON"}}
            }
        },
        before=lambda out: (out.mkdir(), (out / "notes").write_text("mine")),
    ),
    # -- registration
    *(
        Case(
            f"a negative {axis} that is kept",
            rf"remove_{key}_offset='Keep' requires non-negative {axis}[\s\S]*{axis}=-",
            (rf"\bremove_{key}_offset\b", "Keep", "Global", FIELD if kind == "plate" else "FOV_0", rf"\b{axis}=?-"),
            cells(**{f"start_{axis}": "-13"}),
            how={"options": {STAGE: {f"remove_{key}_offset": "Keep"}}},
            kind=kind,
        )
        for axis, key, kind in (("x", "xy", "plate"), ("y", "xy", "plate"), ("z", "z", "plate"), ("t", "t", "time"))
    ),
    Case(
        "fields that are no grid",
        "Cannot snap the tiles to a regular grid",
        (r"\bx steps\b", r"\btolerance\b", "Snap to Corners", "Auto"),
        how={"options": SNAP_TO_GRID},
        kind="ragged",
    ),
    *(
        Case(
            f"fields of two sizes in {axis}",
            f"{axis} lengths differ",
            (rf"\b{axis}\b", FIELD, r"\bFOV_0\b", rf"\b{size}\b", r"\b20\b", "Inplace"),
            lambda folder, axis=axis: [cells(which, **{f"length_{axis}": "20"})(folder) for which in (-1, -2)],
        )
        for axis, size in (("x", 32), ("y", 24))
    ),
    # -- files
    Case("no such file", f"No such file[\\s\\S]*{SECOND}", (SECOND,), tile_file(Path.unlink)),
    Case("the first file is not there", f"No such file[\\s\\S]*{FIRST}", (FIRST,), tile_file(Path.unlink, FIRST)),
    Case("an empty file", "not a TIFF file", (rf"{SECOND}\.tif", FIELD), tile_file(lambda file: file.write_bytes(b""))),
    Case(
        "no TIFF", "(?i)not a TIFF", (rf"{SECOND}\.tif", "(?i)tiff"), tile_file(lambda file: file.write_text("<html>"))
    ),
    Case("a PNG that is none", "cannot identify image", (rf"{SECOND}\.png", "(?i)png"), renamed("png")),
    Case("an NPY that is none", "pickled", (rf"{SECOND}\.npy", "(?i)npy"), renamed("npy")),
    Case(
        "a file of an unknown type",
        r"file type 'xyz' is not recognized",
        (rf"{SECOND}\.xyz", r"\bxyz\b", r"(?i)tiff?\b", r"(?i)png", r"(?i)npy"),
        renamed("xyz"),
    ),
    Case(
        "an image of another size",
        r"(?i)shape",
        (SECOND, FIELD, r"\b24\b", r"\b32\b", r"\b20\b", r"\b30\b"),
        tile_file(lambda file: write_image(file, np.zeros((20, 30), np.uint16))),
    ),
    Case(
        "an image of too many axes",
        r"5 axes \(shape \(2, 2, 2, 24, 32\)\)",
        (SECOND, FIELD, r"\b5\b", r"2, 2, 2, 24, 32|2 x 2 x 2 x 24 x 32|2×2×2×24×32"),
        tile_file(lambda file: write_image(file, np.zeros((2, 2, 2, 24, 32), np.uint16))),
    ),
    Case(
        "a stack of another number of slices",
        r"(?i)shape",
        (r"A01_F001_T00_C0_Z00", FIELD, r"\b3\b", r"\b2\b"),
        tile_file(lambda file: write_image(file, np.zeros((3, 24, 32), np.uint16)), "A01_F001_T00_C0_Z00"),
        kind="stack",
    ),
    # -- what is there already
    Case(
        "a plate that exists",
        "A Plate already exists at[\\s\\S]*No Overwrite[\\s\\S]*Extend",
        (r"out/MyPlate\.zarr", r"(?i)exists", "(?i)overwrite", "(?i)extend"),
        how={"overwrite": "no"},
        before=lambda out: (out / "MyPlate.zarr").mkdir(parents=True),
    ),
    Case(
        "an image that exists",
        "A zarr already exists at[\\s\\S]*No Overwrite",
        (r"out/two\.zarr", r"(?i)exists", "(?i)overwrite"),
        how={"overwrite": "no"},
        kind="image",
        before=lambda out: (out / "two.zarr").mkdir(parents=True),
    ),
    Case(
        "a plate to extend whose metadata are spoilt",
        "Expecting property name",
        (r"out/MyPlate\.zarr", r"\.zattrs"),
        how={"overwrite": "extend"},
        before=lambda out: (
            (out / "MyPlate.zarr").mkdir(parents=True),
            (out / "MyPlate.zarr/.zgroup").write_text('{"zarr_format": 2}'),
            (out / "MyPlate.zarr/.zattrs").write_text("{"),
        ),
    ),
]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("errors")
    for kind, acquisition in KINDS.items():
        acquisition.write(root / kind)
    return {kind: root / kind for kind in KINDS}


def collection(kind: str) -> str:
    return "image" if kind == "image" else "plate"


@pytest.mark.parametrize("kind", KINDS)
def test_the_sound_acquisitions_convert(sound, tmp_path, kind):
    how = {"collection": collection(kind), "overwrite": "no"}
    assert reference_convert(sound[kind], tmp_path / "theirs", **how)
    ours.convert(sound[kind], tmp_path / "ours", **how)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, sound, tmp_path):
    folder = Path(shutil.copytree(sound[case.kind], tmp_path / "acquisition"))
    case.spoil(folder)
    how = {"collection": collection(case.kind), "overwrite": "replace", **case.how}
    theirs, mine = tmp_path / "theirs/out", tmp_path / "ours/out"
    for tree in (theirs, mine):
        tree.parent.mkdir()
        case.before(tree)
    with pytest.raises(Exception, match=case.theirs):
        reference_convert(folder, theirs, **how)
    # Only the init task writes documents.
    init = "temp_json_options" in str(case.how)
    words = ["init", folder, "--out", tmp_path / "list.json"] if init else ["convert", folder]
    done = ours.run("OZC_BIN", *words, *ours.conversion_words(mine, **how), check=False)
    assert_refused(done, *case.facts)
    assert not arrays(mine), "an image is left behind"


def arrays(tree: Path) -> list[Path]:
    return [file for file in tree.rglob(".zarray") if not any(part.startswith(".") for part in file.parts[:-1])]


SILENT = [
    # The reference converts these without a word, and what comes out is not what went in.
    Case(
        "a value that the data type asked for does not hold",  # it wraps
        "",
        (r"A01_F000_T00_C0_Z00\.tif", "FOV_0", r"\buint8\b", r"\buint16\b|\b\d{3,5}\b"),
        details(data_type='"uint8"'),
    ),
    Case(
        "a field whose name climbs out of the plate",
        "",
        (r"\.\./\.\./b",),
        cells(None, fov_name="../../b"),
        how={"options": {"grouping": {"mode": "Per-FOV"}}},
    ),
    Case("a row 0 among letters", "", (r"tiles\.csv", r"\brow\b", r"\b0\b"), cells(row="0")),
]


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.name)
def test_what_only_we_refuse(case: Case, sound, tmp_path):
    folder = Path(shutil.copytree(sound[case.kind], tmp_path / "acquisition"))
    case.spoil(folder)
    assert reference_convert(folder, tmp_path / "theirs", **case.how), "it has learnt to refuse: move the case to CASES"
    assert_refused(ours.convert(folder, tmp_path / "ours", check=False, **case.how), *case.facts)
    assert not arrays(tmp_path / "ours")


def test_images_of_another_version_in_a_plate(sound, tmp_path):
    """The reference writes 0.5 images into a plate of 0.4, which no reader understands."""
    how = {"overwrite": "extend", "acquisition_id": 1, "options": {"omezarr_options": {"ngff_version": "0.5"}}}
    for side, convert in (("theirs", reference_convert), ("ours", ours.convert)):
        convert(sound["plate"], tmp_path / side)
    assert reference_convert(sound["plate"], tmp_path / "theirs", **how)
    done = ours.convert(sound["plate"], tmp_path / "ours", check=False, **how)
    assert_refused(done, r"ours/MyPlate\.zarr", r"\b0\.4\b", r"\b0\.5\b")


@dataclass(frozen=True)
class HandOver:
    """One way in which what a compute task is given can be wrong."""

    name: str
    change: Callable[[dict], object]
    """What is done to an entry of the reference's list, whose image document is at `image`."""
    theirs: str
    facts: tuple[str, ...]
    tries: str = "1"


def put(path: str, value) -> Callable[[dict], None]:
    """Set what is at a path of keys and indices; `...` removes it."""

    def change(entry: dict) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            entry = entry[key]
        if value is ...:
            del entry[last]
        else:
            entry[last] = value

    return change


def in_a_file(path: str) -> Callable[[dict], None]:
    def change(entry: dict) -> None:
        del entry["image"]
        entry["init_args"]["tiled_image_json_dump_url"] = path

    return change


SLICE = "image.regions.1.roi.slices.0"
HAND_OVERS = [
    HandOver(
        "no image document", put("image", ...), "Exactly one of", ("tiled_image_json_dump_url", "tiled_image_json_str")
    ),
    HandOver(
        "two image documents",
        put("init_args.tiled_image_json_dump_url", "/nowhere/x.json"),
        "Exactly one of",
        ("tiled_image_json_dump_url", "tiled_image_json_str"),
    ),
    HandOver(
        "a file that is not there",
        in_a_file("/nowhere/x.json"),
        "does not exist after 1 attempts",
        (r"/nowhere/x\.json", r"\b1\b"),
    ),
    HandOver(
        "tries that are none",
        in_a_file("/nowhere/x.json"),
        "at least 1, got 0",
        ("CONVERTERS_TOOLS_NUM_RETRIES", r"\b0\b"),
        "0",
    ),
    HandOver("a relative file", in_a_file("x.json"), "not supported", (r"\bx\.json",)),
    HandOver(
        "no options",
        put("init_args.converter_options", ...),
        r"converter_options[\s\S]*required",
        (r"\bconverter_options\b",),
    ),
    HandOver("an unknown argument", put("init_args.colour", "red"), r"colour[\s\S]*Extra inputs", (r"\bcolour\b",)),
    HandOver(
        "an unknown overwrite mode",
        put("init_args.overwrite_mode", "Replace"),
        "'No Overwrite', 'Overwrite' or 'Extend'",
        (r"\boverwrite_mode\b", "Replace", "No Overwrite", "Extend"),
    ),
    HandOver(
        "an unknown option",
        put("init_args.converter_options.omezarr_options.level", 3),
        r"level[\s\S]*Extra inputs",
        (r"\blevel\b", r"\blevels\b"),
    ),
    HandOver("not valid JSON", put("image", "{"), "(?i)invalid JSON|EOF", (r"(?i)json", r"(?i)EOF|end of|line 1")),
    HandOver("an unknown key of the image", put("image.colour", "red"), "Extra inputs", (r"\bcolour\b",)),
    HandOver(
        "an unknown key of a region", put("image.regions.1.colour", "red"), "Extra inputs", (r"\bcolour\b", r"\b1\b")
    ),
    HandOver(
        "an unknown key of a channel",
        put("image.channels.0.colour", "red"),
        "Extra inputs",
        (r"\bcolour\b", r"\bcolor\b"),
    ),
    HandOver(
        "a color that is none",
        put("image.channels.0.color", "blue"),
        "should match pattern",
        (r"\bcolor\b", r"\bblue\b"),
    ),
    *(
        HandOver(
            f"no {key}",
            put(f"image.{key}", ...),
            rf"{key.rpartition('.')[2]}[\s\S]*required",
            (rf"\b{key.rpartition('.')[2]}\b",),
        )
        for key in (
            "path",
            "data_type",
            "axes",
            "collection",
            "channels.1.channel_label",
            "regions.1.image_loader.file_path",
            "regions.1.roi.slices.0.axis_name",
        )
    ),
    HandOver(
        "an unknown axis", put("image.axes", ["w", "y", "x"]), "'t', 'c', 'z', 'y' or 'x'", (r"\baxes\b", r"\bw\b")
    ),
    HandOver("a size in words", put("image.xy_pixel_size", "small"), "valid number", (r"\bxy_pixel_size\b", "small")),
    HandOver(
        "a channel beyond the list",
        put(f"{SLICE}.start", 7.0),
        r"channel range \[7\.0, 8\.0\) but channels has 2 entries",
        (r"MyPlate\.zarr/A/01/0", "FOV_0", r"A01_F000_T00_C1_Z00\.tif", r"\b7\b", r"\b2\b"),
    ),
    HandOver("a row 0", put("image.collection.row", 0), "Row index 0 out of range", (r"\brow\b", r"\b0\b")),
    HandOver("a column 0", put("image.collection.column", 0), "greater than or equal to 1", (r"\bcolumn\b", r"\b0\b")),
    HandOver(
        "attributes of different lengths",
        put("image.attributes", {"drug": ["a"], "dose": [1, 2]}),
        r"same number of values; got \{'drug': 1, 'dose': 2\}",
        (r"\bdrug\b", r"\b1\b", r"\bdose\b", r"\b2\b", r"MyPlate\.zarr/A/01/0"),
    ),
    HandOver(
        "an attribute of two types", put("image.attributes", {"drug": ["a", 1]}), r"attributes\.drug", (r"\bdrug\b",)
    ),
]


@pytest.mark.parametrize("case", HAND_OVERS, ids=lambda case: case.name)
def test_hand_over(case: HandOver, sound, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVERTERS_TOOLS_NUM_RETRIES", case.tries)
    (entry,) = reference_init(sound["plate"], tmp_path / "out")
    # Options as the server's database has them: plain JSON.
    entry = json.loads(json.dumps(entry))
    entry["image"] = json.loads(entry["init_args"].pop("tiled_image_json_str"))
    case.change(entry)
    if "image" in entry:
        image = entry.pop("image")
        entry["init_args"]["tiled_image_json_str"] = image if isinstance(image, str) else json.dumps(image)
    arguments = tmp_path / "args.json"
    arguments.write_text(json.dumps(entry))
    done = ours.run("OZC_COMPUTE_BIN", "--args-json", arguments, "--out-json", tmp_path / "updates.json", check=False)
    assert_refused(done, *case.facts)
    assert not arrays(tmp_path / "out") and not (tmp_path / "updates.json").exists()
    with pytest.raises(Exception, match=case.theirs):
        reference_compute([entry])


def test_the_hand_over_is_sound(sound, tmp_path):
    """As it is given to every case above before its change."""
    reference_compute(json.loads(json.dumps(reference_init(sound["plate"], tmp_path / "theirs"))))
    ours.compute_as_fractal(
        json.loads(json.dumps(reference_init(sound["plate"], tmp_path / "ours"))), tmp_path / "work"
    )
    assert arrays(tmp_path / "theirs") and arrays(tmp_path / "ours")
