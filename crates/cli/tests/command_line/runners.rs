//! Every runner writes the same, goes on after failures, and jobs of clusters get what they need.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::acquisition::{Acquisition, output};

const A_FILE: &str = "data/B03_F001_C0_Z01.tif";

/// Removes what differs between two runs of the same: the time that a report holds.
fn report(here: &Acquisition, path: &str) -> Value {
    let mut report: Value = serde_json::from_str(&here.read(path)).unwrap();
    for key in ["seconds", "zarr_dir"] {
        report[key] = Value::Null;
    }
    assert!(report["peak_memory_bytes"].take().as_u64() > Some(1_000_000));
    report
}

#[test]
fn every_runner_writes_and_reports_the_same() {
    let here = Acquisition::plate();
    here.run("convert plate --zarr-dir auto --report auto.json").well();
    for runner in ["sequential", "threads", "processes"] {
        let line = format!("convert plate --zarr-dir {runner} --runner {runner} --threads 2 --report {runner}.json");
        let ended = here.run(&line).well();
        assert!(ended.stderr.contains("Converted 2 images"), "{}", ended.stderr);
        assert_eq!(output(&here.path(runner)), output(&here.path("auto")), "{runner}");
        assert_eq!(
            report(&here, &format!("{runner}.json")),
            report(&here, "auto.json"),
            "{runner}"
        );
    }
}

/// A file that is cut in the middle of its pixels shows when it is decoded, one without content when it is opened.
#[test]
fn the_same_damaged_file_gives_the_same_exit_code_everywhere() {
    const FIRST: &str = "plate/data/B03_F000_C0_Z00.tif";
    let here = Acquisition::plate();
    here.run("init plate --zarr-dir listed --out list.json").well();
    let list: Value = serde_json::from_str(&here.read("list.json")).unwrap();
    here.write("entry.json", list["parallelization_list"][0].to_string());
    let bytes = fs::read(here.path(FIRST)).unwrap();
    for kept in [0, bytes.len() / 2] {
        here.write(FIRST, &bytes[..kept]);
        for runner in ["auto", "sequential", "threads", "processes"] {
            let line = format!("convert plate --zarr-dir out --runner {runner}");
            here.run(&line).with_error(2, &["B03_F000_C0_Z00.tif"]);
            let line = format!("compute --list list.json --all --runner {runner}");
            here.run(&line).with_error(2, &["B03_F000_C0_Z00.tif"]);
        }
        here.run("compute --list list.json --index 0")
            .with_error(2, &["B03_F000_C0_Z00.tif"]);
        let task = here.run_task("--args-json entry.json --out-json answer.json");
        assert_eq!(task.code, 2, "{}", task.stderr);
        assert!(task.stderr.contains("B03_F000_C0_Z00.tif"), "{}", task.stderr);
    }
    here.write(FIRST, "");
    here.run("init plate --zarr-dir out --out other.json")
        .with_error(2, &["B03_F000_C0_Z00.tif"]);
    here.run("plan plate --zarr-dir out")
        .with_error(2, &["B03_F000_C0_Z00.tif"]);
}

