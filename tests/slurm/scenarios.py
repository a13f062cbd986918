"""Runs array jobs on one node of SLURM and checks what comes of them: `tests/slurm/run` calls this."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from acquisition import write_acquisition, write_options
from node import Node, command, slurm_node
from processes import Watch, processes

EXECUTABLE = os.environ.get("OZC_BIN", "")


@dataclass
class Conversion:
    """A conversion that `init` has set up, and the script of its array job."""

    folder: Path
    entries: list[dict]
    script: Path

    def log(self, job: str, task: int) -> str:
        return (self.folder / f"{job}_{task}.log").read_text()

    def image(self, index: int) -> Path:
        return Path(self.entries[index]["zarr_url"])

    def partial(self, index: int) -> Path:
        return self.image(index).with_name(f".{self.image(index).name}.partial")


def set_up(folder: Path, wells: int, level: int, chunk: int, *words: str, size: int = 2048) -> Conversion:
    """`words` are further arguments of `ome-zarr-convert slurm`."""
    write_acquisition(folder / "acquisition", wells, size)
    write_options(folder / "options.json", level, chunk)
    listed = folder / "list.json"
    outputs = ["--zarr-dir", folder / "out", "--plate", "Plate", "--out", listed]
    command(EXECUTABLE, "init", folder / "acquisition", *outputs, "--options", folder / "options.json")
    script = folder / "job.sh"
    command(EXECUTABLE, "slurm", "--list", listed, "--out", script, "--logs", folder, *words)
    return Conversion(folder, json.loads(listed.read_text())["parallelization_list"], script)


def check_completed(conversion: Conversion, job: str, tasks: list[dict[str, str]]) -> None:
    """Every task ended well and converted the images of its own entries, in their order; every pixel is right."""
    logs = [conversion.log(job, task) for task in range(len(tasks))]
    states = {(task["JobState"], task["ExitCode"]) for task in tasks}
    assert states == {("COMPLETED", "0:0")}, f"{states}\n" + "\n".join(logs)
    answers = [[json.loads(line) for line in log.splitlines() if line.startswith("{")] for log in logs]
    converted = [[answer["image_list_updates"][0]["zarr_url"] for answer in own] for own in answers]
    urls = [entry["zarr_url"] for entry in conversion.entries]
    each = -(-len(urls) // len(tasks))
    assert converted == [urls[first : first + each] for first in range(0, len(urls), each)], (
        f"converted were {converted}"
    )
    plate = conversion.image(0).parents[2]
    listed = conversion.folder / "list.json"
    # Every chunk of every level decodes, and the finest level is what the files hold.
    done = subprocess.run([EXECUTABLE, "verify", plate, "--against", listed], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def an_array_has_a_task_per_image(node: Node, folder: Path) -> None:
    """Four images, for which the plan asks for one core each: a task has its entry, one thread for pixels, and a core."""
    conversion = set_up(folder, 4, 19, 256)
    job = node.sbatch(conversion.script)
    watch = Watch(job)
    check_completed(conversion, job, node.wait(job, 120, watch))
    assert sorted(watch.tasks) == ["0", "1", "2", "3"], f"seen were {watch.tasks}"
    for task, seen in watch.tasks.items():
        (cores,) = seen.cores
        assert cores.isdigit(), f"task {task} was allowed the cores {cores}"
        # The main thread, one worker, one that waits for signals.
        assert seen.threads <= 3, f"task {task} had {seen.threads} threads on one core"
        assert seen.memory_mib < 500, f"task {task} took {seen.memory_mib:.0f} MiB"


def a_list_longer_than_the_largest_array(node: Node, folder: Path) -> None:
    """Five images in an array of at most three tasks: the last task has one, the others two."""
    conversion = set_up(folder, 5, 1, 512, "--max-array-size", "3")
    job = node.sbatch(conversion.script)
    tasks = node.wait(job, 120)
    assert len(tasks) == 3, tasks
    check_completed(conversion, job, tasks)


def memory_is_bounded(node: Node, folder: Path) -> None:
    """Two cores, and memory for the chunks of one thread only (32 MiB each, with their pyramid): the task takes what fits."""
    check_enforced(node)
    conversion = set_up(folder, 1, 3, 4096, "--cpus", "2", "--mem", "260MiB", size=4096)
    job = node.sbatch(conversion.script)
    watch = Watch(job)
    check_completed(conversion, job, node.wait(job, 120, watch))
    memory_mib = max((seen.memory_mib for seen in watch.tasks.values()), default=0)
    assert memory_mib < 260, f"the task took {memory_mib:.0f} MiB of 260"


def too_little_memory_is_told(node: Node, folder: Path) -> None:
    """A task whose memory does not suffice says so before it begins; it is not killed half-way."""
    check_enforced(node)
    conversion = set_up(folder, 1, 3, 2048, "--cpus", "2", "--mem", "60MiB")
    job = node.sbatch(conversion.script)
    (task,) = node.wait(job, 60)
    log = conversion.log(job, 0)
    assert task["JobState"] == "FAILED" and "bytes of memory" in log, f"{task['JobState']}: {log}"
    assert not conversion.image(0).exists() and not conversion.partial(0).exists()


def check_enforced(node: Node) -> None:
    assert node.cgroups, "this machine lacks control groups that root may make: SLURM enforces no memory limits here"


def a_requeued_task_goes_on(node: Node, folder: Path) -> None:
    """A task that SLURM takes from its node keeps the chunks that it had finished."""
    conversion = set_up(folder, 1, 22, 256)
    job = node.sbatch(conversion.script)
    before = wait_for_chunks(job, conversion)
    command("scontrol", "requeue", f"{job}_0")
    check_requeued(node, conversion, job, before)


def a_killed_task_goes_on_when_requeued(node: Node, folder: Path) -> None:
    """A task that was killed without a chance to tidy up fails; requeued, it keeps the chunks that it had finished."""
    conversion = set_up(folder, 1, 22, 256)
    job = node.sbatch(conversion.script)
    before = wait_for_chunks(job, conversion)
    for _, process in processes(job):
        os.kill(int(process.name), signal.SIGKILL)
    (task,) = node.wait(job, 30)
    assert task["JobState"] == "FAILED", task
    assert not conversion.image(0).exists(), "a killed task left an image that looks complete"
    command("scontrol", "requeue", f"{job}_0")
    check_requeued(node, conversion, job, before)


def wait_for_chunks(job: str, conversion: Conversion, count: int = 12) -> dict[Path, int]:
    """Waits until a task has some chunks on disk; relative path -> number of the file."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        # In another folder from one moment to the next: looking can fail.
        try:
            files = {
                path.relative_to(conversion.partial(0)): path.stat() for path in conversion.partial(0).glob("0/**/*")
            }
        except OSError:
            continue
        chunks = {path: stat.st_ino for path, stat in files.items() if path.name.isdigit() and stat.st_nlink == 1}
        if len(chunks) >= count:
            return chunks
        time.sleep(0.02)
    raise TimeoutError(f"job {job} wrote no {count} chunks into {conversion.partial(0)}")


