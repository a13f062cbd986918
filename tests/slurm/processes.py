"""What the system tells of the tasks of an array job while they run."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Seen:
    """What one task used at most."""

    cores: set[str] = field(default_factory=set)
    """The lists of cores that it was allowed, as the system writes them."""
    threads: int = 0
    memory_mib: float = 0.0


@dataclass
class Watch:
    """Looks at the processes of `ome-zarr-convert` in a job; call it again and again."""

    job: str
    tasks: dict[str, Seen] = field(default_factory=dict)

    def __call__(self) -> None:
        for task, process in processes(self.job):
            try:
                status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            except OSError:
                continue  # It ended meanwhile.
            seen = self.tasks.setdefault(task, Seen())
            seen.cores.add(status["Cpus_allowed_list"].strip())
            seen.threads = max(seen.threads, int(status["Threads"]))
            seen.memory_mib = max(seen.memory_mib, int(status.get("VmHWM", "0 kB").split()[0]) / 1024)


def processes(job: str):
    """Number of the array task and folder in /proc of every process of `ome-zarr-convert` in a job."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if not (process / "comm").read_text().startswith("ome-zarr-"):
                continue
            words = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        variables = dict(word.decode(errors="replace").partition("=")[::2] for word in words)
        if variables.get("SLURM_ARRAY_JOB_ID") == job:
            yield variables["SLURM_ARRAY_TASK_ID"], process
