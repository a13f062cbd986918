//! A function behind a name: what a caller needs to run it without knowing its types.

use std::error::Error;

use ome_zarr_convert_compute::ComputeError;
use ome_zarr_convert_core::CoreError;
use ome_zarr_convert_core::model::{self, Dialect, Model};
use serde_json::{Map, Value};

use super::answer::{Answer, InitOutput, TaskOutput};
use crate::error::TaskError;

type Run = dyn Fn(&Map<String, Value>, &str) -> Result<Value, TaskError> + Send + Sync;

/// A task's function with its name and the file by which a package calls it.
pub struct Executable {
    /// The name on a command line.
    pub name: &'static str,
    /// The file in a manifest, relative to the package.
    pub file: &'static str,
    run: Box<Run>,
    schema: fn() -> Value,
}

/// The function of an init task.
pub struct InitExecutable(pub(super) Executable);

impl Executable {
    /// From a function that is a whole task, or the compute half of one.
    pub fn new<A, E>(
        name: &'static str,
        file: &'static str,
        task: impl Fn(A) -> Result<TaskOutput, E> + Send + Sync + 'static,
    ) -> Self
    where
        A: Model,
        E: Into<Box<dyn Error>>,
    {
        Self::of(name, file, task)
    }

    fn of<A, O, E>(
        name: &'static str,
        file: &'static str,
        task: impl Fn(A) -> Result<O, E> + Send + Sync + 'static,
    ) -> Self
    where
        A: Model,
        O: Answer,
        E: Into<Box<dyn Error>>,
    {
        Self {
            name,
            file,
            run: Box::new(move |arguments, place| call(&task, arguments, place)),
            schema: || model::schema::<A>(Dialect::Fractal),
        }
    }

    /// Runs the function. `place` names the source of the arguments in messages.
    pub fn run(&self, arguments: &Map<String, Value>, place: &str) -> Result<Value, TaskError> {
        (self.run)(arguments, place)
    }

    /// The JSON schema of the arguments.
    pub fn args_schema(&self) -> Value {
        (self.schema)()
    }
}

impl InitExecutable {
    /// From a function that says what the compute task is to be run for.
    pub fn new<A, E>(
        name: &'static str,
        file: &'static str,
        task: impl Fn(A) -> Result<InitOutput, E> + Send + Sync + 'static,
    ) -> Self
    where
        A: Model,
        E: Into<Box<dyn Error>>,
    {
        Self(Executable::of(name, file, task))
    }
}

/// Reads the arguments, calls the function, and checks its answer.
pub(super) fn call<A, O, E>(
    task: impl FnOnce(A) -> Result<O, E>,
    arguments: &Map<String, Value>,
    place: &str,
) -> Result<Value, TaskError>
where
    A: Model,
    O: Answer,
    E: Into<Box<dyn Error>>,
{
    let arguments = model::from_json(&Value::Object(arguments.clone()), place).map_err(CoreError::from)?;
    let answer = task(arguments).map_err(|error| told(error.into()))?;
    answer.to_answer().map_err(TaskError::Answer)
}

/// An error of a function as one of ours, which knows its exit code; the causes of others' errors are told with them.
fn told(error: Box<dyn Error>) -> TaskError {
    let error = match error.downcast::<TaskError>() {
        Ok(own) => return *own,
        Err(other) => other,
    };
    let error = match error.downcast::<CoreError>() {
        Ok(own) => return TaskError::Core(*own),
        Err(other) => other,
    };
    let error = match error.downcast::<ComputeError>() {
        Ok(own) => return TaskError::Compute(*own),
        Err(other) => other,
    };
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        // Many errors tell their cause themselves.
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = inner.source();
    }
    TaskError::Own { message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    model::model! {
        /// Arguments.
        struct Divide "Divide" {
            /// Path of the image.
            zarr_url: String;
            /// By what.
            by: u32 = 2;
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot divide")]
    struct Outer(#[source] std::num::TryFromIntError);

    fn divide(arguments: Divide) -> Result<TaskOutput, Box<dyn Error>> {
        match arguments.by {
            0 => Err(CoreError::NoTiles.into()),
            1 => Err(Outer(u8::try_from(300).unwrap_err()).into()),
            _ => Ok(TaskOutput::default()),
        }
    }

    #[test]
    fn errors_of_all_kinds_are_told_once() {
        let executable = Executable::new("divide", "divide.py", divide);
        let run = |by: Value| {
            let arguments = json!({"zarr_url": "/a", "by": by});
            let done = executable.run(arguments.as_object().unwrap(), "args.json");
            done.map_err(|error| (error.exit_code(), error.to_string()))
        };
        assert_eq!(run(json!(null)), Ok(json!({})));
        let (code, text) = run(json!(0)).unwrap_err();
        assert!(code == 2 && text.starts_with("no tiles to convert"), "{text}");
        let own = "cannot divide: out of range integral type conversion attempted";
        assert_eq!(run(json!(1)), Err((1, own.to_owned())));
        let (code, text) = run(json!("x")).unwrap_err();
        assert_eq!(
            (code, text.as_str()),
            (2, "invalid args.json: `by`: found \"x\", expected a whole number")
        );
    }
}
