"""The parity matrix: acquisitions of every shape under every option, converted by both sides and compared node by node.

A row that says no more is: same folder, same options, and nothing may differ, neither in the output, nor in the lists
of the inits, nor in the updates of the computes. `expected` lists what may, and must, differ, with the reason. Where
the reference fails on what we do, or spoils it, `instead` is a request that it does well and that has to give the same.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import hypot
from pathlib import Path
from urllib.parse import urlparse

import pytest
import zarr
from ome_zarr_converters_tools import ConverterOptions

import ours
from acquisitions import Acquisition, write_together
from compare import Tree, attributes, compare, datasets, is_halved
from reference import reference_compute, reference_init

A = Acquisition
SMALL = {"nx": 2, "ny": 1, "height": 32, "width": 32, "channels": 1, "slices": 1}
ONE = {**SMALL, "nx": 1}
FLAT = {"channel_names": None, "wavelengths": None}
"""An acquisition file without channels."""
DRUGS = {"drug": ("Drug", None), "dose": (1, 2)}


class AtCorners(Acquisition):
    """Fields lie edge to edge: each has moved, with all its tiles, until that nearest to the origin is at a corner."""

    def _rows(self, *arguments):
        rows = list(super()._rows(*arguments))
        least = {axis: min(row[f"start_{axis}"] for row in rows) for axis in "xy"}
        pixels = [
            {axis: round((row[f"start_{axis}"] - least[axis]) / self.pixel_size) for axis in "xy"} for row in rows
        ]
        distances = [hypot(*at.values(), row["start_z"], row["start_c"]) for at, row in zip(pixels, rows)]
        for number in range(self.nx * self.ny):
            field = [i for i, row in enumerate(rows) if row["fov_name"] == f"FOV_{number}"]
            nearest = pixels[min(field, key=distances.__getitem__)]
            corner = {"x": number % self.nx * self.width, "y": number // self.nx * self.height}
            for i in field:
                for axis in "xy":
                    pixel = pixels[i][axis] - nearest[axis] + corner[axis]
                    rows[i][f"start_{axis}"] = round(pixel * self.pixel_size, 4)
        return rows


# A tuple is several of them in one table.
ACQUISITIONS: dict[str, Acquisition | tuple[Acquisition, ...]] = {
    "grid": A(wells=("A01", "H12"), nx=3, seed=1),
    "jittered": A(nx=3, ny=3, jitter=2.0, seed=2),
    "jittered, at the corners": AtCorners(nx=3, ny=3, jitter=2.0, seed=2),
    "snake": A(nx=3, layout="snake", seed=3),
    "ragged": A(nx=3, ny=3, layout="ragged", seed=4),
    "sparse": A(nx=3, ny=3, layout="sparse", seed=5),
    "diagonal": A(nx=3, ny=3, layout="diagonal", seed=6),
    "one field": A(nx=1, ny=1, seed=7),
    "one row": A(nx=4, ny=1, jitter=0.0, seed=8),
    "one column": A(nx=1, ny=3, jitter=0.0, seed=9),
    "one wavy column": A(nx=1, ny=3, height=64, jitter=0.4, seed=10),
    "one very wavy column": A(nx=1, ny=4, height=64, jitter=1.6, seed=11),
    "overlapping": A(nx=3, ny=2, overlap=0.4, seed=12),
    "edge to edge": A(overlap=0.0, seed=13),
    "apart": A(overlap=-0.5, seed=14),
    "negative": A(origin=(-5000.25, -300.5), seed=15),
    "far": A(origin=(20, 37), jitter=0.0, seed=16),
    "odd": A(height=47, width=61, seed=17),
    "thin": A(nx=1, ny=1, height=3, width=200, seed=18),
    "tiny": A(nx=1, ny=1, height=12, width=10, channels=1, slices=1, seed=19),
    "tiny odd": A(nx=1, ny=1, height=13, width=3, channels=1, slices=1, seed=19),
    "time": A(times=3, nx=1, first_time=2, seed=20),
    "late": A(times=2, nx=1, first_time=3, details={"start_t_space": None}, t_spacing=2.5, seed=21),
    "late and far": A(times=2, spans="z", first_time=1, first_slice=2, origin=(9, 5), jitter=1.0, seed=21),
    "deep": A(nx=1, slices=12, channels=1, seed=22),
    "high": A(nx=1, first_slice=4, seed=23),
    "drifting": A(drift=3, details={"start_z_space": None}, z_spacing=0.3, seed=24),
    "drifting by parts": A(drift=0.7, seed=25),
    "stacks": A(spans="z", slices=3, seed=26),
    "stacks of channels": A(spans="cz", nx=1, format="npy", seed=27),
    "pairs of channels": A(spans="c", slices=1, nx=1, format="npy", axes="zcyx"[1:], seed=28),
    "movies": A(spans="tcz", times=2, nx=1, seed=29),
    "movies of planes": A(spans="t", times=3, slices=1, channels=1, axes="tyx", details=FLAT, seed=30),
    "files in another order": A(outer="zct", seed=31),
    "first plane missing": A(missing=({"c": 0, "z": 0, "field": 1},), overlap=0.3, seed=32),
    "third channel only": A(channels=3, missing=({"c": 0}, {"c": 1, "field": 0}), nx=2, ny=1, seed=33),
    "pixel space": A(details={"start_x_space": "pixel", "start_y_space": "pixel"}, seed=34),
    "world space": A(
        details={f"{what}_{axis}_space": "world" for what in ("start", "length") for axis in "xyzt"}, times=2, seed=35
    ),
    "flip x": A(details={"stage_orientation": {"flip_x": True}}, seed=36),
    "flip y": A(details={"stage_orientation": {"flip_y": True}}, nx=1, seed=37),
    "swap": A(details={"stage_orientation": {"swap_xy": True}}, height=48, width=48, nx=3, seed=38),
    "swap and flip": A(
        details={"stage_orientation": {"swap_xy": True, "flip_x": True, "flip_y": True}}, height=48, width=48, seed=39
    ),
    "yx": A(**{**SMALL, "axes": "yx"}, details=FLAT, seed=40),
    "zyx": A(**{**SMALL, "axes": "zyx", "slices": 3}, details=FLAT, seed=41),
    "cyx": A(**{**SMALL, "axes": "cyx", "channels": 3}, seed=42),
    "tyx": A(**{**SMALL, "axes": "tyx", "times": 2}, details=FLAT, seed=43),
    "tcyx": A(**{**SMALL, "axes": "tcyx", "times": 2, "channels": 2}, seed=44),
    "tzyx": A(**{**SMALL, "axes": "tzyx", "times": 2, "slices": 2}, details=FLAT, seed=45),
    "tczyx, one of each": A(**{**SMALL, "axes": "tczyx"}, seed=46),
    "axes by default, time": A(**{**SMALL, "times": 2}, details={"axes": None}, seed=47),
    "axes by default": A(**SMALL, details={"axes": None}, seed=48),
    "axes said": A(**SMALL, seed=48),
    "no channel list": A(channels=6, slices=1, nx=1, details=FLAT, seed=49),
    "no wavelengths": A(details={"wavelengths": None}, nx=1, seed=50),
    "odd channel names": A(
        channels=4,
        nx=1,
        slices=1,
        details={
            "channel_names": ["wheat germ", "Hoechst 33342", "µ “x”", "Cy"],
            "wavelengths": ["A01_C01", "n/a", "800", "595nm"],
        },
        seed=51,
    ),
    **{
        f"{kind} {dtype}": A(dtype=dtype, format=kind, nx=1, slices=1, seed=52)
        for kind, dtypes in {
            "tif": ("uint8", "uint32", "int8", "int16", "int32", "float32", "float64"),
            "png": ("uint8", "uint16"),
            "bmp": ("uint8",),
            "npy": ("uint8", "uint16", "uint32", "uint64", "int16", "int64", "float32", "float64"),
        }.items()
        for dtype in dtypes
    },
    "npy bool": A(dtype="bool", format="npy", nx=1, slices=1, seed=53),
    "npy big-endian": A(stored=">u2", format="npy", nx=1, slices=1, seed=54),
    **{f"tif {name}": A(compression=name, nx=1, seed=55) for name in ("zlib", "lzw", "zstd")},
    "small values as uint8": A(dtype="uint8", stored="uint16", details={"data_type": "uint8"}, nx=1, seed=56),
    "uint8 as uint16": A(dtype="uint8", details={"data_type": "uint16"}, nx=1, seed=57),
    "uint16 as uint32": A(details={"data_type": "uint32"}, nx=1, seed=58),
    "uint16 asked for": A(details={"data_type": "uint16"}, nx=1, seed=59),
    "detect asked for": A(details={"data_type": "autodetect"}, nx=1, seed=59),
    "uint8 well": A(**SMALL, wells=("A01",), dtype="uint8", attributes={}, seed=60),
    "uint16 well": A(**SMALL, wells=("B01",), attributes={}, seed=61),
    "wells of two types": (
        A(**SMALL, wells=("A01",), dtype="uint8", attributes={}, seed=60),
        A(**SMALL, wells=("B01",), attributes={}, seed=61),
    ),
    "three images": A(images=("one", "two.zarr", "a b-c_3"), nx=1, seed=62),
    "one image": A(images=("one",), nx=3, layout="ragged", seed=63),
    "rows of images": A(images=("one", "two"), nx=1, attributes={"row": ("A", "B"), "column": (1, 2)}, seed=64),
    "28 wells": A(**ONE, wells=tuple(f"{chr(65 + i % 9)}{i + 1:02}" for i in range(28)), seed=65),
    "1536 plate": A(**ONE, wells=("B02", "AF48", "A01", "AA03", "Z24"), seed=66),
    "column 100": A(**ONE, wells=("A100", "A11", "A02"), seed=67),
    "rows as numbers": A(**ONE, wells=("B02", "Z01", "A12"), numbered_rows=True, seed=68),
    "rows as large numbers": A(**ONE, wells=("AA02", "Z01"), numbered_rows=True, seed=69),
    "rows as large letters": A(**ONE, wells=("AA02", "Z01"), seed=69),
    "rows of both kinds": (A(**ONE, wells=("A01",), seed=70), A(**ONE, wells=("B02",), numbered_rows=True, seed=71)),
    "rows of one kind": (A(**ONE, wells=("A01",), seed=70), A(**ONE, wells=("B02",), seed=71)),
    "no attributes": A(**ONE, wells=("A01", "B02"), attributes={}, seed=72),
    "attributes": A(
        **ONE,
        wells=("A01", "B02", "C03"),
        attributes={
            "text": ("Drug A, 5 µM", 'say "x"', "0.5 mM"),
            "number": (0.1, 1e-7, 2.5e12),
            "count": (3, -4, 10**12),
            "flag": (True, False, True),
            "other key": ("x", "y", "z"),
        },
        seed=73,
    ),
    "numbers missing": A(
        **ONE, wells=("A01", "B02", "C03"), attributes={"dose": (0.5, None, 2.25), "count": (1, 2, None)}, seed=74
    ),
    "texts missing": A(**ONE, wells=("A01", "B02"), attributes=DRUGS, seed=75),
    "texts given": A(**ONE, wells=("A01", "B02"), attributes={**DRUGS, "drug": ("Drug", "(none)")}, seed=75),
    "flags missing": A(**ONE, wells=("A01", "B02"), attributes={"flag": (None, True)}, seed=76),
    "flags given": A(**ONE, wells=("A01", "B02"), attributes={"flag": (False, True)}, seed=76),
    "fields as numbers": A(**SMALL, fov_names="{}", seed=77),
    "fields as names": A(**SMALL, seed=77),
    "few columns": A(**SMALL, without=("start_z", "start_t", "start_c", "length_z", "length_c", "length_t"), seed=78),
    "no lengths": A(**SMALL, spans="z", without=("length_x", "length_y", "length_z"), seed=79),
    "lengths": A(**SMALL, spans="z", seed=79),
    "half a pixel": A(**{**SMALL, "height": 33, "width": 33}, overlap=-15 / 66, jitter=0.0, pixel_size=1.0, seed=80),
    "whole pixels": A(**{**SMALL, "height": 33, "width": 33}, overlap=-7 / 33, jitter=0.0, pixel_size=1.0, seed=80),
    "first": A(**SMALL, wells=("B02", "A01"), attributes={"dose": (1.5, 2.5)}, seed=81),
    "second": A(**SMALL, wells=("A01", "AB12"), attributes={"dose": (3.5, 4.5)}, times=2, seed=82),
    "third": A(**SMALL, wells=("C03", "B02"), attributes={"dose": (5.5, 6.5)}, dtype="uint8", seed=83),
    "first of column": A(**SMALL, wells=("B02", "A01"), attributes={}, seed=84),
    "second of column": A(**SMALL, wells=("A01", "C03"), attributes={}, seed=85),
    "column acquisition": (
        A(**SMALL, wells=("B02", "A01"), attributes={"acquisition": (0,)}, seed=84),
        A(**SMALL, wells=("A01", "C03"), attributes={"acquisition": (3,)}, format="npy", seed=85),
    ),
    "column plate_name": A(**SMALL, attributes={"plate_name": ("MyPlate",)}, seed=86),
    "no column": A(**SMALL, attributes={}, seed=86),
}


def opt(
    tiling=None,
    tolerance=None,
    per_fov=False,
    levels=None,
    chunks=None,
    shards=None,
    v=None,
    tables=None,
    writer=None,
    runtime=None,
    **stage,
) -> dict:
    """ConverterOptions in few words. Whatever is not given is not in the document; `stage` are stage corrections."""
    document: dict = {} if writer is None else {"writer_mode": writer}
    if per_fov:
        document["grouping"] = {"mode": "Per-FOV"}
    elif tiling:
        strategy = {"mode": tiling, **({} if tolerance is None else {"tolerance": tolerance})}
        document["grouping"] = {"mode": "Mosaic", "tiling_strategy": strategy}
    if isinstance(levels, int):
        levels = {"mode": "Number of Levels", "num_levels": levels}
    elif levels:
        levels = {"mode": "Custom Names", "level_names": list(levels)}
    omezarr = {"levels": levels, "chunks": chunks, "shards": shards, "ngff_version": v, "table_backend": tables}
    omezarr = {key: value for key, value in omezarr.items() if value is not None}
    for key, value in (
        ("omezarr_options", omezarr),
        ("stage_position_corrections", stage),
        ("runtime_settings", runtime),
    ):
        if value:
            document[key] = value
    return document


def by_fov(scaling: str | None = None, **sizes) -> dict:
    return {"mode": "Same as FOV", **({"xy_scaling": scaling} if scaling else {}), **sizes}


def fixed(**sizes) -> dict:
    return {"mode": "Fixed Size", **sizes}


def gathered(**factors) -> dict:
    return {"mode": "Multiple of Chunks", **factors}


def hand_over(**how) -> dict:
    return {"temp_json_options": how}


def scheduler(mode: str, **how) -> dict:
    return {"dask_scheduler": {"mode": mode, **how}}


KEEP = {"remove_xy_offset": "Keep"}
CORNERS, GRID, INPLACE = "Snap to Corners", "Snap to Grid", "Inplace"
# Rows and columns of a plate are in the order of a plate (AA after Z, 100 after 11); the reference sorts them as text.
ROW_ORDER = ("*attributes.*plate.rows[[]*].name: *", "*attributes.*plate.wells[[]*].rowIndex: *")
COLUMN_ORDER = ("*attributes.*plate.columns[[]*].name: *", "*attributes.*plate.wells[[]*].columnIndex: *")
ORIGINALS = "*FOV_ROI_table table rows[[]*].?_micrometer_original: *"


@dataclass(frozen=True)
class Row:
    """One line of the matrix."""

    name: str
    acquisition: str | tuple[str, ...]
    """Names in `ACQUISITIONS`; several are converted one after the other into one output, as acquisitions 0, 1, 2 …"""
    options: dict
    collection: str = "plate"
    overwrite: tuple[str, ...] = ("replace", "extend", "extend")
    ids: tuple[int, ...] = (0, 1, 2)
    instead: "Row | None" = None
    """What the reference is asked instead. The row itself it must fail on, or convert differently."""
    expected: tuple[str, ...] = ()
    """Patterns of differences that must occur, each with the reason beside it."""
    also: Callable[[Path], None] | None = None
    """More to check of our output."""


def instead(acquisition=None, options=None, **more) -> Row:
    """The part of a row in which the reference's request is another one; None is filled in from the row."""
    return Row("", acquisition, options, **more)


