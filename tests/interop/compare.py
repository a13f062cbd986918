"""Compares two OME-Zarr folders as a reader sees them.

`compare.py REFERENCE OURS` prints every difference; its exit code is 0 when there is none.

Compared are the groups and arrays that exist and what else lies in the groups; attributes, key by key, numbers to 1e-9;
of arrays the shape, chunks, shards, data type, fill value, dimension names and separator; every pixel of every level;
tables of all four backends, row by row. Codecs are not: a reader does not see them.

Where ours differs from the reference on purpose, our value must be the reference's or the one that our rules give:

* `window.max` is the largest value of the data type (floats: of the coarsest level); theirs is always 65535.
* `window.min` is the smallest value below 0 of the coarsest level, of types that have such values; theirs is always 0.
* `window.start` and `end` are exact percentiles of the coarsest level; theirs are approximate when that level is
  more than one chunk per channel.
* From the first level that is not exactly half the one above, theirs is resampled by another ratio than 2. From there
  on a level of ours must be the 2x2 mean of our level above, or have their mean to 2 %; and our scale must be twice
  that of the level above, the same for an axis that had size 1 already.
"""

import json
import math
import sys
import warnings
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import polars as pl
import zarr

MARKERS = {"zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata"}
ARRAY_PROPERTIES = ("shape", "chunks", "shards", "dtype", "fill_value")


def compare(reference: Path, ours: Path, ignore: tuple[str, ...] = ()) -> list[str]:
    """All differences, one line each, starting with where. Lines that match a pattern of `ignore` are left out."""
    theirs, mine = Tree(reference), Tree(ours)
    out = []
    for path in sorted(theirs.kinds.keys() | mine.kinds.keys()):
        kinds = theirs.kinds.get(path, "nothing"), mine.kinds.get(path, "nothing")
        if kinds[0] != kinds[1]:
            out.append(f"{path}: {different(*kinds)}")
            continue
        a, b = theirs.open(path), mine.open(path)
        if a.metadata.zarr_format != b.metadata.zarr_format:
            out.append(f"{path} zarr format: {different(a.metadata.zarr_format, b.metadata.zarr_format)}")
        x, y = dict(a.attrs), dict(b.attrs)
        if kinds[0] == "group":
            foreign(path, theirs, mine, out)
            if datasets(x) and datasets(x) == datasets(y):
                pyramid(path, theirs, mine, x, y, out)
            if "backend" in x and x.get("backend") == y.get("backend"):
                tables(path, theirs.root / path, mine.root / path, x["backend"], out)
        else:
            arrays(path, a, b, out)
        attributes(x, y, f"{path} attributes", out)
    if "." not in theirs.kinds:
        foreign(".", theirs, mine, out)
    if not theirs.kinds:
        out.append(f"{reference}: no zarr groups or arrays in the reference")
    return [line for line in out if not any(fnmatchcase(line, pattern) for pattern in ignore)]


class Tree:
    """The zarr nodes below a folder, by relative path."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.kinds: dict[str, str] = {}
        for file in sorted(self.root.rglob("*")):
            path = file.parent.relative_to(self.root).as_posix()
            if file.name == "zarr.json":
                self.kinds[path] = json.loads(file.read_text())["node_type"]
            elif file.name in (".zgroup", ".zarray"):
                self.kinds[path] = "group" if file.name == ".zgroup" else "array"

    def open(self, path: str):
        return zarr.open(str(self.root / path), mode="r")

    def foreign(self, path: str) -> set[str]:
        """What lies in a group and is no node: table files, or what a writer forgot. Hidden files are nobody's
        business, hidden folders would be half-written images."""
        inside = (self.root / path).iterdir()
        names = {entry.name for entry in inside if entry.is_dir() or not entry.name.startswith(".")} - MARKERS
        return {name for name in names if child(path, name) not in self.kinds}


def child(path: str, name: str) -> str:
    return name if path == "." else f"{path}/{name}"


def foreign(path: str, theirs: Tree, mine: Tree, out: list[str]) -> None:
    a, b = theirs.foreign(path), mine.foreign(path)
    out += [f"{child(path, name)}: only in {'ours' if name in b else 'the reference'}" for name in sorted(a ^ b)]


def different(a, b) -> str:
    return f"{a!r} in the reference, {b!r} in ours"


def datasets(attrs: dict) -> list[str]:
    """Paths of the levels of an image, the finest first; none for other groups."""
    multiscales = attrs.get("ome", attrs).get("multiscales")
    return [dataset["path"] for dataset in multiscales[0]["datasets"]] if multiscales else []


def attributes(a, b, where: str, out: list[str]) -> None:
    """Differences of two JSON values."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key not in a:
                out.append(f"{where}.{key}: only in ours ({b[key]!r})")
            elif key not in b:
                out.append(f"{where}.{key}: missing in ours (reference {a[key]!r})")
            else:
                attributes(a[key], b[key], f"{where}.{key}", out)
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            out.append(f"{where}: {len(a)} entries in the reference, {len(b)} in ours")
        for i, (x, y) in enumerate(zip(a, b)):
            attributes(x, y, f"{where}[{i}]", out)
    elif is_number(a) and is_number(b):
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) and not (math.isnan(a) and math.isnan(b)):
            out.append(f"{where}: {different(a, b)}")
    elif a != b:
        out.append(f"{where}: {different(a, b)}")


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def arrays(path: str, a: zarr.Array, b: zarr.Array, out: list[str]) -> None:
    """Differences of two arrays but for their elements."""
    for name in ARRAY_PROPERTIES:
        x, y = getattr(a, name), getattr(b, name)
        if x != y and not (x != x and y != y):  # NaN is a fill value too
            out.append(f"{path} {name}: {different(x, y)}")
    for name in ("dimension_names", "dimension_separator", "chunk_key_encoding"):
        x, y = getattr(a.metadata, name, None), getattr(b.metadata, name, None)
        if x != y:
            out.append(f"{path} {name}: {different(x, y)}")


