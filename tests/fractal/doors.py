"""The ways in which our conversion comes to a server: what each test registers, and what it converts."""

import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from client import Api

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
PLATE = "MyPlate"
WELLS = ("B03", "C05")
DRUGS = ("DMSO", "Nocodazole")
MARK = ".ome-zarr-convert.json"


@dataclass
class Session:
    """One server, one project, and what all tests share."""

    api: Api
    projects: Path
    """Where the server lets this user write."""
    wheel: Path
    executable: Path
    converters_python: str
    """A Python that has fractal-uzh-converters and the reference."""
    project: int = field(init=False)

    def __post_init__(self) -> None:
        self.project = self.api.new_project("tests")

    @cached_property
    def converter(self) -> tuple[str, str]:
        """Commands of a converter's init task, and of its compute task with ours in it."""
        return python_converter(self, self.projects / "converter")

    @cached_property
    def collected(self) -> dict[str, dict]:
        """The tasks of the wheel, by name, as the server collects them."""
        return {task["name"]: task for task in self.api.collect_wheel(self.wheel)}

    def acquisition(self, name: str) -> Path:
        """A copy of the plate of testdata, for this test alone. Paths in its table are relative to the table."""
        folder = self.projects / "acquisitions" / name
        shutil.copytree(TESTDATA / "hcs_plate", folder)
        table = folder / "tiles.csv"
        head, *rows = table.read_text().splitlines()
        table.write_text("\n".join([head, *(f"data/{row}" for row in rows)]) + "\n")
        return folder

    def arguments(self, acquisition: Path, overwrite: str = "No Overwrite") -> dict:
        """Arguments of an init task for plates, ours or that of fractal-uzh-converters."""
        acquisitions = [{"path": str(acquisition), "plate_name": PLATE, "acquisition_id": 0}]
        return {"args_non_parallel": {"acquisitions": acquisitions, "overwrite": overwrite}}

    def dataset(self, name: str) -> tuple[int, Path]:
        zarr_dir = self.projects / "out" / name
        return self.api.new_dataset(self.project, name, zarr_dir), zarr_dir

    def run(self, name: str, task: int, dataset: int, arguments: dict) -> dict:
        workflow = self.api.new_workflow(self.project, name, task, **arguments)
        return self.api.run(self.project, workflow, dataset)

    def convert_plate(self, name: str, task: int) -> list[dict]:
        """The plate of testdata by a task; checks the job, every entry of the image list and every file of the images."""
        dataset, zarr_dir = self.dataset(name)
        acquisition = self.acquisition(name)
        job = self.run(name, task, dataset, self.arguments(acquisition))
        check_job(job)
        images = self.api.images(self.project, dataset)
        check_image_list(images, zarr_dir)
        check_files(self, acquisition, zarr_dir)
        return images


def check_job(job: dict) -> None:
    """The job is done, and nothing in its logs looks like a warning to a server that looks for them."""
    assert job["status"] == "done", f"the job is {job['status']}:\n{job['log']}"
    assert not job.get("has_warnings"), f"the job has warnings:\n{job['log']}"


def expected_images(zarr_dir: Path) -> list[dict]:
    """The image list that the plate of testdata gives."""
    return [
        {
            "zarr_url": f"{zarr_dir}/{PLATE}.zarr/{well[0]}/{well[1:]}/0",
            "origin": None,
            "attributes": {"drug": drug, "plate": f"{PLATE}.zarr", "well": well, "acquisition": 0},
            "types": {"is_3D": True},
        }
        for well, drug in zip(WELLS, DRUGS, strict=True)
    ]


def check_image_list(images: list[dict], zarr_dir: Path) -> None:
    """Every entry is what it has to be, and there is no other."""
    expected = expected_images(zarr_dir)
    found = sorted(images, key=lambda image: image["zarr_url"])
    assert len(found) == len(expected), f"{len(found)} images in the list, expected {len(expected)}: {found}"
    for image, wanted in zip(found, expected, strict=True):
        assert {"origin": None, **image} == wanted, f"found {image}, expected {wanted}"


def check_files(session: Session, acquisition: Path, zarr_dir: Path) -> None:
    """The images have the bytes that the command line writes."""
    alone = session.projects / "alone"
    if not alone.exists():
        words = ["convert", acquisition, "--zarr-dir", alone, "--plate", PLATE, "--progress", "none"]
        subprocess.run([session.executable, *words], check=True, capture_output=True, text=True)
    for wanted in expected_images(zarr_dir):
        image = Path(wanted["zarr_url"])
        there = contents(image)
        assert there == contents(alone / image.relative_to(zarr_dir)), f"{image} differs from what `convert` writes"


def contents(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file, without the mark, which holds paths and times."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MARK]
    assert files, f"there is nothing in {folder}"
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def unpack_executable(wheel: Path, folder: Path) -> Path:
    """The executable alone, as somebody has it who uses no Python."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/scripts/ome-zarr-convert"))
        path = folder / "ome-zarr-convert"
        path.write_bytes(archive.read(name))
    path.chmod(0o755)
    return path


def manifest_for_executable(wheel: Path) -> dict:
    """The manifest of the wheel with words for the executable in place of the shims."""
    with zipfile.ZipFile(wheel) as archive:
        manifest = json.loads(archive.read("ome_zarr_convert/__FRACTAL_MANIFEST__.json"))
    for task in manifest["task_list"]:
        for key in ("executable_non_parallel", "executable_parallel"):
            if task.get(key):
                name = Path(task[key]).stem.replace("_", "-")
                task[key] = f"ome-zarr-convert task {name}"
    return manifest


def python_converter(session: Session, folder: Path) -> tuple[str, str]:
    """fractal-uzh-converters in an environment with our wheel: its init task, and its compute task with one import changed.

    Returns the two commands.
    """
    run = {"check": True, "capture_output": True, "text": True}
    subprocess.run([session.converters_python, "-m", "venv", folder, "--without-pip"], **run)
    python = folder / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.run([session.converters_python, "-c", where], **run).stdout.strip()
    ours = subprocess.run([python, "-c", where], **run).stdout.strip()
    # The packages of the other environment, without installing them again.
    Path(ours, "converters.pth").write_text(theirs + "\n")
    pip = [session.converters_python, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, session.wheel], **run)

    package = Path(theirs, "fractal_uzh_converters")
    text = (package / "common" / "image_in_plate_compute_task.py").read_text()
    assert "    generic_compute_task,\n" in text, "the compute task of fractal-uzh-converters imports something else"
    text = text.replace("    generic_compute_task,\n", "")
    text = text.replace(
        "from pydantic import", "from ome_zarr_convert import generic_compute_task\nfrom pydantic import"
    )
    compute = folder / "compute_task.py"
    compute.write_text(text)
    return f"{python} {package}/custom_tiff/convert_hcs_tiff_init_task.py", f"{python} {compute}"


def from_environment(api: Api, work: Path) -> Session:
    projects, binaries = work / "projects", work / "bin"
    binaries.mkdir()
    wheel = Path(os.environ["OZC_WHEEL"])
    return Session(api, projects, wheel, unpack_executable(wheel, binaries), os.environ["OZC_CONVERTERS_PYTHON"])