def check_requeued(node: Node, conversion: Conversion, job: str, before: dict[Path, int]) -> None:
    tasks = node.wait(job, 120)
    assert tasks[0]["Restarts"] == "1", tasks
    check_completed(conversion, job, tasks)
    kept = [path for path, number in before.items() if (conversion.image(0) / path).stat().st_ino == number]
    # The last ones may have been on disk, but not yet in the ledger.
    assert len(kept) >= len(before) - 2, f"of {len(before)} finished chunks only {len(kept)} were kept"


SCENARIOS = (
    an_array_has_a_task_per_image,
    a_list_longer_than_the_largest_array,
    memory_is_bounded,
    too_little_memory_is_told,
    a_requeued_task_goes_on,
    a_killed_task_goes_on_when_requeued,
)


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory(prefix="ozc-slurm-") as folder:
        home = Path(folder, "slurm")
        home.mkdir()
        with slurm_node(home) as node:
            confined = (
                f"cgroups {node.cgroups}" if node.cgroups else "no cgroups: cores by affinity, memory not enforced"
            )
            print(f"{node.version}, {confined}", flush=True)
            for scenario in SCENARIOS:
                begun = time.monotonic()
                try:
                    own = Path(folder, scenario.__name__)
                    own.mkdir()
                    scenario(node, own)
                    verdict = "ok"
                except Exception:
                    traceback.print_exc()
                    failed.append(scenario.__name__)
                    verdict = "FAILED"
                print(
                    f"{verdict:6} {time.monotonic() - begun:5.1f} s  {scenario.__name__.replace('_', ' ')}", flush=True
                )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
