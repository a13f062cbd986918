"""Finds the executables that pip installed with this package, and becomes one of them."""

import os
import sys

SUFFIX = ".exe" if os.name == "nt" else ""


class ExecutableNotFoundError(FileNotFoundError):
    """The executable of the wheel is in none of the folders into which pip puts scripts."""


def executable(name: str) -> str:
    """The path of an executable of the wheel: beside the interpreter, else where pip puts scripts otherwise."""
    tried = []
    for folder in _folders():
        path = os.path.join(folder, name + SUFFIX)
        if os.access(path, os.X_OK):
            return path
        if path not in tried:
            tried.append(path)
    raise ExecutableNotFoundError(
        f"there is no executable {name}; looked for {', '.join(tried)}. "
        "Install the wheel ome-zarr-convert of this platform: a source folder has no executables"
    )


def _folders():
    # Not resolved: in a virtual environment the interpreter can be a link to one elsewhere.
    yield os.path.dirname(sys.executable)
    # Slow to import, and needed only outside of virtual environments.
    import sysconfig

    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    # `pip install --target`
    package = os.path.dirname(os.path.abspath(__file__))
    yield os.path.join(os.path.dirname(package), "bin")


def run_task(name: str) -> None:
    """Turns this process into a task of ours: arguments, streams, signals and exit code are the executable's."""
    try:
        command = [executable("ome-zarr-convert"), "task", name, *sys.argv[1:]]
    except ExecutableNotFoundError as error:
        sys.exit(f"error: {error}")
    if os.name == "nt":
        # There, exec returns to the caller at once and leaves the new process behind.
        import subprocess

        sys.exit(subprocess.call(command))
    sys.stdout.flush()
    os.execv(command[0], command)
