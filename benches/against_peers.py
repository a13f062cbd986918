"""Times whole conversions against the reference and against EuBI-Bridge, in turn, and writes docs/performance.md.

    benches/against_peers.py [--work DIR] [--runs 3] [--eubi VENV/bin/eubi] [--large] [--build] [--page docs/performance.md]

Run it with a Python that has tests/interop/requirements.txt, after `cargo build --release --bins`, on a machine that does nothing
else. `--work` keeps acquisitions (2 GB, with `--large` 8 GB more) and outputs. `--eubi` is the executable of eubi-bridge-lite 0.3.2 with
zarrista, in an environment of its own; without it that row is left out, and the page says so. `--large` measures the memory of four
times the fields, `--build` a release build without anything compiled before (its seconds include no download).

Every figure is the median of the runs; a ratio is the median of theirs by the median of ours. Theirs is the time of the reference's compute
task alone, inside its process; ours is the whole process, init and start included.
"""

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "interop"))

from acquisitions import Acquisition, write_table  # noqa: E402

BIG = Acquisition(nx=3, ny=3, height=2160, width=2560, channels=4, slices=5)
# Four times the fields.
LARGE = Acquisition(nx=6, ny=6, height=2160, width=2560, channels=4, slices=5)
DEFLATED = Acquisition(nx=2, ny=2, height=2160, width=2560, channels=2, slices=5, compression="zlib")
WELLS = tuple(f"{row}{column:02}" for row in "ABCDEFGH" for column in range(1, 13))
SMALL = Acquisition(wells=WELLS, nx=2, ny=1, height=540, width=640, channels=2, slices=1)

# The reference's fastest way to write.
FASTEST = {"writer_mode": "By Tile (Using Dask)", "runtime_settings": {"use_zarrs_codec": True}}
V05 = {"ngff_version": "0.5"}
SHARDED = {
    "ngff_version": "0.5",
    "chunks": {"mode": "Fixed Size", "xy_chunk": 1024, "z_chunk": 10},
    "shards": {"mode": "Multiple of Chunks", "xy_factor": 4, "z_factor": 1},
}

