//! The manifest of a package: what the platform reads to register its tasks and to make their forms.

use std::collections::HashSet;

use ome_zarr_convert_core::model::{Path, Problems};
use serde_json::{Map, Value, json};

use super::executable::Executable;
use super::task_list::{Task, TaskPackage};
use crate::error::TaskError;

impl TaskPackage {
    /// The content of `__FRACTAL_MANIFEST__.json`. What the platform would refuse or could not run is an error that lists all of it.
    pub fn manifest(&self) -> Result<Value, TaskError> {
        let mut problems = Problems::default();
        let at = &mut Path::default();
        let tasks: Vec<Value> = at.key("task_list", |at| {
            let mut names = HashSet::new();
            let each = self.tasks.iter().enumerate().map(|(index, task)| {
                at.index(index, |at| {
                    if !names.insert(task.name) {
                        at.key("name", |at| {
                            problems.unexpected(at, &json!(task.name), "a name of its own")
                        });
                    }
                    self.task(task, at, &mut problems)
                })
            });
            each.collect()
        });
        if !problems.is_empty() {
            return Err(TaskError::Answer(problems.into_invalid("list of tasks")));
        }
        let mut manifest = json!({
            "manifest_version": "2",
            "task_list": tasks,
            "has_args_schemas": true,
            "args_schema_version": "fractal_schema_v1",
        });
        if let Some(authors) = self.authors {
            manifest["authors"] = json!(authors);
        }
        Ok(manifest)
    }

    fn task(&self, task: &Task, at: &mut Path, problems: &mut Problems) -> Value {
        check_words(task, at, problems);
        let mut entry = Map::new();
        entry.insert("name".into(), json!(task.name));
        let (once, each) = (task.kind.non_parallel(), task.kind.parallel());
        if let Some((executable, _)) = once {
            entry.insert("executable_non_parallel".into(), json!(executable.file));
        }
        if let Some((executable, _)) = each {
            entry.insert("executable_parallel".into(), json!(executable.file));
        }
        entry.insert("type".into(), json!(task.kind.name()));
        for (key, types) in [("input_types", &task.input_types), ("output_types", &task.output_types)] {
            if !types.is_empty() {
                let types: Map<String, Value> =
                    types.iter().map(|(name, is)| ((*name).to_owned(), json!(is))).collect();
                entry.insert(key.into(), Value::Object(types));
            }
        }
        for (key, text) in [("category", task.category), ("modality", task.modality)] {
            if let Some(text) = text {
                entry.insert(key.into(), json!(text));
            }
        }
        entry.insert("tags".into(), json!(task.tags));
        if once.is_some() {
            entry.insert("meta_non_parallel".into(), task.resources_non_parallel.to_value());
        }
        if each.is_some() {
            entry.insert("meta_parallel".into(), task.resources_parallel.to_value());
        }
        for (key, function) in [("args_schema_non_parallel", once), ("args_schema_parallel", each)] {
            if let Some((executable, given)) = function {
                at.key(executable.name, |at| check_given(executable, given, at, problems));
                entry.insert(key.into(), executable.args_schema());
            }
        }
        for (key, text) in [
            ("docs_info", task.docs_info),
            ("docs_link", task.docs_link.or(self.docs_link)),
        ] {
            if let Some(text) = text {
                entry.insert(key.into(), json!(text));
            }
        }
        Value::Object(entry)
    }
}

fn check_words(task: &Task, at: &mut Path, problems: &mut Problems) {
    if task.name.trim().is_empty() {
        at.key("name", |at| problems.unexpected(at, &json!(task.name), "a name"));
    }
    let mut seen = HashSet::new();
    for tag in &task.tags {
        if tag.trim().is_empty() || !seen.insert(tag.trim()) {
            at.key("tags", |at| {
                problems.unexpected(at, &json!(tag), "tags that differ, none of them empty")
            });
        }
    }
}

