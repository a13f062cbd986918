"""Fixtures of the suite: acquisitions, and what the reference makes of them, once per session."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import ours
from acquisitions import Acquisition
from reference import reference_compute, reference_init

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
VERSIONS = ("0.4", "0.5")

GENERATED = {
    "grid": Acquisition(wells=("A01", "H12"), nx=3, seed=1),
    # Odd rows shifted: snapped to corners. Two time points, a gap in the stack, an attribute with an empty cell.
    "ragged": Acquisition(
        wells=("A01", "B02"),
        layout="ragged",
        times=2,
        missing=({"field": 1, "c": 1, "z": 0},),
        attributes={"drug": ("Drug", "DMSO"), "dose_um": (0.5, None)},
        seed=2,
    ),
}
CASES = ("hcs_plate", "single_images", *GENERATED)


@dataclass
class Case:
    """An acquisition with the options that both sides get, and what the reference makes of it."""

    folder: Path
    how: dict
    tree: Path
    entries: list[dict]
    updates: list[dict]

    @property
    def collection(self) -> str:
        return self.how["collection"]


def pytest_configure(config: pytest.Config) -> None:
    """Without the binaries nothing of ours would be tested: say so at once, and never skip."""
    asked = {Path(word.split("::")[0]).name for word in config.args}
    if asked == {"test_compare.py"}:
        return
    try:
        ours.executable("OZC_BIN")
        ours.executable("OZC_COMPUTE_BIN")
    except ours.NotBuilt as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def acquisition_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of a case -> its acquisition folder."""
    root = tmp_path_factory.mktemp("acquisitions")
    for name, acquisition in GENERATED.items():
        acquisition.write(root / name)
    return {name: root / name if name in GENERATED else TESTDATA / name for name in CASES}


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session", params=CASES)
def case_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def case(case_name: str, version: str, acquisition_folders, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The reference's conversion of one acquisition to one NGFF version."""
    how = {
        "options": {"writer_mode": "By Tile", "omezarr_options": {"ngff_version": version}},
        "collection": "image" if case_name == "single_images" else "plate",
    }
    folder, tree = acquisition_folders[case_name], tmp_path_factory.mktemp("reference") / f"{case_name}-{version}"
    entries = reference_init(folder, tree, **how)
    return Case(folder, how, tree, entries, reference_compute(entries, collection=how["collection"]))


@pytest.fixture(scope="session")
def our_tree(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our conversion of the same."""
    tree = tmp_path_factory.mktemp("ours") / case.tree.name
    ours.convert(case.folder, tree, **case.how)
    return tree
