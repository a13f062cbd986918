"""What happens when a conversion is killed, meets a full disk, a read-only folder, another process or a memory limit, with real
processes and real signals: an image is complete or absent, and running again ends in the bytes of an undisturbed run."""

import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

import ours
from acquisitions import Acquisition
from compare import compare
from reference import reference_convert

MANY_CHUNKS = {"omezarr_options": {"chunks": {"mode": "Fixed Size", "xy_chunk": 64, "z_chunk": 1}}}
SHARDS = {"mode": "Multiple of Chunks", "xy_factor": 4, "z_factor": 1}
SHARDED = {"omezarr_options": {**MANY_CHUNKS["omezarr_options"], "ngff_version": "0.5", "shards": SHARDS}}


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with a hash of its content. The mark that a finished image bears names its path: it is left out."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".ome-zarr-convert.json"]
    assert files, f"{folder} holds nothing"
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def convert_command(folder: Path, zarr_dir: Path, *more: str, **how) -> list[str]:
    return [ours.executable("OZC_BIN"), "convert", str(folder), *ours.conversion_words(zarr_dir, **how), *more]


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory) -> Path:
    """Twelve fields of two channels and three slices: some hundred chunks in small ones."""
    folder = tmp_path_factory.mktemp("mosaic") / "acquisition"
    Acquisition(nx=4, ny=3, height=200, width=240, channels=2, slices=3, seed=5).write(folder)
    return folder


def only_image(zarr_dir: Path) -> Path:
    return zarr_dir / "MyPlate.zarr" / "A" / "01" / "0"