def condition_rows_merge(tree: Path) -> None:
    rows = (tree / "MyPlate.zarr/tables/condition_table/table.csv").read_text().splitlines()
    assert sorted(rows[1:]) == sorted(
        f'"{row}",{column},{acquisition},"{acquisition}",{dose}'
        for acquisition, wells in enumerate(
            ([("B", 2, 1.5), ("A", 1, 2.5)], [("A", 1, 3.5), ("AB", 12, 4.5)], [("C", 3, 5.5), ("B", 2, 6.5)])
        )
        for row, column, dose in wells
    )


def levels_are(expected: dict[str, tuple[int, ...]]) -> Callable[[Path], None]:
    def check(tree: Path) -> None:
        image = tree / "MyPlate.zarr/A/01/0"
        assert {path.name: zarr.open_array(str(path), mode="r").shape for path in image.glob("[0-9]")} == expected

    return check


MATRIX = [
    # name, acquisition, options -- layouts and tiling strategies
    Row("defaults", "grid", opt()),
    Row("defaults 0.5", "grid", opt(v="0.5")),
    *(
        Row(f"{layout}, {tiling}", layout, opt(tiling, v=version))
        for tiling, version in (("Auto", "0.4"), (CORNERS, "0.5"), (INPLACE, "0.4"), (GRID, "0.5"))
        for layout in (
            "grid",
            "snake",
            "ragged",
            "sparse",
            "diagonal",
            "overlapping",
            "edge to edge",
            "apart",
            "one field",
            "one row",
        )
        if (tiling, layout) != (GRID, "ragged")  # an error of both: test_errors.py
    ),
    Row("jitter beyond the tolerance", "jittered", opt("Auto")),
    Row("tolerance covers the jitter", "jittered", opt("Auto", tolerance=4.5)),
    Row("grid with tolerance", "jittered", opt(GRID, tolerance=4.5, v="0.5")),
    Row("fractional tolerance", "one row", opt(GRID, tolerance=1.5)),
    Row("tolerance 0", "edge to edge", opt("Auto", tolerance=0)),
    Row("jitter kept, in place", "jittered", opt(INPLACE, remove_xy_jitter=False)),
    Row("jitter removed, in place", "jittered", opt(INPLACE, remove_xy_jitter=True)),
    Row(
        "jitter kept, corners",  # the reference fails on a tile that gets before pixel 0
        "jittered",
        opt(CORNERS, remove_xy_jitter=False),
        instead=instead("jittered, at the corners", opt(INPLACE, remove_xy_jitter=False)),
        expected=(ORIGINALS,),
    ),
    # -- offsets
    Row("negative positions", "negative", opt()),
    Row("negative positions in place", "negative", opt(INPLACE, v="0.5")),
    Row("offset removed", "far", opt(remove_xy_offset="Global", remove_z_offset="Global", remove_t_offset="Global")),
    Row("offset kept", "far", opt(**KEEP)),
    Row("offset kept, in place", "far", opt(INPLACE, **KEEP)),
    Row("offset kept, corners", "far", opt(CORNERS, **KEEP, v="0.5")),
    Row("z kept", "high", opt(remove_z_offset="Keep")),
    Row("z per field", "drifting", opt(remove_z_offset="Per-FOV")),
    Row("z drifts", "drifting", opt(remove_z_offset="Global")),
    Row("z drifts, kept", "drifting", opt(INPLACE, remove_z_offset="Keep", v="0.5")),
    Row("z drifts by parts of a slice", "drifting by parts", opt(INPLACE)),
    Row("z drifts by parts, per field", "drifting by parts", opt(remove_z_offset="Per-FOV")),
    Row("t kept", "time", opt(remove_t_offset="Keep")),
    Row("t removed", "late", opt(remove_t_offset="Global")),
    Row("t kept in world units", "late", opt(remove_t_offset="Keep", v="0.5")),
    Row(
        "all kept",
        "late and far",
        opt(INPLACE, **KEEP, remove_z_offset="Keep", remove_t_offset="Keep", remove_xy_jitter=False),
    ),
    # -- channels
    Row("channels closed up", "third channel only", opt(reindex_channels=True)),
    Row("channels left empty", "third channel only", opt(reindex_channels=False)),
    Row("channels left empty, per field", "third channel only", opt(per_fov=True, reindex_channels=False, v="0.5")),
    Row("no channel list", "no channel list", opt()),
    Row("no channel list, not closed up", "no channel list", opt(reindex_channels=False)),
    Row("no wavelengths", "no wavelengths", opt(v="0.5")),
    Row("odd channel names", "odd channel names", opt()),
    # -- fields as images
    *(
        Row(f"per field, {layout}", layout, opt(per_fov=True, v=version))
        for layout, version in (
            ("grid", "0.4"),
            ("ragged", "0.5"),
            ("negative", "0.4"),
            ("drifting", "0.5"),
            ("late", "0.4"),
            ("far", "0.5"),
        )
    ),
    Row("per field, z per field", "drifting", opt(per_fov=True, remove_z_offset="Per-FOV")),
    Row("per field, images", "three images", opt(per_fov=True), collection="image"),
    # -- chunks
    *(
        Row(f"chunks of {scaling} fields", "grid", opt(chunks=by_fov(scaling), v=version))
        for scaling, version in (("0.25", "0.4"), ("0.5", "0.5"), ("1", "0.4"), ("2", "0.5"), ("4", "0.4"))
    ),
    Row("quarter chunks of odd fields", "odd", opt(chunks=by_fov("0.25"))),
    Row("chunks of a slice", "deep", opt(chunks=by_fov(z_chunk=1, c_chunk=2, t_chunk=2))),
    Row("chunks of all slices", "deep", opt(chunks=by_fov("2", z_chunk=50), v="0.5")),
    Row("default z chunk cuts the stack", "deep", opt()),
    Row("large chunks", "grid", opt(chunks=fixed())),
    Row("chunks that do not divide", "grid", opt(chunks=fixed(xy_chunk=37, z_chunk=3), v="0.5")),
    Row(
        "chunks of several channels and times",
        "movies",
        opt(chunks=fixed(xy_chunk=32, z_chunk=2, c_chunk=2, t_chunk=2)),
    ),
    Row("chunks of one pixel row", "thin", opt(chunks=fixed(xy_chunk=16))),
    # -- shards
    Row("no shards", "grid", opt(shards={"mode": "None"})),
    Row("shards", "grid", opt(shards=gathered(), v="0.5")),
    Row("shards of small chunks", "grid", opt(chunks=by_fov("0.25"), shards=gathered(xy_factor=2), v="0.5")),
    Row("shards that do not divide", "odd", opt(chunks=fixed(xy_chunk=10), shards=gathered(xy_factor=4), v="0.5")),
    Row(
        "shards across all axes",
        "movies",
        opt(
            chunks=fixed(xy_chunk=16, z_chunk=1),
            shards=gathered(xy_factor=3, z_factor=2, c_factor=2, t_factor=2),
            v="0.5",
        ),
    ),
    Row(
        "shards, in place, gaps",
        "apart",
        opt(INPLACE, chunks=fixed(xy_chunk=24), shards=gathered(xy_factor=2), v="0.5"),
    ),
    # -- levels
    Row("one level", "grid", opt(levels=1)),
    Row("two levels", "grid", opt(levels=2, v="0.5")),
    Row("levels with names", "grid", opt(levels=("s0", "half size", "s2"))),
    Row("levels with names 0.5", "odd", opt(levels=("full", "2x"), v="0.5")),
    Row("odd sizes", "odd", opt()),
    Row("odd sizes 0.5", "odd", opt(v="0.5", chunks=fixed(xy_chunk=30))),
    Row("a thin image", "thin", opt()),
    Row(
        "levels that no longer shrink",  # the reference fails when two are 1 x 1: ours leaves the second out
        "tiny",
        opt(levels=9),
        instead=instead(None, opt(levels=4)),
        also=levels_are({"0": (1, 1, 12, 10), "1": (1, 1, 6, 5), "2": (1, 1, 3, 2), "3": (1, 1, 1, 1)}),
    ),
    Row("five levels of a tiny image", "tiny odd", opt(v="0.5"), instead=instead(None, opt(levels=4, v="0.5"))),
    # -- tables
    *(
        Row(f"{backend} tables {version}", layout, opt(tables=backend, v=version))
        for backend in ("csv", "json", "parquet")
        for layout, version in (("grid", "0.4"), ("time", "0.5"))
    ),
    # How anndata lays out the arrays of a table is its own business, and changes with its versions.
    Row("anndata tables 0.4", "grid", opt(tables="anndata"), expected=("*_ROI_table/* dimension_separator: '.' in *",)),
    Row(
        "anndata tables 0.5",
        "time",
        opt(tables="anndata", v="0.5"),
        expected=("*_ROI_table/* shards: *, None in ours",),
    ),
    Row(
        "anndata tables of fields",
        "drifting",
        opt(per_fov=True, tables="anndata"),
        expected=("*_ROI_table/* dimension_separator: '.' in *",),
    ),
    Row("attributes of all kinds", "attributes", opt()),
    Row("attributes, other tables in parquet", "attributes", opt(tables="parquet", v="0.5")),
    Row("no attributes", "no attributes", opt()),
    Row("missing numbers", "numbers missing", opt()),
    Row("missing numbers 0.5", "numbers missing", opt(v="0.5")),
    Row(
        "missing texts",  # the reference cannot write them on a plate: given a word, only the word differs
        "texts missing",
        opt(),
        instead=instead("texts given"),
        expected=(
            "MyPlate.zarr/tables/condition_table table rows[[]1].drug: '(none)' in the reference, None in ours",
            "MyPlate.zarr/B/02/0/tables/condition_table table rows[[]0].drug: '(none)' in the reference, None in ours",
        ),
    ),
    Row(
        "missing flags",
        "flags missing",
        opt(v="0.5"),
        instead=instead("flags given"),
        expected=(
            "MyPlate.zarr/tables/condition_table table rows[[]0].flag: False in the reference, None in ours",
            "MyPlate.zarr/A/01/0/tables/condition_table table rows[[]0].flag: False in the reference, None in ours",
            # A column of nothing but empty cells has no type in a CSV file.
            "MyPlate.zarr/A/01/0/tables/condition_table table columns: *",
        ),
    ),
    # -- writer modes: all of ours give the same. By FOV is right where no field has holes.
    *(
        Row(f"writer {mode}, {layout}", layout, opt(INPLACE, writer=mode, v=version))
        for mode, layout, version in (
            ("By Tile", "overlapping", "0.4"),
            ("By Tile (Using Dask)", "overlapping", "0.5"),
            ("By FOV", "overlapping", "0.4"),
            ("By FOV (Using Dask)", "overlapping", "0.4"),
            ("In Memory", "overlapping", "0.5"),
            ("In Memory", "first plane missing", "0.4"),
        )
    ),
    Row(
        "first plane missing",  # the reference's By FOV spoils it
        "first plane missing",
        opt(INPLACE, writer="By FOV"),
        instead=instead(None, opt(INPLACE, writer="By Tile")),
    ),
    Row("files in another order", "files in another order", opt()),
    # -- runtime settings
    Row("zarrs codecs", "grid", opt(runtime={"use_zarrs_codec": True}, v="0.5")),
    Row("zarrs codecs off", "grid", opt(runtime={"use_zarrs_codec": False})),
    Row("threads", "grid", opt(writer="By Tile (Using Dask)", runtime=scheduler("Threads", num_workers=2))),
    Row("processes", "one field", opt(runtime=scheduler("Processes", num_workers=1))),
    Row("one thread", "grid", opt(runtime=scheduler("Synchronous"))),
    Row("scheduler by default", "grid", opt(runtime=scheduler("Default"))),
    Row("hand-over in files", "grid", opt(runtime=hand_over(serialization="JSON", temp_url="{zarr_dir}/hand over"))),
    Row("hand-over inline", "grid", opt(runtime=hand_over(serialization="Memory", max_in_memory_bytes=1))),
    Row("hand-over as it fits", "grid", opt(runtime=hand_over(serialization="Auto", max_in_memory_bytes=20_000))),
    Row("hand-over too large", "grid", opt(runtime=hand_over(serialization="Auto", max_in_memory_bytes=1))),
    # -- data types and formats
    *(
        Row(name, name, opt(v="0.5" if i % 2 else "0.4"))
        for i, name in enumerate(ACQUISITIONS)
        if name.partition(" ")[0] in ("tif", "png", "bmp", "npy") and name not in ("npy bool", "npy big-endian")
    ),
    Row(
        "npy big-endian",
        "npy big-endian",
        opt(),
        expected=(
            # The byte order of the output is a matter of codecs; ours is that of the machine.
            "list[[]0].init_args.image.data_type: '>u2' in the reference, 'uint16' in ours",
            "MyPlate.zarr/A/01/0/? dtype: dtype('>u2') in the reference, dtype('<u2') in ours",
        ),
    ),
    Row(
        "booleans",
        "npy bool",
        opt(),
        expected=("MyPlate.zarr/A/01/0/[1-4] pixels: *",),  # levels are all false in the reference
    ),
    *(
        Row(name, name, opt())
        for name in (
            "small values as uint8",
            "uint8 as uint16",
            "uint16 as uint32",
            "uint16 asked for",
            "detect asked for",
        )
    ),
    Row(
        "wells of two data types",  # the reference gives all images the type of the first
        "wells of two types",
        opt(),
        instead=instead(("uint8 well", "uint16 well"), ids=(0, 0)),
    ),
    # -- what a file holds
    *(
        Row(name, name, opt(v=version))
        for name, version in (
            ("stacks", "0.4"),
            ("stacks of channels", "0.5"),
            ("pairs of channels", "0.4"),
            ("movies", "0.5"),
            ("movies of planes", "0.4"),
        )
    ),
    Row("movies per field", "movies", opt(per_fov=True)),
    # -- spaces and stage orientation
    Row("positions in pixels", "pixel space", opt(INPLACE)),
    Row("lengths in world units", "world space", opt(INPLACE)),
    Row("lengths in world units, kept", "world space", opt(remove_xy_offset="Global", remove_z_offset="Keep", v="0.5")),
    *(Row(name, name, opt(INPLACE)) for name in ("flip x", "flip y", "swap", "swap and flip")),
    Row("swap and flip, snapped", "swap and flip", opt(GRID, v="0.5")),
    Row("swap, per field", "swap", opt(per_fov=True)),
    # -- axes
    *(
        Row(f"axes {name}", name, opt(v="0.5" if i % 2 else "0.4"))
        for i, name in enumerate(
            ("yx", "zyx", "cyx", "tyx", "tcyx", "tzyx", "tczyx, one of each", "axes by default, time")
        )
    ),
    Row("axes yx per field", "yx", opt(per_fov=True)),
    Row(
        "axes by default",  # without time, ours leaves the axis t out, as the converters do
        "axes by default",
        opt(),
        instead=instead("axes said"),
    ),
    # -- plates and images
    Row("28 wells", "28 wells", opt()),
    Row("a plate of 1536 wells", "1536 plate", opt(v="0.5"), expected=ROW_ORDER),
    Row("column 100", "column 100", opt(), expected=COLUMN_ORDER),
    Row("rows as numbers", "rows as numbers", opt()),
    Row(
        "rows beyond 26",
        "rows as large numbers",
        opt(),
        instead=instead("rows as large letters"),
        expected=ROW_ORDER,
    ),
    Row("rows of both kinds", "rows of both kinds", opt(), instead=instead("rows of one kind")),
    Row("three images", "three images", opt(), collection="image"),
    Row(
        "one image 0.5",
        "one image",
        opt(v="0.5", chunks=by_fov("0.5"), shards=gathered(xy_factor=2)),
        collection="image",
    ),
    Row("images with row and column", "rows of images", opt(tables="json"), collection="image"),
    Row(
        "fields as numbers",  # the reference wants text
        "fields as numbers",
        opt(),
        instead=instead("fields as names"),
        expected=(
            "MyPlate.zarr/A/01/0/tables/FOV_ROI_table table columns: *'FieldIndex': Int64*",
            "MyPlate.zarr/A/01/0/tables/FOV_ROI_table table rows[[]0].FieldIndex: 'FOV_0' in the reference, 0 in ours",
            "MyPlate.zarr/A/01/0/tables/FOV_ROI_table table rows[[]1].FieldIndex: 'FOV_1' in the reference, 1 in ours",
        ),
    ),
    Row("few columns", "few columns", opt()),
    Row("lengths from the files", "no lengths", opt(), instead=instead("lengths")),
    Row("plate_name in the table", "column plate_name", opt(), instead=instead("no column")),
    Row(
        "acquisition in the table",
        "column acquisition",
        opt(),
        instead=instead(("first of column", "second of column"), ids=(0, 3)),
    ),
    # -- registration that the reference gets wrong
    Row("one column", "one column", opt(GRID)),
    Row(
        "a wavy column",  # the reference takes steps within the tolerance for steps of a grid
        "one wavy column",
        opt(),
        instead=instead(None, opt(CORNERS)),
    ),
    Row("a very wavy column", "one very wavy column", opt()),
    Row(
        "a start at half a pixel",  # the reference rounds both ends of an odd length and loses a pixel
        "half a pixel",
        opt(INPLACE),
        instead=instead("whole pixels"),
        expected=(ORIGINALS, "*FOV_ROI_table table columns: *"),
    ),
    Row(
        "per field, offset kept",  # in the reference it is in the padding and in the translation
        "far",
        opt(per_fov=True, **KEEP),
        instead=instead(None, opt(per_fov=True)),
    ),
    # -- several acquisitions in one plate
    Row(
        "three acquisitions in one plate",
        ("first", "second", "third"),
        opt(),
        expected=("MyPlate.zarr/tables/condition_table table rows*", *ROW_ORDER),  # theirs has the last acquisition only
        also=condition_rows_merge,
    ),
    Row(
        "three acquisitions in one plate 0.5",
        ("third", "first of column", "second of column"),
        opt(v="0.5", per_fov=True),
    ),
    Row("the same acquisition again", ("first", "first"), opt(), ids=(0, 0)),
    Row("replaced", ("second", "first"), opt(), overwrite=("replace", "replace"), ids=(0, 0)),
    Row("a new plate", "first", opt(), overwrite=("no",)),
    Row("an extended plate that was not there", "first", opt(v="0.5"), overwrite=("extend",), ids=(7,)),
    Row("images replaced", ("three images", "three images"), opt(), collection="image", overwrite=("no", "replace")),
    Row("images extended", ("one image", "three images"), opt(), collection="image", overwrite=("no", "extend")),
]


