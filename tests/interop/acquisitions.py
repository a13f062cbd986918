"""Synthetic acquisitions of every shape that converters meet: tiles.csv, acquisition_details.toml and data/.

`python acquisitions.py FOLDER [key=value ...]` writes one; the keys are the fields of `Acquisition`, values in Python's
notation (`layout=ragged wells='("B03","AA24")'`).
"""

import ast
import csv
import sys
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path

import numpy as np

DYES = (("DAPI", "405"), ("GFP", "488"), ("RFP", "561"), ("Cy5", "640"))
LAYOUTS = ("grid", "snake", "ragged", "sparse", "diagonal")


@dataclass
class Acquisition:
    """What to make. Sizes and positions are in pixels, indices and counts start at the origin of the stage."""

    wells: tuple[str, ...] = ("A01",)
    """Wells as row letters and column number: `A01`, `Z24`, `AA03`. Not used where `images` are given."""
    images: tuple[str, ...] = ()
    """Names of single images. Where given, the table has `image_path` instead of `row` and `column`."""
    nx: int = 2
    ny: int = 2
    height: int = 48
    width: int = 64
    channels: int = 2
    slices: int = 2
    times: int = 1
    layout: str = "grid"
    """grid; snake: odd rows backwards; ragged: odd rows shifted, so no grid; sparse: every fourth field is missing;
    diagonal: only fields whose column and row have the same parity."""
    overlap: float = 0.1
    """Share of a field that its neighbour covers too. Negative leaves gaps."""
    jitter: float = 0.2
    """Stage error, uniform, of each file."""
    origin: tuple[float, float] = (0.0, 0.0)
    """x, y of the first field: negative, or far away."""
    first_slice: int = 0
    first_time: int = 0
    drift: float = 0.0
    """Slices by which each field starts above the one before it."""
    format: str = "tif"
    """tif, png, bmp or npy."""
    compression: str | None = None
    """For tif, as tifffile names them: zlib, lzw, zstd."""
    dtype: str = "uint16"
    """Any data type of numpy (png: uint8 or uint16, bmp: uint8)."""
    stored: str | None = None
    """Data type of the files where it is not that of the values, such as `>u2`."""
    spans: str = ""
    """Axes among t, c, z that lie within one file instead of being spread over files: `z` makes stacks. The file has
    all axes from the first of them on; tifffile drops those of length 1, which the reference misses: use npy."""
    outer: str = "ctz"
    """Order of the files of a field, slowest axis first."""
    missing: tuple[dict, ...] = ()
    """Files left out: each a dict of some of field, t, c, z that all match, e.g. `{"c": 0, "z": 0}`."""
    attributes: dict[str, tuple] = field(default_factory=lambda: {"drug": ("Drug", "DMSO")})
    """Attribute columns: the values go round over the wells (or images); None is an empty cell. The reference cannot
    read an empty cell in a column of text or booleans on a plate."""
    fov_names: str = "FOV_{}"
    numbered_rows: bool = False
    """Rows as numbers, A being 1."""
    without: tuple[str, ...] = ()
    """Columns that the table does not have."""
    axes: str | None = None
    """`czyx` with t in front where there is time, unless given."""
    details: dict = field(default_factory=dict)
    """Keys of acquisition_details.toml that replace or join the usual ones; None leaves one out."""
    pixel_size: float = 0.65
    z_spacing: float = 5.0
    t_spacing: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout {self.layout!r} is none of {LAYOUTS}")
        plain = {"png": ("uint8", "uint16"), "bmp": ("uint8",)}.get(self.format, (self.dtype,))
        if self.dtype not in plain or self.format in ("png", "bmp") and self.spans:
            raise ValueError(f"a {self.format} holds one plane of {' or '.join(plain)}")
        self.axes = self.axes or ("tczyx" if self.times > 1 else "czyx")

    def write(self, folder: Path) -> list[dict]:
        """Write the acquisition and return the rows of its table."""
        folder = Path(folder)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(self.seed)
        rows = [row for i, target in enumerate(self.images or self.wells) for row in self._rows(i, target, folder, rng)]
        write_table(folder, rows)
        (folder / "acquisition_details.toml").write_text(to_toml(self._details()))
        return rows

    def _positions(self):
        """Field number, x and y, in the order of the stage."""
        step_x, step_y = self.width * (1 - self.overlap), self.height * (1 - self.overlap)
        for iy in range(self.ny):
            columns = range(self.nx)
            for ix in reversed(columns) if self.layout == "snake" and iy % 2 else columns:
                number = iy * self.nx + ix
                if self.layout == "sparse" and number % 4 == 3 or self.layout == "diagonal" and (ix + iy) % 2:
                    continue
                shift = 0.37 * step_x * (iy % 2) if self.layout == "ragged" else 0.0
                yield number, self.origin[0] + ix * step_x + shift, self.origin[1] + iy * step_y

    def _rows(self, i: int, target: str, folder: Path, rng: np.random.Generator):
        """Write the files of one well or image, and yield their rows."""
        counts = {"t": self.times, "c": self.channels, "z": self.slices}
        letters = target.rstrip("0123456789")
        row = row_number(letters) if self.numbered_rows else letters
        place = {"image_path": target} if self.images else {"row": row, "column": int(target[len(letters) :])}
        steps = {axis: range(1) if axis in self.spans else range(counts[axis]) for axis in self.outer}
        lengths = {axis: counts[axis] if axis in self.spans else 1 for axis in counts}
        firsts = {"t": self.first_time, "c": 0, "z": self.first_slice}
        for number, x, y in self._positions():
            base = blobs(rng, self.height, self.width)
            for index in product(*steps.values()):
                at = dict(zip(steps, index))
                if any(all({"field": number, **at}[k] == v for k, v in gap.items()) for gap in self.missing):
                    continue
                name = f"{target}_F{number:03d}_T{at['t']:02d}_C{at['c']}_Z{at['z']:02d}.{self.format}"
                write_image(folder / "data" / name, self._pixels(base, at, lengths, rng), self.compression)
                jitter_x, jitter_y = rng.uniform(-self.jitter, self.jitter, 2)
                start = {"x": x + jitter_x, "y": y + jitter_y, **{axis: firsts[axis] + at[axis] for axis in "zct"}}
                if self.drift:
                    start["z"] += number * self.drift
                size = {"x": self.width, "y": self.height, **lengths}
                cells = {
                    "file_path": name,
                    **place,
                    "fov_name": self.fov_names.format(number),
                    **{f"start_{axis}": self._cell("start", axis, start[axis]) for axis in "xyzct"},
                    **{f"length_{axis}": self._cell("length", axis, size[axis]) for axis in "xyzct"},
                    **{key: values[i % len(values)] for key, values in self.attributes.items()},
                }
                yield {key: value for key, value in cells.items() if key not in self.without}

    def _cell(self, what: str, axis: str, pixels: float) -> float:
        """A start or length in the space that the acquisition file says, or leaves to its default."""
        spacing = {"x": self.pixel_size, "y": self.pixel_size, "z": self.z_spacing, "t": self.t_spacing}.get(axis)
        space = self._details().get(f"{what}_{axis}_space", "world" if what == "start" else "pixel")
        if spacing is None or space == "pixel":
            return round(pixels, 4)
        return round(pixels * spacing, 4)

    def _pixels(self, base: np.ndarray, at: dict, lengths: dict, rng: np.random.Generator) -> np.ndarray:
        """The pixels of one file: y, x and in front of them the axes from the first spanned one on."""
        shape = tuple(lengths[axis] for axis in "tcz")
        planes = np.empty((*shape, self.height, self.width), np.float32)
        for index in np.ndindex(shape):
            t, c, z = (at[axis] + index[k] for k, axis in enumerate("tcz"))
            plane = np.roll(base, (7 * c + 3 * t, 11 * c), (0, 1)) * (1 - 0.1 * (z % 8)) + 100
            planes[index] = plane + rng.standard_normal(plane.shape, np.float32) * np.sqrt(plane) * 0.6
        dtype = np.dtype(self.dtype)
        if dtype == np.uint8:
            planes /= 16
        elif dtype == np.int16:
            planes -= 400  # below and above 0
        elif dtype == np.uint32:
            planes *= 100_000  # beyond 16 bits
        elif dtype == np.bool_:
            return self._shaped(planes > 500, lengths)
        if dtype.kind != "f":
            limits = np.iinfo(dtype)
            # float32 cannot hold the largest uint32: 4294967040 is the last that fits, and the last of any wider type.
            largest = limits.max if limits.bits < 32 else 2_147_483_520 if limits.max < 2**32 - 1 else 4_294_967_040
            planes = np.clip(planes, max(limits.min, -2_147_483_648), largest)
        return self._shaped(planes.astype(dtype).astype(self.stored or dtype), lengths)

    def _shaped(self, planes: np.ndarray, lengths: dict) -> np.ndarray:
        """The planes without the axes that a file does not have."""
        used = [axis for axis in "tcz" if axis in self.axes]
        first = min((used.index(axis) for axis in self.spans), default=len(used))
        return planes.reshape(*(lengths[axis] for axis in used[first:]), self.height, self.width)

    def _details(self) -> dict:
        """The keys of acquisition_details.toml."""
        dyes = [DYES[i] if i < len(DYES) else (f"Dye {i}", str(650 + i)) for i in range(self.channels)]
        usual = {
            "start_z_space": "pixel",
            "start_t_space": "pixel",
            "xy_pixel_size": self.pixel_size,
            "z_spacing": self.z_spacing,
            "t_spacing": self.t_spacing,
            "channel_names": [name for name, _ in dyes],
            "wavelengths": [wavelength for _, wavelength in dyes],
            "axes": list(self.axes),
        }
        return {key: value for key, value in {**usual, **self.details}.items() if value is not None}


