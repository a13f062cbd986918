"""The wheel in an environment of its own, and Python code that runs there."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Installed:
    """A virtual environment that holds the wheel and nothing else."""

    python: Path
    package: Path
    """The folder of the package `ome_zarr_convert`."""

    def run(self, *words, reference: bool = False) -> subprocess.CompletedProcess:
        """Runs its Python; `reference` lets it import what this suite's own environment has."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        if reference:
            environment["PYTHONPATH"] = sysconfig.get_path("purelib")
        command = [self.python, *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)

    def task(self, name: str, *words) -> subprocess.CompletedProcess:
        """Runs the shim of a task as a server does."""
        return self.run(self.package / "tasks" / f"{name}.py", *words)

    def evaluate(self, program: str, given=None, reference: bool = False):
        """Runs a program that finds `given` in a variable and leaves JSON in `answer`; its log goes to `log`."""
        lines = [
            "import io, json, logging, sys",
            "log = io.StringIO()",
            "logging.basicConfig(stream=log, level=logging.INFO, format='%(name)s %(levelname)s %(message)s')",
            "given = json.loads(sys.argv[1])",
            program,
            "print(json.dumps(answer))",
        ]
        done = self.run("-c", "\n".join(lines), json.dumps(given), reference=reference)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def wheel() -> Path:
    """The wheel that `OZC_WHEEL` names, else a new one."""
    if given := os.environ.get("OZC_WHEEL"):
        return Path(given)
    built = subprocess.run([REPOSITORY / "python" / "build"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.strip())


def install(folder: Path) -> Installed:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", "--quiet", "--no-index", wheel()], check=True)
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Installed(python, Path(where.stdout.strip()) / "ome_zarr_convert")
