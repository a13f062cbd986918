"""Bad input is refused in one sentence that names what is wrong and where, and leaves no image behind."""

import csv
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import ours
from acquisitions import Acquisition, write_image
from compare import MARKERS

FIRST = "A01_F000_T00_C0_Z00"
IMAGE = "MyPlate.zarr/A/01/0"
OTHER_FIELD = "A01_F001_T00_C1_Z01"


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sound acquisitions to spoil copies of, by image format."""
    root = tmp_path_factory.mktemp("sound")
    for kind in ("tif", "png"):
        Acquisition(format=kind, seed=5).write(root / kind)
    return {kind: root / kind for kind in ("tif", "png")}


@pytest.fixture
def spoil(sound, tmp_path: Path):
    """A copy of a sound acquisition."""

    def copy(kind: str = "tif") -> Path:
        return Path(shutil.copytree(sound[kind], tmp_path / "acquisition"))

    return copy


def read_rows(folder: Path) -> list[dict]:
    return list(csv.DictReader(open(folder / "tiles.csv", newline="")))


def write_rows(folder: Path, rows: list[dict]) -> None:
    with open(folder / "tiles.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def assert_refused(done: ours.Run, *patterns: str) -> None:
    """Exit code 1 or 2, exactly one error message, and all the patterns (regular expressions) in it."""
    assert done.code in (1, 2), f"exit code {done.code}\n{done.stderr}"
    assert not re.search(r"panicked|RUST_BACKTRACE|Traceback|\.rs:\d", done.stderr), done.stderr
    heads = re.findall(r"(?im)^(?:error\b|[^;\n]*;[^;\n]*;\s*error\s*;)", done.stderr)
    assert len(heads) == 1, f"{len(heads)} error messages\n{done.stderr}"
    missing = [pattern for pattern in patterns if not re.search(pattern, done.stderr)]
    assert not missing, f"{missing} not named in:\n{done.stderr}"


def assert_convert_refuses(folder: Path, *patterns: str, **how) -> None:
    zarr_dir = folder.parent / "out"
    assert_refused(ours.convert(folder, zarr_dir, check=False, **how), *patterns)
    assert not (zarr_dir / IMAGE).exists()


def test_the_sound_acquisitions_convert(sound, tmp_path):
    """The rest of this file would pass for a program that refuses everything."""
    for kind, folder in sound.items():
        ours.convert(folder, tmp_path / kind)
        assert (tmp_path / kind / IMAGE).is_dir()


def test_no_table(spoil):
    folder = spoil()
    (folder / "tiles.csv").unlink()
    # Image files alone would do (test_images.py).
    shutil.rmtree(folder / "data")
    assert_convert_refuses(folder, r"tiles\.csv", re.escape(str(folder)))


def test_no_acquisition_file(spoil):
    folder = spoil()
    (folder / "acquisition_details.toml").unlink()
    assert_convert_refuses(folder, r"acquisition_details\.toml")


@pytest.mark.parametrize("column", ["file_path", "fov_name", "start_x", "row"])
def test_a_column_is_missing(spoil, column):
    folder = spoil()
    write_rows(folder, [{key: value for key, value in row.items() if key != column} for row in read_rows(folder)])
    assert_convert_refuses(folder, r"tiles\.csv", rf"\b{column}\b")


@pytest.mark.parametrize("column, value", [("start_x", "left"), ("length_z", "two"), ("column", "first")])
def test_a_cell_of_another_type(spoil, column, value):
    folder, rows = spoil(), []
    for i, row in enumerate(read_rows(folder)):
        rows.append({**row, column: value} if i == 2 else row)
    write_rows(folder, rows)
    # The third row of the table is the fourth line of the file.
    assert_convert_refuses(folder, rf"\b{column}\b", rf"\b{value}\b", r"row 4\b")


def test_an_unknown_key_in_the_acquisition_file(spoil):
    folder = spoil()
    file = folder / "acquisition_details.toml"
    file.write_text(file.read_text().replace("xy_pixel_size", "xy_pixelsize"))
    assert_convert_refuses(folder, r"acquisition_details\.toml", r"\bxy_pixelsize\b", r"\bxy_pixel_size\b")


def test_an_image_file_is_missing(spoil):
    folder = spoil()
    (folder / "data" / f"{OTHER_FIELD}.tif").unlink()
    assert_convert_refuses(folder, rf"{OTHER_FIELD}\.tif")


@pytest.mark.parametrize("kind", ["tif", "png"])
@pytest.mark.parametrize("name", [FIRST, OTHER_FIELD])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_an_image_file_ends_early(spoil, kind, name, share):
    folder = spoil(kind)
    file = folder / "data" / f"{name}.{kind}"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert_convert_refuses(folder, rf"{name}\.{kind}")


def test_an_image_file_of_other_content(spoil):
    folder = spoil()
    (folder / "data" / f"{OTHER_FIELD}.tif").write_text("<html>404</html>")
    assert_convert_refuses(folder, rf"{OTHER_FIELD}\.tif")


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_an_image_of_another_size(spoil, kind):
    folder = spoil(kind)
    write_image(folder / "data" / f"{OTHER_FIELD}.{kind}", np.zeros((40, 50), np.uint16))
    assert_convert_refuses(folder, rf"{OTHER_FIELD}\.{kind}", r"\b40\b", r"\b50\b", r"\b48\b", r"\b64\b")


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_an_image_of_another_data_type(spoil, kind):
    folder = spoil(kind)
    write_image(folder / "data" / f"{OTHER_FIELD}.{kind}", np.zeros((48, 64), np.uint8))
    assert_convert_refuses(folder, rf"{OTHER_FIELD}\.{kind}", r"\buint8\b", r"\buint16\b")


def test_fields_of_two_sizes_cannot_be_snapped(spoil):
    folder = spoil()
    rows = read_rows(folder)
    for row in rows:
        if row["fov_name"] == "FOV_3":
            row["length_x"] = "50"
            write_image(folder / "data" / row["file_path"], np.zeros((48, 50), np.uint16))
    write_rows(folder, rows)
    assert_convert_refuses(folder, r"\b50\b", r"\b64\b", r"FOV_3|A01_F003", r"Inplace")


def test_a_channel_beyond_the_list(spoil):
    folder, rows = spoil(), []
    for row in read_rows(folder):
        rows.append({**row, "start_c": "2"} if row["file_path"].startswith(OTHER_FIELD) else row)
    write_rows(folder, rows)
    assert_convert_refuses(folder, OTHER_FIELD, r"\bFOV_1\b", r"\b2\b")


@pytest.mark.parametrize("length", ["0", "-64"])
def test_a_length_that_is_none(spoil, length):
    folder, rows = spoil(), []
    for row in read_rows(folder):
        rows.append({**row, "length_x": length} if row["file_path"].startswith(OTHER_FIELD) else row)
    write_rows(folder, rows)
    assert_convert_refuses(folder, OTHER_FIELD, r"length_x|\bx\b", re.escape(length))


@pytest.mark.parametrize(
    "options, patterns",
    [
        ({"omezarr_options": {"ngff_versions": "0.5"}}, [r"\bngff_versions\b", r"\bngff_version\b"]),
        ({"omezarr_option": {}}, [r"\bomezarr_option\b", r"\bomezarr_options\b"]),
        ({"omezarr_options": {"ngff_version": "0.6"}}, [r"\b0\.6\b", r"\b0\.5\b"]),
        ({"omezarr_options": {"shards": {"mode": "Multiple of Chunks"}}}, [r"(?i)shard", r"\b0\.5\b"]),
        ({"omezarr_options": {"levels": {"mode": "Number of Levels", "num_levels": 0}}}, [r"\bnum_levels\b", r"\b0\b"]),
        ('{"writer_mode": ', [r"options\.json"]),
    ],
)
def test_bad_options(spoil, options, patterns):
    assert_convert_refuses(spoil(), *patterns, options=options)


def test_the_options_file_is_missing(spoil, tmp_path):
    words = [*ours.conversion_words(tmp_path / "out"), "--options", tmp_path / "nowhere.json"]
    done = ours.run("OZC_BIN", "convert", spoil(), *words, check=False)
    assert_refused(done, r"nowhere\.json")
    assert not (tmp_path / "out" / IMAGE).exists()


def digest(tree: Path) -> dict[str, str]:
    """Hash of every file that readers see."""
    files = sorted(file for file in tree.rglob("*") if file.is_file() and (file.name[0] != "." or file.name in MARKERS))
    return {str(file.relative_to(tree)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("overwrite", ["no", "replace", "extend"])
def test_the_output_exists(sound, tmp_path, overwrite):
    """`no` refuses and touches nothing; the other two succeed with the same result."""
    zarr_dir = tmp_path / "out"
    ours.convert(sound["tif"], zarr_dir)
    before = digest(zarr_dir)
    done = ours.convert(sound["tif"], zarr_dir, overwrite=overwrite, check=False)
    if overwrite == "no":
        assert_refused(done, re.escape(str(zarr_dir / "MyPlate.zarr")), r"overwrite")
    else:
        assert done.code == 0, done.stderr
    assert digest(zarr_dir) == before


def test_a_plate_name_that_climbs_out(spoil, tmp_path):
    done = ours.convert(spoil(), tmp_path / "out", plate="../outside", check=False)
    assert_refused(done, r"\.\./outside")
    assert not list(tmp_path.rglob("outside*"))
