//! A job script for SLURM: an array whose tasks convert the images of a list, with what the largest of them needs.

use std::path::{Path, PathBuf};

use ome_zarr_convert_compute::{Decoding, Footprint};
use ome_zarr_convert_core::ParallelizationEntry;

use crate::compute::ComputeContext;
use crate::error::TaskError;
use crate::list::{is_used_up, plan_entry};

/// Bytes of pixels per processor: what one compresses in a few seconds.
const BYTES_PER_CPU: u64 = 1 << 30;
/// More processors than this per image start later than they help.
const MOST_CPUS: usize = 8;
const MIB: u64 = 1 << 20;

/// What every task of an array is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Processors.
    pub cpus: usize,
    /// Memory of the job, in mebibytes: what SLURM calls `M`.
    pub memory_mib: u64,
}

impl Needs {
    /// What the most demanding entry of a list needs, from its plan. `cpus` says how many processors each is to have; every task
    /// reads the `list_bytes` of the whole list.
    pub fn of(
        entries: &[ParallelizationEntry],
        cpus: Option<usize>,
        list_bytes: u64,
        context: &ComputeContext<'_>,
    ) -> Result<Self, TaskError> {
        let mut plans = Vec::with_capacity(entries.len());
        let mut most_cpus = 1;
        for entry in entries {
            if is_used_up(entry)? {
                continue;
            }
            let options = &entry.init_args.converter_options;
            let image = plan_entry(entry, context)?;
            let plan = image.plan();
            let useful = usize::try_from(plan.pixel_bytes().div_ceil(BYTES_PER_CPU)).unwrap_or(MOST_CPUS);
            let workers = options.runtime_settings.dask_scheduler.max_workers();
            let useful = useful.min(plan.leaves.len()).min(workers.unwrap_or(MOST_CPUS));
            most_cpus = most_cpus.max(useful.min(MOST_CPUS));
            plans.push(image);
        }
        if plans.is_empty() && !entries.is_empty() {
            return Err(TaskError::Arguments {
                place: "the list".into(),
                problem: "all its images were converted: their documents are used up".into(),
            });
        }
        let cpus = cpus.unwrap_or(most_cpus);
        let bytes = plans.iter().map(|image| {
            let pixels = image.plan().memory(Decoding::Once).peak_bytes(cpus);
            Footprint::new(image.document_bytes(), cpus).memory_limit(pixels)
        });
        let bytes = bytes.max();
        // A quarter more: file buffers count against the limit of a job too.
        let bytes = (bytes.unwrap_or(0) + list_bytes) / 4 * 5;
        Ok(Self {
            cpus,
            memory_mib: bytes.div_ceil(100 * MIB).max(5) * 100,
        })
    }
}

/// An array job over a list.
#[derive(Clone, Debug)]
pub struct ArrayJob {
    /// The executable `ome-zarr-convert`, where the nodes see it.
    pub program: PathBuf,
    /// The list, where the nodes see it.
    pub list: PathBuf,
    /// Number of its entries.
    pub entries: usize,
    /// What each task is given.
    pub needs: Needs,
    /// The largest array that the cluster takes (`MaxArraySize` of its configuration).
    pub max_array_size: usize,
    /// How many tasks may run at a time.
    pub at_a_time: Option<usize>,
    /// Folder of the log files; SLURM's default without.
    pub logs: Option<PathBuf>,
    /// Further `#SBATCH` options, such as `--partition=short`.
    pub options: Vec<String>,
}