def blobs(rng: np.random.Generator, height: int, width: int, count: int = 12) -> np.ndarray:
    """Round spots of light on black."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    image = np.zeros((height, width), np.float32)
    for _ in range(count):
        spot_y, spot_x, radius, peak = rng.uniform((0, 0, 2, 200), (height, width, 10, 3000))
        image += peak * np.exp(-((y - spot_y) ** 2 + (x - spot_x) ** 2) / (2 * radius**2))
    return image


def write_image(path: Path, pixels: np.ndarray, compression: str | None = None) -> None:
    """Write pixels in the format that the name says. A TIFF gets a page per plane."""
    if path.suffix == ".npy":
        np.save(path, pixels)
    elif path.suffix in (".png", ".bmp"):
        from PIL import Image

        Image.fromarray(pixels).save(path)
    else:
        import tifffile

        predictor = compression in ("zlib", "lzw", "zstd") and pixels.dtype.kind != "f"
        tifffile.imwrite(path, pixels, compression=compression, predictor=predictor, photometric="minisblack")


def write_table(folder: Path, rows: list[dict]) -> None:
    with open(folder / "tiles.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_together(folder: Path, acquisitions: tuple[Acquisition, ...]) -> None:
    """Several acquisitions in one folder and table. The acquisition file is that of the last."""
    write_table(folder, [row for acquisition in acquisitions for row in acquisition.write(folder)])


def row_number(letters: str) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def to_toml(document: dict) -> str:
    """TOML of strings, numbers, booleans, lists of them, and tables one level deep (which must come last)."""

    def text(value) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(text(item) for item in value) + "]"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)

    plain = [f"{key} = {text(value)}" for key, value in document.items() if not isinstance(value, dict)]
    tables = [(key, value) for key, value in document.items() if isinstance(value, dict)]
    for name, table in tables:
        plain += [f"[{name}]", *(f"{key} = {text(value)}" for key, value in table.items())]
    return "\n".join(plain) + "\n"


def main() -> None:
    known = {f.name: f for f in fields(Acquisition)}
    options = {}
    for word in sys.argv[2:]:
        key, value = word.split("=", 1)
        if key not in known:
            sys.exit(f"{key} is none of {', '.join(known)}")
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            options[key] = value
    rows = Acquisition(**options).write(Path(sys.argv[1]))
    print(f"{len(rows)} files in {sys.argv[1]}")


if __name__ == "__main__":
    main()