def pyramid(path: str, theirs: Tree, mine: Tree, x: dict, y: dict, out: list[str]) -> None:
    """Pixels of all levels of an image; puts the reference's values into our attributes `y` where ours differ on
    purpose and are what our rules say, so that the comparison of attributes passes over them."""
    a = [theirs.open(child(path, level)) for level in datasets(x) if child(path, level) in theirs.kinds]
    b = [mine.open(child(path, level)) for level in datasets(y) if child(path, level) in mine.kinds]
    if not a or [level.shape for level in a] != [level.shape for level in b]:
        out.append(f"{path} shapes of the levels: {different([z.shape for z in a], [z.shape for z in b])}")
        return
    steps = [True, *(exactly_half(big.shape, small.shape) for big, small in zip(a, a[1:]))]
    for i, (level, p, q) in enumerate(zip(datasets(x), a, b)):
        exact = all(steps[: i + 1])
        if exact or not is_halved(b[i - 1], q):
            pixels(f"{child(path, level)} pixels", p, q, exact, out)
    if not all(steps):
        accept_scales(x, y, [level.shape for level in b])
    accept_windows(x, y, a[-1], b[-1], all(steps))


def exactly_half(big: tuple[int, ...], small: tuple[int, ...]) -> bool:
    return all(m == 2 * n or m == n == 1 for m, n in zip(big[-2:], small[-2:]))


def pixels(where: str, a: zarr.Array, b: zarr.Array, exact: bool, out: list[str]) -> None:
    """Every pixel, or only the mean where `exact` is false."""
    worst, count, sums = 0.0, 0, np.zeros(2)
    for index in np.ndindex(a.shape[:-2]):
        x, y = np.asarray(a[index]), np.asarray(b[index])
        sums += x.sum(dtype=np.float64), y.sum(dtype=np.float64)
        # Means of float32 may be summed in another order.
        wrong = ~np.isclose(x, y, rtol=1e-6, atol=0, equal_nan=True) if a.dtype.kind == "f" else x != y
        if exact and wrong.any():
            largest = np.abs(x[wrong].astype(np.float64) - y[wrong].astype(np.float64)).max()
            worst, count = max(worst, float(largest)), count + int(wrong.sum())
    if count:
        out.append(f"{where}: {count} of {a.size} differ (largest difference {worst:g})")
    means = sums / max(1, a.size)
    if not exact and not math.isclose(*means, rel_tol=0.02, abs_tol=0.5):
        out.append(f"{where}: mean {means[0]:g} in the reference, {means[1]:g} in ours")


def is_halved(above: zarr.Array, level: zarr.Array) -> bool:
    """Whether a level is what our rules make of the one above it."""
    ruled = halved(np.asarray(above[...]))
    return ruled.shape == level.shape and np.allclose(
        ruled, np.asarray(level[...]), rtol=1e-6, atol=0, equal_nan=True
    )


