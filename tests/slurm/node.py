"""One node of SLURM on loopback, without systemd: its three daemons, with a configuration of their own, until `with` ends."""

import os
import re
import secrets
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpuset", "memory", "freezer")


class NotStarted(RuntimeError):
    """A daemon did not come up; the text says which, and the end of its log."""


@dataclass
class Node:
    """A node that takes jobs."""

    cgroups: str | None
    """Version of the control groups that confine jobs; `None` where this machine lets nobody make any."""
    version: str

    def sbatch(self, *words) -> str:
        """Submits a job and returns its number."""
        return command("sbatch", "--parsable", *words).strip().split(";")[0]

    def tasks(self, job: str) -> list[dict[str, str]]:
        """What SLURM knows of each task of an array."""
        lines = command("scontrol", "-o", "show", "job", job).splitlines()
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.strip()]

    def wait(self, job: str, timeout_s: float, watch=lambda: None) -> list[dict[str, str]]:
        """Waits until no task is left to run; calls `watch` all the while."""
        end = time.monotonic() + timeout_s
        while command("squeue", "-h", "-j", job, "-t", "PD,R,CG,CF,S,RQ").strip():
            if time.monotonic() > end:
                command("scancel", job)
                raise TimeoutError(f"job {job} takes longer than {timeout_s} s: {self.tasks(job)}")
            watch()
            time.sleep(0.05)
        return self.tasks(job)


def command(*words) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(str(word) for word in words)}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def usable_cgroups() -> str | None:
    """Whether this process may make control groups that bound cores and memory, and of which version."""
    controllers = CGROUPS / "cgroup.controllers"
    roots = [CGROUPS] if controllers.exists() else [CGROUPS / name for name in CONTROLLERS]
    if controllers.exists() and not {"cpuset", "memory"} <= set(controllers.read_text().split()):
        return None
    for root in roots:
        probe = root / f"probe-{os.getpid()}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError:
            return None
    return "v2" if controllers.exists() else "v1"


def slurm_groups() -> set[Path]:
    """Folders of control groups that SLURM makes."""
    return {path for depth in ("", "*/") for name in ("slurm*", "system.slice") for path in CGROUPS.glob(depth + name)}


def configuration(home: Path, host: str, ports: tuple[int, int], cgroups: str | None) -> str:
    detected = command("slurmd", "-C").splitlines()[0].split()
    hardware = " ".join(word for word in detected if not word.startswith(("NodeName=", "UpTime=")))
    plugins = next(Path("/usr/lib").rglob("auth_munge.so"), None)
    if plugins is None:
        raise NotStarted("there is no auth_munge.so below /usr/lib: the package slurm-wlm-basic-plugins is missing")
    confine = "cgroup" if cgroups else "linuxproc"
    settings = {
        "ClusterName": "loopback",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": ports[0],
        "SlurmdPort": ports[1],
        "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        # A task that is requeued starts once its credential has expired: two minutes, unless told otherwise.
        "AuthInfo": f"socket={home}/munge/socket,cred_expire=5",
        "CredType": "cred/munge",
        "MpiDefault": "none",
        "SwitchType": "switch/none",
        "StateSaveLocation": home / "state",
        "SlurmdSpoolDir": home / "spool",
        "SlurmctldPidFile": home / "slurmctld.pid",
        "SlurmdPidFile": home / "slurmd.pid",
        "SlurmctldLogFile": home / "slurmctld.log",
        "SlurmdLogFile": home / "slurmd.log",
        "ProctrackType": f"proctrack/{confine}",
        "TaskPlugin": "task/cgroup,task/affinity" if cgroups else "task/affinity",
        "JobAcctGatherType": "jobacct_gather/cgroup" if cgroups else "jobacct_gather/linux",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": "batch_sched_delay=0,sched_interval=2",
        "ReturnToService": 2,
        "KillWait": 5,
        "MinJobAge": 3600,
        "PropagateResourceLimits": "NONE",
        "PluginDir": plugins.parent,
        "PlugStackConfig": home / "plugstack.conf",
        "MailProg": "/bin/true",
    }
    lines = [f"{key}={value}" for key, value in settings.items()]
    lines.append(f"NodeName={host} NodeAddr=127.0.0.1 NodeHostname={host} {hardware} State=UNKNOWN")
    lines.append(f"PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=256")
    return "\n".join(lines) + "\n"


@contextmanager
def slurm_node(home: Path):
    """Starts the daemons in a folder of theirs; gives a `Node`."""
    cgroups = usable_cgroups()
    for name in ("munge", "state", "spool"):
        (home / name).mkdir(mode=0o755 if name == "munge" else 0o700)
    host, ports = socket.gethostname().split(".")[0], (free_port(), free_port())
    (home / "slurm.conf").write_text(configuration(home, host, ports, cgroups))
    (home / "plugstack.conf").write_text("# none\n")
    confine = "yes" if cgroups else "no"
    lines = [f"CgroupPlugin=cgroup/{cgroups}", f"ConstrainCores={confine}", f"ConstrainRAMSpace={confine}"]
    if cgroups == "v2":
        lines.append("IgnoreSystemd=yes")
    (home / "cgroup.conf").write_text("\n".join(lines if cgroups else ["# none"]) + "\n")
    key = home / "munge" / "key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    before = slurm_groups()
    os.environ["SLURM_CONF"] = str(home / "slurm.conf")
    with ExitStack() as stack:
        stack.callback(remove_groups, before)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        munge = [f"--{option}={home}/munge/{name}" for option, name in files.items()]
        start(stack, home, ["munged", "--foreground", "--force", *munge], lambda: (home / "munge" / "socket").exists())
        start(stack, home, ["slurmctld", "-D", "-i"], lambda: listens(ports[0]))
        start(stack, home, ["slurmd", "-D"], node_is_up)
        yield Node(cgroups, command("slurmd", "-V").strip())


def start(stack: ExitStack, home: Path, words: list[str], is_up, timeout_s: float = 30) -> None:
    """Starts a daemon that the stack stops, and waits until it is up."""
    log = home / f"{words[0]}.out"
    with open(log, "wb") as file:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    stack.callback(stop, process)
    end = time.monotonic() + timeout_s
    while not is_up():
        if process.poll() is not None or time.monotonic() > end:
            logs = [
                path.read_text(errors="replace")[-2000:] for path in (log, home / f"{words[0]}.log") if path.exists()
            ]
            raise NotStarted(f"{words[0]} did not come up:\n" + "\n".join(logs))
        time.sleep(0.1)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def node_is_up() -> bool:
    done = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
    return done.stdout.strip() in ("idle", "mixed", "allocated")


def remove_groups(before: set[Path]) -> None:
    """Removes the control groups that appeared since: SLURM leaves its own behind."""
    for group in slurm_groups() - before:
        for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        group.rmdir()