impl ArrayJob {
    /// The script for `sbatch`. A list longer than the largest array gives every task a range of entries.
    pub fn script(&self) -> Result<String, TaskError> {
        let wrong = |problem: String| TaskError::Arguments {
            place: "the job".into(),
            problem,
        };
        if self.entries == 0 {
            return Err(wrong(format!("{} lists no images", self.list.display())));
        }
        if let Some(option) = self
            .options
            .iter()
            .find(|option| !option.starts_with('-') || option.contains('\n'))
        {
            return Err(wrong(format!(
                "found the sbatch option {option:?}, expected one like --partition=short"
            )));
        }
        let each = self.entries.div_ceil(self.max_array_size.max(1));
        let tasks = self.entries.div_ceil(each);
        let limit = self.at_a_time.map_or_else(String::new, |limit| format!("%{limit}"));
        let mut lines = vec![
            "#!/bin/bash".to_owned(),
            "#SBATCH --job-name=ome-zarr-convert".to_owned(),
            format!("#SBATCH --array=0-{}{limit}", tasks - 1),
            "#SBATCH --ntasks=1".to_owned(),
            format!("#SBATCH --cpus-per-task={}", self.needs.cpus),
            format!("#SBATCH --mem={}M", self.needs.memory_mib),
            "#SBATCH --requeue".to_owned(),
            "#SBATCH --open-mode=append".to_owned(),
        ];
        if let Some(logs) = &self.logs {
            let logs = logs.join("%A_%a.log").display().to_string();
            lines.push(format!("#SBATCH --output={}", quoted_option(&logs)));
        }
        lines.extend(self.options.iter().map(|option| format!("#SBATCH {option}")));
        lines.extend(
            [
                "#",
                "# Every task converts its own images. A task that is killed and requeued goes on where it was; submitting this file",
                "# again finishes what failed and leaves finished images alone.",
                "set -u",
            ]
            .map(str::to_owned),
        );
        lines.push(format!(
            ": \"${{SLURM_ARRAY_TASK_ID:?submit this file with sbatch}}\"\nprogram={}\nlist={}",
            quoted(&self.program),
            quoted(&self.list)
        ));
        // A tenth stays for what the engine does not count.
        let memory = self.needs.memory_mib * MIB / 10 * 9;
        let compute =
            |index: &str| format!("\"$program\" compute --list \"$list\" --index {index} --memory-limit {memory}");
        if each == 1 {
            // In place of the shell, so that SLURM's signals reach it.
            lines.push(format!("exec {}", compute("\"$SLURM_ARRAY_TASK_ID\"")));
        } else {
            lines.push(format!("first=$((SLURM_ARRAY_TASK_ID * {each}))"));
            lines.push(format!("end=$((first + {each}))"));
            lines.push(format!("if ((end > {0})); then end={0}; fi", self.entries));
            lines.push("failed=0".to_owned());
            lines.push("for ((index = first; index < end; index++)); do".to_owned());
            lines.push(format!("    {} || failed=1", compute("\"$index\"")));
            lines.push("done".to_owned());
            lines.push("exit \"$failed\"".to_owned());
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// A value of an `#SBATCH` line, where quotes are only needed around blanks.
fn quoted_option(value: &str) -> String {
    if value.contains(char::is_whitespace) {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn job() -> ArrayJob {
        ArrayJob {
            program: "/opt/ome-zarr-convert".into(),
            list: "/data/it's here/list.json".into(),
            entries: 96,
            needs: Needs {
                cpus: 2,
                memory_mib: 1000,
            },
            max_array_size: 1001,
            at_a_time: None,
            logs: None,
            options: Vec::new(),
        }
    }

    #[test]
    fn a_task_per_image() {
        expect![[r##"
            #!/bin/bash
            #SBATCH --job-name=ome-zarr-convert
            #SBATCH --array=0-95
            #SBATCH --ntasks=1
            #SBATCH --cpus-per-task=2
            #SBATCH --mem=1000M
            #SBATCH --requeue
            #SBATCH --open-mode=append
            #
            # Every task converts its own images. A task that is killed and requeued goes on where it was; submitting this file
            # again finishes what failed and leaves finished images alone.
            set -u
            : "${SLURM_ARRAY_TASK_ID:?submit this file with sbatch}"
            program='/opt/ome-zarr-convert'
            list='/data/it'\''s here/list.json'
            exec "$program" compute --list "$list" --index "$SLURM_ARRAY_TASK_ID" --memory-limit 943718400
        "##]].assert_eq(&job().script().unwrap());
    }

    #[test]
    fn more_images_than_an_array_has_tasks() {
        let job = ArrayJob {
            entries: 2500,
            at_a_time: Some(50),
            logs: Some("/logs".into()),
            options: vec!["--partition=short".into()],
            ..job()
        };
        expect![[r##"
            #!/bin/bash
            #SBATCH --job-name=ome-zarr-convert
            #SBATCH --array=0-833%50
            #SBATCH --ntasks=1
            #SBATCH --cpus-per-task=2
            #SBATCH --mem=1000M
            #SBATCH --requeue
            #SBATCH --open-mode=append
            #SBATCH --output=/logs/%A_%a.log
            #SBATCH --partition=short
            #
            # Every task converts its own images. A task that is killed and requeued goes on where it was; submitting this file
            # again finishes what failed and leaves finished images alone.
            set -u
            : "${SLURM_ARRAY_TASK_ID:?submit this file with sbatch}"
            program='/opt/ome-zarr-convert'
            list='/data/it'\''s here/list.json'
            first=$((SLURM_ARRAY_TASK_ID * 3))
            end=$((first + 3))
            if ((end > 2500)); then end=2500; fi
            failed=0
            for ((index = first; index < end; index++)); do
                "$program" compute --list "$list" --index "$index" --memory-limit 943718400 || failed=1
            done
            exit "$failed"
        "##]].assert_eq(&job.script().unwrap());
    }

    #[test]
    fn every_entry_belongs_to_one_task() {
        for (entries, max_array_size) in [(1, 1), (1, 1001), (1001, 1001), (1002, 1001), (20_000, 1001), (7, 3)] {
            let each = usize::div_ceil(entries, max_array_size);
            let tasks = entries.div_ceil(each);
            assert!(tasks <= max_array_size && (tasks - 1) * each < entries && tasks * each >= entries);
            let job = ArrayJob {
                entries,
                max_array_size,
                ..job()
            };
            assert!(job.script().unwrap().contains(&format!("--array=0-{}\n", tasks - 1)));
        }
    }

    #[test]
    fn what_makes_no_job_is_told() {
        let empty = ArrayJob { entries: 0, ..job() };
        assert!(empty.script().unwrap_err().to_string().contains("lists no images"));
        let strange = ArrayJob {
            options: vec!["rm -rf".into()],
            ..job()
        };
        assert!(strange.script().unwrap_err().to_string().contains("\"rm -rf\""));
    }
}
