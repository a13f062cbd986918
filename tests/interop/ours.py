"""Runs our executables: the command line as a user does, the compute task as Fractal does.

`OZC_BIN` and `OZC_COMPUTE_BIN` say where they are.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


class NotBuilt(RuntimeError):
    """An executable is not where the environment says."""


class Refused(RuntimeError):
    """An executable that had to succeed did not; the text is what it wrote to stderr."""


@dataclass
class Run:
    """How a process ended."""

    code: int
    stdout: str
    stderr: str


def executable(variable: str) -> str:
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        raise NotBuilt(f"{variable}={path!r} is no executable: build the binaries and set the variable (see README.md)")
    return os.path.abspath(path)


def run(variable: str, *words, check: bool = True, timeout_s: float = 120) -> Run:
    command = [executable(variable), *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    if check and done.returncode:
        raise Refused(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stderr}")
    return Run(done.returncode, done.stdout, done.stderr)


def conversion_words(
    zarr_dir: Path,
    *,
    options: dict | str | None = None,
    overwrite: str = "replace",
    collection: str = "plate",
    plate: str = "MyPlate",
    acquisition_id: int = 0,
    threads: int | None = None,
) -> list[str]:
    """Arguments that `convert` and `init` share. Options go into a file beside `zarr_dir`, text as it is."""
    zarr_dir = Path(zarr_dir)
    words = ["--zarr-dir", str(zarr_dir), "--overwrite", overwrite, "--collection", collection]
    if collection == "plate":
        words += ["--plate", plate, "--acquisition-id", str(acquisition_id)]
    if options is not None:
        file = zarr_dir.with_name(zarr_dir.name + ".options.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(options if isinstance(options, str) else json.dumps(options))
        words += ["--options", str(file)]
    if threads is not None:
        words += ["--threads", str(threads)]
    return words


def convert(folder: Path, zarr_dir: Path, *, check: bool = True, **how) -> Run:
    return run("OZC_BIN", "convert", folder, *conversion_words(zarr_dir, **how), check=check)


def init(folder: Path, zarr_dir: Path, **how) -> list[dict]:
    """The parallelization list of our init."""
    file = Path(zarr_dir).with_name(Path(zarr_dir).name + ".list.json")
    run("OZC_BIN", "init", folder, *conversion_words(zarr_dir, **how), "--out", file)
    return json.loads(file.read_text())["parallelization_list"]


def compute(entries: list[dict], work: Path) -> list[dict]:
    """Convert the images of a list through `ome-zarr-convert compute`; returns the image list updates."""
    work.mkdir(parents=True, exist_ok=True)
    file = work / "list.json"
    file.write_text(json.dumps({"parallelization_list": entries}))
    updates = []
    for index in range(len(entries)):
        out = work / f"updates-{index}.json"
        run("OZC_BIN", "compute", "--list", file, "--index", index, "--out-json", out)
        updates += json.loads(out.read_text())["image_list_updates"]
    return updates


def compute_as_fractal(entries: list[dict], work: Path) -> list[dict]:
    """Convert the images of a list through the executable that a Fractal server calls, one call per image."""
    work.mkdir(parents=True, exist_ok=True)
    updates = []
    for index, entry in enumerate(entries):
        arguments, out = work / f"args-{index}.json", work / f"out-{index}.json"
        # A server keeps arguments in a database that sorts keys.
        arguments.write_text(json.dumps(entry, sort_keys=True))
        run("OZC_COMPUTE_BIN", "--args-json", arguments, "--out-json", out)
        updates += json.loads(out.read_text())["image_list_updates"]
    return updates
