//! Lines for people and for logs, and the exit code: the one place that writes to the terminal's streams.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt;
use std::process::ExitCode;

use ome_zarr_convert_tasks::TaskError;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How a log line looks.
#[derive(Clone, Copy)]
enum Style {
    /// Only warnings, as a sentence.
    People,
    /// `time; name; LEVEL; message`, as Fractal's tasks write it.
    Tasks,
}

/// Log lines for people on the terminal: warnings only, the rest is progress and summary.
pub fn for_people() {
    start(Style::People, Level::WARN);
}

/// Log lines as Fractal's tasks write them.
pub fn for_tasks() {
    start(Style::Tasks, Level::INFO);
}

fn start(style: Style, level: Level) {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .event_format(style);
    // Fails only when logging has been started before, which is as good.
    let _ = subscriber.try_init();
}

/// A line for people, on standard error: standard output is for answers.
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// An answer, on standard output. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) {
    use std::io::{ErrorKind, Write, stdout};
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => eprintln!("error: cannot write the answer: {error}"),
        _ => {}
    }
}

/// The exit code of a command; its error is told once.
pub fn exit(done: Result<(), TaskError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// The exit code of a command that judges: 1 when what it looked at is not in order.
pub fn exit_verdict(done: Result<bool, TaskError>) -> ExitCode {
    match done {
        Ok(false) => ExitCode::FAILURE,
        done => exit(done.map(drop)),
    }
}

/// The exit code of a task; its error is a log line.
pub fn exit_task(done: Result<(), TaskError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

impl<S, N> FormatEvent<S, N> for Style
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let level = *event.metadata().level();
        match self {
            Self::People if level == Level::WARN => writeln!(writer, "warning: {}", message.0),
            Self::People => writeln!(writer, "{}", message.0),
            Self::Tasks => {
                let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string();
                let name = event.metadata().target();
                // The words of Python's logging, which Fractal looks for.
                let level = if level == Level::WARN {
                    "WARNING".to_owned()
                } else {
                    level.to_string()
                };
                writeln!(writer, "{time}; {name}; {level}; {}", message.0)
            }
        }
    }
}

/// The text of an event.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
