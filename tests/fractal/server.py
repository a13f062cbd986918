"""A fractal-server on loopback with a PostgreSQL of its own; both live in a folder that is thrown away."""

import getpass
import json
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from client import Api

EMAIL = "admin@example.org"


class NotStarted(RuntimeError):
    """Something that the test needs did not come up; the text says what, and the end of its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list, log: Path, **how) -> None:
    """Runs a command to its end; what it says goes to the log."""
    with open(log, "ab") as file:
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, **how
        )
    if done.returncode:
        raise NotStarted(f"{command[0]} ended with exit code {done.returncode}:\n{tail(log)}")


def tail(log: Path, lines: int = 40) -> str:
    text = log.read_text(errors="replace") if log.exists() else "(no log)"
    return "\n".join(text.splitlines()[-lines:])


@contextmanager
def postgresql(work: Path):
    """Starts a cluster; gives its port and the password of the user `fractal`."""
    binaries = Path(os.environ["POSTGRESQL_BIN"])
    home, password, port = work / "postgresql", secrets.token_hex(24), free_port()
    home.mkdir()
    (home / "password").write_text(password)
    log, data = home / "log.txt", home / "data"
    log.touch()
    # It refuses to run as root.
    how = {}
    if os.geteuid() == 0:
        how = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": home}
        account = pwd.getpwnam("postgres")
        for path in (home, *home.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    home.chmod(0o700)
    words = ["--username=fractal", f"--pwfile={home / 'password'}", "--auth=scram-sha-256", "--encoding=UTF8"]
    run([binaries / "initdb", "-D", data, *words, "--locale=C.UTF-8", "--no-sync"], log, **how)
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": home,
        # It is thrown away.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60"]
    # Its children would hold the pipe of a caller open: output goes to a file.
    run([*control, "-l", log, "-o", options, "start"], home / "control.txt", **how)
    try:
        environment = {**os.environ, "PGPASSWORD": password}
        connection = ["-q", "-h", "127.0.0.1", "-p", port, "-U", "fractal", "-d", "postgres"]
        run([binaries / "psql", *connection, "-c", "CREATE DATABASE fractal"], home / "control.txt", env=environment)
        yield port, password
    finally:
        run([*control, "-m", "immediate", "stop"], home / "control.txt", **how)


@contextmanager
def fractal_server(work: Path, projects: Path):
    """Starts the fractal-server of this interpreter's environment; gives an `Api` that is logged in."""
    home = work / "server"
    for folder in (home, work / "jobs", work / "tasks"):
        folder.mkdir()
    with ExitStack() as stack:
        database_port, database_password = stack.enter_context(postgresql(work))
        port, password = free_port(), secrets.token_hex(16)
        settings = {
            "JWT_SECRET_KEY": secrets.token_hex(24),
            "JWT_EXPIRE_SECONDS": 86400,
            "POSTGRES_USER": "fractal",
            "POSTGRES_PASSWORD": database_password,
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": database_port,
            "POSTGRES_DB": "fractal",
            "FRACTAL_RUNNER_BACKEND": "local",
            "FRACTAL_LOGGING_LEVEL": 20,
        }
        # In a file and not in the environment, which tasks inherit.
        (home / ".fractal_server.env").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        version = "{}.{}".format(*sys.version_info)
        resource = {
            "name": "local",
            "type": "local",
            "jobs_local_dir": str(work / "jobs"),
            "tasks_local_dir": str(work / "tasks"),
            "jobs_runner_config": {"parallel_tasks_per_job": 2},
            "jobs_poll_interval": 0,
            "tasks_python_config": {"default_version": version, "versions": {version: sys.executable}},
            "tasks_pixi_config": {},
        }
        (home / "resource.json").write_text(json.dumps(resource))
        (home / "profile.json").write_text(json.dumps({"resource_type": "local", "name": "local"}))
        control = Path(sys.executable).with_name("fractalctl")
        log = home / "log.txt"
        run([control, "set-db"], log, cwd=home)
        files = ["--resource", "resource.json", "--profile", "profile.json"]
        admin = ["--admin-email", EMAIL, "--admin-pwd", password, "--admin-project-dir", projects]
        run([control, "init-db-data", *files, *admin], log, cwd=home)
        with open(log, "ab") as file:
            process = subprocess.Popen(
                [control, "start", "--host", "127.0.0.1", "--port", str(port)],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        stack.callback(stop, process)
        api = Api(f"http://127.0.0.1:{port}")
        wait_until_alive(api.base, process, log)
        api.login(EMAIL, password)
        yield api


def wait_until_alive(base: str, process: subprocess.Popen, log: Path, timeout_s: float = 60) -> None:
    end = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{base}/api/alive/", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise NotStarted(f"fractal-server does not answer as {getpass.getuser()}:\n{tail(log)}")


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        pass
    try:
        # Its session is its own: this ends tasks that still run, and nothing else.
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