@pytest.fixture(scope="session")
def acquisition(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a named acquisition, written at its first use."""
    root = tmp_path_factory.mktemp("matrix")

    def folder(name: str) -> Path:
        path = root / name
        if not path.exists():
            made = ACQUISITIONS[name]
            write_together(path, made if isinstance(made, tuple) else (made,))
        return path

    return folder


def names(row: Row) -> tuple[str, ...]:
    return (row.acquisition,) if isinstance(row.acquisition, str) else row.acquisition


def steps(row: Row) -> list[tuple[str, dict]]:
    """The acquisitions of a row and how each is converted."""
    how = {"options": {"writer_mode": "By Tile", **row.options}, "collection": row.collection}
    return [
        (name, {**how, "overwrite": overwrite, **({"acquisition_id": n} if row.collection == "plate" else {})})
        for name, overwrite, n in zip(names(row), row.overwrite, row.ids)
    ]


def convert_theirs(row: Row, acquisition, tree: Path) -> tuple[list, list]:
    """The reference's lists with the image documents in them, and its updates."""
    entries, updates = [], []
    for name, how in steps(row):
        made = reference_init(acquisition(name), tree, **how)
        entries += [with_image(entry, tree) for entry in made]
        updates += reference_compute(made, collection=row.collection)
    return entries, updates


def convert_ours(row: Row, acquisition, tree: Path, work: Path) -> tuple[list, list]:
    entries, updates = [], []
    for i, (name, how) in enumerate(steps(row)):
        made = ours.init(acquisition(name), tree, **how)
        entries += [with_image(entry, tree) for entry in made]
        updates += ours.compute_as_fractal(made, work / str(i))
    return entries, updates


def with_image(entry: dict, tree: Path) -> dict:
    """An entry with its image document parsed, wherever that lies, and marked where that is."""
    init_args = dict(entry["init_args"])
    text, place = init_args.pop("tiled_image_json_str", None), "inline"
    if text is None:
        path = Path(urlparse(init_args.pop("tiled_image_json_dump_url")).path)
        text, place = path.read_text(), path.parent.relative_to(tree).as_posix()
    return {"zarr_url": entry["zarr_url"], "init_args": {**init_args, "image": json.loads(text)}, "place": place}


def relative(entries: list[dict], tree: Path) -> list[dict]:
    return [{**entry, "zarr_url": Path(entry["zarr_url"]).relative_to(tree).as_posix()} for entry in entries]


def differences(what: str, theirs: list[dict], mine: list[dict], root: Path) -> list[str]:
    out: list[str] = []
    attributes(relative(theirs, root / "theirs"), relative(mine, root / "ours"), what, out)
    return out


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_row(row: Row, acquisition, tmp_path):
    entries, updates = convert_ours(row, acquisition, tmp_path / "ours", tmp_path / "work")
    found = []
    if row.instead is None:
        their_entries, their_updates = convert_theirs(row, acquisition, tmp_path / "theirs")
        found += differences("list", their_entries, entries, tmp_path)
        found += differences("updates", their_updates, updates, tmp_path)
    else:
        request = replace(
            row.instead,
            acquisition=row.instead.acquisition or row.acquisition,
            options=row.options if row.instead.options is None else row.instead.options,
            collection=row.collection,
        )
        convert_theirs(request, acquisition, tmp_path / "theirs")
        assert not reference_converts(row, acquisition, tmp_path), "the reference has learnt it: drop `instead`"
    found += compare(tmp_path / "theirs", tmp_path / "ours")
    assert [line for line in found if not any(fnmatchcase(line, pattern) for pattern in row.expected)] == []
    stale = [pattern for pattern in row.expected if not any(fnmatchcase(line, pattern) for line in found)]
    assert stale == [], found
    levels_are_means(tmp_path / "ours")
    if row.also:
        row.also(tmp_path / "ours")


def levels_are_means(tree: Path) -> None:
    """Also where the reference's levels are of another ratio, ours are 2x2 means of the one above."""
    nodes, images = Tree(tree), 0
    for path, kind in nodes.kinds.items():
        levels = datasets(dict(nodes.open(path).attrs)) if kind == "group" else []
        arrays = [nodes.open(f"{path}/{level}") for level in levels]
        assert all(is_halved(above, level) for above, level in zip(arrays, arrays[1:])), path
        images += bool(levels)
    assert images


def reference_converts(row: Row, acquisition, tmp_path: Path) -> bool:
    """Whether the reference makes of a row what we make of it."""
    shutil.rmtree(tmp_path / "tried", ignore_errors=True)
    try:
        convert_theirs(row, acquisition, tmp_path / "tried")
    except Exception:  # it fails in many ways
        return False
    return compare(tmp_path / "tried", tmp_path / "ours") == []


def asked(document, where: tuple[str, ...] = ()) -> set[tuple]:
    """Every key path of an options document, with its value where the schema has a choice of them."""
    found = set()
    for key, value in document.items():
        found.add((*where, key))
        if isinstance(value, dict):
            found |= asked(value, (*where, key))
        elif isinstance(value, (str, bool)):
            found.add((*where, key, value))
    return found


def askable(schema: dict, definitions: dict, where: tuple[str, ...] = ()) -> set[tuple]:
    """The same of everything that the reference's schema allows."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    found = set()
    for branch in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        found |= askable(branch, definitions, where)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    found |= {(*where, value) for value in ([True, False] if schema.get("type") == "boolean" else values)}
    for key, part in schema.get("properties", {}).items():
        found |= {(*where, key)} | askable(part, definitions, (*where, key))
    return found


def test_every_option_with_every_value_is_in_the_matrix():
    schema = ConverterOptions.model_json_schema()
    possible = askable(schema, schema["$defs"])
    assert len(possible) > 80
    assert possible - set().union(*(asked(row.options) for row in MATRIX)) == set()


def test_the_matrix_is_large_and_its_names_are_unique():
    assert len(MATRIX) >= 60
    assert len({row.name for row in MATRIX}) == len(MATRIX)
    requests = [way for row in MATRIX for way in (row, row.instead) if way and way.acquisition]
    used = {name for request in requests for name in names(request)}
    assert ACQUISITIONS.keys() == used