def halved(level: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels of y and x, without an odd last row or column; integers rounded half away from zero."""
    blocks = level
    for axis in (level.ndim - 2, level.ndim - 1):
        n = level.shape[axis]
        blocks = blocks[(slice(None),) * axis + (slice(n - n % 2 if n > 1 else 1),)]
    ky, kx = (2 if n > 1 else 1 for n in level.shape[-2:])
    blocks = blocks.reshape(*level.shape[:-2], blocks.shape[-2] // ky, ky, blocks.shape[-1] // kx, kx)
    if level.dtype.kind == "f":
        with warnings.catch_warnings(action="ignore"):  # nothing but NaN has no mean
            return np.nanmean(blocks, axis=(-3, -1), dtype=np.float64).astype(level.dtype)
    sums, count = blocks.sum(axis=(-3, -1), dtype=np.int64), ky * kx
    return (np.sign(sums) * ((2 * np.abs(sums) + count) // (2 * count))).astype(level.dtype)


def accept_scales(x: dict, y: dict, shapes: list[tuple[int, ...]]) -> None:
    """See `pyramid`: scales below a level of odd size."""
    previous = None
    for theirs, mine, shape in zip(multiscale(x)["datasets"], multiscale(y)["datasets"], shapes):
        scale = list(mine["coordinateTransformations"][0].get("scale", []))
        if previous is not None and len(scale) == len(shape):
            above, size_above = previous
            ruled = [s * (2 if k >= len(shape) - 2 and size_above[k] > 1 else 1) for k, s in enumerate(above)]
            if np.allclose(scale, ruled, rtol=1e-9, atol=0):
                mine["coordinateTransformations"][0]["scale"] = theirs["coordinateTransformations"][0]["scale"]
        previous = scale, shape


def accept_windows(x: dict, y: dict, coarsest_theirs: zarr.Array, coarsest: zarr.Array, exact: bool) -> None:
    """See `pyramid`: display windows of the channels."""
    axes = [axis["name"] for axis in multiscale(x)["axes"]]
    channel_axis = axes.index("c") if "c" in axes else None
    grid = [n for k, n in enumerate(coarsest_theirs.cdata_shape) if k != channel_axis]
    values, dtype = np.asarray(coarsest[...]), coarsest.dtype
    channels = [document.get("ome", document).get("omero", {}).get("channels", []) for document in (x, y)]
    for c, (theirs, mine) in enumerate(zip(*channels)):
        theirs, mine = theirs.get("window", {}), mine.get("window", {})
        channel = values if channel_axis is None else np.take(values, c, channel_axis)
        tops = {float(np.iinfo(dtype).max)} if dtype.kind in "iu" else {float(values.max()), float(channel.max())}
        tops |= {float(mine.get("end", 0))} if dtype.kind == "f" and not (channel > 0).any() else set()
        if dtype.kind in "if" and mine.get("min") == min(0.0, float(channel.min())) and "min" in theirs:
            mine["min"] = theirs["min"]
        if mine.get("max") in tops and "max" in theirs:
            mine["max"] = theirs["max"]
        if not (exact and math.prod(grid) == 1) and (mine.get("start"), mine.get("end")) == ruled_window(channel):
            mine["start"], mine["end"] = theirs.get("start"), theirs.get("end")


def ruled_window(channel: np.ndarray) -> tuple[float, float]:
    """Start and end of the display window: the 0.1 and 99.9 percentiles (nearest) of what is above 0."""
    lit = np.sort(channel[channel > 0], axis=None)
    if not lit.size:
        return 0.0, 1.0
    start, end = (float(lit[round((lit.size - 1) * percent / 100)]) for percent in (0.1, 99.9))
    end = end if end > start else float(lit[-1])
    return (start if end > start else 0.0), end


def multiscale(attrs: dict) -> dict:
    return attrs.get("ome", attrs)["multiscales"][0]


def tables(path: str, theirs: Path, mine: Path, backend: str, out: list[str]) -> None:
    """Columns, their types and all rows of two tables of one backend."""
    try:
        a, b = read_table(theirs, backend), read_table(mine, backend)
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        out.append(f"{path} table: cannot be read: {error}")
        return
    if list(a.schema.items()) != list(b.schema.items()):
        out.append(f"{path} table columns: {different(dict(a.schema), dict(b.schema))}")
    attributes(a.to_dicts(), b.to_dicts(), f"{path} table rows", out)


def read_table(folder: Path, backend: str) -> pl.DataFrame:
    """A table group of any backend as a data frame."""
    if backend == "csv":
        # A missing number is `nan` in the reference's plate tables and empty in its image tables; ours is empty in both.
        table = pl.read_csv(folder / "table.csv", null_values=["nan"])
        return table.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
    if backend == "parquet":
        return pl.read_parquet(folder / "table.parquet")
    if backend == "json":
        return pl.DataFrame(dict(zarr.open_group(str(folder / "table"), mode="r").attrs))
    if backend == "anndata":
        import anndata

        table = anndata.read_zarr(str(folder))
        matrix = table.to_df().reset_index(names="index")
        matrix["X dtype"] = str(table.X.dtype)
        observations = table.obs.reset_index(names="index of obs")
        return pl.concat([pl.from_pandas(matrix), pl.from_pandas(observations)], how="horizontal")
    raise ValueError(f"unknown table backend {backend!r}")


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    differences = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join([*differences, f"{len(differences)} differences"]))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
