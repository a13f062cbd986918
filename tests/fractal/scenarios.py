"""Runs workflows on a real fractal-server and checks what comes of them: `tests/fractal/run` calls this."""

import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path

from doors import (
    TESTDATA,
    Session,
    check_files,
    check_image_list,
    check_job,
    expected_images,
    from_environment,
    manifest_for_executable,
)
from server import fractal_server, tail

PLATE_TASK = "Convert Custom TIFF HCS Plate to OME-Zarr"
IMAGES_TASK = "Convert Custom TIFF Images to OME-Zarr"


def commands(session: Session) -> dict:
    return {
        "command_non_parallel": f"{session.executable} task init-hcs-plate",
        "command_parallel": f"{session.executable} task compute",
    }


def a_compound_task_from_commands(session: Session) -> None:
    """A task registered by the commands of the executable converts a plate."""
    session.convert_plate("commands", session.api.post_task("commands", **commands(session)))


def the_collected_wheel(session: Session) -> None:
    """The server installs the wheel, reads its manifest, and runs its tasks."""
    task = session.collected[PLATE_TASK]
    assert task["args_schema_non_parallel"]["properties"]["acquisitions"], "the manifest has no schema of the arguments"
    session.convert_plate("wheel", task["id"])


def images_on_their_own(session: Session) -> None:
    """The wheel's other task converts images that are no part of a plate."""
    dataset, zarr_dir = session.dataset("images")
    arguments = {"args_non_parallel": {"acquisitions": [{"path": str(TESTDATA / "single_images")}]}}
    job = session.run("images", session.collected[IMAGES_TASK]["id"], dataset, arguments)
    check_job(job)
    images = sorted(session.api.images(session.project, dataset), key=lambda image: image["zarr_url"])
    found = [(image["zarr_url"], image["attributes"], image["types"]) for image in images]
    assert found == [
        (f"{zarr_dir}/embryo_{number}.zarr", {"genotype": genotype}, {"is_3D": False})
        for number, genotype in ((1, "wild type"), (2, "mutant"))
    ], found


def a_manifest_without_python(session: Session) -> None:
    """`collect/custom` with /usr/bin/env as interpreter registers the tasks of the executable."""
    tasks = session.api.collect_custom(
        manifest=manifest_for_executable(session.wheel),
        python_interpreter="/usr/bin/env",
        package_root=str(session.executable.parent),
        label="ome-zarr-convert without Python",
        version="0",
    )
    (task,) = (task for task in tasks if task["name"] == PLATE_TASK)
    session.convert_plate("no-python", task["id"])


def our_compute_in_a_python_converter(session: Session) -> None:
    """The init task of fractal-uzh-converters, and its compute task with the import of `generic_compute_task` changed."""
    init, compute = session.converter
    task = session.api.post_task("converter", command_non_parallel=init, command_parallel=compute)
    session.convert_plate("converter", task)


def our_compute_as_the_task_of_a_converter(session: Session) -> None:
    """The init task of fractal-uzh-converters, and our executable as its compute task."""
    init, _ = session.converter
    compute = f"{session.executable} task compute"
    task = session.api.post_task("mixed", command_non_parallel=init, command_parallel=compute)
    session.convert_plate("mixed", task)


def a_failing_task(session: Session) -> None:
    """The job fails, and its log has the message; nothing is in the image list."""
    task = session.api.post_task("failing", **commands(session))
    dataset, zarr_dir = session.dataset("failing")
    missing = session.projects / "acquisitions" / "no such acquisition"
    job = session.run("failing", task, dataset, session.arguments(missing))
    assert job["status"] == "failed", f"the job is {job['status']}"
    assert "no such acquisition" in job["log"] and "ERROR" in job["log"], f"the log of the job is\n{job['log']}"
    assert "panicked" not in job["log"] and "Traceback" not in job["log"].split("TASK ERROR")[-1], job["log"]
    assert session.api.images(session.project, dataset) == []


def one_image_fails_and_is_extended(session: Session) -> None:
    """One of two images has a broken file: the other is converted; once repaired, Extend does the rest, and only that."""
    acquisition = session.acquisition("extended")
    broken = acquisition / "data" / "C05_F003_C1_Z01.tif"
    sound = broken.read_bytes()
    broken.write_bytes(not_zlib(sound))
    task = session.api.post_task("extended", **commands(session))
    dataset, zarr_dir = session.dataset("extended")

    job = session.run("first", task, dataset, session.arguments(acquisition))
    assert job["status"] == "failed", f"the job is {job['status']}"
    assert broken.name in job["log"], f"the log of the job does not name {broken.name}:\n{job['log']}"
    done, failed = (Path(image["zarr_url"]) for image in expected_images(zarr_dir))
    assert done.is_dir() and not failed.exists(), "an image is complete or absent"
    listed = [image["zarr_url"] for image in session.api.images(session.project, dataset)]
    assert str(failed) not in listed, f"the image that failed is in the list: {listed}"

    before = stamps(done)
    broken.write_bytes(sound)
    job = session.run("again", task, dataset, session.arguments(acquisition, overwrite="Extend"))
    check_job(job)
    check_image_list(session.api.images(session.project, dataset), zarr_dir)
    check_files(session, acquisition, zarr_dir)
    assert stamps(done) == before, "the finished image was written again"


def not_zlib(tiff: bytes) -> bytes:
    """A TIFF that says that its uncompressed pixels are zlib's: opening it works, decoding does not."""
    (directory,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, directory)
    changed = bytearray(tiff)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", tiff, entry) == (259,):
            struct.pack_into("<H", changed, entry + 8, 8)
    assert changed != tiff
    return bytes(changed)


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


SCENARIOS = (
    a_compound_task_from_commands,
    the_collected_wheel,
    images_on_their_own,
    a_manifest_without_python,
    our_compute_in_a_python_converter,
    our_compute_as_the_task_of_a_converter,
    a_failing_task,
    one_image_fails_and_is_extended,
)


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory(prefix="ozc-fractal-") as folder:
        work = Path(folder)
        # PostgreSQL's account has to get through.
        work.chmod(0o711)
        (work / "projects").mkdir()
        with fractal_server(work, work / "projects") as api:
            session = from_environment(api, work)
            print(f"fractal-server {api.version()}, {session.wheel.name}", flush=True)
            for scenario in SCENARIOS:
                begun = time.monotonic()
                try:
                    scenario(session)
                    verdict = "ok"
                except Exception:
                    traceback.print_exc()
                    failed.append(scenario.__name__)
                    verdict = "FAILED"
                words = scenario.__name__.replace("_", " ")
                print(f"{verdict:6} {time.monotonic() - begun:5.1f} s  {words}", flush=True)
        if failed:
            print(
                f"{len(failed)} of {len(SCENARIOS)} failed; the server's log ends with\n{tail(work / 'server/log.txt')}"
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