#[test]
fn a_list_is_finished_by_running_it_again() {
    for runner in ["sequential", "threads", "processes"] {
        let here = Acquisition::plate();
        here.run("init plate --zarr-dir out --out list.json").well();
        let file = here.path("plate").join(A_FILE);
        fs::rename(&file, here.path("away.tif")).unwrap();
        let line = format!("compute --list list.json --all --threads 2 --runner {runner} --out-json");
        let failed = here.run(&format!("{line} first.json"));
        failed.with_error(
            2,
            &["1 of 2 images failed", "/out/plate.zarr/B/03/0", "B03_F001_C0_Z01.tif"],
        );
        assert!(!here.path("first.json").exists());
        assert!(here.path("out/plate.zarr/C/05/0").is_dir() && !here.path("out/plate.zarr/B/03/0").exists());

        fs::rename(here.path("away.tif"), file).unwrap();
        let ended = here.run(&format!("{line} second.json")).well();
        assert!(ended.stderr.contains("1 image was complete before"), "{}", ended.stderr);
        let answer: Value = serde_json::from_str(&here.read("second.json")).unwrap();
        let wells: Vec<&Value> = answer["image_list_updates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|update| &update["attributes"]["well"])
            .collect();
        assert_eq!(wells, [&json!("B03"), &json!("C05")], "{runner}");
    }
}

/// The compute task of another converter: here ours, which says what it was called with.
#[test]
fn a_given_command_is_called_as_fractal_calls_it() {
    let here = Acquisition::plate();
    here.run("init plate --zarr-dir out --out list.json").well();
    let task = env!("CARGO_BIN_EXE_ome-zarr-compute");
    here.write(
        "compute.sh",
        format!("echo \"$SLURM_CPUS_PER_TASK $1 $3\" >> \"$(dirname \"$0\")/calls\"\nexec {task:?} \"$@\"\n"),
    );
    let script = here.path("compute.sh").display().to_string();
    let ended = here.execute_words(&[
        "compute",
        "--list",
        "list.json",
        "--all",
        "--threads",
        "2",
        "--runner",
        "processes",
        "--command",
        &format!("bash {script}"),
        "--out-json",
        "answer.json",
    ]);
    let ended = ended.well();
    assert!(ended.stderr.contains("Converted 2 images"), "{}", ended.stderr);
    assert_eq!(here.read("calls"), "1 --args-json --out-json\n".repeat(2));
    here.run("convert plate --zarr-dir whole").well();
    assert_eq!(output(&here.path("out")), output(&here.path("whole")));

    let all = "compute --list list.json --all --out-json";
    here.run(&format!("{all} a.json --command false"))
        .with_error(2, &["--runner processes"]);
    here.run(&format!("{all} b.json --runner processes --command false"))
        .with_error(1, &["2 of 2 images failed", "exit status: 1", "no message"]);
    here.run(&format!("{all} c.json --runner processes --command no-such-program"))
        .with_error(1, &["cannot start no-such-program"]);
}

#[test]
fn a_runner_is_for_all_entries() {
    let here = Acquisition::plate();
    here.run("init plate --zarr-dir out --out list.json").well();
    here.run("compute --list list.json --index 0 --runner processes")
        .with_error(2, &["--runner", "--index"]);
    here.run("compute --list list.json --index 0 --all")
        .with_error(2, &["--all"]);
    here.run("compute --list list.json").with_error(2, &["--index"]);
}

/// The script is a shell script: run as the tasks of an array it converts the whole list.
#[test]
fn the_job_script_converts_every_entry() {
    let here = Acquisition::plate();
    here.run("init plate --zarr-dir out --out list.json").well();
    let said = here
        .run("slurm --list list.json --out job.sh --sbatch=--partition=short --logs logs")
        .well();
    assert!(
        said.stderr.contains("2 images, each with 1 processor and 500 MiB"),
        "{}",
        said.stderr
    );
    let script = here.read("job.sh");
    for line in [
        "#SBATCH --array=0-1\n",
        "#SBATCH --cpus-per-task=1\n",
        "#SBATCH --mem=500M\n",
        "#SBATCH --partition=short\n",
    ] {
        assert!(script.contains(line), "{line} is not in\n{script}");
    }
    let task = |script: &str, number: &str| {
        let mut command = Command::new("bash");
        command
            .current_dir(here.path(""))
            .arg(script)
            .env("SLURM_ARRAY_TASK_ID", number);
        command.output().unwrap()
    };
    assert!(task("job.sh", "1").status.success());
    assert!(here.path("out/plate.zarr/C/05/0").is_dir() && !here.path("out/plate.zarr/B/03/0").exists());

    // One task for both: the finished one is left alone. A third entry does not exist.
    here.run("slurm --list list.json --out short.sh --max-array-size 1")
        .well();
    assert!(here.read("short.sh").contains("--array=0-0\n"));
    assert!(task("short.sh", "0").status.success());
    here.run("convert plate --zarr-dir whole").well();
    assert_eq!(output(&here.path("out")), output(&here.path("whole")));
    assert_eq!(task("job.sh", "2").status.code(), Some(2));

    let outside = Command::new("bash")
        .arg(here.path("job.sh"))
        .env_remove("SLURM_ARRAY_TASK_ID")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&outside.stderr).contains("submit this file with sbatch"));
}