/// A function must take what the platform gives it, and may not demand what the platform keeps to itself.
fn check_given(executable: &Executable, given: &[&str], at: &mut Path, problems: &mut Problems) {
    let schema = executable.args_schema();
    for name in ["zarr_dir", "zarr_url", "zarr_urls", "init_args"] {
        let takes = schema["properties"].get(name).is_some();
        if given.contains(&name) != takes {
            let expected = if takes {
                "no such argument: the platform does not give it to tasks of this type"
            } else {
                "such an argument: the platform gives it to every task of this type"
            };
            let found = takes.then(|| "one".to_owned());
            at.key(name, |at| problems.add(at, found, expected, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use ome_zarr_convert_core::model;

    use super::*;
    use crate::fractal::{InitExecutable, InitOutput, TaskKind, TaskOutput};

    model::model! {
        /// Arguments of a task on an image.
        struct Parallel "Parallel" {
            /// Path of the image.
            zarr_url: String;
            /// How much.
            factor: f64 = 2.0, exclusive_min 0;
        }
    }

    fn parallel(_: Parallel) -> Result<TaskOutput, TaskError> {
        Ok(TaskOutput::default())
    }

    fn init(_: Parallel) -> Result<InitOutput, TaskError> {
        Ok(InitOutput::default())
    }

    #[test]
    fn a_manifest_says_what_is_known() {
        let mut task = Task::new(
            "Brighten",
            TaskKind::Parallel(Executable::new("brighten", "tasks/brighten.py", parallel)),
        );
        task.output_types = vec![("is_bright", true)];
        task.docs_info = Some("Makes an image *brighter*.");
        let package = TaskPackage {
            authors: Some("Ada"),
            docs_link: Some("https://example.org"),
            tasks: vec![task],
        };
        let manifest = package.manifest().unwrap();
        expect![[r#"
            {
              "manifest_version": "2",
              "task_list": [
                {
                  "name": "Brighten",
                  "executable_parallel": "tasks/brighten.py",
                  "type": "parallel",
                  "output_types": {
                    "is_bright": true
                  },
                  "tags": [],
                  "meta_parallel": {
                    "cpus_per_task": 1,
                    "mem": 4000
                  },
                  "args_schema_parallel": {
                    "additionalProperties": false,
                    "description": "Arguments of a task on an image.",
                    "properties": {
                      "zarr_url": {
                        "description": "Path of the image.",
                        "title": "Zarr Url",
                        "type": "string"
                      },
                      "factor": {
                        "default": 2,
                        "description": "How much.",
                        "exclusiveMinimum": 0,
                        "title": "Factor",
                        "type": "number"
                      }
                    },
                    "required": [
                      "zarr_url"
                    ],
                    "title": "Parallel",
                    "type": "object"
                  },
                  "docs_info": "Makes an image *brighter*.",
                  "docs_link": "https://example.org"
                }
              ],
              "has_args_schemas": true,
              "args_schema_version": "fractal_schema_v1",
              "authors": "Ada"
            }"#]]
        .assert_eq(&format!("{manifest:#}"));
    }

    #[test]
    fn what_the_platform_could_not_run_is_refused() {
        let kind = TaskKind::ConverterCompound {
            init: InitExecutable::new("init", "init.py", init),
            compute: Executable::new("brighten", "brighten.py", parallel),
        };
        let mut task = Task::new("Brighten", kind);
        task.tags = vec!["a", "a"];
        let other = Task::new("Brighten", TaskKind::Parallel(Executable::new("b", "b.py", parallel)));
        let package = TaskPackage {
            tasks: vec![task, other],
            ..TaskPackage::default()
        };
        expect![[r#"
            invalid list of tasks: 5 problems
              `task_list[0].tags`: found "a", expected tags that differ, none of them empty
              `task_list[0].init.zarr_dir`: missing, expected such an argument: the platform gives it to every task of this type
              `task_list[0].init.zarr_url`: found one, expected no such argument: the platform does not give it to tasks of this type
              `task_list[0].brighten.init_args`: missing, expected such an argument: the platform gives it to every task of this type
              `task_list[1].name`: found "Brighten", expected a name of its own"#]]
        .assert_eq(&package.manifest().unwrap_err().to_string());
    }
}
