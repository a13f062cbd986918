//! The tasks of a package, as their author lists them.

use serde_json::{Map, Value, json};

use super::executable::{Executable, InitExecutable};
use crate::error::TaskError;

/// What a task asks of a cluster, per process.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    /// Number of processors.
    pub cpus_per_task: u32,
    /// Memory in megabytes.
    pub mem: u32,
    /// Further keys of the platform, such as `needs_gpu`.
    pub other: Map<String, Value>,
}

impl Default for Resources {
    /// One processor and 4000 MB, as converters ask for.
    fn default() -> Self {
        Self {
            cpus_per_task: 1,
            mem: 4000,
            other: Map::new(),
        }
    }
}

impl Resources {
    pub(super) fn to_value(&self) -> Value {
        let mut value = json!({"cpus_per_task": self.cpus_per_task, "mem": self.mem});
        if let Value::Object(keys) = &mut value {
            keys.extend(self.other.clone());
        }
        value
    }
}

/// How the platform runs a task, with the functions that it runs. What it gives them besides the user's arguments:
pub enum TaskKind {
    /// Once per image: `zarr_url`.
    Parallel(Executable),
    /// The compute half of compounds whose init half is in another package: `zarr_url`, `init_args`. The platform has no type of
    /// its own for it; in the manifest it is a parallel task, whose command such compounds name.
    ComputeHalf(Executable),
    /// Once for all images: `zarr_urls` and `zarr_dir`.
    NonParallel(Executable),
    /// An init task (`zarr_urls`, `zarr_dir`), then a compute task per entry of its list (`zarr_url`, `init_args`).
    Compound {
        /// Makes the list.
        init: InitExecutable,
        /// Run per entry.
        compute: Executable,
    },
    /// Once, to make images: `zarr_dir`.
    ConverterNonParallel(Executable),
    /// An init task (`zarr_dir`), then a compute task per entry of its list (`zarr_url`, `init_args`).
    ConverterCompound {
        /// Makes the list.
        init: InitExecutable,
        /// Run per entry.
        compute: Executable,
    },
}

/// What the platform gives an init task or a task that runs once, and a task that runs per image.
type Given = &'static [&'static str];

impl TaskKind {
    /// The name in manifests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Parallel(_) | Self::ComputeHalf(_) => "parallel",
            Self::NonParallel(_) => "non_parallel",
            Self::Compound { .. } => "compound",
            Self::ConverterNonParallel(_) => "converter_non_parallel",
            Self::ConverterCompound { .. } => "converter_compound",
        }
    }

    /// The function that runs once, and what it is given.
    pub(super) fn non_parallel(&self) -> Option<(&Executable, Given)> {
        match self {
            Self::Parallel(_) | Self::ComputeHalf(_) => None,
            Self::NonParallel(task) => Some((task, &["zarr_urls", "zarr_dir"])),
            Self::Compound { init, .. } => Some((&init.0, &["zarr_urls", "zarr_dir"])),
            Self::ConverterNonParallel(task) => Some((task, &["zarr_dir"])),
            Self::ConverterCompound { init, .. } => Some((&init.0, &["zarr_dir"])),
        }
    }

    /// The function that runs per image, and what it is given.
    pub(super) fn parallel(&self) -> Option<(&Executable, Given)> {
        match self {
            Self::Parallel(task) => Some((task, &["zarr_url"])),
            Self::ComputeHalf(compute) | Self::Compound { compute, .. } | Self::ConverterCompound { compute, .. } => {
                Some((compute, &["zarr_url", "init_args"]))
            }
            Self::NonParallel(_) | Self::ConverterNonParallel(_) => None,
        }
    }
}

/// One task with what its users are told of it. [`Task::new`] gives one without more than that; set the fields that differ.
pub struct Task {
    /// The name that users see; no other of the package has it.
    pub name: &'static str,
    /// How it is run, and what is run.
    pub kind: TaskKind,
    /// What the function that runs once asks of a cluster.
    pub resources_non_parallel: Resources,
    /// What the function that runs per image asks of a cluster.
    pub resources_parallel: Resources,
    /// Types that images must have to be worked on.
    pub input_types: Vec<(&'static str, bool)>,
    /// Types that images have afterwards.
    pub output_types: Vec<(&'static str, bool)>,
    /// Such as `Conversion`.
    pub category: Option<&'static str>,
    /// Such as `HCS`.
    pub modality: Option<&'static str>,
    /// Words by which the task is found.
    pub tags: Vec<&'static str>,
    /// What the task does, in Markdown.
    pub docs_info: Option<&'static str>,
    /// A page that says more; that of the package, unless it is set.
    pub docs_link: Option<&'static str>,
}

impl Task {
    /// A task of which nothing else is said.
    pub fn new(name: &'static str, kind: TaskKind) -> Self {
        Self {
            name,
            kind,
            resources_non_parallel: Resources::default(),
            resources_parallel: Resources::default(),
            input_types: Vec::new(),
            output_types: Vec::new(),
            category: None,
            modality: None,
            tags: Vec::new(),
            docs_info: None,
            docs_link: None,
        }
    }

    /// The functions of the task.
    pub fn executables(&self) -> impl Iterator<Item = &Executable> {
        let (once, each) = (self.kind.non_parallel(), self.kind.parallel());
        once.into_iter().chain(each).map(|(executable, _)| executable)
    }
}

/// All tasks that a package offers.
#[derive(Default)]
pub struct TaskPackage {
    /// Who answers for them.
    pub authors: Option<&'static str>,
    /// A page about all of them.
    pub docs_link: Option<&'static str>,
    /// The tasks, in the order in which users see them.
    pub tasks: Vec<Task>,
}

impl TaskPackage {
    /// The functions of all tasks, each name once; those that run once go first.
    pub fn executables(&self) -> Vec<&Executable> {
        let mut found: Vec<&Executable> = Vec::new();
        let once = self.tasks.iter().filter_map(|task| task.kind.non_parallel());
        let each = self.tasks.iter().filter_map(|task| task.kind.parallel());
        for (executable, _) in once.chain(each) {
            if !found.iter().any(|known| known.name == executable.name) {
                found.push(executable);
            }
        }
        found
    }

    /// The function of that name.
    pub fn executable(&self, name: &str) -> Result<&Executable, TaskError> {
        let all = self.executables();
        let found = all.iter().find(|executable| executable.name == name);
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|executable| executable.name).collect();
            TaskError::Arguments {
                place: "the command line".into(),
                problem: format!("there is no task {name:?}; the tasks are {}", known.join(", ")),
            }
        })
    }
}