# Prints the seconds of the reference's compute tasks.
REFERENCE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from reference import reference_compute, reference_init
entries = reference_init(sys.argv[2], sys.argv[3], options=json.loads(sys.argv[4]))
begun = time.perf_counter()
reference_compute(entries)
print(time.perf_counter() - begun)
"""

# A process begins with the largest resident set of the one that started it: here a small one.
MEASURE = """
import os, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
seconds = time.perf_counter() - begun
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.buffer.write(code.stderr)
last = code.stdout.decode().strip().splitlines()[-1:] or [""]
print(code.returncode, seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime, last[0])
"""


class Run:
    """What one process took."""

    def __init__(self, command: list) -> None:
        done = subprocess.run(
            [sys.executable, "-S", "-c", MEASURE, *map(str, command)], capture_output=True, text=True, check=True
        )
        code, seconds, peak, cpu, *last = done.stdout.split(maxsplit=4)
        if code != "0":
            raise SystemExit(f"{' '.join(map(str, command))}\nended with {code}\n{done.stderr}")
        self.seconds, self.peak, self.cpu = float(seconds), int(peak), float(cpu)
        self.last = last[0].strip() if last else ""


class Bench:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.runs = arguments.runs
        self.work = Path(arguments.work or tempfile.mkdtemp(prefix="performance-"))
        self.work.mkdir(parents=True, exist_ok=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.bin, self.compute_bin = target / "release/ome-zarr-convert", target / "release/ome-zarr-compute"
        self.target = target
        self.rows: list[tuple[str, str, str, str]] = []
        self.out = self.work / "out"
        self.keep, self.kept = False, []

    def acquisition(self, name: str, what: Acquisition) -> Path:
        folder = self.work / name
        if not (folder / "tiles.csv").exists():
            print(f"making {name}", flush=True)
            what.write(folder)
        return folder

    def fresh(self) -> Path:
        """A folder for an output. What was there is removed, but where files are many: ext4 is slow to make new ones for a minute after
        many were removed, which would be measured too."""
        if self.keep:
            self.out = self.out.with_name(f"out{len(self.kept)}")
            self.kept.append(self.out)
        shutil.rmtree(self.out, ignore_errors=True)
        return self.out

    def ours(self, folder: Path, options: dict, *more: str) -> Run:
        file = self.work / "options.json"
        file.write_text(json.dumps(options))
        out = self.fresh()
        return Run([self.bin, "convert", folder, "--zarr-dir", out, "--options", file, "--progress", "none", *more])

    def reference(self, folder: Path, options: dict) -> Run:
        run = Run([sys.executable, "-c", REFERENCE, ROOT / "tests/interop", folder, self.fresh(), json.dumps(options)])
        run.seconds = float(run.last)
        return run

    def in_turn(self, *sides) -> list[tuple[float, int, float]]:
        """Medians of seconds, largest resident set and CPU seconds of every side, after one round that is not counted."""
        rounds = [[side() for side in sides] for _ in range(self.runs + 1)][1:]
        return [
            tuple(statistics.median(getattr(run, what) for run in side) for what in ("seconds", "peak", "cpu"))
            for side in zip(*rounds)
        ]

    def row(self, target: str, job: str, measured: str, asked: str, met: bool) -> None:
        self.rows.append((f"{target}: {job}", measured, asked, "yes" if met else "**no**"))
        print(f"{target}: {job}: {measured} (asked: {asked}; met: {met})", flush=True)

    def against_reference(self, target: str, job: str, folder: Path, layout: dict, least: float) -> None:
        options = {"omezarr_options": layout}
        (ours, peak, _), (theirs, their_peak, _) = self.in_turn(
            lambda: self.ours(folder, options), lambda: self.reference(folder, {**options, **FASTEST})
        )
        ratio = theirs / ours
        text = f"{ours:.2f} s, {mb(peak)}; reference {theirs:.2f} s, {mb(their_peak)}: **{ratio:.1f} times**"
        self.row(target, job, text, f"{least:.0f} times", ratio >= least)

    def floor(self) -> None:
        """The ratio of the engine to its floor, from one run of criterion."""
        command = ["cargo", "bench", "-p", "ome-zarr-convert-workspace", "--bench", "compute", "--", "--noplot"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        for kind, target, most in (("uncompressed", "T1", 1.3), ("deflate", "T4", 1.3), ("lzw", "T4", 1.3)):
            folder = self.target / "criterion" / f"compute {kind}"
            medians = [
                json.loads((folder / side / "new/estimates.json").read_text())["median"]["point_estimate"]
                for side in ("convert", "floor")
            ]
            ratio = medians[0] / medians[1]
            text = f"{medians[0] / 1e6:.0f} ms, floor {medians[1] / 1e6:.0f} ms: **{ratio:.2f} times the floor**"
            self.row(target, f"{kind} files, criterion", text, f"at most {most}", ratio <= most)

    def small_images(self) -> None:
        folder = self.acquisition("small", SMALL)
        self.keep = True
        (ours, peak, _), (theirs, their_peak, _) = self.in_turn(
            lambda: self.ours(folder, {}), lambda: self.reference(folder, {})
        )
        text = f"{ours:.2f} s, {mb(peak)}; reference {theirs:.2f} s, {mb(their_peak)}: **{theirs / ours:.1f} times**"
        self.row("T3", "96 wells of two fields", text, "20 times", theirs / ours >= 20)
        self.keep = False
        arguments = self.work / "arguments.json"
        list_file = self.work / "list.json"
        Run([self.bin, "init", folder, "--zarr-dir", self.fresh(), "--out", list_file])
        [entry, *_] = json.loads(list_file.read_text())["parallelization_list"]
        arguments.write_text(json.dumps(entry))

        def nothing_to_do() -> Run:
            answer = self.work / "answer.json"
            answer.unlink(missing_ok=True)
            return Run([self.compute_bin, "--args-json", arguments, "--out-json", answer])

        nothing_to_do()
        [(seconds, _, _)] = self.in_turn(nothing_to_do)
        self.row(
            "T3", "a compute process with nothing to do", f"**{1000 * seconds:.0f} ms**", "20 ms", seconds <= 0.020
        )

    def memory(self, big: Path, large: bool) -> None:
        [(_, peak, _)] = self.in_turn(lambda: self.ours(big, {}, "--threads", "2"))
        self.row("T5", "peak memory of `big`, 2 threads", f"**{mb(peak)}**", "at most 500 MB", peak <= 500e6)
        if large:
            folder = self.acquisition("large", LARGE)
            [(_, more, _)] = self.in_turn(lambda: self.ours(folder, {}, "--threads", "2"))
            text = f"**{mb(more)}**, {100 * (more / peak - 1):+.0f} %"
            self.row("T5", "peak memory with four times the fields", text, "at most 10 % more", more <= 1.1 * peak)

    def one_thread(self, big: Path) -> None:
        (two, _, _), (one, _, _) = self.in_turn(
            lambda: self.ours(big, {}, "--threads", "2"), lambda: self.ours(big, {}, "--threads", "1")
        )
        share = 2 * two / one
        text = f"one thread {one:.2f} s, two {two:.2f} s: one does **{share:.2f}** of what each of two does"
        self.row("T7", "`big`, work per core", text, "at least 0.85", share >= 0.85)

    def eubi(self, big: Path, eubi: Path) -> None:
        """The files of `big` stacked into one image, fields as time points: what EuBI-Bridge can do with them."""
        stacked = self.work / "stacked"
        if not stacked.exists():
            stacked.mkdir()
            names = sorted(path.name for path in (big / "data").iterdir())
            rows = []
            for name in names:
                _, field, _, channel, z = name.removesuffix(".tif").split("_")
                start = {"start_t": int(field[1:]), "start_c": int(channel[1:]), "start_z": int(z[1:])}
                place = {"file_path": str(big / "data" / name), "image_path": "stacked", "fov_name": "F"}
                rows.append({**place, "start_x": 0, "start_y": 0, **start, "length_x": 2560, "length_y": 2160})
            write_table(stacked, rows)
            text = (big / "acquisition_details.toml").read_text().replace('axes = ["c"', 'axes = ["t", "c"')
            (stacked / "acquisition_details.toml").write_text(text)
        options = {"omezarr_options": {"chunks": {"mode": "Same as FOV", "z_chunk": 1, "t_chunk": 1}}}

        def theirs(*more: str) -> Run:
            words = [eubi, "to_zarr", big / "data", "--output_path", self.fresh(), "--overwrite", "True"]
            words += ["--time_tag", "F", "--channel_tag", "C", "--z_tag", "Z", "--concatenation_axes", "tcz"]
            words += ["--io_backend", "zarrista", "--zarr_format", "2", "--auto_chunk", "False", "--n_layers", "5"]
            words += ["--time_chunk", "1", "--channel_chunk", "1", "--z_chunk", "1", "--y_chunk", "2160"]
            words += ["--x_chunk", "2560", "--downscale_method", "mean", "--z_scale_factor", "1", "--compressor", "blosc"]
            return Run([*words, "--compressor_params", '{"cname":"lz4","clevel":5,"shuffle":1}', *more])

        (ours, peak, cpu), (large, large_peak, large_cpu), (small, small_peak, _) = self.in_turn(
            lambda: self.ours(stacked, options, "--collection", "image"),
            theirs,
            lambda: theirs("--region_size_mb", "16"),
        )
        ratio = min(large, small) / ours
        text = (
            f"{ours:.2f} s, {mb(peak)}, {cpu:.1f} CPU s; EuBI-Bridge {large:.2f} s, {mb(large_peak)}, {large_cpu:.1f} CPU s; "
            f"with small regions {small:.2f} s, {mb(small_peak)}: **{ratio:.1f} times**"
        )
        asked = "3 times, in no more memory than small regions"
        self.row("T9", "180 files stacked into one image, whole processes", text, asked, ratio >= 3 and peak <= small_peak)

    def build(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.work) as target:
            command = ["cargo", "build", "--release", "--bins", "-p", "ome-zarr-convert", "--target-dir", target]
            begun = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            seconds = time.perf_counter() - begun
        text = f"**{seconds / 60:.1f} minutes**"
        self.row("T8", "release build of the executables, nothing compiled before", text, "6 minutes", seconds <= 360)

    def durable(self, big: Path) -> None:
        (plain, _, _), (durable, _, _) = self.in_turn(
            lambda: self.ours(big, {}), lambda: self.ours(big, {}, "--durable")
        )
        text = f"{durable:.2f} s instead of {plain:.2f} s: **{durable / plain:.1f} times**"
        self.rows.append(("`--durable`: `big`, on disk before it appears", text, "–", "–"))


def mb(number: float) -> str:
    return f"{number / 1e6:.0f} MB"


def page(bench: Bench, notes: str) -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    lines = [
        "# Performance",
        "",
        f"Measured {datetime.date.today()} at commit {commit.strip()} on {os.cpu_count()} cores by",
        f"[`benches/against_peers.py`](../benches/against_peers.py): medians of {bench.runs} runs, both sides in turn, files in the page",
        "cache. Seconds differ from machine to machine and from hour to hour; ratios of one run do less. `big` is one well of 3 × 3",
        "fields, 4 channels and 5 slices: 180 TIFF files of 11 MB, 2 GB of uint16. *Reference* is ome-zarr-converters-tools 1.1.1 with its",
        "fastest settings (of those for `big`; for small images its defaults), and its time that of the compute tasks alone, without",
        "imports; ours is that of the whole process.",
        "",
        "| what | measured | target | met |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in bench.rows),
        "",
        notes.strip(),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--eubi", type=Path)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/performance.md")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    big = bench.acquisition("big", BIG)
    bench.against_reference("T1", "`big`, OME-NGFF 0.4", big, {}, 6)
    bench.floor()
    bench.against_reference("T2", "`big`, 0.5", big, V05, 9)
    bench.against_reference("T2", "`big`, 0.5, chunks of 1024², shards of 4 × 4", big, SHARDED, 8)
    bench.against_reference("T4", "2 × 2 fields of deflated TIFF", bench.acquisition("deflated", DEFLATED), {}, 3)
    bench.memory(big, arguments.large)
    bench.one_thread(big)
    if arguments.build:
        bench.build()
    if arguments.eubi:
        bench.eubi(big, arguments.eubi)
    bench.durable(big)
    # Last, when outputs of few files only were removed lately: see `fresh`.
    bench.small_images()
    left_out = [name for name in ("large", "build", "eubi") if not getattr(arguments, name)]
    old = arguments.page.read_text() if arguments.page.exists() else ""
    # What people wrote below the table stays.
    notes = old[old.index("\n## ") :] if "\n## " in old else ""
    if left_out:
        notes = f"Not measured in this run: {', '.join(left_out)}.\n{notes}"
    bench.rows.sort(key=lambda row: row[0].split(":")[0])
    arguments.page.write_text(page(bench, notes))
    for out in (bench.out, *bench.kept):
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