@pytest.mark.parametrize("options", [MANY_CHUNKS, SHARDED], ids=["0.4", "sharded"])
def test_killed_at_random_moments(mosaic, tmp_path, options):
    """25 kills for each layout: half of them of a fresh conversion, half of one that goes on after an earlier kill."""
    whole = tmp_path / "whole"
    began = time.monotonic()
    ours.convert(mosaic, whole, options=options, threads=2)
    duration = time.monotonic() - began
    expected = tree(only_image(whole))
    rng = random.Random(17)
    killed_midway = 0
    for kill in range(25):
        out = tmp_path / f"out{kill}"
        for _ in range(1 + kill % 2):
            process = subprocess.Popen(
                convert_command(mosaic, out, overwrite="extend", options=options, threads=2),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(rng.uniform(0, 1.1 * duration))
            process.kill()
            process.wait()
            image = only_image(out)
            if image.exists():
                assert tree(image) == expected, "visible, so complete"
            else:
                killed_midway += (image.parent / ".0.partial").exists()
        ours.convert(mosaic, out, overwrite="extend", options=options, threads=2)
        assert tree(only_image(out)) == expected
        assert sorted(path.name for path in only_image(out).parent.iterdir() if path.name.startswith(".0")) == []
        shutil.rmtree(out)
    assert killed_midway > 5, "the kills came too early or too late to mean anything"


def test_a_reader_sees_the_old_image_or_the_new_one(mosaic, tmp_path):
    """While an image is replaced, over and over, its metadata and a chunk are there at every moment."""
    other = tmp_path / "other"
    Acquisition(nx=4, ny=3, height=200, width=240, channels=2, slices=3, seed=6).write(other)
    out = tmp_path / "out"
    hashes = {}
    for name, folder in (("first", mosaic), ("second", other)):
        ours.convert(folder, out, options=MANY_CHUNKS)
        hashes[name] = tree(only_image(out))["0/0/0/0/0"]
    looks = 0
    for folder in (mosaic, other, mosaic):
        process = subprocess.Popen(
            convert_command(folder, out, options=MANY_CHUNKS), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None:
            image = only_image(out)
            assert json.loads((image / ".zattrs").read_text())["multiscales"]
            chunk = (image / "0" / "0" / "0" / "0" / "0").read_bytes()
            assert hashlib.sha256(chunk).hexdigest() in hashes.values()
            looks += 1
        assert process.returncode == 0
    assert looks > 20


def in_own_mounts(script: str, timeout_s: float = 120) -> ours.Run:
    """Runs a shell script that may mount, without touching the mounts of anybody else."""
    own = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    probe = subprocess.run([*own, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if probe.returncode:
        pytest.fail(f"this machine does not let a process mount a file system of its own: {probe.stderr.strip()}")
    done = subprocess.run([*own, "sh", "-euc", script], capture_output=True, text=True, timeout=timeout_s)
    return ours.Run(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("options", [MANY_CHUNKS, SHARDED], ids=["0.4", "sharded"])
@pytest.mark.parametrize("kilobytes", [40, 400, 1500, 3000])
def test_a_full_disk(mosaic, tmp_path, options, kilobytes):
    """The conversion fails and says so; with room it goes on and ends in the same bytes."""
    whole, disk, copy = tmp_path / "whole", tmp_path / "disk", tmp_path / "copy"
    ours.convert(mosaic, whole, options=options)
    disk.mkdir()
    # The options file lies beside the output: outside of the small disk.
    words = ours.conversion_words(tmp_path / "out", overwrite="extend", options=options)
    words[words.index("--zarr-dir") + 1] = str(disk / "out")
    command = shlex.join([ours.executable("OZC_BIN"), "convert", str(mosaic), *words])
    done = in_own_mounts(f"""
        mount -t tmpfs -o size={kilobytes}k none {disk}
        code=0; {command} 2> {tmp_path}/error || code=$?
        echo "$code"; ls {disk}/out/MyPlate.zarr/A/01 2>/dev/null | grep -x 0 && echo visible
        mount -o remount,size=100m {disk}
        {command} >&2
        cp -a {disk}/out {copy}
    """)
    assert done.code == 0, done.stderr
    assert done.stdout.split() == ["1"], "it fails, and the image is not visible"
    error = (tmp_path / "error").read_text()
    assert "No space left on device" in error and str(disk) in error
    assert tree(only_image(copy)) == tree(only_image(whole))


def test_a_read_only_folder(mosaic, tmp_path):
    """Nothing can be written: an error that names the folder. What is there is not harmed."""
    ours.convert(mosaic, tmp_path / "out", options=MANY_CHUNKS)
    before = tree(tmp_path / "out")
    command = shlex.join(convert_command(mosaic, tmp_path / "out", options={}))
    done = in_own_mounts(f"""
        mount --bind {tmp_path}/out {tmp_path}/out
        mount -o remount,ro,bind {tmp_path}/out
        code=0; {command} || code=$?
        echo "exit code $code"
    """)
    assert "exit code 1" in done.stdout
    assert "Read-only file system" in done.stderr and str(tmp_path / "out") in done.stderr
    assert "panic" not in done.stderr
    assert tree(tmp_path / "out") == before


def test_an_acquisition_that_cannot_be_written(mosaic, tmp_path):
    """The acquisition is only read."""
    command = shlex.join(convert_command(mosaic, tmp_path / "out", options=MANY_CHUNKS))
    done = in_own_mounts(f"mount --bind {mosaic} {mosaic}; mount -o remount,ro,bind {mosaic}; {command}")
    assert done.code == 0, done.stderr


def test_several_processes_on_one_image(mosaic, tmp_path):
    """One writes; the others wait for nothing and say so, or find it done."""
    ours.convert(mosaic, tmp_path / "whole", options=MANY_CHUNKS)
    [entry] = ours.init(mosaic, tmp_path / "out", options=MANY_CHUNKS)
    file = tmp_path / "list.json"
    file.write_text(json.dumps({"parallelization_list": [entry]}))
    command = [ours.executable("OZC_BIN"), "compute", "--list", str(file), "--index", "0"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert any(code == 0 for _, code in ended)
    for (_, stderr), code in ended:
        assert code == 0 or "is being converted by another process" in stderr, stderr
    assert tree(only_image(tmp_path / "out")) == tree(only_image(tmp_path / "whole"))


@pytest.mark.parametrize("ask", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_asked_to_stop(mosaic, tmp_path, ask):
    """It stops by itself, says how to go on, and goes on with what is there."""
    ours.convert(mosaic, tmp_path / "whole", options=MANY_CHUNKS)
    command = convert_command(mosaic, tmp_path / "out", "--progress", "json", overwrite="extend", options=MANY_CHUNKS)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    events = []
    for line in process.stdout:
        events.append(json.loads(line)["event"])
        if len(events) == 40:
            process.send_signal(ask)
            break
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    assert "run the same conversion again to finish it" in stderr
    assert not only_image(tmp_path / "out").exists()
    assert {"image_planned", "image_started", "file_written", "chunk_done"} <= set(events)
    report = tmp_path / "report.json"
    again = convert_command(
        mosaic, tmp_path / "out", "--report", str(report), "--check", overwrite="extend", options=MANY_CHUNKS
    )
    subprocess.run(again, check=True, capture_output=True, timeout=60)
    told = json.loads(report.read_text())
    assert told["units_resumed"] > 0 and told["images_written"] == 1
    assert tree(only_image(tmp_path / "out")) == tree(only_image(tmp_path / "whole"))


def test_progress_and_report_tell_what_happened(mosaic, tmp_path):
    report = tmp_path / "report.json"
    command = convert_command(
        mosaic, tmp_path / "out", "--progress", "json", "--report", str(report), options=MANY_CHUNKS
    )
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    by_name = {name: [event for event in events if event["event"] == name] for name in {e["event"] for e in events}}
    image = only_image(tmp_path / "out")
    chunks = [path for path in image.rglob("*") if path.is_file() and path.name.isdigit()]
    assert len(by_name["image_planned"]) == len(by_name["image_complete"]) == 1
    assert len(by_name["tile_read"]) == by_name["image_planned"][0]["tiles"] == 4 * 3 * 2 * 3
    assert len({event["file"] for event in by_name["tile_read"]}) == 72
    assert len(by_name["file_written"]) == len(chunks)
    assert sum(event["bytes"] for event in by_name["file_written"]) == sum(chunk.stat().st_size for chunk in chunks)
    assert sum(e["pixel_bytes"] for e in by_name["chunk_done"]) == by_name["image_planned"][0]["pixel_bytes"]
    told = json.loads(report.read_text())
    assert (told["images_written"], told["tiles"], told["tiles_left_out"]) == (1, 72, [])
    assert told["bytes_written"] == sum(chunk.stat().st_size for chunk in chunks)
    assert told["bytes_read"] == sum(path.stat().st_size for path in (mosaic / "data").iterdir())


# A process begins with the largest resident set of the one that started it: here a small one.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak_bytes(command: list[str]) -> tuple[int, str, int]:
    """Exit code, stderr and largest resident set of a command, as the system counts it."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], capture_output=True, text=True, check=True)
    code, peak = done.stdout.split()
    return int(code), done.stderr, int(peak)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> dict[str, Path]:
    """Half a gigabyte of pixels, plain and compressed: 36 fields of two channels and four slices."""
    root = tmp_path_factory.mktemp("large")
    shape = dict(nx=6, ny=6, height=960, width=960, channels=2, slices=4, seed=9)
    folders = {"plain": root / "plain", "zlib": root / "zlib"}
    Acquisition(**shape).write(folders["plain"])
    Acquisition(**shape, compression="zlib").write(folders["zlib"])
    return folders


LAYOUTS = {
    "0.4": {},
    "0.5": {"ngff_version": "0.5"},
    "sharded": {
        "ngff_version": "0.5",
        "chunks": {"mode": "Fixed Size", "xy_chunk": 512, "z_chunk": 4},
        "shards": {"mode": "Multiple of Chunks", "xy_factor": 2, "z_factor": 1},
    },
    "odd chunks": {"chunks": {"mode": "Fixed Size", "xy_chunk": 700, "z_chunk": 10}},
    "blended": {"chunks": {"mode": "Fixed Size", "xy_chunk": 512, "z_chunk": 4}},
}


@pytest.mark.parametrize("files", ["plain", "zlib"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_limit_holds(large, tmp_path, files, layout):
    """The largest resident set stays below the limit: 200 MB, which is less than half of the pixels; and the least that is said to
    work does work, and is not passed either."""
    options = {"omezarr_options": LAYOUTS[layout]}
    if layout == "blended":
        options["grouping"] = {"mode": "Mosaic", "overlap": "linear"}
    for limit in (200_000_000, None):
        if limit is None:
            code, stderr, _ = peak_bytes(
                convert_command(large[files], tmp_path / "small", "--memory-limit", "1M", options=options, threads=4)
            )
            assert code == 2, stderr
            limit = least_limit(stderr)
        command = convert_command(
            large[files], tmp_path / "out", "--memory-limit", str(limit), "--progress", "none", options=options, threads=4
        )
        code, stderr, peak = peak_bytes(command)
        assert code == 0, stderr
        assert peak <= limit, f"{peak / 1e6:.0f} MB were used of {limit / 1e6:.0f}"
        pixels = zarr.open_array(only_image(tmp_path / "out") / "0", mode="r")
        assert pixels.nbytes > 2.4 * 200_000_000
        shutil.rmtree(tmp_path / "out")


def least_limit(stderr: str) -> int:
    """The limit that an error names as the least that works."""
    words = stderr.replace(",", " ").split()
    return int(words[words.index("--memory-limit") + 1].rstrip(";.)"))


COMPRESSIONS = [
    {"mode": "auto"},
    {"mode": "none"},
    {"mode": "gzip"},
    {"mode": "gzip", "level": 9},
    {"mode": "zstd"},
    {"mode": "zstd", "level": 7},
    *(
        {"mode": "blosc", "cname": cname, "level": level, "shuffle": shuffle}
        for cname in ("lz4", "zstd")
        for shuffle in ("none", "byte", "bit")
        for level in (1, 9)
    ),
]


@pytest.fixture(scope="module")
def pixels(mosaic, tmp_path_factory) -> np.ndarray:
    out = tmp_path_factory.mktemp("pixels") / "out"
    reference_convert(mosaic, out)
    return zarr.open_array(only_image(out) / "0", mode="r")[...]


@pytest.mark.parametrize("shards", [None, SHARDS, {"mode": "Multiple of Chunks", "target_bytes": 200_000}], ids=str)
@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda choice: "-".join(str(v) for v in choice.values()))
def test_zarr_python_reads_every_compression(mosaic, pixels, tmp_path, compression, shards):
    chunks = {"mode": "Fixed Size", "xy_chunk": 100, "z_chunk": 2}
    for version in ("0.4", "0.5") if shards is None else ("0.5",):
        options = {"ngff_version": version, "compression": compression, "chunks": chunks}
        if shards:
            options["shards"] = shards
        out = tmp_path / version
        ours.convert(mosaic, out, options={"omezarr_options": options})
        array = zarr.open_array(only_image(out) / "0", mode="r")
        assert np.array_equal(array[...], pixels)
        coarse = zarr.open_array(only_image(out) / "3", mode="r")
        assert coarse[...].any()
        if shards:
            assert array.shards is not None and array.shards[-1] > array.chunks[-1]
        ours.run("OZC_BIN", "verify", out)


HALF_WRITTEN = {
    "no tables": lambda image: shutil.rmtree(image / "tables"),
    "a table less": lambda image: shutil.rmtree(image / "tables" / "condition_table"),
    "no chunks, no tables": lambda image: [shutil.rmtree(image / name) for name in ("tables", "0/0", "1/0")],
    "no coarse levels": lambda image: [shutil.rmtree(image / name) for name in ("tables", "1", "2")],
    "empty": lambda image: [shutil.rmtree(image), image.mkdir()],
}


@pytest.mark.parametrize("damage", HALF_WRITTEN)
def test_extend_finishes_what_the_reference_left(mosaic, tmp_path, damage):
    """Their Extend takes such an image for converted. Ours converts it; a complete one it leaves alone."""
    theirs, out = tmp_path / "theirs", tmp_path / "out"
    reference_convert(mosaic, theirs)
    shutil.copytree(theirs, out)
    ours.convert(mosaic, out, overwrite="extend")
    assert tree(out) == tree(theirs), "a complete image is kept as it is"
    HALF_WRITTEN[damage](only_image(out))
    ours.convert(mosaic, out, overwrite="extend")
    assert compare(theirs, out) == []
